"""A third-party WebSocket client that speaks graphql-transport-ws."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.notifications import live
from tests.conftest import RunningServer
from tests.people import Stand
from tests.sockets import PATIENCE

EVENTS = "subscription($after: String) { bookEvents(after: $after) { cursor kind subjectId at __typename } }"
PROTOCOL = Subprotocol("graphql-transport-ws")
Look = tuple[datetime, set[str]]
"""When a process looked for news, by the database's clock, and which kinds it found."""


@contextmanager
def socket(server: RunningServer, **headers: str) -> Iterator[ClientConnection]:
    url = server.url.replace("http", "ws") + "/graphql"
    with connect(
        url, subprotocols=[PROTOCOL], additional_headers=headers, open_timeout=PATIENCE, close_timeout=2
    ) as one:
        yield one


def say(one: ClientConnection, kind: str, **members: Any) -> None:
    one.send(json.dumps({"type": kind, **members}))


def hear(one: ClientConnection, *, seconds: float = PATIENCE) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(one.recv(timeout=seconds))
    return found


def begin(one: ClientConnection, token: str, **said: str) -> None:
    say(one, "connection_init", payload={"authorization": f"Bearer {token}", **said})
    assert hear(one) == {"type": "connection_ack"}


def subscribe(one: ClientConnection, name: str = "1", *, query: str = EVENTS, **variables: Any) -> None:
    say(one, "subscribe", id=name, payload={"query": query, "variables": variables})


def closed(one: ClientConnection, *, most: int = 100) -> int:
    """Return the code that a connection is closed with, after so many messages at most."""

    def to_the_end() -> None:
        for _ in range(most + 1):
            one.recv(timeout=PATIENCE)

    with pytest.raises(ConnectionClosed) as found:
        to_the_end()
    assert found.value.rcvd is not None
    return found.value.rcvd.code


def until_listening(stand: Stand, count: int = 1) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while stand.as_owner("SELECT count(*) AS n FROM auth.live_subscription")[0].n < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def noted_looks(monkeypatch: pytest.MonkeyPatch) -> list[Look]:
    """Return a list of every look that the server takes from now on."""
    looks: list[Look] = []
    fetch = live.Ear._fetch

    async def noted(ear: live.Ear, query: str, *values: object) -> list[Any]:
        rows = await fetch(ear, query, *values)
        if "notice.heard" in query:
            (moment,) = (row["event"] for row in rows if row["subscription"] is None)
            at = datetime.fromtimestamp((moment.int >> 80) / 1000, tz=UTC)
            looks.append((at, {row["kind"] for row in rows if row["subscription"] is not None}))
        return rows

    monkeypatch.setattr(live.Ear, "_fetch", noted)
    return looks


def ends_within_a_second(looks: Sequence[Look], kind: str, *, since: datetime) -> bool:
    """Tell whether the first look after a moment, or the next where that one came before the commit, ended something.

    A busy machine makes looks late, and how many there were does not change.
    """
    later = [kinds for at, kinds in looks if at > since]
    first = next(number for number, kinds in enumerate(later, start=1) if kind in kinds)
    return first * live.LOOK_EVERY < timedelta(seconds=1)
