"""Rows of identity: who a citizen is, by which numbers, and which sessions live."""

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Interval,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
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
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    address_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    described_by: Mapped[dict[str, str] | None] = mapped_column(JSONB)  # which visit told what
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ClosureRow(Row):
    """That somebody's account was closed, why, and when a mistake was undone."""

    __tablename__ = "closure"
    __table_args__ = (
        CheckConstraint("reason IN ('DEATH', 'REQUEST', 'MISUSE')", name="reason"),
        Index("closure_live_key", "citizen_id", unique=True, postgresql_where=text("reopened_at IS NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    reason: Mapped[str] = mapped_column(Text)
    closed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reopened_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class BirthRow(Row):
    """A birth certificate (XML9): which newborn belongs to which mother."""

    __tablename__ = "birth"
    __table_args__ = (
        UniqueConstraint("facility_code", "mother_id", "certificate", "born_at"),
        Index("birth_child_idx", "child_id"),
        Index("birth_moment_idx", "facility_code", "born_at"),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    mother_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    child_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    certificate: Mapped[str] = mapped_column(Text)
    born_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    mother_key: Mapped[str] = mapped_column(Text)  # her name as it is compared
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    source_message_id: Mapped[UUID] = mapped_column(Uuid)


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


class PractitionerRow(Row):
    """Who may practise medicine, by certificate. Source: Law 15/2023/QH15 Art. 27; Decree 96/2023."""

    __tablename__ = "practitioner"
    __table_args__ = (
        Index("practitioner_citizen_idx", "citizen_id"),
        Index("practitioner_person_idx", "person_lookup"),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    certificate: Mapped[str] = mapped_column(Text, unique=True)
    full_name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(Text)
    person_lookup: Mapped[bytes | None] = mapped_column(LargeBinary)  # blind index of the personal id
    citizen_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))  # who signed in with it
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    suspended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class PractitionerPlaceRow(Row):
    """Where a practitioner works, and from when to when."""

    __tablename__ = "practitioner_place"
    __table_args__ = (_SCHEMA,)

    practitioner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"), primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date | None] = mapped_column(Date)


class PairingRow(Row):
    """A practitioner lets the system of a facility where they work act for them."""

    __tablename__ = "pairing"
    __table_args__ = (
        Index(
            "pairing_live_key",
            "practitioner_id",
            "facility_code",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    practitioner_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"))
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    paired_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class SessionRow(Row):
    """A live token: the secret's hash only. It stands for a citizen, a facility's system, or a practitioner.

    The acting role is explicit: who is a doctor and a patient has a session as each, and no session is both.
    """

    __tablename__ = "session"
    __table_args__ = (
        CheckConstraint("num_nonnulls(citizen_id, facility_code, practitioner_id) = 1", name="one_principal"),
        Index("session_citizen_idx", "citizen_id", postgresql_where=text("ended_at IS NULL")),
        Index("session_practitioner_idx", "practitioner_id", postgresql_where=text("ended_at IS NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    citizen_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    facility_code: Mapped[str | None] = mapped_column(Text, ForeignKey("directory.facility.code"))
    practitioner_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.practitioner.id"))
    via_facility_code: Mapped[str | None] = mapped_column(
        Text, ForeignKey("directory.facility.code")
    )  # the hospital's system that acts for a practitioner
    key_thumbprint: Mapped[bytes | None] = mapped_column(LargeBinary)  # RFC 9449; a bound session needs its key
    level: Mapped[int | None] = mapped_column(SmallInteger)  # of the person's account; below 2 no book opens
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


class AccountRow(Row):
    """A citizen's account at an identity provider: (issuer, subject) and nothing else names it."""

    __tablename__ = "account"
    __table_args__ = (
        UniqueConstraint("issuer", "subject"),
        Index("account_citizen_key", "citizen_id", "issuer", unique=True, postgresql_where=text("closed_at IS NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    issuer: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    linked_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LoginRow(Row):
    """A login under way, from /auth/login to /auth/callback: good once, for ten minutes, in one browser."""

    __tablename__ = "login"
    __table_args__ = (Index("login_expires_at_idx", "expires_at"), {"schema": "auth", "prefixes": ["UNLOGGED"]})

    state_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(LargeBinary)
    issuer: Mapped[str] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    challenge: Mapped[str] = mapped_column(Text)
    app_state: Mapped[str] = mapped_column(Text)
    return_path: Mapped[str | None] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    key_thumbprint: Mapped[bytes | None] = mapped_column(LargeBinary)  # `dpop_jkt`: only this key fetches the session
    activation: Mapped[bytes | None] = mapped_column(LargeBinary)  # HMAC of a code of a facility's desk
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    taken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class HandoffRow(Row):
    """A one-time code with which the app fetches the session of a login; spent ones stay to tell a replay."""

    __tablename__ = "handoff"
    __table_args__ = (Index("handoff_expires_at_idx", "expires_at"), {"schema": "auth", "prefixes": ["UNLOGGED"]})

    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Uuid)
    level: Mapped[int] = mapped_column(SmallInteger)
    provider_session: Mapped[str | None] = mapped_column(Text)
    client_id: Mapped[str] = mapped_column(Text)
    redirect_uri: Mapped[str] = mapped_column(Text)
    challenge: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text)
    key_thumbprint: Mapped[bytes | None] = mapped_column(LargeBinary)  # `dpop_jkt` of its login
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    spent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    session_id: Mapped[UUID | None] = mapped_column(Uuid)


class RenewalRow(Row):
    """What makes a person's session renewable by its app, and until when."""

    __tablename__ = "renewal"
    __table_args__ = (
        Index("renewal_account_idx", "account_id"),
        Index("renewal_device_idx", "device_id"),
        Index(
            "renewal_provider_session_idx",
            "provider_session",
            postgresql_where=text("provider_session IS NOT NULL"),
        ),
        _SCHEMA,
    )

    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.session.id", ondelete="CASCADE"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.account.id"))
    device_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.device.id"))
    client_id: Mapped[str] = mapped_column(Text)
    provider_session: Mapped[str | None] = mapped_column(Text)  # `sid` of the ID token
    scope: Mapped[str] = mapped_column(Text)
    idle: Mapped[timedelta] = mapped_column(Interval)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class RefreshTokenRow(Row):
    """A refresh token's hash. Used ones stay as long as the session: whoever shows one again ends it."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index("refresh_token_session_idx", "session_id"), _SCHEMA)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.renewal.session_id", ondelete="CASCADE"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    successor_hash: Mapped[bytes | None] = mapped_column(LargeBinary)


class UsedTokenRow(Row):
    """A logout token or exchanged identity token that was used: it is good once."""

    __tablename__ = "used_token"
    __table_args__ = (
        Index("used_token_expires_at_idx", "expires_at"),
        {"schema": "auth", "prefixes": ["UNLOGGED"]},
    )

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    token_id: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DeviceRow(Row):
    """A phone, or another app's installation, that a person signed in with; a bound one is known again by its key."""

    __tablename__ = "device"
    __table_args__ = (
        Index(
            "device_key_key",
            "citizen_id",
            "client_id",
            "key_thumbprint",
            unique=True,
            postgresql_where=text("key_thumbprint IS NOT NULL"),
        ),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    client_id: Mapped[str] = mapped_column(Text)
    key_thumbprint: Mapped[bytes | None] = mapped_column(LargeBinary)
    name: Mapped[str | None] = mapped_column(Text)
    platform: Mapped[str | None] = mapped_column(Text)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    named_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # by its person: no sign-in changes it


class SeenRow(Row):
    """When a session was last used, to the minute; lost when the server crashes, which nobody minds."""

    __tablename__ = "seen"
    __table_args__ = ({"schema": "auth", "prefixes": ["UNLOGGED"]},)

    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.session.id", ondelete="CASCADE"), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class UsedProofRow(Row):
    """A DPoP proof that was used: it is good once, in whichever process it comes (RFC 9449 section 11.1)."""

    __tablename__ = "used_proof"
    __table_args__ = (
        Index("used_proof_expires_at_idx", "expires_at"),
        {"schema": "auth", "prefixes": ["UNLOGGED"]},
    )

    key_thumbprint: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    proof_id: Mapped[str] = mapped_column(Text, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class DeedRow(Row):
    """A mutation that was done, by its viewer's idempotency key: the same key never does it twice."""

    __tablename__ = "deed"
    __table_args__ = (Index("deed_done_idx", "done_at"), _SCHEMA)

    viewer: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary)  # of the mutation's name and arguments
    told: Mapped[dict[str, Any] | None] = mapped_column(JSONB)  # ids of what it made; null while it is being done
    done_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
