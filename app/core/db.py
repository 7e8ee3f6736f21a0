"""Connections: one login, one pool; one step, one transaction.

Steps run on SQLAlchemy's connections, as `desk`, `porter`, `ingest` and `worker`. The logins `api` and `demo` run
compiled operations on asyncpg alone. Nobody commits but `transaction`, `context.run_step` and `lanes.StepLane`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import orjson
from sqlalchemy import URL, MetaData, select
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import UserDefinedType

from app.core.errors import (
    AppError,
    Conflict,
    Invalid,
    LevelTooLow,
    NotFound,
    RateLimited,
    SignInAgain,
    StepUpRequired,
    Text,
    TooSlow,
    Unauthenticated,
    Unavailable,
)
from app.core.logins import Login, SecretMissing, address_of, connect
from app.core.logs import log
from app.core.refusals import WORDS
from app.core.settings import Settings

__all__ = [
    "Engine",
    "Login",
    "Row",
    "Session",
    "Xid8",
    "connection_errors",
    "driver_of",
    "held_driver",
    "open_engine",
    "transaction",
]

Session = AsyncConnection
Engine = AsyncEngine


class Row(DeclarativeBase):
    """What rests in PostgreSQL."""

    metadata = MetaData(
        naming_convention={
            "ix": "%(table_name)s_%(column_0_N_name)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(table_name)s_%(constraint_name)s_check",
            "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        """Return the type's name."""
        return "xid8"


ischema_names["xid8"] = Xid8  # so that `sokhoe migrate --check` knows the type


def open_engine(settings: Settings, login: Login, *, size: int, one_statement: bool = False) -> AsyncEngine:
    """Open a pool for steps; errors never carry parameters.

    With `one_statement` each statement is a transaction of its own, which saves two round trips: for doors whose
    steps call one function. A connection that the server closed costs one UNAVAILABLE and empties the pool.
    """
    address_of(settings, login)  # a password that cannot be read stops the start
    return create_async_engine(
        URL.create("postgresql+asyncpg"),
        async_creator=partial(connect, settings, login),
        pool_size=size,
        max_overflow=0,
        hide_parameters=True,
        json_deserializer=orjson.loads,
        isolation_level="AUTOCOMMIT" if one_statement else "READ COMMITTED",
    )


def held_driver(session: Session) -> "asyncpg.Connection[asyncpg.Record]":
    """Return the driver's connection, whether a transaction has begun or not."""
    held = session.sync_connection
    if held is None:
        raise Unavailable
    driver: asyncpg.Connection[asyncpg.Record] = held.connection.driver_connection
    return driver


async def driver_of(session: Session) -> "asyncpg.Connection[asyncpg.Record]":
    """Return the connection of the session's transaction.

    For a text of several statements without parameters, and for steps that run a hundred times a second: SQLAlchemy
    takes twice the processor's time for a statement.
    """
    driver = held_driver(session)
    if not driver.is_in_transaction():
        await session.execute(select(1))  # SQLAlchemy begins lazily: raw SQL before that would commit by itself
    return driver


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[Session]:
    """Run a step in one transaction: committed at its end, rolled back when it raises."""
    async with engine.begin() as session:
        yield session


_EXPECTED: Mapping[str, type[AppError]] = {
    "SK401": Unauthenticated,
    "SK403": LevelTooLow,
    "SK404": NotFound,
    "SK405": NotFound,  # not in this role: a practitioner has no book
    "SK409": Conflict,
    "SK422": Invalid,
    "SK429": RateLimited,
    "SK428": StepUpRequired,
    "SK430": SignInAgain,
    "SK503": Unavailable,  # what must be written down cannot be
    "57014": TooSlow,
    "55P03": Unavailable,  # lock timeout
    "25006": Unavailable,  # it is a standby, or told to keep what it has
    "28000": Unavailable,  # our login is not let in
    "28P01": Unavailable,  # its password is another
    "3D000": Unavailable,  # another server answers, without our database
    "53100": Unavailable,  # its disk is full
    "53200": Unavailable,  # no memory, or no locks, left
    "53300": Unavailable,  # too many connections
    "57P01": Unavailable,  # the server is shutting down
    "57P02": Unavailable,  # another of its processes crashed
    "57P03": Unavailable,  # the server is starting
    "08000": Unavailable,  # the connection broke
    "08003": Unavailable,  # it was closed in the middle of a statement
    "08006": Unavailable,  # it failed
    "58030": Unavailable,  # its disk cannot be read or written
}
_LACKING = frozenset({"25006", "28000", "28P01", "3D000", "53100", "53200", "53300", "58030"})
"""What only an operator can mend."""


class _ConnectionErrors:
    """Holds nothing: one stands around all statements, also around those within another's."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """End, and turn an error."""
        if error is not None:
            _turn(error)


def _turn(error: BaseException) -> None:
    if isinstance(error, DBAPIError):
        expected = _expected(str(getattr(error.orig, "sqlstate", None)))
        if expected is not None or error.connection_invalidated:
            raise (expected or Unavailable)(_words_of(getattr(error.orig, "__cause__", None))) from error
    elif isinstance(error, asyncpg.PostgresError):
        expected = _expected(str(error.sqlstate))
        if expected is not None:
            raise expected(_words_of(error)) from error
    elif isinstance(error, OSError | asyncpg.InterfaceError | asyncpg.InternalClientError | TimeoutError):
        # InternalClientError: the server ended an idle connection, and its end was not read yet.
        raise Unavailable from error
    elif isinstance(error, SecretMissing):  # while its file is being changed
        log.error("a login's password cannot be read", reason=str(error))
        raise Unavailable from error


def _expected(sqlstate: str) -> type[AppError] | None:
    if sqlstate in _LACKING:
        log.error("the database lacks something: see its log", sqlstate=sqlstate)
    return _EXPECTED.get(sqlstate)


_CONNECTION_ERRORS = _ConnectionErrors()


def connection_errors() -> _ConnectionErrors:
    """Turn our own SQLSTATEs and a database that does not answer into expected errors; let all else pass.

    PostgreSQL's own codes stay what they are: a forgotten GRANT (42501) is a defect, not a refusal.

    :raises AppError: as the table above says
    """
    return _CONNECTION_ERRORS


def _words_of(error: BaseException | None) -> Text | None:
    return WORDS.get(str(error)) if isinstance(error, asyncpg.PostgresError) else None
