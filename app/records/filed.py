"""What rows of health data have in common: provenance, lines, and the citizen first."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKeyConstraint, Integer, LargeBinary, SmallInteger, Text, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

SCHEMA = {"schema": "book"}


def child_of(table: str, column: str) -> ForeignKeyConstraint:
    """Bind a line to its record, with which it goes."""
    return ForeignKeyConstraint(
        ["citizen_id", column], [f"book.{table}.citizen_id", f"book.{table}.id"], ondelete="CASCADE"
    )


class Filed:
    """What every filed record knows of itself."""

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-3)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    facility_code: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    version: Mapped[int] = mapped_column(Integer)
    message_id: Mapped[UUID] = mapped_column(Uuid)
    source_version: Mapped[str] = mapped_column(Text)
    standard_version: Mapped[str] = mapped_column(Text)
    filed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    masked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    sensitive: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))  # bits of SensitiveClass


class Line:
    """A line of a record; it carries the citizen and the mask, so that it is guarded by itself."""

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-3)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, sort_order=-1)
    masked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"), sort_order=1)
    sensitive: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"), sort_order=2)
