"""Rows of facilities: public facts, readable by every role that answers people."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row


class FacilityRow(Row):
    """A place of care. `code` is the five-character code of Decision 384/QD-BYT."""

    __tablename__ = "facility"
    __table_args__ = (
        CheckConstraint("code ~ '^[0-9A-Z]{5}$'", name="code"),
        CheckConstraint("level IN ('CENTRAL', 'PROVINCIAL', 'PRIMARY')", name="level"),
        {"schema": "directory"},
    )

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(Text)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    suspended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
