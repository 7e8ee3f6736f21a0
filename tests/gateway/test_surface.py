"""Cases B174, B196, B201, B208 to B212 and B214 to B216: what is around an operation, over real sockets."""

import asyncio
import json
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from app.core.settings import Settings
from app.gateway import endpoint
from app.gateway.trusted import trusted_operations
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.conftest import Ground, RunningServer
from tests.people import Stand
from tests.sockets import PATIENCE, RawConnection, head

ME = {"query": "{ me { id } }"}
PERSON = Member(number=931)
WORST = """{ healthBook { visits(first: 50) { edges { cursor node {
  id startedAt reason treatment advice departmentCodes facility { code name level } provenance { version filedAt }
  diagnoses { role code name } services { line groupCode groupName code name unit quantity unitPrice amount orderedAt }
  costs { total drugs supplies withinInsurance paidByFund copayment selfPaid paidByOthers } } } }
  testResults(first: 50) { edges { cursor node { id description conclusion
    results { line code name valueText value } } } }
  prescriptions(first: 50) { edges { cursor node { id items { line drugCode drugName dose instruction route } } } }
  conditions { code name visitCount } } }"""


@pytest.fixture(scope="module")
def token(stand: Stand) -> str:
    assert stand.file(message(PERSON), token=stand.facility()) == "filed"
    return stand.citizen_token(stand.citizen_by(PERSON.personal_id))


@pytest.fixture
def citizen(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ask(http: httpx.Client, headers: dict[str, str], **members: object) -> httpx.Response:
    return http.post("/graphql", json=members, headers=headers)


def test_b174_an_array_of_operations(http: httpx.Client, citizen: dict[str, str]) -> None:
    for batch in ([ME], [ME] * 10):
        answer = http.post("/graphql", json=batch, headers=citizen)
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"] == {"code": "INVALID"}


def test_b196_a_defect_says_no_more_than_its_request_id(
    http: httpx.Client, citizen: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def broken(*_: object, **__: object) -> None:
        raise RuntimeError("SELECT secret FROM /app/records/book.py")

    monkeypatch.setattr(endpoint, "run", broken)
    answer = ask(http, citizen, **ME)

    assert answer.status_code == 500
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "INTERNAL", "requestId": answer.headers["x-request-id"]}
    assert "secret" not in answer.text
    assert "secret" not in capsys.readouterr().out


def test_b201_who_hangs_up_stops_the_work(ground: Ground, settings: Settings, token: str) -> None:
    """A client that gives up frees its statement, long before anything else would end it."""
    database = settings.database_url.rpartition("/")[2]
    for limit in ("lock_timeout", "statement_timeout"):
        ground.cluster.psql(f"ALTER ROLE api IN DATABASE {database} SET {limit} = 0")
    running = RunningServer(settings.model_copy(update={"demo": False, "api_pool_size": 1}))
    known = next(known for known in trusted_operations().values() if known.name == "Visits")
    body = json.dumps({"documentId": known.id}).encode()
    fields = {"content_type": "application/json", "authorization": f"Bearer {token}", "content_length": str(len(body))}
    running.start()
    try:

        async def watch() -> None:
            async with (
                tries.as_superuser(ground, settings) as blocker,
                tries.as_superuser(ground, settings) as watcher,
                blocker.transaction(),
            ):
                await blocker.execute("LOCK TABLE book.visit IN ACCESS EXCLUSIVE MODE")
                with RawConnection(running.url) as connection:
                    connection.send(head("POST", "/graphql", **fields) + body)
                    await until(watcher, database, waiting=1)
                await until(watcher, database, waiting=0, seconds=4)  # the driver would end it after five

        tries.run(watch)
        with httpx.Client(
            base_url=running.url, timeout=PATIENCE, headers={"Authorization": f"Bearer {token}"}
        ) as client:
            assert client.post("/graphql", json={"documentId": known.id}).status_code == 200
    finally:
        running.stop()
        ground.cluster.psql(f"ALTER ROLE api IN DATABASE {database} RESET ALL")


async def until(watcher: tries.Connection, database: str, *, waiting: int, seconds: float = PATIENCE) -> None:
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND usename = 'api' "
        "AND state = 'active' AND wait_event_type = 'Lock'"
    )
    async with asyncio.timeout(seconds):
        while await watcher.fetchval(query, database) != waiting:  # noqa: ASYNC110 - another process has no event here
            await asyncio.sleep(0.01)


def test_b201_the_worst_accepted_document_stops_nobody(
    http: httpx.Client, server: RunningServer, citizen: dict[str, str]
) -> None:
    """Measured at length by the bench; here, a bound that only a blocked server misses."""
    assert ask(http, citizen, query=WORST).status_code == 200

    def worst(_: int) -> int:
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            return client.post("/graphql", json={"query": WORST}, headers=citizen).status_code

    with ThreadPoolExecutor(max_workers=50) as pool:
        answers = pool.map(worst, range(50))
        spent = []
        for _ in range(20):
            began = time.monotonic()
            assert ask(http, citizen, **ME).status_code == 200
            spent.append(time.monotonic() - began)
        assert set(answers) <= {200, 503}
    assert statistics.median(spent) < 2


FORGED = ("\u2028", "${jndi:ldap://127.0.0.1/a}", "%0d%0aSet-Cookie: a=b", "x" * 8000, "\x1b[31m", "a\tb")


@pytest.mark.parametrize("value", FORGED, ids=range(len(FORGED)))
def test_b208_what_a_client_says_of_itself_is_not_logged(
    http: httpx.Client, citizen: dict[str, str], capsys: pytest.CaptureFixture[str], value: str
) -> None:
    names = ("User-Agent", "X-Request-Id", "Sokhoe-Client", "Referer", "Accept-Language")
    headers = [(name.encode(), value.encode()) for name in names]
    answer = http.post("/graphql", json=ME, headers=[*headers, (b"Authorization", citizen["Authorization"].encode())])

    assert answer.status_code in ({200, 400} if len(value) < 3000 else {431})
    assert answer.headers["x-request-id"] != value
    lines = capsys.readouterr().out.splitlines()
    for line in lines:
        assert isinstance(json.loads(line), dict)
        assert value not in line
        assert value.encode("unicode_escape").decode() not in line


@pytest.mark.parametrize("injected", [b"a\r\nx-evil: 1", b"a\nx-evil: 1", b"a\x00b", b"a\rb"])
def test_b208_line_ends_in_a_header_are_not_carried_on(server: RunningServer, injected: bytes) -> None:
    with RawConnection(server.url) as connection:
        connection.send(b"GET /livez HTTP/1.1\r\nhost: a\r\nuser-agent: " + injected + b"\r\n\r\n")
        answer = connection.answer()
    assert answer.status in {200, 400}
    assert "x-evil" not in answer.headers


def test_b209_who_the_caller_says_to_be_is_ignored(http: httpx.Client, citizen: dict[str, str]) -> None:
    said = dict.fromkeys(("X-Forwarded-For", "X-Real-IP", "Forwarded", "X-User-Id", "X-Remote-User"), "127.0.0.1")
    said |= {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example", "X-SSL-Client-Cert": "x"}
    plain, forged = ask(http, citizen, **ME), ask(http, {**citizen, **said}, **ME)

    assert forged.content == plain.content
    assert ask(http, said, **ME).status_code == 401


ORIGINS = ("https://evil.example", "null", "https://sokhoe.example.evil.example", "http://127.0.0.1:1")


@pytest.mark.parametrize("origin", ORIGINS)
def test_b210_no_other_origin_may_read(http: httpx.Client, citizen: dict[str, str], origin: str) -> None:
    asking = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    answers = [ask(http, {**citizen, "Origin": origin}, **ME)]
    answers += [http.options(path, headers=asking) for path in ("/graphql", "/ingest/qd4750", "/auth/token")]

    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert {answer.status_code for answer in answers[1:]} == {405}


PATHS = ("/graphql", "/livez", "/readyz", "/nothing", "/ingest/messages/x", "/.well-known/jwks.json", "/auth/token")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_b211_safe_headers_on_every_answer(http: httpx.Client, method: str, path: str) -> None:
    headers = http.request(method, path).headers

    assert headers["x-content-type-options"] == "nosniff"
    assert headers["strict-transport-security"].startswith("max-age=")
    assert "no-store" in headers["cache-control"] or path.startswith("/.well-known")
    assert "server" not in headers
    assert "x-powered-by" not in headers


@pytest.mark.parametrize(
    "path", ["/docs", "/redoc", "/openapi.json", "/graphiql", "/admin", "/debug", "/.env", "/.git/config"]
)
def test_b211_nothing_else_is_served(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code == 404


BODY = json.dumps(ME).encode()
POST = b"POST /graphql HTTP/1.1\r\nhost: a\r\n"
SMUGGLED = {
    "te and cl": POST + b"content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "te twice": POST + b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n0\r\n\r\n",
    "gzip, chunked": POST + b"transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "two lengths": POST + b"content-length: 4\r\ncontent-length: 5\r\n\r\n{}{}",
    "lengths in a list": POST + b"content-length: 4, 5\r\n\r\n{}{}",
    "negative length": POST + b"content-length: -1\r\n\r\n",
    "space before colon": POST + b"content-length : 4\r\n\r\n{}{}",
    "folded": POST + b"x: a\r\n b\r\ncontent-length: x\r\n\r\n",
    "http 0.9": b"GET /graphql\r\n\r\n",
    "http 2.0": b"GET /graphql HTTP/2.0\r\nhost: a\r\n\r\n",
    "no host": b"GET /graphql HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /graphql HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
    "100 headers": b"GET /livez HTTP/1.1\r\nhost: a\r\n" + b"".join(b"x%d: 1\r\n" % n for n in range(100)) + b"\r\n",
    "1 MB header": b"GET /livez HTTP/1.1\r\nhost: a\r\nx: " + b"a" * 1_000_000 + b"\r\n\r\n",
    "1 MB path": b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\nhost: a\r\n\r\n",
    "endless trailers": POST
    + b"transfer-encoding: chunked\r\n\r\n0\r\n"
    + b"x: aaaaaaaaaaaaaaaaaaaaaaaaa\r\n" * 40_000
    + b"\r\n",
    "a tunnel": b"CONNECT a:1 HTTP/1.1\r\nhost: a:1\r\n\r\n",
    "not http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("request_bytes", SMUGGLED.values(), ids=SMUGGLED)
def test_b212_what_two_servers_could_read_differently(server: RunningServer, request_bytes: bytes) -> None:
    with RawConnection(server.url) as connection:
        try:
            connection.send(request_bytes + b"GET /livez HTTP/1.1\r\nhost: smuggled\r\n\r\n")
            answer = connection.answer()
        except ConnectionError:  # hung up while it was still being sent
            return
        assert answer.status in {400, 431, 501}
        assert connection.is_closed()


@pytest.mark.parametrize("protocol", [b"h2c", b"TLS/1.0", b"nonsense"])
def test_b212_a_wish_for_another_protocol_changes_nothing(
    server: RunningServer, citizen: dict[str, str], protocol: bytes
) -> None:
    # Java's own HTTP client asks for h2c with every request on a plain connection (RFC 9110 section 7.8: ignored).
    asked = POST + b"content-type: application/json\r\ncontent-length: %d\r\n" % len(BODY)
    asked += b"authorization: %b\r\n" % citizen["Authorization"].encode()
    asked += b"connection: Upgrade, HTTP2-Settings\r\nupgrade: %b\r\nhttp2-settings: AAMA\r\n\r\n" % protocol
    for pieces in ([asked + BODY], [asked, BODY], [asked[:90], asked[90:] + BODY[:5], BODY[5:]]):
        with RawConnection(server.url) as connection:
            for piece in pieces:
                connection.send(piece)
            assert "id" in connection.answer().json()["data"]["me"]
            connection.send(head("GET", "/livez"))  # the body was not taken for the next request
            assert connection.answer().status == 200


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("coding", [b"content-length: 5\r\n", b"transfer-encoding: chunked\r\n"])
def test_b212_a_wish_for_a_websocket_with_a_body_is_none(server: RunningServer, method: str, coding: bytes) -> None:
    asked = b"%b /graphql HTTP/1.1\r\nhost: a\r\n%b" % (method.encode(), coding)
    asked += b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    asked += b"sec-websocket-protocol: graphql-transport-ws\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    body = b"hello" if b"length" in coding else b"5\r\nhello\r\n0\r\n\r\n"
    with RawConnection(server.url) as connection:
        connection.send(asked + body)
        assert connection.answer().status == (415 if method == "POST" else 405)


def test_b212_two_content_types_are_none(http: httpx.Client, citizen: dict[str, str]) -> None:
    headers = [*citizen.items(), ("content-type", "application/json"), ("content-type", "text/plain")]

    assert http.post("/graphql", content=BODY, headers=headers).status_code == 415


TRICKS = (
    "/graphql/",
    "//graphql",
    "/%67raphql",
    "/graphql%2f",
    "/./graphql",
    "/x/../graphql",
    "/GraphQL",
    "/graphql;a",
)


@pytest.mark.parametrize("path", TRICKS)
def test_b214_no_other_path_leads_there(server: RunningServer, citizen: dict[str, str], path: str) -> None:
    """Another spelling is another path, or it meets the very same guard (B192)."""
    too_large = json.dumps({"query": "#" * 70_000 + "\n{ me { id } }"}).encode()
    for content, same_guard in ((BODY, {200}), (too_large, {413})):
        fields = {"content_type": "application/json", "content_length": str(len(content)), **citizen}
        with RawConnection(server.url) as connection:
            connection.send(head("POST", path, **fields) + content)
            assert connection.answer().status in {404} | (same_guard if path == "/%67raphql" else set())


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method", "X-Original-URL", "X-Rewrite-URL"]
)
def test_b214_no_header_changes_method_or_path(http: httpx.Client, citizen: dict[str, str], name: str) -> None:
    headers = {**citizen, name: "/graphql" if "URL" in name else "POST"}

    assert http.get("/graphql", params=ME, headers=headers).status_code == 405
    assert http.post("/nothing", json=ME, headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["/logs", "/stats", "/metrics/", "/prometheus", "/actuator/metrics"])
def test_b215_logs_and_metrics_are_not_served_here(http: httpx.Client, citizen: dict[str, str], path: str) -> None:
    """Metrics stand here in demo mode alone (tests/gateway/test_metrics.py)."""
    assert {http.get(path, headers=headers).status_code for headers in ({}, citizen)} == {404}


def test_b216_a_wrong_token_takes_as_long_whatever_is_wrong(http: httpx.Client, token: str) -> None:
    """A prefix of a live token is found no sooner than noise: it is hashed before it is looked up."""
    guesses = {"near": token[:-1] + ("A" if token[-1] != "A" else "B"), "far": "x" * len(token)}
    spent: dict[str, list[float]] = {name: [] for name in guesses}
    for _ in range(60):
        for name, guess in guesses.items():
            began = time.perf_counter()
            assert ask(http, {"Authorization": f"Bearer {guess}"}, **ME).status_code == 401
            spent[name].append(time.perf_counter() - began)
    near, far = (statistics.median(spent[name]) for name in guesses)
    assert abs(near - far) < max(0.002, 0.5 * max(near, far))
