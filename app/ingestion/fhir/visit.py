"""Encounter with its Conditions: the visit itself."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from app.ingestion.fhir.bundle import Bundle, Outside
from app.ingestion.fhir.nodes import MOST_INTEGER, Node, codings, words_of
from app.ingestion.fhir.systems import FORMS, Number, code_in, first_number, identifiers, is_icd_10, last_part
from app.ingestion.fhir.words import FhirCode
from app.ingestion.qd4750.values import DISEASE, VISIT_KIND
from app.ingestion.verdict import Effect
from app.records.arrivals import CostsArrival, DiagnosisArrival, DiagnosisRole, PersonArrival, VisitArrival
from app.records.clinical import CodingArrival

STANDARD_VERSION: Final = "FHIR 4.0.1"
LONGEST_VISIT_ID: Final = 100
OTHER_KIND: Final = "10"
"""MA_LOAI_KCB of a visit of which nothing is known but its day: other."""

_NOTHING: Final = Decimal(0)
_DAYS: Final = frozenset({"d", "day", "days", "ngày"})
NO_COSTS: Final = CostsArrival(
    total=_NOTHING,
    drugs=_NOTHING,
    supplies=_NOTHING,
    within_insurance=_NOTHING,
    paid_by_fund=_NOTHING,
    copayment=_NOTHING,
    self_paid=_NOTHING,
    paid_by_others=_NOTHING,
    paid_at=None,
)
_KIND_OF_CLASS: Final = {
    "AMB": "01",
    "EMER": "01",
    "FLD": "11",
    "HH": "12",
    "IMP": "03",
    "ACUTE": "03",
    "NONAC": "03",
    "OBSENC": "03",
    "PRENC": "03",
    "SS": "09",
    "VR": "14",
}
_DISCHARGES: Final = {"home": "1", "hosp": "2", "other-hcf": "2", "aadvice": "4"}
_DIED: Final = ("exp", "5")
ARRIVAL_USES: Final = frozenset({"AD", "CC"})
_INPATIENT: Final = frozenset({"IMP", "ACUTE", "NONAC"})
_TRADITIONAL: Final = frozenset({"yhct", "ma-benh-yhct", "icd-10-yhct"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A condition that a visit names as its diagnosis."""

    condition: Node
    use: str | None
    rank: int


def source_id(encounter: Node, *, fallback: str | None) -> str | None:
    """Return the visit's id at the facility: MA_LK, else any business identifier, else the resource's own id."""
    told = identifiers(encounter)
    found = (
        next((value for number, value, _ in told if number is Number.VISIT), None)
        or next((value for number, value, _ in told if number is None), None)
        or encounter.code("id")
        or fallback
    )
    return found[:LONGEST_VISIT_ID] if found else None


def facility_of(bundle: Bundle, encounter: Node) -> str | None:
    """Return the facility that an Encounter says it took place in, where it has a national code."""
    provider = bundle.follow(encounter, "serviceProvider", kinds=("Organization",))
    return first_number(provider, Number.FACILITY) if isinstance(provider, Node) else _outside_facility(provider)


def _outside_facility(provider: Outside | None) -> str | None:
    for name in provider.names if provider else ():
        system, _, value = name.rpartition("|")
        if last_part(system) in ("cskcb", "ma-cskcb", "facility") and FORMS[Number.FACILITY][0].fullmatch(value):
            return value
    return None


def named_conditions(bundle: Bundle, encounter: Node) -> list[Named]:
    """Return the conditions that an Encounter names, the main one first."""
    found = []
    for position, diagnosis in enumerate(encounter.nodes("diagnosis"), start=1):
        condition = bundle.follow(diagnosis, "condition", kinds=("Condition", "Procedure"), of=encounter)
        if isinstance(condition, Node) and condition.kind == "Condition":
            if is_refuted(condition):  # it stands by itself, as what it is not
                continue
            use = next((one.code for one in codings(diagnosis.node("use"))), None)
            found.append(Named(condition=condition, use=use, rank=diagnosis.whole("rank") or 1_000 + position))
        elif (reference := diagnosis.node("condition")) is not None and reference.has("display"):
            reference.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "display")
    return sorted(found, key=lambda named: named.rank)


def visit(
    encounter: Node,
    *,
    bundle: Bundle,
    source: str,
    person: PersonArrival,
    started_at: datetime,
    conditions: list[Named],
    weight_kg: Decimal | None,
) -> VisitArrival:
    """Read a visit; what FHIR has no words for (costs, advice …) is left as it is not told."""
    period = encounter.node("period")
    ended = period.moment("end") if period else None
    stay = encounter.node("hospitalization")
    discharge, outcome = _discharge(stay)
    codes = [coding for concept in encounter.nodes("type") for coding in codings(concept)]
    is_derived = code_in(codes, "ma-loai-kcb") is None
    if is_derived and encounter.has("type"):
        encounter.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "type")
    arrival = [named for named in conditions if named.use in ARRIVAL_USES]
    final = [named for named in conditions if named.use not in ARRIVAL_USES]
    return VisitArrival(
        source_id=source,
        facility_code=facility_of(bundle, encounter) or "",
        standard_version=STANDARD_VERSION,
        person=person,
        kind_code=_kind(encounter, codes),
        started_at=started_at,
        admitted_at=_admitted_at(encounter),
        ended_at=ended.at if ended else None,
        reason="; ".join(text for one in encounter.nodes("reasonCode") if (text := words_of(one))) or None,
        arrival_diagnosis=_told(arrival),
        discharge_diagnosis=_told([*final[:1], *(one for one in final[1:] if not is_coded(one.condition))]),
        outcome_code=outcome,
        discharge_code=discharge,
        department_codes=tuple(one.code for one in codings(encounter.node("serviceType"))),
        treatment_days=_days(encounter),
        treatment=None,
        advice=None,
        weight_kg=weight_kg,
        record_number=first_number(encounter, Number.RECORD),
        insurance_category_code=code_in(codes, "ma-doituong-kcb"),
        revisit_on=(),
        referred_from_code=_place(bundle, stay, "origin", of=encounter),
        referred_to_code=_place(bundle, stay, "destination", of=encounter),
        diagnoses=_diagnoses(final),
        costs=NO_COSTS,
        services=None,
        prescriptions=None,
        reports=None,
        papers=(),
        births=(),
        kind_is_derived=is_derived,
    )


def is_refuted(condition: Node) -> bool:
    """Tell whether a condition is said not to be there."""
    return any(one.code == "refuted" for one in codings(condition.node("verificationStatus")))


def is_coded(condition: Node) -> bool:
    """Tell whether a condition has a code that can stand as a visit's diagnosis."""
    return disease_code(codings(condition.node("code"))) is not None


def disease_code(coding: tuple[CodingArrival, ...]) -> str | None:
    """Return the ICD-10 code of a condition as it was sent."""
    return next((one.code for one in coding if is_icd_10(one.system) and DISEASE.fullmatch(one.code)), None)


def _diagnoses(final: list[Named]) -> tuple[DiagnosisArrival, ...]:
    found: dict[str, DiagnosisArrival] = {}
    for named in final:
        coding = codings(named.condition.node("code"))
        traditional = code_in(coding, *_TRADITIONAL)
        code = disease_code(coding) or traditional
        if code is None or code in found:
            continue
        has_main = any(one.role is DiagnosisRole.MAIN for one in found.values())
        role = DiagnosisRole.ACCOMPANYING if has_main else DiagnosisRole.MAIN
        found[code] = DiagnosisArrival(role=DiagnosisRole.TRADITIONAL if code == traditional else role, code=code)
    return tuple(found.values())


def _told(named: list[Named]) -> str | None:
    texts = (words_of(one.condition.node("code")) for one in named)
    return "; ".join(dict.fromkeys(text for text in texts if text)) or None


def _kind(encounter: Node, codes: list[CodingArrival]) -> str:
    national = code_in(codes, "ma-loai-kcb")
    if national is not None and VISIT_KIND.fullmatch(national):
        return national
    form = encounter.node("class")
    return _KIND_OF_CLASS.get((form.code("code") or "").upper() if form else "", OTHER_KIND)


def _admitted_at(encounter: Node) -> datetime | None:
    for history in encounter.nodes("classHistory"):
        form, period = history.node("class"), history.node("period")
        if form and period and (form.code("code") or "").upper() in _INPATIENT:
            start = period.moment("start")
            return start.at if start else None
    return None


def _days(encounter: Node) -> int | None:
    """Return how many days a visit took, where that is told in whole days."""
    length = encounter.node("length")
    value = length.number("value", most=MOST_INTEGER) if length else None
    if length is None or value is None:
        return None
    unit = length.code("code") or length.text("unit") or "d"
    if unit.lower() in _DAYS and value >= 0 and value == value.to_integral_value():
        return int(value)
    encounter.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "length")
    return None


def _discharge(stay: Node | None) -> tuple[str | None, str | None]:
    told = stay.node("dischargeDisposition") if stay else None
    coding = codings(told)
    discharge, outcome = code_in(coding, "ma-loai-rv"), code_in(coding, "ket-qua-dtri")
    for one in coding:
        discharge = discharge or _DISCHARGES.get(one.code)
        outcome = outcome or (_DIED[1] if one.code == _DIED[0] else None)
    if stay is not None and told is not None and discharge is None and outcome is None:
        stay.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "dischargeDisposition")
    return discharge, outcome


def _place(bundle: Bundle, stay: Node | None, name: str, *, of: Node) -> str | None:
    if stay is None:
        return None
    found = bundle.follow(stay, name, kinds=("Organization", "Location"), of=of)
    return first_number(found, Number.FACILITY) if isinstance(found, Node) else _outside_facility(found)


def started_at(encounter: Node) -> datetime | None:
    """Return when a visit began, and reject it where nothing tells."""
    period = encounter.node("period")
    start = period.moment("start") if period else None
    if start is not None:
        return start.at
    for history in encounter.nodes("statusHistory"):
        told = history.node("period")
        if told is not None and (start := told.moment("start")) is not None:
            return start.at
    encounter.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "period.start")
    return None
