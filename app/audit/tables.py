"""Rows of the visitors' book."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, ForeignKey, LargeBinary, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row


class HeadRow(Row):
    """The end of one citizen's chain."""

    __tablename__ = "head"
    __table_args__ = ({"schema": "audit", "postgresql_with": {"fillfactor": "50"}},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class LineRow(Row):
    """One line: what was done to one citizen's book or rights, and by whom."""

    __tablename__ = "line"
    __table_args__ = ({"schema": "audit"},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    action: Mapped[str] = mapped_column(Text)
    actor_citizen_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_practitioner_id: Mapped[UUID | None] = mapped_column(Uuid)
    actor_facility_code: Mapped[str | None] = mapped_column(Text)  # its system, or the one that acts for a practitioner
    about: Mapped[dict[str, Any]] = mapped_column(JSONB)
    nonce: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
