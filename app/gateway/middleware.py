"""What every HTTP request goes through: a request id, a language, limits of the header, safe headers out."""

import orjson
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.defects import report_defect
from app.core.errors import ErrorCode
from app.core.ids import new_request_id
from app.gateway.problems import INTERNAL_TEXT, PROBLEM_JSON, problem_body

log = structlog.get_logger()

SAFE_HEADERS = {
    "cache-control": "no-store, private",
    "x-content-type-options": "nosniff",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
}


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
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = new_request_id()
        headers = Headers(scope=scope)
        language = language_of(headers.get("accept-language", ""))
        scope.setdefault("state", {}).update(request_id=request_id, language=language)
        started = False

        async def send_safely(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                out = MutableHeaders(scope=message)
                for name, value in SAFE_HEADERS.items():
                    out.setdefault(name, value)
                out["x-request-id"] = request_id
                log.info("request", request_id=request_id, path=_route(scope), status=message["status"])
            await send(message)

        try:
            await self.app(scope, receive, send_safely)
        except Exception as error:  # noqa: BLE001 - the last wall: nothing of a defect leaves but its id
            report_defect(error, request_id=request_id)
            if not started:
                await _send_defect(send_safely, language=language, request_id=request_id)


def _route(scope: Scope) -> str:
    """Return the route's template: a path may hold an id or a secret."""
    return getattr(scope.get("route"), "path", "-")


async def _send_defect(send: Send, *, language: str, request_id: str) -> None:
    body = problem_body(
        code=ErrorCode.INTERNAL, status=500, text=INTERNAL_TEXT, language=language, request_id=request_id
    )
    start = {"type": "http.response.start", "status": 500, "headers": [(b"content-type", PROBLEM_JSON.encode())]}
    await send(start)
    await send({"type": "http.response.body", "body": orjson.dumps(body)})
