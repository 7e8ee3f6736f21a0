"""Connections kept in hand: used again after what ended well, cleaned or replaced after anything else."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.core.lanes import Lane
from app.core.logins import Login, open_pool
from app.core.settings import Settings
from tests.conftest import Ground

BACKEND = "SELECT pg_backend_pid()"


def with_lane(settings: Settings, size: int, work: Callable[[Lane], Awaitable[None]]) -> None:
    async def run() -> None:
        lane = Lane(await open_pool(settings, Login.DESK, size=size), size=size)
        try:
            await work(lane)
        finally:
            await lane.close()

    asyncio.run(run())


def test_one_connection_serves_one_after_the_other(settings: Settings) -> None:
    async def work(lane: Lane) -> None:
        assert len({await lane.fetchval(BACKEND) for _ in range(5)}) == 1
        assert [row[0] for row in await lane.fetch("SELECT generate_series(1, 3)")] == [1, 2, 3]
        assert await lane.fetchval("SELECT 1 WHERE false") is None
        assert (lane.size, lane.idle) == (1, 1)

    with_lane(settings, 4, work)


def test_who_comes_when_all_are_busy_waits_for_a_turn(settings: Settings) -> None:
    async def work(lane: Lane) -> None:
        backends = await asyncio.gather(*(lane.fetchrow(f"{BACKEND}, pg_sleep(0.01)") for _ in range(20)))
        assert len({row[0] for row in backends}) == 2
        assert lane.size == 2

    with_lane(settings, 2, work)


def test_a_refusal_takes_no_place(settings: Settings) -> None:
    async def work(lane: Lane) -> None:
        for _ in range(3):
            with pytest.raises(asyncpg.DivisionByZeroError):
                await lane.fetchval("SELECT 1 / 0")
        assert await lane.fetchval("SELECT 2") == 2

    with_lane(settings, 1, work)


def test_a_connection_that_the_server_ended_is_replaced(ground: Ground, settings: Settings) -> None:
    async def work(lane: Lane) -> None:
        first = await lane.fetchval(BACKEND)
        ground.cluster.psql(f"SELECT pg_terminate_backend({first}, 5000)")
        for _ in range(500):
            if lane.size == 0:
                break
            await asyncio.sleep(0.01)
        assert await lane.fetchval(BACKEND) != first

    with_lane(settings, 1, work)


def test_a_cancelled_statement_leaves_nothing_behind(settings: Settings) -> None:
    async def work(lane: Lane) -> None:
        for _ in range(5):
            task = asyncio.create_task(lane.fetchval("SELECT pg_sleep(10)"))
            await asyncio.sleep(0.02)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert await asyncio.wait_for(lane.fetchval("SELECT 3"), 5) == 3

    with_lane(settings, 1, work)
