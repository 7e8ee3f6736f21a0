"""How a room says where its Strawberry types rest.

Example (a room's `mapping.py`)::

    from app.compiler import declare as rests

    @strawberry.type(description="A diagnosis of a visit.")
    class Diagnosis:
        code: str = rests.column(VisitDiagnosisRow.code, description="ICD-10 code as sent.")
        name: str | None = rests.expression(
            lambda row, inputs: label("icd10", row.code, inputs.language), description="Its name."
        )

    @strawberry.type(description="A visit.")
    class Visit:
        id: strawberry.ID = rests.column(VisitRow.id, description="Opaque.")
        costs: Costs = rests.embedded(description="Rests on the visit's own row.")
        facility: Facility = rests.one(
            FacilityRow, on=lambda visit, f, inputs: f.code == visit.facility_code, description="Where."
        )
        diagnoses: list[Diagnosis] = rests.many(
            VisitDiagnosisRow,
            on=lambda visit, d, inputs: and_(d.citizen_id == inputs.citizen, d.visit_id == visit.id),
            order=(rests.asc("line"),), limit=50, description="Main diagnosis first.",
        )

    @strawberry.type(description="A page of visits; only a subclass like this one has totalCount.")
    class VisitConnection(rests.Connection[Visit]):
        total_count: int = rests.total(description="How many visits match, whatever the page.")

    @strawberry.type(description="A citizen's health book.")
    class HealthBook:
        @rests.connection(
            VisitRow, on=lambda book, v, inputs: v.citizen_id == inputs.citizen,
            order=(rests.desc("started_at"), rests.desc("id")), max_first=50,
            filters={"from_": lambda v, value: v.started_at >= value},
            guard=lambda inputs: inputs.sections.op("&")(1) != 0, description="Newest first.",
        )
        def visits(
            self, first: int = 20, after: str | None = None,
            from_: Annotated[date | None, strawberry.argument(name="from", description="…")] = None,
        ) -> VisitConnection | None: ...          # or: -> rests.Connection[Visit] | None

    BOOK = rests.Root(
        name="book", opens="book", row=BookRow, on=lambda row, inputs: row.citizen_id == inputs.citizen
    )

    @strawberry.type
    class RecordsQuery:
        @rests.root(BOOK, description="…")
        def health_book(self, citizen_id: strawberry.ID | None = None) -> HealthBook | None: ...

`row`, `visit`, `d` … are row references: their attributes are the columns of the mapped class (or of the SELECT
that a `source` returns), under this statement's own alias. `inputs.NAME` is a named input of the statement
(citizen, sections, language …), `inputs.argument("codes")` an argument of the very field that is declared (a typed
NULL when it is absent). Lambdas only build expressions, when an operation is compiled; constants in them are
written into the statement. Every table a lambda brings in itself must name the citizen too.

A mutation does its work in Python and is answered like any other field (app.compiler.deeds).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import strawberry
from sqlalchemy import Column as TableColumn
from sqlalchemy.orm import QueryableAttribute

from app.compiler.deeds import action, mutation, opened, told
from app.compiler.fields import RestingField, RestsInSqlError, resting_field
from app.compiler.places import (
    KINDS,
    Column,
    Condition,
    Embedded,
    Expression,
    Filter,
    Guard,
    Kind,
    Kinds,
    Naming,
    Order,
    OrderTerms,
    Page,
    Relation,
    Root,
    Sealed,
    Shape,
    Source,
    Value,
    on_of,
    row_of,
)

__all__ = [
    "AFTER",
    "FIRST",
    "KEY",
    "Connection",
    "Edge",
    "Kind",
    "Naming",
    "Order",
    "PageInfo",
    "RestingField",
    "RestsInSqlError",
    "Root",
    "action",
    "asc",
    "column",
    "connection",
    "desc",
    "embedded",
    "expression",
    "kinds",
    "many",
    "mutation",
    "one",
    "opened",
    "root",
    "rows",
    "sealed",
    "told",
    "total",
    "union_kinds",
]

Stub = Callable[..., Any]

FIRST = strawberry.argument(description="How many, 1 to 50.")
AFTER = strawberry.argument(description="Cursor of the last entry of the page before.")
KEY = "A key of your choice for this one action, kept for 48 hours: sending it again does nothing twice."


def _column(at: QueryableAttribute[Any] | TableColumn[Any] | str) -> Column:
    if isinstance(at, str):
        return Column(key=at)
    if isinstance(at, QueryableAttribute):
        return Column(key=at.key, owner=at.parent.class_)
    return Column(key=str(at.key))


def asc(key: str) -> Order:
    """Order by the row's attribute, smallest first."""
    return Order(key)


def desc(key: str) -> Order:
    """Order by the row's attribute, largest first."""
    return Order(key, descending=True)


def column(
    at: QueryableAttribute[Any] | TableColumn[Any] | str,
    *,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Rest on a column: an attribute of the mapped class, or the name of a `source`'s column."""
    return resting_field(_column(at), description=description, name=name, deprecation_reason=deprecation_reason)


def sealed(
    at: QueryableAttribute[Any] | TableColumn[Any] | str | Value,
    *,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Rest on sealed bytes, of a column or an expression, which are opened in Python after the statement."""
    place = Sealed(at=_column(at) if isinstance(at, QueryableAttribute | TableColumn | str) else Expression(value=at))
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def expression(
    value: Value, *, description: str, name: str | None = None, deprecation_reason: str | None = None
) -> Any:
    """Rest on a scalar expression over the row; a constant is `sqlalchemy.literal(…)`."""
    place = Expression(value=value)
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def embedded(
    *,
    when: Value | None = None,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Rest, as an object, on the parent's own row; null where `when` is not true (the type may then be null)."""
    place = Embedded(when=when)
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def one(
    source: Source,
    *,
    on: Condition | None = None,
    order: Sequence[Order] | OrderTerms = (),
    guard: Guard | None = None,
    kinds: Kinds | None = None,
    naming: Naming | None = None,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Rest on one row: at most one matches, or the first of `order`. Null when none does.

    `naming` is for a row of a public list that is always there: see `Naming`.
    """
    place = Relation(shape=Shape.ONE, source=source, on=on, order=order, guard=guard, kinds=kinds, naming=naming)
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def many(
    source: Source,
    *,
    on: Condition | None = None,
    order: Sequence[Order] | OrderTerms,
    limit: int,
    guard: Guard | None = None,
    kinds: Kinds | None = None,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Any:
    """Rest on a list of at most `limit` rows in `order`; no arguments (see `rows`)."""
    place = Relation(shape=Shape.MANY, source=source, on=on, order=order, limit=limit, guard=guard, kinds=kinds)
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def rows(
    source: Source,
    *,
    on: Condition | None = None,
    order: Sequence[Order] | OrderTerms,
    limit: int | None = None,
    max_first: int | None = None,
    filters: Mapping[str, Filter] | None = None,
    types: Mapping[str, str] | None = None,
    guard: Guard | None = None,
    kinds: Kinds | None = None,
    root: Root | None = None,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[Stub], Any]:
    """Rest, with arguments, on a plain list: of `limit` rows, or of the argument `first` (1 to `max_first`).

    `filters` maps an argument's Python name to its condition; other arguments reach `on` and `source` by
    `inputs.argument(…)`. `types` gives an argument another PostgreSQL type than its GraphQL type says.
    `root` is for a field of Query.
    """
    place = Relation(
        shape=Shape.MANY,
        source=source,
        on=on,
        order=order,
        limit=limit,
        max_first=max_first,
        filters=filters or {},
        types=types or {},
        guard=guard,
        kinds=kinds,
        root=root,
    )
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def connection(
    source: Source,
    *,
    on: Condition | None = None,
    order: Sequence[Order],
    orders: Mapping[str, Sequence[Order]] | None = None,
    max_first: int,
    filters: Mapping[str, Filter] | None = None,
    types: Mapping[str, str] | None = None,
    guard: Guard | None = None,
    kinds: Kinds | None = None,
    root: Root | None = None,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[Stub], Any]:
    """Rest on a forward Relay connection with keyset cursors; arguments `first` and `after`.

    `order` names attributes that are NOT NULL and unique together. `orders` adds a closed list, chosen by the
    argument `order` (an enum whose names are its keys). Filters, types and root as in `rows`.
    """
    place = Relation(
        shape=Shape.CONNECTION,
        source=source,
        on=on,
        order=order,
        orders=orders or {},
        max_first=max_first,
        filters=filters or {},
        types=types or {},
        guard=guard,
        kinds=kinds,
        root=root,
    )
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def root(
    at: Root,
    *,
    types: Mapping[str, str] | None = None,
    guard: Guard | None = None,
    kinds: Kinds | None = None,
    description: str,
    name: str | None = None,
    deprecation_reason: str | None = None,
) -> Callable[[Stub], Any]:
    """Rest a root field on its opener's row; the arguments go to the opener.

    :raises TypeError: when the root names no row
    """
    place = Relation(
        shape=Shape.ONE,
        source=row_of(at),
        on=on_of(at),
        types=types or {},
        guard=guard,
        kinds=kinds,
        root=at,
    )
    return resting_field(place, description=description, name=name, deprecation_reason=deprecation_reason)


def _kinds(by: Value, types: Mapping[str, str | Kind]) -> Kinds:
    return Kinds(by=by, types={key: Kind(name=kind) if isinstance(kind, str) else kind for key, kind in types.items()})


Class = TypeVar("Class", bound=type)


def kinds(*, by: Value, types: Mapping[str, str | Kind]) -> Callable[[Class], Class]:
    """Say how a row tells which concrete type of the interface it is (above `@strawberry.interface`).

    `types` maps values of `by` to GraphQL type names. An interface of one concrete type needs none.
    """

    def decorate(cls: Class) -> Class:
        setattr(cls, KINDS, _kinds(by, types))
        return cls

    return decorate


def union_kinds(*, by: Value, types: Mapping[str, str | Kind]) -> Kinds:
    """Say the same for a union, as `kinds=` of the field that answers with it."""
    return _kinds(by, types)


def total(*, description: str) -> Any:
    """Count all rows of the connection, in a subclass of `Connection`."""
    return resting_field(Page.TOTAL, description=description, name=None)


def _page(page: Page, description: str) -> Any:
    return resting_field(page, description=description, name=None)


Node = TypeVar("Node")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay page information, forward only. Source: Relay Cursor Connections §PageInfo."""

    has_next_page: bool = _page(Page.HAS_NEXT, "Whether more follow.")
    has_previous_page: bool = _page(Page.HAS_PREVIOUS, "Whether this page was asked for after a cursor.")
    start_cursor: str | None = _page(Page.START, "Cursor of the first entry, null when the page is empty.")
    end_cursor: str | None = _page(Page.END, "Cursor of the last entry: pass it as `after` for the next page.")


@strawberry.type(description="An entry of a page.")
class Edge(Generic[Node]):
    """Relay edge."""

    cursor: str = _page(Page.CURSOR, "Opaque place of this entry in its list.")
    node: Node = _page(Page.NODE, "The entry itself.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[Node]):
    """Relay connection: `Connection[Visit]` is published as `VisitConnection`."""

    edges: list[Edge[Node]] = _page(Page.EDGES, "Entries with their cursors, in the list's order.")
    nodes: list[Node] = _page(Page.NODES, "The entries alone, in the list's order.")
    page_info: PageInfo = _page(Page.INFO, "Where the page stands.")
