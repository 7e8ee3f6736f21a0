import re

import pytest
from graphql import OperationDefinitionNode, parse
from graphql.language import FragmentDefinitionNode

from app.compiler import NotCompilable
from app.compiler.selection import ALWAYS, Emission, Selections
from tests.compiler.toy import INDEX


def collected(query: str, kind: str = "Book") -> list[Emission]:
    operation, *fragments = parse(query).definitions
    assert isinstance(operation, OperationDefinitionNode)
    known = {one.name.value: one for one in fragments if isinstance(one, FragmentDefinitionNode)}
    selections = Selections(INDEX.schema, known)
    return selections.collect(INDEX.object_type(kind), [(operation.selection_set, ALWAYS)])


def told(emission: Emission) -> str:
    def each(whens: object) -> str:
        assert isinstance(whens, list | tuple)
        return " | ".join(
            "&".join(f"{'' if wanted else '!'}{name}" for name, wanted in sorted(when)) or "always" for when in whens
        )

    return f"{emission.key}: {each(emission.shown)}" + (f" but {each(emission.hidden)}" if emission.hidden else "")


@pytest.mark.parametrize(
    ("query", "emissions"),
    [
        ("{ a b a }", ["a: always", "b: always"]),
        (
            "{ a @include(if: true) b @include(if: false) c @skip(if: true) d @skip(if: false) }",
            ["a: always", "d: always"],
        ),
        ("{ a @include(if: $x) @skip(if: $y) }", ["a: x&!y"]),
        ("{ a @include(if: $x) @skip(if: $x) b }", ["b: always"]),
        ("{ a @include(if: $x) a @include(if: $y) }", ["a: x | y"]),
        ("{ a @include(if: $x) b a @include(if: $y) }", ["a: x", "b: always", "a: y but x"]),
        ("{ a b a @include(if: $x) }", ["a: always", "b: always"]),
        ("{ ... @include(if: $x) { a ... @skip(if: $y) { b } } }", ["a: x", "b: x&!y"]),
        ("{ ...F @include(if: $x) b ...F } fragment F on Book { a }", ["a: x", "b: always", "a: always but x"]),
        ("{ ...F ...F @include(if: $x) } fragment F on Book { a }", ["a: always"]),
        ("{ ...F ... on Visit { b } } fragment F on Visit { a }", []),
        ("{ ...F } fragment F on Book { a ...F }", ["a: always"]),
    ],
)
def test_keys_are_collected_with_what_run_time_decides(query: str, emissions: list[str]) -> None:
    assert [told(emission) for emission in collected(query)] == emissions


def test_a_fragment_on_an_interface_or_union_counts_for_its_types() -> None:
    query = "{ ... on Entry { a } ... on Timed { b } ... on Origin { c } ... on Dose { d } ... on Measurement { e } }"

    assert [emission.key for emission in collected(query, "Dose")] == ["a", "b", "d"]


def test_a_lone_field_settles_its_condition_for_what_is_below() -> None:
    (alone,) = collected("{ a @include(if: $x) { b } }")
    (merged,) = collected("{ a @include(if: $x) { b } a { c } }")

    assert [when for _, when in alone.below()] == [ALWAYS]
    assert [when for _, when in merged.below()] == [frozenset({("x", True)}), ALWAYS]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{ a @skip }", "@skip without a condition"),
        ('{ a @skip(if: "yes") }', "@skip without a condition"),
        ("{ a @defer }", "directive @defer"),
        ("{ ...Nowhere }", "fragment Nowhere is not defined"),
        (
            "{" + " ".join(f"a @include(if: $x{at}) b{at}" for at in range(9)) + "}",
            "a stands under too many conditions",
        ),
    ],
)
def test_a_selection_that_cannot_be_is_refused(query: str, reason: str) -> None:
    with pytest.raises(NotCompilable, match=f"^{re.escape(reason)}$"):
        collected(query)
