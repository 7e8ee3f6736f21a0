"""HTTP/1.1 of pushes: what a server may do, on a real socket."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app.notifications.http1 import MOST_BYTES, Http1
from tests.sockets import PATIENCE

HEAD = b"HTTP/1.1 200 OK\r\n"
OK = (HEAD + b"content-length: 2\r\n\r\nOK",)
NEVER = (b"",)
ZIPPED = gzip.compress(b"OK")


@dataclass(slots=True)
class Server:
    """Answers each request with the next parts, one write each; NEVER waits until the client hangs up."""

    answers: list[tuple[bytes, ...]]
    hangs_up: bool = False
    tls: ssl.SSLContext | None = None
    asked: list[bytes] = field(default_factory=list)
    connections: int = 0
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        async with server:
            yield f"{'https' if self.tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}/send?a=1"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                if answer == NEVER:
                    await reader.read()
                for part in answer:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
                if self.hangs_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.left.set()


def run(server: Server, work: Callable[[httpx.AsyncClient, str], Awaitable[None]], *, most: int = 2) -> None:
    async def go() -> None:
        async with (
            server.running() as url,
            httpx.AsyncClient(transport=Http1(most=most), timeout=PATIENCE) as client,
        ):
            await work(client, url)

    asyncio.run(go())


def test_requests_go_out_whole_on_one_connection_after_another() -> None:
    server = Server([OK, OK])

    async def work(client: httpx.AsyncClient, url: str) -> None:
        for text in ("một", "hai"):
            assert (await client.post(url, json={"text": text}, headers={"X-One": "1"})).text == "OK"

    run(server, work)
    assert server.connections == 1
    assert server.asked[0].startswith(b"POST /send?a=1 HTTP/1.1\r\nHost: 127.0.0.1:")
    assert b"\r\nX-One: 1\r\n" in server.asked[0]
    assert server.asked[1].endswith(b'\r\n\r\n{"text":"hai"}')


@pytest.mark.parametrize(
    "answer",
    [
        tuple(OK[0][at : at + 1] for at in range(len(OK[0]))),
        (HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\nO\r\n", b"1\r\nK\r\n0\r\n\r\n"),
        (HEAD + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(ZIPPED), ZIPPED),
        (b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n", OK[0]),
    ],
    ids=["in bits", "chunked", "zipped", "hints first"],
)
def test_an_answer_is_read_whole_in_whatever_form(answer: tuple[bytes, ...]) -> None:
    server = Server([answer, OK])

    async def work(client: httpx.AsyncClient, url: str) -> None:
        first, second = await client.post(url), await client.post(url)
        assert (first.status_code, first.text, "link" in first.headers, second.text) == (200, "OK", False, "OK")

    run(server, work)
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [(HEAD + b"connection: close\r\n" + OK[0].removeprefix(HEAD),), (OK[0] + b"more",)],
    ids=["told", "says too much"],
)
def test_a_connection_that_is_over_is_not_used_again(answer: tuple[bytes, ...]) -> None:
    server = Server([answer, OK])

    async def work(client: httpx.AsyncClient, url: str) -> None:
        assert [(await client.post(url)).text for _ in range(2)] == ["OK", "OK"]

    run(server, work)
    assert server.connections == 2


def test_an_answer_that_ends_with_its_connection_is_one() -> None:
    """RFC 9112 section 6.3; taken for a failure, such a message would be sent again and again."""
    server = Server([(HEAD + b"connection: close\r\n\r\nO", b"K"), OK], hangs_up=True)

    async def work(client: httpx.AsyncClient, url: str) -> None:
        assert [(await client.post(url)).text for _ in range(2)] == ["OK", "OK"]

    run(server, work)
    assert server.connections == 2


def test_hints_before_a_connection_breaks_are_no_answer() -> None:
    server = Server([(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n",)], hangs_up=True)

    async def work(client: httpx.AsyncClient, url: str) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(url)

    run(server, work)


def test_a_server_that_hangs_up_between_requests_loses_none() -> None:
    server = Server([OK, OK], hangs_up=True)

    async def work(client: httpx.AsyncClient, url: str) -> None:
        for _ in range(2):
            assert (await client.post(url)).text == "OK"
            await server.left.wait()
            await asyncio.sleep(0.1)  # for the end of the connection to arrive; nothing tells of it

    run(server, work)
    assert server.connections == 2


def test_a_connection_that_nobody_needed_for_long_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.notifications.http1.KEPT_SECONDS", 0)
    server = Server([OK, OK])

    async def work(client: httpx.AsyncClient, url: str) -> None:
        assert [(await client.post(url)).text for _ in range(2)] == ["OK", "OK"]

    run(server, work)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("answer", "hangs_up"),
    [
        ((b"SSH-2.0-OpenSSH\r\n",), False),
        ((HEAD + b"content-length: 9\r\n\r\nOK",), True),
        ((HEAD + b"content-length: %d\r\n\r\n" % (MOST_BYTES + 1) + bytes(MOST_BYTES + 1),), False),
        ((b"HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",), False),
    ],
    ids=["no HTTP", "cut off", "too long", "switched"],
)
def test_what_is_no_answer_is_an_error_and_the_next_request_goes_on(
    answer: tuple[bytes, ...], *, hangs_up: bool
) -> None:
    server = Server([answer, OK], hangs_up=hangs_up)

    async def work(client: httpx.AsyncClient, url: str) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(url)
        assert (await client.post(url)).text == "OK"

    run(server, work)
    assert server.connections == 2


def test_a_request_without_an_answer_ends_in_time_and_so_does_its_connection() -> None:
    server = Server([NEVER, OK])

    async def work(client: httpx.AsyncClient, url: str) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await client.post(url, timeout=httpx.Timeout(PATIENCE, read=0.2))
        await asyncio.wait_for(server.left.wait(), PATIENCE)
        assert (await client.post(url)).text == "OK"

    run(server, work, most=1)
    assert server.connections == 2


def test_no_more_than_so_many_are_on_their_way() -> None:
    server = Server([OK] * 20)

    async def work(client: httpx.AsyncClient, url: str) -> None:
        answers = await asyncio.gather(*(client.post(url) for _ in range(20)))
        assert {answer.text for answer in answers} == {"OK"}

    run(server, work, most=3)
    assert server.connections == 3


def test_nobody_there_is_an_error_of_the_network() -> None:
    server = Server([])

    async def work(client: httpx.AsyncClient, url: str) -> None:
        with pytest.raises(httpx.ConnectError):
            await client.post(url.replace("127.0.0.1", "127.0.0.9"))

    run(server, work)


def test_a_server_of_https_must_be_the_one_that_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = _certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)

    async def refused(client: httpx.AsyncClient, url: str) -> None:
        with pytest.raises(httpx.ConnectError):
            await client.post(url)

    async def sent(client: httpx.AsyncClient, url: str) -> None:
        assert (await client.post(url)).text == "OK"
        with pytest.raises(httpx.ConnectError):
            await client.post(url.replace("127.0.0.1", "localhost"))  # its certificate is another's

    server = Server([OK], tls=tls)
    run(server, refused)
    assert server.asked == []
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    run(server, sent)


def _certificate(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "push")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "push.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file
