"""Live subscriptions over a third-party WebSocket client, by the numbers of B199."""

import asyncio
import base64
import time
from typing import Any
from uuid import UUID

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from app.gateway import sockets
from app.notifications import live
from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.listening import (
    begin,
    closed,
    ends_within_a_second,
    hear,
    noted_looks,
    say,
    socket,
    subscribe,
    until_listening,
)
from tests.people import Stand
from tests.sockets import PATIENCE

NUMBER = messages.VISIT["SO_CCCD"] or ""


@pytest.fixture(scope="module")
def owner(stand: Stand) -> UUID:
    assert stand.file(messages.message(), token=stand.facility("01901")) == "filed"
    return stand.citizen_by(NUMBER)


@pytest.fixture(autouse=True)
def nobody_listens(stand: Stand) -> None:
    stand.as_owner("DELETE FROM auth.live_subscription")


def test_a_change_is_heard_and_can_be_gone_on_from(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        stand.as_owner("SELECT notice.happened(:id, 'BOOK_OPENED', '{\"grant\": \"g1\"}')", id=owner)
        event = hear(one)
        assert (event["type"], event["id"]) == ("next", "1")
        told = event["payload"]["data"]["bookEvents"]
        assert (told["kind"], told["subjectId"], told["__typename"]) == ("OPENED", "g1", "BookEvent")
        assert told["at"].endswith("Z")
        stand.as_owner("UPDATE auth.book SET version = version + 1 WHERE citizen_id = :id", id=owner)
        assert hear(one)["payload"]["data"]["bookEvents"]["kind"] == "RECORDS_CHANGED"
    stand.as_owner("SELECT notice.happened(:id, 'GRANT_ENDED', '{\"grant\": \"g2\"}')", id=owner)

    with socket(server) as again:
        begin(again, stand.citizen_token(owner))
        subscribe(again, after=told["cursor"])
        kinds: set[str] = set()
        while kinds < {"GRANT_CHANGED", "RECORDS_CHANGED"}:
            kinds.add(hear(again)["payload"]["data"]["bookEvents"]["kind"])

    assert kinds <= {"GRANT_CHANGED", "RECORDS_CHANGED", "OPENED", "APPOINTMENT_CHANGED"}


@pytest.mark.parametrize(
    "end", ["ended_at = clock_timestamp()", "expires_at = clock_timestamp() + interval '0.7 seconds'"]
)
def test_b125_the_end_of_the_session_closes_the_connection(
    server: RunningServer, stand: Stand, owner: UUID, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    token, looks = stand.citizen_token(owner), noted_looks(monkeypatch)
    with socket(server) as one:
        begin(one, token)
        subscribe(one)
        until_listening(stand)
        (row,) = stand.as_owner(
            f"UPDATE auth.session SET {end} WHERE token_hash = sha256(convert_to(:token, 'UTF8')) "
            "RETURNING coalesce(ended_at, expires_at) AS at",
            token=token,
        )
        assert closed(one) == sockets.NOBODY
    assert ends_within_a_second(looks, "SIGNED_OUT", since=row.at)


def test_a_row_that_is_gone_completes_the_subscription(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        stand.as_owner("DELETE FROM auth.live_subscription")
        assert hear(one) == {"type": "complete", "id": "1"}


def test_b199_who_does_not_say_who_it_is_hears_nothing(server: RunningServer, stand: Stand, owner: UUID) -> None:
    facility = stand.facility("01901")
    with socket(server) as one:
        subscribe(one)
        assert closed(one) == sockets.NOBODY
    over = stand.citizen_token(owner)
    stand.as_owner("UPDATE auth.session SET ended_at = now() WHERE token_hash = sha256(convert_to(:t, 'UTF8'))", t=over)
    for token in ("x" * 43, "", over, facility):
        with socket(server) as one:
            say(one, "connection_init", payload={"authorization": f"Bearer {token}"})
            assert closed(one, most=0) == sockets.NOBODY


def test_b199_a_foreign_page_and_the_old_protocol_are_refused(server: RunningServer) -> None:
    with pytest.raises(InvalidStatus), socket(server, Origin="https://evil.example"):
        pass
    url = server.url.replace("http", "ws") + "/graphql"
    for protocols in ([Subprotocol("graphql-ws")], None):
        with pytest.raises(InvalidStatus), connect(url, subprotocols=protocols):
            pass


def test_b199_a_few_subscriptions_a_connection(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        for number in range(sockets.MOST_SUBSCRIPTIONS + 1):
            subscribe(one, str(number))
        assert closed(one) == sockets.TOO_MANY
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one, "same")
        subscribe(one, "same")
        assert closed(one) == sockets.TWICE
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        say(one, "connection_init")
        assert closed(one) == sockets.TOO_MANY


@pytest.mark.parametrize(
    "sent", ["{", "[]", '"x"', '{"type": 1}', '{"type": "start"}', '{"type":"ping","type":"pong"}']
)
def test_b199_what_is_no_message_closes_the_connection(
    server: RunningServer, stand: Stand, owner: UUID, sent: str
) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        one.send(sent)
        assert closed(one) == sockets.BAD


@pytest.mark.parametrize(
    "query",
    [
        "{ me { id } }",
        'mutation { endSession(input: {idempotencyKey: "a", sessionId: "b"}) { sessionId } }',
        "subscription { bookEvents { nothing } }",
        "subscription { a: bookEvents { kind } b: bookEvents { kind } }",
        "subscription {",
        "subscription { __schema { types { name } } }",
        'subscription { bookEvents(after: "x") { kind } }',
    ],
)
def test_only_this_subscription_is_answered(server: RunningServer, stand: Stand, owner: UUID, query: str) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one, query=query)
        answer = hear(one)
        assert (answer["type"], answer["id"]) == ("error", "1")
        assert answer["payload"][0]["extensions"]["code"] in {"INVALID", "TOO_COMPLEX"}
        say(one, "ping")
        assert hear(one) == {"type": "pong"}


@pytest.mark.parametrize(
    ("query", "message", "place"),
    [
        ("subscription {", "Not a valid document, line 1, column 15: Syntax Error: Expected Name", (1, 15)),
        ("subscription { bookEvents { nothing } }", "Not a valid document, line 1, column 29: Cannot query", (1, 29)),
        ("subscription ($a: ID!) { bookEvents(citizenId: $a) { kind } }", "Variable $a is missing.", (1, 15)),
    ],
)
def test_a_fault_of_a_subscription_is_told_with_its_place(
    server: RunningServer, stand: Stand, owner: UUID, query: str, message: str, place: tuple[int, int]
) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner), **{"Accept-Language": "en"})
        subscribe(one, query=query)
        (error,) = hear(one)["payload"]
    assert error["message"].startswith(message)
    assert error["locations"] == [dict(zip(("line", "column"), place, strict=True))]


def test_the_field_may_stand_in_a_fragment(server: RunningServer, stand: Stand, owner: UUID) -> None:
    query = "subscription { ... { ...F } } fragment F on Subscription { heard: bookEvents { __typename } }"
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one, query=query)
        until_listening(stand)
        stand.as_owner("SELECT notice.happened(:id, 'BOOK_OPENED', '{\"grant\": \"g1\"}')", id=owner)
        assert hear(one)["payload"]["data"] == {"heard": {"__typename": "BookEvent"}}


@pytest.mark.parametrize("version", [-1, 2**63, 2**64, 10**30])
def test_a_cursor_of_no_version_is_refused_and_disturbs_nobody(
    server: RunningServer, stand: Stand, owner: UUID, version: int
) -> None:
    """All subscriptions of a process are looked at by one statement; one person's cursor must not make it fail."""
    after = base64.urlsafe_b64encode(f"{UUID(int=7)}.{version}".encode()).decode()
    with socket(server) as one, socket(server) as another:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        begin(another, stand.citizen_token(owner))
        subscribe(another, after=after)
        assert hear(another)["payload"][0]["extensions"]["code"] == "INVALID"
        stand.as_owner("SELECT notice.happened(:id, 'BOOK_OPENED', '{\"grant\": \"g3\"}')", id=owner)
        assert hear(one)["type"] == "next"


@pytest.mark.parametrize("citizen", [str(UUID(int=7)), "x"])
def test_b131_anothers_book_is_not_found(server: RunningServer, stand: Stand, owner: UUID, citizen: str) -> None:
    query = f'subscription {{ bookEvents(citizenId: "{citizen}") {{ kind }} }}'
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one, query=query)
        assert hear(one)["payload"][0]["extensions"]["code"] == "NOT_FOUND"
    by_grant = f'subscription {{ bookEvents(grantId: "{citizen}") {{ kind }} }}'
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one, query=by_grant)
        assert hear(one)["payload"][0]["extensions"]["code"] == "NOT_FOUND"


def test_complete_ends_it_and_leaves_no_row(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        say(one, "complete", id="1")
        give_up_at = time.monotonic() + PATIENCE
        while stand.as_owner("SELECT count(*) AS n FROM auth.live_subscription")[0].n:
            assert time.monotonic() < give_up_at
            time.sleep(0.02)


def test_the_id_of_a_completed_subscription_is_used_again(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        say(one, "complete", id="1")
        subscribe(one)
        say(one, "ping")
        while hear(one)["type"] != "pong":
            pass
        until_rows(stand, 1)
        subscribe(one)
        assert closed(one) == sockets.TWICE
    until_rows(stand, 0)


def until_rows(stand: Stand, count: int) -> None:
    """Wait until so many subscriptions are left."""
    give_up_at = time.monotonic() + PATIENCE
    while stand.as_owner("SELECT count(*) AS n FROM auth.live_subscription")[0].n != count:
        assert time.monotonic() < give_up_at
        time.sleep(0.02)


def test_who_goes_before_a_subscription_began_leaves_no_row(
    server: RunningServer, stand: Stand, owner: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is there before the process knows: its client goes in between."""
    listened: list[str] = []
    fetch = live.Ear._fetch

    async def slow(ear: live.Ear, query: str, *values: object) -> list[Any]:
        rows = await fetch(ear, query, *values)
        if "notice.listen" in query:
            listened.append(query)
            await asyncio.sleep(0.3)
        return rows

    monkeypatch.setattr(live.Ear, "_fetch", slow)
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        say(one, "complete", id="1")
        until_rows(stand, 0)
    assert len(listened) == 1


def test_a_ping_is_answered_at_any_time(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        say(one, "pong")
        say(one, "ping", payload={"at": 1})
        assert hear(one) == {"type": "pong"}
        begin(one, stand.citizen_token(owner))
        say(one, "ping")
        assert hear(one) == {"type": "pong"}


def test_pings_give_no_more_time_to_say_who_it_is(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.6)
    with socket(server) as one, pytest.raises(ConnectionClosed) as found:
        pinging(one, every_seconds=0.1, seconds=PATIENCE)
    assert found.value.rcvd is not None
    assert found.value.rcvd.code == sockets.SLOW


def pinging(one: ClientConnection, *, every_seconds: float, seconds: float) -> None:
    give_up_at = time.monotonic() + seconds
    while time.monotonic() < give_up_at:
        say(one, "ping")
        assert hear(one) == {"type": "pong"}
        time.sleep(every_seconds)


def test_a_reminder_changes_no_appointment(server: RunningServer, stand: Stand, owner: UUID) -> None:
    with socket(server) as one:
        begin(one, stand.citizen_token(owner))
        subscribe(one)
        until_listening(stand)
        stand.as_owner("SELECT notice.happened(:id, 'APPOINTMENT_DUE', '{\"appointmentId\": \"a1\"}')", id=owner)
        stand.as_owner("SELECT notice.happened(:id, 'APPOINTMENT_CANCELLED', '{\"appointmentId\": \"a2\"}')", id=owner)
        event = hear(one)["payload"]["data"]["bookEvents"]
        assert (event["kind"], event["subjectId"]) == ("APPOINTMENT_CHANGED", "a2")
