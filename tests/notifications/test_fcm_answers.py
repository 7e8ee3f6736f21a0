"""What Firebase Cloud Messaging may answer, each message by itself: nothing rings twice, nobody waits for another.

The stand-in speaks its protocol over HTTP and answers each phone as it was told to. Source: Firebase Cloud Messaging,
HTTP v1 and error codes; RFC 9110 section 10.2.3 (Retry-After).
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.demo.push_service import PushService, send_url, write_account
from app.notifications import fcm
from app.notifications.fcm import Message, Outcome, Result, is_ours, open_pusher
from app.notifications.messages import Words
from tests.notifications.pushing import served
from tests.sockets import PATIENCE

BAD_TOKEN = "The registration token is not a valid FCM registration token"
DETAIL = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
OF_ITS_TIME = {"date": "Mon, 23 Nov 2026 01:00:00 GMT"}


def refusal(status: int, name: str, *details: dict[str, Any], message: str = "no", **headers: str) -> Response:
    """Return an error as Google's servers write them."""
    error = {"code": status, "message": message, "status": name, "details": list(details)}
    return JSONResponse({"error": error}, status, {one.replace("_", "-"): value for one, value in headers.items()})


def of_fcm(code: str) -> dict[str, Any]:
    return {"@type": DETAIL, "errorCode": code}


def of_field(name: str) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": name}]}


@dataclass(slots=True)
class Odd:
    """A push service: answers for phones and for its token endpoint, used up one by one; else it does what it must."""

    state: PushService = field(default_factory=PushService)
    phones: dict[str, list[Response]] = field(default_factory=dict)
    tokens: list[Response] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    silent: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)
    left: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def app(self) -> Starlette:
        paths = (Route("/token", self._token, methods=["POST"]), Route("/{any:path}", self._send, methods=["POST"]))
        return Starlette(routes=paths)

    async def _token(self, _request: Request) -> Response:
        self.asked["token"] += 1
        good = {"access_token": f"ya29.{self.asked['token']}", "expires_in": 3600, "token_type": "Bearer"}
        return self.tokens.pop(0) if self.tokens else JSONResponse(good)

    async def _send(self, request: Request) -> Response:
        phone = json.loads(await request.body())["message"]["fid"]
        self.asked[phone] += 1
        if request.headers["authorization"].removeprefix("Bearer ") in self.expired:
            return refusal(401, "UNAUTHENTICATED")
        if phone in self.silent:
            await request.is_disconnected()
            await asyncio.to_thread(self.left.wait, 30)
        planned = self.phones.get(phone)
        return planned.pop(0) if planned else JSONResponse({"name": "projects/p/messages/1"})


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Odd]:
    made = Odd()
    with served(made.app()) as made.url:
        write_account(made.state, file=tmp_path / "fcm.json", url=made.url)
        yield made
        made.left.set()


def to(phone: str) -> Message:
    return Message(
        target_id=uuid4(),
        kind="FID",
        address=phone,
        words=Words(title="Sổ Khỏe", text="Có tin"),
        notice_id=UUID(int=7),
        thread="SECURITY:1",
        urgent=False,
        until=datetime(2036, 1, 1, tzinfo=UTC),
        worth=timedelta(hours=1),
    )


def send(odd: Odd, secrets: Path, *phones: str) -> list[Result]:
    async def go() -> list[Result]:
        async with open_pusher(secrets, url=send_url(odd.url), call_seconds=PATIENCE) as pusher:
            return await pusher.send([to(phone) for phone in phones])

    return asyncio.run(go())


@pytest.mark.parametrize(
    ("answer", "outcome", "is_alarm"),
    [
        (refusal(404, "NOT_FOUND", of_fcm("UNREGISTERED")), Outcome.GONE, False),
        (refusal(400, "INVALID_ARGUMENT", of_fcm("INVALID_ARGUMENT"), message=BAD_TOKEN), Outcome.GONE, False),
        (refusal(400, "INVALID_ARGUMENT", of_field("message.token")), Outcome.GONE, False),
        (refusal(400, "INVALID_ARGUMENT", of_field("message.fid")), Outcome.GONE, False),
        (refusal(400, "INVALID_ARGUMENT", of_field("message.android.ttl")), Outcome.FAILED, False),
        (refusal(400, "INVALID_ARGUMENT", of_fcm("INVALID_ARGUMENT"), message="too big"), Outcome.FAILED, False),
        (Response(b'{"error": {"status": "INVALID_ARGUMENT", "details": [[]]}}', 400), Outcome.WAITING, False),
        (refusal(403, "PERMISSION_DENIED", of_fcm("SENDER_ID_MISMATCH")), Outcome.WAITING, True),
        (refusal(403, "PERMISSION_DENIED"), Outcome.WAITING, True),
        (refusal(401, "UNAUTHENTICATED", of_fcm("THIRD_PARTY_AUTH_ERROR")), Outcome.WAITING, True),
        (refusal(429, "RESOURCE_EXHAUSTED", of_fcm("QUOTA_EXCEEDED")), Outcome.WAITING, False),
        (refusal(404, "NOT_FOUND"), Outcome.WAITING, False),
        (refusal(500, "INTERNAL", of_fcm("INTERNAL")), Outcome.WAITING, False),
        (Response(b"<html>\xe9</html>", 502), Outcome.WAITING, False),
        (Response(b"<html>welcome to this network</html>", 200), Outcome.WAITING, False),
        (Response(b"", 302, {"location": "https://evil.example/"}), Outcome.WAITING, False),
    ],
)
def test_b205_each_refusal_is_of_its_own_phone_and_the_others_have_rung(
    odd: Odd, tmp_path: Path, answer: Response, outcome: Outcome, *, is_alarm: bool
) -> None:
    odd.phones["odd"] = [answer, answer]

    before, found, after = send(odd, tmp_path, "before", "odd", "after")

    assert (before.outcome, found.outcome, after.outcome) == (Outcome.SENT, outcome, Outcome.SENT)
    assert is_ours(found.reason) == is_alarm
    assert (odd.asked["before"], odd.asked["after"]) == (1, 1)


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ("7", timedelta(seconds=7)),
        ("0", timedelta(0)),
        ("999999999999999999999", timedelta(hours=1)),
        ("Mon, 23 Nov 2026 01:00:42 GMT", timedelta(seconds=42)),
        ("Monday, 23-Nov-26 01:00:42 GMT", timedelta(seconds=42)),
        ("Mon, 23 Nov 2026 00:00:00 GMT", timedelta(0)),
        ("Tue, 24 Nov 2026 01:00:00 GMT", timedelta(hours=1)),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("Mon, 99 Nov 2026 01:00:42 GMT", None),
        ("٧", None),
    ],
)
@pytest.mark.parametrize(("status", "name"), [(429, "RESOURCE_EXHAUSTED"), (503, "UNAVAILABLE")])
def test_how_long_the_service_asks_to_wait_is_heeded_in_both_forms(
    odd: Odd, tmp_path: Path, status: int, name: str, said: str, waits: timedelta | None
) -> None:
    answer = refusal(status, name, date=OF_ITS_TIME["date"])
    answer.raw_headers.append((b"retry-after", said.encode()))
    odd.phones["odd"] = [answer] * 9

    (found,) = send(odd, tmp_path, "odd")

    assert (found.outcome, found.retry_after) == (Outcome.WAITING, waits)
    assert odd.asked["odd"] == 1  # not again before that


def test_a_date_to_wait_for_is_compared_with_the_services_own_clock_or_else_with_ours(odd: Odd, tmp_path: Path) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True)
    odd.phones["odd"] = [refusal(503, "UNAVAILABLE", retry_after=soon)]

    (found,) = send(odd, tmp_path, "odd")

    assert found.retry_after is not None
    assert timedelta(minutes=9) < found.retry_after <= timedelta(minutes=10)


def test_one_phone_without_an_answer_does_not_make_the_others_ring_again(
    odd: Odd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fcm, "SEND_SECONDS", 1.0)
    odd.silent.add("silent")

    results = send(odd, tmp_path, "silent", *(f"phone-{n}" for n in range(80)))

    assert [one.outcome for one in results] == [Outcome.WAITING, *[Outcome.SENT] * 80]
    assert results[0].reason == "TIMEOUT"


def test_an_access_token_that_is_not_good_any_more_is_renewed_once_for_all(odd: Odd, tmp_path: Path) -> None:
    odd.expired.add("ya29.1")

    results = send(odd, tmp_path, *(f"phone-{n}" for n in range(40)))

    assert {one.outcome for one in results} == {Outcome.SENT}
    assert odd.asked["token"] == 2


@pytest.mark.parametrize(
    ("answer", "is_alarm"),
    [
        (JSONResponse({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400), True),
        (JSONResponse({"error": "unauthorized_client"}, 401), True),
        (Response(b"<html>", 404), True),
        (JSONResponse({"error": "internal_failure"}, 500), False),
    ],
)
def test_a_key_that_is_refused_is_an_alarm_and_nothing_is_lost(
    odd: Odd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Response, *, is_alarm: bool
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _seconds: None)
    odd.tokens = [answer] * 9

    results = send(odd, tmp_path, "one", "other")

    assert {(one.outcome, is_ours(one.reason)) for one in results} == {(Outcome.WAITING, is_alarm)}
    assert odd.asked["one"] == 0


def test_a_key_that_is_refused_when_it_is_renewed_says_nothing_of_what_was_sent(odd: Odd, tmp_path: Path) -> None:
    odd.phones["odd"] = [refusal(401, "UNAUTHENTICATED")]
    odd.tokens = [
        JSONResponse({"access_token": "a", "expires_in": 3600}),
        JSONResponse({"error": "invalid_grant"}, 400),
    ]

    before, found, after = send(odd, tmp_path, "before", "odd", "after")

    assert (before.outcome, found.outcome, after.outcome) == (Outcome.SENT, Outcome.WAITING, Outcome.SENT)
    assert is_ours(found.reason)
