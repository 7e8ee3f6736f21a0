from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from graphql import (
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    parse,
)

from app.compiler import NotCompilable, compile_operation
from app.compiler.values import pg_type_of, to_pg
from app.core.errors import Invalid
from tests.compiler.bench import Bench
from tests.compiler.rows import FULL
from tests.compiler.toy import INDEX

BAD_TEXT = "secret-\x00"


def bound(query: str, variables: dict[str, Any]) -> dict[str, object]:
    plan = compile_operation(INDEX, parse(query))
    return plan.named(plan.bind(variables))


@pytest.mark.parametrize("text", [BAD_TEXT, "secret-\ud800", "\udfff"])
@pytest.mark.parametrize(
    ("query", "wrap"),
    [
        ("query($v: String) { facilities(search: $v) { nodes { code } } }", lambda text: text),
        ("query($v: [String!]!) { book { conditions(codes: $v) { code } } }", lambda text: ["J45", text]),
        ("query($v: String!) { book { conditions(codes: [$v]) { code } } }", lambda text: text),
    ],
)
def test_text_that_postgresql_cannot_hold_is_refused_without_being_repeated(text: str, query: str, wrap: Any) -> None:
    with pytest.raises(Invalid) as refused:
        bound(query, {"v": wrap(text)})

    assert "secret" not in refused.value.text.en
    assert refused.value.text.en.startswith("Argument ")


def test_text_that_postgresql_cannot_hold_is_refused_in_a_document_too() -> None:
    with pytest.raises(Invalid, match="search"):
        compile_operation(INDEX, parse('{ facilities(search: "a\\u0000") { nodes { code } } }'))


@pytest.mark.parametrize(
    ("kind", "value"),
    [("Int!", "1"), ("Int!", 2**31), ("Int!", None), ("Boolean!", 1), ("VisitKind!", "in"), ("Date!", "secret")],
)
def test_a_variable_of_the_wrong_kind_is_refused_by_name(kind: str, value: object) -> None:
    argument = {"Int!": "first", "Boolean!": "urgent", "VisitKind!": "kind", "Date!": "from"}[kind]
    query = f"query($v: {kind}) {{ book {{ visits({argument}: $v) {{ nodes {{ id }} }} }} }}"

    with pytest.raises(Invalid) as refused:
        bound(query, {"v": value})

    assert refused.value.text.en == "Variable $v is not valid."
    assert refused.value.text.vi == "Biến $v không hợp lệ."


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"begin": "secret"}, ".begin"),
        ({"kinds": "EMERGENCY"}, None),
        ({"kinds": ["EMERGENCY", "secret"]}, ".kinds[1]"),
        ({"kinds": [None]}, ".kinds[0]"),
        ({"kinds": [{"a": 1}]}, ".kinds[0]"),
        ({"ends": "2026-03-01"}, ".ends"),
        ({"a secret": 1}, ""),
        ("secret", ""),
        ([], ""),
    ],
)
def test_the_place_in_an_input_object_is_named(value: object, place: str | None) -> None:
    query = "query($w: Window) { book { visits(window: $w) { nodes { id } } } }"

    if place is None:
        assert bound(query, {"w": value})
        return
    with pytest.raises(Invalid) as refused:
        bound(query, {"w": value})

    assert refused.value.text.en == f"Variable $w{place} is not valid."


def test_a_missing_variable_is_refused_even_if_nothing_uses_it() -> None:
    with pytest.raises(Invalid, match=r"\$unused"):
        bound("query($unused: Int!) { me { name } }", {})


def test_an_id_of_another_form_than_the_column_is_refused() -> None:
    with pytest.raises(Invalid, match="ids"):
        bound("query($v: [ID!]) { book { visits(ids: $v) { nodes { id } } } }", {"v": ["not-a-uuid"]})


def test_an_input_object_enters_as_the_json_that_a_client_writes() -> None:
    query = """query($w: Window, $k: VisitKind!) { book {
      visits(window: $w) { nodes { id } }
      b: visits(window: {kinds: [$k]}) { totalCount }
    } }"""

    values = bound(query, {"w": {"begin": "2026-03-01", "kinds": ["EMERGENCY"]}, "k": "INPATIENT"})

    assert sorted(map(str, values.values())) == [
        '{"begin": "2026-03-01", "kinds": ["EMERGENCY"]}',
        '{"begin": null, "kinds": ["INPATIENT"]}',
    ]


def test_a_variable_takes_the_default_of_operation_then_argument(bench: Bench) -> None:
    query = """query($a: Int, $b: Int = 2) { book {
      a: visits(first: $a) { nodes { id } }
      b: visits(first: $b) { nodes { id } }
    } }"""

    def sizes(variables: dict[str, object]) -> list[int]:
        book = bench.data(query, variables)["book"]
        return [len(book[name]["nodes"]) for name in "ab"]

    assert sizes({}) == [3, 2]
    assert sizes({"a": 5, "b": 6}) == [5, 6]


def test_two_uses_of_a_variable_share_a_parameter_when_they_mean_the_same() -> None:
    query = """query($n: Int!, $at: String) { book {
      a: visits(first: $n, after: $at) { nodes { id } }
      b: visits(first: $n, after: $at) { nodes { days } }
      c: entries(first: $n) { nodes { id } }
      d: days(first: $n) { recordedOn }
    } }"""

    plan = compile_operation(INDEX, parse(query))

    assert [(one.name, one.pg_type) for one in plan.parameters] == [
        ("v_n", "integer"),
        ("v_at_1", "timestamptz"),
        ("v_at_2", "uuid"),
        ("v_n_2", "integer"),
        ("v_n_3", "integer"),
    ]


def test_variables_that_differ_in_case_only_have_names_that_differ() -> None:
    query = """query($aB: String!, $a_b: String!, $AB: String!) { book {
      conditions(codes: [$aB]) { code }
      c: visits(facilityCode: $a_b) { totalCount }
      d: visits(facilityCode: $AB) { totalCount }
    } }"""

    names = [one.name for one in compile_operation(INDEX, parse(query)).parameters]

    assert len({name.lower() for name in names}) == len(names) == 3


def test_a_value_is_a_value_whatever_it_looks_like(bench: Bench) -> None:
    for odd in ("' OR true --", "$1", "v_n", "%", "\\'"):
        query = "query($v: String) { book(citizenId: null) { visits(facilityCode: $v) { totalCount } } }"
        assert bench.data(query, {"v": odd})["book"]["visits"]["totalCount"] == 0


@pytest.mark.parametrize("kind", ["[[String]]", "Upload"])
def test_a_type_without_a_place_in_sql_is_refused(kind: str) -> None:
    types: dict[str, Any] = {
        "[[String]]": GraphQLList(GraphQLList(GraphQLString)),
        "Upload": GraphQLScalarType("Upload"),
    }
    with pytest.raises(NotCompilable):
        pg_type_of(types[kind])


@pytest.mark.parametrize("said", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_is_refused(said: str) -> None:
    with pytest.raises(Invalid, match="amount"):
        to_pg(Decimal(said), GraphQLScalarType("Decimal"), "numeric", "amount")
    with pytest.raises(Invalid, match="amount"):
        to_pg(float(said), GraphQLFloat, "double precision", "amount")


def test_a_time_without_an_offset_is_refused() -> None:
    kind = GraphQLScalarType("DateTime")
    east = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=7)))
    assert to_pg(east, kind, "timestamptz", "at") == datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    for bad in (datetime(2026, 3, 1), datetime.max.replace(tzinfo=timezone(timedelta(hours=-7)))):  # noqa: DTZ001
        with pytest.raises(Invalid, match="at"):
            to_pg(bad, kind, "timestamptz", "at")


def test_the_citizen_is_bound_as_a_uuid() -> None:
    assert bound("query($v: ID!) { book(citizenId: $v) { version } }", {"v": str(FULL)}) == {"v_v": FULL}


ANYTHING = GraphQLScalarType("JSON")
WINDOW = GraphQLInputObjectType(
    "Everything",
    {
        "at": GraphQLInputField(GraphQLScalarType("DateTime")),
        "on": GraphQLInputField(GraphQLScalarType("Date")),
        "amount": GraphQLInputField(GraphQLScalarType("Decimal")),
        "share": GraphQLInputField(GraphQLFloat),
        "many": GraphQLInputField(GraphQLList(GraphQLNonNull(GraphQLString))),
        "any": GraphQLInputField(ANYTHING),
    },
)


def test_every_part_of_an_input_object_is_written_as_json() -> None:
    value = {
        "at": datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=7))),
        "on": date(2026, 3, 1),
        "amount": Decimal("1.50"),
        "share": 0.5,
        "many": ["a", 'b"'],
        "any": {"x": [1, None, True, "ơ"]},
    }

    text = to_pg(value, WINDOW, "jsonb", "window")

    assert text == (
        '{"at": "2026-03-01T02:00:00+00:00", "on": "2026-03-01", "amount": "1.50", "share": 0.5, '
        '"many": ["a", "b\\""], "any": {"x": [1, null, true, "ơ"]}}'
    )
    assert to_pg([value], GraphQLList(WINDOW), pg_type_of(GraphQLList(WINDOW)), "windows") == f"[{text}]"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"many": ["a", "\x00"]}, ".many[1]"),
        ({"any": {"\x00": 1}}, ".any"),
        ({"any": ["\ud800"]}, ".any"),
        ({"share": float("inf")}, ".share"),
        ({"amount": Decimal("NaN")}, ".amount"),
        ({"at": datetime(2026, 3, 1)}, ".at"),  # noqa: DTZ001 - what is refused
        ({"at": datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))}, ".at"),
    ],
)
def test_a_part_that_postgresql_cannot_hold_is_refused_by_name(value: dict[str, object], place: str) -> None:
    with pytest.raises(Invalid) as refused:
        to_pg(value, WINDOW, "jsonb", "window")

    assert refused.value.text.en == f"Argument window{place} is not valid."
    with pytest.raises(Invalid) as refused:
        to_pg([{}, value], GraphQLList(WINDOW), "jsonb", "windows")
    assert refused.value.text.vi == f"Tham số windows[1]{place} không hợp lệ."


@pytest.mark.parametrize(
    ("value", "kind", "pg_type", "entered"),
    [
        (date(2026, 3, 1), GraphQLScalarType("Date"), "date", date(2026, 3, 1)),
        (0.25, GraphQLFloat, "double precision", 0.25),
        (Decimal("1.0"), GraphQLScalarType("Decimal"), "numeric", Decimal("1.0")),
        ("7", GraphQLID, "bigint", 7),
        (None, GraphQLID, "bigint", None),
        ("one", GraphQLList(GraphQLString), "text[]", ["one"]),
        ([None, "a"], GraphQLList(GraphQLString), "text[]", [None, "a"]),
    ],
)
def test_a_value_enters_with_the_type_of_its_place(value: object, kind: Any, pg_type: str, entered: object) -> None:
    assert to_pg(value, kind, pg_type, "it") == entered


@pytest.mark.parametrize(
    ("value", "pg_type"), [("x", "bigint"), (str(2**63), "bigint"), (True, "bigint"), ("x", "date")]
)
def test_a_value_that_does_not_fit_its_place_is_refused(value: object, pg_type: str) -> None:
    with pytest.raises(Invalid, match="it"):
        to_pg(value, GraphQLID, pg_type, "it")


@pytest.mark.parametrize(
    "selection",
    [
        "book @include(if: $x) { visits(first: $n, after: $c) { nodes { id } } }",
        "book { visits(first: $n, after: $c) @include(if: $x) { nodes { id } } }",
        "book { ... @include(if: $x) { visits(first: $n, after: $c) { nodes { id } } } }",
        "book { visits(first: $n, after: $c) @include(if: $x) { nodes { id } } ...F }",
    ],
)
def test_of_a_field_that_is_not_asked_nothing_is_judged(selection: str) -> None:
    """Source: GraphQL specification, CollectFields: what is skipped is not executed, nor are its arguments coerced."""
    query = f"""query($x: Boolean!, $n: Int, $c: String) {{ me {{ name }} {selection} }}
      fragment F on Book {{ visits(first: $n, after: $c) @include(if: $x) {{ edges {{ cursor }} }} }}"""

    assert bound(query, {"x": False, "n": 0, "c": "no cursor"})["v_n"] is None
    for wrong in ({"n": 0}, {"c": "no cursor"}):
        with pytest.raises(Invalid, match=r"Argument (first|after)"):
            bound(query, {"x": True, **wrong})
    assert bound(query, {"x": True, "n": 7})["v_n"] == 7


def test_what_one_field_asks_is_judged_though_another_is_skipped() -> None:
    query = """query($x: Boolean!, $n: Int) { book {
      visits(first: $n) @skip(if: $x) { nodes { id } } again: visits(first: $n) { nodes { id } } } }"""

    for skipped in (True, False):
        with pytest.raises(Invalid, match="Argument first"):
            bound(query, {"x": skipped, "n": 0})
        assert bound(query, {"x": skipped, "n": 3})["v_n"] == 3


def test_an_answer_without_a_skipped_field_is_whole(bench: Bench) -> None:
    query = """query($x: Boolean!, $n: Int, $c: String) { book { version
      visits(first: $n, after: $c) @include(if: $x) { nodes { id } pageInfo { endCursor } } } }"""

    alone = bench.data("{ book { version } }")
    assert bench.data(query, {"x": False, "n": -1, "c": "?"}) == alone
    assert bench.data(query, {"x": True, "n": 1})["book"].keys() == {"version", "visits"}
