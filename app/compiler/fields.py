"""Fields of Strawberry types that the compiler answers."""

from typing import Never

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from app.compiler.places import METADATA, Place


class RestsInSqlError(RuntimeError):
    """A field that rests in SQL was resolved in Python."""


class RestingField(StrawberryField):
    """A Strawberry field whose value is made by the compiler, never by a resolver."""

    def get_result(self, source: object, info: object, args: object, kwargs: object) -> Never:  # noqa: ARG002
        """Refuse.

        :raises RestsInSqlError: always
        """
        message = f"{type(source).__name__}.{self.python_name} is answered by the compiler, not by a resolver"
        raise RestsInSqlError(message)


def resting_field(
    place: Place, *, description: str, name: str | None, deprecation_reason: str | None = None
) -> RestingField:
    """Return a Strawberry field that rests on a place."""
    return RestingField(
        graphql_name=name,
        description=description,
        deprecation_reason=deprecation_reason,
        metadata={METADATA: place},
    )


class ActingField(RestingField):
    """A field of Mutation: its one argument is described by its own type."""

    @property
    def arguments(self) -> list[StrawberryArgument]:
        """Return the argument, described."""
        found = super().arguments
        for argument in found:
            argument.description = argument.description or "What is asked: see the type's own fields."
        return found

    @arguments.setter
    def arguments(self, value: list[StrawberryArgument]) -> None:
        self._arguments = value


def acting_field(
    place: Place, *, description: str, name: str | None, deprecation_reason: str | None = None
) -> ActingField:
    """Return a field of Mutation."""
    return ActingField(
        graphql_name=name,
        description=description,
        deprecation_reason=deprecation_reason,
        metadata={METADATA: place},
    )
