"""The schema as the compiler reads it: each field's place, checked once."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)
from strawberry import Schema

from app.compiler.cursors import key_type
from app.compiler.declare import KINDS, METADATA
from app.compiler.inputs import InputSpec
from app.compiler.places import Column, Embedded, Kinds, Order, Place, Relation, Sealed, Shape
from app.compiler.refusal import BadDeclaration, NotCompilable
from app.compiler.rows import cells_of

DEFINITION = "strawberry-definition"
OutputObject = GraphQLObjectType | GraphQLInterfaceType


def place_of(field: GraphQLField) -> Place | None:
    """Return where a field rests, or nothing when Python resolves it."""
    definition = field.extensions.get(DEFINITION)
    found: Place | None = None if definition is None else definition.metadata.get(METADATA)
    return found


def python_names(field: GraphQLField) -> Mapping[str, str]:
    """Return the Python name of each argument by its GraphQL name."""
    return {name: _python_name(name, argument) for name, argument in field.args.items()}


def _python_name(name: str, argument: GraphQLArgument) -> str:
    definition = argument.extensions.get(DEFINITION)
    return name if definition is None else str(definition.python_name)


class Index:
    """A Strawberry schema whose declarations have been checked, and the named inputs they may use."""

    def __init__(self, schema: Schema, *, inputs: Sequence[InputSpec]) -> None:
        """Check every declaration that a root field reaches.

        :raises BadDeclaration: naming the field and what is wrong with it
        """
        self.schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
        self.inputs: Mapping[str, InputSpec] = {spec.name: spec for spec in inputs}
        _Check(self).run()

    def kinds(self, abstract: GraphQLNamedType) -> Kinds | None:
        """Return how rows of an interface tell their type, if it says so."""
        definition = abstract.extensions.get(DEFINITION)
        origin = getattr(definition, "origin", None)
        found: Kinds | None = None if origin is None else vars(origin).get(KINDS)
        return found

    def object_type(self, name: str) -> GraphQLObjectType:
        """Return an object type by name.

        :raises NotCompilable: when the schema has none of this name
        """
        found = self.schema.get_type(name)
        if not isinstance(found, GraphQLObjectType):
            raise NotCompilable(f"{name} is no object type")
        return found

    def concrete(self, kind: GraphQLNamedType) -> list[GraphQLObjectType]:
        """Return the object types that a value of this type may have."""
        if isinstance(kind, GraphQLInterfaceType | GraphQLUnionType):
            return list(self.schema.get_possible_types(kind))
        return [kind] if isinstance(kind, GraphQLObjectType) else []


class _Check:
    """One walk from every field that has a root."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.seen: set[tuple[str, type[Any] | None]] = set()

    def run(self) -> None:
        for kind in self.index.schema.type_map.values():
            if not isinstance(kind, GraphQLObjectType):
                continue
            for name, field in kind.fields.items():
                place = place_of(field)
                if isinstance(place, Relation) and place.root is not None:
                    self._relation(f"{kind.name}.{name}", field, place)

    def _relation(self, where: str, field: GraphQLField, place: Relation) -> None:
        _shape(where, field.type, place)
        row = place.source if isinstance(place.source, type) else None
        if isinstance(place.order, Sequence):
            for order in (*place.order, *(key for keys in place.orders.values() for key in keys)):
                _order(where, order, row, is_keyset=place.shape is Shape.CONNECTION)
        _arguments(where, field, place)
        named = get_named_type(field.type)
        if place.shape is Shape.CONNECTION:
            named = _node_type(where, named)
        self._type(where, named, row, place.kinds)

    def _type(self, where: str, named: GraphQLNamedType, row: type[Any] | None, kinds: Kinds | None) -> None:
        concrete = self.index.concrete(named)
        rows: dict[str, type[Any] | None] = dict.fromkeys((kind.name for kind in concrete), row)
        known = kinds or self.index.kinds(named)
        if known is not None:
            for said in known.types.values():
                if said.name not in rows:
                    raise BadDeclaration(f"{where}: {said.name} is no {named.name}")
                if said.row is not None:
                    rows[said.name] = said.row if isinstance(said.row, type) else None
        elif len(concrete) > 1:
            raise BadDeclaration(f"{where}: {named.name} does not say how a row tells its type")
        for kind in concrete:
            if (kind.name, rows[kind.name]) not in self.seen:
                self.seen.add((kind.name, rows[kind.name]))
                self._fields(kind, rows[kind.name])

    def _fields(self, kind: GraphQLObjectType, row: type[Any] | None) -> None:
        for name, field in kind.fields.items():
            where = f"{kind.name}.{name}"
            match place_of(field):
                case Relation() as relation if relation.root is None:
                    self._relation(where, field, relation)
                case Embedded(when=when):
                    if when is not None and is_non_null_type(field.type):
                        raise BadDeclaration(f"{where}: says when it is there, and may not be null")
                    self._type(where, get_named_type(field.type), row, None)
                case Column() as column:
                    _column(where, column, row)
                case Sealed(at=Column() as column):
                    _column(where, column, row)


def _shape(where: str, kind: GraphQLOutputType, place: Relation) -> None:
    if place.guard is not None and is_non_null_type(kind):
        raise BadDeclaration(f"{where}: is guarded, and may not be null")
    if is_list_type(get_nullable_type(kind)) != (place.shape is Shape.MANY):
        raise BadDeclaration(f"{where}: {kind} is not what {place.shape.value} answers with")
    if place.shape is Shape.MANY and (place.limit is None) == (place.max_first is None):
        raise BadDeclaration(f"{where}: needs a limit, or else a bound for its argument first")
    if place.shape is not Shape.ONE and not place.order:
        raise BadDeclaration(f"{where}: has no order")


def _order(where: str, order: Order, row: type[Any] | None, *, is_keyset: bool) -> None:
    if row is None:
        return
    cell = cells_of(row).get(order.key)
    if cell is None:
        raise BadDeclaration(f"{where}: {row.__name__} has no column {order.key}")
    if is_keyset:
        try:
            key_type(cell.type)
        except BadDeclaration as error:
            raise BadDeclaration(f"{where}: {error}") from None
        if not cell.never_null:
            raise BadDeclaration(f"{where}: order key {order.key} may be null")


def _column(where: str, column: Column, row: type[Any] | None) -> None:
    if row is None:
        return
    if column.key not in cells_of(row) or (column.owner is not None and not issubclass(row, column.owner)):
        raise BadDeclaration(f"{where}: {row.__name__} has no column {column.key}")


def _arguments(where: str, field: GraphQLField, place: Relation) -> None:
    names = set(python_names(field).values())
    needed = {*place.filters, *place.types}
    if place.max_first is not None:
        needed.add("first")
    if place.shape is Shape.CONNECTION:
        needed.add("after")
    if place.orders:
        needed.add("order")
    missing = needed - names
    if missing:
        raise BadDeclaration(f"{where}: has no argument {', '.join(sorted(missing))}")


def _node_type(where: str, connection: GraphQLNamedType) -> GraphQLNamedType:
    fields: Iterable[str] = connection.fields if isinstance(connection, GraphQLObjectType) else ()
    if "nodes" not in fields or not isinstance(connection, GraphQLObjectType):
        raise BadDeclaration(f"{where}: {connection.name} is no Connection")
    node: GraphQLNamedType = get_named_type(connection.fields["nodes"].type)
    return node
