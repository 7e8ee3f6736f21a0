"""Installs the product in a database: migrations, then functions and policies, code lists, trusted operations.

Everything is idempotent. A fingerprint of what this checkout would install is kept in the database,
so that a start with nothing to do costs one query.
"""

import hashlib
import io
import re
from collections.abc import Callable, Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.core.db import Login, Row, Session, driver_of, open_engine, transaction
from app.core.settings import Settings
from app.gateway import deployment
from app.gateway.live import check_live_functions
from app.gateway.trusted import trusted_operations
from app.terminology import loading

ROOT = Path(__file__).parent.parent
ROOMS = (
    "core",
    "audit",
    "terminology",
    "facilities",
    "identity",
    "sharing",
    "appointments",
    "records",
    "notifications",
    "ingestion",
)
FINGERPRINT = "everything"
_FUNCTION = re.compile(r"CREATE OR REPLACE FUNCTION (\w+)\.(\w+)\(")
_HEADER = re.compile(r"-- owner: (?P<owner>\w+)\n(-- only: (?P<only>\w+)\n)?")

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFile:
    """A file of functions, policies or grants and the role that owns what it makes."""

    path: str
    owner: str
    only_where: str | None  # a role that must exist for the file to apply
    body: str

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the text."""
        return hashlib.sha256(self.body.encode()).hexdigest()


def sql_files() -> Iterator[SqlFile]:
    """Yield the rooms' SQL from the lowest room up, in the order of their names."""
    for room in ROOMS:
        for path in sorted((ROOT / "app" / room / "sql").glob("*.sql")):
            body = path.read_text(encoding="utf-8")
            header = _HEADER.match(body)
            if header is None:
                message = f"{path.name}: the first line must be `-- owner: ROLE`"
                raise ValueError(message)
            yield SqlFile(path=f"{room}/{path.name}", owner=header["owner"], only_where=header["only"], body=body)


def fingerprint(settings: Settings, *, over: Collection[str] = ()) -> str:
    """Return the digest of all that `migrate` installs from this checkout, but for documents that are `over`."""
    digest = hashlib.sha256(b"demo" if settings.demo else b"")
    digest.update("".join(sorted(over)).encode())
    sources = [*(ROOT / "app").rglob("*"), *(ROOT / "migrations").rglob("*"), *(ROOT / "graphql").rglob("*")]
    for path in sorted(sources):
        if path.suffix in {".py", ".sql", ".csv", ".graphql", ".json"}:
            digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _alembic() -> Config:
    for room in ROOMS:
        for path in sorted(
            (ROOT / "app" / room).glob("*tables.py")
        ):  # every declared row, whoever imports it otherwise
            import_module(f"app.{room}.{path.stem}")
    config = Config()
    config.set_main_option("script_location", str(ROOT / "migrations"))
    config.attributes["metadata"] = Row.metadata
    return config


def offline_sql() -> str:
    """Return the migrations as SQL text, for review and lint."""
    config = _alembic()
    config.output_buffer = io.StringIO()
    with redirect_stdout(io.StringIO()):
        command.upgrade(config, "head", sql=True)
    return str(config.output_buffer.getvalue())


async def migrate(settings: Settings, *, progress: Progress) -> bool:
    """Bring the database to this release; returns whether there was anything to do."""
    engine = open_engine(settings, Login.MIGRATOR, size=1)
    try:
        wanted = fingerprint(settings, over=await _over(engine))
        if await _installed(engine) == wanted:
            return False
        progress("migrations")
        async with engine.connect() as connection:
            await connection.run_sync(_upgrade)
        async with transaction(engine) as session:
            progress("functions and policies")
            await _apply_files(session)
            progress("code lists")
            await loading.load_all(session)
            progress("trusted operations")
            await deployment.deploy(session)
            for function in await deployment.retire(session):
                progress(f"retired {function}")
        progress("every live function, tried")
        await check_live_functions(engine)
        async with transaction(engine) as session:
            await _remember(session, path=FINGERPRINT, digest=wanted)
    finally:
        await engine.dispose()
    return True


def _upgrade(connection: Connection) -> None:
    config = _alembic()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def check_models(settings: Settings) -> None:
    """Compare the migrated database with the rows declared in code.

    :raises alembic.util.AutogenerateDiffsDetected: when they differ
    """
    engine = open_engine(settings, Login.MIGRATOR, size=1)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_check)
    finally:
        await engine.dispose()


def _check(connection: Connection) -> None:
    config = _alembic()
    config.attributes["connection"] = connection
    config.stdout = io.StringIO()  # the caller tells what was found
    command.check(config)


async def _installed(engine: AsyncEngine) -> str | None:
    async with engine.connect() as connection:
        if not await _exists(connection, "deploy.installed_file"):
            return None
        query = text("SELECT digest FROM deploy.installed_file WHERE path = :path")
        digest: str | None = await connection.scalar(query, {"path": FINGERPRINT})
        return digest


async def _over(engine: AsyncEngine) -> set[str]:
    """Return the documents that are past their sunset by the database's clock."""
    async with engine.connect() as connection:
        now = await connection.scalar(text("SELECT now()"))
    return {known.id for known in trusted_operations().values() if now is not None and known.is_over(now)}


async def _exists(connection: AsyncConnection, table: str) -> bool:
    return await connection.scalar(text("SELECT to_regclass(:table) IS NOT NULL"), {"table": table}) is True


async def _apply_files(session: Session) -> None:
    rows = await session.execute(text("SELECT path, digest FROM deploy.installed_file"))
    installed = {row.path: row.digest for row in rows}
    roles = set(await session.scalars(text("SELECT rolname::text FROM pg_roles")))
    driver = await driver_of(session)
    for file in sql_files():
        if file.only_where is not None and file.only_where not in roles:
            continue
        if installed.get(file.path) == file.digest:
            continue
        await _apply(driver, file)
        await _remember(session, path=file.path, digest=file.digest)


async def _apply(driver: "asyncpg.Connection[asyncpg.Record]", file: SqlFile) -> None:
    """Run a file as its owner. No function of ours is overloaded: one with other arguments is of an older release."""
    body = f"SET LOCAL ROLE {file.owner};\n{file.body};\nRESET ROLE;"
    try:
        await driver.execute("SAVEPOINT file")
        try:
            await driver.execute(body)
        except (asyncpg.AmbiguousFunctionError, asyncpg.InvalidFunctionDefinitionError):
            await driver.execute("ROLLBACK TO SAVEPOINT file")
            await _drop_functions(driver, file)
            await driver.execute(body)
        await driver.execute("RELEASE SAVEPOINT file")
    except asyncpg.PostgresError as error:
        error.add_note(f"in app/{file.path}")
        raise


async def _drop_functions(driver: "asyncpg.Connection[asyncpg.Record]", file: SqlFile) -> None:
    for schema, name in _FUNCTION.findall(file.body):
        rows = await driver.fetch(
            "SELECT oid::regprocedure::text AS form FROM pg_proc "
            "WHERE pronamespace = $1::regnamespace AND proname = $2",
            schema,
            name,
        )
        for row in rows:
            await driver.execute(f"SET LOCAL ROLE {file.owner}; DROP FUNCTION {row['form']}; RESET ROLE")


async def _remember(session: Session, *, path: str, digest: str) -> None:
    await session.execute(
        text(
            "INSERT INTO deploy.installed_file VALUES (:path, :digest, now()) "
            "ON CONFLICT (path) DO UPDATE SET digest = excluded.digest, applied_at = now()"
        ),
        {"path": path, "digest": digest},
    )
