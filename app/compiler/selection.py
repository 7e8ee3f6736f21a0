"""What an operation selects: fields merged by response key, in order, with what run time decides."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graphql import (
    BooleanValueNode,
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    NamedTypeNode,
    SelectionNode,
    SelectionSetNode,
    VariableNode,
    is_abstract_type,
)

from app.compiler.refusal import NotCompilable

When = frozenset[tuple[str, bool]]  # all of these variables have these values
ALWAYS: When = frozenset()
BUDGET = 5_000
PLACES = 8


@dataclass(frozen=True, slots=True)
class Chosen:
    """A field of the document, and when it counts."""

    node: FieldNode
    when: When = ALWAYS


@dataclass(slots=True)
class Emission:
    """A response key at its place: there when one of `shown` holds and none of `hidden` does."""

    key: str
    chosen: list[Chosen]
    shown: list[When]
    hidden: tuple[When, ...] = ()

    @property
    def node(self) -> FieldNode:
        """Return the first field; merged fields have one name and the same arguments."""
        return self.chosen[0].node

    @property
    def is_certain(self) -> bool:
        """Tell whether the key is there whatever the variables say."""
        return ALWAYS in self.shown and not self.hidden

    def below(self) -> list[tuple[SelectionSetNode, When]]:
        """Return the merged selections; a lone field's condition is settled where the field itself is."""
        alone = len({chosen.when for chosen in self.chosen}) == 1
        return [
            (chosen.node.selection_set, ALWAYS if alone else chosen.when)
            for chosen in self.chosen
            if chosen.node.selection_set is not None
        ]


@dataclass(slots=True)
class Selections:
    """Collects fields. Source: GraphQL specification §6.3.2 CollectFields, §5.3.2 field merging."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    spent: int = 0

    def collect(self, parent: GraphQLObjectType, sets: Iterable[tuple[SelectionSetNode, When]]) -> list[Emission]:
        """Return the response keys of an object of exactly this type.

        A key that is asked for in two places under conditions of run time may stand in either: then it is
        emitted at both, one excluding the other.

        :raises NotCompilable: when fragments unfold into too many fields, or a directive is unknown
        """
        found: list[Chosen] = []
        seen: dict[str, list[When]] = {}
        for selection_set, when in sets:
            self._walk(parent, selection_set.selections, when, found, seen)
        emissions: list[Emission] = []
        last: dict[str, Emission] = {}
        for chosen in found:
            key = (chosen.node.alias or chosen.node.name).value
            before = last.get(key)
            if before is None:
                last[key] = Emission(key, [chosen], [chosen.when])
                emissions.append(last[key])
                continue
            before.chosen.append(chosen)
            earlier = (*before.hidden, *before.shown)
            if any(known <= chosen.when for known in earlier):
                continue
            if len(earlier) == PLACES:
                raise NotCompilable(f"{key} stands under too many conditions")
            if emissions[-1] is before:
                before.shown.append(chosen.when)
            else:
                last[key] = Emission(key, before.chosen, [chosen.when], earlier)
                emissions.append(last[key])
        return emissions

    def _walk(
        self,
        parent: GraphQLObjectType,
        selections: Sequence[SelectionNode],
        when: When,
        found: list[Chosen],
        seen: dict[str, list[When]],
    ) -> None:
        for selection in selections:
            self.spent += 1
            if self.spent > BUDGET:
                raise NotCompilable("the operation unfolds into too many fields")
            here = _condition(selection.directives or (), when)
            if here is None:
                continue
            if isinstance(selection, FieldNode):
                found.append(Chosen(selection, here))
                continue
            fragment = self._fragment(selection, here, seen)
            if fragment is not None and self._applies(fragment.type_condition, parent):
                self._walk(parent, fragment.selection_set.selections, here, found, seen)

    def _fragment(
        self, selection: SelectionNode, when: When, seen: dict[str, list[When]]
    ) -> InlineFragmentNode | FragmentDefinitionNode | None:
        """Return the fragment, or nothing when it was spread already and that counts whenever this does."""
        if isinstance(selection, InlineFragmentNode):
            return selection
        if not isinstance(selection, FragmentSpreadNode):
            raise NotCompilable(f"a selection of kind {selection.kind}")
        name = selection.name.value
        known = seen.setdefault(name, [])
        if any(earlier <= when for earlier in known):
            return None
        known.append(when)
        if name not in self.fragments:
            raise NotCompilable(f"fragment {name} is not defined")
        return self.fragments[name]

    def _applies(self, condition: NamedTypeNode | None, parent: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == parent.name:
            return True
        kind = self.schema.get_type(condition.name.value)
        return kind is not None and is_abstract_type(kind) and self.schema.is_sub_type(kind, parent)


def _condition(directives: Sequence[DirectiveNode], when: When) -> When | None:
    """Return the condition with these directives added, or nothing when it can never hold."""
    wanted = dict(when)
    for directive in directives:
        name = directive.name.value
        if name not in {"skip", "include"}:
            raise NotCompilable(f"directive @{name}")
        value = next((given.value for given in directive.arguments or () if given.name.value == "if"), None)
        if isinstance(value, BooleanValueNode):
            if value.value != (name == "include"):
                return None
        elif isinstance(value, VariableNode):
            if wanted.setdefault(value.name.value, name == "include") != (name == "include"):
                return None
        else:
            raise NotCompilable(f"@{name} without a condition")
    return frozenset(wanted.items())
