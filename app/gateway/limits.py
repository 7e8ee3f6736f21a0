"""What a document may cost before it is compiled: its tokens, depth, aliases, directives and page sizes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
)

from app.core.errors import Invalid, Text, TooComplex

MOST_TOKENS = 1000
MOST_DEPTH = 10
MOST_INTROSPECTION_DEPTH = 20  # what tools ask; graphql-core's own rule bounds what it costs
MOST_ALIASES = 15
MOST_DIRECTIVES = 5
MOST_INTROSPECTION_DIRECTIVES = 20  # sgqlc asks for descriptions and what is deprecated by @include
MOST_FIELDS = 300
MOST_COST = 1_000_000
MOST_OPERATIONS = 5


@dataclass(slots=True)
class _Count:
    """What a walk has met so far; `fields` counts spreads too, since they may open nothing but more spreads."""

    fragments: Mapping[str, FragmentDefinitionNode]
    most_depth: int
    most_directives: int
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    open: set[str] = field(default_factory=set)


def check_document(document: DocumentNode, operation: OperationDefinitionNode) -> None:
    """Walk the operation as it would be answered, spreads opened, and stop at the first limit.

    The whole document is counted first, as it stands: a validator looks at what nobody asks for, too.

    :raises TooComplex: naming the limit
    :raises Invalid: when fragments spread themselves
    """
    fragments = _fragments(document)
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) > MOST_OPERATIONS:
        raise _too_many("operations", "phép truy vấn", MOST_OPERATIONS)
    if len(fragments) > MOST_FIELDS:
        raise _too_many("fragments", "fragment", MOST_FIELDS)
    about_schema = is_introspection(operation, document)
    most_directives = MOST_INTROSPECTION_DIRECTIVES if about_schema else MOST_DIRECTIVES
    _check_as_it_stands((*operations, *fragments.values()), most_directives=most_directives)
    most_depth = MOST_INTROSPECTION_DEPTH if about_schema else MOST_DEPTH
    count = _Count(fragments, most_depth, most_directives, directives=len(operation.directives or ()))
    _walk(operation.selection_set, depth=1, count=count)


def check_cost(cost: int) -> None:
    """Check the product of page sizes and fields.

    :raises TooComplex: when it is too high
    """
    if cost > MOST_COST:
        raise TooComplex(
            Text(
                f"Truy vấn quá lớn ({cost} > {MOST_COST}): hãy giảm `first` hoặc số trường.",
                f"The operation is too large ({cost} > {MOST_COST}): ask for smaller pages or fewer fields.",
            )
        )


def is_introspection(operation: OperationDefinitionNode, document: DocumentNode) -> bool:
    """Tell whether an operation asks for nothing but the schema itself."""
    return all(name.startswith("__") for name in _asked_for(operation, document))


def check_unmixed(operation: OperationDefinitionNode, document: DocumentNode) -> None:
    """Check that an operation does not ask for the schema and for data at once.

    :raises Invalid: when it does
    """
    if {"__schema", "__type"} & _asked_for(operation, document):
        raise Invalid(
            Text(
                "Hãy hỏi lược đồ (`__schema`, `__type`) trong một truy vấn riêng.",
                "Ask for the schema (`__schema`, `__type`) in an operation of its own.",
            )
        )


def _asked_for(operation: OperationDefinitionNode, document: DocumentNode) -> set[str]:
    """Return the names of the root fields, those in fragments too."""
    names, known, waiting = set(), _fragments(document), [operation.selection_set]
    while waiting:
        for node in waiting.pop().selections:
            if isinstance(node, FieldNode):
                names.add(node.name.value)
            elif isinstance(node, InlineFragmentNode):
                waiting.append(node.selection_set)
            elif isinstance(node, FragmentSpreadNode) and node.name.value in known:
                waiting.append(known.pop(node.name.value).selection_set)
    return names


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


def _check_as_it_stands(
    definitions: Iterable[OperationDefinitionNode | FragmentDefinitionNode], *, most_directives: int
) -> None:
    waiting = [definition.selection_set for definition in definitions]
    nodes = directives = 0
    while waiting:
        for node in waiting.pop().selections:
            nodes += 1
            directives += len(node.directives or ())
            if isinstance(node, FieldNode | InlineFragmentNode) and node.selection_set:
                waiting.append(node.selection_set)
    if nodes > MOST_FIELDS:
        raise _too_many("fields", "trường", MOST_FIELDS)
    if directives > most_directives:
        raise _too_many("directives", "chỉ thị", most_directives)


def _walk(selections: SelectionSetNode, *, depth: int, count: _Count) -> None:
    if depth > count.most_depth:
        raise _too_many("levels", "tầng lồng nhau", count.most_depth)
    for node in selections.selections:
        _add(node, count)
        if isinstance(node, FragmentSpreadNode):
            _walk_fragment(node.name.value, depth=depth, count=count)
        elif isinstance(node, InlineFragmentNode):
            _walk(node.selection_set, depth=depth, count=count)
        elif isinstance(node, FieldNode) and node.selection_set:
            _walk(node.selection_set, depth=depth + 1, count=count)


def _add(node: SelectionNode, count: _Count) -> None:
    count.fields += 1
    count.directives += len(node.directives or ())
    count.aliases += isinstance(node, FieldNode) and node.alias is not None
    if count.fields > MOST_FIELDS:
        raise _too_many("fields", "trường", MOST_FIELDS)
    if count.directives > count.most_directives:
        raise _too_many("directives", "chỉ thị", count.most_directives)
    if count.aliases > MOST_ALIASES:
        raise _too_many("aliases", "bí danh", MOST_ALIASES)


def _walk_fragment(name: str, *, depth: int, count: _Count) -> None:
    if name in count.open:
        raise Invalid(Text("Fragment tự lặp lại chính nó.", "A fragment spreads itself."))
    fragment = count.fragments.get(name)
    if fragment is not None:
        count.open.add(name)
        _walk(fragment.selection_set, depth=depth, count=count)
        count.open.remove(name)


def _too_many(what: str, vi: str, most: int) -> TooComplex:
    return TooComplex(Text(f"Quá nhiều {vi}: nhiều nhất {most}.", f"Too many {what}: at most {most}."))
