"""Installs the product in a database: migrations, then functions and policies, code lists, trusted operations.

Everything is idempotent, and done only where the database has not all of it (app.installed).
"""

import hashlib
import io
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from app.core.db import Login, Row, Session, driver_of, open_engine, transaction
from app.core.logins import connect
from app.core.marks import note_keys_at_hand
from app.core.revision import REVISION, note_installed
from app.core.settings import Settings
from app.gateway import deployment
from app.gateway.live import check_live_functions
from app.installed import FINGERPRINT, ROOT, fingerprint_to_install
from app.terminology import loading

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
    async with _alone(settings):
        wanted = await fingerprint_to_install(settings)
        if wanted is None:
            return False
        await _install(settings, wanted=wanted, progress=progress)
        await note_keys_at_hand(settings)
    return True


@asynccontextmanager
async def _alone(settings: Settings) -> AsyncIterator[None]:
    """Wait until nobody else migrates this database, and let others wait; who dies lets go."""
    connection = await connect(settings, Login.MIGRATOR)
    try:
        await connection.execute("SET lock_timeout = 0; SET statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock(hashtext('sokhoe migrate'))")
        yield
    finally:
        await connection.close()


async def _install(settings: Settings, *, wanted: str, progress: Progress) -> None:
    engine = open_engine(settings, Login.MIGRATOR, size=1)
    try:
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
            await session.execute(text("SET LOCAL ROLE book_reader"))
            noted = note_installed(await session.scalar(text(REVISION)))
            await session.execute(text(f"COMMENT ON SCHEMA op IS '{noted}'"))
    finally:
        await engine.dispose()


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
