"""No facility takes every turn, and who may go does not wait behind who may not."""

import asyncio

import pytest

from app.ingestion.turns import LATELY_SECONDS, Lately, Turns


@pytest.mark.asyncio
async def test_one_facility_has_its_share_and_no_more() -> None:
    turns, order = Turns(total=3, most_of_one=2), []
    release = asyncio.Event()

    async def work(facility: str, number: int) -> None:
        async with turns.of(facility):
            order.append(f"{facility}{number}")
            await release.wait()

    tasks = [asyncio.create_task(work("A", number)) for number in range(5)]
    tasks.append(asyncio.create_task(work("B", 0)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert order == ["A0", "A1", "B0"]
    release.set()
    await asyncio.gather(*tasks)
    assert sorted(order) == ["A0", "A1", "A2", "A3", "A4", "B0"]


@pytest.mark.asyncio
async def test_a_turn_comes_back_when_its_work_fails_or_nobody_waits_any_more() -> None:
    turns = Turns(total=1, most_of_one=1)

    async def fail() -> None:
        async with turns.of("A"):
            raise KeyError

    with pytest.raises(KeyError):
        await fail()
    async with turns.of("A"):
        waiting = asyncio.create_task(fail())
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
    async with asyncio.timeout(1), turns.of("B"):
        pass


def test_others_are_there_for_some_seconds_after_they_were_worked_for() -> None:
    moment = 100.0
    lately = Lately(clock=lambda: moment)
    lately.note("A")
    assert (lately.besides("A"), lately.besides("B")) == (False, True)
    lately.note("B")
    moment += LATELY_SECONDS - 1
    lately.note("A")
    assert (lately.besides("A"), lately.besides("B")) == (True, True)
    moment += 2
    assert (lately.besides("A"), lately.besides("B")) == (False, True)
    moment += LATELY_SECONDS
    assert not lately.besides("B")
