"""Walks an operation's selection over the declarations and builds the SQL of its JSON text."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    NonNullTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableValues,
    get_named_type,
    get_operation_ast,
)
from sqlalchemy import ColumnElement, and_, case, func, not_, or_, select, true

from app.compiler.index import Index
from app.compiler.inputs import Input, Inputs, InputSpec
from app.compiler.leaves import leaf_text
from app.compiler.parameters import Parameters, Shown, deed_of
from app.compiler.places import (
    Acting,
    Column,
    Embedded,
    Expression,
    Kinds,
    Opened,
    Relation,
    Sealed,
    Shape,
    Told,
    on_of,
    place_of,
    row_of,
)
from app.compiler.plan import Part, Plan
from app.compiler.reach import opened
from app.compiler.refusal import NotCompilable
from app.compiler.relations import relation_text
from app.compiler.rows import NO_ROW, RowRef, cell
from app.compiler.selection import ALWAYS, Emission, Selections, When
from app.compiler.texts import (
    BOOK,
    SEAL,
    JsonText,
    Piece,
    as_text,
    constant,
    hole,
    json_literal,
    null_text,
    or_null,
)
from app.compiler.values import invalid_argument

Element = ColumnElement[Any]
Below = Sequence[tuple[SelectionSetNode, When]]
DEEPEST = 20  # far from Python's own limit, wherever the call comes from
ValueOf = Callable[[GraphQLField, Emission, int], Element]


def compile_operation(index: Index, document: DocumentNode, operation_name: str | None = None) -> Plan:
    """Compile an operation of a valid document: who calls has validated it, and limited its size and depth.

    :raises NotCompilable: naming the part that cannot become SQL
    :raises Invalid: when the document itself gives an argument an impossible value
    """
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        raise NotCompilable("no such operation")
    root = index.schema.get_root_type(operation.operation)
    if root is None or operation.operation is OperationType.SUBSCRIPTION:
        raise NotCompilable(f"a {operation.operation.value}")
    build = Build(index, operation, _fragments(document))
    return build.plan(root, [(operation.selection_set, ALWAYS)])


def compile_field(
    index: Index,
    parent: GraphQLObjectType,
    nodes: Sequence[FieldNode],
    *,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Plan:
    """Compile one field that has a root, wherever it stands, from what a resolver's `info` tells.

    :raises NotCompilable: as `compile_operation`
    """
    build = Build(index, operation, fragments)
    alone = SelectionSetNode(selections=tuple(nodes))
    return build.plan(parent, [(alone, ALWAYS)])


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


class Build:
    """The state of one compilation: aliases, parameters, what was spent."""

    def __init__(
        self,
        index: Index,
        operation: OperationDefinitionNode,
        fragments: Mapping[str, FragmentDefinitionNode],
    ) -> None:
        self.index = index
        self.operation = operation
        self.selections = Selections(index.schema, fragments)
        self.parameters = Parameters()
        self.never_null = frozenset(
            variable.variable.name.value
            for variable in operation.variable_definitions or ()
            if isinstance(variable.type, NonNullTypeNode)
        )
        self.used_inputs: dict[str, InputSpec] = {}
        self.inputs = self.inputs_with({})
        self.cost = 0
        self.times = 1
        self.path: list[str] = []
        self.sealed_paths: set[tuple[str, ...]] = set()
        self.nested: list[Part] = []
        self._aliases = 0

    def inputs_with(self, arguments: Mapping[str, Callable[[], Element]]) -> Inputs:
        """Return the named inputs, with a field's own arguments."""
        return Inputs(self.index.inputs, arguments, self._use)

    def _use(self, spec: InputSpec) -> None:
        self.used_inputs[spec.name] = spec

    def alias(self) -> str:
        """Return a name that nothing else in the operation has."""
        self._aliases += 1
        return f"t{self._aliases}"

    @contextmanager
    def repeated(self, times: int) -> Iterator[None]:
        """Count what is selected inside as often as a page has rows."""
        before, self.times = self.times, self.times * times
        yield
        self.times = before

    def plan(self, parent: GraphQLObjectType, sets: Below) -> Plan:
        """Compile the fields of a root object."""
        parts = tuple(self._part(parent, emission) for emission in self.selections.collect(parent, sets))
        return Plan(
            schema=self.index.schema,
            operation=self.operation,
            parts=parts,
            parameters=self.parameters.all(),
            inputs=tuple(self.used_inputs.values()),
            nested=tuple(self.nested),
            sealed_paths=frozenset(self.sealed_paths),
            cost=self.cost,
        )

    def _part(self, parent: GraphQLObjectType, emission: Emission) -> Part:
        name = emission.node.name.value
        _, is_shown = self.condition(emission)
        if name == "__typename":
            return Part(
                key=emission.key,
                field=name,
                root=None,
                opens=None,
                nullable=False,
                body=constant(json_literal(parent.name)),
                is_shown=is_shown,
            )
        definition = _field(parent, name)
        place = place_of(definition)
        nullable = not isinstance(definition.type, GraphQLNonNull)
        if isinstance(place, Acting):
            with self.parameters.within(_asked(emission)):
                return self._deed(place, definition, emission, is_shown)
        if not isinstance(place, Relation) or place.root is None:
            raise NotCompilable(f"{parent.name}.{name} is resolved in Python")
        self.path.append(emission.key)
        with self.parameters.within(_asked(emission)):
            found = relation_text(
                self,
                place,
                parent_type=parent,
                definition=definition,
                emission=emission,
                parent=NO_ROW,
                up=0 if nullable else 1,
            )
        self.path.pop()
        return Part(
            key=emission.key,
            field=name,
            root=place.root.name,
            opens=place.root.opens,
            nullable=nullable,
            body=found.text,
            arguments=found.left,
            is_shown=is_shown,
            places=_places(emission),
        )

    def _deed(
        self,
        place: Acting,
        definition: GraphQLField,
        emission: Emission,
        is_shown: Callable[[Mapping[str, object]], bool],
    ) -> Part:
        nullable = not isinstance(definition.type, GraphQLNonNull)
        self.path.append(emission.key)
        payload = get_named_type(definition.type)
        body = self.node_text(payload, emission.below(), NO_ROW, None, 0 if nullable else 1)
        self.path.pop()
        return Part(
            key=emission.key,
            field=emission.node.name.value,
            root=None,
            opens=None,
            nullable=nullable,
            body=body,
            is_shown=is_shown,
            places=_places(emission),
            deed=deed_of(place.action, definition, emission.node),
        )

    def _opened(
        self, parent: GraphQLObjectType, definition: GraphQLField, emission: Emission, place: Opened
    ) -> Element:
        """Return the mark of a book that is opened later, and note its part."""
        if self.times > 1:
            raise NotCompilable(f"{parent.name}.{emission.node.name.value} stands in a list")
        found = relation_text(
            self,
            Relation(shape=Shape.ONE, source=row_of(place.root), on=on_of(place.root), root=place.root),
            parent_type=parent,
            definition=definition,
            emission=emission,
            parent=NO_ROW,
            up=0,
        )
        self.nested.append(
            Part(
                key=".".join(self.path),
                field=emission.node.name.value,
                root=place.root.name,
                opens=place.root.opens,
                nullable=True,
                body=found.text,
                told=place.arguments,
            )
        )
        return constant(f"{BOOK}{len(self.nested) - 1};")

    def object_text(self, parent: GraphQLObjectType, below: Below, up: int, value_of: ValueOf) -> JsonText:
        """Return the text of an object, never null; `up` is where a null in the object's place is carried to."""
        emissions = self.selections.collect(parent, below)
        if len(self.path) > DEEPEST:
            raise NotCompilable("the operation nests too deeply")
        pieces: list[Piece] = []
        for emission in emissions:
            self.cost += self.times
            self.path.append(emission.key)
            pieces.append(self._member(parent, emission, up, value_of))
            self.path.pop()
        if emissions and not emissions[0].is_certain:
            return JsonText("{", _without_first(JsonText(*pieces)), "}")
        return JsonText("{", *_unled(pieces), "}")

    def _member(self, parent: GraphQLObjectType, emission: Emission, up: int, value_of: ValueOf) -> Element:
        name = emission.node.name.value
        value: Piece
        if name == "__typename":
            value = json_literal(parent.name)
        else:
            definition = _field(parent, name)
            with self.parameters.within(_asked(emission)):
                value = value_of(definition, emission, 0 if not isinstance(definition.type, GraphQLNonNull) else up + 1)
        member = JsonText(",", json_literal(emission.key), ":", value)
        condition, _ = self.condition(emission)
        return member if condition is None else case((condition, member), else_=constant(""))

    def value_text(
        self, parent: GraphQLObjectType, definition: GraphQLField, emission: Emission, row: RowRef, up: int
    ) -> Element:
        """Return the text of a field of an object that rests on this row; never null."""
        text: Element
        match place_of(definition):
            case Column(key=key):
                known = cell(row, key)
                sure = known is not None and known.never_null
                text = leaf_text(definition.type, getattr(row, key), never_null=sure, up=up)
            case Expression(value=value):
                text = leaf_text(definition.type, value(row, self.inputs), never_null=False, up=up)
            case Sealed(at=at):
                self.sealed_paths.add(tuple(self.path))
                text = _sealed(getattr(row, at.key) if isinstance(at, Column) else at.value(row, self.inputs), up)
            case Told(key=key) if get_named_type(definition.type).name == "DateTime":  # one form, however it was told
                text = leaf_text(definition.type, self.inputs.told(key, "timestamptz"), never_null=False, up=up)
            case Told(key=key):
                text = or_null(self.inputs.told_json(key), up)
            case Opened() as place:
                text = self._opened(parent, definition, emission, place)
            case Embedded(when=when):
                text = self.node_text(get_named_type(definition.type), emission.below(), row, None, up)
                if when is not None:
                    text = case((when(row, self.inputs), text), else_=constant(null_text(up)))
            case Relation() as place:
                text = relation_text(
                    self, place, parent_type=parent, definition=definition, emission=emission, parent=row, up=up
                ).text
            case _:
                raise NotCompilable(f"{parent.name}.{emission.node.name.value} is resolved in Python")
        return text

    def node_text(self, kind: GraphQLNamedType, below: Below, row: RowRef, kinds: Kinds | None, up: int) -> Element:
        """Return the text of an object, or of what an interface or union is, that rests on this row; never null."""
        if isinstance(kind, GraphQLObjectType):
            return self._resting(kind, below, row, up)
        known = kinds or self.index.kinds(kind)
        concrete = self.index.concrete(kind)
        if known is None:
            return self._resting(concrete[0], below, row, up)
        by = as_text(known.by(row, self.inputs))
        branches: list[tuple[Element, Element]] = []
        for said, known_kind in known.types.items():
            exact = self.index.object_type(known_kind.name)
            if known_kind.row is None:
                text = self._resting(exact, below, row, up)
            else:
                frm, own = opened(self, known_kind.row, row, self.inputs)
                found = select(self._resting(exact, below, own, up)).select_from(frm)
                if known_kind.on is not None:
                    found = found.where(known_kind.on(row, own, self.inputs))
                text = or_null(found.scalar_subquery(), up)
            branches.append((by == said, text))
        return case(*branches, else_=constant(hole(up)))

    def _resting(self, kind: GraphQLObjectType, below: Below, row: RowRef, up: int) -> Element:
        def value_of(definition: GraphQLField, emission: Emission, value_up: int) -> Element:
            return self.value_text(kind, definition, emission, row, value_up)

        return self.object_text(kind, below, up, value_of)

    def condition(
        self, emission: Emission
    ) -> tuple[ColumnElement[bool] | None, Callable[[Mapping[str, object]], bool]]:
        """Return when a key is there: as SQL, and as a question to bound values by name."""
        if emission.is_certain:
            return None, lambda _values: True
        shown = [self._all_of(when) for when in emission.shown]
        hidden = [self._all_of(when) for when in emission.hidden]

        def is_shown(values: Mapping[str, object]) -> bool:
            def holds(when: Mapping[str, bool]) -> bool:
                return all(values[name] is wanted for name, wanted in when.items())

            return any(map(holds, shown)) and not any(map(holds, hidden))

        found = or_(*map(_as_sql, shown))
        return and_(found, *(not_(_as_sql(when)) for when in hidden)), is_shown

    def _all_of(self, when: When) -> dict[str, bool]:
        return {self._switch(variable).name: wanted for variable, wanted in sorted(when)}

    def _switch(self, variable: str) -> Input:
        def read(variables: VariableValues) -> object:
            value = variables.coerced.get(variable)
            if not isinstance(value, bool):
                raise invalid_argument(f"${variable}")
            return value

        return self.parameters.declare(("if", variable), variable, "boolean", read)


def _places(emission: Emission) -> tuple[tuple[int, int], ...]:
    at = emission.node.loc
    return () if at is None else ((at.start_token.line, at.start_token.column),)


def _asked(emission: Emission) -> Shown | None:
    """Return whether variables let a key be there; nothing where they have no say."""
    if emission.is_certain:
        return None

    def shown(variables: VariableValues) -> bool:
        def holds(when: When) -> bool:
            return all(variables.coerced.get(name) is wanted for name, wanted in when)

        return any(map(holds, emission.shown)) and not any(map(holds, emission.hidden))

    return shown


def _field(parent: GraphQLObjectType, name: str) -> GraphQLField:
    definition: GraphQLField | None = parent.fields.get(name)
    if definition is None:
        raise NotCompilable(f"{parent.name} has no field {name}")
    return definition


def _as_sql(when: Mapping[str, bool]) -> ColumnElement[bool]:
    switches = [(Input(name, "boolean"), wanted) for name, wanted in when.items()]
    return and_(true(), *(switch if wanted else not_(switch) for switch, wanted in switches))


def _unled(pieces: Sequence[Piece]) -> Sequence[Piece]:
    """Return the members without the comma that leads the first, which is certain to be there."""
    if not pieces:
        return pieces
    first = pieces[0].pieces if isinstance(pieces[0], JsonText) else [pieces[0]]
    return [str(first[0]).removeprefix(","), *first[1:], *pieces[1:]]


def _without_first(members: JsonText) -> Element:
    """Return the members without the first comma, where run time decides which member is first."""
    return func.substr(members, 2)


def _sealed(value: Element, up: int) -> Element:
    base64 = func.translate(func.encode(value, constant("base64")), constant("\n"), constant(""))
    return or_null(JsonText(f'{SEAL}{up}"', base64, '"'), up)
