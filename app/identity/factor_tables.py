"""Rows of second factors, and of codes with which a record is taken over."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row
from app.identity.step_up import StepUpAction

_SCHEMA = {"schema": "auth"}


class ActivationRow(Row):
    """A code of a facility's desk, with which a person takes over the record that it registered; only its HMAC."""

    __tablename__ = "activation"
    __table_args__ = (_SCHEMA,)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    lookup: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ActivationTryRow(Row):
    """How many codes an account of the identity provider has tried lately."""

    __tablename__ = "activation_try"
    __table_args__ = (_SCHEMA,)

    issuer: Mapped[str] = mapped_column(Text, primary_key=True)
    subject: Mapped[str] = mapped_column(Text, primary_key=True)
    tries: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class FactorRow(Row):
    """A person's second factor; tries are counted before they are judged. One that is not confirmed yet waits."""

    __tablename__ = "factor"
    __table_args__ = (
        Index("factor_live_key", "citizen_id", unique=True, postgresql_where=text("confirmed_at IS NOT NULL")),
        Index("factor_pending_key", "citizen_id", unique=True, postgresql_where=text("confirmed_at IS NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)  # 20 bytes
    began_by: Mapped[UUID | None] = mapped_column(Uuid)  # the session that enrolled it, which alone may confirm it
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_step: Mapped[int] = mapped_column(BigInteger)  # of the newest code that was accepted; only grows
    failures: Mapped[int] = mapped_column(SmallInteger)  # in a row
    locked_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    day_failures: Mapped[int] = mapped_column(SmallInteger)
    day_began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    off_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # until its person signs in anew


class RecoveryCodeRow(Row):
    """A code that stands in for a lost authenticator, once; only its HMAC."""

    __tablename__ = "recovery_code"
    __table_args__ = (_SCHEMA,)

    factor_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.factor.id", ondelete="CASCADE"), primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class StepUpRow(Row):
    """A fresh second factor, good for one action of one session until a moment; `*` is for demo tokens."""

    __tablename__ = "step_up"
    __table_args__ = (
        CheckConstraint(f"action IN ({', '.join(repr(action.value) for action in StepUpAction)}, '*')", name="action"),
        _SCHEMA,
    )

    session_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.session.id", ondelete="CASCADE"), primary_key=True)
    action: Mapped[str] = mapped_column(Text, primary_key=True)
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
