"""Rows reached from a row: to-one, lists, and the door to connections."""

from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, get_named_type
from sqlalchemy import ColumnElement, case, select

from app.compiler.connections import connection_text
from app.compiler.leaves import leaf_text
from app.compiler.names import name_text
from app.compiler.parameters import arguments_of
from app.compiler.places import Column, Naming, Relation, Shape, place_of, python_names
from app.compiler.reach import Paged, Reach, item_up, terms_of
from app.compiler.rows import RowRef, used
from app.compiler.selection import Emission
from app.compiler.texts import JsonText, constant, joined, or_null

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
    named = get_named_type(reach.definition.type)
    naming = reach.place.naming
    if naming is not None and isinstance(named, GraphQLObjectType) and _asks_for_a_name(reach, named, naming):
        return _by_name(reach, named, naming)
    rows, own = reach.own()
    text = reach.build.node_text(named, reach.emission.below(), own, reach.place.kinds, reach.up)
    root = reach.place.root
    if root is not None and root.is_there and not used(own):
        return text
    found = select(text).select_from(rows).where(*reach.conditions(own))
    if reach.place.order:
        found = found.order_by(*(term.of(term.key) for term in terms_of(reach.place.order, own))).limit(1)
    alone = found.scalar_subquery()
    return alone if root is not None else or_null(alone, reach.up)


def _asks_for_a_name(reach: Reach, kind: GraphQLObjectType, naming: Naming) -> bool:
    """Tell whether the name is asked, and nothing that needs the row. A row that may be missing is looked for."""
    if not isinstance(reach.definition.type, GraphQLNonNull):
        return False
    asked = [one.node.name.value for one in reach.build.selections.collect(kind, reach.emission.below())]
    places = [place_of(kind.fields[name]) for name in asked if name in kind.fields]
    keys = {place.key if isinstance(place, Column) else None for place in places}
    return naming.name in keys and keys <= {naming.name, naming.code}


def _by_name(reach: Reach, kind: GraphQLObjectType, naming: Naming) -> Element:
    code = getattr(reach.parent, naming.at)

    def value_of(definition: GraphQLField, _emission: Emission, up: int) -> Element:
        place = place_of(definition)
        if isinstance(place, Column) and place.key == naming.code:
            return leaf_text(definition.type, code, never_null=False, up=up)
        return name_text(naming.list_name, code, up)

    return reach.build.object_text(kind, reach.emission.below(), reach.up, value_of)


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
    members = select(joined(text, *paged.order)).select_from(page).scalar_subquery()
    return JsonText("[", members, "]")
