"""Rows of what people are told, on which phones, and how they wish it."""

from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    Time,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

_SCHEMA = {"schema": "notice"}


class NoticeRow(Row):
    """One thing that one person is told. `about_id` is whose affair it is: theirs, or a dependant's."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("event_id", "citizen_id"),
        Index("notice_citizen_idx", "citizen_id", "happened_at", "id"),
        Index("notice_unread_idx", "citizen_id", postgresql_where=text("read_at IS NULL")),
        Index("notice_thread_idx", "citizen_id", "thread", "happened_at"),
        Index("notice_due_idx", "try_at", postgresql_where=text("try_at IS NOT NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("notice.event.id"))
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    about_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    kind: Mapped[str] = mapped_column(Text)
    class_: Mapped[str] = mapped_column("class", Text)
    thread: Mapped[str] = mapped_column(Text)  # notices of one thread replace one another on the phone
    about: Mapped[dict[str, Any]] = mapped_column(JSONB)
    title_vi: Mapped[str] = mapped_column(Text)
    text_vi: Mapped[str] = mapped_column(Text)
    title_en: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    push_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # null: its person wants no push of it
    push_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    in_hand_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    read_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    try_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True)
    )  # when a worker takes it; null: never again


class PushTargetRow(Row):
    """Where a phone is reached: a Firebase installation id or the older registration token, sealed."""

    __tablename__ = "push_target"
    __table_args__ = (
        CheckConstraint("kind IN ('FID', 'TOKEN')", name="kind"),
        CheckConstraint("language IN ('vi', 'en')", name="language"),
        Index("push_target_session_idx", "session_id"),
        Index("push_target_citizen_idx", "citizen_id", "registered_at"),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.session.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(Text)
    lookup: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    platform: Mapped[str | None] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PushRow(Row):
    """One notice on its way to one phone."""

    __tablename__ = "push"
    __table_args__ = (
        CheckConstraint("state IN ('WAITING', 'SENT', 'GONE', 'FAILED')", name="state"),
        Index("push_failed_idx", "settled_at", postgresql_where=text("state = 'FAILED'")),
        _SCHEMA,
    )

    notice_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("notice.notice.id"), primary_key=True)
    target_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)  # the target may be gone since
    state: Mapped[str] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(SmallInteger)
    reason: Mapped[str | None] = mapped_column(Text)
    settled_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    try_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # while it waits: not before


class PreferenceRow(Row):
    """What a person wishes; without a row: everything, but no push at night."""

    __tablename__ = "preference"
    __table_args__ = (_SCHEMA,)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    muted: Mapped[list[str]] = mapped_column(ARRAY(Text))
    is_quiet: Mapped[bool] = mapped_column(Boolean)
    quiet_from: Mapped[time] = mapped_column(Time)
    quiet_until: Mapped[time] = mapped_column(Time)
