"""A third-party WebSocket client that speaks graphql-transport-ws."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.conftest import RunningServer
from tests.people import Stand

EVENTS = "subscription($after: String) { bookEvents(after: $after) { cursor kind subjectId __typename } }"
PROTOCOL = Subprotocol("graphql-transport-ws")


@contextmanager
def socket(server: RunningServer, **headers: str) -> Iterator[ClientConnection]:
    url = server.url.replace("http", "ws") + "/graphql"
    with connect(url, subprotocols=[PROTOCOL], additional_headers=headers, open_timeout=5, close_timeout=2) as one:
        yield one


def say(one: ClientConnection, kind: str, **members: Any) -> None:
    one.send(json.dumps({"type": kind, **members}))


def hear(one: ClientConnection, *, seconds: float = 5) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(one.recv(timeout=seconds))
    return found


def begin(one: ClientConnection, token: str) -> None:
    say(one, "connection_init", payload={"authorization": f"Bearer {token}"})
    assert hear(one) == {"type": "connection_ack"}


def subscribe(one: ClientConnection, name: str = "1", *, query: str = EVENTS, **variables: Any) -> None:
    say(one, "subscribe", id=name, payload={"query": query, "variables": variables})


def closed(one: ClientConnection, *, most: int = 100) -> int:
    """Return the code that a connection is closed with, after so many messages at most."""

    def to_the_end() -> None:
        for _ in range(most + 1):
            one.recv(timeout=8)

    with pytest.raises(ConnectionClosed) as found:
        to_the_end()
    assert found.value.rcvd is not None
    return found.value.rcvd.code


def until_listening(stand: Stand, count: int = 1) -> None:
    give_up_at = time.monotonic() + 10
    while stand.as_owner("SELECT count(*) AS n FROM auth.live_subscription")[0].n < count:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)
