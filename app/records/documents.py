"""Where the papers of a book rest, for the compiler: one row each, whose kind tells its type."""

from datetime import date, datetime
from decimal import Decimal

import strawberry
from sqlalchemy import and_

from app.compiler import declare as rests
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.records.enums import DocumentKind
from app.records.provenance import MOST_LINES, Provenance
from app.records.tables import DocumentRow, ProgressNoteRow, VitalSignsRow
from app.sharing.enums import SensitiveClass
from app.sharing.mapping import CLASSES, MASKED, tells_classes, tells_masked
from app.terminology.sql import label


@strawberry.type(description="Vital signs that a note tells; what it does not tell clearly is null.")
class VitalSigns:
    """Vital signs. Source: Decision 4750/QD-BYT, XML5 DIEN_BIEN_LS."""

    measured_at: datetime = rests.column(VitalSignsRow.measured_at, description="When the note was written.")
    pulse_per_minute: int | None = rests.column(VitalSignsRow.pulse_per_minute, description="Pulse, beats a minute.")
    temperature_celsius: Decimal | None = rests.column(
        VitalSignsRow.temperature_celsius, description="Body temperature in degrees Celsius."
    )
    systolic_mmhg: int | None = rests.column(
        VitalSignsRow.systolic_mmhg, description="Systolic blood pressure in mmHg.", name="systolicMmHg"
    )
    diastolic_mmhg: int | None = rests.column(
        VitalSignsRow.diastolic_mmhg, description="Diastolic blood pressure in mmHg.", name="diastolicMmHg"
    )
    breaths_per_minute: int | None = rests.column(VitalSignsRow.breaths_per_minute, description="Breaths a minute.")
    oxygen_saturation_percent: Decimal | None = rests.column(
        VitalSignsRow.oxygen_saturation_percent, description="Oxygen saturation (SpO2) in percent."
    )


@rests.kinds(
    by=lambda row, _inputs: row.kind,
    types={
        "DISCHARGE": "DischargePaper",
        "RECORD_SUMMARY": "RecordSummary",
        "REFERRAL": "ReferralPaper",
        "REEXAMINATION": "ReexaminationPaper",
        "PROGRESS": "ProgressReport",
        "ATTACHMENT": "AttachedPaper",
    },
)
@strawberry.interface(description="A paper of a visit.")
class Document:
    """A document."""

    id: strawberry.ID = rests.column(DocumentRow.id, description="Opaque id.")
    kind: DocumentKind = rests.column(DocumentRow.kind, description="Which paper it is.")
    visit_id: strawberry.ID = rests.column(DocumentRow.visit_id, description="The visit it belongs to.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda d, f, _inputs: f.code == d.facility_code, description="Who made it."
    )
    dated_at: datetime = rests.column(DocumentRow.dated_at, description="Its place in the list: the end of the visit.")
    issued_on: date | None = rests.column(DocumentRow.issued_on, description="Day of issue, where the paper has one.")
    started_at: datetime = rests.column(DocumentRow.started_at, description="Arrival.")
    ended_at: datetime | None = rests.column(DocumentRow.ended_at, description="End of the visit or treatment.")
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.type(description="A discharge paper (giấy ra viện).")
class DischargePaper(Document):
    """A discharge paper."""

    number: str | None = rests.column(DocumentRow.number, description="Archive number.")
    department_code: str | None = rests.column(DocumentRow.department_code, description="Department as sent.")
    department: str | None = rests.expression(
        lambda row, inputs: label("department", row.department_code, inputs.language),
        description="Department in words.",
    )
    diagnosis: str | None = rests.column(DocumentRow.diagnosis, description="Final diagnosis, as written.")
    treatment: str | None = rests.column(DocumentRow.treatment, description="Treatment, as written.")
    note: str | None = rests.column(DocumentRow.note, description="Note, as written.")
    signer_name: str | None = rests.column(DocumentRow.signer_name, description="Head of the department who signs.")
    father_name: str | None = rests.column(DocumentRow.father_name, description="Father of a child who was treated.")
    mother_name: str | None = rests.column(DocumentRow.mother_name, description="Mother of a child who was treated.")
    rest_days: int | None = rests.column(DocumentRow.rest_days, description="Days of rest after the discharge.")
    rest_from: date | None = rests.column(DocumentRow.rest_from, description="First day of rest.")
    rest_until: date | None = rests.column(DocumentRow.rest_until, description="Last day of rest.")


@strawberry.type(description="A summary of the medical record (tóm tắt hồ sơ bệnh án).")
class RecordSummary(Document):
    """A record summary."""

    arrival_diagnosis: str | None = rests.column(DocumentRow.arrival_diagnosis, description="Diagnosis on arrival.")
    diagnosis: str | None = rests.column(DocumentRow.diagnosis, description="Final diagnosis, as written.")
    course: str | None = rests.column(DocumentRow.course, description="History and course of the disease.")
    findings: str | None = rests.column(DocumentRow.findings, description="Results that have diagnostic value.")
    treatment: str | None = rests.column(DocumentRow.treatment, description="Treatment, as written.")
    outcome: str | None = rests.expression(
        lambda row, inputs: label("visit-outcome", row.outcome_code, inputs.language, or_itself=True),
        description="Result of the treatment in words, or the code as sent.",
    )
    note: str | None = rests.column(DocumentRow.note, description="Note, as written.")
    father_name: str | None = rests.column(DocumentRow.father_name, description="Father of a child who was treated.")
    mother_name: str | None = rests.column(DocumentRow.mother_name, description="Mother of a child who was treated.")
    guardian_name: str | None = rests.column(DocumentRow.guardian_name, description="Guardian who is named.")


@strawberry.type(description="A referral to another facility (giấy chuyển cơ sở khám bệnh, chữa bệnh).")
class ReferralPaper(Document):
    """A referral paper."""

    number: str | None = rests.column(DocumentRow.number, description="Number of the paper.")
    register_number: str | None = rests.column(DocumentRow.register_number, description="Number in the register.")
    referred_to_code: str | None = rests.column(DocumentRow.referred_to_code, description="Facility to go to, as sent.")
    referred_to: Facility | None = rests.one(
        FacilityRow,
        on=lambda d, f, _inputs: f.code == d.referred_to_code,
        description="Facility to go to; null where it is not registered here.",
    )
    referred_from_code: str | None = rests.column(
        DocumentRow.referred_from_code, description="Facility that had referred the patient before, as sent."
    )
    signs: str | None = rests.column(DocumentRow.signs, description="Clinical signs, as written.")
    diagnosis: str | None = rests.column(DocumentRow.diagnosis, description="Diagnosis, as written.")
    main_code: str | None = rests.column(DocumentRow.main_code, description="Main ICD-10 code as sent.")
    course: str | None = rests.column(DocumentRow.course, description="Course of the disease, as written.")
    findings: str | None = rests.column(DocumentRow.findings, description="Results that have diagnostic value.")
    treatment: str | None = rests.column(DocumentRow.treatment, description="Treatment so far, as written.")
    services_used: str | None = rests.column(DocumentRow.services_used, description="Services used so far.")
    drugs_used: str | None = rests.column(DocumentRow.drugs_used, description="Drugs used so far.")
    reason: str | None = rests.expression(
        lambda row, inputs: label("referral-reason", row.reason_code, inputs.language, or_itself=True),
        description="Reason in words, or the code as sent.",
    )
    plan: str | None = rests.column(DocumentRow.plan, description="Proposed next treatment.")
    transport: str | None = rests.column(DocumentRow.transport, description="Means of transport.")
    escort_name: str | None = rests.column(DocumentRow.escort_name, description="Who accompanies the patient.")
    doctor_certificate: str | None = rests.column(
        DocumentRow.doctor_certificate, description="Practising certificate of the treating doctor."
    )
    valid_from: date | None = rests.column(DocumentRow.valid_from, description="Day of signing.")
    valid_until: date | None = rests.column(
        DocumentRow.valid_until,
        description=(
            "Last day on which the paper is good: 10 working days after signing (Circular 01/2025/TT-BYT). Public "
            "holidays count as working days here and the one-year diseases of its annex III are not known, so the "
            "paper may be good for longer."
        ),
    )


@strawberry.type(description="An appointment for a re-examination (giấy hẹn khám lại); good once.")
class ReexaminationPaper(Document):
    """A re-examination paper."""

    number: str | None = rests.column(DocumentRow.number, description="Number of the paper.")
    appointment_at: datetime | None = rests.column(
        DocumentRow.appointment_at, description="When to come; midnight where the paper tells the day alone."
    )
    diagnosis: str | None = rests.column(DocumentRow.diagnosis, description="Diagnosis, as written.")
    main_code: str | None = rests.column(DocumentRow.main_code, description="Main ICD-10 code as sent.")
    doctor_certificate: str | None = rests.column(
        DocumentRow.doctor_certificate, description="Practising certificate of the doctor."
    )


@strawberry.type(description="One note of the course of treatment.")
class ProgressNote:
    """A progress note."""

    line: int = rests.column(ProgressNoteRow.line, description="Place in the facility's table.")
    noted_at: datetime = rests.column(ProgressNoteRow.noted_at, description="When it was written.")
    note: str = rests.column(ProgressNoteRow.note, description="The note, as written.")
    stage: str | None = rests.column(ProgressNoteRow.stage, description="Stage of the disease, as written.")
    consultation: str | None = rests.column(ProgressNoteRow.consultation, description="Consultation, as written.")
    procedure: str | None = rests.column(ProgressNoteRow.procedure, description="Surgery or procedure, as written.")
    author_certificate: str | None = rests.column(
        ProgressNoteRow.author_certificate, description="Practising certificates of the authors."
    )
    vital_signs: VitalSigns | None = rests.one(
        VitalSignsRow,
        on=lambda n, s, inputs: and_(s.citizen_id == inputs.citizen, s.document_id == n.document_id, s.line == n.line),
        description="Vital signs that this note tells.",
    )


@strawberry.type(description="The notes of a visit's course.")
class ProgressReport(Document):
    """A progress report."""

    notes: list[ProgressNote] = rests.many(
        ProgressNoteRow,
        on=lambda d, n, inputs: and_(n.citizen_id == inputs.citizen, n.document_id == d.id),
        order=(rests.asc("noted_at"), rests.asc("line")),
        limit=MOST_LINES,
        description="Notes, the oldest first; at most 500.",
    )


@strawberry.type(description="A paper of any other kind. What it looks like stays with the facility's message.")
class AttachedPaper(Document):
    """An attached paper. Source: FHIR R4 DocumentReference."""

    title: str = rests.column(DocumentRow.title, description="Title as sent.")
    number: str | None = rests.column(DocumentRow.number, description="The facility's own number of it.")
    type_code: str | None = rests.column(DocumentRow.type_code, description="Kind of paper as sent, for example LOINC.")
    content_type: str | None = rests.column(DocumentRow.content_type, description="Media type of the content.")
    size_bytes: int | None = rests.column(DocumentRow.size_bytes, description="Size of the content, where it is told.")
    author_name: str | None = rests.column(DocumentRow.signer_name, description="Who wrote it, as sent.")
    text: str | None = rests.column(DocumentRow.note, description="Its text, where it is plain text.")


PAPERS = (DischargePaper, RecordSummary, ReferralPaper, ReexaminationPaper, ProgressReport, AttachedPaper)
"""The concrete types of Document, for the schema."""
