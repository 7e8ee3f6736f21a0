"""An app like the one on a phone: it signs a person in through the system's browser, and only knows the standards.

Source: RFC 8252 (native apps), RFC 7636 (PKCE), RFC 9207 (`iss`), RFC 9449 (DPoP).
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from html import unescape
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import httpx

from app.core.clock import utc_now
from app.core.ids import new_secret
from app.identity.dpop import token_hash
from app.identity.jwk import encode_segment, new_private_key, thumbprint
from app.identity.jwt import sign_proof

CLIENT_ID: Final = "sokhoe-demo"
AS_CITIZEN: Final = "patient/*.rs offline_access"
AS_PRACTITIONER: Final = "practitioner offline_access"
GREETING: Final = "{ me { fullName } }"
_TITLE: Final = re.compile("<h1>([^<]*)</h1>")
_TICKET: Final = re.compile(r'name="ticket" value="([^"]+)"')
_DONE: Final = (
    '<!doctype html><html lang="vi"><meta charset="utf-8"><title>Sổ Khỏe</title>'
    '<body style="font:1.2rem/1.6 system-ui;max-width:34rem;margin:15vh auto">'
    "<h1>Đã xong</h1><p>Bạn có thể đóng trang này và quay lại cửa sổ dòng lệnh.</p>"
    "<p>Done. You can close this page and go back to the terminal.</p>"
)


class SignInFailed(Exception):
    """The browser came back without a code that is ours, or ended on a page, or the code was refused."""

    def __init__(self, why: str, *, page: str = "") -> None:
        self.page = page
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """One attempt to sign in at one server, with a key that never leaves the phone."""

    server: str
    redirect_uri: str
    scope: str = AS_CITIZEN
    name: str = "Điện thoại demo"
    key: dict[str, str] = field(default_factory=new_private_key, repr=False)
    clock: Callable[[], datetime] = utc_now
    state: str = field(default_factory=new_secret, repr=False)
    verifier: str = field(default_factory=new_secret, repr=False)

    @property
    def url(self) -> str:
        """Return the address to open in a browser."""
        challenge = encode_segment(hashlib.sha256(self.verifier.encode()).digest())
        query = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "scope": self.scope,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "dpop_jkt": thumbprint(self.key),
        }
        return f"{self.server}/auth/login?{urlencode(query)}"

    def tokens(self, http: httpx.Client, *, came_back_to: str) -> dict[str, Any]:
        """Fetch the tokens with what the browser brought.

        :raises SignInFailed: when it is no answer to this attempt, or the server refuses the code
        """
        answer = dict(parse_qsl(urlsplit(came_back_to).query))
        if answer.get("state") != self.state or answer.get("iss") != self.server or "code" not in answer:
            raise SignInFailed(answer.get("error", "state, iss"))
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "code": answer["code"],
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
            "device_name": self.name,
        }
        reply = self.send(http, "/auth/token", data=form)
        if reply.status_code != httpx.codes.OK:
            raise SignInFailed(reply.text)
        tokens: dict[str, Any] = reply.json()
        return tokens

    def ask(self, http: httpx.Client, query: str, *, access_token: str) -> dict[str, Any]:
        """Ask the server a question as the person who signed in."""
        reply = self.send(http, "/graphql", access_token=access_token, json={"query": query})
        answer: dict[str, Any] = reply.json()
        return answer

    def send(self, http: httpx.Client, path: str, *, access_token: str | None = None, **body: Any) -> httpx.Response:
        """Send a request with a proof of the key; once more when the server wants a nonce of its own in it."""
        address, nonce = f"{self.server}{path}", None
        for _ in range(2):
            headers = {"DPoP": self.proof(address, nonce=nonce, access_token=access_token)}
            if access_token is not None:
                headers["Authorization"] = f"DPoP {access_token}"
            reply = http.post(address, headers=headers, **body)
            nonce = reply.headers.get("dpop-nonce")
            if nonce is None or reply.status_code < httpx.codes.BAD_REQUEST:
                break
        return reply

    def proof(self, address: str, *, nonce: str | None, access_token: str | None = None, method: str = "POST") -> str:
        """Return a proof for one request. Source: RFC 9449 section 4.2."""
        claims: dict[str, object] = {
            "htm": method,
            "htu": address,
            "iat": int(self.clock().timestamp()),
            "jti": new_secret(),
        }
        if nonce is not None:
            claims["nonce"] = nonce
        if access_token is not None:
            claims["ath"] = token_hash(access_token)
        return sign_proof(claims, key=self.key)


def wait_for_browser(listener: HTTPServer, *, seconds: float, clock: Callable[[], float]) -> str:
    """Serve the loopback redirect until a browser brings an answer; returns the address that it asked for.

    :raises SignInFailed: when nobody comes in time
    """
    asked: list[str] = []

    class Redirect(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = _DONE.encode()
            known = urlsplit(self.path).path == "/signed-in"
            self.send_response(200 if known else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body) if known else 0))
            self.end_headers()
            if known:
                self.wfile.write(body)
                asked.append(self.path)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the name is the library's
            """Stay silent: the line holds the code."""

    listener.RequestHandlerClass = Redirect
    listener.timeout = 0.5
    give_up_at = clock() + seconds
    while not asked:
        if clock() > give_up_at:
            raise SignInFailed("timeout")
        listener.handle_request()
    return asked[0]


def browse(url: str, *, account: str, http: httpx.Client) -> str:
    """Do what a person does in a browser, at the local identity provider: choose an account and follow every redirect.

    `http` keeps cookies and follows no redirect by itself. Returns the first address that is the app's own.

    :raises SignInFailed: when a page comes instead
    """
    reply = http.get(url)
    while True:
        if reply.has_redirect_location:
            target = urljoin(str(reply.url), reply.headers["location"])
            if urlsplit(target).path == "/signed-in" or urlsplit(target).scheme not in {"http", "https"}:
                return target
            reply = http.get(target)
            continue
        ticket = _TICKET.search(reply.text)
        if ticket is None:
            told = " / ".join(unescape(title) for title in _TITLE.findall(reply.text))
            raise SignInFailed(f"{told} ({reply.status_code})", page=reply.text)
        form = {"ticket": unescape(ticket[1]), "account": account}
        reply = http.post(urljoin(str(reply.url), "/authorize"), data=form)
