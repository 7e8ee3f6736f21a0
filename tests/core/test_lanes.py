"""Connections kept in hand: used again after what ended well, cleaned or replaced after anything else."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from app.core import logins
from app.core.lanes import Lane
from app.core.logins import Login, open_pool
from app.core.settings import Settings
from tests.conftest import Ground
from tests.sockets import PATIENCE

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
        await asyncio.sleep(0.1)  # its end has come already: the loop hears of it before any timer
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
        assert await asyncio.wait_for(lane.fetchval("SELECT 3"), PATIENCE) == 3

    with_lane(settings, 1, work)


def test_who_waits_is_sent_before_the_last_row_is_worked_on(ground: Ground, settings: Settings) -> None:
    lock = "SELECT pg_advisory_lock(7741)"
    held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7741"

    def becomes_held() -> bool:
        give_up_at = time.monotonic() + PATIENCE
        while time.monotonic() < give_up_at:
            if ground.cluster.psql(held).strip() == "1":
                return True
            time.sleep(0.01)
        return False

    async def work(lane: Lane) -> None:
        async def busy() -> bool:
            await lane.fetchval("SELECT 1")
            return becomes_held()  # nothing else runs in this process meanwhile

        await lane.fetchval(lock)  # from now on it is prepared
        await lane.fetchval("SELECT pg_advisory_unlock(7741)")
        _, is_sent, _ = await asyncio.gather(lane.fetchval("SELECT 0"), busy(), lane.fetchval(lock))
        assert is_sent

    with_lane(settings, 1, work)


@pytest.mark.parametrize("size", [1, 2])
def test_whoever_hangs_up_or_is_refused_harms_nobody_who_waits(settings: Settings, size: int) -> None:
    chance = random.Random(size)

    async def work(lane: Lane) -> None:
        async def one(number: int) -> object:
            kind = chance.choice(("row", "row", "row", "lent", "lent", "refused", "slow"))
            if kind == "refused":
                return await lane.fetchval("SELECT 1 / 0")
            if kind == "slow":
                return await lane.fetchval("SELECT $1::int FROM pg_sleep(0.03)", number)
            if kind == "lent":
                async with lane.acquire() as connection:
                    return await connection.fetchval("SELECT $1::int", number)
            return await lane.fetchval("SELECT $1::int", number)

        async def hung_up(number: int) -> object:
            return await asyncio.wait_for(one(number), chance.choice((None, chance.random() * 0.1)))

        found = await asyncio.gather(*map(hung_up, range(300)), return_exceptions=True)

        answered = [(number, value) for number, value in enumerate(found) if not isinstance(value, BaseException)]
        assert len(answered) > 20
        assert all(number == value for number, value in answered)
        assert TimeoutError in {type(value) for value in found} <= {int, TimeoutError, asyncpg.DivisionByZeroError}
        assert await asyncio.gather(*(lane.fetchval("SELECT $1::int", number) for number in range(20))) == [*range(20)]
        assert lane.idle == lane.size <= size

    with_lane(settings, size, work)


def test_a_connection_that_cannot_be_cleaned_keeps_no_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = 3
    to_fail = [OSError] * refused

    async def broken(_connection: object) -> None:
        if to_fail:
            raise to_fail.pop()

    monkeypatch.setattr(logins, "_keep_as_it_is", broken)

    async def work(lane: Lane) -> None:
        told = await asyncio.gather(
            *map(lane.fetchval, ["SELECT 1", *["SELECT 1 / 0"] * refused]), return_exceptions=True
        )
        assert [type(one) for one in told] == [int, *[asyncpg.DivisionByZeroError] * refused]
        assert to_fail == []
        assert await asyncio.wait_for(lane.fetchval("SELECT 2"), PATIENCE) == 2

    with_lane(settings, 1, work)
