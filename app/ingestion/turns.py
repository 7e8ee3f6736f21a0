"""Who is worked for at the same time: some messages in all, and no facility all of them."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

LATELY_SECONDS: Final = 5.0


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
