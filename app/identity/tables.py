"""Rows of identity: who a citizen is, by which numbers, and which sessions live."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

_SCHEMA = {"schema": "auth"}


class CitizenRow(Row):
    """A person who has a health book, signed in or not."""

    __tablename__ = "citizen"
    __table_args__ = (
        CheckConstraint("sex IN ('MALE', 'FEMALE', 'UNDETERMINED')", name="sex"),
        CheckConstraint("birth_precision IN ('YEAR', 'DAY', 'MINUTE')", name="birth_precision"),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    full_name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)  # upper case without diacritics: compares, never shown
    birth_on: Mapped[date] = mapped_column(Date)
    birth_precision: Mapped[str] = mapped_column(Text)
    sex: Mapped[str] = mapped_column(Text)
    ethnic_code: Mapped[str | None] = mapped_column(Text)
    nationality_code: Mapped[str | None] = mapped_column(Text)
    occupation_code: Mapped[str | None] = mapped_column(Text)
    blood_group: Mapped[str | None] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class IdentifierRow(Row):
    """A number that names a citizen, with its history: numbers are cancelled and issued again."""

    __tablename__ = "identifier"
    __table_args__ = (
        Index(
            "identifier_live_key",
            "kind",
            "lookup",
            unique=True,
            postgresql_where=text("valid_until IS NULL"),
        ),
        Index("identifier_citizen_idx", "citizen_id", "kind"),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    kind: Mapped[str] = mapped_column(Text)
    lookup: Mapped[bytes] = mapped_column(LargeBinary)  # blind index
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    valid_from: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    valid_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    source_message_id: Mapped[UUID | None] = mapped_column(Uuid)


class SessionRow(Row):
    """A live token: the secret's hash only. Exactly one of citizen and facility is named."""

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("num_nonnulls(citizen_id, facility_code) = 1", name="one_principal"),
        Index("session_citizen_idx", "citizen_id", postgresql_where=text("ended_at IS NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    citizen_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    facility_code: Mapped[str | None] = mapped_column(Text, ForeignKey("directory.facility.code"))
    key_thumbprint: Mapped[bytes | None] = mapped_column(LargeBinary)  # RFC 9449; a bound session needs its key
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ClientKeyRow(Row):
    """A public key of a facility's system (JWK)."""

    __tablename__ = "client_key"
    __table_args__ = (_SCHEMA,)

    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    kid: Mapped[str] = mapped_column(Text, primary_key=True)
    jwk: Mapped[dict[str, Any]] = mapped_column(JSONB)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class UsedAssertionRow(Row):
    """A client assertion that was used: it is good once (RFC 7523 §3)."""

    __tablename__ = "used_assertion"
    __table_args__ = (
        Index("used_assertion_expires_at_idx", "expires_at"),
        {"schema": "auth", "prefixes": ["UNLOGGED"]},
    )

    facility_code: Mapped[str] = mapped_column(Text, primary_key=True)
    assertion_id: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
