"""Rows of vaccinations, imaging studies, conditions and allergies: records that need no visit."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Index,
    Integer,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row, Xid8
from app.records.filed import SCHEMA, Filed, Line, child_of


class _Clinical(Filed):
    """A record that may name a visit of its facility, known or not."""

    visit_source_id: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class VaccinationRow(_Clinical, Row):
    """What one facility tells of one dose.

    Rows of one dose share `dose_id`: the id of the one that is shown (sql/8_doses.sql).
    """

    __tablename__ = "vaccination"
    __table_args__ = (
        UniqueConstraint("citizen_id", "facility_code", "source_id"),
        Index(
            "vaccination_newest_idx",
            "citizen_id",
            text("injected_at DESC"),
            text("id DESC"),
            postgresql_where=text("id = dose_id"),
        ),
        Index("vaccination_dose_idx", "citizen_id", "dose_id"),
        SCHEMA,
    )

    dose_id: Mapped[UUID] = mapped_column(Uuid)
    status: Mapped[str] = mapped_column(Text)
    status_reason: Mapped[str | None] = mapped_column(Text)
    vaccine_system: Mapped[str | None] = mapped_column(Text)
    vaccine_code: Mapped[str | None] = mapped_column(Text)
    vaccine_name: Mapped[str] = mapped_column(Text)
    antigens: Mapped[list[str]] = mapped_column(ARRAY(Text))
    injected_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    injected_precision: Mapped[str] = mapped_column(Text)
    dose_number: Mapped[int | None] = mapped_column(SmallInteger)
    dose_text: Mapped[str | None] = mapped_column(Text)
    series_doses: Mapped[int | None] = mapped_column(SmallInteger)
    lot_number: Mapped[str | None] = mapped_column(Text)
    manufacturer: Mapped[str | None] = mapped_column(Text)
    expires_on: Mapped[date | None] = mapped_column(Date)
    site: Mapped[str | None] = mapped_column(Text)
    route: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal | None] = mapped_column(Numeric)
    amount_unit: Mapped[str | None] = mapped_column(Text)
    programme: Mapped[str | None] = mapped_column(Text)
    observed_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    observation: Mapped[str | None] = mapped_column(Text)
    performer_name: Mapped[str | None] = mapped_column(Text)
    performer_certificate: Mapped[str | None] = mapped_column(Text)
    is_primary_source: Mapped[bool] = mapped_column(Boolean)
    given_at: Mapped[str | None] = mapped_column(Text)


class VaccinationReactionRow(Line, Row):
    """A reaction that the facility tells of."""

    __tablename__ = "vaccination_reaction"
    __table_args__ = (child_of("vaccination", "vaccination_id"), SCHEMA)

    vaccination_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    description: Mapped[str] = mapped_column(Text)
    reacted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    severity: Mapped[str | None] = mapped_column(Text)


class ReportedReactionRow(Row):
    """A reaction that the citizen, or who cares for them, reports.

    It outlives the facility's record: `vaccination_id` is what was shown then, `dose_id` the dose that it stands by.
    """

    __tablename__ = "reported_reaction"
    __table_args__ = (Index("reported_reaction_dose_idx", "citizen_id", "dose_id"), SCHEMA)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    vaccination_id: Mapped[UUID] = mapped_column(Uuid)
    dose_id: Mapped[UUID | None] = mapped_column(Uuid)
    injected_on: Mapped[date] = mapped_column(Date)
    antigens: Mapped[list[str]] = mapped_column(ARRAY(Text))
    description: Mapped[str] = mapped_column(Text)
    reacted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    severity: Mapped[str | None] = mapped_column(Text)
    reported_by: Mapped[UUID] = mapped_column(Uuid)
    reported_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    masked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    sensitive: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    changed_in: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))


class ImagingStudyRow(_Clinical, Row):
    """An imaging study, as a reference; the images stay at the facility."""

    __tablename__ = "imaging_study"
    __table_args__ = (
        UniqueConstraint("citizen_id", "facility_code", "source_id"),
        Index("imaging_study_newest_idx", "citizen_id", text("started_at DESC"), text("id DESC")),
        SCHEMA,
    )

    study_uid: Mapped[str | None] = mapped_column(Text)
    accession_number: Mapped[str | None] = mapped_column(Text)
    modalities: Mapped[list[str]] = mapped_column(ARRAY(Text))
    procedure_code: Mapped[str | None] = mapped_column(Text)
    procedure_name: Mapped[str | None] = mapped_column(Text)
    body_site: Mapped[str | None] = mapped_column(Text)
    laterality: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    series_count: Mapped[int | None] = mapped_column(Integer)
    instance_count: Mapped[int | None] = mapped_column(Integer)
    referrer_name: Mapped[str | None] = mapped_column(Text)
    reader_name: Mapped[str | None] = mapped_column(Text)
    reader_certificate: Mapped[str | None] = mapped_column(Text)
    reported_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    report: Mapped[str | None] = mapped_column(Text)
    conclusion: Mapped[str | None] = mapped_column(Text)
    dicomweb_url: Mapped[str | None] = mapped_column(Text)


class ConditionRow(_Clinical, Row):
    """A disease or problem as one facility keeps it; `concept` is what its statements are gathered by."""

    __tablename__ = "condition"
    __table_args__ = (
        UniqueConstraint("citizen_id", "facility_code", "source_id"),
        Index("condition_concept_idx", "citizen_id", "concept"),
        SCHEMA,
    )

    concept: Mapped[str] = mapped_column(Text)  # the ICD-10 code, else system|code, else the name in small letters
    code_system: Mapped[str | None] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    certainty: Mapped[str | None] = mapped_column(Text)
    severity: Mapped[str | None] = mapped_column(Text)
    onset_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    onset_precision: Mapped[str | None] = mapped_column(Text)
    onset_text: Mapped[str | None] = mapped_column(Text)
    abated_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorder_name: Mapped[str | None] = mapped_column(Text)


class AllergyRow(_Clinical, Row):
    """An allergy or intolerance, or the statement that none is known.

    It has no date in the policies: a share of the last year must not hide an allergy of ten years ago.
    """

    __tablename__ = "allergy"
    __table_args__ = (UniqueConstraint("citizen_id", "facility_code", "source_id"), SCHEMA)

    is_none_known: Mapped[bool] = mapped_column(Boolean)
    concept: Mapped[str] = mapped_column(Text)  # as of a condition
    code_system: Mapped[str | None] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    substance: Mapped[str] = mapped_column(Text)
    kind: Mapped[str | None] = mapped_column(Text)
    categories: Mapped[list[str]] = mapped_column(ARRAY(Text))
    criticality: Mapped[str | None] = mapped_column(Text)
    state: Mapped[str | None] = mapped_column(Text)
    certainty: Mapped[str | None] = mapped_column(Text)
    onset_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    onset_precision: Mapped[str | None] = mapped_column(Text)
    last_reacted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    recorder_name: Mapped[str | None] = mapped_column(Text)


class AllergyReactionRow(Line, Row):
    """A reaction to an allergen."""

    __tablename__ = "allergy_reaction"
    __table_args__ = (child_of("allergy", "allergy_id"), SCHEMA)

    allergy_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    description: Mapped[str] = mapped_column(Text)
    reacted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    severity: Mapped[str | None] = mapped_column(Text)
