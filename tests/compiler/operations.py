"""Operations of the toy schema, drawn by Hypothesis."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    Undefined,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from tests.compiler.interpreter import JUDGE
from tests.compiler.rows import ODD_TEXTS, TABLES

Draw = Callable[[st.SearchStrategy[Any]], Any]
Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
DEEPEST = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    document: str
    variables: dict[str, Any]


@dataclass(slots=True)
class _State:
    cursors: dict[str, list[str]]
    names: int = 0
    declared: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"


class Enum(str):
    __slots__ = ()


def literal(value: Any) -> str:
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(item)}" for key, item in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False)


DAYS = st.sampled_from(["2026-02-01", "2026-03-02", "2026-03-05", "2030-01-01"])
KINDS = st.sampled_from([Enum("INPATIENT"), Enum("OUTPATIENT"), Enum("EMERGENCY")])
IDS = st.sampled_from([str(row["id"]) for row in TABLES["visit"]])
VALUES: dict[tuple[str, str], st.SearchStrategy[Any]] = {
    ("visits", "first"): st.sampled_from([1, 2, 3, 5, 16, 17, 18, 50]),
    ("visits", "from"): DAYS,
    ("visits", "kind"): KINDS,
    ("visits", "facilityCode"): st.sampled_from(["01", "02", "'; --", *ODD_TEXTS]),
    ("visits", "ids"): st.lists(IDS, max_size=4),
    ("visits", "window"): st.fixed_dictionaries({}, optional={"begin": st.none() | DAYS, "kinds": st.lists(KINDS)}),
    ("visits", "urgent"): st.booleans(),
    ("entries", "first"): st.sampled_from([1, 2, 10, 11, 12, 20]),
    ("days", "first"): st.sampled_from([1, 3, 500]),
    ("conditions", "codes"): st.lists(st.sampled_from(["J45", "I10", "ZZZ", "o\"'\\"]), max_size=3),
    ("facilities", "first"): st.sampled_from([1, 2, 5, 6, 7, 30]),
    ("facilities", "search"): st.sampled_from(["B", "'", "%", ""]),
    ("facilities", "order"): st.sampled_from([Enum("BY_NAME"), Enum("BEST_FIRST")]),
    ("book", "citizenId"): st.just("018f0000-0000-7000-8000-000000000001"),
}


@st.composite
def operations(draw: Draw, cursors: dict[str, list[str]]) -> Drawn:
    state = _State(cursors)
    query = JUDGE.query_type
    assert query is not None
    names = [name for name in ("book", "book", "facilities", "me") if draw(st.booleans())] or ["book"]
    fields = [_field(draw, state, name, query.fields[name], "Query", 0) for name in names]
    declared = ", ".join(f"${name}: {kind}" for name, kind in state.declared.items())
    head = f"query Q({declared}) " if declared else ""
    return Drawn(document="\n".join([f"{head}{{ {' '.join(fields)} }}", *state.fragments]), variables=state.variables)


def _selection(draw: Draw, state: _State, kind: GraphQLNamedType, depth: int) -> str:
    assert isinstance(kind, Composite)
    concrete = [kind] if isinstance(kind, GraphQLObjectType) else list(JUDGE.get_possible_types(kind))
    members = []
    for _ in range(draw(st.integers(1, 4))):
        shape = draw(st.sampled_from(["field", "field", "field", "field", "typename", "inline", "spread", "bare"]))
        if shape == "typename" or (shape == "field" and isinstance(kind, GraphQLUnionType)):
            members.append(draw(st.sampled_from(["__typename", f"{state.name('t')}: __typename"])))
        elif shape == "field" and not isinstance(kind, GraphQLUnionType):
            name = draw(st.sampled_from(sorted(kind.fields)))
            members.append(_field(draw, state, name, kind.fields[name], kind.name, depth))
        elif depth < DEEPEST:
            inner = draw(st.sampled_from(concrete)) if shape != "bare" else kind
            selection = _selection(draw, state, inner, depth + 1)
            switch = _switch(draw, state)
            if shape == "spread":
                name = state.name("F")
                state.fragments.append(f"fragment {name} on {inner.name} {selection}")
                members.append(f"...{name}{switch}")
                if draw(st.booleans()):
                    members.append(f"...{name}{_switch(draw, state)}")
            else:
                members.append(f"...{'' if shape == 'bare' else f' on {inner.name}'}{switch} {selection}")
    return "{ " + " ".join(members or ["__typename"]) + " }"


def _field(draw: Draw, state: _State, name: str, definition: GraphQLField, parent: str, depth: int) -> str:
    named = get_named_type(definition.type)
    if depth >= DEEPEST and not is_leaf_type(named):
        return "__typename"
    arguments = _arguments(draw, state, name, definition)
    alias = f"{state.name('a')}: " if definition.args or draw(st.integers(0, 3)) == 0 else ""
    if not alias and parent in {"Measurement", "Dose", "Citizen", "Practitioner"}:
        alias = f"{parent}_{name}: "
    below = "" if is_leaf_type(named) else " " + _selection(draw, state, named, depth + 1)
    return f"{alias}{name}{arguments}{_switch(draw, state)}{below}"


def _switch(draw: Draw, state: _State) -> str:
    match draw(st.integers(0, 19)):
        case 0:
            return f" @include(if: {str(draw(st.booleans())).lower()})"
        case 1 | 2 | 3:
            known = [name for name in state.declared if name.startswith("b")]
            variable = draw(st.sampled_from(known)) if known and draw(st.booleans()) else state.name("b")
            if variable not in state.declared:
                state.declared[variable] = draw(st.sampled_from(["Boolean!", "Boolean = true"]))
                if state.declared[variable] == "Boolean!" or draw(st.booleans()):
                    state.variables[variable] = draw(st.booleans())
            return f" @{draw(st.sampled_from(['skip', 'include']))}(if: ${variable})"
        case _:
            return ""


def _arguments(draw: Draw, state: _State, field_name: str, definition: GraphQLField) -> str:
    given = []
    for name, argument in definition.args.items():
        is_needed = isinstance(argument.type, GraphQLNonNull) and argument.default_value is Undefined
        if is_needed or draw(st.integers(0, 2)) == 0:
            text = _argument(draw, state, field_name, name, argument)
            if text is not None:
                given.append(f"{name}: {text}")
    return f"({', '.join(given)})" if given else ""


def _argument(draw: Draw, state: _State, field_name: str, name: str, argument: GraphQLArgument) -> str | None:
    strategy = VALUES.get((field_name, name))
    if name == "after":
        if field_name not in state.cursors:
            return None
        strategy = st.sampled_from(state.cursors[field_name])
    assert strategy is not None
    value = draw(strategy)
    nullable = not isinstance(argument.type, GraphQLNonNull)
    mode = draw(st.sampled_from(["literal", "given", "given", "default", "missing", "null"]))
    if mode == "literal" or (not nullable and mode != "given"):
        return "null" if nullable and draw(st.integers(0, 4)) == 0 else literal(value)
    variable = state.name("v")
    kind = str(argument.type)
    state.declared[variable] = kind if mode != "default" else f"{kind} = {literal(value)}"
    if mode == "given":
        state.variables[variable] = value
    elif mode == "null":
        state.variables[variable] = None
    if name == "ids" and mode == "given" and value:
        state.declared[variable] = "ID!"
        state.variables[variable] = value[0]
        return f"[${variable}, {literal(value[-1])}]"
    return f"${variable}"
