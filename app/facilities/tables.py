"""Rows of facilities: public facts, readable by every role that answers people."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Date, DateTime, ForeignKey, LargeBinary, SmallInteger, Text, Uuid
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


class ImageStoreRow(Row):
    """Where a facility serves its images by DICOMweb, and the pads of the key that signs links to them (RFC 2104)."""

    __tablename__ = "image_store"
    __table_args__ = ({"schema": "directory"},)

    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    base_url: Mapped[str] = mapped_column(Text)
    inner_pad: Mapped[bytes] = mapped_column(LargeBinary)
    outer_pad: Mapped[bytes] = mapped_column(LargeBinary)
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class LaboratoryLevelRow(Row):
    """The quality level of a facility's laboratory, 1 to 5, while it is valid. Source: Decision 2429/QD-BYT."""

    __tablename__ = "laboratory_level"
    __table_args__ = (CheckConstraint("level BETWEEN 1 AND 5", name="level"), {"schema": "directory"})

    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date | None] = mapped_column(Date)  # the first day on which it is no longer valid
    level: Mapped[int] = mapped_column(SmallInteger)


class FacilityChangeRow(Row):
    """That a facility has a new system, or takes over another one's records, and sends what was sent before again.

    What it sends of the days from `resent_from` until before `begins_on` may be known under another id.
    """

    __tablename__ = "facility_change"
    __table_args__ = (
        CheckConstraint("kind IN ('SYSTEM', 'MERGER', 'BRANCH')", name="kind"),
        CheckConstraint("(kind = 'SYSTEM') = (facility_code = predecessor_code)", name="who"),
        CheckConstraint("resent_from <= begins_on AND (ends_on IS NULL OR begins_on <= ends_on)", name="days"),
        {"schema": "directory"},
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"), index=True)
    predecessor_code: Mapped[str] = mapped_column(Text, ForeignKey("directory.facility.code"))
    kind: Mapped[str] = mapped_column(Text)
    resent_from: Mapped[date] = mapped_column(Date)
    begins_on: Mapped[date] = mapped_column(Date)
    ends_on: Mapped[date | None] = mapped_column(Date)  # the last day on which something is sent again
    declared_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    undone_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
