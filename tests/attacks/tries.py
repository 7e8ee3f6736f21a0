"""What an attacker with SQL at will tries, and what a test needs to watch the outcome."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, ParamSpec, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from app.core.db import Login
from app.core.settings import Settings
from app.gateway import plans
from app.gateway.run import _call
from app.gateway.trusted import trusted_operations
from tests.conftest import Ground
from tests.people import Stand

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

NO_BOOK = "28000"
DENIED = "42501"
NO_SESSION = "SK401"
NO_SUCH_BOOK = "SK404"
STALE = "25001"
FORGED = {
    "sections": "1023",
    "since": "-infinity",
    "until": "infinity",
    "unmasked": "true",
    "sensitive": "63",
    "facilities": "",
    "records": "",
    "whole": "true",
    "private": "true",
}
"""What open_book decides for an owner, but for whose book it is and since when it is open."""
SETTINGS = ("opened", "citizen", *FORGED)


def run(
    work: Callable[Arguments, Coroutine[Any, Any, Result]], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Run a coroutine function to its end, for a test that is none itself."""
    return asyncio.run(work(*arguments, **named))


async def sqlstate_of(connection: Connection, statement: str, *arguments: object) -> str:
    """Run a statement that must fail, in a savepoint if a transaction is open, and return its SQLSTATE."""
    try:
        if connection.is_in_transaction():
            async with connection.transaction():
                await connection.fetch(statement, *arguments)
        else:
            await connection.fetch(statement, *arguments)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    return "no error"


async def refusal_of(connection: Connection, statement: str, *arguments: object) -> dict[str, str]:
    """Run a statement that must fail and return all that the client is told."""
    try:
        await connection.fetch(statement, *arguments)
    except asyncpg.PostgresError as error:
        return {name: str(value) for name, value in error.as_dict().items()}
    return {}


def operation(name: str) -> tuple[str, tuple[object, ...]]:
    """Return the call of a deployed operation on a book, and its variables' defaults.

    The call's parameters begin with token, proof key, target, known ETag and language.
    """
    known = next(one for one in trusted_operations().values() if one.name == name)
    compiled = plans.compile_trusted(known)
    call = _call(known.id, compiled.parts(plans.BOOK)[0].key).removeprefix("SELECT ")
    return f"SELECT etag, body FROM {call}", compiled.plan.bind({})


async def read(
    connection: Connection,
    token: str | None,
    *,
    target: UUID | None = None,
    proof_key: bytes | None = None,
    name: str = "Visits",
) -> str:
    """Call a deployed operation and return its body."""
    call, variables = operation(name)
    row = await connection.fetchrow(call, token, proof_key, target, None, "vi", *variables)
    assert row is not None
    body: bytes = row["body"]
    return body.decode()


async def refused_read(
    connection: Connection, token: str | None, *, target: UUID | None = None, proof_key: bytes | None = None
) -> str:
    """Call a deployed operation that must refuse, and return the SQLSTATE."""
    call, variables = operation("Visits")
    return await sqlstate_of(connection, call, token, proof_key, target, None, "vi", *variables)


async def forge(connection: Connection, citizen: UUID, *, local: bool = True) -> None:
    """Write into the settings what open_book would write for a book."""
    opened = await connection.fetchval("SELECT now()::text")
    for name, value in {"opened": opened, "citizen": str(citizen), **FORGED}.items():
        await connection.execute("SELECT set_config($1, $2, $3)", f"book.{name}", value, local)


async def settings_left(connection: Connection) -> set[str | None]:
    """Return the values of all settings of a decision."""
    return {await connection.fetchval("SELECT current_setting($1, true)", f"book.{name}") for name in SETTINGS}


@asynccontextmanager
async def as_login(stand: Stand, login: Login) -> AsyncIterator[Connection]:
    """Give a connection of a login, with SQL at will."""
    connection = await stand.connect(login)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def as_role(stand: Stand, role: str) -> AsyncIterator[Connection]:
    """Give a connection that is a role without login; only `migrator` may become it."""
    async with as_login(stand, Login.MIGRATOR) as connection:
        await connection.execute(f"SET ROLE {role}")
        yield connection


@asynccontextmanager
async def as_superuser(ground: Ground, settings: Settings) -> AsyncIterator[Connection]:
    """Give a superuser's connection to the module's database, to look behind the policies."""
    connection = await asyncpg.connect(
        host="127.0.0.1",
        port=ground.cluster.port,
        user="postgres",
        password=ground.cluster.superuser_password,
        database=settings.database_url.rpartition("/")[2],
    )
    try:
        yield connection
    finally:
        await connection.close()
