"""Rows of the hospitals' door: messages as they came, sealed, and what became of them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

_UNFILED = ("partly", "quarantined", "rejected")


class SentResourceRow(Row):
    """What a resource that a facility sent became, so that a later message may refer to it, or take it back."""

    __tablename__ = "sent_resource"
    __table_args__ = (Index("sent_resource_citizen_idx", "citizen_id"), {"schema": "intake"})

    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    lookup: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # blind index of one of its names
    citizen_id: Mapped[UUID] = mapped_column(Uuid)
    visit_source_id: Mapped[str | None] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # PATIENT, or that of the record
    key: Mapped[str | None] = mapped_column(Text)  # of the record
    parts: Mapped[int] = mapped_column(Integer)  # how many resources the record was made of; 0: a report waits for it
    lines: Mapped[list[bytes] | None] = mapped_column(ARRAY(LargeBinary))  # of a result: blind indexes of code and name
    message_id: Mapped[UUID] = mapped_column(Uuid)


class TakenBackRow(Row):
    """A name of a resource that a facility took back before it came."""

    __tablename__ = "taken_back"
    __table_args__ = ({"schema": "intake"},)

    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    lookup: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # blind index of the name
    rank: Mapped[str] = mapped_column(Text)  # of the newest withdrawal


class WaitingRow(Row):
    """That a message which was not filed waits for somebody's number, or for a resource of its facility."""

    __tablename__ = "waiting"
    __table_args__ = (Index("waiting_message_idx", "message_id"), {"schema": "intake"})

    lookup: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)  # blind index of the number, or of the name
    message_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("intake.message.id"), primary_key=True)


class MessageRow(Row):
    """One message of one facility, kept before it is understood."""

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("facility_code", "digest"),
        UniqueConstraint("facility_code", "idempotency_key"),
        Index("message_facility_received_idx", "facility_code", "received_at", "id"),
        Index("message_waiting_idx", "facility_code", postgresql_where=text("status = 'received'")),
        Index("message_unfiled_idx", "received_at", postgresql_where=text(f"status IN {_UNFILED}")),
        CheckConstraint("status IN ('received', 'filed', 'partly', 'quarantined', 'rejected')", name="status"),
        {"schema": "intake"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    format: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # SHA-256 of the bytes as they came
    size_bytes: Mapped[int] = mapped_column(Integer)
    idempotency_key: Mapped[str | None] = mapped_column(Text)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    status: Mapped[str] = mapped_column(Text)
    concluded_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    verdict: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    body: Mapped[bytes] = mapped_column(LargeBinary)  # sealed


class ExportRow(Row):
    """That an operator took the bytes of a message that was not wholly filed."""

    __tablename__ = "export"
    __table_args__ = ({"schema": "intake"},)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=text("uuidv7()"))
    message_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("intake.message.id"), index=True)
    operator: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    exported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
