"""Questions drawn by lot: whatever the schema allows, asked with what was told before."""

import random
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pyotp
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    build_schema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

SCHEMA: Final = build_schema((Path(__file__).parents[2] / "graphql" / "schema.graphql").read_text(encoding="utf-8"))
ODD: Final = ("", " ", "Nguyễn Thị Hồng Ánh", "x" * 300, "'; --", "\u202e\u0000", "😀", "99999", "-1", "1e400", "null")
NUMBERS: Final = (0, 1, 2, 5, 10, 30, 60, 1440, 10080, -1, 2**31 - 1)
DAYS: Final = (-20000, -400, -10, -1, 0, 1, 2, 7, 14, 400, 2_900_000)
DEEPEST: Final = 4
Variables = dict[str, tuple[str, Any]]
"""A variable's type and value by its name."""


class Lot:
    """Draws questions. `seen` is what was told by the name of its field, an object's id by `id:` and its type."""

    def __init__(self, drawn: random.Random) -> None:
        self.drawn = drawn
        self.seen: dict[str, list[str]] = defaultdict(list)

    def question(self) -> tuple[GraphQLObjectType, str, dict[str, Any]]:
        """Return the root type, a document of one root field, and its variables."""
        query, mutation = SCHEMA.query_type, SCHEMA.mutation_type
        assert query is not None
        assert mutation is not None
        kind = self.drawn.choice([query, mutation, mutation])
        name = self.drawn.choice(sorted(kind.fields))
        variables: Variables = {}
        selection = self._field(name, kind.fields[name], depth=0, variables=variables)
        declared = ", ".join(f"${key}: {typed}" for key, (typed, _value) in variables.items())
        operation = "query" if kind is query else "mutation"
        document = f"{operation}{f'({declared})' if declared else ''} {{ {selection} }}"
        return kind, document, {key: value for key, (_typed, value) in variables.items()}

    def learn(self, told: Mapping[str, Any], kind: GraphQLObjectType) -> None:
        """Remember what an object's fields told."""
        for name, value in told.items():
            if name not in kind.fields:
                continue
            named = get_named_type(kind.fields[name].type)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    object_type = SCHEMA.get_type(one["__typename"]) if is_abstract_type(named) else named
                    assert isinstance(object_type, GraphQLObjectType)
                    self.learn(one, object_type)
                elif isinstance(one, str) and len(one) < 400:
                    self.seen[f"id:{kind.name.lower()}" if name == "id" else name].append(one)

    def _is_drawn(self, chance: float) -> bool:
        return self.drawn.random() < chance

    def _field(self, name: str, field: GraphQLField, *, depth: int, variables: Variables) -> str:
        given = []
        for key, argument in field.args.items():
            if is_required_argument(argument) or self._is_drawn(0.05 if depth else 0.5):
                variable = f"v{len(variables)}"
                variables[variable] = (str(argument.type), self._value(key, argument.type))
                given.append(f"{key}: ${variable}")
        told = f"{name}({', '.join(given)})" if given else name
        return told + self._selection(field.type, depth=depth, variables=variables)

    def _selection(self, typed: GraphQLOutputType, *, depth: int, variables: Variables) -> str:
        named = get_named_type(typed)
        if is_leaf_type(named):
            return ""
        if is_abstract_type(named):
            possible = SCHEMA.get_possible_types(named)
            parts = [f"... on {one}{self._selection(one, depth=depth, variables=variables)}" for one in possible]
            return f" {{ __typename {' '.join(parts)} }}"
        assert isinstance(named, GraphQLObjectType)
        parts = ["__typename"]
        for name, field in named.fields.items():
            chance = 0.7 if is_leaf_type(get_named_type(field.type)) else 0.35 if depth < DEEPEST else 0
            if name in {"id", "nodes"} or self._is_drawn(chance):
                parts.append(self._field(name, field, depth=depth + 1, variables=variables))
        return f" {{ {' '.join(parts)} }}"

    def _value(self, name: str, typed: GraphQLInputType) -> Any:
        if isinstance(typed, GraphQLNonNull):
            return self._value(name, typed.of_type)
        if self._is_drawn(0.015):
            return self.drawn.choice([None, *ODD])
        if isinstance(typed, GraphQLList):
            return [self._value(name.removesuffix("s"), typed.of_type) for _ in range(self.drawn.choice([0, 1, 1, 2]))]
        if isinstance(typed, GraphQLInputObjectType):
            asked = {
                key: one for key, one in typed.fields.items() if is_required_input_field(one) or self._is_drawn(0.5)
            }
            return {key: self._value(key, one.type) for key, one in asked.items()}
        if isinstance(typed, GraphQLEnumType):
            return self.drawn.choice(sorted(typed.values))
        return self._scalar(name, str(typed))

    def _scalar(self, name: str, typed: str) -> Any:
        moment = datetime.now(UTC) + timedelta(days=self.drawn.choice(DAYS))
        plain = {
            "Boolean": self._is_drawn(0.5),
            "Int": self.drawn.choice(NUMBERS),
            "Date": f"{moment:%Y-%m-%d}",
            "DateTime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        }
        if typed in plain:
            return plain[typed]
        if name == "idempotencyKey":
            return "again" if self._is_drawn(0.05) else uuid4().hex
        if name == "code" and self.seen["secret"] and self._is_drawn(0.3):
            return pyotp.TOTP(self.seen["secret"][-1]).now()
        known = self._known(name)
        return self.drawn.choice(known[-40:] if known and self._is_drawn(0.9) else [*ODD, str(uuid4())])

    def _known(self, name: str) -> list[str]:
        """Return what was told under a name: of an id, those of objects called so before all others."""
        if known := self.seen.get(name):
            return known
        stem = f"{name.removesuffix('Id').lower()}" if name.endswith("Id") else "?"
        ids = {key: told for key, told in self.seen.items() if key.startswith("id:") and name.endswith("Id")}
        return [one for key, told in ids.items() if stem in key for one in told] or [
            one for told in ids.values() for one in told
        ]
