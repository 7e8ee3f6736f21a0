"""A believable year of care for each citizen, up to the day before `today`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from app.demo.catalogue import (
    BED_GROUP,
    LABORATORY_GROUP,
    SUPPLY_GROUP,
    DrugOrder,
    Episode,
    Service,
    drugs,
    report_texts,
    services,
)
from app.demo.drawing import Draws, draw
from app.demo.laboratory import Condition, Patient, measures
from app.demo.papers import referral_facility
from app.demo.people import DEFAULT_SEED, Citizen, Facility, Practitioner, practitioners
from app.demo.plan import YEAR_DAYS, PlannedVisit, year_plan
from app.demo.visits import VIETNAM, DemoVisit, DrugLine, ServiceLine

_TAKE_HOME = "Mang về: "
_SUNDAY = 6
_LEAST_DAYS_OF_LIFE = 8
_HEALTH_CHECK_KIND = "15"
_HEALTH_CHECK_SINCE = date(2026, 8, 1)  # Decision 1804/QĐ-BYT
_STATION_DEPARTMENT = "K01"
_STATION_EXAM = "exam_station"
_REFERRED = frozenset({"dry_eye", "breast", "cataract", "spine"})
"""Episodes after which the patient goes on to another hospital."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stay:
    """The clock of one visit."""

    arrived_at: datetime
    admitted_at: datetime | None
    closed_at: datetime


def year_of_care(citizen: Citizen, *, today: date, seed: int = DEFAULT_SEED) -> tuple[DemoVisit, ...]:
    """Return the citizen's visits of the last year, oldest first, all ended before `today`."""
    plan = year_plan(citizen, age=citizen.age_on(today), seed=seed)
    patient = Patient(citizen=citizen, seed=seed, age=citizen.age_on(today), drift=plan.drift)
    done: list[DemoVisit] = []
    for planned in plan.visits:
        visit = _visit(planned, patient, today)
        is_born = visit.arrived_at.date() >= citizen.birth_on + timedelta(days=_LEAST_DAYS_OF_LIFE)
        if is_born and visit.closed_at.date() < today:
            done.append(visit)
    return tuple(done)


def _visit(planned: PlannedVisit, patient: Patient, today: date) -> DemoVisit:
    citizen, episode, facility = patient.citizen, planned.episode, planned.facility
    rng = draw(patient.seed, citizen.number, f"visit/{planned.number}")
    stay = _stay(rng, episode, today - timedelta(days=planned.days_ago))
    condition = Condition(
        findings=episode.findings, recovery=0, progress=1 - min(planned.days_ago, YEAR_DAYS) / YEAR_DAYS
    )
    orders = tuple(_drug_line(order, episode, stay) for order in episode.drugs)
    is_station = facility.level == "PRIMARY"
    insurance = None if episode.kind == _HEALTH_CHECK_KIND else citizen.insurance
    is_home = facility.code == citizen.home_facility_code
    return DemoVisit(
        number=planned.number,
        citizen=citizen,
        facility=facility,
        doctor=_doctor(facility, episode.department),
        reader=next(one for one in practitioners() if one.facility_code == facility.code and one.reads_results),
        kind=_kind(episode, stay.arrived_at.date()),
        department=_STATION_DEPARTMENT if is_station else episode.department,
        category=_category(episode, insured=insurance is not None, is_station=is_station, is_home=is_home),
        referred_to=referral_facility(facility.code) if episode.key in _REFERRED else None,
        referred_from=None if is_home or insurance is None or episode.is_emergency else insurance.facility_code,
        arrived_at=stay.arrived_at,
        admitted_at=stay.admitted_at,
        closed_at=stay.closed_at,
        medicine_days=max((_days(order) for order in episode.drugs), default=0),
        nights=episode.nights,
        reason=episode.reason,
        arrival_diagnosis=episode.arrival,
        discharge_diagnosis=episode.discharge,
        main_code=episode.main,
        other_codes=episode.others,
        outcome=episode.outcome,
        treatment=episode.treatment,
        advice=episode.advice,
        weight_kg=_weight(rng, patient),
        revisit_on=stay.closed_at.date() + timedelta(days=episode.revisit_days) if episode.revisit_days else None,
        benefit_percent=insurance.benefit_percent if insurance else 0,
        drugs=orders,
        services=tuple(_service_lines(rng, planned, patient, condition, stay)),
    )


def _stay(rng: Draws, episode: Episode, day: date) -> _Stay:
    if not episode.is_emergency and day.weekday() == _SUNDAY:
        day -= timedelta(days=1)
    hour = rng.randint(0, 23) if episode.is_emergency else rng.randint(7, 14)
    arrived_at = datetime.combine(day, time(hour, rng.randint(0, 59)), tzinfo=VIETNAM)
    is_inside = episode.nights > 0 or episode.kind in {"03", "09"}
    admitted_at = arrived_at + timedelta(minutes=rng.randint(40, 110)) if is_inside else None
    if episode.nights:
        closing = time(rng.randint(9, 11), rng.randint(0, 59))
        closed_at = datetime.combine(day + timedelta(days=episode.nights), closing, tzinfo=VIETNAM)
        if closed_at <= arrived_at:
            closed_at += timedelta(days=1)
    else:
        closed_at = arrived_at + timedelta(minutes=rng.randint(170, 225))
    return _Stay(arrived_at=arrived_at, admitted_at=admitted_at, closed_at=closed_at)


def _kind(episode: Episode, day: date) -> str:
    return "01" if episode.kind == _HEALTH_CHECK_KIND and day < _HEALTH_CHECK_SINCE else episode.kind


def _category(episode: Episode, *, insured: bool, is_station: bool, is_home: bool) -> str:
    """Return MA_DOITUONG_KCB. Source: Decision 3276/QĐ-BYT."""
    if not insured:
        return "9"
    if episode.is_emergency:
        return "2"
    if is_station:
        return "1.2"
    return "1.1" if is_home else "1.3"


def _doctor(facility: Facility, department: str) -> Practitioner:
    treating = [one for one in practitioners() if one.facility_code == facility.code and not one.reads_results]
    return next((one for one in treating if one.department_code == department), treating[0])


def _drug_line(order: DrugOrder, episode: Episode, stay: _Stay) -> DrugLine:
    drug = drugs()[order.drug]
    is_take_home = bool(episode.nights) and order.how.startswith(_TAKE_HOME)
    if "=" in order.dose:
        quantity_text, _, dose = order.dose.partition("=")
        quantity = int(quantity_text)
    else:
        each, times, days = (int(part) for part in order.dose.split("x"))
        quantity, unit = each * times * days, drug.unit.lower()
        dose = f"{each} {unit}/lần * {times} lần/ngày * {days} ngày [{each * times} {unit}/ngày]"
    start = stay.admitted_at or stay.arrived_at + timedelta(minutes=130)
    return DrugLine(
        drug=drug,
        quantity=quantity,
        dose=dose,
        how=order.how.removeprefix(_TAKE_HOME).capitalize() if is_take_home else order.how,
        ordered_at=stay.closed_at - timedelta(minutes=30) if is_take_home else start + timedelta(minutes=15),
    )


def _days(order: DrugOrder) -> int:
    return int(order.dose.rpartition("x")[2]) if "=" not in order.dose else 0


def _service_lines(
    rng: Draws, planned: PlannedVisit, patient: Patient, condition: Condition, stay: _Stay
) -> Iterator[ServiceLine]:
    is_station = planned.facility.level == "PRIMARY"
    exam = services()[_STATION_EXAM if is_station else planned.episode.exam]
    at = stay.arrived_at + timedelta(minutes=10)
    yield ServiceLine(service=exam, quantity=1, ordered_at=at, performed_at=at, resulted_at=None)
    for wish in planned.episode.services:
        named, _, times = wish.partition("*")
        key, _, finding = named.partition(":")
        service, count = services()[key], int(times or 1)
        if service.group != LABORATORY_GROUP:
            yield _single(rng, service, finding, count, stay)
            continue
        for turn in range(count):
            bent = Condition(findings=condition.findings, recovery=turn / count, progress=condition.progress)
            yield _tested(rng, service, planned, patient, bent, stay, turn * planned.episode.nights // count)


def _single(rng: Draws, service: Service, finding: str, count: int, stay: _Stay) -> ServiceLine:
    ordered_at = stay.arrived_at + timedelta(minutes=20)
    texts = report_texts()[service.key][finding] if finding else None
    is_stored = service.group in {BED_GROUP, SUPPLY_GROUP}
    performed_at = ordered_at if is_stored else ordered_at + timedelta(minutes=rng.randint(15, 45))
    return ServiceLine(
        service=service,
        quantity=count,
        ordered_at=ordered_at,
        performed_at=performed_at,
        resulted_at=performed_at + timedelta(minutes=rng.randint(15, 40)) if texts else None,
        description=texts[0] if texts else None,
        conclusion=texts[1] if texts else None,
    )


def _tested(  # noqa: PLR0917 — one argument per thing that a result depends on
    rng: Draws,
    service: Service,
    planned: PlannedVisit,
    patient: Patient,
    condition: Condition,
    stay: _Stay,
    day: int,
) -> ServiceLine:
    ordered_at = stay.arrived_at + timedelta(minutes=20)
    if day:
        morning = datetime.combine(stay.arrived_at.date() + timedelta(days=day), time(6, 30), tzinfo=VIETNAM)
        ordered_at = max(ordered_at, morning)
    performed_at = ordered_at + timedelta(minutes=rng.randint(8, 20))
    found = measures(service, patient=patient, facility=planned.facility, condition=condition, rng=rng)
    return ServiceLine(
        service=service,
        quantity=1,
        ordered_at=ordered_at,
        performed_at=performed_at,
        resulted_at=performed_at + timedelta(minutes=rng.randint(45, 95)),
        measures=found,
    )


def _weight(rng: Draws, patient: Patient) -> str:
    own = draw(patient.seed, patient.citizen.number, "weight")
    if patient.age >= 16:  # noqa: PLR2004 — grown up
        kilograms = own.gauss(62, 7) if patient.citizen.sex == "MALE" else own.gauss(53, 6)
    else:
        kilograms = 4.5 + 2.6 * patient.age + own.uniform(-0.8, 1.2)
    return f"{kilograms + rng.uniform(-0.6, 0.6):.2f}"
