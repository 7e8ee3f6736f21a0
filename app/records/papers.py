"""Papers of a visit as they arrive: what a citizen is handed besides the visit's own tables.

Pure words, as in `arrivals`. A paper's fields are named like the columns that they rest in.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class DocumentKind(StrEnum):
    """Kind of a paper. Source: Decision 4750/QD-BYT, tables 7, 8, 13, 14 and 5."""

    DISCHARGE = "DISCHARGE"
    RECORD_SUMMARY = "RECORD_SUMMARY"
    REFERRAL = "REFERRAL"
    REEXAMINATION = "REEXAMINATION"
    PROGRESS = "PROGRESS"
    ATTACHMENT = "ATTACHMENT"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paper:
    key: str  # stable within the visit, so that a resend meets the same record
    dated_at: datetime  # where it stands in the list of papers
    issued_on: date | None  # NGAY_CT


@dataclass(frozen=True, slots=True, kw_only=True)
class DischargeArrival(_Paper):
    """A discharge paper (XML7). Nothing of a terminated pregnancy is taken: it stays in the message."""

    number: str | None  # SO_LUU_TRU
    department_code: str | None
    started_at: datetime
    ended_at: datetime | None
    diagnosis: str | None
    treatment: str | None
    note: str | None
    signer_name: str | None
    father_name: str | None
    mother_name: str | None
    rest_days: int | None
    rest_from: date | None
    rest_until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSummaryArrival(_Paper):
    """A summary of the medical record (XML8)."""

    started_at: datetime
    ended_at: datetime | None
    arrival_diagnosis: str | None
    diagnosis: str | None
    course: str | None
    findings: str | None
    treatment: str | None
    outcome_code: str | None
    note: str | None
    father_name: str | None
    mother_name: str | None
    guardian_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralArrival(_Paper):
    """A referral to another facility (XML13), with the days on which it is good."""

    number: str | None  # GIAY_CHUYEN_TUYEN
    register_number: str | None  # SO_CHUYENTUYEN
    referred_from_code: str | None
    referred_to_code: str | None
    started_at: datetime
    ended_at: datetime | None
    signs: str | None
    diagnosis: str | None
    main_code: str | None
    course: str | None
    findings: str | None
    treatment: str | None
    services_used: str | None
    drugs_used: str | None
    reason_code: str | None  # MA_LYDO_CT
    plan: str | None
    transport: str | None
    escort_name: str | None
    doctor_certificate: str | None
    valid_from: date
    valid_until: date  # the last day


@dataclass(frozen=True, slots=True, kw_only=True)
class ReexaminationArrival(_Paper):
    """An appointment for a re-examination (XML14); good once."""

    number: str | None
    appointment_at: datetime
    started_at: datetime
    ended_at: datetime | None
    diagnosis: str | None
    main_code: str | None
    doctor_certificate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VitalSignsArrival:
    """Vital signs of one note, each None where the note does not tell it, or tells it twice differently."""

    pulse_per_minute: int | None
    temperature_celsius: Decimal | None
    systolic_mmhg: int | None
    diastolic_mmhg: int | None
    breaths_per_minute: int | None
    oxygen_saturation_percent: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressNoteArrival:
    """One note of the course of treatment (XML5)."""

    line: int
    noted_at: datetime
    note: str
    stage: str | None
    consultation: str | None
    procedure: str | None
    author_certificate: str | None
    vital_signs: VitalSignsArrival | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProgressArrival(_Paper):
    """All notes of a visit (XML5)."""

    started_at: datetime
    ended_at: datetime | None
    notes: tuple[ProgressNoteArrival, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentArrival(_Paper):
    """A paper of any other kind (FHIR DocumentReference); what it looks like stays in the sealed message."""

    number: str | None
    title: str
    type_code: str | None  # as sent, for example LOINC
    started_at: datetime
    ended_at: datetime | None
    content_type: str | None
    size_bytes: int | None
    signer_name: str | None
    note: str | None  # its text, where it is plain text


DocumentArrival = (
    DischargeArrival
    | RecordSummaryArrival
    | ReferralArrival
    | ReexaminationArrival
    | ProgressArrival
    | AttachmentArrival
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PapersArrival:
    """The papers of one kind; none means that those of this kind are to be removed."""

    kind: DocumentKind
    documents: tuple[DocumentArrival, ...]
