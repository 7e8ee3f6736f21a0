"""Rows that every room needs: what is installed in this database, and what happened that people are told."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Boolean, DateTime, ForeignKey, Index, LargeBinary, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row


class InstalledFileRow(Row):
    """A file of functions or policies as it was last applied."""

    __tablename__ = "installed_file"
    __table_args__ = ({"schema": "deploy"},)

    path: Mapped[str] = mapped_column(Text, primary_key=True)
    digest: Mapped[str] = mapped_column(Text)
    applied_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class InstalledOperationRow(Row):
    """A trusted operation's function; functions of older releases stay until their document's sunset."""

    __tablename__ = "installed_operation"
    __table_args__ = ({"schema": "deploy"},)

    function: Mapped[str] = mapped_column(Text, primary_key=True)
    document_id: Mapped[str] = mapped_column(Text)
    root: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class KeyMarkRow(Row):
    """A key that this database was filled with, known by a digest under it (app.core.marks)."""

    __tablename__ = "key_mark"
    __table_args__ = ({"schema": "auth"},)

    file: Mapped[str] = mapped_column(Text, primary_key=True)
    key_id: Mapped[str] = mapped_column(Text)
    mark: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    noted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EventRow(Row):
    """Something that a citizen is told of. `about` holds ids and codes, never health data."""

    __tablename__ = "event"
    __table_args__ = (
        Index("event_citizen_idx", "citizen_id", "happened_at"),
        Index(
            "event_dedupe_key",
            "citizen_id",
            "dedupe_key",
            unique=True,
            postgresql_where=text("dedupe_key IS NOT NULL"),
        ),
        Index("event_waiting_idx", "id", postgresql_where=text("is_waiting")),
        {"schema": "notice"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    kind: Mapped[str] = mapped_column(Text)
    about: Mapped[dict[str, Any]] = mapped_column(JSONB)
    dedupe_key: Mapped[str | None] = mapped_column(Text)
    happened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    is_waiting: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))  # to be told
