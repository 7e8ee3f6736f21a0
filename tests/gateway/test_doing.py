"""Mutations over the wire: done once for each key, refused whole, answered like any other field."""

import asyncio
import hashlib
from uuid import UUID

import httpx
import orjson
import pytest

from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE

END = "mutation End($input: EndSessionInput!) { endSession(input: $input) { sessionId } }"
NUMBER = messages.VISIT["SO_CCCD"] or ""
OTHER_NUMBER = "001185012399"


@pytest.fixture(scope="module")
def owner(stand: Stand) -> UUID:
    facility = stand.facility("01901")
    assert stand.file(messages.message(), token=facility) == "filed"
    other = {"HO_TEN": "Trần Thị Bé", "SO_CCCD": OTHER_NUMBER, "MA_THE_BHYT": "", "MA_LK": "other"}
    visit = messages.visit_xml({"XML1": [{**messages.VISIT, **other}]})
    assert stand.file(messages.envelope(visit), token=facility) == "filed"
    return stand.citizen_by(NUMBER)


def session_of(stand: Stand, token: str) -> str:
    query = "SELECT id::text FROM auth.session WHERE token_hash = sha256(convert_to(:token, 'UTF8'))"
    found: str = stand.as_owner(query, token=token)[0].id
    return found


def is_alive(http: httpx.Client, token: str) -> bool:
    return http.post("/graphql", json={"query": "{ me { id } }"}, headers=bearer(token)).status_code == 200


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def end(http: httpx.Client, token: str, *, key: str, session: str, **headers: str) -> httpx.Response:
    asked = {"query": END, "variables": {"input": {"idempotencyKey": key, "sessionId": session}}}
    return http.post("/graphql", json=asked, headers={**bearer(token), **headers})


def test_a_mutation_is_done_and_answers_its_payload(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    token, lost = stand.citizen_token(owner, stepped_up=True), stand.citizen_token(owner)
    wanted = session_of(stand, lost)

    answer = end(http, token, key="a", session=wanted)

    assert (answer.status_code, answer.json()) == (200, {"data": {"endSession": {"sessionId": wanted}}})
    assert "etag" not in answer.headers
    assert (is_alive(http, lost), is_alive(http, token)) == (False, True)


def test_a_repeat_gives_the_same_answer_and_other_arguments_are_a_conflict(
    http: httpx.Client, stand: Stand, owner: UUID
) -> None:
    token = stand.citizen_token(owner, stepped_up=True)
    one, two = (session_of(stand, stand.citizen_token(owner)) for _ in range(2))
    first = end(http, token, key="b", session=one)

    assert end(http, token, key="b", session=one).content == first.content
    conflict = end(http, token, key="b", session=two).json()
    assert conflict["data"] is None
    assert conflict["errors"][0]["extensions"]["code"] == "CONFLICT"
    assert conflict["errors"][0]["path"] == ["endSession"]
    assert stand.as_owner("SELECT ended_at FROM auth.session WHERE id = :id", id=UUID(two))[0].ended_at is None


def test_a_key_is_its_viewers_own(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    other = stand.citizen_by(OTHER_NUMBER)
    for person in (owner, other):
        token = stand.citizen_token(person, stepped_up=True)
        wanted = session_of(stand, stand.citizen_token(person))
        assert end(http, token, key="shared", session=wanted).json()["data"]["endSession"]["sessionId"] == wanted


def test_b131_anothers_session_is_not_found_and_the_key_stays_free(
    http: httpx.Client, stand: Stand, owner: UUID
) -> None:
    token, strangers = stand.citizen_token(owner, stepped_up=True), stand.citizen_token(stand.citizen_by(OTHER_NUMBER))
    for wanted in (session_of(stand, strangers), str(UUID(int=7)), "x", "' OR 1=1--"):
        refused = end(http, token, key="c", session=wanted).json()
        assert refused["data"] is None
        assert [error["extensions"]["code"] for error in refused["errors"]] == ["NOT_FOUND"]
    assert is_alive(http, strangers)
    mine = session_of(stand, stand.citizen_token(owner))
    assert "errors" not in end(http, token, key="c", session=mine).json()


def test_b125_ones_own_session_ends_with_the_answer(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    token = stand.citizen_token(owner, stepped_up=True)

    answer = end(http, token, key="d", session=session_of(stand, token))

    assert "errors" not in answer.json()
    assert not is_alive(http, token)
    assert end(http, token, key="d", session="x").status_code == 401


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_key_that_is_none(http: httpx.Client, stand: Stand, owner: UUID, key: str) -> None:
    refused = end(http, stand.citizen_token(owner), key=key, session="x").json()

    assert refused["errors"][0]["extensions"]["code"] == "INVALID"
    assert "idempotencyKey" in refused["errors"][0]["message"]


def test_b141_b142_a_mutation_needs_a_person(http: httpx.Client, stand: Stand) -> None:
    facility = stand.facility("79001", name="Bệnh viện Khác")
    for headers in ({}, bearer(facility), bearer("x" * 43)):
        asked = {"query": END, "variables": {"input": {"idempotencyKey": "e", "sessionId": "x"}}}
        assert http.post("/graphql", json=asked, headers=headers).status_code == 401


def test_the_first_refusal_ends_the_operation(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    token = stand.citizen_token(owner, stepped_up=True)
    one, two = (session_of(stand, stand.citizen_token(owner)) for _ in range(2))
    query = f"""mutation {{
        first: endSession(input: {{idempotencyKey: "f1", sessionId: "{one}"}}) {{ sessionId __typename }}
        second: endSession(input: {{idempotencyKey: "f2", sessionId: "x"}}) {{ sessionId }}
        third: endSession(input: {{idempotencyKey: "f3", sessionId: "{two}"}}) {{ sessionId }} }}"""

    answer = http.post("/graphql", json={"query": query}, headers=bearer(token)).json()

    assert answer["data"] is None
    assert [error["path"] for error in answer["errors"]] == [["second"]]
    ended = stand.as_owner("SELECT id::text FROM auth.session WHERE ended_at IS NOT NULL")
    assert one in {row.id for row in ended}
    assert two not in {row.id for row in ended}


def test_a_hundred_at_once_with_one_key_are_one_deed(server: RunningServer, stand: Stand, owner: UUID) -> None:
    token = stand.citizen_token(owner, stepped_up=True)
    wanted = session_of(stand, stand.citizen_token(owner))
    asked = {"query": END, "variables": {"input": {"idempotencyKey": "g", "sessionId": wanted}}}

    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE, headers=bearer(token)) as client:
            return await asyncio.gather(*(client.post("/graphql", json=asked) for _ in range(100)))

    answers = asyncio.run(all_at_once())

    told = {answer.content for answer in answers if "errors" not in answer.json()}
    codes = {error["extensions"]["code"] for answer in answers for error in answer.json().get("errors", [])}
    assert len(told) == 1
    assert codes <= {"UNAVAILABLE"}  # who waits longer than a second for the first one is told to come again
    rows = stand.as_owner("SELECT told FROM auth.deed WHERE viewer = :viewer AND key = 'g'", viewer=owner)
    assert [row.told for row in rows] == [{"session_id": wanted, "ended": 1}]


def test_a_key_is_forgotten_after_two_days(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    token = stand.citizen_token(owner, stepped_up=True)
    one, two = (session_of(stand, stand.citizen_token(owner)) for _ in range(2))
    assert "errors" not in end(http, token, key="h", session=one).json()
    stand.as_owner("UPDATE auth.deed SET done_at = done_at - interval '48 hours 1 second' WHERE key = 'h'")

    assert end(http, token, key="h", session=two).json()["data"]["endSession"]["sessionId"] == two


def test_t18_what_a_key_stands_for_is_kept_keyed(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    """From an open digest whoever has a copy of the database would try every PIN and every personal id."""
    token = stand.citizen_token(owner, stepped_up=True)
    wanted = session_of(stand, stand.citizen_token(owner))
    assert end(http, token, key="keyed", session=wanted).status_code == 200

    (kept,) = stand.as_owner("SELECT digest FROM auth.deed WHERE key = 'keyed'")

    arguments = {"others": False, "sessionId": wanted}
    for given in (arguments, {"sessionId": wanted}):
        written = orjson.dumps(["endSession", given], option=orjson.OPT_SORT_KEYS)
        assert bytes(kept.digest) != hashlib.sha256(written).digest()
