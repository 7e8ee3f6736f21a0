"""Operations of the published schema, drawn by Hypothesis within what one request may ask."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)
from hypothesis import strategies as st

from tests.differential.judge import JUDGE

Draw = Callable[[st.SearchStrategy[Any]], Any]
Composite = GraphQLObjectType | GraphQLInterfaceType
DEEPEST = 8
MOST_DIRECTIVES, MOST_ALIASES = 3, 9


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """One operation with its variables."""

    document: str
    variables: dict[str, Any]
    operation: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """What the values of arguments are drawn from: one citizen's own ids, days, facilities, cursors and lines."""

    citizen: str
    days: Sequence[str]
    facilities: Sequence[str]
    cursors: Mapping[str, Sequence[str]]
    lines: Sequence[str]
    codes: Sequence[str]

    def __repr__(self) -> str:
        """Spare the reader of a failure long lists."""
        return "what is known of the citizen"

    def values(self, field_name: str, argument: str) -> st.SearchStrategy[Any] | None:  # noqa: C901, PLR0911 - one an argument
        """Return what an argument may be; nothing where there is nothing to say."""
        match argument:
            case "first":
                return st.sampled_from([1, 2, 3, 7, 19, 20, 21, 50])
            case "after":
                cursors = self.cursors.get(field_name)
                return st.sampled_from(cursors) if cursors else None
            case "from" | "to":
                return st.sampled_from([*self.days, "1900-01-01", "2026-11-22", "9999-12-31"])
            case "facilityCode":
                return st.sampled_from([*self.facilities, "99999", "'; --", "", '\\ồ"', "%"])
            case "code":
                return st.sampled_from(["GLU", "glu", "HBA1C", "CRE", "Na", "718-7", "14749-6", "WBC", "", "'; --"])
            case "codes":
                return st.lists(st.sampled_from([*self.codes, "GLU", "glu", "718-7", "QQQ", "", "'; --"]), max_size=6)
            case "category":
                return st.sampled_from([Enum("LABORATORY"), Enum("LABORATORY"), Enum("IMAGING"), Enum("OTHER")])
            case "kind":
                return st.sampled_from(
                    [Enum("DISCHARGE"), Enum("RECORD_SUMMARY"), Enum("REEXAMINATION"), Enum("PROGRESS")]
                )
            case "entryIds":
                lines = [*self.lines, "x", ""]
                return st.lists(st.sampled_from(lines), max_size=20)
            case "upcoming" | "active":
                return st.booleans()
            case "order":
                return st.just(Enum("LATEST_FIRST"))
            case "citizenId":
                stranger = "018f0000-0000-7000-8000-000000000001"
                return st.sampled_from([self.citizen, self.citizen, self.citizen.upper(), stranger, "x", ""])
        raise AssertionError(f"nothing is known of {field_name}({argument}): teach tests/differential/drawing.py")


@dataclass(slots=True)
class _State:
    known: Known
    names: int = 0
    directives: int = 0
    aliases: int = 0
    named: set[str] = field(default_factory=set)
    declared: dict[str, str] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"


class Enum(str):
    """A value that stands without quotes in a document."""

    __slots__ = ()


def _literal(value: Any) -> str:
    return str(value) if isinstance(value, Enum) else json.dumps(value, ensure_ascii=False)


@st.composite
def operations(draw: Draw, known: Known) -> Drawn:
    """Return an operation of one book at most, and of the viewer."""
    state = _State(known)
    query = JUDGE.query_type
    assert query is not None
    names = [name for name in ("healthBook", "me") if draw(st.integers(0, 4)) > 0] or ["healthBook"]
    fields = [_field(draw, state, name, query.fields[name], 1) for name in names]
    if draw(st.integers(0, 9)) == 0:
        fields.append("__typename")
    declared = ", ".join(f"${name}: {kind}" for name, kind in state.declared.items())
    operation = draw(st.sampled_from([None, "Q"]))
    head = f"query Q{f'({declared})' if declared else ''} " if declared or operation else ""
    others = ["query Other { __typename }"] if operation and draw(st.booleans()) else []
    document = "\n".join([f"{head}{{ {' '.join(fields)} }}", *state.fragments, *others])
    return Drawn(document=document, variables=state.variables, operation=operation)


def _selection(draw: Draw, state: _State, kind: GraphQLNamedType, depth: int) -> str:
    assert isinstance(kind, Composite)
    concrete = [kind] if isinstance(kind, GraphQLObjectType) else list(JUDGE.get_possible_types(kind))
    members = []
    for _ in range(draw(st.integers(1, 4))):
        shape = draw(st.sampled_from(["field"] * 9 + ["typename", "inline", "spread", "bare"]))
        if shape == "typename":
            members.append("__typename")
        elif shape == "field" or depth >= DEEPEST:
            name = draw(st.sampled_from(sorted(kind.fields)))
            members.append(_field(draw, state, name, kind.fields[name], depth))
        else:
            inner = draw(st.sampled_from([kind, *concrete])) if shape != "bare" else kind
            selection = _selection(draw, state, inner, depth + 1)
            switch = _switch(draw, state)
            if shape == "spread":
                name = state.name("F")
                state.fragments.append(f"fragment {name} on {inner.name} {selection}")
                members += [f"...{name}{switch}", *([f"...{name}"] if draw(st.integers(0, 7)) == 0 else [])]
            else:
                members.append(f"...{'' if shape == 'bare' else f' on {inner.name}'}{switch} {selection}")
    return "{ " + " ".join(members) + " }"


def _field(draw: Draw, state: _State, name: str, definition: GraphQLField, depth: int) -> str:
    """Return a field; one with a selection may stand twice, so that both are merged."""
    named = get_named_type(definition.type)
    if depth >= DEEPEST and not is_leaf_type(named):
        return "__typename"
    alias = ""
    if (definition.args and name in state.named) or draw(st.integers(0, 9)) == 0:
        if state.aliases >= MOST_ALIASES:
            return "__typename"
        state.aliases += 1
        alias = f"{state.name('a')}: "
    if definition.args and not alias:
        state.named.add(name)
    head = f"{alias}{name}{_arguments(draw, state, name, definition)}"
    if is_leaf_type(named):
        return head + _switch(draw, state)
    times = 2 if draw(st.integers(0, 7)) == 0 and (not alias or state.aliases < MOST_ALIASES) else 1
    state.aliases += (times - 1) * bool(alias)
    return " ".join(f"{head}{_switch(draw, state)} {_selection(draw, state, named, depth + 1)}" for _ in range(times))


def _switch(draw: Draw, state: _State) -> str:
    chance = draw(st.integers(0, 19))
    if chance > 3 or state.directives >= MOST_DIRECTIVES:
        return ""
    state.directives += 1
    kind = draw(st.sampled_from(["skip", "include"]))
    if chance == 0:
        return f" @{kind}(if: {str(draw(st.booleans())).lower()})"
    known = [name for name in state.declared if name.startswith("b")]
    variable = draw(st.sampled_from(known)) if known and draw(st.booleans()) else state.name("b")
    if variable not in state.declared:
        state.declared[variable] = draw(st.sampled_from(["Boolean!", "Boolean! = true", "Boolean = false"]))
        if state.declared[variable] == "Boolean!" or draw(st.booleans()):
            state.variables[variable] = draw(st.booleans())
    return f" @{kind}(if: ${variable})"


def _arguments(draw: Draw, state: _State, field_name: str, definition: GraphQLField) -> str:
    given = []
    for name, argument in definition.args.items():
        if draw(st.integers(0, 2)) == 0 or is_required_argument(argument):
            strategy = state.known.values(field_name, name)
            if strategy is not None:
                given.append(f"{name}: {_argument(draw, state, argument, draw(strategy))}")
    return f"({', '.join(given)})" if given else ""


def _argument(draw: Draw, state: _State, argument: GraphQLArgument, value: Any) -> str:
    mode = draw(st.sampled_from(["literal", "literal", "given", "given", "default", "missing", "null", "never null"]))
    nullable = not isinstance(argument.type, GraphQLNonNull)
    if mode == "literal" or (not nullable and mode in {"missing", "null"}):
        return "null" if nullable and draw(st.integers(0, 5)) == 0 else _literal(value)
    variable = state.name("v")
    kind = str(argument.type)
    if mode == "never null":
        kind = f"{kind.removesuffix('!')}!"
    state.declared[variable] = f"{kind} = {_literal(value)}" if mode == "default" else kind
    if mode in {"given", "never null"}:
        state.variables[variable] = value
    elif mode == "null":
        state.variables[variable] = None
    return f"${variable}"


def documents_of_everything() -> list[str]:
    """Return documents that ask for every field of the viewer and, one for each part, of the book."""
    query = JUDGE.query_type
    book = JUDGE.get_type("HealthBook")
    assert query is not None
    assert isinstance(book, GraphQLObjectType)
    me = f"{{ {_whole('me', query.fields['me'])} }}"
    return [me, *(f"{{ healthBook {{ {_whole(name, one)} }} }}" for name, one in book.fields.items())]


def parts_of_a_book() -> list[str]:
    """Return selections of every field of a book: pages alone, which cost most, and a few of the others at once."""
    book = JUDGE.get_type("HealthBook")
    assert isinstance(book, GraphQLObjectType)
    pages = {name: one for name, one in book.fields.items() if get_named_type(one.type).name.endswith("Connection")}
    others = [_whole(name, one) for name, one in book.fields.items() if name not in pages]
    return [
        *(_whole(name, one) for name, one in pages.items()),
        *(" ".join(others[at : at + 3]) for at in range(0, len(others), 3)),
    ]


def everything(kind: GraphQLObjectType, *, but: Collection[str] = ()) -> str:
    """Return a selection of every field once."""
    members = [_whole(name, definition) for name, definition in kind.fields.items() if name not in but]
    return "{ " + " ".join(members) + " }"


def _whole(name: str, definition: GraphQLField) -> str:
    named = get_named_type(definition.type)
    if is_leaf_type(named):
        return name
    name += "".join(f'({one}: "GLU")' for one, argument in definition.args.items() if is_required_argument(argument))
    if isinstance(named, GraphQLObjectType):
        return f"{name} {everything(named)}"
    assert isinstance(named, GraphQLInterfaceType)
    shared = (_whole(inner, one) for inner, one in named.fields.items())
    own = (
        f"... on {one.name} {everything(one, but=named.fields)}"
        for one in JUDGE.get_possible_types(named)
        if one.fields.keys() - named.fields.keys()
    )
    return f"{name} {{ __typename {' '.join(shared)} {' '.join(own)} }}"
