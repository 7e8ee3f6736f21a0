"""A small server that speaks the hospitals' protocol on loopback, for tests of clients.

It admits by the product's own rules, keeps messages by their bytes, and concludes each after some looks at it.
"""

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.identity.clients import OAuthError, authenticate, read_client_credentials, read_token_form
from app.identity.jwt import Key, parse_key, public_part

NAMESPACE = UUID("6f2b1b5e-5a0c-4c53-9d6c-0d6f6a3c0001")


@dataclass(slots=True)
class Push:
    """One message as it came."""

    facility_code: str
    body: bytes
    headers: Mapping[str, str]
    query: str


@dataclass(slots=True)
class Receiver:
    """What the server knows and was told; `planned` answers come before any other, one a request."""

    clock: Callable[[], datetime]
    keys: dict[str, Key] = field(default_factory=dict)
    url: str = ""
    token_seconds: int = 300
    looks_until_filed: int = 0
    verdicts: dict[bytes, dict[str, Any]] = field(default_factory=dict)
    planned: deque[Response] = field(default_factory=deque)
    assertions: list[str] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    pushes: list[Push] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    looks: dict[str, int] = field(default_factory=dict)
    most_at_once: int = 0
    at_once: int = 0

    def register(self, facility_code: str, private_key: Mapping[str, str]) -> None:
        """Let a facility in."""
        self.keys[facility_code] = parse_key(public_part(private_key))

    async def token(self, request: Request) -> Response:
        """Admit a facility whose assertion is good and new."""
        try:
            form = read_token_form(await request.body(), content_type=request.headers.get("content-type"))
            asked = read_client_credentials(form)
            proof = authenticate(
                asked,
                keys=[self.keys[asked.client_id]] if asked.client_id in self.keys else [],
                audiences=frozenset({f"{self.url}/auth/token"}),
                now=self.clock(),
            )
        except OAuthError as error:
            return JSONResponse(error.body(), error.http_status)
        if proof.jti in self.assertions:
            return JSONResponse({"error": "invalid_client"}, 401)
        self.assertions.append(proof.jti)
        token = f"token-{len(self.assertions):04d}-of-a-facility"
        self.tokens[token] = proof.client_id
        return JSONResponse({"access_token": token, "token_type": "Bearer", "expires_in": self.token_seconds})

    async def push(self, request: Request) -> Response:
        """Keep a message."""
        facility_code = self._caller(request)
        if facility_code is None:
            return _problem(401, "UNAUTHENTICATED")
        body = await request.body()
        await asyncio.sleep(0)
        self.pushes.append(Push(facility_code, body, dict(request.headers), request.url.query))
        if request.url.query == "dryRun=true":
            return JSONResponse({"dryRun": True, "status": "filed", "visits": [], "problems": []})
        message_id = str(uuid5(NAMESPACE, hashlib.sha256(body).hexdigest()))
        self.kept[message_id] = body
        answer = {"messageId": message_id, "receivedAt": "2026-11-22T00:00:00Z", "status": "received"}
        return JSONResponse(answer, 202)

    async def receipt(self, request: Request) -> Response:
        """Tell what became of a message; it is concluded after `looks_until_filed` looks."""
        if self._caller(request) is None:
            return _problem(401, "UNAUTHENTICATED")
        message_id = request.path_params["message_id"]
        if message_id not in self.kept:
            return _problem(404, "NOT_FOUND")
        self.looks[message_id] = self.looks.get(message_id, 0) + 1
        if self.looks[message_id] <= self.looks_until_filed:
            return JSONResponse({"messageId": message_id, "status": "received"})
        verdict = self.verdicts.get(self.kept[message_id], {"status": "filed", "visits": [], "problems": []})
        return JSONResponse({"messageId": message_id, **verdict})

    def revoke_tokens(self) -> None:
        """Let nobody in with a token that was given before."""
        self.tokens.clear()

    def _caller(self, request: Request) -> str | None:
        return self.tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))


def problem(status: int, code: str, **headers: str) -> Response:
    """Return problem details to plan."""
    answer = _problem(status, code)
    answer.headers.update({name.replace("_", "-"): value for name, value in headers.items()})
    return answer


def _problem(status: int, code: str) -> Response:
    body = {"status": status, "code": code, "vi": f"Lỗi {code}.", "en": f"Error {code}."}
    return JSONResponse(body, status, media_type="application/problem+json")


def _counted(receiver: Receiver, answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    async def handle(request: Request) -> Response:
        if receiver.planned:
            return receiver.planned.popleft()
        receiver.at_once += 1
        receiver.most_at_once = max(receiver.most_at_once, receiver.at_once)
        try:
            found: Response = await answer(request)
        finally:
            receiver.at_once -= 1
        return found

    return handle


@asynccontextmanager
async def serving(receiver: Receiver) -> AsyncIterator[Receiver]:
    """Serve on a free loopback port while the block runs."""
    app = Starlette(
        routes=[
            Route("/auth/token", _counted(receiver, receiver.token), methods=["POST"]),
            Route("/ingest/qd4750", _counted(receiver, receiver.push), methods=["POST"]),
            Route("/ingest/fhir", _counted(receiver, receiver.push), methods=["POST"]),
            Route("/ingest/messages/{message_id}", _counted(receiver, receiver.receipt)),
        ]
    )
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.005)
        if task.done():
            task.result()
    receiver.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield receiver
    finally:
        server.should_exit = True
        await task
