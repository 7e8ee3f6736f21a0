"""Rows of health data. Every table is keyed by the citizen first and guarded by sql/*.sql."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Date,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Row, Xid8
from app.records.clinical_tables import (
    AllergyReactionRow,
    AllergyRow,
    ConditionRow,
    ImagingStudyRow,
    ReportedReactionRow,
    VaccinationReactionRow,
    VaccinationRow,
)
from app.records.filed import SCHEMA, Filed, Line, child_of

__all__ = [
    "AllergyReactionRow",
    "AllergyRow",
    "ArrivalOrderRow",
    "ConditionRow",
    "DocumentRow",
    "ImagingStudyRow",
    "PrescriptionItemRow",
    "PrescriptionRow",
    "ProgressNoteRow",
    "RecordVersionRow",
    "ReportedReactionRow",
    "TestReportRow",
    "TestResultRow",
    "VaccinationReactionRow",
    "VaccinationRow",
    "VisitDiagnosisRow",
    "VisitInsuranceRow",
    "VisitRow",
    "VisitServiceRow",
    "VitalSignsRow",
    "WithdrawalRow",
]

_MONEY = Numeric(15, 2)
_QUANTITY = Numeric(15, 3)
_PERCENT = Numeric(5, 2)


class VisitRow(Filed, Row):
    """A visit; `source_id` is MA_LK."""

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("citizen_id", "facility_code", "source_id"),
        Index("visit_newest_idx", "citizen_id", text("started_at DESC"), text("id DESC")),
        SCHEMA,
    )

    kind_code: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    admitted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str | None] = mapped_column(Text)
    arrival_diagnosis: Mapped[str | None] = mapped_column(Text)
    discharge_diagnosis: Mapped[str | None] = mapped_column(Text)
    outcome_code: Mapped[str | None] = mapped_column(Text)
    discharge_code: Mapped[str | None] = mapped_column(Text)
    department_codes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    treatment_days: Mapped[int | None] = mapped_column(Integer)
    treatment: Mapped[str | None] = mapped_column(Text)
    advice: Mapped[str | None] = mapped_column(Text)
    weight_kg: Mapped[Decimal | None] = mapped_column(Numeric(6, 2))
    record_number: Mapped[str | None] = mapped_column(Text)
    insurance_category_code: Mapped[str | None] = mapped_column(Text)
    revisit_on: Mapped[list[date]] = mapped_column(ARRAY(Date), server_default=text("'{}'"))
    referred_from_code: Mapped[str | None] = mapped_column(Text)
    referred_to_code: Mapped[str | None] = mapped_column(Text)
    cost_total: Mapped[Decimal] = mapped_column(_MONEY)
    cost_drugs: Mapped[Decimal] = mapped_column(_MONEY)
    cost_supplies: Mapped[Decimal] = mapped_column(_MONEY)
    cost_within_insurance: Mapped[Decimal] = mapped_column(_MONEY)
    cost_paid_by_fund: Mapped[Decimal] = mapped_column(_MONEY)
    cost_copayment: Mapped[Decimal] = mapped_column(_MONEY)
    cost_self_paid: Mapped[Decimal] = mapped_column(_MONEY)
    cost_paid_by_others: Mapped[Decimal] = mapped_column(_MONEY)
    paid_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class VisitDiagnosisRow(Line, Row):
    """A coded diagnosis of a visit, with the visit's time."""

    __tablename__ = "visit_diagnosis"
    __table_args__ = (child_of("visit", "visit_id"), SCHEMA)

    visit_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    role: Mapped[str] = mapped_column(Text)
    code: Mapped[str] = mapped_column(Text)
    recorded_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    facility_code: Mapped[str | None] = mapped_column(Text)  # the visit's: a scope may name facilities


class VisitInsuranceRow(Line, Row):
    """A card as it was shown at a visit; the number is sealed under the row's `id`, `lookup` is its blind index."""

    __tablename__ = "visit_insurance"
    __table_args__ = (child_of("visit", "visit_id"), SCHEMA)

    visit_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    id: Mapped[UUID] = mapped_column(Uuid)
    number_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    registered_facility_code: Mapped[str | None] = mapped_column(Text)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    lookup: Mapped[bytes] = mapped_column(LargeBinary)
    shown_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # when the visit began
    benefit_code: Mapped[str | None] = mapped_column(Text)
    benefit_percent: Mapped[Decimal | None] = mapped_column(_PERCENT)  # of the visit's lines, the highest
    exempt_from: Mapped[date | None] = mapped_column(Date)
    five_years_on: Mapped[date | None] = mapped_column(Date)
    facility_code: Mapped[str | None] = mapped_column(Text)  # the visit's


class VisitServiceRow(Line, Row):
    """A service or supply of a visit."""

    __tablename__ = "visit_service"
    __table_args__ = (child_of("visit", "visit_id"), SCHEMA)

    visit_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    group_code: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    quantity: Mapped[Decimal] = mapped_column(_QUANTITY)
    unit_price: Mapped[Decimal] = mapped_column(_QUANTITY)
    amount: Mapped[Decimal] = mapped_column(_MONEY)
    insured_amount: Mapped[Decimal] = mapped_column(_MONEY)
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    performed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    benefit_percent: Mapped[Decimal | None] = mapped_column(_PERCENT)


class PrescriptionRow(Filed, Row):
    """The drugs that one clinician ordered on one day of a visit."""

    __tablename__ = "prescription"
    __table_args__ = (
        child_of("visit", "visit_id"),
        UniqueConstraint("citizen_id", "visit_id", "source_id"),
        Index("prescription_newest_idx", "citizen_id", text("ordered_at DESC"), text("id DESC")),
        SCHEMA,
    )

    visit_id: Mapped[UUID] = mapped_column(Uuid)
    ordered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    prescriber_certificate: Mapped[str | None] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text)  # of the national prescription system


class PrescriptionItemRow(Line, Row):
    """One drug of a prescription."""

    __tablename__ = "prescription_item"
    __table_args__ = (child_of("prescription", "prescription_id"), SCHEMA)

    prescription_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    drug_code: Mapped[str] = mapped_column(Text)
    drug_name: Mapped[str] = mapped_column(Text)
    strength: Mapped[str | None] = mapped_column(Text)
    form: Mapped[str | None] = mapped_column(Text)
    route_code: Mapped[str | None] = mapped_column(Text)
    quantity: Mapped[Decimal] = mapped_column(_QUANTITY)
    unit: Mapped[str] = mapped_column(Text)
    dose: Mapped[str | None] = mapped_column(Text)
    instruction: Mapped[str | None] = mapped_column(Text)
    registration_number: Mapped[str | None] = mapped_column(Text)
    amount: Mapped[Decimal] = mapped_column(_MONEY)
    benefit_percent: Mapped[Decimal | None] = mapped_column(_PERCENT)


class TestReportRow(Filed, Row):
    """The results of one service at one moment."""

    __tablename__ = "test_report"
    __table_args__ = (
        child_of("visit", "visit_id"),
        UniqueConstraint("citizen_id", "visit_id", "source_id"),
        Index("test_report_newest_idx", "citizen_id", text("resulted_at DESC"), text("id DESC")),
        SCHEMA,
    )

    visit_id: Mapped[UUID] = mapped_column(Uuid)
    category: Mapped[str] = mapped_column(Text)
    service_code: Mapped[str | None] = mapped_column(Text)
    service_name: Mapped[str | None] = mapped_column(Text)
    resulted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reader_certificate: Mapped[str | None] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    conclusion: Mapped[str | None] = mapped_column(Text)
    sampled_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class TestResultRow(Line, Row):
    """One index of a report; `resulted_at` is the report's, so that a trend needs no join."""

    __tablename__ = "test_result"
    __table_args__ = (
        child_of("test_report", "report_id"),
        Index("test_result_trend_idx", "citizen_id", "code", text("resulted_at DESC"), "report_id", "line"),
        SCHEMA,
    )

    report_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    value_text: Mapped[str | None] = mapped_column(Text)
    value: Mapped[Decimal | None] = mapped_column(Numeric)
    unit: Mapped[str | None] = mapped_column(Text)
    resulted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reference_range: Mapped[str | None] = mapped_column(Text)
    interpretation: Mapped[str | None] = mapped_column(Text)  # the laboratory's flag, as sent


class DocumentRow(Filed, Row):
    """A paper of a visit; which columns are filled depends on its kind (app/records/papers.py)."""

    __tablename__ = "document"
    __table_args__ = (
        child_of("visit", "visit_id"),
        UniqueConstraint("citizen_id", "visit_id", "source_id"),
        Index("document_newest_idx", "citizen_id", text("dated_at DESC"), text("id DESC")),
        SCHEMA,
    )

    visit_id: Mapped[UUID] = mapped_column(Uuid)
    kind: Mapped[str] = mapped_column(Text)
    dated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    issued_on: Mapped[date | None] = mapped_column(Date)
    number: Mapped[str | None] = mapped_column(Text)
    register_number: Mapped[str | None] = mapped_column(Text)
    department_code: Mapped[str | None] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    arrival_diagnosis: Mapped[str | None] = mapped_column(Text)
    diagnosis: Mapped[str | None] = mapped_column(Text)
    main_code: Mapped[str | None] = mapped_column(Text)
    signs: Mapped[str | None] = mapped_column(Text)
    course: Mapped[str | None] = mapped_column(Text)
    findings: Mapped[str | None] = mapped_column(Text)
    treatment: Mapped[str | None] = mapped_column(Text)
    services_used: Mapped[str | None] = mapped_column(Text)
    drugs_used: Mapped[str | None] = mapped_column(Text)
    plan: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    outcome_code: Mapped[str | None] = mapped_column(Text)
    reason_code: Mapped[str | None] = mapped_column(Text)
    referred_from_code: Mapped[str | None] = mapped_column(Text)
    referred_to_code: Mapped[str | None] = mapped_column(Text)
    transport: Mapped[str | None] = mapped_column(Text)
    escort_name: Mapped[str | None] = mapped_column(Text)
    doctor_certificate: Mapped[str | None] = mapped_column(Text)
    signer_name: Mapped[str | None] = mapped_column(Text)
    father_name: Mapped[str | None] = mapped_column(Text)
    mother_name: Mapped[str | None] = mapped_column(Text)
    guardian_name: Mapped[str | None] = mapped_column(Text)
    rest_days: Mapped[int | None] = mapped_column(Integer)
    rest_from: Mapped[date | None] = mapped_column(Date)
    rest_until: Mapped[date | None] = mapped_column(Date)
    valid_from: Mapped[date | None] = mapped_column(Date)
    valid_until: Mapped[date | None] = mapped_column(Date)
    appointment_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    title: Mapped[str | None] = mapped_column(Text)
    type_code: Mapped[str | None] = mapped_column(Text)
    content_type: Mapped[str | None] = mapped_column(Text)
    size_bytes: Mapped[int | None] = mapped_column(Integer)


class ProgressNoteRow(Line, Row):
    """One note of a visit's course, with its own time."""

    __tablename__ = "progress_note"
    __table_args__ = (child_of("document", "document_id"), SCHEMA)

    document_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    noted_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    note: Mapped[str] = mapped_column(Text)
    stage: Mapped[str | None] = mapped_column(Text)
    consultation: Mapped[str | None] = mapped_column(Text)
    procedure: Mapped[str | None] = mapped_column(Text)
    author_certificate: Mapped[str | None] = mapped_column(Text)


class VitalSignsRow(Line, Row):
    """The vital signs that one note tells; the same `line` as the note's."""

    __tablename__ = "vital_signs"
    __table_args__ = (
        child_of("document", "document_id"),
        Index("vital_signs_visit_idx", "citizen_id", "visit_id", "measured_at", "line"),
        SCHEMA,
    )

    document_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, sort_order=-2)
    visit_id: Mapped[UUID] = mapped_column(Uuid)
    measured_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    pulse_per_minute: Mapped[int | None] = mapped_column(SmallInteger)
    temperature_celsius: Mapped[Decimal | None] = mapped_column(Numeric(4, 2))
    systolic_mmhg: Mapped[int | None] = mapped_column(SmallInteger)
    diastolic_mmhg: Mapped[int | None] = mapped_column(SmallInteger)
    breaths_per_minute: Mapped[int | None] = mapped_column(SmallInteger)
    oxygen_saturation_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    facility_code: Mapped[str | None] = mapped_column(Text)  # the document's


class WithdrawalRow(Row):
    """That a facility withdrew a record which it had sent in error, with its reason."""

    __tablename__ = "withdrawal"
    __table_args__ = (
        Index("withdrawal_newest_idx", "citizen_id", text("withdrawn_at DESC"), text("id DESC")),
        SCHEMA,
    )

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text)
    source_id: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)  # VISIT, PRESCRIPTION, TEST_REPORT, DOCUMENT
    dated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))  # when the visit began
    withdrawn_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    reason: Mapped[str] = mapped_column(Text)
    masked: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    sensitive: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))


class ArrivalOrderRow(Row):
    """Which version of each part of a visit is shown, and since when something of it is withdrawn.

    `hidden` names what went while its citizen hid it.
    """

    __tablename__ = "arrival_order"
    __table_args__ = (SCHEMA,)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    facility_code: Mapped[str] = mapped_column(Text, primary_key=True)
    source_id: Mapped[str] = mapped_column(Text, primary_key=True)
    ranks: Mapped[dict[str, str]] = mapped_column(JSONB)
    withdrawals: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'"))
    hidden: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))


class RecordVersionRow(Row):
    """Every version of every record, append-only; a withdrawn record ends with an empty one.

    A version that came after a newer one is OUTDATED and has a number below 1: it was never shown.
    """

    __tablename__ = "record_version"
    __table_args__ = (Index("record_version_changed_idx", "citizen_id", "changed_in"), SCHEMA)

    citizen_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    record_id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    version: Mapped[int] = mapped_column(Integer, primary_key=True)
    kind: Mapped[str] = mapped_column(Text)  # VISIT, PRESCRIPTION, TEST_REPORT, DOCUMENT
    change: Mapped[str] = mapped_column(Text)  # ADDED, REPLACED, WITHDRAWN, OUTDATED
    facility_code: Mapped[str] = mapped_column(Text)
    message_id: Mapped[UUID] = mapped_column(Uuid)
    source_version: Mapped[str] = mapped_column(Text)
    standard_version: Mapped[str] = mapped_column(Text)
    filed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    changed_in: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))


class SensitiveRow(Row):
    """What makes a record sensitive: a pattern of codes or of words, and the class (a bit of SensitiveClass)."""

    __tablename__ = "sensitive"
    __table_args__ = (CheckConstraint("kind IN ('CODE', 'WORD')", name="kind"), {"schema": "code"})

    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    pattern: Mapped[str] = mapped_column(Text, primary_key=True)
    sensitive_class: Mapped[int] = mapped_column("class", SmallInteger)
