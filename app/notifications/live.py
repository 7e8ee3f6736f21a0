"""What a live subscription hears: ids of what changed, resumable by a cursor."""

import base64
import binascii
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from asyncpg import Pool

from app.core.context import Context
from app.core.db import connection_errors
from app.core.errors import Invalid, Text
from app.core.ids import known_id_if_any

LOOK_EVERY = timedelta(milliseconds=500)
OVERLAP_MILLISECONDS = 10_000
MOST_SEEN = 500
_ENDED = "ENDED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """One event of a subscription."""

    cursor: str
    kind: str
    subject_id: str | None
    at: datetime


@dataclass(slots=True, kw_only=True)
class Listening:
    """One open subscription."""

    id: UUID
    context: Context
    event: UUID
    version: int
    is_over: bool = False
    _seen: list[UUID] = field(default_factory=list)

    async def hear(self) -> AsyncIterator[Heard]:
        """Yield what is new; sets `is_over` when the session's grant ended.

        :raises Unauthenticated: when the session ended
        :raises NotFound: when the book is not the viewer's any more
        """
        # An event that was made earlier may be committed later: a little is looked at again.
        since = UUID(int=max(self.event.int - (OVERLAP_MILLISECONDS << 80), 0))
        rows = await _fetch(
            self.context.house.desk,
            "SELECT * FROM notice.heard($1, $2, $3, $4, $5, $6)",
            self.context.token,
            self.context.proof_key,
            self.id,
            since,
            self.version,
            self._seen,
        )
        for row in rows:
            if row["kind"] == _ENDED:
                self.is_over = True
                return
            if row["event"] is not None:
                self._seen = [*self._seen[-MOST_SEEN:], row["event"]]
                self.event = max(self.event, row["event"])
            else:
                self.version = row["version"]
            yield Heard(cursor=self._cursor(), kind=row["kind"], subject_id=row["subject"], at=row["at"])

    async def end(self) -> None:
        """Forget the subscription."""
        await _fetch(self.context.house.desk, "SELECT notice.stop_listening($1)", self.id)

    def _cursor(self) -> str:
        return base64.urlsafe_b64encode(f"{self.event}.{self.version}".encode()).rstrip(b"=").decode()


async def listen(context: Context, *, citizen_id: str | None, grant_id: str | None, after: str | None) -> Listening:
    """Begin a subscription.

    :raises NotFound: when there is no such book or grant for this viewer
    :raises Invalid: when `after` is no cursor
    """
    known = None if after is None else _read(after)
    subscription = context.new_id()
    rows = await _fetch(
        context.house.desk,
        "SELECT event, version FROM notice.listen($1, $2, $3, $4, $5)",
        context.token or "",
        context.proof_key,
        subscription,
        known_id_if_any(citizen_id),
        known_id_if_any(grant_id),
    )
    event, version = known or (rows[0]["event"], rows[0]["version"])
    listening = Listening(id=subscription, context=context, event=event, version=version)
    if known is None:  # what was there before is no news
        _ = [heard async for heard in listening.hear()]
    return listening


def _read(cursor: str) -> tuple[UUID, int]:
    try:
        event, _, version = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii").partition(".")
        return UUID(event), int(version)
    except (binascii.Error, ValueError):
        raise Invalid(Text("Tham số after không hợp lệ.", "Argument after is not valid.")) from None


async def _fetch(pool: "Pool[Any]", query: str, *values: object) -> list[Any]:
    with connection_errors():
        return list(await pool.fetch(query, *values))
