"""Doses from several sources: each filed once, corrected, withdrawn, and shown as one dose whoever tells of it."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.records.clinical import (
    CodingArrival,
    MomentPrecision,
    ReactionArrival,
    ReactionSeverity,
    VaccinationArrival,
    VaccinationStatus,
)
from tests.clinics import CVX, DOSE, SNOMED
from tests.people import Stand
from tests.records.books import AWAY, HOME, Book


def coded(code: str, system: str = CVX) -> CodingArrival:
    return CodingArrival(system=system, code=code, display=None)


FIVE_IN_ONE = replace(
    DOSE,
    source_id="five",
    vaccine=(coded("102"),),
    vaccine_name="ComBE Five",
    lot_number="CB-5",
)


@pytest.fixture
def child(stand: Stand, http: httpx.Client) -> Book:
    return Book(stand, http)


def told_by(dose: dict[str, Any]) -> list[str]:
    return [source["facility"]["code"] for source in dose["sources"]]


def test_a_dose_is_filed_once_corrected_and_withdrawn(child: Book) -> None:
    assert child.home.tells(DOSE) == ["ADDED"]
    version = child.read("")["version"]
    assert child.home.tells(DOSE, made="20261121") == ["UNCHANGED"]
    assert child.read("")["version"] == version
    (first,) = child.doses()
    assert child.home.tells(replace(DOSE, lot_number="MV-0127"), made="20261122") == ["REPLACED"]
    (second,) = child.doses()
    assert (second["id"], second["lotNumber"]) == (first["id"], "MV-0127")
    assert child.read("")["version"] != version
    assert child.home.tells(replace(DOSE, is_withdrawn=True), made="20261123") == ["WITHDRAWN"]
    assert child.doses() == []
    assert child.home.tells(replace(DOSE, is_withdrawn=True), made="20261124") == ["UNCHANGED"]
    assert child.read("withdrawals { kind }")["withdrawals"] == [{"kind": "VACCINATION"}]


FEVER = ReactionArrival(description="Sốt", reacted_at=None, severity=None)
VERSIONS = [
    (DOSE, "20261101"),
    (replace(DOSE, lot_number="B"), "20261102"),
    (replace(DOSE, is_withdrawn=True), "20261103"),
    (
        replace(DOSE, lot_number="D", reactions=(ReactionArrival(description="Sốt", reacted_at=None, severity=None),)),
        "20261104",
    ),
]


@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_versions_in_any_order_end_alike(child: Book, order: Sequence[int]) -> None:
    for place in order:
        arrival, made = VERSIONS[place]
        child.home.tells(arrival, made=made)
    (dose,) = child.doses()
    assert (dose["lotNumber"], [one["description"] for one in dose["reactions"]]) == ("D", ["Sốt"])


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_withdrawn_version_is_hidden_in_any_order(child: Book, order: Sequence[int]) -> None:
    for place in order:
        arrival, made = VERSIONS[place]
        child.home.tells(arrival, made=made)
    assert child.doses() == []


SAME = {
    "another spelling of the lot": replace(DOSE, lot_number="mv 0126"),
    "no lot": replace(DOSE, lot_number=None),
    "another time of the day": replace(DOSE, injected_at=DOSE.injected_at + timedelta(hours=9)),
    "the day alone": replace(
        DOSE, injected_at=DOSE.injected_at.replace(day=4, hour=17, minute=0), injected_precision=MomentPrecision.DAY
    ),
    "a wider vaccine": replace(DOSE, vaccine=(coded("04"),), lot_number=None),
    "the disease alone": replace(
        DOSE,
        vaccine=(),
        vaccine_name="Tiêm sởi",
        targets=(coded("14189004", SNOMED),),
    ),
    "another number of the dose": replace(DOSE, dose_number=2),
}
OTHER = {
    "another lot": replace(DOSE, lot_number="ZZ-1"),
    "the next day": replace(DOSE, injected_at=DOSE.injected_at + timedelta(hours=15)),
    "another vaccine": replace(FIVE_IN_ONE, lot_number=None),
    "the year alone": replace(DOSE, injected_precision=MomentPrecision.YEAR),
    "not given": replace(DOSE, status=VaccinationStatus.NOT_GIVEN),
}


@pytest.mark.parametrize("first", ["home", "away"])
@pytest.mark.parametrize("name", SAME)
def test_two_sources_of_one_dose_are_one_dose(child: Book, name: str, first: str) -> None:
    steps = [(child.home, DOSE), (child.away, replace(SAME[name], source_id="other"))]
    for clinic, arrival in steps if first == "home" else reversed(steps):
        assert clinic.tells(arrival) == ["ADDED"]
    (dose,) = child.doses()
    assert told_by(dose) == [HOME, AWAY]


@pytest.mark.parametrize("name", OTHER)
def test_what_differs_is_another_dose(child: Book, name: str) -> None:
    child.home.tells(DOSE)
    child.away.tells(replace(OTHER[name], source_id="other"))
    assert [told_by(dose) for dose in child.doses()] in ([[HOME], [AWAY]], [[AWAY], [HOME]])


def test_two_numbers_of_one_facility_on_one_day_are_two_doses(child: Book) -> None:
    """Rabies is given at two sites on the first day."""
    rabies = replace(DOSE, vaccine=(coded("90"),), vaccine_name="Verorab")
    child.home.tells(replace(rabies, source_id="left"), replace(rabies, source_id="right", dose_number=2))
    assert sorted(dose["doseNumber"] for dose in child.doses()) == [1, 2]


def test_a_facility_that_changes_its_system_tells_the_same_dose_by_another_id(child: Book) -> None:
    child.home.tells(DOSE)
    child.home.tells(replace(DOSE, source_id="new vendor 1"), made="20261121")
    (dose,) = child.doses()
    assert told_by(dose) == [HOME, HOME]


def everything(child: Book) -> object:
    return sorted(
        (dose["lotNumber"] or "", dose["vaccineName"], dose["facility"]["code"], told_by(dose))
        for dose in child.doses()
    )


CROWD: list[tuple[str, VaccinationArrival]] = [
    ("home", replace(FIVE_IN_ONE, source_id="a")),
    (
        "away",
        replace(DOSE, source_id="b", vaccine=(coded("08"),), lot_number=None),
    ),
    ("third", replace(FIVE_IN_ONE, source_id="c", lot_number="OTHER")),
    ("away", replace(FIVE_IN_ONE, source_id="d", lot_number=None, is_primary_source=False)),
]


@pytest.mark.parametrize("gone", range(4))
def test_what_is_gathered_does_not_depend_on_the_order_and_a_source_may_go(
    stand: Stand, http: httpx.Client, gone: int
) -> None:
    without: list[object] = []
    ends: list[object] = []
    for order in ((0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)):
        child = Book(stand, http)
        for place in order:
            name, arrival = CROWD[place]
            getattr(child, name).tells(arrival)
        ends.append(everything(child))
        name, arrival = CROWD[gone]
        assert getattr(child, name).withdraws(kind="VACCINATION", key=arrival.source_id, made="20261121") == [
            ("VACCINATION", arrival.source_id, "WITHDRAWN")
        ]
        without.append(everything(child))
    assert all(end == ends[0] for end in ends)
    assert all(end == without[0] for end in without)
    never = Book(stand, http)
    for place in range(4):
        if place != gone:
            name, arrival = CROWD[place]
            getattr(never, name).tells(arrival)
    assert everything(never) == without[0]


def test_undoing_a_source_shows_the_other_again(child: Book) -> None:
    child.home.tells(DOSE)
    child.away.tells(replace(DOSE, source_id="other", vaccine_name="Sởi", lot_number=None, is_primary_source=False))
    (dose,) = child.doses()
    assert (dose["vaccineName"], dose["facility"]["code"]) == ("MVVAC", HOME)
    child.home.withdraws(kind="VACCINATION", key="dose-1", made="20261121")
    (dose,) = child.doses()
    assert (dose["vaccineName"], told_by(dose)) == ("Sởi", [AWAY])
    assert child.home.tells(DOSE, made="20261122") == ["ADDED"]
    (dose,) = child.doses()
    assert (dose["vaccineName"], told_by(dose)) == ("MVVAC", [HOME, AWAY])


def test_a_dose_goes_with_its_visit_when_that_is_withdrawn(child: Book) -> None:
    child.home.tells(replace(DOSE, visit_source_id=child.visit))
    (shown,) = child.read("visits { nodes { id } } vaccinations { nodes { visitId } }")["visits"]["nodes"]
    (dose,) = child.read("vaccinations { nodes { visitId } }")["vaccinations"]["nodes"]
    assert dose["visitId"] == shown["id"]
    gone = child.home.withdraws(kind="VISIT", key=child.visit, made="20261121")
    assert ("VACCINATION", "dose-1", "WITHDRAWN") in gone
    assert child.doses() == []
    assert child.home.tells(replace(DOSE, visit_source_id=child.visit, note="late"), made="20261119") == ["WITHDRAWN"]


def test_reactions_of_every_source_stand_with_the_dose(child: Book) -> None:
    fever = ReactionArrival(
        description="Sốt 38,5 °C", reacted_at=DOSE.injected_at + timedelta(hours=6), severity=ReactionSeverity.MILD
    )
    rash = ReactionArrival(description="Nổi ban", reacted_at=DOSE.injected_at + timedelta(hours=2), severity=None)
    child.home.tells(replace(DOSE, reactions=(fever,)))
    child.away.tells(replace(DOSE, source_id="other", reactions=(rash,)))
    (dose,) = child.doses()
    assert dose["reactions"] == [
        {"toldBy": "FACILITY", "description": "Nổi ban", "severity": None, "facility": {"code": AWAY}},
        {"toldBy": "FACILITY", "description": "Sốt 38,5 °C", "severity": "MILD", "facility": {"code": HOME}},
    ]
