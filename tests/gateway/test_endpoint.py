"""The GraphQL surface over the wire: whatever is sent gets a proper answer, never a 500."""

import json
from collections.abc import Mapping

import httpx
import pytest
from graphql import get_introspection_query

from app.gateway.endpoint import GRAPHQL_RESPONSE, JSON
from tests.ingestion import messages
from tests.people import Stand

NUMBER = messages.VISIT["SO_CCCD"] or ""
ME = "{ me { id } }"
APPLICATION_JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def citizen(stand: Stand) -> dict[str, str]:
    """Return the header of a citizen with a book."""
    assert stand.file(messages.message(), token=stand.facility("01901")) == "filed"
    return {"Authorization": f"Bearer {stand.citizen_token(stand.citizen_by(NUMBER))}"}


def sent(http: httpx.Client, content: bytes | str, headers: Mapping[str, str], **more: str) -> httpx.Response:
    return http.post("/graphql", content=content, headers={**APPLICATION_JSON, **headers, **more})


def asked(http: httpx.Client, headers: Mapping[str, str], **members: object) -> httpx.Response:
    return http.post("/graphql", json=members, headers=headers)


def assert_refused(answer: httpx.Response, code: str = "INVALID", status: int = 400) -> str:
    assert answer.status_code == status, answer.text[:500]
    assert answer.headers["content-type"] == JSON
    body = answer.json()
    assert body.keys() == {"errors"}
    (error,) = body["errors"]
    assert error["extensions"]["code"] == code
    for word in ("Traceback", "Error(", "/app/", "SELECT", "sqlalchemy", "asyncpg", "graphql.", "<class", "0x"):
        assert word not in error["message"]
    return str(error["message"])


def test_what_is_refused_here_is_good_without_the_fault(http: httpx.Client, citizen: dict[str, str]) -> None:
    answer = asked(http, citizen, query=ME)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == JSON
    assert answer.json()["data"]["me"]["id"]
    modern = asked(http, {**citizen, "Accept": GRAPHQL_RESPONSE}, query=ME)
    assert (modern.headers["content-type"], modern.content) == (GRAPHQL_RESPONSE, answer.content)
    assert sent(
        http, json.dumps({"query": ME}).encode(), citizen, **{"Content-Type": f"{JSON}; charset=utf-8"}
    ).is_success


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"])
def test_b186_b187_only_post(http: httpx.Client, citizen: dict[str, str], method: str) -> None:
    answer = http.request(method, "/graphql", params={"query": ME}, headers=citizen)

    assert answer.status_code in {400, 405}
    assert "data" not in answer.text
    if answer.status_code == 405:
        assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize(
    ("content_type", "content"),
    [
        ("application/x-www-form-urlencoded", "query=%7Bme%7Bid%7D%7D"),
        ("text/plain", json.dumps({"query": ME})),
        ("text/plain; application/json", json.dumps({"query": ME})),
        (
            "multipart/form-data; boundary=x",
            '--x\r\nContent-Disposition: form-data; name="query"\r\n\r\n{me{id}}\r\n--x--',
        ),
        ("application/graphql", ME),
        ("application/jsonx", json.dumps({"query": ME})),
        ("application/json, text/plain", json.dumps({"query": ME})),
        ("", json.dumps({"query": ME})),
    ],
)
def test_b188_to_b191_other_content_types(
    http: httpx.Client, citizen: dict[str, str], content_type: str, content: str
) -> None:
    assert_refused(sent(http, content, citizen, **{"Content-Type": content_type}), status=415)
    without = http.build_request("POST", "/graphql", content=content, headers=citizen)
    assert_refused(http.send(without), status=415)


def test_b192_large_bodies(http: httpx.Client, citizen: dict[str, str]) -> None:
    frame = len(json.dumps({"query": "#" + ME})) - 1
    fitting = json.dumps({"query": "#" * (65_536 - frame - 1) + "\n" + ME}, separators=(",", ":"))
    comment = json.dumps({"query": "#" * 5_000_000 + "\n" + ME})
    variables = json.dumps({"query": ME, "variables": {"a": "x" * 5_000_000}})

    assert sent(http, fitting.ljust(65_536), citizen).status_code == 200
    for body in (fitting.ljust(65_537), comment, variables):
        assert_refused(sent(http, body, citizen), status=413)
        assert_refused(
            http.post("/graphql", content=iter([body.encode()]), headers={**citizen, **APPLICATION_JSON}), status=413
        )
    assert_refused(sent(http, fitting, citizen, **{"Content-Encoding": "gzip"}), status=415)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"1",
        b"null",
        b"[]",
        b'"x"',
        b"true",
        b"{",
        b"{}",
        b"{me{id}}",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        '{"query": "{me{id}}"}'.encode("utf-16"),
        b'{"query": "{me{id}}"} {}',
        b'{"query": "\xff"}',
        b'[{"query": "{me{id}}"}]',
        b"[" + b",".join([b'{"query": "{me{id}}"}'] * 10) + b"]",
        b'{"query": "{me{id}}", "query": "{healthBook{version}}"}',
        b'{"query": "{me{id}}", "qu\\u0065ry": "{me{id}}"}',
        b'{"query": "{me{id}}", "variables": {"a": 1, "a": 2}}',
        b'{"query": "{me{id}}", "variables": NaN}',
        b'{"query": "{me{id}}", "variables": {"a": Infinity}}',
        b'{"query": "{me{id}}", "variables": {"a": 1e400}}',
        b'{"query": "{me{id}}", "variables": {"a": ' + b"9" * 5000 + b"}}",
        b'{"query": "{me{id}}", "variables": {"a": 123456789012345678901}}',
        b'{"query": "{me{id}}", "variables": {"a": ' + b"[" * 30_000 + b"]" * 30_000 + b"}}",
        b'{"query": "{me{id}}", "variables": {"a": ' + b"[" * 100 + b"]" * 100 + b"}}",
        b'{"query": "{me{id}}", "variables": ' + b'{"a":' * 10_000,
        b'{"query": "{me{id}}", "variables": {"a": "\\u0000"}}',
        b'{"query": "{me{id}}", "variables": {"a": "\\ud800"}}',
        b'{"query": "{me{id}}", "variables": {"\\udfff": 1}}',
        b'{"query": "{me{id}}\\u0000"}',
        b'{"query": "{me{id}}\\ud800"}',
        b'{"query": null}',
        b'{"query": 1}',
        b'{"query": ["{me{id}}"]}',
        b'{"query": {"a": 1}}',
        b'{"query": ""}',
        b'{"query": "{me{id}}", "operationName": 1}',
        b'{"query": "{me{id}}", "operationName": "Absent"}',
        b'{"query": "{me{id}}", "variables": []}',
        b'{"query": "{me{id}}", "variables": 0}',
        b'{"query": "{me{id}}", "variables": ""}',
        b'{"query": "{me{id}}", "variables": false}',
        b'{"query": "{me{id}}", "variables": "{}"}',
        b'{"query": "{me{id}}", "extensions": []}',
        b'{"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0"}}}',
        b'{"query": "query A {me{id}} query B {me{id}}"}',
        b'{"query": "{me{id}}", "documentId": "sha256:0"}',
        b'{"documentId": 1}',
        b'{"documentId": ""}',
    ],
)
def test_b192_to_b198_unreadable_requests(http: httpx.Client, citizen: dict[str, str], content: bytes) -> None:
    assert_refused(sent(http, content, citizen))


def test_nulls_and_unknown_members_are_nothing(http: httpx.Client, citizen: dict[str, str]) -> None:
    nothing: dict[str, object] = {"operationName": None, "variables": None, "extensions": None, "documentId": None}
    for more in (nothing, {"variables": {}, "id": 5, "unknown": [[1.5]]}, {"extensions": {"a": 1}}):
        assert asked(http, citizen, query=ME, **more).json()["data"]["me"]["id"]
    deep: object = "x"
    for _ in range(60):
        deep = [deep]
    assert asked(http, citizen, query=ME, variables={"unused": deep, "big": 2**63 - 1}).status_code == 200


VARIABLES: list[tuple[str, str, list[object]]] = [
    ("$a: Int!", "first: $a", [None, "1", 1.5, True, [], {}, 2**31, -(2**31) - 1, 2**63 - 1, 1e300, 0, -1, 51, 10_000]),
    ("$a: String", "after: $a", [1, True, [], {}, "", "x", "ồ", "a" * 60_000, "' OR 1=1--", "{}", "AAAA", "W10="]),
    (
        "$a: Date",
        "from: $a",
        [1, True, [], {}, "", "2026-13-01", "2026-02-30", "0000-01-01", "10000-01-01", "2026-1-1"],
    ),
    ("$a: Date", "from: $a", ["2026-11-22T00:00:00Z", "２０２６-11-22", "2026-11-22\n", "infinity", "today"]),
]


@pytest.mark.parametrize(
    ("declared", "argument", "value"), [(one, two, value) for one, two, values in VARIABLES for value in values]
)
def test_b194_b195_wrong_variables(
    http: httpx.Client, citizen: dict[str, str], declared: str, argument: str, value: object
) -> None:
    query = f"query({declared}) {{ healthBook {{ visits({argument}) {{ nodes {{ id }} }} }} }}"
    answer = asked(http, citizen, query=query, variables={"a": value})

    message = assert_refused(answer)
    assert "$a" in message or argument.partition(":")[0] in message
    assert len(message) < 200


@pytest.mark.parametrize(
    ("literal", "place"),
    [
        ("2147483648", "first"),
        ("9" * 5000, "first"),
        ("1e400", "first"),
        ("1.0", "first"),
        ('"5"', "first"),
        ("[5]", "first"),
        ("{a: 5}", "first"),
        ("FIVE", "first"),
        ("$undeclared", "first"),
        ("0", "first"),
        ("-1", "first"),
        ("51", "first"),
        ("5", "after"),
        ('"x"', "after"),
        ('"\\u0000"', "after"),
        ('"\\uD800"', "after"),
        ('"\\u{110000}"', "after"),
        ('"\\u{D800}"', "after"),
        ('"2026-02-30"', "from"),
        ("20260230", "from"),
        ('"today"', "from"),
    ],
)
def test_b195_b198_wrong_literals(http: httpx.Client, citizen: dict[str, str], literal: str, place: str) -> None:
    query = f"{{ healthBook {{ visits({place}: {literal}) {{ nodes {{ id }} }} }} }}"

    message = assert_refused(asked(http, citizen, query=query))
    assert len(message) < 5500


@pytest.mark.parametrize(
    "value", ["x", "", "0", 1, "' OR 1=1--", "ồ", "a" * 60_000, "{00000000-0000-0000-0000-000000000000}"]
)
def test_b134_ids_that_are_none(http: httpx.Client, citizen: dict[str, str], value: object) -> None:
    query = "query($id: ID) { healthBook(citizenId: $id) { version } }"
    answer = asked(http, citizen, query=query, variables={"id": value})

    assert answer.status_code == 200
    assert answer.json()["data"] == {"healthBook": None}
    (error,) = answer.json()["errors"]
    assert (error["extensions"]["code"], error["path"]) == ("NOT_FOUND", ["healthBook"])
    assert error["message"] == "Không tìm thấy."


@pytest.mark.parametrize(
    "query",
    [
        "{",
        "{ me { id }",
        "{ nothing }",
        "{ me { id ",
        "mutation { nothing }",
        "subscription { nothing }",
        "{ me { id } } }",
        "query ($a: Nothing) { me { id } }",
        "query ($a: Int) { me { id } }",
        "{ me }",
        "{ me { id { x } } }",
        "{ me(x: 1) { id } }",
        "{ ...F }",
        "{ me { ... on Nothing { id } } }",
        "{ me @nothing { id } }",
        "{ me @skip { id } }",
        "{ me @include(if: $a) { id } }",
        "\u202e{ me { id } }",
        "{ me { ồ } }",
        '{ me { id(a: "unfinished) } }',
        '{ me { id(a: """unfinished) } }',
    ],
)
def test_documents_with_faults(http: httpx.Client, citizen: dict[str, str], query: str) -> None:
    assert "line 1, column" in assert_refused(asked(http, {**citizen, **accepting("en")}, query=query))


@pytest.mark.parametrize(
    "document", ["{ sharedHealthBook(grantId: null) { version } }", "{ me @skip(if: null) { id } }"]
)
def test_b195_a_missing_value_is_null_and_not_a_word_of_python(
    http: httpx.Client, citizen: dict[str, str], document: str
) -> None:
    (error,) = asked(http, citizen, query=document).json()["errors"]

    assert error["message"].endswith("not to be null.")


def test_the_place_of_a_root_field_is_told_with_its_path(http: httpx.Client, citizen: dict[str, str]) -> None:
    """Source: GraphQL specification, Errors: an error that belongs to a point of the document has its location."""
    query = """query Q { a: sharedHealthBook(grantId: "x") { version } ...F }
fragment F on Query { me { id } ... on Query { accessLog(citizenId: "x") { pageInfo { hasNextPage } } } }"""
    errors = asked(http, citizen, query=query).json()["errors"]

    assert [(one["path"], one["locations"]) for one in errors] == [
        (["a"], [{"line": 1, "column": 11}]),
        (["accessLog"], [{"line": 2, "column": 48}]),
    ]


def test_the_place_of_a_refused_mutation_is_told(http: httpx.Client, citizen: dict[str, str]) -> None:
    query = 'mutation {\n  x: cancelShareCode(input: {idempotencyKey: "k", shareCodeId: "x"}) { shareCode { id } } }'
    (error,) = asked(http, citizen, query=query).json()["errors"]

    assert (error["path"], error["locations"]) == (["x"], [{"line": 2, "column": 3}])


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("{ me {\n  nothing } }", [(2, 3)]),
        ("{ me { id }", [(1, 12)]),
        ("{ a: me { id } a: sessions { id } }", [(1, 3), (1, 16)]),
        ('{ healthBook(citizenId: ["x"]) { version } }', [(1, 25)]),
        ('{ healthBook { visits(from: "today") { nodes { id } } } }', [(1, 29)]),
        ('{ previewShare(scope: {sections: [VISITS], from: "today"}) { version } }', [(1, 50)]),
        ('{ previewShare(scope: {sections: [VISITS], recordIds: ["x", 1.5]}) { version } }', [(1, 61)]),
        ("query ($a: Int!) { healthBook { visits(first: $a) { nodes { id } } } }", [(1, 8)]),
    ],
)
def test_the_place_of_a_fault_is_told_as_graphql_tells_it(
    http: httpx.Client, citizen: dict[str, str], query: str, places: list[tuple[int, int]]
) -> None:
    """Source: GraphQL specification, Errors, Request Errors."""
    (error,) = asked(http, citizen, query=query).json()["errors"]

    assert error["locations"] == [{"line": line, "column": column} for line, column in places]


def test_a_variable_that_was_not_sent_is_missing(http: httpx.Client, citizen: dict[str, str]) -> None:
    query = "query ($a: Int!) { healthBook { visits(first: $a) { nodes { id } } } }"
    english = {**citizen, **accepting("en")}

    assert assert_refused(asked(http, citizen, query=query)) == "Thiếu biến $a."
    assert assert_refused(asked(http, english, query=query)) == "Variable $a is missing."
    sent_as_null = asked(http, english, query=query, variables={"a": None})
    assert assert_refused(sent_as_null) == "Variable $a is not valid."


@pytest.mark.parametrize(
    "query",
    [
        "type A { a: Int }",
        "fragment F on Query { me { id } }",
        "{ healthBook { version } a: healthBook { version } }",
        "{ __schema { types { name } } me { id } }",
    ],
)
def test_documents_that_ask_for_nothing_or_too_much(http: httpx.Client, citizen: dict[str, str], query: str) -> None:
    assert_refused(asked(http, citizen, query=query))


def test_b183_b184_introspection_in_demo_mode(http: httpx.Client) -> None:
    for query in (get_introspection_query(), get_introspection_query(input_value_deprecation=True)):
        answer = asked(http, {}, query=query)
        assert answer.status_code == 200
        assert answer.json()["data"]["__schema"]["queryType"]["name"] == "Query"
    assert asked(http, {}, query='{ __type(name: "Citizen") { name } }').json() == {
        "data": {"__type": {"name": "Citizen"}}
    }
    assert asked(http, {}, query="{ __typename }").json() == {"data": {"__typename": "Query"}}
    spread = "{ ...F ... { __typename } } fragment F on Query { __schema { queryType { name } } }"
    assert asked(http, {}, query=spread).json()["data"]["__schema"] == {"queryType": {"name": "Query"}}
    for mixture in (
        '{ __type(name: "Citizen") { name } me { id } }',
        '{ me { id } ...F } fragment F on Query { __type(name: "Citizen") { name } }',
        '{ ... { me { id } } ... on Query { ... { __type(name: "Citizen") { name } } } }',
    ):
        mixed = asked(http, {"Accept-Language": "en"}, query=mixture)
        assert_refused(mixed)
        assert "operation of its own" in mixed.json()["errors"][0]["message"]
    circular = "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }"
    assert_refused(asked(http, {}, query=circular))
    assert_refused(asked(http, {}, query="query($a: String!) { __type(name: $a) { name } }"))
    assert_refused(
        asked(http, {}, query="query($a: Boolean!) { __schema @skip(if: $a) { types { name } } }", variables={"a": 1})
    )


def test_b185_no_field_is_suggested(http: httpx.Client, citizen: dict[str, str]) -> None:
    for query in (
        "{ healthBok { version } }",
        "{ me { fullname } }",
        "{ healthBook { visits(frist: 1) { nodes { id } } } }",
    ):
        message = assert_refused(asked(http, citizen, query=query))
        assert "did you mean" not in message.lower()
    message = assert_refused(asked(http, citizen, query="query($a: Dat) { me { id } }"))
    assert "did you mean" not in message.lower()


def test_b142_without_a_session(http: httpx.Client) -> None:
    answers = [
        asked(http, headers, query=query)
        for query in (ME, "{ healthBook { version } }", "{ me { __typename } }")
        for headers in ({}, {"Authorization": "Bearer " + "a" * 43}, {"Cookie": "token=" + "a" * 43})
    ]
    for answer in answers:
        assert_refused(answer, "UNAUTHENTICATED", 401)
        error = ' error="invalid_token"' if "authorization" in answer.request.headers else ""  # RFC 6750 section 3.1
        assert answer.headers["www-authenticate"] == f'Bearer{error}, DPoP algs="ES256"'
    assert len({answer.content for answer in answers}) == 1


def test_b130_token_in_the_address_or_the_body(http: httpx.Client, citizen: dict[str, str]) -> None:
    token = citizen["Authorization"].removeprefix("Bearer ")
    for name in ("token", "access_token", "authorization"):
        assert_refused(
            http.post("/graphql", json={"query": ME, name: token}, params={name: token}), "UNAUTHENTICATED", 401
        )
    assert asked(http, {"Authorization": f"bearer {token}"}, query=ME).status_code == 200


def test_errors_in_both_languages(http: httpx.Client, citizen: dict[str, str]) -> None:
    faults: tuple[dict[str, object], ...] = ({"query": "{ me { id }", "variables": []}, {}, {"documentId": "sha256:0"})
    for fault in faults:
        vi, en = (
            assert_refused(http.post("/graphql", json=fault, headers={**citizen, **accepting(tag)}))
            for tag in ("vi", "en")
        )
        assert vi != en
    refused = [
        assert_refused(asked(http, accepting(tag), query=ME), "UNAUTHENTICATED", 401)
        for tag in ("vi-VN", "en-US", "fr", "")
    ]
    assert refused[0] == refused[2] == refused[3] == "Phiên đăng nhập không còn hiệu lực. Vui lòng đăng nhập lại."
    assert refused[1] == "The session is not valid any more. Please sign in again."


def accepting(language: str) -> dict[str, str]:
    return {"Accept-Language": language}


def test_legacy_clients_read_refusals_under_200(http: httpx.Client, citizen: dict[str, str]) -> None:
    """Source: GraphQL over HTTP, application/json: 200 for every well-formed request."""
    legacy = {**citizen, "Accept": JSON}

    for query, code in (("{ nothing }", "INVALID"), ("{" + "me { id }" * 400 + "}", "TOO_COMPLEX"), ("{", "INVALID")):
        answer = asked(http, legacy, query=query)
        assert (answer.status_code, answer.headers["content-type"]) == (200, JSON)
        assert answer.json()["errors"][0]["extensions"]["code"] == code
    for content, status in ((b"{", 400), (b'{"query": 1}', 400), (b"x" * 70_000, 413)):
        assert sent(http, content, legacy).status_code == status
    assert asked(http, {"Accept": JSON}, query=ME).status_code == 401
    assert asked(http, legacy, query=ME).headers["content-type"] == JSON
