"""No facility takes every turn, and who may go does not wait behind who may not."""

import asyncio

import pytest

from app.ingestion.turns import LATELY_SECONDS, MOST_AHEAD_SECONDS, MOST_REST_SECONDS, REST, Lately, Rests, Turns
from tests.sockets import PATIENCE


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
    async with asyncio.timeout(PATIENCE), turns.of("B"):
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


def test_a_facility_rests_as_many_times_as_long_as_its_message_took_and_no_other_does() -> None:
    moment = 100.0
    rests = Rests(clock=lambda: moment)
    assert rests.put_off("A") == 0
    rests.begin("A", worked_seconds=0.5)
    assert rests.put_off("B") == 0
    assert rests.put_off("A") == pytest.approx(0.5 * REST)
    moment += 0.5 * REST
    assert rests.put_off("A") == 0
    rests.begin("A", worked_seconds=MOST_REST_SECONDS)
    assert rests.put_off("A") == pytest.approx(MOST_REST_SECONDS)


def test_who_is_put_off_stands_behind_who_was_and_is_asked_again_only_then() -> None:
    """A thousand that are asked again at the same moment would be put off a thousand times each."""
    moment = 100.0
    rests = Rests(clock=lambda: moment)
    rests.begin("A", worked_seconds=1)
    assert [rests.put_off("A") for _ in range(3)] == pytest.approx([REST, 2 * REST + 1, 3 * REST + 2])
    moment += REST
    assert rests.put_off("A") == 0
    moment += 1
    rests.begin("A", worked_seconds=1)
    assert rests.put_off("A") == pytest.approx(3 * REST + 2)  # one step behind the third
    assert max(rests.put_off("A") for _ in range(100)) == MOST_AHEAD_SECONDS
