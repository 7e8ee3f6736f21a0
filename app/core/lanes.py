"""Connections kept in hand: the pool's own bookkeeping costs as much as a short statement."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

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
