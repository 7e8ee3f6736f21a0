"""Rows of families: who represents whom, and what the law lets a representative see at which age."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
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

_SCHEMA = {"schema": "auth"}


class ExtentRow(Row):
    """How much of a book a representative sees; the rows stand in sql/5_age_bands.sql."""

    __tablename__ = "extent"
    __table_args__ = (_SCHEMA,)

    code: Mapped[str] = mapped_column(Text, primary_key=True)
    sections: Mapped[int] = mapped_column(Integer)  # the bits of sharing.scope.BookSection
    law: Mapped[str] = mapped_column(Text)


class AgeBandRow(Row):
    """From an age on, what a child's representative sees and may do, as long as the law says so."""

    __tablename__ = "age_band"
    __table_args__ = (_SCHEMA,)

    from_age: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)  # years
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date | None] = mapped_column(Date)
    extent: Mapped[str] = mapped_column(Text, ForeignKey("auth.extent.code"))
    unmasked: Mapped[bool] = mapped_column(Boolean)  # sees what was hidden: the account runs through the representative
    may_share: Mapped[bool] = mapped_column(Boolean)
    child_agrees: Mapped[bool] = mapped_column(Boolean)  # consent is the child's too
    law: Mapped[str] = mapped_column(Text)


class RepresentationRow(Row):
    """Somebody acts for somebody else, with evidence, from a day to a day. It ends by itself as age bands say."""

    __tablename__ = "representation"
    __table_args__ = (
        CheckConstraint("kind IN ('PARENT', 'GUARDIAN', 'COURT', 'MANDATE')", name="kind"),
        CheckConstraint(
            "evidence IN ('BIRTH_CERTIFICATE', 'PAPER', 'COURT_DECISION', 'REPRESENTATIVE', 'DEPENDANT')",
            name="evidence",
        ),
        CheckConstraint("representative_id <> dependant_id", name="two_people"),
        CheckConstraint("(representative_id IS NULL) = (accepted_at IS NULL)", name="accepted"),
        CheckConstraint("num_nonnulls(representative_id, representative_lookup) > 0", name="somebody"),
        CheckConstraint("(extent IS NULL) = (kind IN ('PARENT', 'GUARDIAN'))", name="extent"),
        Index(
            "representation_live_key",
            "dependant_id",
            "representative_id",
            "kind",
            unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("representation_dependant_idx", "dependant_id"),
        Index("representation_representative_idx", "representative_id"),
        Index(
            "representation_waiting_idx",
            "representative_lookup",
            postgresql_where=text("accepted_at IS NULL AND ended_at IS NULL"),
        ),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    dependant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    representative_id: Mapped[UUID | None] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    representative_lookup: Mapped[bytes | None] = mapped_column(LargeBinary)  # whose answer is waited for
    representative_key: Mapped[str | None] = mapped_column(Text)  # that person's name as it is compared
    kind: Mapped[str] = mapped_column(Text)
    extent: Mapped[str | None] = mapped_column(Text, ForeignKey("auth.extent.code"))  # null: as the age band says
    evidence: Mapped[str] = mapped_column(Text)
    valid_from: Mapped[date] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    added_by: Mapped[UUID | None] = mapped_column(Uuid)  # the citizen; null: a message or the service door
    accepted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_by: Mapped[UUID | None] = mapped_column(Uuid)
    paper_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)  # which paper was seen, where one was


class RepresentationClaimRow(Row):
    """Somebody says to be a child's parent or guardian; it counts when the service door has seen the papers."""

    __tablename__ = "representation_claim"
    __table_args__ = (
        CheckConstraint("kind IN ('PARENT', 'GUARDIAN')", name="kind"),
        CheckConstraint("decision IN ('APPROVED', 'REFUSED', 'WITHDRAWN')", name="decision"),
        CheckConstraint("(decision IS NULL) = (decided_at IS NULL)", name="decided"),
        Index("representation_claim_claimant_idx", "claimant_id", "claimed_at"),
        _SCHEMA,
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    claimant_id: Mapped[UUID] = mapped_column(Uuid, ForeignKey("auth.citizen.id"))
    dependant_lookup: Mapped[bytes] = mapped_column(LargeBinary)  # blind index of the child's personal id
    dependant_key: Mapped[str] = mapped_column(Text)  # the child's name as it is compared
    dependant_born_on: Mapped[date] = mapped_column(Date)
    kind: Mapped[str] = mapped_column(Text)
    claimed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    decided_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    decision: Mapped[str | None] = mapped_column(Text)
    representation_id: Mapped[UUID | None] = mapped_column(Uuid)  # what it became
