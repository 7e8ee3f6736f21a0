"""Connections kept in hand: the pool's own bookkeeping costs as much as a short statement."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from app.core.db import Engine, Session, held_driver

Connection: TypeAlias = "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"


@dataclass(slots=True, eq=False, kw_only=True)
class _Turn:
    """Who waits: for the row of a statement, or without one for a connection."""

    answer: "asyncio.Future[Any]"
    statement: str | None
    arguments: tuple[object, ...]
    server: "asyncio.Task[None] | None" = None  # while its statement runs

    def hang_up(self, answer: "asyncio.Future[Any]") -> None:
        """End the statement for whose row nobody waits any more."""
        if answer.cancelled() and self.server is not None:
            self.server.cancel()


class Lane:
    """A pool for statements that are a transaction each.

    A statement that ended well leaves its connection in hand for the next one. After any other (refused, cancelled, cut
    off) the connection goes back to the pool, which cleans it or closes it. While others wait, a task of its own serves
    them with the connection: it sends the next statement before anybody works on the last one's row, so that PostgreSQL
    does not wait for that.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, size: int) -> None:
        self._pool = pool
        self._places = size
        self._in_hand: list[Connection] = []
        self._waiting: deque[_Turn] = deque()  # nobody, while there is a place
        self._serving: set[asyncio.Task[None]] = set()

    async def fetchrow(self, statement: str, *arguments: object) -> Any:
        """Run one statement and return its first row."""
        if not self._places:
            return await self._turn(statement, arguments)
        async with self.acquire() as connection:
            return await connection.fetchrow(statement, *arguments)

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
        self._pass_on(connection)

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
        if not self._places:
            lent: Connection = await self._turn(None, ())
            return lent
        self._places -= 1
        try:
            return await self._open(self._in_hand.pop() if self._in_hand else None)
        except BaseException:
            self._pass_on(None)
            raise

    async def _turn(self, statement: str | None, arguments: tuple[object, ...]) -> Any:
        turn = _Turn(answer=asyncio.get_running_loop().create_future(), statement=statement, arguments=arguments)
        turn.answer.add_done_callback(turn.hang_up)
        self._waiting.append(turn)
        try:
            return await turn.answer
        except asyncio.CancelledError:
            if statement is None and not turn.answer.cancelled():  # it was lent just before
                self._pass_on(turn.answer.result())
            raise

    def _pass_on(self, connection: "Connection | None") -> None:
        """Let the next who waits have a place, with the connection that it comes with."""
        if self._waiting:
            server = asyncio.create_task(self._serve(connection))
            self._serving.add(server)
            server.add_done_callback(self._serving.discard)
            return
        self._places += 1
        if connection is not None:
            self._in_hand.append(connection)

    async def _serve(self, connection: "Connection | None") -> None:
        """Serve whoever waits until nobody does, or a connection was lent."""
        while self._waiting:
            turn = self._waiting.popleft()
            if turn.answer.done():
                continue
            turn.server = asyncio.current_task()
            try:
                connection = await self._open(connection)
                row = await connection.fetchrow(turn.statement, *turn.arguments) if turn.statement else None
            except BaseException as problem:  # noqa: BLE001 - it is the asker's
                turn.server = None
                if not turn.answer.done():
                    turn.answer.set_exception(problem)
                if connection is not None:
                    with suppress(Exception):  # then it was closed
                        await self._pool.release(connection)
                connection = None
                continue
            turn.server = None
            if turn.answer.done():  # who waited has hung up meanwhile
                continue
            if turn.statement is None:
                turn.answer.set_result(connection)
                return
            turn.answer.set_result(row)
        self._pass_on(connection)

    async def _open(self, connection: "Connection | None") -> Connection:
        """Return this connection, or another one if it was cut off."""
        while connection is not None and not _is_open(connection):
            await self._pool.release(connection)
            connection = self._in_hand.pop() if self._in_hand else None
        return connection or await self._pool.acquire()

    async def _give_back(self, connection: Connection) -> None:
        try:
            await self._pool.release(connection)
        finally:
            self._pass_on(None)


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
