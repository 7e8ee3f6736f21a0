"""Over HTTP, against the processes as they run: no other person's book, no difference to see, nothing in the logs."""

import base64
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from app.gateway.trusted import trusted_operations
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.attacks.product import Product, running
from tests.attacks.tries import run
from tests.conftest import Ground
from tests.given import is_live, variables_of
from tests.people import Stand
from tests.sockets import PATIENCE

ONE, TWO = Member(number=601), Member(number=602)
CANARY = Member(
    number=603,
    fields={
        "HO_TEN": "Nguyễn Canary Bí Mật",
        "DIEN_THOAI": "0987650603",
        "DIA_CHI": "Số 603 phố Hoàng Yến",
        "LY_DO_VV": "Canary đau đầu",
        "CHAN_DOAN_RV": "Canary chẩn đoán",
        "MA_BN": "BN-CANARY-603",
    },
)
BOOK = "query Book($id: ID) { healthBook(citizenId: $id) { version owner { fullName } visits { nodes { reason } } } }"


@dataclass(frozen=True, slots=True)
class People:
    """Three people with books, a hospital, and their tokens."""

    one: UUID
    two: UUID
    one_token: str
    two_token: str
    canary_token: str
    sender: str
    client: httpx.Client
    product: Product

    def ask(self, body: object, *, token: str | None = None, **headers: str) -> httpx.Response:
        """Post a GraphQL request; a token that is not named is the first person's."""
        token = self.one_token if token is None else token
        return self.client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}", **headers})

    def book(self, citizen_id: object, *, token: str | None = None, **headers: str) -> httpx.Response:
        """Ask for somebody's book."""
        return self.ask({"query": BOOK, "variables": {"id": citizen_id}}, token=token, **headers)


@pytest.fixture(scope="module")
def people(stand: Stand, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[People]:
    sender = stand.facility()
    with (
        running(settings, tmp_path_factory.mktemp("product")) as product,
        httpx.Client(base_url=product.url, timeout=PATIENCE) as client,
    ):
        as_sender = {"Authorization": f"Bearer {sender}", "Content-Type": "application/xml"}
        sent = client.post("/ingest/qd4750", content=message(ONE, TWO, CANARY), headers=as_sender)
        assert sent.status_code == 202, sent.text
        give_up_at = time.monotonic() + PATIENCE
        receipt = f"/ingest/messages/{sent.json()['messageId']}"
        while client.get(receipt, headers=as_sender).json()["status"] != "filed":
            assert time.monotonic() < give_up_at, product.said().decode()
            time.sleep(0.02)
        one, two, canary = (stand.citizen_by(member.personal_id) for member in (ONE, TWO, CANARY))
        one_token, two_token, canary_token = (stand.citizen_token(citizen) for citizen in (one, two, canary))
        yield People(one, two, one_token, two_token, canary_token, sender, client, product)


def test_t1_ones_own_book_is_answered_by_name_or_without(people: People) -> None:
    for wanted in (None, str(people.one), str(people.one).upper(), people.one.hex):
        answer = people.book(wanted)
        assert answer.status_code == 200
        assert answer.json()["data"]["healthBook"]["owner"]["fullName"] == ONE.name
        assert ONE.told in answer.text
        assert "errors" not in answer.json()


def strangers(people: People) -> list[object]:
    two = str(people.two)
    return [
        two,
        two.upper(),
        "{" + two + "}",
        "urn:uuid:" + two,
        "00000000-0000-0000-0000-000000000000",
        "01900000-0000-7000-8000-000000000007",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "",
        "x",
        "1",
        2,
        two[:-1],
        two + "0",
        f"{people.one},{two}",
        f"{people.one}' OR '1'='1",
        TWO.personal_id,
        base64.b64encode(two.encode()).decode(),
        "ă" * 36,
        "9" * 5000,
    ]


def test_b131_a_strangers_book_an_absent_one_and_a_malformed_id_look_alike(people: People) -> None:
    answers = [people.book(wanted) for wanted in strangers(people)]
    told = {
        (
            answer.status_code,
            answer.content,
            tuple(sorted((k, v) for k, v in answer.headers.items() if k not in {"x-request-id", "date"})),
        )
        for answer in answers
    }
    assert len(told) == 1
    body = answers[0].json()
    assert body["data"] == {"healthBook": None}
    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]
    assert answers[0].status_code == 200


def test_b131_the_same_in_the_other_language_and_beside_another_field(people: People) -> None:
    query = "query Book($id: ID) { me { fullName } healthBook(citizenId: $id) { version } }"
    for language in ("en", "vi"):
        answers = {
            people.ask({"query": query, "variables": {"id": wanted}}, **{"Accept-Language": language}).content
            for wanted in strangers(people)
        }
        assert len(answers) == 1
        body = json.loads(answers.pop())
        assert body["data"] == {"me": {"fullName": ONE.name}, "healthBook": None}


def test_b131_an_id_written_into_the_document_is_no_way_in(people: People) -> None:
    for wanted in (people.two, "x", UUID(int=7)):
        for query in (
            f'{{ healthBook(citizenId: "{wanted}") {{ version }} }}',
            f'{{ a: healthBook(citizenId: "{wanted}") {{ version }} }}',
            f'query {{ ...F }} fragment F on Query {{ healthBook(citizenId: "{wanted}") {{ version }} }}',
        ):
            body = people.ask({"query": query}).json()
            assert list(body["data"].values()) == [None]
            assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_FOUND"]


def unauthenticated(people: People) -> dict[str, httpx.Headers]:
    token = people.one_token
    return {
        name: httpx.Headers(pairs)
        for name, pairs in {
            "none": [],
            "empty": [("Authorization", "")],
            "no scheme": [("Authorization", token)],
            "basic": [("Authorization", "Basic " + base64.b64encode(token.encode()).decode())],
            "unknown": [("Authorization", "Bearer " + "x" * 43)],
            "cut": [("Authorization", f"Bearer {token[:-1]}")],
            "longer": [("Authorization", f"Bearer {token}A")],
            "facility": [("Authorization", f"Bearer {people.sender}")],
            "twice": [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")],
            "two": [("Authorization", f"Bearer {token}, Bearer {people.two_token}")],
            "dpop": [("Authorization", f"DPoP {token}")],
            "cookie": [("Cookie", f"token={token}; Authorization=Bearer {token}")],
            "other header": [("X-Authorization", f"Bearer {token}"), ("Proxy-Authorization", f"Bearer {token}")],
        }.items()
    }


def bodies(people: People) -> list[dict[str, object]]:
    trusted: list[dict[str, object]] = [
        {"documentId": one, "variables": variables_of(known, people.two)}
        for one, known in trusted_operations().items()
        if not is_live(known)
    ]
    targets = (None, str(people.one), str(people.two), "x")
    plain: list[dict[str, object]] = [{"query": BOOK, "variables": {"id": wanted}} for wanted in targets]
    return [*trusted, *plain, {"query": "{ me { fullName } }"}]


def test_b142_without_a_live_session_of_a_person_everything_is_401(people: People) -> None:
    for name, headers in unauthenticated(people).items():
        for body in bodies(people):
            answer = people.client.post("/graphql", json=body, headers=headers)
            assert answer.status_code == 401, (name, body, answer.text)
            assert answer.headers["www-authenticate"].startswith("DPoP" if name == "dpop" else "Bearer")
            assert set(answer.json()) == {"errors"}
            assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAUTHENTICATED"]


def test_b130_a_token_in_the_query_string_is_ignored(people: People) -> None:
    for name in ("access_token", "token", "authorization"):
        answer = people.client.post("/graphql", params={name: people.one_token}, json=bodies(people)[0])
        assert answer.status_code == 401


def test_b126_an_ended_session_is_401_at_the_next_request(people: People, stand: Stand) -> None:
    token = stand.citizen_token(people.one)
    assert people.book(None, token=token).status_code == 200
    stand.as_owner(
        "UPDATE auth.session SET ended_at = now() WHERE token_hash = sha256(convert_to(:token, 'UTF8'))", token=token
    )
    for body in bodies(people):
        assert people.ask(body, token=token).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        "{ healthBook { version } other: healthBook { version } }",
        "query($id: ID) { healthBook { version } other: healthBook(citizenId: $id) { version } }",
        """query($id: ID) { ...A ...B }
           fragment A on Query { healthBook { version } }
           fragment B on Query { b: healthBook(citizenId: $id) { version } }""",
    ],
)
def test_two_books_in_one_operation_are_invalid(people: People, query: str) -> None:
    answer = people.ask({"query": query, "variables": {"id": str(people.two)}})
    assert answer.status_code == 400
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["INVALID"]


def test_an_etag_is_good_for_its_viewer_and_question_alone(people: People) -> None:
    first = people.book(None)
    etag = first.headers["etag"]
    assert people.book(None, **{"If-None-Match": etag}).status_code == 304
    others = [
        people.book(None, token=people.two_token, **{"If-None-Match": etag}),
        people.book(None, **{"If-None-Match": etag, "Accept-Language": "en"}),
        people.ask({"query": "{ healthBook { version } }"}, **{"If-None-Match": etag}),
    ]
    assert [answer.status_code for answer in others] == [200, 200, 200]
    assert TWO.told in others[0].text
    assert ONE.told not in others[0].text


def test_an_etag_is_good_for_one_operation_of_a_document(people: People) -> None:
    query = "query A { healthBook { version } } query B { healthBook { owner { fullName } } }"
    first = people.ask({"query": query, "operationName": "A"})
    other = people.ask({"query": query, "operationName": "B"}, **{"If-None-Match": first.headers["etag"]})
    assert (other.status_code, other.json()["data"]["healthBook"]) == (200, {"owner": {"fullName": ONE.name}})


@pytest.mark.parametrize("etag", [b"*", b'"1.o.x"', b'""', b"W/", b'"' + b"1" * 500 + b'"', b'"\xe9"'])
def test_an_etag_that_is_none_is_no_way_round_the_session(people: People, etag: bytes) -> None:
    for token, status in (("x" * 43, 401), (people.one_token, 200)):
        headers = {b"Authorization": f"Bearer {token}".encode(), b"If-None-Match": etag}
        assert people.client.post("/graphql", json=bodies(people)[0], headers=headers).status_code == status


@pytest.mark.parametrize("value", [2**63, 2**70, -(2**70), 1e300, {"a": [None]}, "\ud800"])
def test_a_variable_that_nobody_declared_is_no_defect(people: People, value: object) -> None:
    for document in trusted_operations():
        body = json.dumps({"documentId": document, "variables": {"unknown": value}}).encode()
        headers = {"Authorization": f"Bearer {people.one_token}", "Content-Type": "application/json"}
        answer = people.client.post("/graphql", content=body, headers=headers)
        assert answer.status_code in {200, 400}, answer.text


def test_b141_a_persons_token_is_no_hospitals(people: People) -> None:
    for token in (people.one_token, "x" * 43):
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
        sent = people.client.post("/ingest/qd4750", content=message(ONE), headers=headers)
        assert sent.status_code == 401
        assert people.client.get("/ingest/messages", headers=headers).status_code == 401


def spoil(people: People) -> None:
    """Send what fails in every way, with a person's data in every place."""
    told = [CANARY.personal_id, CANARY.card, CANARY.name, *(str(value) for value in CANARY.fields.values())]
    for secret in told:
        header = secret.encode().hex() if not secret.isascii() else secret
        people.book(secret, token=people.canary_token)
        people.ask({"query": secret}, token=people.canary_token)
        people.ask({"query": f'{{ healthBook(citizenId: "{secret}") {{ {secret} }} }}'}, token=people.canary_token)
        people.ask({"documentId": secret, "variables": {secret: secret}}, token=people.canary_token)
        people.ask(
            {"documentId": next(iter(trusted_operations())), "variables": {"first": secret}}, token=people.canary_token
        )
        people.ask([secret], token=people.canary_token)
        people.client.post("/graphql", content=secret.encode() + b'{"', headers={"Content-Type": "application/json"})
        people.client.get(f"/{secret}", params={"q": secret}, headers={"User-Agent": header, "X-Request-Id": header})
        people.client.get(f"/ingest/messages/{secret}", headers={"Authorization": f"Bearer {people.sender}"})
        people.client.post("/graphql", json={}, headers={"Authorization": f"Bearer {header * 3}"})


def test_t19_names_numbers_and_tokens_stand_in_no_log(
    people: People, stand: Stand, ground: Ground, settings: Settings
) -> None:
    before = len(people.product.said())
    spoil(people)
    bad = message(Member(number=603, fields={**CANARY.fields, "NGAY_SINH": "Canary ngày sinh", "T_THUOC": "1,5"}))
    other_name = message(Member(number=603, fields={**CANARY.fields, "HO_TEN": "Canary Tên Khác"}))
    for body in (bad, other_name):
        headers = {"Authorization": f"Bearer {people.sender}", "Content-Type": "application/xml"}
        for path in ("/ingest/qd4750?dryRun=true", "/ingest/qd4750"):
            assert people.client.post(path, content=body, headers=headers).status_code in {200, 202}

    async def break_seal() -> None:
        async with tries.as_superuser(ground, settings) as superuser:
            await superuser.execute(
                "UPDATE auth.identifier SET sealed = set_byte(sealed, 20, get_byte(sealed, 20) # 1) "
                "WHERE citizen_id = $1",
                citizen,
            )
            await superuser.execute("UPDATE intake.message SET body = body || $1 WHERE status = 'received'", b"\0")

    citizen = stand.citizen_by(CANARY.personal_id)
    run(break_seal)
    broken = people.ask({"query": "{ me { ... on Citizen { fullName nationalId } } }"}, token=people.canary_token)
    assert broken.status_code == 500
    request_id = broken.json()["errors"][0]["extensions"]["requestId"]
    said = people.product.said()
    assert len(said) > before
    assert request_id.encode() in said  # support finds the defect by its id
    assert b"SealBroken" in said
    places = {"the processes": said, "PostgreSQL": ground.cluster.log.read_bytes()}
    secrets = [
        *(member.personal_id for member in (ONE, TWO, CANARY)),
        *(member.card for member in (ONE, TWO, CANARY)),
        *(str(value) for value in CANARY.fields.values()),
        *("Canary", "canary", ONE.told, TWO.told, ONE.name),
        *(people.one_token, people.two_token, people.canary_token, people.sender),
        *(path.read_text().strip() for path in settings.secrets_dir.glob("*.password")),
    ]
    for secret in secrets:
        forms = {secret, json.dumps(secret)[1:-1], secret.encode().hex(), base64.b64encode(secret.encode()).decode()}
        for form in forms:
            assert [name for name, text in places.items() if form.encode() in text] == []


def test_t19_what_postgresql_says_of_a_defect_is_neither_told_nor_logged(
    people: People, ground: Ground, settings: Settings
) -> None:
    """PostgreSQL's error texts may hold a value; a policy that fails on one shows what becomes of them."""
    failing = "CREATE POLICY defect ON auth.book AS RESTRICTIVE TO demo USING (('kept out: ' || citizen_id)::int = 0)"

    async def change(statement: str) -> None:
        async with tries.as_superuser(ground, settings) as superuser:
            await superuser.execute(statement)

    run(change, failing)
    try:
        broken = people.book(None)
    finally:
        run(change, "DROP POLICY defect ON auth.book")
    assert broken.status_code == 500
    assert "kept out" not in broken.text
    said = people.product.said()
    assert broken.json()["errors"][0]["extensions"]["requestId"].encode() in said
    assert b"22P02" in said
    assert b"kept out" not in said
    assert people.book(None).status_code == 200


def test_t19_every_line_of_the_log_is_one_json_object(people: People) -> None:
    lines = people.product.said().decode("ascii").splitlines()
    assert len(lines) > 100
    assert all(isinstance(json.loads(line), dict) for line in lines)
