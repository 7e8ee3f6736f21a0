"""Work ends with its client, and with its time; and nothing else is taken for either."""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from starlette.requests import Request

from app.gateway.hanging_up import ClientGone, UntilGone
from tests.sockets import PATIENCE

FOR_EVER = 600.0


def asked(*, gone_after: float = FOR_EVER) -> Request:
    async def receive() -> MutableMapping[str, Any]:
        await asyncio.sleep(gone_after)
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


def ended(request: Request, *, most_seconds: float, work: Callable[[], Any]) -> object:
    async def run() -> object:
        with UntilGone(request, most_seconds=most_seconds):
            done: object = await work()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        return done

    return asyncio.run(asyncio.wait_for(run(), PATIENCE))


def test_work_that_takes_too_long_is_stopped() -> None:
    for most_seconds in (0.01, 0.3):
        with pytest.raises(TimeoutError):
            ended(asked(), most_seconds=most_seconds, work=lambda: asyncio.sleep(FOR_EVER))


def test_work_for_nobody_is_stopped() -> None:
    with pytest.raises(ClientGone):
        ended(asked(gone_after=0), most_seconds=FOR_EVER, work=lambda: asyncio.sleep(FOR_EVER))


def test_work_that_ends_in_time_is_left_alone_though_it_was_watched() -> None:
    assert ended(asked(), most_seconds=FOR_EVER, work=lambda: asyncio.sleep(0.3, "done")) == "done"
    assert ended(asked(), most_seconds=0.01, work=lambda: asyncio.sleep(0, "done")) == "done"


def test_another_reason_to_stop_stays_what_it_is() -> None:
    async def refused() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        ended(asked(), most_seconds=FOR_EVER, work=refused)

    async def cancelled() -> None:
        task = asyncio.create_task(waiting())
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    async def waiting() -> None:
        with UntilGone(asked(), most_seconds=FOR_EVER):
            await asyncio.sleep(FOR_EVER)

    asyncio.run(cancelled())
