"""Rows of access: each book's version, and which books a transaction has open."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Boolean, DateTime, ForeignKey, Index, Integer, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row, Xid8


class BookRow(Row):
    """One book. Its version grows with every change that a reader could see."""

    __tablename__ = "book"
    __table_args__ = ({"schema": "auth", "postgresql_with": {"fillfactor": "50"}},)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    version: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


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
    """The book that one backend's transaction may read as `demo`; only `open_demo_book` writes it."""

    __tablename__ = "reading_window"
    __table_args__ = ({"schema": "auth", "prefixes": ["UNLOGGED"]},)

    backend: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    transaction: Mapped[int] = mapped_column(Xid8)
    citizen_id: Mapped[UUID] = mapped_column(Uuid)
    sections: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    until: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    unmasked: Mapped[bool] = mapped_column(Boolean)
