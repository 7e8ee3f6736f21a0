"""Vaccinations, imaging studies, conditions and allergies as they arrive.

Pure words, as in `arrivals`. Each of them stands alone: it has an id of its own at the facility and may or may not name
a visit. The visit itself is filed by `filing.file_visit`, before or after, and these by::

    filing.file_clinical(session, citizen_id=…, arrivals=(…), source=…, new_id=…) -> tuple[FiledRecord, ...]

in the same transaction, whose open_filing has opened the book. Told are kind, key (`source_id`) and change of each.

For translators:

- `source_id` is the record's id at the facility, the same in every version (for FHIR the business identifier, else the
  logical id); unique for its kind within the facility. `visit_source_id` is the `source_id` of the visit that it
  belongs to (MA_LK); the visit need not be known yet. When that visit is withdrawn, so are these.
- A record that a later message does not hold stays: FHIR bundles are no snapshots. `is_withdrawn` takes one back
  (FHIR `entered-in-error`); of such a record only the ids are read.
- Versions may come in any order, as those of visits: the one that was made last is shown (`filing.Source.rank`).
- A diagnosis of a visit (FHIR Encounter.diagnosis, Condition.category encounter-diagnosis with an ICD-10 code) goes to
  `VisitArrival.diagnoses` and not here: the book gathers both, and the same visit by two doors must be equal.
- Codes are handed on as sent, all codings of one concept, the best first. What a vaccine protects against is derived
  when it is filed (`terminology.vaccines`); a translator maps nothing.
- To match the person of a record without a visit, `match_person` wants a visit's id: use `standalone_key`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum


class ClinicalKind(StrEnum):
    """Kind of a record that needs no visit."""

    VACCINATION = "VACCINATION"
    IMAGING = "IMAGING"
    CONDITION = "CONDITION"
    ALLERGY = "ALLERGY"


class MomentPrecision(StrEnum):
    """How much of a moment is known; the rest of it is filled with the first of the month, day or midnight here."""

    YEAR = "YEAR"
    MONTH = "MONTH"
    DAY = "DAY"
    MINUTE = "MINUTE"


class VaccinationStatus(StrEnum):
    """Whether a dose was given. Source: FHIR R4 Immunization.status."""

    GIVEN = "GIVEN"
    NOT_GIVEN = "NOT_GIVEN"


class VaccinationProgramme(StrEnum):
    """Under which programme a dose was given. Source: Decision 3891/QD-BYT; Circular 13/2026/TT-BYT."""

    EXPANDED = "EXPANDED"  # tiêm chủng mở rộng
    OUTBREAK = "OUTBREAK"  # chống dịch
    SERVICE = "SERVICE"  # dịch vụ


class ReactionSeverity(StrEnum):
    """How bad a reaction was. Source: FHIR R4 reaction-event-severity."""

    MILD = "MILD"
    MODERATE = "MODERATE"
    SEVERE = "SEVERE"


class ConditionState(StrEnum):
    """Source: FHIR R4 condition-clinical."""

    ACTIVE = "ACTIVE"
    RECURRENCE = "RECURRENCE"
    RELAPSE = "RELAPSE"
    INACTIVE = "INACTIVE"
    REMISSION = "REMISSION"
    RESOLVED = "RESOLVED"


class Certainty(StrEnum):
    """How sure a statement is. Source: FHIR R4 condition-ver-status, allergyintolerance-verification."""

    UNCONFIRMED = "UNCONFIRMED"
    PROVISIONAL = "PROVISIONAL"
    DIFFERENTIAL = "DIFFERENTIAL"
    CONFIRMED = "CONFIRMED"
    REFUTED = "REFUTED"


class AllergyState(StrEnum):
    """Source: FHIR R4 allergyintolerance-clinical."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    RESOLVED = "RESOLVED"


class AllergyKind(StrEnum):
    """Mechanism. Source: FHIR R4 allergy-intolerance-type."""

    ALLERGY = "ALLERGY"
    INTOLERANCE = "INTOLERANCE"


class AllergyCategory(StrEnum):
    """What kind of substance. Source: FHIR R4 allergy-intolerance-category."""

    FOOD = "FOOD"
    MEDICATION = "MEDICATION"
    ENVIRONMENT = "ENVIRONMENT"
    BIOLOGIC = "BIOLOGIC"


class Criticality(StrEnum):
    """How dangerous a future exposure is. Source: FHIR R4 allergy-intolerance-criticality."""

    LOW = "LOW"
    HIGH = "HIGH"
    UNABLE_TO_ASSESS = "UNABLE_TO_ASSESS"


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingArrival:
    """One code of a concept, as sent."""

    system: str | None  # the code system's URI, as sent
    code: str
    display: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionArrival:
    """A reaction to a vaccine or to an allergen."""

    description: str  # each manifestation (its text, else the display of its code), then the description as sent
    reacted_at: datetime | None
    severity: ReactionSeverity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clinical:
    source_id: str
    visit_source_id: str | None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VaccinationArrival(_Clinical):
    """One dose that was given, or was not. Source: FHIR R4 Immunization; Decision 3891/QD-BYT."""

    status: VaccinationStatus
    status_reason: str | None  # why it was not given, in words
    vaccine: tuple[CodingArrival, ...]  # vaccineCode; may be empty where there is a name
    vaccine_name: str  # the text as sent, else a display, else the code
    targets: tuple[CodingArrival, ...]  # protocolApplied.targetDisease
    injected_at: datetime
    injected_precision: MomentPrecision
    dose_number: int | None  # 1 for the first; 0 for a birth dose
    dose_text: str | None  # the dose as written where it is no number
    series_doses: int | None
    lot_number: str | None
    manufacturer: str | None
    expires_on: date | None
    site: str | None  # in words, as `route`
    route: str | None
    amount: Decimal | None
    amount_unit: str | None
    programme: VaccinationProgramme | None
    observed_until: datetime | None  # end of the observation on site
    observation: str | None  # what was seen, in words
    reactions: tuple[ReactionArrival, ...]
    performer_name: str | None
    performer_certificate: str | None
    is_primary_source: bool  # False: the facility tells of a dose that somebody else gave
    given_at: str | None  # name of the place, where it is not the sending facility
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagingArrival(_Clinical):
    """One imaging study, as a reference. Source: FHIR R4 ImagingStudy with its DiagnosticReport."""

    study_uid: str | None  # DICOM Study Instance UID, without `urn:oid:`
    accession_number: str | None
    modalities: tuple[str, ...]  # DICOM codes: CT, MR, DX, US …
    procedure_code: str | None  # the facility's or the national service code
    procedure_name: str | None
    body_site: str | None  # in words
    laterality: str | None  # in words
    started_at: datetime
    series_count: int | None
    instance_count: int | None
    referrer_name: str | None
    reader_name: str | None
    reader_certificate: str | None
    reported_at: datetime | None
    report: str | None  # what the reader saw
    conclusion: str | None
    dicomweb_url: str | None  # the endpoint's address as sent; served only where it is the facility's registered one
    note: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionArrival(_Clinical):
    """A disease or problem that a facility keeps apart from a visit's diagnoses. Source: FHIR R4 Condition."""

    coding: tuple[CodingArrival, ...]  # may be empty where there is a name
    name: str  # the text as sent, else a display, else the code
    state: ConditionState | None
    certainty: Certainty | None
    severity: str | None  # in words
    onset_at: datetime | None
    onset_precision: MomentPrecision | None
    onset_text: str | None  # an age or a range, in words
    abated_at: datetime | None
    recorded_at: datetime  # recordedDate, else the onset, else when the message was made
    recorder_name: str | None
    note: str | None
    recorded_is_told: bool = True  # else it is when the message was made, or received


@dataclass(frozen=True, slots=True, kw_only=True)
class AllergyArrival(_Clinical):
    """An allergy or intolerance, or the statement that none is known. Source: FHIR R4 AllergyIntolerance.

    `is_none_known` is a statement ("no known allergy", "no known drug allergy"; SNOMED CT 716186003, 409137002,
    429625007, 428607008; IPS `no-known-*`). "No information" (IPS `no-allergy-info`) states nothing: it is not filed.
    """

    is_none_known: bool
    coding: tuple[CodingArrival, ...]
    substance: str  # the text as sent, else a display, else the code
    kind: AllergyKind | None
    categories: tuple[AllergyCategory, ...]  # of a statement: which kind of allergy is not known, none for any
    criticality: Criticality | None
    state: AllergyState | None
    certainty: Certainty | None
    reactions: tuple[ReactionArrival, ...]
    onset_at: datetime | None
    onset_precision: MomentPrecision | None
    last_reacted_at: datetime | None
    recorded_at: datetime  # recordedDate, else the onset, else when the message was made
    recorder_name: str | None
    note: str | None
    recorded_is_told: bool = True  # else it is when the message was made, or received


ClinicalArrival = VaccinationArrival | ImagingArrival | ConditionArrival | AllergyArrival

KINDS: dict[type[ClinicalArrival], ClinicalKind] = {
    VaccinationArrival: ClinicalKind.VACCINATION,
    ImagingArrival: ClinicalKind.IMAGING,
    ConditionArrival: ClinicalKind.CONDITION,
    AllergyArrival: ClinicalKind.ALLERGY,
}


def standalone_key(*, kind: str, source_id: str) -> str:
    """Return what stands for a visit's id where a record names no visit, when its person is matched."""
    return f"{kind} {source_id}"
