"""Where a field's data rests: what a declaration says, read by the compiler."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from graphql import GraphQLField
from sqlalchemy import ColumnElement, Select
from sqlalchemy.sql.expression import UnaryExpression

from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef

Value = Callable[[RowRef, Inputs], ColumnElement[Any]]
Condition = Callable[[RowRef, RowRef, Inputs], ColumnElement[bool]]
Filter = Callable[[RowRef, ColumnElement[Any]], ColumnElement[bool]]
Guard = Callable[[Inputs], ColumnElement[bool]]
Source = type[Any] | Callable[[RowRef, Inputs], Select[Any]]


@dataclass(frozen=True, slots=True)
class Order:
    """One order key: a row's attribute and its direction."""

    key: str
    descending: bool = False


OrderTerms = Callable[[RowRef], Sequence[ColumnElement[Any] | UnaryExpression[Any]]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """A column of the row; `owner` is the mapped class that was named, if any."""

    key: str
    owner: type[Any] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Expression:
    """A scalar expression over the row."""

    value: Value
    sealed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """Sealed bytes, of a column or an expression, which Python opens."""

    at: Column | Expression


@dataclass(frozen=True, kw_only=True, slots=True)
class Embedded:
    """Another type that rests on the same row; null when `when` says no."""

    when: Value | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Root:
    """What opens a root field, and the row it stands on.

    `opens` names the opener ("book", "desk"); `row` and `on` are needed for an object field only. Where the opener
    has seen that the row `is_there`, it is not read again unless something of it is asked.
    """

    name: str
    opens: str
    row: Source | None = None
    on: Callable[[RowRef, Inputs], ColumnElement[bool]] | None = None
    is_there: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """A concrete type of an interface or union; with `row`, it rests there and not on the common row."""

    name: str
    row: Source | None = None
    on: Condition | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Kinds:
    """How a row tells its concrete type: the value of `by` is a key of `types`."""

    by: Value
    types: Mapping[str, Kind]


@dataclass(frozen=True, kw_only=True, slots=True)
class Naming:
    """A public list's entry that the parent's attribute `at` names by its code.

    A selection of no more than the columns `code` and `name` is answered without its row.
    """

    list_name: str
    at: str
    code: str = "code"
    name: str = "name"


class Shape(Enum):
    """How many rows a relation answers with, and in what dress."""

    ONE = "one"
    MANY = "many"
    CONNECTION = "connection"


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """Rows reached from the parent's row (or from nothing, at a root)."""

    shape: Shape
    source: Source
    on: Condition | None = None
    order: Sequence[Order] | OrderTerms = ()
    orders: Mapping[str, Sequence[Order]] = field(default_factory=dict)
    limit: int | None = None
    max_first: int | None = None
    filters: Mapping[str, Filter] = field(default_factory=dict)
    guard: Guard | None = None
    kinds: Kinds | None = None
    naming: Naming | None = None
    types: Mapping[str, str] = field(default_factory=dict)
    root: Root | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Action:
    """What a mutation does, what of it is committed first, how it tells its secrets again (app.compiler.deeds)."""

    does: Callable[..., Awaitable[Any]]
    first: Callable[..., Awaitable[Any]] | None = None
    between: Callable[..., Awaitable[Any]] | None = None
    again: Callable[..., Mapping[str, Any]] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Acting:
    """A field of Mutation: done first, its payload read then."""

    action: Action


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A value that a mutation's step told."""

    key: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Opened:
    """A book in a mutation's payload, opened after the commit."""

    root: Root
    arguments: Mapping[str, str]


class Page(Enum):
    """A field of a connection, an edge or the page information."""

    EDGES = "edges"
    NODES = "nodes"
    TOTAL = "total"
    INFO = "info"
    CURSOR = "cursor"
    NODE = "node"
    HAS_NEXT = "has_next"
    HAS_PREVIOUS = "has_previous"
    START = "start"
    END = "end"


Place = Column | Expression | Sealed | Embedded | Relation | Page | Acting | Told | Opened

METADATA = "rests"
KINDS = "__rests_kinds__"
DEFINITION = "strawberry-definition"


def place_of(field: GraphQLField) -> Place | None:
    """Return where a published field rests, or nothing when Python resolves it."""
    definition = field.extensions.get(DEFINITION)
    found: Place | None = None if definition is None else definition.metadata.get(METADATA)
    return found


def python_names(field: GraphQLField) -> Mapping[str, str]:
    """Return the Python name of each argument by its GraphQL name."""
    definitions = {name: argument.extensions.get(DEFINITION) for name, argument in field.args.items()}
    return {name: str(getattr(found, "python_name", name)) for name, found in definitions.items()}


def row_of(root: Root) -> Source:
    """Return the row that a root stands on.

    :raises TypeError: when it names none
    """
    if root.row is None:
        message = f"root {root.name} has no row to stand on"
        raise TypeError(message)
    return root.row


def on_of(root: Root) -> Condition | None:
    """Return which of its rows a root stands on."""
    on = root.on
    return None if on is None else lambda _parent, row, inputs: on(row, inputs)
