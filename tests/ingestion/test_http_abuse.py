"""Bombs, floods and slow clients at the hospitals' door: each is refused, and nobody else notices."""

import gzip
import resource
import socket
import zlib
from base64 import b64encode
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from app.core.settings import Settings
from app.ingestion.catalogue import ProblemCode, describe
from app.ingestion.xml import MAX_MESSAGE_BYTES
from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.ingestion.bombs import archive_bombs, encoding_bombs, entity_bombs, size_bombs
from tests.people import Stand
from tests.sockets import RawConnection, chunk, head

XML = {"Content-Type": "application/xml"}
BODY_SECONDS, IDLE_SECONDS = 0.8, 0.4


@pytest.fixture(scope="module")
def token(stand: Stand) -> str:
    return stand.facility("01901")


@pytest.fixture(scope="module")
def hasty(settings: Settings, token: str) -> Iterator[RunningServer]:
    """Serve the same database with little patience for slow bodies."""
    assert token
    changed = {"body_seconds": BODY_SECONDS, "body_idle_seconds": IDLE_SECONDS}
    running = RunningServer(settings.model_copy(update=changed))
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def canary() -> Iterator[socket.socket]:
    """Listen on loopback; whoever calls stands in the queue until a test looks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


def assert_silent(canary: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        canary.accept()


def kept(stand: Stand) -> int:
    found: int = stand.as_owner("SELECT count(*) FROM intake.message")[0].count
    return found


def push(http: httpx.Client, token: str, body: bytes | Iterable[bytes], **headers: str) -> httpx.Response:
    fields = {"Authorization": f"Bearer {token}", **XML, **headers}
    return http.post("/ingest/qd4750", content=body, headers=fields)


def upload_head(token: str, **fields: str) -> bytes:
    return head("POST", "/ingest/qd4750", authorization=f"Bearer {token}", content_type="application/xml", **fields)


def test_b146_to_b152_nothing_is_read_fetched_or_expanded(
    http: httpx.Client, stand: Stand, token: str, canary: socket.socket
) -> None:
    before = kept(stand)
    for name, (body, reason) in entity_bombs(canary.getsockname()[1]).items():
        answer = push(http, token, body)

        assert (name, answer.status_code, answer.json()["code"]) == (name, 400, "INVALID")
        assert answer.json()["en"].lower() == describe(reason).en.lower()
        assert "root:" not in answer.text
    assert kept(stand) == before
    assert_silent(canary)
    assert http.get("/livez").status_code == 200


@pytest.mark.parametrize(
    ("body", "reason"),
    [pytest.param(*bomb, id=name) for bombs in (size_bombs(), encoding_bombs()) for name, bomb in bombs.items()],
)
def test_b153_b154_unreadable_bodies(http: httpx.Client, token: str, body: bytes, reason: ProblemCode) -> None:
    answer = push(http, token, body)

    assert answer.status_code == (413 if len(body) > MAX_MESSAGE_BYTES else 400)
    assert answer.json()["code"] == "INVALID"
    assert answer.json().get("reason") == (None if answer.status_code == 413 else reason)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["vi"] != answer.json()["en"]
    if reason in {ProblemCode.XML_NOT_UTF8, ProblemCode.XML_MALFORMED}:
        assert any(character.isdigit() for character in answer.json()["en"]), "the place is missing"


def test_b155_archives_are_never_unpacked(http: httpx.Client, stand: Stand, token: str) -> None:
    before, memory = kept(stand), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for body, _ in archive_bombs().values():
        assert (push(http, token, body).status_code, push(http, token, body).json()["code"]) == (400, "INVALID")
    packed = zlib.compress(messages.message(), wbits=31)
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, identity", "identity, gzip", "x"):
        answer = push(http, token, packed, **{"Content-Encoding": coding})
        assert (answer.status_code, "Content-Encoding" in answer.json()["en"]) == (415, True)
    assert push(http, token, gzip.compress(b"0" * 50_000_000), **{"Content-Encoding": "gzip"}).status_code == 415
    assert push(http, token, messages.message(), **{"Content-Encoding": "identity"}).status_code == 202
    assert kept(stand) == before + 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory < 150_000  # kB; the test itself packs 50 MB


def test_b153_to_b155_bombs_within_base64(http: httpx.Client, stand: Stand, token: str, canary: socket.socket) -> None:
    sender = {"Authorization": f"Bearer {token}"}
    bombs = {**entity_bombs(canary.getsockname()[1]), **encoding_bombs(), **archive_bombs(), **size_bombs()}
    chosen = [bombs[name] for name in ("b146 file", "b149 laughs", "b150 quadratic", "b152 xinclude", "b155 gzip")]
    chosen += [bombs[name] for name in ("b154 utf-16 without mark", "b154 nul", "b153 deep 100000", "b153 attributes")]
    laughs, reason = bombs["b149 laughs"]
    chosen.append((laughs.decode().encode("utf-16"), reason))  # within base64 it is read with its mark
    for number, (bomb, reason) in enumerate(chosen):
        good = messages.file_xml("XML1", messages.encoded(messages.table_xml("XML1", [messages.VISIT])))
        bad = messages.file_xml("XML2", b64encode(bomb).decode())
        answer = push(http, token, messages.envelope(f"<HOSO>{good}{bad}</HOSO>", signature=str(number)))
        assert answer.status_code == 202, answer.text

        assert stand.process(answer.json()["messageId"]) == "rejected"

        receipt = http.get(f"/ingest/messages/{answer.json()['messageId']}", headers=sender).json()
        (problem,) = [one for one in receipt["visits"][0]["problems"] if one["effect"] == "REJECTS"]
        assert (problem["code"], problem["table"]) == (reason, "XML2")
        assert problem["vi"] != problem["en"]
    assert_silent(canary)
    assert stand.as_owner("SELECT FROM auth.citizen") == []


def test_b165_ten_megabytes_and_one_byte(http: httpx.Client, stand: Stand, token: str) -> None:
    before = kept(stand)
    body = b"<a>" + b"x" * (MAX_MESSAGE_BYTES - 2)

    announced = push(http, token, body)
    in_pieces = push(http, token, (body[at : at + 65_536] for at in range(0, len(body), 65_536)))

    for answer in (announced, in_pieces):
        assert (answer.status_code, answer.json()["code"]) == (413, "INVALID")
        assert str(MAX_MESSAGE_BYTES) in answer.json()["vi"]
    assert kept(stand) == before


def test_b165_ten_megabytes_are_taken(http: httpx.Client, token: str) -> None:
    rest = MAX_MESSAGE_BYTES - len(messages.envelope(signature=""))
    note = "x" * 1000
    body = messages.envelope(signature=f"<b>{note}</b>" * (rest // (len(note) + 7)))
    body += b" " * (MAX_MESSAGE_BYTES - len(body))

    assert push(http, token, body).status_code == 202


def test_b165_a_body_without_end_is_cut(server: RunningServer, token: str) -> None:
    with RawConnection(server.url) as endless:
        endless.send(upload_head(token, transfer_encoding="chunked"))
        sent = endless.send_until_cut(chunk(b"x" * 65_536))

    assert sent < 200 * 1024 * 1024


def test_b165_a_large_announcement_is_refused_before_the_body(server: RunningServer, token: str) -> None:
    with RawConnection(server.url) as client:
        client.send(upload_head(token, content_length=str(10**18), expect="100-continue"))
        answer = client.answer()
        assert (answer.status, answer.json()["code"], answer.headers["connection"]) == (413, "INVALID", "close")
        assert client.is_closed()


def test_b165_content_length_that_says_too_little(server: RunningServer, http: httpx.Client, token: str) -> None:
    with RawConnection(server.url) as client:
        client.send(upload_head(token, content_length="7") + b"<a></a><more/>")
        answer = client.answer()
        assert (answer.status, answer.json()["code"], client.is_closed()) == (400, "INVALID", True)
    assert http.get("/livez").status_code == 200


def test_b165_content_length_that_says_too_much(hasty: RunningServer, stand: Stand, token: str) -> None:
    before = kept(stand)
    with RawConnection(hasty.url) as client:
        client.send(upload_head(token, content_length="5000") + b"<a></a>")
        answer = client.answer()
        assert (answer.status, answer.json()["code"], answer.headers["connection"]) == (408, "INVALID", "close")
        assert "quá chậm" in answer.json()["vi"]
        assert client.is_closed()
    assert kept(stand) == before


@pytest.mark.parametrize("fields", [{"content_length": "5000"}, {"transfer_encoding": "chunked"}])
def test_b165_slow_loris_meets_the_deadline(hasty: RunningServer, token: str, fields: dict[str, str]) -> None:
    with RawConnection(hasty.url) as client:
        client.send(upload_head(token, **fields))
        client.pace(b"x" if "content_length" in fields else chunk(b"x"), every_seconds=IDLE_SECONDS / 4)
        assert client.answer().status == 408
        assert client.is_closed()


def test_b165_a_client_that_dies_half_way_leaves_nothing(server: RunningServer, stand: Stand, token: str) -> None:
    before = kept(stand)
    body = messages.message()
    with RawConnection(server.url) as client:
        client.send(upload_head(token, content_length=str(len(body))) + body[:-1])
        client.finish_sending()
        assert client.is_closed()
    assert kept(stand) == before


def test_b165_a_hundred_half_open_uploads_stop_nobody(
    server: RunningServer, http: httpx.Client, stand: Stand, token: str
) -> None:
    with ExitStack() as open_uploads:
        for number in range(100):
            upload = open_uploads.enter_context(RawConnection(server.url))
            fields = {"content_length": "5000000"} if number % 2 else {"transfer_encoding": "chunked"}
            upload.send(upload_head(token, **fields) + (b"<a>" if number % 2 else chunk(b"<a>")))
        before = kept(stand)
        answer = push(http, token, messages.changed("XML1", GHI_CHU="giữa trăm người dở dang"))
        assert answer.status_code == 202
        assert kept(stand) == before + 1
        assert http.get("/readyz").status_code == 200
        query = http.post("/graphql", json={"query": "{ __typename }"})
        assert query.json() == {"data": {"__typename": "Query"}}


def test_b165_nobody_uploads_without_a_session(server: RunningServer) -> None:
    with RawConnection(server.url) as client:
        client.send(upload_head("a" * 43, content_length="5000000") + b"<a>")
        answer = client.answer()
        assert (answer.status, answer.json()["code"], answer.headers["connection"]) == (401, "UNAUTHENTICATED", "close")
        assert client.is_closed()
