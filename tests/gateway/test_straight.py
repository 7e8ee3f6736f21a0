import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.core.errors import NotFound
from app.gateway.straight import StraightWay


async def _framework(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the application")(scope, receive, send)


async def _answer(request: Request) -> Response:
    if request.scope["route"].path == "/refused":
        raise NotFound
    return PlainTextResponse(f"straight {request.scope['route'].path}")


def _asked(method: str, path: str, *, query: bytes = b"") -> str:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    way = StraightWay(_framework, answers=dict.fromkeys(("/graphql", "/ingest/fhir", "/refused"), _answer))
    scope: Scope = {"type": "http", "method": method, "path": path, "query_string": query, "headers": []}
    scope["state"] = {"language": "en", "request_id": "0123"}
    asyncio.run(way(scope, receive, send))
    return b"".join(message.get("body", b"") for message in sent).decode()


def test_a_post_is_answered_past_the_application_and_named_in_the_log() -> None:
    for path in ("/graphql", "/ingest/fhir"):
        assert _asked("POST", path) == f"straight {path}"


def test_every_other_request_is_the_applications() -> None:
    for method, path in (("GET", "/graphql"), ("POST", "/graphql/"), ("POST", "/readyz"), ("OPTIONS", "/graphql")):
        assert _asked(method, path) == "the application", (method, path)


def test_a_query_is_for_the_application_to_read() -> None:
    assert _asked("POST", "/ingest/fhir", query=b"dryRun=true") == "the application"


def test_a_refusal_is_told_as_the_application_would() -> None:
    told = json.loads(_asked("POST", "/refused"))
    assert (told["status"], told["code"], told["requestId"]) == (404, "NOT_FOUND", "0123")
