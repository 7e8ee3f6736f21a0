"""Who is worked for at the same time: some messages in all, and no facility all of them."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

LATELY_SECONDS: Final = 5.0
REST: Final = 5.0  # so many times as long as a slow message took
MOST_REST_SECONDS: Final = 20.0
MOST_AHEAD_SECONDS: Final = 60.0


class Turns:
    """At most `total` at a time and `most_of_one` of one facility; who waits longest and may, goes first."""

    def __init__(self, *, total: int, most_of_one: int) -> None:
        self._free = total
        self._most_of_one = most_of_one
        self._running: Counter[str] = Counter()
        self._waiting: deque[tuple[str, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def of(self, facility: str) -> AsyncIterator[None]:
        """Wait for a turn, and give it back at the end."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((facility, turn))
        self._give()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():
                self._free += 1
                self._running[facility] -= 1
            self._give()

    def _give(self) -> None:
        for waiting in tuple(self._waiting):
            facility, turn = waiting
            if turn.cancelled():
                self._waiting.remove(waiting)
            elif self._free and self._running[facility] < self._most_of_one:
                self._waiting.remove(waiting)
                self._free -= 1
                self._running[facility] += 1
                turn.set_result(None)
        if not self._waiting:
            self._running += Counter()  # forget who is not there any more


class Lately:
    """Which facilities were worked for in the last seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._at: dict[str, float] = {}

    def note(self, facility: str) -> None:
        """Note that a facility is worked for now."""
        self._at.pop(facility, None)
        self._at[facility] = self._clock()

    def besides(self, facility: str) -> bool:
        """Tell whether another facility was."""
        since = self._clock() - LATELY_SECONDS
        while self._at and next(iter(self._at.values())) < since:
            del self._at[next(iter(self._at))]
        return any(other != facility for other in self._at)


@dataclass(slots=True)
class _Rest:
    until: float
    step: float  # what one message takes of the facility's time, with its rest
    last: float  # when the last one that was put off may begin


class Rests:
    """How long a facility's slow messages stand back, one behind the other, so that others have the machine."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of: dict[str, _Rest] = {}

    def begin(self, facility: str, *, worked_seconds: float) -> None:
        """Let a facility rest from now, after a message that took so long."""
        now, rest_seconds = self._clock(), min(REST * worked_seconds, MOST_REST_SECONDS)
        self._of = {one: rest for one, rest in self._of.items() if max(rest.until, rest.last) > now}
        until, step = now + rest_seconds, worked_seconds + rest_seconds
        last = self._of[facility].last if facility in self._of else 0.0
        self._of[facility] = _Rest(until=until, step=step, last=max(last, until - step))

    def put_off(self, facility: str) -> float:
        """Return for how many seconds a message stands back; the next one that asks, stands behind it."""
        rest, now = self._of.get(facility), self._clock()
        if rest is None or rest.until <= now:
            return 0.0
        rest.last = min(rest.last + rest.step, now + MOST_AHEAD_SECONDS)
        return rest.last - now
