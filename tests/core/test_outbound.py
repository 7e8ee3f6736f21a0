"""What may leave, and how little may come back."""

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.core.outbound import OutboundFailed, Reply, open_outbound


class Canary(BaseHTTPRequestHandler):
    """Answers by path, and remembers who asked for what."""

    asked: list[tuple[str, str | None]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers.get("cookie")))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/secret")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"A" * 2_000_000 if self.path == "/huge" else b"{}"
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Set-Cookie", "a=b")
        if self.path == "/gzip":
            self.send_header("Content-Encoding", "gzip")
        if self.path != "/endless":
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            while self.wfile.write(body) and self.path == "/endless":
                pass
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — the name is the library's
        """Say nothing."""


@pytest.fixture(scope="module")
def canary() -> Iterator[str]:
    Canary.asked = []
    server = HTTPServer(("127.0.0.1", 0), Canary)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def fetch(url: str, *, origin: str, times: int = 1) -> Reply:
    async def go() -> Reply:
        async with open_outbound() as outbound:
            for _ in range(times):
                reply = await outbound.get(url, origins=frozenset({origin}))
            return reply

    return asyncio.run(go())


def test_an_answer_is_read(canary: str) -> None:
    reply = fetch(f"{canary}/good", origin=canary)

    assert (reply.status, reply.content_type, reply.body) == (200, "application/json", b"{}")


@pytest.mark.parametrize(
    ("path", "why"), [("/redirect", "redirect"), ("/huge", "size"), ("/endless", "size"), ("/gzip", "encoding")]
)
def test_answers_that_are_not_taken(canary: str, path: str, why: str) -> None:
    with pytest.raises(OutboundFailed) as failed:
        fetch(f"{canary}{path}", origin=canary)

    assert failed.value.why == why
    assert "/secret" not in [asked for asked, _ in Canary.asked]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "http://127.0.0.1:1/x",
        "file:///etc/passwd",
        "http://op.example/",
        "//x",
        "",
        "gopher://x",
    ],
)
def test_t13_only_origins_of_the_settings_are_asked(canary: str, url: str) -> None:
    before = len(Canary.asked)
    with pytest.raises(OutboundFailed):
        fetch(url, origin=canary)
    assert len(Canary.asked) == before


def test_plain_http_is_for_this_machine_only() -> None:
    with pytest.raises(OutboundFailed, match="busy"):
        fetch("http://op.example/x", origin="http://op.example")


def test_no_cookie_of_the_other_side_is_sent_back(canary: str) -> None:
    Canary.asked.clear()
    fetch(f"{canary}/good", origin=canary, times=2)

    assert [cookie for _, cookie in Canary.asked] == [None, None]


def test_nobody_there() -> None:
    with pytest.raises(OutboundFailed):
        fetch("http://127.0.0.1:9/x", origin="http://127.0.0.1:9")
