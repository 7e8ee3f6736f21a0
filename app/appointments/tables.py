"""Rows of care to come. Citizens' rows are keyed by the citizen first; everything is guarded by sql/*.sql."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row, Xid8

_SCHEMA = {"schema": "care"}
_MOMENT = DateTime(timezone=True)


class BookingRuleRow(Row):
    """What a facility asks of those who book there; without a row, the settings' own."""

    __tablename__ = "booking_rule"
    __table_args__ = (
        CheckConstraint(
            "least(lead_minutes, cancel_minutes) >= 0 AND least(most_live, hold_minutes) > 0", name="sense"
        ),
        _SCHEMA,
    )

    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    lead_minutes: Mapped[int] = mapped_column(Integer)  # book at least so long before
    cancel_minutes: Mapped[int] = mapped_column(Integer)  # cancel or move at least so long before
    most_live: Mapped[int] = mapped_column(SmallInteger)  # bookings to come of one citizen
    hold_minutes: Mapped[int] = mapped_column(Integer)  # so long a freed place is held for who waits


class ScheduleRow(Row):
    """A facility's plan for a department, a room or a practitioner, as it was published last."""

    __tablename__ = "schedule"
    __table_args__ = (UniqueConstraint("facility_code", "code"), _SCHEMA)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    code: Mapped[str] = mapped_column(Text)  # the facility's own
    department_code: Mapped[str] = mapped_column(Text)
    room: Mapped[str | None] = mapped_column(Text)
    practitioner_certificate: Mapped[str | None] = mapped_column(Text)
    practitioner_name: Mapped[str | None] = mapped_column(Text)
    is_sensitive: Mapped[bool] = mapped_column(Boolean)
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB)  # capacity, weekly rules, exceptions, as published
    published_at: Mapped[datetime] = mapped_column(_MOMENT)


class SlotRow(Row):
    """A time at which so many may come. `taken` counts those who are booked and those for whom a place is held."""

    __tablename__ = "slot"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="order"),
        CheckConstraint("capacity > 0 AND taken >= 0 AND taken <= capacity", name="taken"),
        UniqueConstraint("schedule_id", "starts_at", "ends_at"),
        ExcludeConstraint(
            (
                text(
                    "numrange(care.moment_of(practitioner_key, starts_at), care.moment_of(practitioner_key, ends_at))"
                ),
                "&&",
            ),
            name="slot_practitioner_excl",
            using="gist",
            where=text("practitioner_key IS NOT NULL AND withdrawn_at IS NULL"),
        ),
        Index("slot_place_idx", "facility_code", "starts_at", "id", postgresql_where=text("withdrawn_at IS NULL")),
        Index(
            "slot_department_idx",
            "facility_code",
            "department_code",
            "starts_at",
            "id",
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("slot_withdrawn_idx", "id", postgresql_where=text("withdrawn_at IS NOT NULL AND taken > 0")),
        Index("slot_outdated_idx", "id", postgresql_where=text("is_outdated")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    schedule_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("care.schedule.id"))
    facility_code: Mapped[str] = mapped_column(Text)
    department_code: Mapped[str] = mapped_column(Text)
    room: Mapped[str | None] = mapped_column(Text)
    practitioner_name: Mapped[str | None] = mapped_column(Text)
    practitioner_key: Mapped[UUID | None] = mapped_column(Uuid)  # of facility and certificate, for the exclusion
    is_sensitive: Mapped[bool] = mapped_column(Boolean)
    starts_at: Mapped[datetime] = mapped_column(_MOMENT)
    ends_at: Mapped[datetime] = mapped_column(_MOMENT)
    capacity: Mapped[int] = mapped_column(SmallInteger)
    taken: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    withdrawn_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    is_outdated: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # who is booked knows an older one


class AppointmentRow(Row):
    """When a citizen is to come. One that was booked has a slot and a place in it; one that a paper tells has neither.

    Two bookings of one citizen never overlap. A paper is never refused, so it is not excluded.
    """

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("origin IN ('BOOKED', 'PAPER', 'FACILITY')", name="origin"),
        CheckConstraint("state IN ('LIVE', 'CANCELLED')", name="state"),
        CheckConstraint("(state = 'CANCELLED') = (cancelled_by IS NOT NULL)", name="cancelled"),
        CheckConstraint("cancelled_by IN ('CITIZEN', 'FACILITY')", name="cancelled_by"),
        CheckConstraint(
            "num_nulls(slot_id, place) IN (0, 2) AND (slot_id IS NULL OR ends_at > starts_at)", name="place"
        ),
        UniqueConstraint("citizen_id", "facility_code", "source_id"),
        ExcludeConstraint(
            (text("numrange(care.moment_of(citizen_id, starts_at), care.moment_of(citizen_id, ends_at))"), "&&"),
            name="appointment_citizen_excl",
            using="gist",
            where=text("state = 'LIVE' AND slot_id IS NOT NULL"),
        ),
        Index("appointment_newest_idx", "citizen_id", text("starts_at DESC"), text("id DESC")),
        Index("appointment_soonest_idx", "citizen_id", "starts_at", "id"),
        Index(
            "appointment_place_key",
            "slot_id",
            "place",
            unique=True,
            postgresql_where=text("state = 'LIVE' AND slot_id IS NOT NULL"),
        ),
        Index("appointment_due_idx", "starts_at", postgresql_where=text("state = 'LIVE'")),
        _SCHEMA,
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    origin: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str | None] = mapped_column(Text)  # the paper's place in the facility's messages
    slot_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("care.slot.id"))
    place: Mapped[int | None] = mapped_column(SmallInteger)  # 1 to the slot's capacity
    department_code: Mapped[str | None] = mapped_column(Text)
    room: Mapped[str | None] = mapped_column(Text)
    practitioner_name: Mapped[str | None] = mapped_column(Text)
    is_sensitive: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    starts_at: Mapped[datetime] = mapped_column(_MOMENT)
    ends_at: Mapped[datetime | None] = mapped_column(_MOMENT)
    is_whole_day: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    state: Mapped[str] = mapped_column(Text)
    cancelled_by: Mapped[str | None] = mapped_column(Text)
    sequence: Mapped[int] = mapped_column(Integer, server_default=text("0"))  # RFC 5545 §3.8.7.4
    reason_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    booked_by: Mapped[UUID | None] = mapped_column(Uuid)  # the citizen, or who represents them
    booked_at: Mapped[datetime] = mapped_column(_MOMENT)
    changed_at: Mapped[datetime] = mapped_column(_MOMENT)
    masked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    sensitive: Mapped[int] = mapped_column(Integer, server_default=text("0"))  # bits of SensitiveClass
    changed_in: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))  # see sql/1_changes.sql
    told_too: Mapped[list[str]] = mapped_column(
        ARRAY(Text), server_default=text("'{}'")
    )  # other tellers of the same hour


class WaitlistEntryRow(Row):
    """Who waits for a place in a department, on some days, since when."""

    __tablename__ = "waitlist_entry"
    __table_args__ = (
        CheckConstraint("state IN ('WAITING', 'OFFERED', 'BOOKED', 'LEFT')", name="state"),
        CheckConstraint("until_on >= from_on", name="days"),
        Index(
            "waitlist_entry_live_key",
            "citizen_id",
            "facility_code",
            "department_code",
            unique=True,
            postgresql_where=text("state IN ('WAITING', 'OFFERED')"),
        ),
        Index(
            "waitlist_entry_turn_idx",
            "facility_code",
            "department_code",
            "joined_at",
            "id",
            postgresql_where=text("state = 'WAITING'"),
        ),
        _SCHEMA,
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    department_code: Mapped[str] = mapped_column(Text)
    from_on: Mapped[date] = mapped_column(Date)
    until_on: Mapped[date] = mapped_column(Date)
    state: Mapped[str] = mapped_column(Text)
    joined_by: Mapped[UUID] = mapped_column(Uuid)
    joined_at: Mapped[datetime] = mapped_column(_MOMENT)


class WaitlistOfferRow(Row):
    """A freed place that is held for one who waits, until a moment. A slot is offered to each who waits once."""

    __tablename__ = "waitlist_offer"
    __table_args__ = (
        CheckConstraint("state IN ('OPEN', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'WITHDRAWN')", name="state"),
        ForeignKeyConstraint(["citizen_id", "entry_id"], ["care.waitlist_entry.citizen_id", "care.waitlist_entry.id"]),
        UniqueConstraint("citizen_id", "entry_id", "slot_id"),
        Index("waitlist_offer_open_key", "entry_id", unique=True, postgresql_where=text("state = 'OPEN'")),
        Index("waitlist_offer_due_idx", "held_until", postgresql_where=text("state = 'OPEN'")),
        Index("waitlist_offer_slot_idx", "slot_id", postgresql_where=text("state = 'OPEN'")),
        _SCHEMA,
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    entry_id: Mapped[UUID] = mapped_column(Uuid)
    slot_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("care.slot.id"))
    state: Mapped[str] = mapped_column(Text)
    offered_at: Mapped[datetime] = mapped_column(_MOMENT)
    held_until: Mapped[datetime] = mapped_column(_MOMENT)
    answered_at: Mapped[datetime | None] = mapped_column(_MOMENT)


class CalendarFeedRow(Row):
    """A private address of a citizen's appointments: the secret's hash only."""

    __tablename__ = "calendar_feed"
    __table_args__ = (
        Index(
            "calendar_feed_live_key", "citizen_id", "made_by", unique=True, postgresql_where=text("revoked_at IS NULL")
        ),
        _SCHEMA,
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    made_by: Mapped[UUID] = mapped_column(Uuid)  # the citizen, or who represents them: it ends with that right
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    made_at: Mapped[datetime] = mapped_column(_MOMENT)
    revoked_at: Mapped[datetime | None] = mapped_column(_MOMENT)
