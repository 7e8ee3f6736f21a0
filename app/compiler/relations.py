"""Rows reached from a row: to-one, lists, and the door to connections."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField, GraphQLObjectType, get_named_type
from sqlalchemy import ColumnElement, case, select

from app.compiler.connections import connection_text
from app.compiler.parameters import arguments_of
from app.compiler.places import Relation, Shape, python_names
from app.compiler.reach import Paged, Reach, item_up, terms_of
from app.compiler.rows import RowRef
from app.compiler.selection import Emission
from app.compiler.texts import aggregated, constant, or_null

if TYPE_CHECKING:
    from app.compiler.compile import Build

Element = ColumnElement[Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """A relation's JSON text, and the arguments that nothing has used: an opener's."""

    text: Element
    left: dict[str, Element] = field(default_factory=dict)


def relation_text(
    build: "Build",
    place: Relation,
    *,
    parent_type: GraphQLObjectType,
    definition: GraphQLField,
    emission: Emission,
    parent: RowRef,
    up: int,
) -> Found:
    """Return a relation's JSON text; it is null only for a root whose row is missing.

    :raises NotCompilable: naming the part that cannot become SQL
    """
    given = arguments_of(
        definition,
        emission.node,
        python_names=python_names(definition),
        types=place.types,
        never_null=build.never_null,
    )
    reach = Reach(
        build=build,
        place=place,
        name=f"{parent_type.name}.{emission.node.name.value}",
        definition=definition,
        emission=emission,
        parent=parent,
        inputs=build.inputs_with({name: partial(argument.sql, build.parameters) for name, argument in given.items()}),
        given=given,
        up=up,
    )
    match place.shape:
        case Shape.ONE:
            text = _one(reach)
        case Shape.MANY:
            text = _many(reach)
        case Shape.CONNECTION:
            text = connection_text(reach)
    if place.guard is not None:
        text = case((place.guard(reach.inputs), text), else_=constant("null"))
    if place.root is None:
        return Found(text=text)
    taken = {*place.filters, "order" if place.orders else ""}
    if place.max_first is not None:
        taken |= {"first", "after"}
    left = {name: argument.sql(build.parameters) for name, argument in given.items() if name not in taken}
    return Found(text=text, left=left)


def _one(reach: Reach) -> Element:
    rows, own = reach.own()
    named = get_named_type(reach.definition.type)
    text = reach.build.node_text(named, reach.emission.below(), own, reach.place.kinds, reach.up)
    found = select(text).select_from(rows).where(*reach.conditions(own))
    if reach.place.order:
        found = found.order_by(*(term.of(term.key) for term in terms_of(reach.place.order, own))).limit(1)
    alone = found.scalar_subquery()
    return alone if reach.place.root is not None else or_null(alone, reach.up)


def _many(reach: Reach) -> Element:
    rows, own = reach.own()
    size = reach.size()
    terms = terms_of(reach.place.order, own)
    paged = Paged(reach.build.alias(), own, terms)
    named = get_named_type(reach.definition.type)
    up = item_up(reach.definition.type, reach.up)
    with reach.build.repeated(size.most):
        text = reach.build.node_text(named, reach.emission.below(), paged.row, reach.place.kinds, up)
    page = paged.rows(rows, reach.conditions(own), size.sql)
    return select(aggregated(text, *paged.order)).select_from(page).scalar_subquery()
