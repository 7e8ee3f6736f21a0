"""Large messages at the door: few at a time and one of a facility, so that memory stays bounded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.core.errors import Unavailable
from app.ingestion.turns import Turns

LARGE_BYTES = 1_048_576
MOST_SECONDS = 10.0
_RETRY_SECONDS = 5


class Uploads:
    """Who may send a large message now."""

    def __init__(self, *, at_a_time: int) -> None:
        self._turns = Turns(total=at_a_time, most_of_one=1)

    @asynccontextmanager
    async def turn(self, facility: str, *, announced_bytes: int | None) -> AsyncIterator[None]:
        """Wait for a turn, unless the message is announced as a small one.

        :raises Unavailable: when there is none for a while; the sender tries again
        """
        if announced_bytes is not None and announced_bytes <= LARGE_BYTES:
            yield
            return
        async with AsyncExitStack() as turns:
            try:
                async with asyncio.timeout(MOST_SECONDS):
                    await turns.enter_async_context(self._turns.of(facility))
            except TimeoutError:
                raise Unavailable(retry_after_seconds=_RETRY_SECONDS) from None
            yield
