"""Large messages come few at a time, one of a facility, and not for ever as fast as they can."""

import asyncio

import pytest

from app.core.errors import RateLimited
from app.ingestion.uploads import AHEAD_SECONDS, BYTES_A_SECOND, LARGE_BYTES, Uploads

TEN_MEGABYTES = 10 * 1_048_576


@pytest.mark.asyncio
async def test_a_facility_that_sends_large_messages_only_is_slowed_down_and_others_are_not() -> None:
    now = [100.0]
    uploads = Uploads(at_a_time=2, clock=lambda: now[0])

    async def send() -> None:
        async with uploads.turn("01901", announced_bytes=TEN_MEGABYTES):
            uploads.charge("01901", size_bytes=TEN_MEGABYTES)

    for _ in range(int(AHEAD_SECONDS * BYTES_A_SECOND // TEN_MEGABYTES) + 1):
        await send()
    with pytest.raises(RateLimited) as refused:
        await send()
    assert refused.value.retry_after_seconds == 10
    async with uploads.turn("01901", announced_bytes=LARGE_BYTES), uploads.turn("79001", announced_bytes=TEN_MEGABYTES):
        pass
    now[0] += 10
    async with uploads.turn("01901", announced_bytes=None):
        pass


@pytest.mark.asyncio
async def test_small_messages_are_never_charged() -> None:
    uploads = Uploads(at_a_time=1, clock=lambda: 100.0)
    for _ in range(1_000):
        async with uploads.turn("01901", announced_bytes=None):
            uploads.charge("01901", size_bytes=LARGE_BYTES)


@pytest.mark.asyncio
async def test_one_large_message_of_a_facility_at_a_time() -> None:
    uploads, order = Uploads(at_a_time=2), []
    first, release = asyncio.Event(), asyncio.Event()

    async def send(name: str, facility: str) -> None:
        async with uploads.turn(facility, announced_bytes=None):
            order.append(name)
            first.set()
            await release.wait()

    tasks = [asyncio.create_task(send(*one)) for one in (("a1", "A"), ("a2", "A"), ("b1", "B"), ("c1", "C"))]
    await first.wait()
    await asyncio.sleep(0)
    assert order == ["a1", "b1"]
    release.set()
    await asyncio.gather(*tasks)
    assert sorted(order) == ["a1", "a2", "b1", "c1"]
