"""A relation as one document asks it: its rows, their conditions, order and number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLField,
    GraphQLNonNull,
    GraphQLOutputType,
    VariableValues,
    get_nullable_type,
    is_list_type,
)
from sqlalchemy import ColumnElement, FromClause, Select, Subquery, literal, or_, select
from sqlalchemy.sql import operators
from sqlalchemy.sql.expression import UnaryExpression

from app.compiler.inputs import Constant, Inputs
from app.compiler.parameters import Argument
from app.compiler.places import Order, OrderTerms, Relation, Source
from app.compiler.refusal import NotCompilable
from app.compiler.rows import Cell, RowColumn, RowRef, cell, of_select, of_table, under, used
from app.compiler.selection import Emission
from app.core.errors import Invalid, Text

if TYPE_CHECKING:
    from app.compiler.compile import Build

Element = ColumnElement[Any]
MODIFIERS = (operators.desc_op, operators.asc_op, operators.nulls_first_op, operators.nulls_last_op)


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """How many rows a list has at most, as SQL and as a number known before run time."""

    sql: Element
    most: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Term:
    """An order key and what follows it: DESC, NULLS LAST."""

    key: Element
    modifiers: tuple[Callable[[Any], Any], ...] = ()

    def of(self, key: Element) -> Element:
        """Return another key in the same direction."""
        for modifier in self.modifiers:
            key = modifier(key)
        return key


@dataclass(frozen=True, kw_only=True, slots=True)
class Reach:
    """A relation as one document asks it."""

    build: "Build"
    place: Relation
    name: str
    definition: GraphQLField
    emission: Emission
    parent: RowRef
    inputs: Inputs
    given: dict[str, Argument]
    up: int

    def own(self) -> tuple[FromClause, RowRef]:
        """Return the relation's rows under a fresh alias."""
        return opened(self.build, self.place.source, self.parent, self.inputs)

    def conditions(self, own: RowRef) -> list[ColumnElement[bool]]:
        """Return what the rows must fulfil: the relation, and the filters that the document gives."""
        found = [] if self.place.on is None else [self.place.on(self.parent, own, self.inputs)]
        for name, condition in self.place.filters.items():
            argument = self.given[name]
            if argument.is_given:
                value = argument.sql(self.build.parameters)
                found.append(optional(argument, value, condition(own, value)))
        return found

    def size(self) -> Size:
        """Return the page size.

        :raises Invalid: when the document itself says one out of bounds
        """
        most = self.place.max_first
        if most is None:
            limit = self.place.limit or 1
            return Size(sql=literal(limit), most=limit)
        first = self.given["first"]
        bounded = partial(_bounded, default=first.default, most=most, name=first.name)
        if first.is_constant:
            number = bounded(first.constant)
            return Size(sql=Constant(number, "integer"), most=number)

        def read(variables: VariableValues) -> object:
            return bounded(first.read(variables))

        parameters = self.build.parameters
        return Size(
            sql=parameters.declare(("first", most, first.key), first.variable or first.name, "integer", read),
            most=most,
        )


def optional(argument: Argument, value: Element, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return a condition that falls away when the argument is null at run time.

    The one place where a body per combination of optional arguments would begin.
    """
    return or_(value.is_(None), condition) if argument.may_be_null else condition


def opened(build: "Build", source: Source, parent: RowRef, inputs: Inputs) -> tuple[FromClause, RowRef]:
    """Give a mapped class, or the SELECT that a source makes for this parent, a fresh alias."""
    if isinstance(source, type):
        return of_table(source, build.alias())
    made = source(parent, inputs)
    if not isinstance(made, Select):
        raise NotCompilable("a source that makes no SELECT")
    return of_select(made, build.alias())


def item_up(kind: GraphQLOutputType, up: int) -> int:
    """Return where a null in a list is carried to; `up` is where one in the list's own place is."""
    inner = get_nullable_type(kind)
    return up + 1 if is_list_type(inner) and isinstance(inner.of_type, GraphQLNonNull) else 0


class Paged:
    """The ordered, limited rows of a list: a sub-select that exports its order keys and what was asked of it.

    What is made of the rows stands outside, where the order is said again: nothing between can lose it.
    """

    NUMBER = Cell("_n", literal(0).type, never_null=True)

    def __init__(self, alias: str, own: RowRef, terms: Sequence[Term]) -> None:
        self.alias = alias
        self.own = own
        self.terms = terms
        self.row = under(own, alias)
        self.keys = [RowColumn(alias, Cell(f"_k{at}", term.key.type, never_null=True)) for at, term in enumerate(terms)]
        self.order = [term.of(key) for term, key in zip(terms, self.keys, strict=True)]

    def rows(
        self, source: FromClause, conditions: Sequence[ColumnElement[bool]], limit: Element, *extra: Element
    ) -> Subquery:
        """Return the sub-select; called last, when all that is asked of the rows is known."""
        asked = [_exported(self.own, key) for key in used(self.row)]
        keys = [term.key.label(f"_k{at}") for at, term in enumerate(self.terms)]
        order = [term.of(term.key) for term in self.terms]
        page = select(*asked, *keys, *extra).select_from(source).where(*conditions).order_by(*order).limit(limit)
        return page.subquery(self.alias)


def _exported(own: RowRef, key: str) -> ColumnElement[Any]:
    known = cell(own, key)
    value: Element = getattr(own, key)
    return value.label(key if known is None else known.name)


def terms_of(order: Sequence[Order] | OrderTerms, row: RowRef) -> list[Term]:
    """Return a declaration's order over a row."""
    if isinstance(order, Sequence):
        return [_term(known, row) for known in order]
    return [_unwrapped(found) for found in order(row)]


def _term(known: Order, row: RowRef) -> Term:
    return Term(key=getattr(row, known.key), modifiers=(operators.desc_op,) if known.descending else ())


def _unwrapped(found: Any) -> Term:
    modifiers: list[Callable[[Any], Any]] = []
    while isinstance(found, UnaryExpression) and found.modifier in MODIFIERS:
        modifiers.insert(0, found.modifier)
        found = found.element
    return Term(key=found, modifiers=tuple(modifiers))


def _bounded(value: object, *, default: object, most: int, name: str) -> int:
    number = default if value is None else value
    if not isinstance(number, int) or not 1 <= number <= most:
        raise Invalid(Text(f"Tham số {name} phải từ 1 đến {most}.", f"Argument {name} must be from 1 to {most}."))
    return number
