import asyncio
from collections.abc import MutableMapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.gateway.straight import StraightWay


async def _framework(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the application")(scope, receive, send)


async def _answer(request: Request) -> Response:
    return PlainTextResponse(f"straight {request.scope['route'].path}")


def _asked(method: str, path: str) -> str:
    sent: list[MutableMapping[str, Any]] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    way = StraightWay(_framework, path="/graphql", answer=_answer)
    scope = {"type": "http", "method": method, "path": path, "headers": []}
    asyncio.run(way(scope, receive, send))
    return b"".join(message.get("body", b"") for message in sent).decode()


def test_a_post_is_answered_past_the_application_and_named_in_the_log() -> None:
    assert _asked("POST", "/graphql") == "straight /graphql"


def test_every_other_request_is_the_applications() -> None:
    for method, path in (("GET", "/graphql"), ("POST", "/graphql/"), ("POST", "/readyz"), ("OPTIONS", "/graphql")):
        assert _asked(method, path) == "the application", (method, path)
