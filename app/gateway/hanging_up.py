"""Stops the work for a client that has hung up, or has waited long enough: its statement is cancelled."""

import asyncio
from types import TracebackType
from typing import Self

from fastapi import Request

LOOK_SECONDS = 0.25
"""Answers that come sooner are not watched: nearly all of them, for the price of one timer."""


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class UntilGone:
    """A block of work that ends when its client hangs up, or its time is over; the request's body must have been read.

    :raises ClientGone: in place of what was being done
    :raises TimeoutError: likewise, after `most_seconds`
    """

    def __init__(self, request: Request, *, most_seconds: float) -> None:
        self._request = request
        self._most_seconds = most_seconds
        self._ended_by: type[Exception] | None = None
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._timer = self._loop.call_later(min(LOOK_SECONDS, self._most_seconds), self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, and watch no more."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._ended_by is not None and self._task is not None and isinstance(error, asyncio.CancelledError):
            self._task.uncancel()
            raise self._ended_by from None

    def _watch(self) -> None:
        self._watcher = self._loop.create_task(self._wait())
        self._timer = self._loop.call_later(max(0.0, self._most_seconds - LOOK_SECONDS), self._end, TimeoutError)

    async def _wait(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._end(ClientGone)

    def _end(self, by: type[Exception]) -> None:
        if self._ended_by is None and self._task is not None:
            self._ended_by = by
            self._task.cancel()
