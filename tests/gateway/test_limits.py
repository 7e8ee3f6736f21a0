"""Cases B171 to B184: a document is refused for its shape, before anything is compiled or run."""

import httpx
import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from app.core.errors import AppError, ErrorCode, Invalid, TooComplex
from app.gateway import limits
from app.gateway.trusted import trusted_operations


def nested(levels: int) -> str:
    return "{ a " * levels + "}" * levels


def fragments(names: int, body: str) -> str:
    """Return a query whose fragments each spread the next twice: 2^names ways, and the last holds `body`."""
    chain = "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }}" for n in range(names))
    return f"{{ ...F0 }} {chain} fragment F{names} on Query {{ {body} }}"


TOO_COMPLEX = {
    "b171_101_aliases": "{ me { " + " ".join(f"a{n}: id" for n in range(101)) + " } }",
    "b171_16_aliases": "{ me { " + " ".join(f"a{n}: id" for n in range(16)) + " } }",
    "b172_1000_aliases": "{ me { " + " ".join(f"a{n}: id" for n in range(1000)) + " } }",
    "b173_aliases_in_a_fragment": "{ me { ...F } } fragment F on Citizen { "
    + " ".join(f"a{n}: id" for n in range(50))
    + " }",
    "b173_aliases_by_spreading_twice": "{ a: me { ...F } b: me { ...F } } fragment F on Citizen { "
    + " ".join(f"a{n}: id" for n in range(8))
    + " }",
    "b175_depth_11": nested(11),
    "b175_depth_490": nested(490),
    "b176_depth_by_fragments": "{ a { ...F0 } } "
    + "".join(f"fragment F{n} on A {{ a {{ ...F{n + 1} }} }}" for n in range(10))
    + "fragment F10 on A { a }",
    "b177_3_to_the_15": "{ healthBook " + "{ visits { nodes " * 15 + "{ id }" + " } }" * 15 + " }",
    "b179_500_duplicate_fields": "{ me { " + "id " * 500 + "} }",
    "b179_5000_duplicate_fields": "{ me { " + "id " * 5000 + "} }",
    "b179_duplicates_that_nobody_asks_for": "{ me { id } } fragment F on Citizen { " + "id " * 500 + "}",
    "b180_10_directives": "{ me { id " + "@include(if: true) " * 10 + "} }",
    "b180_10_unknown_directives": "{ me { id " + "@aa" * 10 + " } }",
    "b180_2000_directives": "{ me { id " + "@include(if: true) " * 2000 + "} }",
    "b180_directives_on_the_operation": "query " + "@a " * 10 + "{ me { id } }",
    "b180_directives_on_spreads": "{ " + "... @skip(if: true) { me { id } } " * 10 + "}",
    "b181_300_skips": "{ me { " + "id @skip(if: true) " * 300 + "} }",
    "b182_1000_unused_fragments": "{ me { id } } "
    + " ".join(f"fragment F{n} on Citizen {{ id }}" for n in range(1000)),
    "b182_3000_operations": " ".join(f"query Q{n}{{a}}" for n in range(3000)),
    "b182_6_operations": " ".join(f"query Q{n} {{ me {{ id }} }}" for n in range(6)),
    "b182_2_to_the_60_fields": fragments(60, "me { id }"),
    "b182_2_to_the_60_spreads_of_nothing": fragments(60, "...Absent"),
    "b182_2_to_the_60_typenames": fragments(60, "__typename"),
    "b184_introspection_too_deep": "{ __schema { types " + "{ ofType " * 25 + "{ name }" + " }" * 25 + " } }",
    "b193_list_literal": '{ healthBook(citizenId: "x") { visits(after: ' + "[" * 3000 + ") { nodes { id } } } }",
    "b193_object_literal": "{ me(a: " + "{a: " * 3000 + "1) { id } }",
    "b193_list_type": "query($a: " + "[" * 900 + "Int" + "]" * 900 + ") { me { id } }",
    "b172_1001_tokens": "{" + "a " * 1001 + "}",
}
CIRCULAR = {
    "b182_circular": "{ ...F } fragment F on Query { ...F }",
    "b182_circular_by_two": "{ ...F } fragment F on Query { me { id } ...G } fragment G on Query { ...F }",
    "b182_circular_through_a_field": "{ me { ...F } } fragment F on Citizen { id ... { ...F } }",
}


@pytest.mark.parametrize("document", TOO_COMPLEX.values(), ids=TOO_COMPLEX.keys())
def test_too_complex(http: httpx.Client, document: str) -> None:
    answer = http.post("/graphql", json={"query": document, "operationName": "Q0" if "Q0" in document else None})

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["extensions"] == {"code": "TOO_COMPLEX"}
    assert len(error["message"]) < 200


@pytest.mark.parametrize("document", CIRCULAR.values(), ids=CIRCULAR.keys())
def test_circular_fragments(http: httpx.Client, document: str) -> None:
    (error,) = http.post("/graphql", json={"query": document}).json()["errors"]

    assert error["extensions"] == {"code": "INVALID"}


def test_circular_fragments_that_nobody_spreads(http: httpx.Client) -> None:
    document = "{ me { id } } fragment F on Query { ...G } fragment G on Query { ...F }"

    (error,) = http.post("/graphql", json={"query": document}).json()["errors"]

    assert error["extensions"] == {"code": "INVALID"}


def checked(document: str) -> None:
    tree = parse(document)
    (operation,) = [node for node in tree.definitions if isinstance(node, OperationDefinitionNode)]
    limits.check_document(tree, operation)


@pytest.mark.parametrize(
    ("fits", "breaks"),
    [
        ("{ " + "a { b } " * 150 + "}", "{ " + "a { b } " * 150 + "c }"),
        (nested(10), nested(11)),
        ("{ " + " ".join(f"a{n}: b" for n in range(15)) + " }", "{ " + " ".join(f"a{n}: b" for n in range(16)) + " }"),
        ("{ a " + "@b " * 5 + "}", "{ a " + "@b " * 6 + "}"),
        ("{ ...F ...F } fragment F on A { " + "a " * 149 + "}", "{ ...F ...F } fragment F on A { " + "a " * 150 + "}"),
        ("{ ... { ... { " + "a " * 298 + "} } }", "{ ... { ... { " + "a " * 299 + "} } }"),
        (
            "{ a { ...F } } fragment F on A { a @b @b ... @b { a } }",
            "{ a { ...F @b @b @b } } fragment F on A { a @b @b @b }",
        ),
    ],
    ids=["fields", "depth", "aliases", "directives", "spread_fields", "inline_fragments", "directives_everywhere"],
)
def test_limits_are_exact(fits: str, breaks: str) -> None:
    checked(fits)
    with pytest.raises(TooComplex):
        checked(breaks)


def test_b175_released_operations_and_tools_fit() -> None:
    for known in trusted_operations().values():
        checked(known.text)
    checked(get_introspection_query())


def test_b175_introspection_may_ask_by_directives() -> None:
    """sgqlc asks for each description with `@include`."""
    asked = "name @include(if: true) " * 20

    checked(f"{{ __schema {{ types {{ {asked} }} }} }}")
    with pytest.raises(TooComplex):
        checked(f"{{ __schema {{ types {{ {asked} kind @skip(if: true) }} }} }}")


def test_b178_cost() -> None:
    limits.check_cost(limits.MOST_COST)
    with pytest.raises(TooComplex) as refusal:
        limits.check_cost(limits.MOST_COST + 1)
    assert str(limits.MOST_COST) in refusal.value.text.vi


@pytest.mark.parametrize("first", [51, 100, 10**9])
def test_b178_pages_beyond_the_maximum(http: httpx.Client, first: int) -> None:
    document = f"{{ healthBook {{ visits(first: {first}) {{ nodes {{ id }} }} }} }}"

    (error,) = http.post("/graphql", json={"query": document}).json()["errors"]

    assert error["extensions"] == {"code": "INVALID"}


@pytest.mark.parametrize("document", ["{ ...F } fragment F on Query { ...F }"])
def test_refusals_are_errors_of_the_tree(document: str) -> None:
    with pytest.raises(Invalid) as refusal:
        checked(document)
    assert isinstance(refusal.value, AppError)
    assert refusal.value.code is ErrorCode.INVALID
