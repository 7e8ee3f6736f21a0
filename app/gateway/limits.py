"""What a document may cost before it is compiled: its tokens, depth, aliases, directives and page sizes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from app.core.errors import Invalid, Text, TooComplex

MOST_TOKENS = 1000
MOST_DEPTH = 10
MOST_ALIASES = 15
MOST_DIRECTIVES = 20
MOST_FIELDS = 500
MOST_COST = 1_000_000
MOST_OPERATIONS = 5


@dataclass(slots=True)
class _Count:
    """What a walk has met so far."""

    fragments: Mapping[str, FragmentDefinitionNode]
    fields: int = 0
    aliases: int = 0
    directives: int = 0
    open: set[str] = field(default_factory=set)


def check_document(document: DocumentNode, operation: OperationDefinitionNode) -> None:
    """Walk the operation as it would be answered, spreads opened, and stop at the first limit.

    :raises TooComplex: naming the limit
    :raises Invalid: when fragments spread themselves
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    operations = sum(isinstance(node, OperationDefinitionNode) for node in document.definitions)
    if operations > MOST_OPERATIONS or len(fragments) > MOST_FIELDS:
        raise _too_many("operations", "phép truy vấn", MOST_OPERATIONS)
    count = _Count(fragments)
    count.directives += len(operation.directives or ())
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


def _walk(selections: SelectionSetNode, *, depth: int, count: _Count) -> None:
    if depth > MOST_DEPTH:
        raise _too_many("levels", "tầng lồng nhau", MOST_DEPTH)
    for node in selections.selections:
        count.directives += len(node.directives or ())
        if count.directives > MOST_DIRECTIVES:
            raise _too_many("directives", "chỉ thị", MOST_DIRECTIVES)
        if isinstance(node, FieldNode):
            count.fields += 1
            count.aliases += node.alias is not None
            if count.fields > MOST_FIELDS:
                raise _too_many("fields", "trường", MOST_FIELDS)
            if count.aliases > MOST_ALIASES:
                raise _too_many("aliases", "bí danh", MOST_ALIASES)
            if node.selection_set:
                _walk(node.selection_set, depth=depth + 1, count=count)
        elif isinstance(node, FragmentSpreadNode):
            _walk_fragment(node.name.value, depth=depth, count=count)
        else:
            _walk(node.selection_set, depth=depth, count=count)  # type: ignore[attr-defined]


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
