"""A compiled operation: its root fields' SQL, its parameters, and how variables become their values."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableDefinitionNode,
    VariableValues,
    get_variable_values,
    is_input_type,
    type_from_ast,
)
from sqlalchemy import ColumnElement, null
from sqlalchemy.exc import CompileError

from app.compiler.inputs import Bound, Constant, Input, InputSpec, Rendering
from app.compiler.parameters import Deed, Parameter
from app.compiler.refusal import NotCompilable
from app.compiler.values import wrong_place
from app.core.errors import Invalid, Text

_NONE = VariableValues(sources={}, coerced={})
"""What an operation without variables is asked with, whatever was sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """SQL with numbered parameters; `order` names the input, or holds the constant, of each."""

    sql: str
    order: tuple[str | Bound, ...]

    def arguments(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """Return what to bind, from values by identifier (`in_…`, `v_…`)."""
        return tuple(item.value if isinstance(item, Bound) else values[item] for item in self.order)


def render(expression: ColumnElement[Any]) -> str:
    """Return the expression for a PL/pgSQL body: inputs are identifiers, the document's constants literals.

    :raises NotCompilable: when a declaration holds what cannot be written as a literal, or nests too deeply
    """
    return _rendered(expression, Rendering(numbered=False))


def render_numbered(expression: ColumnElement[Any]) -> Statement:
    """Return `SELECT <expression>`, as bytes of a client that speaks UTF-8, which binds inputs and constants.

    :raises NotCompilable: as `render`
    """
    rendering = Rendering(numbered=True)
    text = _rendered(expression, rendering)
    return Statement(sql=f"SELECT textsend({text})", order=tuple(rendering.order))


def _rendered(expression: ColumnElement[Any], rendering: Rendering) -> str:
    try:
        return str(expression.compile(dialect=rendering, compile_kwargs={"literal_binds": True}))
    except (CompileError, RecursionError) as error:
        raise NotCompilable(f"SQL cannot be written: {type(error).__name__}") from error


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A root field. One that opens nothing is a constant (`__typename`).

    `arguments` are the opener's, by Python name. `is_shown` tells, from bound values by name, whether `@skip`
    and `@include` let the field be asked; a part that is not shown is not run. A mutation has a `deed`, and its body
    is its payload; a payload's book has opener's arguments that the deed `told`. `places` are the field's line and
    column; none in a document that was deployed.
    """

    key: str
    field: str
    root: str | None
    opens: str | None
    nullable: bool
    body: ColumnElement[Any]
    arguments: Mapping[str, ColumnElement[Any]] = dataclasses.field(default_factory=dict)
    is_shown: Callable[[Mapping[str, object]], bool] = lambda _values: True
    places: tuple[tuple[int, int], ...] = ()
    deed: Deed | None = None
    told: Mapping[str, str] = dataclasses.field(default_factory=dict)
    _body_sql: list[str] = dataclasses.field(default_factory=list, repr=False, compare=False)
    _statement: list[Statement] = dataclasses.field(default_factory=list, repr=False, compare=False)
    _clock_step: list[int] = dataclasses.field(default_factory=list, repr=False, compare=False)

    def body_sql(self) -> str:
        """Return, for PL/pgSQL, the expression of the field's JSON text; null when a root's row is missing."""
        if not self._body_sql:
            self._body_sql.append(render(self.body))
        return self._body_sql[0]

    def argument_sql(self, name: str) -> str:
        """Return, for PL/pgSQL, an argument of the opener; a typed NULL when it is absent.

        :raises KeyError: when the field has no such argument
        """
        return render(self.arguments[name])

    def argument_value(self, name: str, values: Mapping[str, object]) -> object:
        """Return the same argument as a value, from values by identifier.

        :raises KeyError: when the field has no such argument
        """
        argument = self.arguments[name]
        if isinstance(argument, Input):
            return values[argument.name]
        return argument.value if isinstance(argument, Constant) else None

    def statement(self) -> Statement:
        """Return the body with numbered parameters; it is written once."""
        if not self._statement:
            self._statement.append(render_numbered(self.body))
        return self._statement[0]

    def clock_step(self, judge: Callable[[str], int]) -> int:
        """Return what `judge` says of the statement's text, in seconds; it is asked once."""
        if not self._clock_step:
            self._clock_step.append(judge(self.statement().sql))
        return self._clock_step[0]

    def written(self, *, with_body_sql: bool = False) -> "Part":
        """Return the part with its statement's text alone: in a cache the tree behind it is five times as large."""
        self.statement()
        if with_body_sql and self.opens is not None:
            self.body_sql()
        return dataclasses.replace(self, body=null())


def coerced(
    variables: Mapping[str, object], *, operation: OperationDefinitionNode, schema: GraphQLSchema
) -> VariableValues:
    """Return an operation's variables as GraphQL values.

    :raises Invalid: naming the variable and the place in it, never a value
    """
    if not operation.variable_definitions:
        return _NONE
    found = get_variable_values(schema, operation.variable_definitions, dict(variables), hide_suggestions=True)
    if isinstance(found, list):
        raise _wrong_variable(found, variables, schema=schema)
    return found


def _wrong_variable(
    errors: Sequence[GraphQLError], variables: Mapping[str, object], *, schema: GraphQLSchema
) -> Invalid:
    error, node = next(((error, node) for error in errors for node in error.nodes or ()), (errors[0], None))
    places = [(at.line, at.column) for at in error.locations or ()]  # none in a document that was deployed
    if not isinstance(node, VariableDefinitionNode):
        return Invalid(Text("Biến $ không hợp lệ.", "Variable $ is not valid."), places=places)
    name, kind = node.variable.name.value, type_from_ast(schema, node.type)
    if name not in variables:
        return Invalid(Text(f"Thiếu biến ${name}.", f"Variable ${name} is missing."), places=places)
    told = name + ((wrong_place(variables[name], kind) if is_input_type(kind) else None) or "")
    return Invalid(Text(f"Biến ${told} không hợp lệ.", f"Variable ${told} is not valid."), places=places)


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """An operation as SQL: parts in the order of the response, parameters in the order of `bind`.

    `inputs` are the named inputs that the bodies use beside the variables. `cost` counts fields times page sizes,
    a page size that a variable gives at its bound. `sealed_paths` are response keys from the root down. `nested` are
    the books in payloads, in the order of their marks.
    """

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    parts: tuple[Part, ...]
    parameters: tuple[Parameter, ...]
    inputs: tuple[InputSpec, ...]
    nested: tuple[Part, ...]
    sealed_paths: frozenset[tuple[str, ...]]
    cost: int

    def coerce(self, variables: Mapping[str, object]) -> VariableValues:
        """Return the variables as GraphQL values, as `coerced`."""
        return coerced(variables, operation=self.operation, schema=self.schema)

    def bind(self, variables: Mapping[str, object]) -> tuple[object, ...]:
        """Return the values of `parameters`.

        :raises Invalid: naming the variable or argument, never its value
        """
        return self.bound(self.coerce(variables))

    def bound(self, coerced: VariableValues) -> tuple[object, ...]:
        """Return the values of `parameters`, from coerced variables.

        :raises Invalid: naming the argument, never its value
        """
        return tuple(parameter.read(coerced) for parameter in self.parameters)

    def named(self, values: tuple[object, ...]) -> dict[str, object]:
        """Return bound values by their parameters' names."""
        return {parameter.name: value for parameter, value in zip(self.parameters, values, strict=True)}
