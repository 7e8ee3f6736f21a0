"""Who is worked for at the same time: some messages in all, and no facility all of them."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


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
