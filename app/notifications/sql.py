"""The room's SQL. The functions stand in sql/*.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

_EVENT = text("SELECT * FROM notice.event_to_tell(:event)")
_TELL = text("SELECT notice.tell(CAST(:notices AS jsonb))")
_TAKE = text("SELECT * FROM notice.take_push(:notice, :hold)")
_SETTLE = text("SELECT notice.settle_push(:notice, CAST(:settled AS jsonb), :later)")
_FAILED = text("SELECT * FROM notice.failed_pushes()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An event, and one person who is told of it, with their wishes."""

    kind: str
    about: dict[str, Any]
    happened_at: datetime
    about_id: UUID
    person: UUID
    facility: str | None
    starts_at: datetime | None
    muted: list[str]
    is_quiet: bool
    quiet_from: time
    quiet_until: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """A phone that a notice still has to reach; without one, `wait_seconds` until its turn."""

    class_: str
    thread: str
    target_id: UUID | None
    kind: str
    sealed: bytes
    language: str
    registered_at: datetime
    attempts: int
    wait_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPushes:
    """Pushes that will never arrive, by the push service's reason."""

    reason: str
    failed: int
    oldest_seconds: int


async def event_to_tell(session: Session, *, event_id: UUID) -> list[Recipient]:
    """Return an event once for everybody who is told of it."""
    rows = await session.execute(_EVENT, {"event": event_id})
    return [Recipient(**row._asdict()) for row in rows]


async def tell(session: Session, *, notices: str) -> int:
    """Keep notices (JSON) and enqueue their pushes; returns how many are new."""
    return int(await session.scalar(_TELL, {"notices": notices}) or 0)


async def take_push(session: Session, *, notice_id: UUID, hold: timedelta) -> list[Reached]:
    """Take a notice in hand for so long; nothing when nothing is to be sent."""
    rows = await session.execute(_TAKE, {"notice": notice_id, "hold": hold})
    return [
        Reached(
            class_=row[0],
            thread=row.thread,
            target_id=row.target_id,
            kind=row.kind,
            sealed=row.sealed,
            language=row.language,
            registered_at=row.registered_at,
            attempts=row.attempts,
            wait_seconds=row.wait_seconds,
        )
        for row in rows
    ]


async def settle_push(session: Session, *, notice_id: UUID, settled: str, later: timedelta | None) -> int:
    """Write what became of a push (JSON); returns how many phones still wait."""
    values = {"notice": notice_id, "settled": settled, "later": later}
    return int(await session.scalar(_SETTLE, values) or 0)


async def register_target(session: Session, *, described: str, most: int) -> UUID:
    """Register the phone of the caller's session (JSON); returns its id."""
    query = text("SELECT notice.register_target(CAST(:described AS jsonb), :most)")
    found: UUID = await session.scalar(query, {"described": described, "most": most})
    return found


async def remove_target(session: Session, *, target_id: UUID) -> bool:
    """Forget a phone of the caller; false when it is none of theirs."""
    return bool(await session.scalar(text("SELECT notice.remove_target(:id)"), {"id": target_id}))


async def mark_read(session: Session, *, ids: Sequence[UUID], everything: bool) -> int:
    """Mark notices of the caller as read; returns how many were unread."""
    query = text("SELECT notice.mark_read(:ids, :everything)")
    return int(await session.scalar(query, {"ids": list(ids), "everything": everything}) or 0)


async def set_preferences(session: Session, *, wanted: str) -> None:
    """Keep the caller's wishes (JSON)."""
    await session.execute(text("SELECT notice.set_preferences(CAST(:wanted AS jsonb))"), {"wanted": wanted})


async def remind(session: Session, *, leads: Sequence[timedelta]) -> int:
    """Remind of appointments that come; returns how many reminders are new."""
    return int(await session.scalar(text("SELECT notice.remind(:leads)"), {"leads": list(leads)}) or 0)


async def sweep_next(session: Session) -> None:
    """Enqueue the next sweep."""
    await session.execute(text("SELECT notice.sweep_next()"))


async def failed_pushes(session: Session) -> list[FailedPushes]:
    """Count the pushes that failed for good."""
    return [FailedPushes(**row._asdict()) for row in await session.execute(_FAILED)]
