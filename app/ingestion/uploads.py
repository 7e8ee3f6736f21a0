"""Large messages at the door: few at a time, one of a facility, and so many bytes a second of each in the long run."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from math import ceil

from app.core.errors import RateLimited, Unavailable
from app.ingestion.turns import Turns

LARGE_BYTES = 1_048_576
BYTES_A_SECOND = 1_048_576  # of large messages of one facility: a visit has 50 kB, so twenty visits a second
AHEAD_SECONDS = 30.0  # so much of them may come at once
MOST_SECONDS = 10.0
_RETRY_SECONDS = 5


class Uploads:
    """Who may send a large message now."""

    def __init__(self, *, at_a_time: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._turns = Turns(total=at_a_time, most_of_one=1)
        self._clock = clock
        self._paid_until: dict[str, float] = {}

    @asynccontextmanager
    async def turn(self, facility: str, *, announced_bytes: int | None) -> AsyncIterator[None]:
        """Wait for a turn, unless the message is announced as a small one.

        :raises RateLimited: when the facility has sent more large messages than it may for now
        :raises Unavailable: when there is no turn for a while; the sender tries again
        """
        if announced_bytes is not None and announced_bytes <= LARGE_BYTES:
            yield
            return
        ahead = self._paid_until.get(facility, 0.0) - self._clock() - AHEAD_SECONDS
        if ahead > 0:
            raise RateLimited(retry_after_seconds=ceil(ahead))
        async with AsyncExitStack() as turns:
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    await turns.enter_async_context(self._turns.of(facility))
            except TimeoutError:
                raise Unavailable(retry_after_seconds=_RETRY_SECONDS) from None
            yield

    def charge(self, facility: str, *, size_bytes: int) -> None:
        """Count a message that came, if it is a large one."""
        if size_bytes <= LARGE_BYTES:
            return
        now = self._clock()
        self._paid_until = {one: until for one, until in self._paid_until.items() if until > now}
        self._paid_until[facility] = self._paid_until.get(facility, now) + size_bytes / BYTES_A_SECOND
