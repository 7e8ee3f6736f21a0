"""Stops the work for a client that has hung up: its statement is cancelled, and its connection is free for others."""

import asyncio
from types import TracebackType
from typing import Self

from fastapi import Request

LOOK_SECONDS = 0.25
"""Answers that come sooner are not watched: nearly all of them, for the price of one timer."""


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


class UntilGone:
    """A block of work that ends when its client hangs up; the request's body must have been read.

    :raises ClientGone: in place of what was being done
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._is_gone = False
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        """Begin."""
        self._task = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End, and watch no more."""
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()
        if self._is_gone and self._task is not None and isinstance(error, asyncio.CancelledError):
            self._task.uncancel()
            raise ClientGone from None

    def _watch(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._is_gone = True
        if self._task is not None:
            self._task.cancel()
