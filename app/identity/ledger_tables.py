"""Rows of the consent ledger, of numbers that were joined, and of visits that are said to be somebody else's."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, Index, SmallInteger, Text, Uuid, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row

_SCHEMA = {"schema": "auth"}


class ConsentTextRow(Row):
    """What somebody agrees to, word for word; the rows stand in sql/5_consent_texts.sql and are never changed."""

    __tablename__ = "consent_text"
    __table_args__ = (_SCHEMA,)

    purpose: Mapped[str] = mapped_column(Text, primary_key=True)
    version: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    text_vi: Mapped[str] = mapped_column(Text)
    text_en: Mapped[str] = mapped_column(Text)


class ConsentRow(Row):
    """That somebody agreed to a text, when and how, and when they took it back."""

    __tablename__ = "consent"
    __table_args__ = (
        CheckConstraint("confirmed_by IN ('SIGNED_IN', 'SECOND_FACTOR')", name="confirmed_by"),
        Index(
            "consent_live_key",
            "citizen_id",
            "purpose",
            unique=True,
            postgresql_where=text("withdrawn_at IS NULL AND about_id IS NULL"),
        ),
        Index("consent_citizen_idx", "citizen_id", "given_at", "id"),
        Index("consent_about_idx", "about_id", postgresql_where=text("about_id IS NOT NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    purpose: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(SmallInteger)
    language: Mapped[str] = mapped_column(Text)  # in which it was read
    about_id: Mapped[UUID | None] = mapped_column(Uuid)  # the mandate or the grant that it is of
    given_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    given_by: Mapped[UUID] = mapped_column(Uuid)  # the citizen who was signed in
    confirmed_by: Mapped[str] = mapped_column(Text)
    withdrawn_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    withdrawn_by: Mapped[UUID | None] = mapped_column(Uuid)


class IdentifierJoinRow(Row):
    """A number that was known as somebody else's is one's own: confirmed by the citizen, and reversible."""

    __tablename__ = "identifier_join"
    __table_args__ = (
        Index("identifier_join_citizen_idx", "citizen_id"),
        Index("identifier_join_other_key", "other_id", unique=True, postgresql_where=text("undone_at IS NULL")),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    other_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))  # as whom the number was known
    identifier_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    message_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))  # filed again
    joined_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DisownedVisitRow(Row):
    """A visit of which its owner says that it is not theirs: not filed for them again, until they take it back."""

    __tablename__ = "disowned_visit"
    __table_args__ = (Index("disowned_visit_id_key", "id", unique=True), _SCHEMA)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"), primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(Text, primary_key=True)
    disowned_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    id: Mapped[UUID] = mapped_column(Uuid, server_default=text("uuidv7()"))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
