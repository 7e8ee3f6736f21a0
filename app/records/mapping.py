"""Where the health book rests, for the compiler.

Every relation names the citizen itself: the policies are the second lock, not the index's guide.
"""

from datetime import date, datetime
from decimal import Decimal

import strawberry
from sqlalchemy import Date, and_, func

from app.compiler import declare as rests
from app.facilities.mapping import NAMED, Facility
from app.facilities.tables import FacilityRow
from app.identity.sealing import sealed_place
from app.records.documents import VitalSigns
from app.records.enums import DiagnosisRole, TestCategory, WithdrawnKind
from app.records.provenance import MOST_LINES, Provenance
from app.records.tables import (
    PrescriptionItemRow,
    PrescriptionRow,
    TestReportRow,
    TestResultRow,
    VisitDiagnosisRow,
    VisitInsuranceRow,
    VisitRow,
    VisitServiceRow,
    VitalSignsRow,
    WithdrawalRow,
)
from app.sharing.enums import SensitiveClass
from app.sharing.mapping import CLASSES, MASKED, tells_classes, tells_masked
from app.terminology.sql import label


@strawberry.type(description="A coded diagnosis of a visit.")
class Diagnosis:
    """A diagnosis."""

    role: DiagnosisRole = rests.column(VisitDiagnosisRow.role, description="Main, accompanying or traditional.")
    code: str = rests.column(VisitDiagnosisRow.code, description="ICD-10 code as sent.")
    name: str | None = rests.expression(
        lambda row, inputs: label("icd10", row.code, inputs.language),
        description="Name of the code in the viewer's language; null for a code that the list does not know.",
    )


@strawberry.type(description="What a visit cost, in Vietnamese dong.")
class Costs:
    """Costs of a visit. Source: Decision 4750/QD-BYT, XML1 T_*."""

    total: Decimal = rests.column(VisitRow.cost_total, description="Total at the facility's prices.")
    drugs: Decimal = rests.column(VisitRow.cost_drugs, description="Drugs.")
    supplies: Decimal = rests.column(VisitRow.cost_supplies, description="Medical supplies.")
    within_insurance: Decimal = rests.column(
        VisitRow.cost_within_insurance, description="Part within the scope of health insurance."
    )
    paid_by_fund: Decimal = rests.column(VisitRow.cost_paid_by_fund, description="Paid by the insurance fund.")
    copayment: Decimal = rests.column(VisitRow.cost_copayment, description="The patient's co-payment within scope.")
    self_paid: Decimal = rests.column(VisitRow.cost_self_paid, description="Paid by the patient outside the scope.")
    paid_by_others: Decimal = rests.column(VisitRow.cost_paid_by_others, description="Paid by other sources.")
    paid_at: datetime | None = rests.column(VisitRow.paid_at, description="When it was paid; null while unpaid.")


@strawberry.type(description="An insurance card as it was shown at a visit.")
class VisitInsurance:
    """A card."""

    card_number: str | None = rests.sealed(
        lambda row, _inputs: sealed_place("book.visit_insurance", "number_sealed", row.id, row.number_sealed),
        description="Card number; only its owner and their representative see it.",
    )
    registered_facility_code: str | None = rests.column(
        VisitInsuranceRow.registered_facility_code, description="Facility of first registration on the card."
    )
    valid_from: date | None = rests.column(VisitInsuranceRow.valid_from, description="First day of validity.")
    valid_until: date | None = rests.column(VisitInsuranceRow.valid_until, description="Last day of validity.")
    benefit_percent: Decimal | None = rests.column(
        VisitInsuranceRow.benefit_percent,
        description="Share of covered costs that insurance paid at this visit, in percent: the highest of its lines.",
    )


@strawberry.type(description="An insurance card, as it was last shown.")
class InsuranceCard:
    """A card, gathered over visits."""

    card_number: str | None = rests.sealed(
        lambda row, _inputs: sealed_place("book.visit_insurance", "number_sealed", row.id, row.number_sealed),
        description="Card number; only its owner and their representative see it.",
    )
    registered_facility_code: str | None = rests.column(
        "registered_facility_code", description="Facility of first registration on the card."
    )
    registered_facility: Facility | None = rests.one(
        FacilityRow,
        on=lambda card, f, _inputs: f.code == card.registered_facility_code,
        description="The same; null where it is not registered here.",
    )
    valid_from: date | None = rests.column("valid_from", description="First day of validity.")
    valid_until: date | None = rests.column("valid_until", description="Last day of validity.")
    benefit_level: str | None = rests.expression(
        lambda row, inputs: label("insurance-benefit", row.benefit_code, inputs.language),
        description="Level of benefit that the card itself tells (15 characters only), in words.",
    )
    benefit_percent: Decimal | None = rests.column(
        "benefit_percent",
        description="Share of covered costs that insurance paid at the last visit with this card, in percent "
        "(MUC_HUONG, the highest of its lines). The rest is the co-payment.",
    )
    exempt_from: date | None = rests.column("exempt_from", description="No co-payment from this day on.")
    five_years_on: date | None = rests.column("five_years_on", description="Five years of insurance without a gap.")
    last_shown_at: datetime = rests.column("last_shown_at", description="Last visit with this card.")


@strawberry.type(description="A record that its facility had sent in error and took back.")
class Withdrawal:
    """A withdrawal."""

    id: strawberry.ID = rests.column(WithdrawalRow.id, description="Opaque id.")
    kind: WithdrawnKind = rests.column(WithdrawalRow.kind, description="What was taken back.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda w, f, _inputs: f.code == w.facility_code, description="Who took it back."
    )
    visit_started_at: datetime = rests.column(WithdrawalRow.dated_at, description="When that visit had begun.")
    withdrawn_at: datetime = rests.column(WithdrawalRow.withdrawn_at, description="When it was taken back.")
    reason: str = rests.column(WithdrawalRow.reason, description="Why, in the facility's words.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.type(description="A service or supply of a visit.")
class VisitService:
    """A service line."""

    line: int = rests.column(VisitServiceRow.line, description="Place in the facility's list.")
    group_code: str = rests.column(VisitServiceRow.group_code, description="Cost group (MA_NHOM).")
    group_name: str | None = rests.expression(
        lambda row, inputs: label("cost-group", row.group_code, inputs.language), description="Name of the cost group."
    )
    code: str | None = rests.column(VisitServiceRow.code, description="Service or supply code as sent.")
    name: str = rests.column(VisitServiceRow.name, description="Name as sent.")
    unit: str = rests.column(VisitServiceRow.unit, description="Unit as sent.")
    quantity: Decimal = rests.column(VisitServiceRow.quantity, description="Quantity.")
    unit_price: Decimal = rests.column(VisitServiceRow.unit_price, description="Price of one unit, in dong.")
    amount: Decimal = rests.column(VisitServiceRow.amount, description="Amount at the facility's prices, in dong.")
    insured_amount: Decimal = rests.column(VisitServiceRow.insured_amount, description="Insured amount, in dong.")
    ordered_at: datetime = rests.column(VisitServiceRow.ordered_at, description="When it was ordered.")
    performed_at: datetime | None = rests.column(VisitServiceRow.performed_at, description="When it was performed.")


@strawberry.type(description="A visit to a facility, outpatient or inpatient.")
class Visit:
    """A visit."""

    id: strawberry.ID = rests.column(VisitRow.id, description="Opaque id.")
    facility: Facility = rests.one(
        FacilityRow,
        on=lambda v, f, _inputs: f.code == v.facility_code,
        naming=NAMED,
        description="Where it took place.",
    )
    kind_code: str = rests.column(VisitRow.kind_code, description="Form of care (MA_LOAI_KCB).")
    kind: str | None = rests.expression(
        lambda row, inputs: label("visit-kind", row.kind_code, inputs.language), description="Form of care in words."
    )
    started_at: datetime = rests.column(VisitRow.started_at, description="Arrival.")
    admitted_at: datetime | None = rests.column(VisitRow.admitted_at, description="Admission as inpatient.")
    ended_at: datetime | None = rests.column(VisitRow.ended_at, description="End of the visit or treatment.")
    reason: str | None = rests.column(VisitRow.reason, description="Reason for coming, as written.")
    arrival_diagnosis: str | None = rests.column(VisitRow.arrival_diagnosis, description="Diagnosis on arrival.")
    discharge_diagnosis: str | None = rests.column(
        VisitRow.discharge_diagnosis, description="Final diagnosis in words."
    )
    diagnoses: list[Diagnosis] = rests.many(
        VisitDiagnosisRow,
        on=lambda v, d, inputs: and_(d.citizen_id == inputs.citizen, d.visit_id == v.id),
        order=(rests.asc("line"),),
        limit=MOST_LINES,
        description="Coded diagnoses, the main one first.",
    )
    outcome: str | None = rests.expression(
        lambda row, inputs: label("visit-outcome", row.outcome_code, inputs.language, or_itself=True),
        description="Result of the treatment in words, or the code as sent.",
    )
    discharge: str | None = rests.expression(
        lambda row, inputs: label("discharge-kind", row.discharge_code, inputs.language, or_itself=True),
        description="How the visit ended, in words, or the code as sent.",
    )
    department_codes: list[str] = rests.column(VisitRow.department_codes, description="Departments (MA_KHOA).")
    treatment_days: int | None = rests.column(VisitRow.treatment_days, description="Days of treatment.")
    treatment: str | None = rests.column(VisitRow.treatment, description="Treatment method, as written.")
    advice: str | None = rests.column(VisitRow.advice, description="The doctor's advice.")
    weight_kg: Decimal | None = rests.column(VisitRow.weight_kg, description="Body weight in kilograms.")
    record_number: str | None = rests.column(VisitRow.record_number, description="The facility's record number.")
    costs: Costs = rests.embedded(
        description="What the visit cost; all 0 and not paid where the facility did not tell (FHIR)."
    )
    services: list[VisitService] = rests.many(
        VisitServiceRow,
        on=lambda v, s, inputs: and_(s.citizen_id == inputs.citizen, s.visit_id == v.id),
        order=(rests.asc("line"),),
        limit=MOST_LINES,
        description="Services and supplies in the facility's order.",
    )
    insurance_category: str | None = rests.expression(
        lambda row, inputs: label("insurance-category", row.insurance_category_code, inputs.language, or_itself=True),
        description="Category of entitlement at this visit, in words, or the code as sent.",
    )
    insurance: list[VisitInsurance] = rests.many(
        VisitInsuranceRow,
        on=lambda v, i, inputs: and_(i.citizen_id == inputs.citizen, i.visit_id == v.id),
        order=(rests.asc("line"),),
        limit=MOST_LINES,
        description="Insurance cards shown at this visit.",
    )
    revisit_on: list[date] = rests.column(VisitRow.revisit_on, description="Days on which to come again.")
    referred_from_code: str | None = rests.column(
        VisitRow.referred_from_code, description="Facility that referred the patient here, as sent."
    )
    referred_to_code: str | None = rests.column(
        VisitRow.referred_to_code, description="Facility that the patient is referred to, as sent."
    )
    vital_signs: list[VitalSigns] = rests.many(
        VitalSignsRow,
        on=lambda v, s, inputs: and_(s.citizen_id == inputs.citizen, s.visit_id == v.id),
        order=(rests.asc("measured_at"), rests.asc("line")),
        limit=MOST_LINES,
        description="Vital signs that the notes of this visit tell, the oldest first; at most 500.",
    )
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.type(description="A drug of a prescription.")
class PrescriptionItem:
    """A drug."""

    line: int = rests.column(PrescriptionItemRow.line, description="Place in the prescription.")
    drug_code: str = rests.column(
        PrescriptionItemRow.drug_code, description="Substance code of the common list, or the code as sent."
    )
    drug_name: str = rests.column(PrescriptionItemRow.drug_name, description="Name as registered.")
    strength: str | None = rests.column(PrescriptionItemRow.strength, description="Strength, for example 500 mg.")
    form: str | None = rests.column(PrescriptionItemRow.form, description="Dosage form.")
    route: str | None = rests.expression(
        lambda row, inputs: label("route", row.route_code, inputs.language, or_itself=True),
        description="Route of use in words, or the code as sent.",
    )
    quantity: Decimal = rests.column(PrescriptionItemRow.quantity, description="Quantity; 0 where it was not told.")
    unit: str = rests.column(PrescriptionItemRow.unit, description="Unit of the quantity; empty where it was not told.")
    dose: str | None = rests.column(PrescriptionItemRow.dose, description="Dose, as written.")
    instruction: str | None = rests.column(PrescriptionItemRow.instruction, description="How to take it, as written.")
    registration_number: str | None = rests.column(
        PrescriptionItemRow.registration_number, description="Marketing registration number."
    )


@strawberry.type(description="The drugs that one clinician ordered on one day of a visit.")
class Prescription:
    """A prescription."""

    id: strawberry.ID = rests.column(PrescriptionRow.id, description="Opaque id.")
    visit_id: strawberry.ID = rests.column(PrescriptionRow.visit_id, description="The visit it belongs to.")
    facility: Facility = rests.one(
        FacilityRow,
        on=lambda p, f, _inputs: f.code == p.facility_code,
        naming=NAMED,
        description="Where it was ordered.",
    )
    ordered_at: datetime = rests.column(PrescriptionRow.ordered_at, description="When it was ordered.")
    prescriber_certificate: str | None = rests.column(
        PrescriptionRow.prescriber_certificate, description="Practising certificate of the prescriber."
    )
    runs_until: date | None = rests.expression(
        lambda p, inputs: func.book.runs_until(inputs.citizen, p.id, p.ordered_at, type_=Date()),
        description="The last day for which its drugs were given, by the days that doses and instructions name; null "
        "where they name none.",
    )
    code: str | None = rests.column(
        PrescriptionRow.code,
        description="Code of the national prescription system: a pharmacy finds the prescription by it. Null where the "
        "facility did not tell it.",
    )
    items: list[PrescriptionItem] = rests.many(
        PrescriptionItemRow,
        on=lambda p, i, inputs: and_(i.citizen_id == inputs.citizen, i.prescription_id == p.id),
        order=(rests.asc("line"),),
        limit=MOST_LINES,
        description="Drugs in the order of the prescription.",
    )
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.type(description="One measured or described index of a test report.")
class TestResult:
    """A result."""

    line: int = rests.column(TestResultRow.line, description="Place in the report.")
    code: str | None = rests.column(TestResultRow.code, description="Index code as sent (MA_CHI_SO).")
    name: str = rests.column(TestResultRow.name, description="Name as sent.")
    value_text: str | None = rests.column(TestResultRow.value_text, description="Value as sent.")
    value: Decimal | None = rests.column(
        TestResultRow.value, description="The value as a number; null where it is not a plain number."
    )
    unit: str | None = rests.column(TestResultRow.unit, description="Unit as sent.")
    reference_range: str | None = rests.column(
        TestResultRow.reference_range, description="Reference range of the laboratory, as sent."
    )
    interpretation: str | None = rests.column(
        TestResultRow.interpretation,
        description="The laboratory's flag, as sent, for example H, L or POS; null where it sent none.",
    )


@strawberry.type(description="The results of one service at one moment.")
class TestReport:
    """A report."""

    id: strawberry.ID = rests.column(TestReportRow.id, description="Opaque id.")
    visit_id: strawberry.ID = rests.column(TestReportRow.visit_id, description="The visit it belongs to.")
    facility: Facility = rests.one(
        FacilityRow,
        on=lambda r, f, _inputs: f.code == r.facility_code,
        naming=NAMED,
        description="Where it was made.",
    )
    category: TestCategory = rests.column(TestReportRow.category, description="Laboratory, imaging or functional test.")
    service_code: str | None = rests.column(TestReportRow.service_code, description="Service code as sent.")
    service_name: str | None = rests.column(TestReportRow.service_name, description="Service name as sent.")
    resulted_at: datetime = rests.column(TestReportRow.resulted_at, description="When the result was given.")
    sampled_at: datetime | None = rests.column(
        TestReportRow.sampled_at,
        description="When the sample was taken, or the images made; null where it is not told.",
    )
    description: str | None = rests.column(TestReportRow.description, description="What the reader saw, as written.")
    conclusion: str | None = rests.column(TestReportRow.conclusion, description="The reader's conclusion.")
    results: list[TestResult] = rests.many(
        TestResultRow,
        on=lambda r, i, inputs: and_(i.citizen_id == inputs.citizen, i.report_id == r.id),
        order=(rests.asc("line"),),
        limit=MOST_LINES,
        description="Results in the report's order.",
    )
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)
