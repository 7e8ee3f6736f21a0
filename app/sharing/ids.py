"""Ids as clients send them."""

from collections.abc import Sequence
from uuid import UUID

from app.core.errors import NotFound
from app.sharing.sql import Scope


def an_id(text: str | None) -> UUID | None:
    """Return the id, or nothing.

    :raises NotFound: when it is none of ours, as for a stranger's
    """
    return None if text is None else a_record(text)


def a_record(text: str) -> UUID:
    """Return the id.

    :raises NotFound: when it is none of ours, as for a stranger's
    """
    try:
        return UUID(text)
    except ValueError:
        raise NotFound from None


def some_records(scope: Scope) -> Sequence[UUID]:
    """Return the records that a scope names.

    :raises NotFound: when one is none of ours
    """
    return [a_record(str(text)) for text in scope.get("recordIds") or ()]
