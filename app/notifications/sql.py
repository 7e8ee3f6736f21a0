"""The room's SQL. The functions stand in sql/*.sql."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

_EVENTS = text("SELECT * FROM notice.events_to_tell(:events)")
_TELL = text("SELECT notice.tell(CAST(:notices AS jsonb))")
_TAKE = text("SELECT * FROM notice.take_pushes(:most, :hold)")
_SETTLE = text("SELECT notice.settle_pushes(CAST(:settled AS jsonb))")
_FAILED = text("SELECT * FROM notice.failed_pushes()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """An event, and one person who is told of it, with their wishes."""

    event_id: UUID
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
    """A phone that a notice still has to reach."""

    notice_id: UUID
    class_: str
    thread: str
    target_id: UUID
    kind: str
    sealed: bytes
    language: str
    registered_at: datetime
    attempts: int
    until: datetime
    worth: timedelta  # until then, by the database's clock


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPushes:
    """Pushes that will never arrive, by the push service's reason."""

    reason: str
    failed: int
    oldest_seconds: int


async def present(session: Session) -> datetime:
    """Return the database's present moment."""
    found: datetime = await session.scalar(text("SELECT clock_timestamp()"))
    return found


async def take_events(session: Session, *, most: int) -> list[UUID]:
    """Take the oldest events that wait to be told, for this transaction to tell."""
    return list(await session.scalar(text("SELECT notice.take_events(:most)"), {"most": most}) or ())


async def tell_apart(session: Session, *, most: int) -> int:
    """Leave them to the queue, each alone; returns how many."""
    return int(await session.scalar(text("SELECT notice.tell_apart(:most)"), {"most": most}) or 0)


async def events_to_tell(session: Session, *, event_ids: Sequence[UUID]) -> list[Recipient]:
    """Return each event once for everybody who is told of it."""
    rows = await session.execute(_EVENTS, {"events": list(event_ids)})
    return [Recipient(**row._asdict()) for row in rows]


async def tell(session: Session, *, notices: str) -> int:
    """Keep notices (JSON); returns how many are new."""
    return int(await session.scalar(_TELL, {"notices": notices}) or 0)


async def take_pushes(session: Session, *, most: int, hold: timedelta) -> list[Reached]:
    """Take notices in hand for so long, that are due; nothing of one of which nothing is to be sent."""
    rows = await session.execute(_TAKE, {"most": most, "hold": hold})
    return [
        Reached(
            notice_id=row.notice_id,
            class_=row[1],
            thread=row.thread,
            target_id=row.target_id,
            kind=row.kind,
            sealed=row.sealed,
            language=row.language,
            registered_at=row.registered_at,
            attempts=row.attempts,
            until=row.until,
            worth=row.worth,
        )
        for row in rows
    ]


async def settle_pushes(session: Session, *, settled: str) -> None:
    """Write what became of pushes (JSON)."""
    await session.execute(_SETTLE, {"settled": settled})


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


async def remind(session: Session, *, leads: Sequence[timedelta], late: timedelta) -> int:
    """Remind of appointments whose moment came at most so long ago; returns how many reminders are new."""
    query = text("SELECT notice.remind(:leads, :late)")
    return int(await session.scalar(query, {"leads": list(leads), "late": late}) or 0)


async def remind_early(session: Session, *, leads: Sequence[timedelta]) -> int:
    """Remind, in the hour before, of what quiet hours would swallow; returns how many reminders are new."""
    return int(await session.scalar(text("SELECT notice.remind_early(:leads)"), {"leads": list(leads)}) or 0)


async def sweep_next(session: Session) -> None:
    """Enqueue the next sweep."""
    await session.execute(text("SELECT notice.sweep_next()"))


async def failed_pushes(session: Session) -> list[FailedPushes]:
    """Count the pushes that failed for good."""
    return [FailedPushes(**row._asdict()) for row in await session.execute(_FAILED)]
