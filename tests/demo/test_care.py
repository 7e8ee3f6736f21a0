"""A year of care is believable: nothing in the future, nobody at two places, the first citizens' stories."""

from collections import Counter, defaultdict
from datetime import date, timedelta
from itertools import pairwise
from statistics import mean

import pytest

from app.demo.care import year_of_care
from app.demo.people import citizen, citizens, facility_of
from app.demo.visits import DemoVisit
from app.terminology.codes import read_codes
from tests.demo.year import TODAY, visits

ADULT = 16


def of(number: int, today: date = TODAY) -> tuple[DemoVisit, ...]:
    return year_of_care(citizen(number), today=today)


def test_the_same_seed_and_day_give_the_same_care() -> None:
    assert of(7) == of(7)
    assert of(7) != year_of_care(citizen(7), today=TODAY, seed=1)


def test_every_visit_has_ended_and_lies_in_the_last_year() -> None:
    for visit in visits():
        assert visit.arrived_at < visit.closed_at
        assert visit.closed_at.date() < TODAY
        assert visit.arrived_at.date() >= TODAY - timedelta(days=400)


def test_nobody_is_at_two_places_at_once() -> None:
    by_citizen: dict[int, list[DemoVisit]] = defaultdict(list)
    for visit in visits():
        by_citizen[visit.citizen.number].append(visit)
    for mine in by_citizen.values():
        ordered = sorted(mine, key=lambda visit: visit.arrived_at)
        for earlier, later in pairwise(ordered):
            assert earlier.closed_at < later.arrived_at


def test_nobody_comes_before_being_born() -> None:
    for one in citizens(400):
        for visit in year_of_care(one, today=date(2026, 6, 1)):
            assert visit.arrived_at.date() >= one.birth_on + timedelta(days=7)


def test_there_is_a_believable_amount_of_care() -> None:
    adults = Counter(visit.citizen.number for visit in visits() if visit.citizen.age_on(TODAY) >= ADULT)

    assert 8 <= mean(adults.values()) <= 14
    assert 450 <= len(visits()) <= 650


def test_each_facility_sees_its_own_kinds_of_care() -> None:
    assert {visit.facility.code for visit in visits()} == {"01901", "79001", "48195"}
    station = [visit for visit in visits() if visit.facility.level == "PRIMARY"]
    assert all(visit.admitted_at is None for visit in station)
    assert {line.service.key for visit in station for line in visit.services} <= {
        "exam_station", "capillary_glucose", "suture", "syringe5",
    }  # fmt: skip


def test_codes_are_valid_on_the_day_of_the_visit() -> None:
    for system, code_of in (
        ("visit-kind", lambda visit: visit.kind),
        ("department", lambda visit: visit.department),
        ("insurance-category", lambda visit: visit.category),
        ("visit-outcome", lambda visit: str(visit.outcome)),
        ("icd10", lambda visit: visit.main_code),
    ):
        entries = {entry.code: entry for entry in read_codes(system)}
        for visit in visits():
            entry = entries[code_of(visit)]
            assert entry.valid_from <= visit.arrived_at.date()


def test_a_health_check_has_its_own_kind_since_it_exists() -> None:
    checks = [visit for visit in visits() if visit.main_code == "Z00.0"]

    kinds = {(visit.arrived_at.date() >= date(2026, 8, 1), visit.kind) for visit in checks}
    assert kinds == {(True, "15"), (False, "01")}
    assert all(visit.category == "9" and visit.benefit_percent == 0 for visit in checks)


def test_clinicians_work_where_they_treat() -> None:
    for visit in visits():
        assert visit.doctor.facility_code == visit.facility.code == visit.reader.facility_code
        assert visit.reader.reads_results


def test_a_visit_keeps_its_id_on_another_day() -> None:
    now = {visit.id: visit.main_code for visit in of(1)}
    later = {visit.id: visit.main_code for visit in of(1, TODAY + timedelta(days=3))}

    assert len(now.keys() & later.keys()) >= len(now) - 1
    assert all(now[key] == later[key] for key in now.keys() & later.keys())


def test_ids_are_unique() -> None:
    ids = [visit.id for visit in visits()]

    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("number", [1, 2])
def test_the_first_two_citizens_have_rich_books(number: int) -> None:
    mine = of(number)

    assert len(mine) >= 14
    assert len({visit.facility.code for visit in mine}) >= 2
    assert any(visit.admitted_at and visit.nights for visit in mine)
    groups = {line.service.group for visit in mine for line in visit.reports()}
    assert groups == {"1", "2", "3"}
    assert any(visit.drugs for visit in mine)
    assert any(visit.benefit_percent for visit in mine)


def test_citizen_1_has_a_trend_across_hospitals_and_units() -> None:
    points = [
        (visit.facility.code, measure.unit)
        for visit in of(1)
        for report in visit.reports()
        for measure in report.measures
        if measure.code == "GLU"
    ]

    assert len(points) >= 5
    assert {"mmol/L", "mg/dL"} <= {unit for _, unit in points}


def test_citizen_3_was_pregnant_and_gave_birth() -> None:
    codes = [visit.main_code for visit in of(3)]

    assert codes.count("Z34.0") == 6
    assert codes.index("Z34.0") < codes.index("O80") < codes.index("Z39.2")


def test_citizen_4_has_the_care_of_a_child() -> None:
    assert len(of(4)) >= 6
    assert {"K18", "K28", "K01"} >= {visit.department for visit in of(4)}


def test_repeated_tests_of_a_stay_recover() -> None:
    stay = next(visit for visit in of(2) if visit.main_code == "A97.1")
    platelets = [
        float(measure.value) for report in stay.reports() for measure in report.measures if measure.index.key == "PLT"
    ]
    times = [report.resulted_at for report in stay.reports() if report.service.key == "cbc"]

    assert len(platelets) == 3
    assert platelets == sorted(platelets)
    assert len(set(times)) == 3


def test_a_referral_names_who_referred() -> None:
    referred = [visit for visit in visits() if visit.category == "1.3"]

    assert referred
    assert all(visit.referred_from == visit.citizen.home_facility_code for visit in referred)
    assert all(visit.facility.code != visit.citizen.home_facility_code for visit in referred)


def test_births_and_emergencies_stay_in_ones_own_town_where_there_is_a_hospital() -> None:
    for visit in visits():
        home = facility_of(visit.citizen.home_facility_code)
        if visit.category == "2" and home.level != "PRIMARY":
            assert visit.facility == home
