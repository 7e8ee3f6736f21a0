import base64
import json
import re

import pytest
from graphql import parse

from app.compiler import compile_operation
from app.core.errors import Invalid
from tests.compiler.bench import Bench
from tests.compiler.interpreter import ordered
from tests.compiler.rows import FULL, TABLES
from tests.compiler.toy import INDEX

PAGE = "edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
LISTS = {
    "visits": ("visit", ["-started_at", "-id"]),
    "entries": ("entry", ["recorded_on", "-title", "id"]),
}


@pytest.mark.parametrize("size", [1, 2, 3, 5, 16, 17, 18])
@pytest.mark.parametrize("name", ["visits", "entries"])
def test_a_walk_meets_every_row_once_in_order(bench: Bench, name: str, size: int) -> None:
    query = f"query($n: Int!, $at: String) {{ book {{ list: {name}(first: $n, after: $at) {{ {PAGE} }} }} }}"
    table, order = LISTS[name]
    rows = [str(row["id"]) for row in ordered(TABLES[table], order) if row["citizen_id"] == FULL]
    met: list[str] = []
    after = None
    for _ in range(len(rows) + 1):
        page = bench.data(query, {"n": size, "at": after})["book"]["list"]
        info = page["pageInfo"]
        met += [edge["node"]["id"] for edge in page["edges"]]
        assert info["hasPreviousPage"] == (after is not None)
        assert (info["startCursor"], info["endCursor"]) == (page["edges"][0]["cursor"], page["edges"][-1]["cursor"])
        if not info["hasNextPage"]:
            break
        assert len(page["edges"]) == size
        after = info["endCursor"]

    assert met == rows


@pytest.mark.parametrize("order", [None, "BY_NAME", "BEST_FIRST"])
def test_run_time_chooses_the_order_from_the_closed_list(bench: Bench, order: str | None) -> None:
    query = """query($order: FacilityOrder, $at: String) {
      facilities(first: 1, order: $order, after: $at) { nodes { code } pageInfo { hasNextPage endCursor } }
    }"""
    keys = {"BY_NAME": ["name", "code"], "BEST_FIRST": ["-rank", "code"]}.get(str(order), ["code"])
    met: list[str] = []
    after = None
    while len(met) <= len(TABLES["facility"]):
        page = bench.data(query, {"order": order, "at": after})["facilities"]
        met += [node["code"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert met == [row["code"] for row in ordered(TABLES["facility"], keys)]


def test_a_cursor_in_the_document_goes_with_the_order_of_run_time(bench: Bench) -> None:
    first = "query($order: FacilityOrder) { facilities(first: 2, order: $order) { pageInfo { endCursor } } }"
    cursor = bench.data(first, {"order": "BY_NAME"})["facilities"]["pageInfo"]["endCursor"]
    arguments = f'first: 1, after: "{cursor}", order: $order'
    query = f"query($order: FacilityOrder) {{ facilities({arguments}) {{ nodes {{ code }} }} }}"

    assert bench.data(query, {"order": "BY_NAME"}) == {
        "facilities": {"nodes": [{"code": ordered(TABLES["facility"], ["name", "code"])[2]["code"]}]}
    }
    with pytest.raises(Invalid, match="after"):
        bench.ask(query, {"order": "BEST_FIRST"})


def test_a_cursor_of_another_order_is_refused(bench: Bench) -> None:
    query = (
        "query($order: FacilityOrder, $at: String) { facilities(order: $order, after: $at) { pageInfo { endCursor } } }"
    )
    cursor = bench.data(query, {"order": "BY_NAME"})["facilities"]["pageInfo"]["endCursor"]

    with pytest.raises(Invalid, match="after"):
        bench.ask(query, {"order": "BEST_FIRST", "at": cursor})


def _cursor(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.fixture(scope="module")
def mark(bench: Bench) -> str:
    """What the cursors of visits begin with."""
    cursor = bench.data("{ book { visits { pageInfo { startCursor } } } }")["book"]["visits"]["pageInfo"]["startCursor"]
    return str(json.loads(base64.urlsafe_b64decode(cursor + "=="))[0])


@pytest.mark.parametrize(
    "parts",
    [
        ("other", "2026-03-01T00:00:00Z", str(FULL)),
        ("MARK", "2026-03-01T00:00:00Z"),
        ("MARK", "2026-03-01T00:00:00", str(FULL)),
        ("MARK", "2026-03-01T00:00:00Z", "no uuid"),
        ("MARK", "2026-03-01T00:00:00Z", 7),
        ("MARK", "0001-01-01T00:00:00+23:00", str(FULL)),
        ("MARK", "2026-03-01T00:00:00Z", str(FULL), "more"),
        ("MARK", None, None),
        (),
    ],
)
@pytest.mark.parametrize("where", ["variable", "document"])
def test_a_cursor_that_the_list_did_not_make_is_refused(mark: str, parts: tuple[object, ...], where: str) -> None:
    cursor = _cursor(*(mark if part == "MARK" else part for part in parts))
    if where == "variable":
        plan = compile_operation(INDEX, parse("query($at: String) { book { visits(after: $at) { nodes { id } } } }"))
        with pytest.raises(Invalid, match="after"):
            plan.bind({"at": cursor})
    else:
        with pytest.raises(Invalid, match="after"):
            compile_operation(INDEX, parse(f'{{ book {{ visits(after: "{cursor}") {{ nodes {{ id }} }} }} }}'))


@pytest.mark.parametrize("cursor", ["", "😀", "%%%", "e30", "a" * 100_000, "WyJ" * 9, "[" * 3_000])
def test_text_that_is_no_cursor_is_refused(cursor: str) -> None:
    plan = compile_operation(INDEX, parse("query($at: String) { book { visits(after: $at) { nodes { id } } } }"))

    with pytest.raises(Invalid, match="after"):
        plan.bind({"at": cursor})


@pytest.mark.parametrize("first", [0, -1, 51, 2**31 - 1])
def test_a_page_size_out_of_bounds_is_refused(first: int) -> None:
    plan = compile_operation(INDEX, parse("query($n: Int) { book { visits(first: $n) { nodes { id } } } }"))
    with pytest.raises(Invalid, match="Argument first must be from 1 to 50") as refused:
        plan.bind({"n": first})
    assert refused.value.text.vi == "Tham số first phải từ 1 đến 50."

    with pytest.raises(Invalid, match="first"):
        compile_operation(INDEX, parse(f"{{ book {{ visits(first: {first}) {{ nodes {{ id }} }} }} }}"))


@pytest.mark.parametrize("variables", [{}, {"n": None}])
def test_no_page_size_is_the_default_page_size(bench: Bench, variables: dict[str, object]) -> None:
    query = "query($n: Int) { book { visits(first: $n) { nodes { id } } } }"

    assert len(bench.data(query, variables)["book"]["visits"]["nodes"]) == 3


def test_the_row_that_shows_that_more_follow_is_not_made_into_text(bench: Bench) -> None:
    query = "{ book { visits(first: 4) { edges { node { maybeFacility { name } } } pageInfo { hasNextPage } } } }"

    text = bench.explained(query)

    assert re.findall(r"on facility .*loops=(\d+)", text) == ["4"]
    assert re.findall(r"Limit \(actual rows=([\d.]+)", text) == ["5.00"]


def test_a_page_of_which_only_the_count_is_asked_reads_no_page(bench: Bench) -> None:
    query = "{ book { visits { totalCount __typename pageInfo { hasPreviousPage } } } }"

    assert bench.data(query)["book"]["visits"] == {
        "totalCount": 17,
        "__typename": "VisitConnection",
        "pageInfo": {"hasPreviousPage": False},
    }
    assert "LIMIT" not in compile_operation(INDEX, parse(query)).parts[0].body_sql()


def test_the_count_ignores_the_page_and_heeds_the_filters(bench: Bench) -> None:
    query = """query($at: String, $kind: VisitKind) {
      book { visits(first: 1, after: $at, kind: $kind) { totalCount pageInfo { endCursor } } }
    }"""
    first = bench.data(query)["book"]["visits"]
    kinds = [row["kind"] for row in TABLES["visit"] if row["citizen_id"] == FULL]

    later = bench.data(query, {"at": first["pageInfo"]["endCursor"], "kind": "INPATIENT"})["book"]["visits"]

    assert first["totalCount"] == len(kinds)
    assert later["totalCount"] == kinds.count("INPATIENT")
