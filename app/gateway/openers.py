"""How a root field's book is opened: the functions of PostgreSQL that decide, and what they are asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import orjson

from app.compiler.plan import Part

NOBODY = UUID(int=0)
"""Whose book a malformed id asks for: PostgreSQL refuses it after the session, as it refuses a stranger's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """A way to open a book.

    `function(token, proof_key, …arguments, operation)` returns citizen_id, sections and etag; `demo_function` does the
    same for documents that are not deployed. `arguments` are the root field's, by Python name, with PostgreSQL types.
    With `announce` (which takes a digest of the variables and the request's id too) its line is written first, in a
    transaction of its own, and its number goes before the operation. One that `knows` takes the known ETag after the
    operation, and opens nothing when that is the book's.
    """

    function: str
    demo_function: str
    arguments: tuple[tuple[str, str], ...]
    announce: str | None = None
    knows: bool = False

    @property
    def parameters(self) -> tuple[tuple[str, str], ...]:
        """Return what a deployed function takes between the proof key and the known ETag."""
        asked = tuple((f"open_{name}", pg_type) for name, pg_type in self.arguments)
        return asked if self.announce is None else (*asked, ("announced", "bigint"))

    def asked(self, part: Part, values: Mapping[str, object]) -> tuple[object, ...]:
        """Return what a root field asks, from values by identifier."""
        return tuple(
            _bound(part.argument_value(name, values) if name in part.arguments else None, pg_type)
            for name, pg_type in self.arguments
        )

    def told(self, part: Part, told: Mapping[str, object]) -> tuple[object, ...]:
        """Return what a payload's book asks, from what the deed told."""
        return tuple(
            _bound(told[part.told[name]] if name in part.told else None, pg_type) for name, pg_type in self.arguments
        )


def _bound(value: object, pg_type: str) -> object:
    if value is not None and pg_type == "jsonb" and not isinstance(value, str):
        return orjson.dumps(value, default=str).decode()
    if value is None or pg_type != "uuid":
        return value
    try:
        return UUID(str(value))
    except ValueError:
        return NOBODY


OPENERS: Mapping[str, Opener] = {
    "book": Opener(
        function="auth.open_book",
        demo_function="auth.open_demo_book",
        arguments=(("citizen_id", "uuid"),),
        knows=True,
    ),
    "grant": Opener(
        function="auth.open_granted_book",
        demo_function="auth.open_demo_granted_book",
        arguments=(("grant_id", "uuid"),),
        announce="op.announce",
    ),
    "preview": Opener(
        function="auth.open_preview",
        demo_function="auth.open_demo_preview",
        arguments=(("scope", "jsonb"), ("citizen_id", "uuid")),
    ),
}
