"""The envelope GIAMDINHHS, as the three hospitals send it.

Source: letter 1245/BHXH-CNTT; Decision 4750/QĐ-BYT.
"""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import cycle, islice

from app.demo.care import year_of_care
from app.demo.catalogue import LABORATORY_GROUP, REPORTED_GROUPS, Service, drugs, services
from app.demo.drawing import draw
from app.demo.laboratory import Condition, Patient, measures
from app.demo.people import DEFAULT_SEED, FACILITIES, Citizen, Facility, citizen, facility_of, practitioners
from app.demo.visits import VIETNAM, DemoVisit, DrugLine, Measure, ServiceLine
from app.demo.writing import tables

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_BATCH_PERCENT = 4
_BATCH_SIZES = (2, 3)
_FIRST_NUMBER_BY_HAND = 500
_BLOOD_COUNT = "cbc"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoMessage:
    """One message to be pushed by one facility."""

    facility_code: str
    body: bytes
    visit_ids: tuple[str, ...]  # MA_LK of each HOSO


def year_messages(people: Iterable[Citizen], *, today: date, seed: int = DEFAULT_SEED) -> tuple[DemoMessage, ...]:
    """Return a year of messages about these people, in the order in which the visits ended.

    Most messages hold one visit, some two or three of different people. Same arguments, same bytes.
    """
    visits = [visit for person in people for visit in year_of_care(person, today=today, seed=seed)]
    visits.sort(key=lambda visit: (visit.closed_at, visit.id))
    messages: list[tuple[datetime, DemoMessage]] = []
    for facility in FACILITIES:
        mine = [visit for visit in visits if visit.facility == facility]
        messages.extend((batch[-1].closed_at, message(batch)) for batch in _batches(mine, seed))
    messages.sort(key=lambda timed: (timed[0], timed[1].visit_ids))
    return tuple(sent for _, sent in messages)


def message(visits: Sequence[DemoVisit]) -> DemoMessage:
    """Write visits of one facility into one message, in their order."""
    facility = visits[0].facility
    issued_on = max(visit.closed_at for visit in visits)
    records = "".join(f"<HOSO>{_files(visit)}</HOSO>" for visit in visits)
    body = (
        f"{_DECLARATION}<GIAMDINHHS>"
        f"<THONGTINDONVI><MACSKCB>{facility.code}</MACSKCB></THONGTINDONVI>"
        f"<THONGTINHOSO><NGAYLAP>{issued_on:%Y%m%d}</NGAYLAP><SOLUONGHOSO>{len(visits)}</SOLUONGHOSO>"
        f"<DANHSACHHOSO>{records}</DANHSACHHOSO></THONGTINHOSO>"
        "<CHUKYDONVI/></GIAMDINHHS>"
    )
    return DemoMessage(
        facility_code=facility.code,
        body=body.encode(),
        visit_ids=tuple(visit.id for visit in visits),
    )


def visit_message(
    number: int,
    *,
    on: date,
    turn: int = 1,
    drug_count: int = 10,
    service_count: int = 10,
    result_count: int = 15,
    facility_code: str = "01901",
    seed: int = DEFAULT_SEED,
) -> bytes:
    """Write one visit of citizen `number` with exactly so many lines in XML2, XML3 and XML4.

    :raises ValueError: when the results need more services than there are.
    """
    visit = sized_visit(
        number,
        on=on,
        turn=turn,
        drug_count=drug_count,
        service_count=service_count,
        result_count=result_count,
        facility_code=facility_code,
        seed=seed,
    )
    return message([visit]).body


def sized_visit(
    number: int,
    *,
    on: date,
    turn: int = 1,
    drug_count: int = 10,
    service_count: int = 10,
    result_count: int = 15,
    facility_code: str = "01901",
    seed: int = DEFAULT_SEED,
) -> DemoVisit:
    """Return a visit of citizen `number` with exactly so many drugs, services and results.

    `turn` tells visits of one citizen at one facility apart. None of them is a visit of `year_messages`.

    :raises ValueError: when the results need more services than there are.
    """
    person = citizen(number, seed=seed)
    patient = Patient(citizen=person, seed=seed, age=person.age_on(on), drift={})
    arrived_at = datetime.combine(on, time(8, 15), tzinfo=VIETNAM)
    lines = tuple(_sized_services(patient, arrived_at, facility_code, turn, service_count, result_count))
    if len(lines) != service_count:
        text = f"{result_count} results need more than {service_count} services"
        raise ValueError(text)
    order = DrugLine(
        drug=next(iter(drugs().values())),
        quantity=10,
        dose="1 viên/lần * 1 lần/ngày * 10 ngày [1 viên/ngày]",
        how="Uống sau ăn",
        ordered_at=arrived_at + timedelta(hours=3),
    )
    ordered = tuple(replace(order, drug=drug) for drug in islice(cycle(drugs().values()), drug_count))
    visit = _usual_visit(person, facility_of(facility_code), arrived_at, _FIRST_NUMBER_BY_HAND + turn)
    return replace(visit, drugs=ordered, services=lines)


def _usual_visit(person: Citizen, facility: Facility, arrived_at: datetime, number: int) -> DemoVisit:
    staff = [one for one in practitioners() if one.facility_code == facility.code]
    return DemoVisit(
        number=number,
        citizen=person,
        facility=facility,
        doctor=staff[0],
        reader=next(one for one in staff if one.reads_results),
        kind="01",
        department="K01",
        category="1.1" if person.insurance else "9",
        referred_from=None,
        arrived_at=arrived_at,
        admitted_at=None,
        closed_at=arrived_at + timedelta(hours=4),
        medicine_days=10,
        nights=0,
        reason="Mệt mỏi, đau đầu",
        arrival_diagnosis="Tăng huyết áp",
        discharge_diagnosis="Tăng huyết áp vô căn; rối loạn lipid máu hỗn hợp",
        main_code="I10",
        other_codes=("E78.2",),
        outcome=2,
        treatment="Thuốc hạ áp, thuốc hạ lipid máu",
        advice="Ăn nhạt, tập thể dục đều, khám lại sau 4 tuần.",
        weight_kg="58.00",
        revisit_on=arrived_at.date() + timedelta(days=28),
        benefit_percent=person.insurance.benefit_percent if person.insurance else 0,
        drugs=(),
        services=(),
    )


def _sized_services(  # noqa: PLR0917 — see visit_message
    patient: Patient,
    arrived_at: datetime,
    facility_code: str,
    turn: int,
    service_count: int,
    result_count: int,
) -> Iterator[ServiceLine]:
    rng = draw(patient.seed, patient.citizen.number, f"by hand/{turn}")
    condition = Condition(findings={}, recovery=0, progress=0.5)
    facility = facility_of(facility_code)
    tested = [] if not result_count else list(_services_for(result_count))
    plain = [service for service in services().values() if service.group not in REPORTED_GROUPS]
    at = arrived_at + timedelta(minutes=10)
    for service in (*tested, *islice(cycle(plain), max(0, service_count - len(tested)))):
        found: tuple[Measure, ...] = ()
        if service.group == LABORATORY_GROUP:
            found = measures(service, patient=patient, facility=facility, condition=condition, rng=rng)
        yield ServiceLine(
            service=service,
            quantity=1,
            ordered_at=at,
            performed_at=at + timedelta(minutes=15),
            resulted_at=at + timedelta(minutes=75) if found else None,
            measures=found,
        )


def _services_for(result_count: int) -> Iterator[Service]:
    blood_count = services()[_BLOOD_COUNT]
    single = [service for service in services().values() if len(service.index_keys) == 1]
    blood_counts, rest = divmod(result_count, len(blood_count.index_keys))
    yield from [blood_count] * blood_counts
    yield from islice(cycle(single), rest)


def _batches(visits: Sequence[DemoVisit], seed: int) -> Iterator[Sequence[DemoVisit]]:
    start = 0
    while start < len(visits):
        rng = draw(seed, visits[start].citizen.number, f"batch/{visits[start].number}")
        size = rng.choice(_BATCH_SIZES) if rng.randrange(100) < _BATCH_PERCENT else 1
        yield visits[start : start + size]
        start += size


def _files(visit: DemoVisit) -> str:
    return "".join(
        f"<FILEHOSO><LOAIHOSO>{name}</LOAIHOSO><NOIDUNGFILE>{_content(visit, text)}</NOIDUNGFILE></FILEHOSO>"
        for name, text in tables(visit)
    )


def _content(visit: DemoVisit, table: str) -> str:
    if visit.facility.inline_tables:
        return table
    return base64.b64encode(f"{_DECLARATION}{table}".encode()).decode("ascii")
