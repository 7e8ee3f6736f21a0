"""Connections kept in hand: the pool's own bookkeeping costs as much as a short statement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

import asyncpg

from app.core.db import Engine, Session, held_driver

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


class Lane:
    """A pool for statements that are a transaction each.

    A statement that ended well leaves its connection in hand for the next one. After any other (refused, cancelled, cut
    off) the connection goes back to the pool, which cleans it, or closes it.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, size: int) -> None:
        self._pool = pool
        self._free = asyncio.Semaphore(size)
        self._in_hand: list[Connection] = []

    async def fetchrow(self, statement: str, *arguments: object) -> Any:
        """Run one statement and return its first row."""
        connection = await self._take()
        try:
            row = await connection.fetchrow(statement, *arguments)
        except BaseException:
            await self._give_back(connection)
            raise
        self._keep(connection)
        return row

    async def fetch(self, statement: str, *arguments: object) -> list[Any]:
        """Run one statement and return its rows."""
        async with self.acquire() as connection:
            rows: list[Any] = await connection.fetch(statement, *arguments)
        return rows

    async def fetchval(self, statement: str, *arguments: object) -> Any:
        """Run one statement and return the first column of its first row."""
        row = await self.fetchrow(statement, *arguments)
        return None if row is None else row[0]

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Connection]:
        """Lend a connection; it must come back with no transaction open."""
        connection = await self._take()
        try:
            yield connection
        except BaseException:
            await self._give_back(connection)
            raise
        self._keep(connection)

    async def close(self) -> None:
        """Close every connection; nothing may be running."""
        while self._in_hand:
            await self._pool.release(self._in_hand.pop())
        await self._pool.close()

    @property
    def size(self) -> int:
        """Return how many connections there are."""
        return int(self._pool.get_size())

    @property
    def idle(self) -> int:
        """Return how many of them do nothing."""
        return int(self._pool.get_idle_size()) + len(self._in_hand)

    async def _take(self) -> Connection:
        await self._free.acquire()
        try:
            while self._in_hand:
                connection = self._in_hand.pop()
                if _is_open(connection):
                    return connection
                await self._pool.release(connection)
            return await self._pool.acquire()
        except BaseException:
            self._free.release()
            raise

    def _keep(self, connection: Connection) -> None:
        self._in_hand.append(connection)
        self._free.release()

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._pool.release(connection)
        finally:
            self._free.release()


def _is_open(connection: Connection) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # it was cut off, and the pool has taken it back already
        return False


class StepLane:
    """Steps that run a hundred times a second, each in one transaction.

    Taking a connection from SQLAlchemy, beginning and ending through it cost as much as three short statements: here
    connections stay in hand, and the driver begins and ends. The engine is one whose statements end by themselves
    (`one_statement`), so that nobody else does; what runs in a step may use SQLAlchemy as in any other. With `bare`
    each statement is a transaction of its own, for doors whose steps call one function.
    """

    def __init__(self, engine: Engine, *, size: int, bare: bool = False) -> None:
        self._engine = engine
        self._bare = bare
        self._free = asyncio.Semaphore(size)  # who waits, waits for a connection in hand, not for one of the engine's
        self._in_hand: list[Session] = []

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Session]:
        """Run what stands inside in one transaction; a connection at which it failed is not kept in hand."""
        async with self._free:
            session = await self._take()
            driver = held_driver(session)
            try:
                if self._bare:
                    yield session
                else:
                    await driver.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
                    yield session
                    await driver.execute("COMMIT")
            except BaseException:
                await _clean(session, driver=driver, by="SELECT" if self._bare else "ROLLBACK")
                raise
            self._in_hand.append(session)

    async def close(self) -> None:
        """Close every connection; nothing may be running."""
        while self._in_hand:
            await self._in_hand.pop().close()
        await self._engine.dispose()

    async def _take(self) -> Session:
        while self._in_hand:
            session = self._in_hand.pop()
            if not held_driver(session).is_closed():
                return session
            await _drop(session)
        return await self._engine.connect()


async def _clean(session: Session, *, driver: "asyncpg.Connection[asyncpg.Record]", by: str) -> None:
    """Give a connection back to the pool that answers and has no transaction open, or drop it."""
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        try:
            await driver.execute(by)
        except BaseException:
            await _drop(session)
            raise
        await session.close()


async def _drop(session: Session) -> None:
    await session.invalidate()
    await session.close()
