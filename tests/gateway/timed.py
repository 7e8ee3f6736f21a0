"""A citizen who reads their book from a server whose clock the test sets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest

from app.core.settings import Settings
from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE


@dataclass(slots=True)
class Clock:
    """The clock of one process."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


@contextmanager
def reading_by(clock: Clock, *, settings: Settings, stand: Stand) -> Iterator[httpx.Client]:
    """Start a server with this clock; yields its client, signed in as the citizen of the usual message."""
    assert stand.file(messages.message(), token=stand.facility()) == "filed"
    token = stand.citizen_token(stand.citizen_by(messages.VISIT["SO_CCCD"] or ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.main.utc_now", clock)
        running = RunningServer(settings)
        running.start()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=running.url, timeout=PATIENCE, headers=headers) as http:
            yield http
        running.stop()
