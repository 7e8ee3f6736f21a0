"""Ids as clients send them."""

from collections.abc import Sequence
from uuid import UUID

from app.core.ids import known_id
from app.sharing.sql import Scope


def some_records(scope: Scope) -> Sequence[UUID]:
    """Return the records that a scope names.

    :raises NotFound: when one is none of ours
    """
    return [known_id(str(text)) for text in scope.get("recordIds") or ()]
