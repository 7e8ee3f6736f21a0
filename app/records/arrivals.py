"""What arrives for a health book, whatever language the hospital spoke.

Pure words: a translator (`ingestion.qd4750`, `ingestion.fhir`) makes arrivals, `records.filing` files them.
Texts are NFC and stripped; codes are texts with their leading zeros; moments are aware and in UTC;
amounts are Vietnamese đồng; quantities and measured values are Decimal, beside the unit as it was sent.
A table that the sender did not send is None and leaves earlier records alone; an empty tuple removes them.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from app.records.papers import PapersArrival


class Sex(StrEnum):
    """Sex as registered. Source: Decision 4750/QD-BYT, XML1 GIOI_TINH (1, 2, 3)."""

    MALE = "MALE"
    FEMALE = "FEMALE"
    UNDETERMINED = "UNDETERMINED"


class IdentifierKind(StrEnum):
    """What a document number is. Source: Decree 137/2015 Art. 13; gateway check of SO_CCCD."""

    PERSONAL_ID = "PERSONAL_ID"  # 12 digits
    OLD_ID = "OLD_ID"  # 9 digits
    PASSPORT = "PASSPORT"  # one capital letter and 7 digits
    OTHER = "OTHER"  # an account code of electronic identity, or anything else


class BirthPrecision(StrEnum):
    """How much of a birth moment is known."""

    YEAR = "YEAR"
    DAY = "DAY"
    MINUTE = "MINUTE"


class DiagnosisRole(StrEnum):
    """The place of a diagnosis in a visit."""

    MAIN = "MAIN"
    ACCOMPANYING = "ACCOMPANYING"
    TRADITIONAL = "TRADITIONAL"


class TestCategory(StrEnum):
    """Kind of paraclinical service. Source: Decision 4750, MA_NHOM 1, 2, 3."""

    LABORATORY = "LABORATORY"
    IMAGING = "IMAGING"
    FUNCTIONAL = "FUNCTIONAL"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceCardArrival:
    """One health-insurance card as shown at the visit."""

    number: str  # 15 characters (long form) or 10 digits (new form); sealed at rest
    registered_facility_code: str | None  # MA_DKBD
    valid_from: date | None
    valid_until: date | None  # last day on which it is valid
    benefit_code: str | None = None  # the third character of the long form, 1 to 5
    exempt_from: date | None = None  # NGAY_MIEN_CCT: no co-payment from this day on
    five_years_on: date | None = None  # NAM_NAM_LIEN_TUC


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonArrival:
    """Whom a message is about, as the hospital wrote it."""

    full_name: str
    birth_on: date  # 1 January where only the year is known
    birth_precision: BirthPrecision
    sex: Sex
    identifier: str | None  # SO_CCCD as sent, without spaces; sealed at rest
    identifier_kind: IdentifierKind | None
    patient_number: str  # MA_BN: the facility's own number of the person
    insurance_cards: tuple[InsuranceCardArrival, ...]
    phone: str | None  # sealed at rest
    address: str | None  # sealed at rest
    ethnic_code: str | None
    nationality_code: str | None
    occupation_code: str | None
    blood_group: str | None
    born_at: datetime | None = None  # only where the minute is known


@dataclass(frozen=True, slots=True, kw_only=True)
class DiagnosisArrival:
    """One coded diagnosis of a visit."""

    role: DiagnosisRole
    code: str  # ICD-10, or a traditional-medicine code


@dataclass(frozen=True, slots=True, kw_only=True)
class CostsArrival:
    """What a visit cost, in đồng. Source: Decision 4750 XML1 T_*."""

    total: Decimal  # T_TONGCHI_BV
    drugs: Decimal  # T_THUOC
    supplies: Decimal  # T_VTYT
    within_insurance: Decimal  # T_TONGCHI_BH
    paid_by_fund: Decimal  # T_BHTT
    copayment: Decimal  # T_BNCCT
    self_paid: Decimal  # T_BNTT
    paid_by_others: Decimal  # T_NGUONKHAC
    paid_at: datetime | None  # NGAY_TTOAN


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceArrival:
    """One service or supply of a visit (XML3)."""

    line: int
    group_code: str  # MA_NHOM
    code: str | None  # MA_DICH_VU or MA_VAT_TU
    name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal  # THANH_TIEN_BV
    insured_amount: Decimal  # THANH_TIEN_BH
    benefit_percent: Decimal | None  # MUC_HUONG
    ordered_at: datetime
    performed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriptionItemArrival:
    """One drug of a prescription (XML2)."""

    line: int
    drug_code: str  # MA_THUOC, substance code of the common list
    drug_name: str
    strength: str | None
    form: str | None
    route_code: str | None
    quantity: Decimal
    unit: str
    dose: str | None
    instruction: str | None
    registration_number: str | None
    amount: Decimal
    benefit_percent: Decimal | None  # MUC_HUONG


@dataclass(frozen=True, slots=True, kw_only=True)
class PrescriptionArrival:
    """The drugs that one clinician ordered on one day of a visit."""

    key: str  # stable within the visit, so that a resend meets the same record
    ordered_at: datetime
    prescriber_certificate: str | None  # MA_BAC_SI
    code: str | None = None  # of the national prescription system
    items: tuple[PrescriptionItemArrival, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResultArrival:
    """One index of a report (XML4)."""

    line: int
    code: str | None  # MA_CHI_SO
    name: str
    value_text: str | None  # as sent
    value: Decimal | None  # only where the text is a plain number
    unit: str | None
    reference_range: str | None = None  # as written, for this person
    interpretation: str | None = None  # as the laboratory flags it: H, L, A …


@dataclass(frozen=True, slots=True, kw_only=True)
class TestReportArrival:
    """The results of one service at one moment."""

    key: str  # stable within the visit
    category: TestCategory
    service_code: str | None
    service_name: str | None
    resulted_at: datetime
    sampled_at: datetime | None = None  # when the specimen was taken, or the images made
    reader_certificate: str | None
    description: str | None
    conclusion: str | None
    results: tuple[TestResultArrival, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthArrival:
    """One child of a birth certificate (XML9): it links a newborn without a number to the mother."""

    certificate: str  # the certificate's own number, or its place in the message
    child_name: str | None
    sex: Sex
    born_at: datetime
    temporary_card: str | None  # MA_THE_TAM; sealed at rest
    mother_identifier: str | None  # SO_CCCD_NND; None where it is the visit's own person
    mother_identifier_kind: IdentifierKind | None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitArrival:
    """One visit with everything that the message says about it."""

    source_id: str  # MA_LK: the visit's id at the facility
    facility_code: str
    standard_version: str  # "4750/QD-BYT"
    person: PersonArrival
    kind_code: str  # MA_LOAI_KCB
    started_at: datetime
    admitted_at: datetime | None
    ended_at: datetime | None
    reason: str | None
    arrival_diagnosis: str | None
    discharge_diagnosis: str | None
    outcome_code: str | None  # KET_QUA_DTRI
    discharge_code: str | None  # MA_LOAI_RV
    department_codes: tuple[str, ...]
    treatment_days: int | None
    treatment: str | None
    advice: str | None
    weight_kg: Decimal | None
    record_number: str | None  # MA_HSBA
    insurance_category_code: str | None  # MA_DOITUONG_KCB
    revisit_on: tuple[date, ...]  # NGAY_TAI_KHAM
    referred_from_code: str | None  # MA_NOI_DI
    referred_to_code: str | None  # MA_NOI_DEN
    diagnoses: tuple[DiagnosisArrival, ...]
    costs: CostsArrival
    services: tuple[ServiceArrival, ...] | None
    prescriptions: tuple[PrescriptionArrival, ...] | None
    reports: tuple[TestReportArrival, ...] | None
    papers: tuple[PapersArrival, ...]  # one entry for each kind that was sent
    births: tuple[BirthArrival, ...]
    kind_is_derived: bool = False  # from words of another standard: what is told of the same visit in MA_LOAI_KCB stays
