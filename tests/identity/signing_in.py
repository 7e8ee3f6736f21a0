"""A running server, a running local identity provider, an app's own steps between them."""

import asyncio
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import uvicorn
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as StarletteScope

from app.core.clock import utc_now
from app.core.providers import AppClient, Provider
from app.core.settings import Settings
from app.demo.phone import CLIENT_ID, Phone, SignInFailed, browse
from app.demo.provider.accounts import Account, accounts
from app.demo.provider.app import build_provider
from app.demo.provider.desk import Desk, Registration
from app.demo.provider.faults import Fault
from tests.people import Stand
from tests.sockets import PATIENCE, free_port

CLAIMED = "https://app.sokhoe.example/app/signed-in"
TLS = ssl.create_default_context()  # making one takes longer than a sign-in
LOOPBACK = "http://127.0.0.1:49152/signed-in"
BEARER = "bearer"
APPS = (
    AppClient(client_id=CLIENT_ID, loopback=True),
    AppClient(
        client_id="phone",
        redirect_uris=frozenset({CLAIMED}),
        device_lock=True,
        android_package="vn.example.sokhoe",
        android_fingerprints=("AB:CD",),
        apple_app_id="TEAM.vn.example.sokhoe",
    ),
    AppClient(client_id=BEARER, loopback=True, dpop="none"),
)


PHONES: dict[str, Phone] = {}
"""Which phone has which token: a bound token is good in the hands of its own phone only."""


def keep(phone: Phone, tokens: dict[str, Any]) -> dict[str, Any]:
    """Remember which phone has these tokens."""
    for kind in ("access_token", "refresh_token"):
        if kind in tokens:
            PHONES[tokens[kind]] = phone
    return tokens


class KnownPhone(Phone):
    """A phone whose tokens are remembered."""

    __slots__ = ()

    def tokens(self, http: httpx.Client, *, came_back_to: str) -> dict[str, Any]:
        return keep(self, Phone.tokens(self, http, came_back_to=came_back_to))


@dataclass(slots=True)
class Instead:
    """Answers that the local identity provider gives instead of its own, by path; one that is None never ends."""

    answers: dict[str, Response | None] = field(default_factory=dict)
    left: threading.Event = field(default_factory=threading.Event)

    def around(self, app: ASGIApp) -> ASGIApp:
        async def answer(scope: StarletteScope, receive: Receive, send: Send) -> None:
            path = scope.get("path", "")
            own = self.answers.get(path, app)
            await (self._trickle(send) if own is None else own(scope, receive, send))

        return answer

    async def _trickle(self, send: Send) -> None:
        """Send a byte now and then, each in time for a client that waits for one byte at a time."""
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        while not self.left.is_set():
            await send({"type": "http.response.body", "body": b" ", "more_body": True})
            await asyncio.sleep(0.1)


@dataclass(slots=True)
class RunningProvider:
    """The local identity provider on a loopback port, in a thread of its own."""

    desk: Desk
    port: int
    instead: Instead = field(default_factory=Instead)
    _server: uvicorn.Server = field(init=False)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        app = self.instead.around(build_provider(self.desk))
        config = uvicorn.Config(app, host="127.0.0.1", port=self.port, log_config=None, lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        give_up_at = time.monotonic() + PATIENCE
        while not self._server.started:
            assert time.monotonic() < give_up_at, "the provider did not start"
            time.sleep(0.01)

    def stop(self) -> None:
        self.instead.left.set()
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=PATIENCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everything that one sign-in needs."""

    settings: Settings
    desk: Desk
    stand: Stand

    @property
    def url(self) -> str:
        return self.settings.public_url

    def phone(self, *, redirect_uri: str = LOOPBACK, **changed: Any) -> Phone:
        return KnownPhone(server=self.url, redirect_uri=redirect_uri, **changed)

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        with httpx.Client(timeout=PATIENCE, trust_env=False, verify=TLS) as client:
            yield client

    @contextmanager
    def misbehaving(self, *faults: Fault, **said: object) -> Iterator[None]:
        self.desk.faults.update(faults)
        self.desk.said_instead.update(said)
        try:
            yield
        finally:
            self.desk.faults.clear()
            self.desk.said_instead.clear()

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Let the server wait for its provider no longer than a moment."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(self.settings.__dict__, "provider_seconds", 0.3)
            yield

    def come_back(self, account: str = "citizen:1", *, phone: Phone | None = None) -> tuple[Phone, str]:
        """Go through the browser; the app's address with the answer."""
        phone = phone or self.phone()
        with self.browser() as http:
            return phone, browse(phone.url, account=account, http=http)

    def sign_in(self, account: str = "citizen:1", *, phone: Phone | None = None) -> dict[str, Any]:
        """Sign in and return the tokens."""
        phone, back = self.come_back(account, phone=phone)
        with self.browser() as http:
            return phone.tokens(http, came_back_to=back)

    def phone_of(self, token: str) -> Phone:
        """Return the phone that has a token; a strange one for a token that nobody has."""
        return PHONES.get(token) or self.phone()

    def refused_page(self, account: str = "citizen:1") -> str:
        """Try to sign in; the page that says no."""
        try:
            _, back = self.come_back(account)
        except SignInFailed as refused:
            return refused.page
        raise AssertionError(back)

    def ask(self, query: str, token: str) -> dict[str, Any]:
        with self.browser() as http:
            return self.phone_of(token).ask(http, query, access_token=token)

    def is_alive(self, tokens: Mapping[str, Any]) -> bool:
        return "errors" not in self.ask("{ me { id } }", tokens["access_token"])

    def post(self, path: str, /, *, phone: Phone | None = None, **form: str) -> httpx.Response:
        """Send a form as a phone; as the one that has a token in it, if none is named."""
        known = (PHONES[value] for value in form.values() if value in PHONES)
        sender = phone or next(known, None) or self.phone()
        with self.browser() as http:
            reply = sender.send(http, path, data=form)
        if reply.status_code == httpx.codes.OK and reply.content and "access_token" in reply.json():
            keep(sender, reply.json())
        return reply

    def renew(self, refresh_token: str, client_id: str = CLIENT_ID, *, phone: Phone | None = None) -> httpx.Response:
        return self.post(
            "/auth/token", phone=phone, grant_type="refresh_token", client_id=client_id, refresh_token=refresh_token
        )

    def count(self, table: str) -> int:
        found: int = self.stand.as_owner(f"SELECT count(*) AS n FROM auth.{table}")[0].n
        return found

    def account(self, name: str) -> Account:
        return accounts()[name]


def answer_of(address: str) -> dict[str, str]:
    """Return what stands in the query of an address."""
    return dict(parse_qsl(urlsplit(address).query))


def make_scene(settings: Settings, **provider: Any) -> tuple[Scene, RunningProvider, int]:
    """Choose two ports and tell server and provider of each other; the server is patient."""
    port, provider_port = free_port(), free_port()
    url, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{provider_port}"
    preset = provider.pop("preset", "vneid")
    changed = settings.model_copy(
        update={
            "public_url": url,
            "provider": Provider.model_validate(
                {"preset": preset, "issuer": issuer, "client_id": "sokhoe", **provider}
            ),
            "apps": APPS,
            "provider_seconds": PATIENCE,
        }
    )
    desk = Desk(
        issuer=issuer, registration=Registration.of_server(url), clock=utc_now, preset=preset, algorithm="ES256"
    )
    scene = Scene(settings=changed, desk=desk, stand=Stand(changed))
    return scene, RunningProvider(desk=desk, port=provider_port), port
