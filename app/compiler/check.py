"""Checks declarations when the schema is made: every lambda is asked once, every value written once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from graphql import (
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)
from sqlalchemy import ColumnElement, DateTime, Select
from sqlalchemy.exc import ArgumentError

from app.compiler.cursors import key_type
from app.compiler.inputs import Constant, Inputs
from app.compiler.leaves import bare, leaf_text
from app.compiler.places import (
    Acting,
    Column,
    Embedded,
    Expression,
    Kinds,
    Opened,
    Order,
    OrderTerms,
    Relation,
    Sealed,
    Shape,
    Source,
    Told,
    on_of,
    place_of,
    python_names,
    row_of,
)
from app.compiler.plan import render
from app.compiler.reach import terms_of
from app.compiler.refusal import BadDeclaration, NotCompilable
from app.compiler.rows import NO_ROW, RowRef, cell, cells_of, of_select
from app.compiler.values import pg_type_of

if TYPE_CHECKING:
    from app.compiler.index import Index


@dataclass(frozen=True, slots=True)
class _Ground:
    """What a type rests on: a row, and the mapped class or the declaration it comes from."""

    row: RowRef
    origin: object

    def has(self, column: Column) -> bool:
        is_elsewhere = isinstance(self.origin, type) and column.owner and not issubclass(self.origin, column.owner)
        return cell(self.row, column.key) is not None and not is_elsewhere


class Check:
    """One walk from every field that has a root."""

    def __init__(self, index: "Index") -> None:
        self.index = index
        self.inputs = Inputs(index.inputs)
        self.seen: set[tuple[str, int]] = set()

    def run(self) -> None:
        """Walk.

        :raises BadDeclaration: naming the field and what is wrong with it
        """
        for kind in self.index.schema.type_map.values():
            if not isinstance(kind, GraphQLObjectType):
                continue
            for name, field in kind.fields.items():
                place = place_of(field)
                if isinstance(place, Relation) and place.root is not None:
                    self._relation(f"{kind.name}.{name}", field, place, NO_ROW)
                if isinstance(place, Acting):
                    self._type(f"{kind.name}.{name}", get_named_type(field.type), _Ground(NO_ROW, place), None)

    def _relation(self, where: str, field: GraphQLField, place: Relation, parent: RowRef) -> None:
        _shape(where, field.type, place)
        _arguments(where, field, place)
        names = python_names(field)
        types = {
            names[name]: place.types.get(names[name]) or _said(where, partial(pg_type_of, argument.type))
            for name, argument in field.args.items()
        }
        absent = {name: partial(Constant, None, pg_type) for name, pg_type in types.items()}
        inputs = Inputs(self.index.inputs, absent)
        own = self._ground(where, place.source, parent, inputs, place)
        if place.on is not None:
            _said(where, partial(place.on, parent, own.row, inputs))
        if place.guard is not None:
            _said(where, partial(place.guard, inputs))
        for name, condition in place.filters.items():
            _said(where, partial(condition, own.row, absent[name]()))
        for order in (place.order, *place.orders.values()):
            _said(where, partial(terms_of, order, own.row))
            if place.shape is Shape.CONNECTION:
                _keyset(where, order, own)
        named = get_named_type(field.type)
        if place.shape is Shape.CONNECTION:
            named = _node_type(where, named)
        self._type(where, named, own, place.kinds)

    def _ground(self, where: str, source: Source, parent: RowRef, inputs: Inputs, said_by: object) -> _Ground:
        if isinstance(source, type):
            return _Ground(RowRef(source.__name__, cells_of(source)), source)
        made = _said(where, partial(source, parent, inputs))
        if not isinstance(made, Select):
            raise BadDeclaration(f"{where}: a source that makes no SELECT")
        _said(where, made.exists)
        return _Ground(of_select(made, "source")[1], said_by)

    def _type(self, where: str, named: GraphQLNamedType, ground: _Ground, kinds: Kinds | None) -> None:
        concrete = self.index.concrete(named)
        grounds = {kind.name: ground for kind in concrete}
        known = kinds or self.index.kinds(named)
        if known is not None:
            _said(where, partial(known.by, ground.row, self.inputs))
            for said in known.types.values():
                if said.name not in grounds:
                    raise BadDeclaration(f"{where}: {said.name} is no {named.name}")
                if said.row is None:
                    continue
                if said.on is None:
                    raise BadDeclaration(f"{where}: {said.name} rests elsewhere, and does not say on what")
                own = self._ground(where, said.row, ground.row, self.inputs, said)
                _said(where, partial(said.on, ground.row, own.row, self.inputs))
                grounds[said.name] = own
        elif len(concrete) > 1:
            raise BadDeclaration(f"{where}: {named.name} does not say how a row tells its type")
        for kind in concrete:
            key = (kind.name, id(grounds[kind.name].origin))
            if key not in self.seen:
                self.seen.add(key)
                for name, field in kind.fields.items():
                    self._field(f"{kind.name}.{name}", field, grounds[kind.name])

    def _field(self, where: str, field: GraphQLField, ground: _Ground) -> None:
        match place_of(field):
            case Relation() as relation if relation.root is None:
                self._relation(where, field, relation, ground.row)
            case Opened() as opened:
                self._opened(where, field, opened)
            case Embedded(when=when):
                if when is not None and is_non_null_type(field.type):
                    raise BadDeclaration(f"{where}: says when it is there, and may not be null")
                if when is not None:
                    _said(where, partial(when, ground.row, self.inputs))
                self._type(where, get_named_type(field.type), ground, None)
            case Column() | Expression() | Sealed() | Told() as value:
                self._value(where, field, value, ground)

    def _opened(self, where: str, field: GraphQLField, opened: Opened) -> None:
        if is_non_null_type(field.type):
            raise BadDeclaration(f"{where}: is opened after the commit, and may not be null")
        root = opened.root
        self._relation(where, field, Relation(shape=Shape.ONE, source=row_of(root), on=on_of(root), root=root), NO_ROW)

    def _value(
        self, where: str, field: GraphQLField, place: Column | Expression | Sealed | Told, ground: _Ground
    ) -> None:
        match place:
            case Column() as column:
                _column(where, column, ground)
                _leaf(where, field.type, getattr(ground.row, column.key))
            case Expression(value=value):
                _leaf(where, field.type, _said(where, partial(value, ground.row, self.inputs)))
            case Sealed(at=Column() as column):
                _column(where, column, ground)
            case Sealed(at=Expression(value=value)):
                _said(where, partial(value, ground.row, self.inputs))
            case Told(key=key):
                _said(where, partial(self.inputs.told_json, key))


def _said(where: str, make: Callable[[], Any]) -> Any:
    """Return what a declaration makes, once it could be written as SQL."""
    try:
        made = make()
        if isinstance(made, ColumnElement):
            render(made)
    except (AttributeError, KeyError, TypeError, ArgumentError, NotCompilable) as error:
        raise BadDeclaration(f"{where}: {error}") from error
    return made


def _leaf(where: str, kind: GraphQLOutputType, value: Any) -> None:
    if not isinstance(value, ColumnElement):
        raise BadDeclaration(f"{where}: {type(value).__name__} is no SQL expression")
    _said(where, partial(leaf_text, kind, value, never_null=False, up=0))


def _column(where: str, column: Column, ground: _Ground) -> None:
    if not ground.has(column):
        name = getattr(ground.origin, "__name__", "its source")
        raise BadDeclaration(f"{where}: {name} has no column {column.key}")
    known = cell(ground.row, column.key)
    kind = None if known is None else bare(known.type)
    if isinstance(kind, DateTime) and not kind.timezone and isinstance(ground.origin, type):
        raise BadDeclaration(f"{where}: {column.key} is a time without its zone")


def _shape(where: str, kind: GraphQLOutputType, place: Relation) -> None:
    if place.guard is not None and is_non_null_type(kind):
        raise BadDeclaration(f"{where}: is guarded, and may not be null")
    if is_list_type(get_nullable_type(kind)) != (place.shape is Shape.MANY):
        raise BadDeclaration(f"{where}: {kind} is not what {place.shape.value} answers with")
    if place.shape is Shape.MANY and (place.limit is None) == (place.max_first is None):
        raise BadDeclaration(f"{where}: needs a limit, or else a bound for its argument first")
    if place.shape is not Shape.ONE and not place.order:
        raise BadDeclaration(f"{where}: has no order")


def _keyset(where: str, order: Sequence[Order] | OrderTerms, ground: _Ground) -> None:
    if not isinstance(order, Sequence):
        raise BadDeclaration(f"{where}: an order that is no list of columns")
    for key in order:
        known = cell(ground.row, key.key)
        if known is None:
            raise BadDeclaration(f"{where}: an order key that is no column")
        try:
            key_type(known.type)
        except BadDeclaration as error:
            raise BadDeclaration(f"{where}: {error}") from None
        if not known.never_null and isinstance(ground.origin, type):
            raise BadDeclaration(f"{where}: order key {key.key} may be null")


def _arguments(where: str, field: GraphQLField, place: Relation) -> None:
    needed = {*place.filters, *place.types}
    if place.max_first is not None:
        needed.add("first")
    if place.shape is Shape.CONNECTION:
        needed.add("after")
    if place.orders:
        needed.add("order")
    missing = needed - set(python_names(field).values())
    if missing:
        raise BadDeclaration(f"{where}: has no argument {', '.join(sorted(missing))}")


def _node_type(where: str, connection: GraphQLNamedType) -> GraphQLNamedType:
    if not isinstance(connection, GraphQLObjectType) or "nodes" not in connection.fields:
        raise BadDeclaration(f"{where}: {connection.name} is no Connection")
    node: GraphQLNamedType = get_named_type(connection.fields["nodes"].type)
    return node
