"""The local identity provider over HTTP."""

import gzip
import json
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from app.demo.provider import answers, pages
from app.demo.provider.accounts import accounts
from app.demo.provider.answers import RequestRefused
from app.demo.provider.desk import Desk
from app.demo.provider.faults import EVIL, Fault

Endpoint = Callable[[Request], Awaitable[Response]]
MANY = 10_000


def build_provider(desk: Desk, *, push: ASGIApp | None = None) -> Starlette:
    """Return the provider as an application, with the push service's stand-in under /push where there is one."""
    doors = _Doors(desk)
    return Starlette(
        routes=[
            *([] if push is None else [Mount("/push", push)]),
            Route("/.well-known/openid-configuration", doors.discovery),
            Route("/jwks", doors.jwks),
            Route("/par", doors.par, methods=["POST"]),
            Route("/authorize", doors.authorize),
            Route("/authorize", doors.decide, methods=["POST"]),
            Route("/token", doors.token, methods=["POST"]),
            Route("/userinfo", doors.userinfo),
            Route("/", doors.sessions),
            Route("/logout", doors.logout, methods=["POST"]),
        ]
    )


class _Doors:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def discovery(self, request: Request) -> Response:
        return await self._machine(request, lambda: JSONResponse(answers.discovery(self._desk)))

    async def jwks(self, request: Request) -> Response:
        return await self._machine(request, self._keys)

    def _keys(self) -> Response:
        faults, keys = self._desk.faults, self._desk.published_keys()
        if Fault.REDIRECT_JWKS in faults:
            return RedirectResponse(f"{self._desk.issuer}/jwks?again")
        if Fault.HUGE_JWKS in faults:
            return JSONResponse({"keys": keys, "padding": "A" * 10_000_000})
        return JSONResponse({"keys": keys * MANY if Fault.MANY_KEYS in faults else keys})

    async def par(self, request: Request) -> Response:
        form = await self._form(request)
        if not await self._desk.is_our_client(form, endpoint=f"{self._desk.issuer}/par"):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        return await self._machine(request, lambda: JSONResponse(answers.push(self._desk, form), status_code=201))

    async def authorize(self, request: Request) -> Response:
        self._desk.seen["/authorize"] += 1
        try:
            ticket = answers.ask(self._desk, request.query_params)
        except RequestRefused as refusal:
            return HTMLResponse(pages.refused(refusal.error), status_code=400)
        return HTMLResponse(pages.choose(accounts().values(), ticket=ticket))

    async def decide(self, request: Request) -> Response:
        form = await self._form(request)
        try:
            location = answers.decide(self._desk, ticket=form.get("ticket", ""), name=form.get("account", ""))
        except RequestRefused as refusal:
            return HTMLResponse(pages.refused(refusal.error), status_code=400)
        return RedirectResponse(location, status_code=303)

    async def token(self, request: Request) -> Response:
        form = await self._form(request)
        self._desk.last_form = form
        if Fault.REDIRECT_TOKEN in self._desk.faults:
            return RedirectResponse(f"{EVIL}/token", status_code=307)
        if not await self._desk.is_our_client(form, endpoint=f"{self._desk.issuer}/token"):
            return JSONResponse({"error": "invalid_client"}, status_code=401)
        answer = await self._machine(request, lambda: JSONResponse(answers.exchange(self._desk, form)))
        if Fault.COMPRESSED_TOKEN in self._desk.faults:
            headers = {"content-encoding": "gzip", "content-type": "application/json"}
            return Response(gzip.compress(bytes(answer.body)), headers=headers)
        return answer

    async def userinfo(self, request: Request) -> Response:
        scheme, _, access_token = request.headers.get("authorization", "").partition(" ")

        def answer() -> Response:
            said = answers.userinfo(self._desk, access_token if scheme.lower() == "bearer" else "")
            if isinstance(said, str):
                return Response(said, media_type="application/jwt")
            return JSONResponse(said)

        return await self._machine(request, answer)

    async def sessions(self, request: Request) -> Response:
        return HTMLResponse(pages.signed_in(self._desk.sessions, told=request.query_params.get("told", "")))

    async def logout(self, request: Request) -> Response:
        session_id = (await self._form(request)).get("sid", "")
        account = self._desk.sessions.pop(session_id, None)
        if account is None:
            return RedirectResponse("/", status_code=303)
        status = await self.send_logout(subject=account.subject, session_id=session_id)
        told = f"Đã báo đăng xuất cho Sổ Khỏe ({status}). · Sổ Khỏe was told ({status})."
        return RedirectResponse(f"/?{httpx.QueryParams(told=told)}", status_code=303)

    async def send_logout(self, *, subject: str | None, session_id: str | None) -> int:
        """Tell the client by the back channel; returns its answer's status."""
        token = self._desk.logout_token(subject=subject, session_id=session_id)
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            answer = await client.post(self._desk.registration.logout_uri, data={"logout_token": token})
        return answer.status_code

    async def _form(self, request: Request) -> dict[str, str]:
        return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))

    async def _machine(self, request: Request, answer: Callable[[], Response]) -> Response:
        self._desk.seen[request.url.path] += 1
        if await self._desk.misbehave():
            return Response(json.dumps({"error": "server_error"}), status_code=500)
        try:
            return answer()
        except RequestRefused as refusal:
            status = 401 if refusal.error == "invalid_token" else 400
            return JSONResponse({"error": refusal.error}, status_code=status)
