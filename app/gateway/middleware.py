"""What every HTTP request goes through: a request id, a language, limits of the header, safe headers out."""

import asyncio
import time
from contextlib import suppress
from functools import lru_cache

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.defects import report_defect
from app.core.errors import Unavailable
from app.core.ids import new_request_id
from app.core.logs import log_request
from app.core.requests import said, said_once
from app.gateway.metrics import count_request
from app.gateway.problems import internal_problem, problem_response

MOST_AT_ONCE = 500
LINGER_SECONDS = 1.0
LINGER_BYTES = 16 * 1024 * 1024
SAFE_HEADERS = {
    "cache-control": "no-store, private",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


_SAFE_HEADERS = [(name.encode(), value.encode()) for name, value in SAFE_HEADERS.items()]
_SAFE_NAMES = frozenset(name for name, _value in _SAFE_HEADERS)


@lru_cache(maxsize=256)
def language_of(accept_language: str) -> str:
    """Return `en` when the client prefers it to Vietnamese, else `vi` (RFC 9110 §12.5.4)."""
    best, best_weight = "vi", 0.0
    for part in accept_language.split(",")[:10]:
        tag, _, parameter = part.strip().partition(";")
        weight = 1.0
        if parameter.strip().startswith("q="):
            try:
                weight = float(parameter.strip()[2:])
            except ValueError:
                weight = 0.0
        primary = tag.split("-")[0].strip().lower()
        if primary in {"vi", "en"} and weight > best_weight:
            best, best_weight = primary, weight
    return best


class Envelope:
    """ASGI middleware: everything that does not depend on the route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._at_once = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = new_request_id()
        language = language_of(",".join(said(scope, b"accept-language")))
        scope.setdefault("state", {}).update(request_id=request_id, language=language)
        arriving = _Arriving(scope, receive)
        leaving = _Leaving(scope, send, arriving)
        self._at_once += 1
        try:
            if self._at_once > MOST_AT_ONCE and scope["path"] != "/livez":
                busy = Unavailable(retry_after_seconds=1)
                refusal = problem_response(busy, language=language, request_id=request_id, path=scope["path"])
                await refusal(scope, arriving, leaving)
            else:
                await self._app(scope, arriving, leaving)
        except Exception as error:  # noqa: BLE001 - the last wall: nothing of a defect leaves but its id
            report_defect(error, request_id=request_id)
            if not leaving.started:
                defect = internal_problem(language=language, request_id=request_id, path=scope["path"])
                await defect(scope, arriving, leaving)
        finally:
            self._at_once -= 1


class _Arriving:
    """Receives a request and knows whether all of it has come."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self._receive = receive
        announced = said_once(scope, b"content-length")
        self.is_whole = announced in {None, "0"} and not said(scope, b"transfer-encoding")

    async def __call__(self) -> Message:
        """Receive the next piece."""
        message = await self._receive()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            self.is_whole = True
        return message

    async def drain(self) -> None:
        """Let a client that still sends finish for a while: a connection closed at once would lose it the answer."""
        left = LINGER_BYTES
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_SECONDS):
                while left > 0 and not self.is_whole:
                    left -= len((await self()).get("body", b""))


class _Leaving:
    """Sends an answer with safe headers. One given before the request has come as a whole ends the connection."""

    def __init__(self, scope: Scope, send: Send, arriving: _Arriving) -> None:
        self._scope, self._send, self._arriving = scope, send, arriving
        self._began = time.perf_counter()
        self.started = False

    async def __call__(self, message: Message) -> None:
        """Send the next piece."""
        if message["type"] == "http.response.start":
            self.started = True
            self._complete(message)
        elif not message.get("more_body", False) and not self._arriving.is_whole:
            await self._send({**message, "more_body": True})
            await self._arriving.drain()
            message = {"type": "http.response.body"}
        await self._send(message)

    def _complete(self, start: Message) -> None:
        state = self._scope["state"]
        given = {name for name, _value in start["headers"]}
        left = _SAFE_HEADERS if given.isdisjoint(_SAFE_NAMES) else [one for one in _SAFE_HEADERS if one[0] not in given]
        headers = [*start["headers"], *left]
        headers.append((b"x-request-id", state["request_id"].encode()))
        if "next_nonce" in state:  # RFC 9449 section 8.2; app.identity.proving puts it there
            headers.append((b"dpop-nonce", state["next_nonce"].encode()))
        if not self._arriving.is_whole:
            headers.append((b"connection", b"close"))
        start["headers"] = headers
        route = _route(self._scope)
        count_request(route=route, status=start["status"], seconds=time.perf_counter() - self._began)
        log_request(request_id=state["request_id"], path=route, status=start["status"])


def _route(scope: Scope) -> str:
    """Return the route's template: a path may hold an id or a secret."""
    return getattr(scope.get("route"), "path", "-")
