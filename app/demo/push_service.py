"""A stand-in for Firebase Cloud Messaging (HTTP v1) and its token endpoint, on loopback, with switches for faults.

It checks what the real one checks: the signed assertion at the token endpoint, the bearer token, exactly one target,
the size of the payload. What it took is kept, so that one can read everything that a phone could ever have shown:
`GET /` is a page of it, `GET /messages?after=N` the same as JSON. Phones here have made-up addresses.
Source: Firebase Cloud Messaging HTTP v1, projects.messages.send and ErrorCode.
"""

import asyncio
import base64
import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.core.clock import VIETNAM_TIME, utc_now

PROJECT = "sokhoe-demo"
MOST_BYTES = 4096
SLOW_SECONDS = 3.0
RETRY_SECONDS = 2
TARGETS = ("fid", "token", "topic", "condition")
MOST_SHOWN = 200
_STYLE = "body{font:1rem/1.5 system-ui;max-width:46rem;margin:3rem auto;padding:0 1rem}td{padding:.2rem .8rem .2rem 0}"


class PushFault(StrEnum):
    """How the stand-in misbehaves for one address, or for all."""

    SLOW = "slow"
    QUOTA = "429"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    RESET = "reset"  # the connection breaks before an answer
    LOST = "lost"  # taken, and the answer is lost
    UNREGISTERED = "unregistered"
    INVALID = "400"
    UNAUTHENTICATED = "401"
    MISMATCH = "403"


_ANSWERS = {
    PushFault.QUOTA: (429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED"),
    PushFault.INTERNAL: (500, "INTERNAL", "INTERNAL"),
    PushFault.UNAVAILABLE: (503, "UNAVAILABLE", "UNAVAILABLE"),
    PushFault.UNREGISTERED: (404, "NOT_FOUND", "UNREGISTERED"),
    PushFault.INVALID: (400, "INVALID_ARGUMENT", "INVALID_ARGUMENT"),
    PushFault.UNAUTHENTICATED: (401, "UNAUTHENTICATED", "THIRD_PARTY_AUTH_ERROR"),
    PushFault.MISMATCH: (403, "PERMISSION_DENIED", "SENDER_ID_MISMATCH"),
}


@dataclass(slots=True)
class PushService:
    """The stand-in's state: its account, what it took, how it misbehaves."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    faults: dict[str, list[PushFault]] = field(default_factory=dict)  # by address, "*" for all; used up one by one
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)
    clock: Callable[[], datetime] = utc_now
    taken_at: list[datetime] = field(default_factory=list)
    injected: Counter[PushFault] = field(default_factory=Counter)
    _tokens: set[str] = field(default_factory=set)

    def service_account(self, url: str) -> dict[str, str]:
        """Return the account's key file for a client, which asks `url` for its tokens."""
        private = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": PROJECT,
            "private_key_id": "demo",
            "private_key": private.decode(),
            "client_email": f"push@{PROJECT}.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"{url}/token",
        }

    def addresses(self) -> list[str]:
        """Return whom messages reached, in their order."""
        return [next(one[target] for target in TARGETS if target in one) for one in self.taken]

    def fault(self, address: str) -> PushFault | None:
        """Use up the next fault of an address, and count it."""
        waiting = self.faults.get(address) or self.faults.get("*")
        if not waiting:
            return None
        self.injected[waiting[0]] += 1
        return waiting.pop(0)

    def take(self, message: dict[str, Any]) -> None:
        """Keep a message, as a phone would show it."""
        self.taken.append(message)
        self.taken_at.append(self.clock())

    def after(self, number: int) -> list[dict[str, Any]]:
        """Return what was taken after so many messages, with the moment and the count of each."""
        pairs = zip(self.taken_at[number:], self.taken[number:], strict=True)
        return [{"n": n, "at": at.isoformat(), "message": one} for n, (at, one) in enumerate(pairs, start=number + 1)]

    def issue(self, assertion: str) -> str | None:
        """Return an access token for a good assertion (RFC 7523)."""
        signed, _, signature = assertion.rpartition(".")
        try:
            self.key.public_key().verify(_unpadded(signature), signed.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return None
        token = f"ya29.{len(self._tokens)}"
        self._tokens.add(token)
        return token

    def knows(self, authorization: str) -> bool:
        """Tell whether a bearer token is one of ours."""
        return authorization.removeprefix("Bearer ") in self._tokens


def write_account(service: PushService, *, file: Path, url: str) -> None:
    """Write the account's key file where a worker looks for it, whole or not at all."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w", encoding="ascii") as out:
        json.dump(service.service_account(url), out)
    unfinished.rename(file)


def send_url(url: str) -> str:
    """Return where a stand-in takes messages."""
    return f"{url}/v1/projects/{PROJECT}/messages:send"


def _unpadded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def build_push_service(service: PushService) -> Starlette:
    """Return the application of a stand-in."""

    async def token(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        issued = service.issue(form.get("assertion", ""))
        if issued is None:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        return JSONResponse({"access_token": issued, "expires_in": 3600, "token_type": "Bearer"})

    async def send(request: Request) -> Response:
        service.requests += 1
        body = await request.body()
        if not service.knows(request.headers.get("authorization", "")):
            return _error(401, "UNAUTHENTICATED", "UNAUTHENTICATED")
        message = json.loads(body).get("message", {})
        targets = [target for target in TARGETS if target in message]
        if len(targets) != 1 or len(body) > MOST_BYTES or request.path_params["project"] != PROJECT:
            return _error(400, "INVALID_ARGUMENT", "INVALID_ARGUMENT")
        return await _answer(service, message, fault=service.fault(str(message[targets[0]])))

    async def messages(request: Request) -> Response:
        after = request.query_params.get("after", "0")
        if not (after.isascii() and after.isdigit()):
            return JSONResponse({"error": "after is a number"}, status_code=400)
        return JSONResponse(service.after(int(after)))

    async def page(_request: Request) -> Response:
        return HTMLResponse(_page(service))

    return Starlette(
        routes=[
            Route("/", page),
            Route("/messages", messages),
            Route("/token", token, methods=["POST"]),
            Route("/v1/projects/{project}/messages:send", send, methods=["POST"]),
        ]
    )


async def _answer(service: PushService, message: dict[str, Any], *, fault: PushFault | None) -> Response:
    if fault in _ANSWERS:
        status, name, code = _ANSWERS[fault]
        headers = {"Retry-After": str(RETRY_SECONDS)} if fault is PushFault.QUOTA else {}
        return _error(status, name, code, headers=headers)
    if fault is PushFault.RESET:
        return _CutOff()
    if fault is PushFault.SLOW:
        await asyncio.sleep(SLOW_SECONDS)
    service.take(message)
    if fault is PushFault.LOST:
        return _CutOff()
    return JSONResponse({"name": f"projects/{PROJECT}/messages/{len(service.taken)}"})


class _CutOff(Response):
    """An answer that never comes: the server hangs up where its body should be."""

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """Promise a body, and send none."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"100")]})


def _page(service: PushService) -> str:
    """Return what phones would show, the newest first."""
    shown = [
        f"<tr><td>{one['n']}<td>{datetime.fromisoformat(one['at']).astimezone(VIETNAM_TIME):%H:%M:%S}"
        f"<td>{escape(str(next(one['message'][target] for target in TARGETS if target in one['message'])))}"
        f"<td><b>{escape(one['message']['notification']['title'])}</b> {escape(one['message']['notification']['body'])}"
        for one in reversed(service.after(max(len(service.taken) - MOST_SHOWN, 0)))
    ]
    return (
        '<!doctype html><html lang="vi"><meta charset="utf-8"><meta http-equiv="refresh" content="2">'
        f"<title>Thông báo đẩy</title><style>{_STYLE}</style><h1>Điện thoại đã nhận / What phones received</h1>"
        f"<p>Giả lập Firebase Cloud Messaging / a stand-in for it. {len(service.taken)}.</p>"
        f"<table>{''.join(shown)}</table>"
    )


def _error(status: int, name: str, code: str, *, headers: dict[str, str] | None = None) -> Response:
    detail = {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": code}
    error = {"code": status, "message": name.lower(), "status": name, "details": [detail]}
    return JSONResponse({"error": error}, status_code=status, headers=headers)
