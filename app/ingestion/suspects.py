"""Whose messages are read apart for a while, although they are small."""

import time
from collections.abc import Callable, Collection
from typing import Final
from uuid import UUID

SUSPECT_SECONDS: Final = 600.0
MOST_SUSPECTS: Final = 1_000
SLOW_SECONDS: Final = 0.1
"""The processor's time after which a small message counts as slow: a usual one takes a fiftieth of it."""


class Suspects:
    """Senders of a message that was slow, or at which a reader died; messages that may have killed a worker."""

    def __init__(self, *, in_hand: Collection[UUID] = (), clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the messages that workers had in hand when this one started: one of them may have ended it."""
        self._in_hand = frozenset(in_hand)
        self._clock = clock
        self._until: dict[str, float] = {}

    def __contains__(self, one: UUID | str) -> bool:
        """Tell whether a message, or the messages of a sender, are to be read apart."""
        if isinstance(one, UUID):
            return one in self._in_hand
        return self._until.get(one, 0.0) > self._clock()

    def note(self, sender: str) -> None:
        """Suspect a sender for a while."""
        now = self._clock()
        if len(self._until) >= MOST_SUSPECTS:
            self._until = {one: until for one, until in self._until.items() if until > now}
        self._until[sender] = now + SUSPECT_SECONDS
