"""What may leave, and how little may come back."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

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


def certificate(folder: Path) -> Path:
    """Write a certificate of this machine that is signed by itself, with its key."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    signed = builder.add_extension(here, critical=False).sign(key, hashes.SHA256())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
    return path


@pytest.fixture
def sealed_canary(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    Canary.asked = []
    found = certificate(tmp_path)
    server = HTTPServer(("127.0.0.1", 0), Canary)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(found)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", found
    server.shutdown()
    server.server_close()


def test_who_is_not_vouched_for_is_not_asked(sealed_canary: tuple[str, Path]) -> None:
    address, _ = sealed_canary
    with pytest.raises(OutboundFailed) as failed:
        fetch(f"{address}/good", origin=address)

    assert failed.value.why == "ConnectError"
    assert Canary.asked == []


def test_who_is_vouched_for_is_asked(sealed_canary: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    address, found = sealed_canary
    monkeypatch.setattr(certifi, "where", lambda: str(found))

    assert fetch(f"{address}/good", origin=address, times=2).status == 200
