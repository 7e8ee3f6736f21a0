"""The parameters of a compiled operation, and a field's arguments in terms of them."""

import re
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLNonNull,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    VariableValues,
)
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal
from sqlalchemy import ColumnElement

from app.compiler.inputs import Constant, Input
from app.compiler.places import Action
from app.compiler.refusal import NotCompilable
from app.compiler.values import invalid_argument, pg_type_of, to_pg

Read = Callable[[VariableValues], object]
Shown = Callable[[VariableValues], bool]
NO_VARIABLES = VariableValues({}, {})
NAME_LENGTH = 40


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A parameter of the compiled body, read from the coerced variables."""

    name: str
    pg_type: str
    read: Read


class Parameters:
    """Gives every use of a variable its parameter; the same use twice shares one."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Parameter] = {}
        self._names: set[str] = set()
        self._within: tuple[Shown, ...] = ()
        self._places: dict[Hashable, list[tuple[Shown, ...]]] = {}

    @contextmanager
    def within(self, shown: Shown | None) -> Iterator[None]:
        """Note that what is declared inside is asked only when `shown` holds, and when those around it do."""
        before = self._within
        self._within = before if shown is None else (*before, shown)
        yield
        self._within = before

    def declare(self, key: Hashable, name: str, pg_type: str, read: Read) -> Input:
        """Return the input of this use, making its parameter if it is new."""
        parameter = self._known.get(key)
        if parameter is None:
            parameter = Parameter(name=self._free(name), pg_type=pg_type, read=read)
            self._known[key] = parameter
        self._places.setdefault(key, []).append(self._within)
        return Input(parameter.name, pg_type)

    def _free(self, name: str) -> str:
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()[:NAME_LENGTH]
        free, number = f"v_{snake}", 2
        while free in self._names:
            free, number = f"v_{snake}_{number}", number + 1
        self._names.add(free)
        return free

    def all(self) -> tuple[Parameter, ...]:
        """Return the parameters in the order of their first use; of a field that is not asked nothing is judged."""
        return tuple(
            one if () in self._places[key] else replace(one, read=partial(_read_where_asked, one.read, places))
            for key, one in self._known.items()
            for places in (tuple(self._places[key]),)
        )


def _read_where_asked(read: Read, places: Iterable[tuple[Shown, ...]], variables: VariableValues) -> object:
    is_asked = any(all(shown(variables) for shown in place) for place in places)
    return read(variables) if is_asked else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Argument:
    """A field's argument in one document: what is known of it before run time.

    `is_given` is false when no value can come. `may_be_null` is for a value that only run time knows.
    """

    name: str
    pg_type: str
    variable: str | None
    constant: object
    is_given: bool
    is_constant: bool
    may_be_null: bool
    default: object
    key: Hashable
    read: Read

    def sql(self, parameters: Parameters) -> ColumnElement[Any]:
        """Return the value as SQL, a typed NULL when none is given; only now is it a parameter."""
        if self.is_constant:
            return Constant(self.constant, self.pg_type)
        return parameters.declare(self.key, self.variable or self.name, self.pg_type, self.read)


def has_variable(node: ValueNode) -> bool:
    """Tell whether a value of the document depends on variables."""
    if isinstance(node, VariableNode):
        return True
    if isinstance(node, ListValueNode):
        return any(has_variable(item) for item in node.values)
    return isinstance(node, ObjectValueNode) and any(has_variable(item.value) for item in node.fields)


def arguments_of(
    definition: GraphQLField,
    node: FieldNode,
    *,
    python_names: Mapping[str, str],
    types: Mapping[str, str],
    never_null: Container[str],
) -> dict[str, Argument]:
    """Return all arguments of a field by Python name, absent ones too; `never_null` are variables of a ! type.

    :raises Invalid: when the document itself says an impossible value
    :raises NotCompilable: when an argument's type has no place in SQL
    """
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    return {
        python_names[name]: _argument(name, known, given.get(name), types.get(python_names[name]), never_null)
        for name, known in definition.args.items()
    }


def _argument(
    name: str,
    known: GraphQLArgument,
    node: ValueNode | None,
    said_type: str | None,
    never_null: Container[str],
) -> Argument:
    pg_type = said_type or pg_type_of(known.type)

    def read(variables: VariableValues) -> object:
        return to_pg(_coerced(name, known, node, variables), known.type, pg_type, name)

    is_constant = node is None or not has_variable(node)
    value = read(NO_VARIABLES) if is_constant else None
    variable = node.name.value if isinstance(node, VariableNode) else None
    return Argument(
        name=name,
        pg_type=pg_type,
        variable=variable,
        constant=value,
        is_given=not is_constant or value is not None,
        is_constant=is_constant,
        may_be_null=not is_constant and variable not in never_null and not isinstance(known.type, GraphQLNonNull),
        default=_default(known),
        key=(variable or id(node), pg_type, str(known.type), repr(_default(known))),
        read=read,
    )


def _default(known: GraphQLArgument) -> object:
    default = coerce_default_value(known)
    return None if default is Undefined else default


def _coerced(name: str, known: GraphQLArgument, node: ValueNode | None, variables: VariableValues) -> object:
    if node is None or (isinstance(node, VariableNode) and node.name.value not in variables.coerced):
        value = _default(known)
    else:
        value = coerce_input_literal(node, known.type, variables)
        if value is Undefined:
            raise invalid_argument(name)
    if value is None and isinstance(known.type, GraphQLNonNull):
        raise invalid_argument(name)
    return value


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """The input of a mutation: as JSON text, which is what its idempotency key stands for, and as GraphQL values."""

    text: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """A mutation in one document: what it does, and how its input is read from the coerced variables."""

    action: Action
    argument: GraphQLArgument | None
    read: Callable[[VariableValues], Asked]


def deed_of(action: Action, definition: GraphQLField, node: FieldNode) -> Deed:
    """Return what a mutation of the document does.

    :raises NotCompilable: when its arguments are not one `input`, or none
    """
    if not definition.args:
        return Deed(action=action, argument=None, read=lambda _variables: Asked(text="{}", values={}))
    if list(definition.args) != ["input"]:
        raise NotCompilable("a mutation with other arguments than `input`")
    known = definition.args["input"]
    given = next((argument.value for argument in node.arguments or () if argument.name.value == "input"), None)

    def read(variables: VariableValues) -> Asked:
        value = _coerced("input", known, given, variables)
        text = to_pg(value, known.type, "jsonb", "input")
        if not isinstance(text, str) or not isinstance(value, dict):
            raise invalid_argument("input")
        return Asked(text=text, values=value)

    return Deed(action=action, argument=known, read=read)
