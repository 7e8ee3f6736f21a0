"""Rows of access: each book's version, what is shared with whom, and which books a transaction has open."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row, Xid8

_SCHEMA = {"schema": "auth"}


class BookRow(Row):
    """One book. Its version grows with every change that a reader could see."""

    __tablename__ = "book"
    __table_args__ = ({"schema": "auth", "postgresql_with": {"fillfactor": "50"}},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    hidden_classes: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))  # bits; from everybody else
    sharing_frozen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    restored_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FilingRow(Row):
    """Whom a visit of a message is about; only `match_person` writes it."""

    __tablename__ = "filing"
    __table_args__ = (
        Index("filing_citizen_idx", "citizen_id"),
        Index("filing_visit_idx", "facility_code", "source_id"),
        {"schema": "auth"},
    )

    message_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    facility_code: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class FilingWindowRow(Row):
    """The books that one backend's transaction may write; only `open_filing` writes it."""

    __tablename__ = "filing_window"
    __table_args__ = ({"schema": "auth", "prefixes": ["UNLOGGED"]},)

    backend: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    transaction: Mapped[int] = mapped_column(Xid8)
    citizens: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class ReadingWindowRow(Row):
    """The book that one backend's transaction may read as `demo`; only the functions that open one write it."""

    __tablename__ = "reading_window"
    __table_args__ = ({"schema": "auth", "prefixes": ["UNLOGGED"]},)

    backend: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    transaction: Mapped[int] = mapped_column(Xid8)
    citizen_id: Mapped[UUID] = mapped_column(Uuid)
    sections: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    unmasked: Mapped[bool] = mapped_column(Boolean)
    sensitive: Mapped[int] = mapped_column(Integer)
    facilities: Mapped[list[str] | None] = mapped_column(ARRAY(Text))  # null: all
    records: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))  # null: all
    whole: Mapped[bool] = mapped_column(Boolean)  # no dates, facilities or records narrow it
    private: Mapped[bool] = mapped_column(Boolean)  # the viewer stands for the owner


class ShareCodeRow(Row):
    """A citizen's request to open a part of their book to whoever shows the code. Neither code nor PIN is stored.

    `lookup` is an HMAC of the code, `verifier` an Argon2id hash of code and PIN: both are erased when they are of no
    use any more. `scope` is what `auth.scope_of` makes of a ShareScopeInput.
    """

    __tablename__ = "share_code"
    __table_args__ = (
        UniqueConstraint("lookup"),
        Index("share_code_citizen_idx", "citizen_id", text("created_at DESC"), text("id DESC")),
        Index("share_code_hashed_idx", "redeemable_until", postgresql_where=text("lookup IS NOT NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    made_by: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    session_id: Mapped[UUID] = mapped_column(Uuid)  # when it is signed out, the code is dead
    representation: Mapped[str | None] = mapped_column(Text)
    lookup: Mapped[bytes | None] = mapped_column(LargeBinary)
    verifier: Mapped[str | None] = mapped_column(Text)
    has_pin: Mapped[bool] = mapped_column(Boolean)
    purpose: Mapped[str] = mapped_column(Text)
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB)
    access_minutes: Mapped[int] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    redeemable_until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    tries: Mapped[int] = mapped_column(SmallInteger)
    redeemed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    redeemed_by: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"))
    grant_id: Mapped[UUID | None] = mapped_column(Uuid)
    cancelled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class GrantRow(Row):
    """What a practitioner may read, and the citizen's own request that it rests on.

    Source: Law 91/2025/QH15 Art. 26 (the person's request: purpose, recipient, scope, time, confirmation).
    """

    __tablename__ = "book_grant"
    __table_args__ = (
        CheckConstraint("kind IN ('CODE', 'REQUEST', 'EMERGENCY')", name="kind"),
        CheckConstraint(
            "ends_at > starts_at AND (kind <> 'EMERGENCY' OR ends_at <= starts_at + '24:00:00')", name="time"
        ),
        Index("book_grant_citizen_idx", "citizen_id", text("starts_at DESC"), text("id DESC")),
        Index("book_grant_practitioner_idx", "practitioner_id", text("starts_at DESC"), text("id DESC")),
        Index("book_grant_untold_idx", "ends_at", postgresql_where=text("end_told_at IS NULL AND revoked_at IS NULL")),
        Index(
            "book_grant_unreviewed_idx",
            "starts_at",
            postgresql_where=text("kind = 'EMERGENCY' AND reviewed_at IS NULL"),
        ),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    citizen_name: Mapped[str] = mapped_column(Text)  # names as they were when it was given
    practitioner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"))
    practitioner_certificate: Mapped[str] = mapped_column(Text)
    practitioner_name: Mapped[str] = mapped_column(Text)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    kind: Mapped[str] = mapped_column(Text)
    purpose: Mapped[str] = mapped_column(Text)
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB)
    requested_by: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))  # null: an emergency
    session_id: Mapped[UUID] = mapped_column(Uuid)  # in which it was confirmed with a second factor
    representation: Mapped[str | None] = mapped_column(Text)
    confirmed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_why: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)  # of an emergency, in the practitioner's words
    end_told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reviewed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    review: Mapped[str | None] = mapped_column(Text)


class ShareRequestRow(Row):
    """That a practitioner asks for a part of somebody's book. A number that nobody has makes a request to nobody."""

    __tablename__ = "share_request"
    __table_args__ = (
        Index("share_request_asked_of_idx", "asked_of", text("asked_at DESC"), text("id DESC")),
        Index("share_request_practitioner_idx", "practitioner_id", text("asked_at DESC"), text("id DESC")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))  # once they approved
    practitioner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"))
    practitioner_certificate: Mapped[str] = mapped_column(Text)
    practitioner_name: Mapped[str] = mapped_column(Text)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    purpose: Mapped[str] = mapped_column(Text)
    scope: Mapped[dict[str, Any]] = mapped_column(JSONB)
    access_minutes: Mapped[int] = mapped_column(Integer)
    asked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    answer: Mapped[str | None] = mapped_column(Text)  # APPROVED, REFUSED
    grant_id: Mapped[UUID | None] = mapped_column(Uuid)
    asked_of: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))  # no practitioner reads it


class ShareTryRow(Row):
    """A try to redeem a code or to open an emergency, counted before it is judged and taken back when it succeeds."""

    __tablename__ = "share_try"
    __table_args__ = (
        Index("share_try_practitioner_idx", "practitioner_id", text("at DESC")),
        Index("share_try_facility_idx", "facility_code", "at"),
        Index("share_try_at_idx", "at"),
        Index("share_try_citizen_idx", "citizen_id", text("at DESC"), text("id DESC")),
        Index("share_try_untold_idx", "at", postgresql_where=text("told_at IS NULL AND citizen_id IS NOT NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    practitioner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"))
    facility_code: Mapped[str] = mapped_column(Text)  # as it was typed
    deed_key: Mapped[str] = mapped_column(Text)
    code_id: Mapped[UUID | None] = mapped_column(Uuid)
    citizen_id: Mapped[UUID | None] = mapped_column(Uuid)
    reason: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    told_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LiveSubscriptionRow(Row):
    """A subscription that is open now: revoking a grant closes those that it opened, and tells how many."""

    __tablename__ = "live_subscription"
    __table_args__ = (
        Index("live_subscription_grant_idx", "grant_id"),
        Index("live_subscription_session_idx", "session_id"),
        {"schema": "auth", "prefixes": ["UNLOGGED"]},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(Uuid)
    grant_id: Mapped[UUID | None] = mapped_column(Uuid)
    citizen_id: Mapped[UUID] = mapped_column(Uuid)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    kept_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=text("now()"))


class AnnouncementRow(Row):
    """A line of the visitors' book that was announced and has opened nothing yet; it opens once, within ten seconds."""

    __tablename__ = "announcement"
    __table_args__ = ({"schema": "auth", "prefixes": ["UNLOGGED"]},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    practitioner_id: Mapped[UUID | None] = mapped_column(Uuid)  # null, and so three more: an earlier release's
    grant_id: Mapped[UUID | None] = mapped_column(Uuid)
    operation: Mapped[str | None] = mapped_column(Text)
    transaction: Mapped[int | None] = mapped_column(Xid8)  # that announced it


class BookUseRow(Row):
    """Whose books a practitioner opened on a day, so that bulk use is seen and capped."""

    __tablename__ = "book_use"
    __table_args__ = (Index("book_use_day_idx", "used_on"), _SCHEMA)

    practitioner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"), primary_key=True)
    used_on: Mapped[date] = mapped_column(Date, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class AlarmRow(Row):
    """Something that a person of the service must look at; it locks nobody. One an hour for each subject."""

    __tablename__ = "alarm"
    __table_args__ = (UniqueConstraint("kind", "subject", "hour"), Index("alarm_raised_idx", "raised_at"), _SCHEMA)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)  # a facility's code or a practitioner's id
    hour: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    raised_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ResentRow(Row):
    """That a facility sent a record again under another id, after a change of its system, or for a predecessor."""

    __tablename__ = "resent"
    __table_args__ = (
        Index("resent_record_idx", "citizen_id", "record_id"),
        Index("resent_change_idx", "change_id"),
        _SCHEMA,
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)  # VISIT, DOCUMENT, IMAGING, ALLERGY
    facility_code: Mapped[str] = mapped_column(Text, primary_key=True)  # who sent it again
    source_id: Mapped[str] = mapped_column(Text, primary_key=True)  # under which id
    record_id: Mapped[UUID] = mapped_column(Uuid)
    home_facility_code: Mapped[str] = mapped_column(Text)  # under which the record rests
    home_source_id: Mapped[str] = mapped_column(Text)
    change_id: Mapped[UUID] = mapped_column(Uuid)
    message_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    resent_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class CorrectionRow(Row):
    """That a person asks a facility to correct a record, and by when the law wants it answered and done."""

    __tablename__ = "correction"
    __table_args__ = (Index(None, "facility_code", "requested_at", "id"), _SCHEMA)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(Text)
    facility_code: Mapped[str] = mapped_column(Text)
    visit_source_id: Mapped[str | None] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    words_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    requested_by: Mapped[UUID] = mapped_column(Uuid)
    requested_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    answer_by: Mapped[date] = mapped_column(Date)
    correct_by: Mapped[date] = mapped_column(Date)
