"""The schema as the compiler reads it, its declarations checked once."""

from collections.abc import Mapping, Sequence

from graphql import GraphQLInterfaceType, GraphQLNamedType, GraphQLObjectType, GraphQLSchema, GraphQLUnionType
from strawberry import Schema

from app.compiler.check import Check
from app.compiler.inputs import InputSpec
from app.compiler.places import DEFINITION, KINDS, Kinds
from app.compiler.refusal import NotCompilable


class Index:
    """A Strawberry schema whose declarations have been checked, and the named inputs they may use."""

    def __init__(self, schema: Schema, *, inputs: Sequence[InputSpec]) -> None:
        """Check every declaration that a root field reaches.

        :raises BadDeclaration: naming the field and what is wrong with it
        """
        self.schema: GraphQLSchema = schema._schema  # noqa: SLF001 - Strawberry has no public name for it
        self.inputs: Mapping[str, InputSpec] = {spec.name: spec for spec in inputs}
        Check(self).run()

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
