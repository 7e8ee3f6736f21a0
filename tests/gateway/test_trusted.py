"""Released operations: by id alone, and their answers once only as long as nothing changes."""

import re
from collections.abc import Iterator, Mapping

import httpx
import pytest
from graphql import NonNullTypeNode, OperationDefinitionNode, OperationType

from app.core.settings import Settings
from app.gateway import trusted
from app.gateway.trusted import document_id, trusted_operations
from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.ingestion.messages import VISIT
from tests.people import Stand
from tests.sockets import PATIENCE

NUMBER = VISIT["SO_CCCD"] or ""
OTHER_NUMBER = "001185012399"
ETAG = r'"[0-9a-f]{24}-[0-9]+\.[0-9a-f]{24}"'
BY_NAME = {known.name: known for known in trusted_operations().values()}
ASKED_BY_CITIZENS = sorted(
    name
    for name, known in BY_NAME.items()
    for definition in known.document.definitions
    if isinstance(definition, OperationDefinitionNode)
    and definition.operation is OperationType.QUERY
    and known.file.startswith("citizen/")
    and not any(
        isinstance(one.type, NonNullTypeNode) and one.default_value is None
        for one in definition.variable_definitions or ()
    )
)
"""Queries of the citizen's app that need no variable."""
Headers = Mapping[str, str]


@pytest.fixture(scope="module")
def released(settings: Settings) -> Iterator[httpx.Client]:
    """Speak with a server as it is installed: released operations only."""
    running = RunningServer(settings.model_copy(update={"demo": False}))
    running.start()
    with httpx.Client(base_url=running.url, timeout=PATIENCE) as client:
        yield client
    running.stop()


@pytest.fixture(scope="module")
def facility(stand: Stand) -> str:
    token = stand.facility("01901")
    assert stand.file(messages.message(), token=token) == "filed"
    other = {"HO_TEN": "Trần Thị Bé", "SO_CCCD": OTHER_NUMBER, "MA_THE_BHYT": "", "MA_LK": "other"}
    assert stand.file(messages.envelope(messages.visit_xml({"XML1": [{**VISIT, **other}]})), token=token) == "filed"
    return token


@pytest.fixture
def owner(stand: Stand, facility: str) -> dict[str, str]:
    assert facility
    return signed_in(stand, NUMBER)


def signed_in(stand: Stand, number: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {stand.citizen_token(stand.citizen_by(number))}"}


def ask(http: httpx.Client, name: str, headers: Headers, **variables: object) -> httpx.Response:
    return http.post("/graphql", json={"documentId": BY_NAME[name].id, "variables": variables}, headers=headers)


@pytest.mark.parametrize("name", ASKED_BY_CITIZENS)
def test_a_released_operation_says_what_its_text_says(
    http: httpx.Client, released: httpx.Client, owner: dict[str, str], name: str
) -> None:
    by_id = ask(released, name, owner)
    in_demo = ask(http, name, owner)
    by_text = http.post("/graphql", json={"query": BY_NAME[name].text}, headers=owner)

    assert by_id.status_code == 200
    assert "errors" not in by_id.json()
    assert by_id.content == in_demo.content == by_text.content


@pytest.mark.parametrize(
    "members",
    [
        {"query": "{ me { id } }"},
        {"query": "{ __typename }"},
        {"query": "{ __schema { types { name } } }"},
        {"query": BY_NAME["Me"].text},
        {"query": "{"},
        {"documentId": "sha256:" + "0" * 64},
        {"documentId": BY_NAME["Me"].id.removeprefix("sha256:")},
        {"documentId": BY_NAME["Me"].id.upper()},
        {"documentId": BY_NAME["Me"].id + " "},
        {"documentId": "../Me"},
        {"documentId": BY_NAME["Me"].id, "query": BY_NAME["Me"].text},
        {"documentId": BY_NAME["Me"].id, "query": "{ healthBook { version } }"},
        {"documentId": BY_NAME["Me"].id, "operationName": "Home"},
        {"documentId": BY_NAME["Me"].id, "operationName": ""},
        {"documentId": document_id("{ me { id } }"), "extensions": {"query": "{ me { id } }"}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": BY_NAME["Me"].id[7:]}}},
        {
            "query": "{ me { id } }",
            "extensions": {"persistedQuery": {"version": 1, "sha256Hash": document_id("{ me { id } }")[7:]}},
        },
    ],
)
def test_b183_b200_nothing_else_is_answered(
    released: httpx.Client, owner: dict[str, str], members: dict[str, object]
) -> None:
    for headers in (owner, {}):
        answer = released.post("/graphql", json=members, headers=headers)

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["extensions"] == {"code": "INVALID"}
        assert "data" not in answer.json()
    assert ask(released, "Me", owner).status_code == 200


def test_b141_b142_a_released_operation_needs_a_person(released: httpx.Client, facility: str) -> None:
    refused = [
        ask(released, name, headers)
        for name in ASKED_BY_CITIZENS
        for headers in ({}, {"Authorization": f"Bearer {facility}"}, {"Authorization": "Bearer " + "x" * 43})
    ]

    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.content for answer in refused}) == 1


def test_a_subscription_is_told_to_go_over_its_socket(released: httpx.Client, owner: dict[str, str]) -> None:
    answer = released.post("/graphql", json={"documentId": BY_NAME["BookEvents"].id}, headers=owner)

    assert answer.status_code == 400
    assert "WS /graphql" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("first", [0, 51, "1", 1.5, None, 2**40])
def test_b194_variables_of_a_released_operation(released: httpx.Client, owner: dict[str, str], first: object) -> None:
    (error,) = ask(released, "Visits", owner, first=first).json()["errors"]

    assert error["extensions"] == {"code": "INVALID"}


def test_unchanged_answers_are_not_sent_again(released: httpx.Client, owner: dict[str, str]) -> None:
    first = ask(released, "Visits", owner)
    etag = first.headers["etag"]

    for known in (etag, f"W/{etag}", f'"x", {etag}', f"{etag},", f'"a.b",W/{etag} , "c"'):
        again = ask(released, "Visits", {**owner, "If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert again.headers["cache-control"] == "no-store, private"
    in_two_fields = [("If-None-Match", '"x"'), ("If-None-Match", etag), *owner.items()]
    again = released.post("/graphql", json={"documentId": BY_NAME["Visits"].id}, headers=in_two_fields)
    assert again.status_code == 200 or again.headers["etag"] == etag


@pytest.mark.parametrize(
    "known",
    ["", "*", '"', "x", '""', '"."', '".."', "W/", ",,,", '"a.b"', "\\x00", '"' + "a" * 8000 + '.b"', "é", '"é.è"'],
)
def test_malformed_if_none_match(released: httpx.Client, owner: dict[str, str], known: str) -> None:
    headers = [(b"if-none-match", known.encode()), (b"authorization", owner["Authorization"].encode())]

    answer = released.post("/graphql", json={"documentId": BY_NAME["Visits"].id}, headers=headers)

    assert (answer.status_code, "errors" in answer.json()) == (200, False)


def test_an_etag_is_of_one_question(
    http: httpx.Client, released: httpx.Client, stand: Stand, owner: dict[str, str]
) -> None:
    etag = ask(released, "Visits", owner).headers["etag"]
    known = {**owner, "If-None-Match": etag}

    others = [
        ask(released, "Visits", known, first=5),
        ask(released, "Visits", known, facilityCode="01901"),
        ask(released, "Prescriptions", known),
        ask(released, "Visits", {**known, "Accept-Language": "en"}),
        ask(released, "Visits", {**signed_in(stand, OTHER_NUMBER), "If-None-Match": etag}),
    ]

    assert {answer.status_code for answer in others} == {200}
    etags = [answer.headers["etag"] for answer in others]
    assert len({etag, *etags}) == 6
    assert ask(http, "Visits", known).status_code == 304


def test_a_version_made_up_for_a_known_question(released: httpx.Client, owner: dict[str, str]) -> None:
    question = ask(released, "Visits", owner).headers["etag"].strip('"').partition(".")[2]

    for version in ("x", "'; SELECT 1--", "a" * 4000, "%s", "$1"):
        answer = ask(released, "Visits", {**owner, "If-None-Match": f'"{version}.{question}"'})
        assert (answer.status_code, "errors" in answer.json()) == (200, False)


def test_a_new_message_changes_the_etag(
    released: httpx.Client, stand: Stand, facility: str, owner: dict[str, str]
) -> None:
    first = ask(released, "Visits", owner)
    known = {**owner, "If-None-Match": first.headers["etag"]}
    assert ask(released, "Visits", known).status_code == 304

    number_of_visits = len(first.json()["data"]["healthBook"]["visits"]["edges"])
    body = messages.envelope(messages.visit_xml({"XML1": [{**VISIT, "MA_LK": "a-later-visit"}]}))
    assert stand.file(body, token=facility) == "filed"

    second = ask(released, "Visits", known)
    assert second.status_code == 200
    assert second.headers["etag"] != first.headers["etag"]
    assert len(second.json()["data"]["healthBook"]["visits"]["edges"]) == number_of_visits + 1


def test_b125_a_known_answer_still_needs_a_live_session(
    released: httpx.Client, stand: Stand, owner: dict[str, str]
) -> None:
    etag = ask(released, "Visits", owner).headers["etag"]
    known = {**owner, "If-None-Match": etag}
    assert ask(released, "Visits", known).status_code == 304
    stand.as_owner(
        "UPDATE auth.session SET ended_at = clock_timestamp() WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=owner["Authorization"].removeprefix("Bearer "),
    )

    for headers in (known, {"If-None-Match": etag}, {"If-None-Match": etag, "Authorization": "Bearer " + "x" * 43}):
        answer = ask(released, "Visits", headers)
        assert answer.status_code == 401
        assert "etag" not in answer.headers


def test_a_released_document_is_parsed_once(
    released: httpx.Client, owner: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(released, "Visits", owner).status_code == 200

    def never(*_arguments: object, **_more: object) -> None:
        pytest.fail("the document was parsed again")

    monkeypatch.setattr(trusted, "parse", never)
    assert ask(released, "Visits", owner).status_code == 200


def test_an_answer_that_is_not_a_books_has_no_etag(released: httpx.Client, owner: dict[str, str]) -> None:
    answer = ask(released, "Me", {**owner, "If-None-Match": "*"})

    assert (answer.status_code, "etag" in answer.headers) == (200, False)


def test_an_unchanged_home_screen_is_not_sent_again(released: httpx.Client, owner: dict[str, str]) -> None:
    etag = ask(released, "Home", owner).headers["etag"]

    assert ask(released, "Home", {**owner, "If-None-Match": etag}).status_code == 304


def test_etag_has_the_form_that_http_knows(released: httpx.Client, owner: dict[str, str]) -> None:
    assert re.fullmatch(ETAG, ask(released, "Visits", owner).headers["etag"])
