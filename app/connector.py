"""A hospital's client: proves itself with the facility's key, pushes messages, reads receipts.

Whatever may pass by itself is tried again: a server that is busy (429, 503) or not reachable, after the time
that it asks for. A message may be pushed again without harm, since the same bytes give the same receipt.
Source: SMART App Launch 2.2, Backend Services; RFC 7523 section 2.2; RFC 9110 section 10.2.3 (Retry-After).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from app.core.errors import Text
from app.identity import jwt

MOST_ATTEMPTS = 6
ASSERTION_LIFE = timedelta(minutes=4)

_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TOKEN_PATH = "/auth/token"  # noqa: S105 — an address
_XML = ("/ingest/qd4750", "application/xml")
_FHIR = ("/ingest/fhir", "application/fhir+json")
_RECEIPTS_PATH = "/ingest/messages"
_SCHEDULES_PATH = "/ingest/schedules"
_BUSY = frozenset({429, 503})
_UNDECIDED = "received"
_TOKEN_MARGIN = timedelta(seconds=30)
_USUAL_LIFE_SECONDS = 60
_FIRST_PAUSE_SECONDS, _MOST_PAUSE_SECONDS, _MOST_ASKED_SECONDS = 0.5, 8.0, 60.0
_FIRST_POLL_SECONDS, _MOST_POLL_SECONDS, _POLL_GROWTH = 0.05, 2.0, 1.6

_UNREACHABLE = Text("Không kết nối được với máy chủ.", "The server cannot be reached.")
_STILL_BUSY = Text("Máy chủ vẫn đang bận. Vui lòng thử lại sau.", "The server is still busy. Please try again later.")
_UNREADABLE = Text("Máy chủ trả lời không đúng quy cách.", "The server's answer cannot be read.")
_NOT_ADMITTED = Text(
    "Máy chủ không chấp nhận khóa của cơ sở. Hãy kiểm tra mã cơ sở, khóa và đồng hồ.",
    "The server does not accept the facility's key. Check the facility code, the key and the clock.",
)
_NOT_CONCLUDED = Text(
    "Thông điệp đã được nhận nhưng chưa xử lý xong. Hãy xem lại biên nhận sau.",
    "The message was received but is not concluded yet. Look at the receipt later.",
)
_REFUSED = Text("Máy chủ từ chối yêu cầu.", "The server refused the request.")


class ConnectorError(Exception):
    """What a hospital is told when a call fails; holds nothing of the message."""

    def __init__(
        self,
        text: Text,
        *,
        status: int | None = None,
        code: str | None = None,
        problems: tuple[Mapping[str, Any], ...] = (),
    ) -> None:
        self.text = text
        self.problems = problems  # what is wrong with a plan: place, vi, en
        self.status = status  # of the HTTP answer, None without one
        self.code = code  # of the server's problem details or OAuth error
        super().__init__(text.en)

    @property
    def vi(self) -> str:
        """The sentence in Vietnamese."""
        return self.text.vi

    @property
    def en(self) -> str:
        """The sentence in English."""
        return self.text.en


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    params: Mapping[str, str] = field(default_factory=dict)


class HospitalClient:
    """Speaks to one server for one facility. Safe to use from many tasks of one event loop.

    `key` is the facility's private JWK with `kid` and `alg` (ES256 or RS256). `http` is not closed here.
    """

    def __init__(
        self,
        *,
        base_url: str,
        facility_code: str,
        key: Mapping[str, str],
        http: httpx.AsyncClient,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._facility_code = facility_code
        self._key = key
        self._http = http
        self._clock = clock
        self._new_id = new_id
        self._sleep = sleep
        self._turn = asyncio.Lock()
        self._token = ""
        self._token_until: datetime | None = None

    async def send(self, body: bytes, idempotency_key: str | None = None, *, dry_run: bool = False) -> dict[str, Any]:
        """Push one envelope of Decision 4750/QĐ-BYT, or one FHIR document; return the receipt, or a dry run's verdict.

        What begins as JSON is FHIR.

        :raises ConnectorError: when the server refuses it or stays busy
        """
        path, media_type = _FHIR if body[:64].lstrip()[:1] == b"{" else _XML
        headers = {"Content-Type": media_type}
        if idempotency_key is not None:
            headers["Idempotency-Key"] = idempotency_key
        params = {"dryRun": "true"} if dry_run else {}
        return await self._call(_Call(method="POST", path=path, headers=headers, content=body, params=params))

    async def publish_schedules(self, body: bytes, *, media_type: str, dry_run: bool = False) -> dict[str, Any]:
        """Publish a plan (`application/json` or `text/csv`) in place of the one before; return what became of it.

        :raises ConnectorError: when the server refuses it, with `problems`, or stays busy
        """
        headers = {"Content-Type": media_type}
        params = {"dryRun": "true"} if dry_run else {}
        return await self._call(
            _Call(method="POST", path=_SCHEDULES_PATH, headers=headers, content=body, params=params)
        )

    async def receipt(self, message_id: UUID | str) -> dict[str, Any]:
        """Return what has become of a message.

        :raises ConnectorError: when there is no such message of this facility
        """
        return await self._call(_Call(method="GET", path=f"{_RECEIPTS_PATH}/{message_id}"))

    async def wait(self, message_id: UUID | str, timeout_seconds: float = 60.0) -> dict[str, Any]:
        """Ask for the receipt, more and more rarely, until the message is concluded; return it.

        :raises ConnectorError: when it is not concluded in time
        """
        until = self._clock() + timedelta(seconds=timeout_seconds)
        pause = _FIRST_POLL_SECONDS
        while True:
            found = await self.receipt(message_id)
            if found.get("status") != _UNDECIDED:
                return found
            if self._clock() >= until:
                raise ConnectorError(_NOT_CONCLUDED)
            await self._sleep(pause)
            pause = min(pause * _POLL_GROWTH, _MOST_POLL_SECONDS)

    async def _call(self, call: _Call) -> dict[str, Any]:
        token = await self._access_token()
        response = await self._answer(partial(self._request, call, token))
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._forget(token)
            token = await self._access_token()
            response = await self._answer(partial(self._request, call, token))
        if not response.is_success:
            raise _refusal(response)
        return _object(response)

    def _request(self, call: _Call, token: str) -> httpx.Request:
        return self._http.build_request(
            call.method,
            f"{self._base_url}{call.path}",
            params=call.params,
            headers={**call.headers, "Authorization": f"Bearer {token}"},
            content=call.content,
        )

    async def _access_token(self) -> str:
        async with self._turn:
            if self._token_until is None or self._clock() >= self._token_until:
                response = await self._answer(self._token_request)
                if not response.is_success:
                    raise _refusal(response)
                self._token, life = _granted(response)
                self._token_until = self._clock() + max(life - _TOKEN_MARGIN, life / 2)
            return self._token

    def _forget(self, token: str) -> None:
        if token == self._token:
            self._token_until = None

    def _token_request(self) -> httpx.Request:
        now = self._clock()
        claims = {
            "iss": self._facility_code,
            "sub": self._facility_code,
            "aud": f"{self._base_url}{_TOKEN_PATH}",
            "jti": str(self._new_id()),
            "iat": int(now.timestamp()),
            "exp": int((now + ASSERTION_LIFE).timestamp()),
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": _ASSERTION_TYPE,
            "client_assertion": jwt.sign(claims, key=self._key),
        }
        return self._http.build_request("POST", f"{self._base_url}{_TOKEN_PATH}", data=form)

    async def _answer(self, make: Callable[[], httpx.Request]) -> httpx.Response:
        """Send a new request each time, since an assertion is good once, until the server has time for it."""
        pause = _FIRST_PAUSE_SECONDS
        failure = ConnectorError(_UNREACHABLE)
        for attempt in range(1, MOST_ATTEMPTS + 1):
            asked: float | None = None
            try:
                response = await self._http.send(make())
                if response.status_code not in _BUSY:
                    return response
                asked = self._asked_pause(response)
                failure = ConnectorError(_STILL_BUSY, status=response.status_code, code=_code(_told(response)))
            except httpx.TransportError:
                failure = ConnectorError(_UNREACHABLE)
            if attempt < MOST_ATTEMPTS:
                await self._sleep(pause if asked is None else asked)
            pause = min(2 * pause, _MOST_PAUSE_SECONDS)
        raise failure

    def _asked_pause(self, response: httpx.Response) -> float | None:
        text = response.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text), _MOST_ASKED_SECONDS)
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        return min(max((at - self._clock()).total_seconds(), 0.0), _MOST_ASKED_SECONDS)


def _granted(response: httpx.Response) -> tuple[str, timedelta]:
    told = _object(response)
    token, seconds = told.get("access_token"), told.get("expires_in", _USUAL_LIFE_SECONDS)
    if not isinstance(token, str) or not isinstance(seconds, int):
        raise ConnectorError(_UNREADABLE, status=response.status_code)
    return token, timedelta(seconds=seconds)


def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ConnectorError(_UNREADABLE, status=response.status_code)
    return found


def _refusal(response: httpx.Response) -> ConnectorError:
    """Return the server's own two sentences where its problem details hold them."""
    told = _told(response)
    vi, en = told.get("vi"), told.get("en")
    text = Text(vi, en) if isinstance(vi, str) and isinstance(en, str) else _REFUSED
    if response.status_code == httpx.codes.UNAUTHORIZED or "error" in told:
        text = _NOT_ADMITTED
    problems = told.get("problems")
    listed = tuple(one for one in problems if isinstance(one, dict)) if isinstance(problems, list) else ()
    return ConnectorError(text, status=response.status_code, code=_code(told), problems=listed)


def _code(told: Mapping[str, Any]) -> str | None:
    """Return `code` of problem details (RFC 9457) or `error` of OAuth (RFC 6749 section 5.2)."""
    code = told.get("code", told.get("error"))
    return code if isinstance(code, str) else None


def _told(response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
