"""Firebase Cloud Messaging through firebase-admin: one thread with a loop of its own.

The library's async client is tied to one event loop, and it fetches its access token blocking: neither may hold up the
worker. A payload holds a notice's id and a general sentence, and nothing else of a person.
"""

import asyncio
import json
import threading
import warnings
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import firebase_admin
import google.auth.exceptions
import google.auth.transport.requests
import httpx
from firebase_admin import _retry, credentials, exceptions, messaging

from app.core.clock import utc_now
from app.core.ids import new_secret
from app.notifications.http1 import Http1
from app.notifications.messages import Words

CREDENTIALS_FILE = "fcm.json"
MOST_CONNECTIONS = 64
"""Each has one message on its way."""
SEND_SECONDS = 25.0
"""All of one call. What is not answered by then waits; what was answered is known."""
MARGIN_SECONDS = 2.0
MOST_WAIT = timedelta(hours=1)
"""Whatever the service asks for."""


class Outcome(StrEnum):
    """What became of one message."""

    SENT = "SENT"
    GONE = "GONE"  # the phone is not registered any more
    FAILED = "FAILED"  # it will never be accepted
    WAITING = "WAITING"  # it may be accepted later


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message to one phone."""

    target_id: UUID
    kind: str  # FID or TOKEN
    address: str
    words: Words
    notice_id: UUID
    thread: str
    urgent: bool
    until: datetime
    worth: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of it; `retry_after` is what the service asked for."""

    outcome: Outcome
    reason: str | None = None
    retry_after: timedelta | None = None


class _Signed(httpx.Auth):
    """Sign requests as the library does, but renew the token once for all of them, and without blocking."""

    def __init__(self, credential: Any, *, call_seconds: float) -> None:  # of google.auth, which tells no types
        self._credential = credential
        self._ask = partial(google.auth.transport.requests.Request(), timeout=call_seconds)
        self._renewing = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send with the token; once more with a new one where that is refused."""
        if not self._credential.valid:
            await self._renew(instead_of=self._credential.token)
        token = self._credential.token
        self._credential.before_request(self._ask, request.method, str(request.url), request.headers)
        response = yield request
        if response.status_code == httpx.codes.UNAUTHORIZED:
            await self._renew(instead_of=token)
            self._credential.apply(request.headers)
            yield request

    async def _renew(self, *, instead_of: str | None) -> None:
        """Get a new token, unless another request has done so meanwhile."""
        async with self._renewing:
            if self._credential.token == instead_of:
                await asyncio.to_thread(self._credential.refresh, self._ask)


class Pusher:
    """Sends messages. Use `open_pusher`. A key file that is replaced counts from the next message on."""

    def __init__(self, key_file: Path, *, url: str | None, call_seconds: float) -> None:
        self._key_file, self._url, self._call_seconds = key_file, url, call_seconds
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fcm", daemon=True)
        self._apps: list[firebase_admin.App] = []  # the last one sends; those before it had an older key
        self._opened_from: tuple[int, int] | None = None

    @property
    def is_ready(self) -> bool:
        """Tell whether there is a key; without one nobody's phone can be reached."""
        return self._key_file.exists()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop it; what is being sent is given up. Not from within an event loop: the library starts one of its own."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        for app in self._apps:
            firebase_admin.delete_app(app)

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            for app in self._apps:  # their connections are this loop's
                service = messaging._get_messaging_service(app)  # noqa: SLF001 - it has no other way to close them
                self._loop.run_until_complete(service._async_client.aclose())  # noqa: SLF001
        finally:
            self._loop.close()

    async def send(self, messages: Sequence[Message]) -> list[Result]:
        """Send and return what became of each; whatever goes wrong is a result, never an error."""
        sending = asyncio.run_coroutine_threadsafe(self._send_all(messages), self._loop)
        try:
            async with asyncio.timeout(SEND_SECONDS + MARGIN_SECONDS):
                return await asyncio.wrap_future(sending)
        except TimeoutError:  # the thread is at its end
            return [_LATE for _ in messages]

    async def _send_all(self, messages: Sequence[Message]) -> list[Result]:
        """Send each by itself: what goes wrong with one says nothing of the others, which must not ring again."""
        try:
            app = self._opened()
        except (ValueError, OSError) as error:
            return [Result(outcome=Outcome.WAITING, reason=type(error).__name__) for _ in messages]
        sending = [asyncio.create_task(_sent(one, app=app)) for one in messages]
        if sending:
            _, late = await asyncio.wait(sending, timeout=SEND_SECONDS)
            for one in late:
                one.cancel()
        return [one.result() if one.done() else _LATE for one in sending]

    def _opened(self) -> firebase_admin.App:
        found = self._key_file.stat()
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._opened_from:
            app = firebase_admin.initialize_app(
                credentials.Certificate(json.loads(self._key_file.read_text(encoding="utf-8"))),
                {"httpTimeout": self._call_seconds},
                name=f"sokhoe-{new_secret()[:8]}",
            )
            self._lead(messaging._get_messaging_service(app))  # noqa: SLF001 - the library has no option for any of it
            self._apps.append(app)
            self._opened_from = stamp
        return self._apps[-1]

    def _lead(self, service: Any) -> None:
        """Have the library's client send where, on which connections and how signed we wish, and once.

        It would try again by itself within seconds, whatever `Retry-After` says; a notice is tried again anyway.
        """
        if self._url is not None:
            service._fcm_url = self._url  # noqa: SLF001
        connections = Http1(most=MOST_CONNECTIONS)
        client = service._async_client  # noqa: SLF001
        for transport in client._mounts.values():  # noqa: SLF001
            transport._wrapped_transport = connections  # noqa: SLF001
            transport._retry = _retry.HttpxRetry(max_retries=0)  # noqa: SLF001
        client.async_client.auth = _Signed(service._credential, call_seconds=self._call_seconds)  # noqa: SLF001


@asynccontextmanager
async def open_pusher(secrets_dir: Path, *, url: str | None, call_seconds: float) -> AsyncIterator[Pusher]:
    """Open the way to the phones: with the key of a service account in `fcm.json`, from when that is there."""
    pusher = Pusher(secrets_dir / CREDENTIALS_FILE, url=url, call_seconds=call_seconds)
    pusher.start()
    try:
        yield pusher
    finally:
        await asyncio.to_thread(pusher.stop)


def _encoded(one: Message) -> messaging.Message:
    """Return the library's message; nothing of it but the ids is of a person.

    A phone that is off is told when it is on again, unless that is later than the message is of use.
    """
    seconds = int(one.worth.total_seconds())
    target = {"fid": one.address} if one.kind == "FID" else {"token": one.address}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # older apps know their token alone
        return messaging.Message(
            **target,
            data={"noticeId": str(one.notice_id)},
            notification=messaging.Notification(title=one.words.title, body=one.words.text),
            android=messaging.AndroidConfig(
                collapse_key=_collapse_key(one), priority="high" if one.urgent else "normal", ttl=seconds
            ),
            apns=messaging.APNSConfig(
                headers={
                    "apns-collapse-id": _collapse_key(one),
                    "apns-priority": "10" if one.urgent else "5",
                    "apns-expiration": str(int(one.until.timestamp())),
                }
            ),
        )


def _collapse_key(one: Message) -> str:
    """Return the same for notices of one thing, at most 64 bytes."""
    return one.thread[:64]


_LATE = Result(outcome=Outcome.WAITING, reason="TIMEOUT")
_GONE = (messaging.UnregisteredError,)
_NEVER = (exceptions.InvalidArgumentError,)
_OURS = (
    messaging.SenderIdMismatchError,
    messaging.ThirdPartyAuthError,
    exceptions.UnauthenticatedError,
    exceptions.PermissionDeniedError,
    google.auth.exceptions.RefreshError,
)
_PHONE_FIELDS = frozenset({"message.token", "message.fid"})


async def _sent(one: Message, *, app: firebase_admin.App) -> Result:
    """Send one message. What the library did not expect of an answer is an error whose cause says what it was."""
    try:
        answer = await messaging.send_each_async([_encoded(one)], app=app)
    except exceptions.FirebaseError as error:
        return _result(error.cause or error)
    except ValueError as error:
        return _result(error)
    return _result(answer.responses[0].exception)


def _result(error: Exception | None) -> Result:
    if error is None:
        return Result(outcome=Outcome.SENT)
    reason = type(error).__name__
    if isinstance(error, google.auth.exceptions.GoogleAuthError) and error.retryable:
        return Result(outcome=Outcome.WAITING, reason="TransportError")  # Google's trouble, not our key's
    if isinstance(error, _GONE) or (isinstance(error, _NEVER) and _is_of_the_phone(error)):
        return Result(outcome=Outcome.GONE, reason=reason)
    if isinstance(error, _NEVER):
        return Result(outcome=Outcome.FAILED, reason=reason)
    return Result(outcome=Outcome.WAITING, reason=reason, retry_after=_retry_after(error))


def _is_of_the_phone(error: exceptions.FirebaseError) -> bool:
    """Tell whether INVALID_ARGUMENT is said of the phone's address; else it is of the message, and the phone is good.

    Source: Firebase Cloud Messaging, error codes (the two forms of a 400), and "detect invalid token responses".
    """
    if "registration token" in str(error).lower():
        return True
    try:
        details = error.http_response.json()["error"]["details"]
        fields = {found["field"] for one in details for found in one.get("fieldViolations", ())}
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return not _PHONE_FIELDS.isdisjoint(fields)


def is_ours(reason: str | None) -> bool:
    """Tell whether the service refuses our own credentials: an alarm for the operator, not the phone's fault."""
    return reason in {kind.__name__ for kind in _OURS}


def _retry_after(error: Exception) -> timedelta | None:
    """Return how long the service asks to wait: it says seconds, or a date. Source: RFC 9110 section 10.2.3."""
    answer = getattr(error, "http_response", None)
    if answer is None:
        return None
    said = str(answer.headers.get("retry-after", ""))
    if said.isascii() and said.isdigit():
        return timedelta(seconds=min(int(said[:9]), MOST_WAIT.total_seconds()))
    try:
        until = parsedate_to_datetime(said)
        present = parsedate_to_datetime(answer.headers["date"]) if "date" in answer.headers else utc_now()
        return min(max(until - present, timedelta(0)), MOST_WAIT)
    except (TypeError, ValueError):  # not said, or in no form that is known
        return None
