"""A program of the product that dies at a chosen point, the first time that it comes by: `FAULT` names the point."""

import os
import signal
from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from app import cli, worker
from app.ingestion import http, matching, readers, sql
from app.notifications import fcm, pushing
from app.notifications import sql as notices
from app.records import filing


def _note() -> None:
    """Leave a mark, so that a fault that never happened is known."""
    Path(os.environ["FAULT_MARK"]).touch()


def _die() -> None:
    _note()
    os.kill(os.getpid(), signal.SIGKILL)


def _dies_after(owner: ModuleType | type, name: str, *, with_something: bool = False) -> None:
    """Let the program die after a call, or after the first one that found something."""
    known: Callable[..., Awaitable[Any]] = getattr(owner, name)

    @wraps(known)
    async def last(*arguments: Any, **named: Any) -> Any:
        found = await known(*arguments, **named)
        if found or not with_something:
            _die()
        return found

    setattr(owner, name, last)


def _reader_dies_with_the_message() -> None:
    exchange = readers._Process.exchange
    died: list[int] = []

    def once(self: readers._Process, what: int, body: bytes | bytearray) -> tuple[int, Any]:
        if not died:
            died.append(1)
            _note()
            self._open()
            if self._child is not None:
                self._child.kill()
        return exchange(self, what, body)

    readers._Process.exchange = once  # type: ignore[method-assign]  # that is the fault


POINTS: Final[Mapping[str, tuple[str, Callable[[], None]]]] = {
    "API: kept, not committed": ("serve", lambda: _dies_after(sql, "keep_message")),
    "API: committed, not answered": ("serve", lambda: _dies_after(http, "_keep")),
    "worker: taken": ("worker", lambda: _dies_after(sql, "take_message")),
    "worker: person found": ("worker", lambda: _dies_after(matching, "match_person")),
    "worker: filed, not concluded": ("worker", lambda: _dies_after(filing, "file_visit")),
    "worker: concluded, not committed": ("worker", lambda: _dies_after(sql, "conclude_message")),
    "worker: committed, job not ended": ("worker", lambda: _dies_after(worker._Worker, "_file")),
    "reader: asked, not answered": ("worker", _reader_dies_with_the_message),
}
"""Which program dies, and how that is brought about."""


PUSHING: Final[Mapping[str, tuple[str, Callable[[], None]]]] = {
    "worker: told, not committed": ("worker", lambda: _dies_after(notices, "tell")),
    "worker: taken, not committed": ("worker", lambda: _dies_after(notices, "take_pushes", with_something=True)),
    "worker: taken, not sent": ("worker", lambda: _dies_after(pushing, "take", with_something=True)),
    "worker: sent, not settled": ("worker", lambda: _dies_after(fcm.Pusher, "send")),
    "worker: settled, not committed": ("worker", lambda: _dies_after(notices, "settle_pushes")),
}
"""The same on the way from an event to a phone."""


def main() -> None:
    """Run the product, with a fault if one is asked for."""
    point = os.environ.get("FAULT")
    if point:
        {**POINTS, **PUSHING}[point][1]()
    cli.main()
