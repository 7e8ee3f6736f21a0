"""The national schedule for one child: done, due, late, by age and doses."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import httpx
import pytest

from app.records.clinical import CodingArrival
from app.terminology.schedule import scheduled_doses
from tests.attacks.crowd import visiting
from tests.clinics import CVX, DOSE
from tests.identity.families import today
from tests.people import Stand
from tests.records.books import Book

DUE = "vaccinationSchedule { series dose state dueOn lateFrom closesOn doneAt vaccinationId name isConfirmed }"


def child(stand: Stand, http: httpx.Client, *, age: int, sex: str = "2") -> tuple[Book, date]:
    """Return the book of a child of so many days, who had a visit a day after the birth."""
    born = today(stand) - timedelta(days=age)
    fields = {"NGAY_SINH": f"{born:%Y%m%d}0000", "GIOI_TINH": sex, **visiting(born + timedelta(days=1))}
    return Book(stand, http, fields=fields), born


def give(book: Book, born: date, *doses: tuple[int, str]) -> None:
    for age, code in doses:
        at = datetime.combine(born + timedelta(days=age), time(3), tzinfo=UTC)
        coded = (CodingArrival(system=CVX, code=code, display=None),)
        book.home.tells(replace(DOSE, source_id=f"{age} {code}", vaccine=coded, injected_at=at, lot_number=None))


def states(book: Book) -> dict[tuple[str, int], str]:
    return {(one["series"], one["dose"]): one["state"] for one in book.read(DUE)["vaccinationSchedule"]}


def due(book: Book, series: str, dose: int) -> dict[str, Any]:
    found: dict[str, Any] = next(
        one for one in book.read(DUE)["vaccinationSchedule"] if (one["series"], one["dose"]) == (series, dose)
    )
    return found


@pytest.mark.parametrize(
    ("age", "state"),
    [(5, "UPCOMING"), (60, "UPCOMING"), (61, "DUE"), (91, "DUE"), (92, "LATE"), (2500, "LATE")],
)
def test_a_dose_is_due_and_late_by_age(stand: Stand, http: httpx.Client, age: int, state: str) -> None:
    book, _ = child(stand, http, age=age)
    assert states(book)["DTP", 1] == state


def test_a_five_in_one_counts_for_every_disease_and_a_birth_dose_does_not(stand: Stand, http: httpx.Client) -> None:
    book, born = child(stand, http, age=130)
    give(book, born, (0, "08"), (1, "19"), (65, "102"))
    found = states(book)
    assert found["HEPATITIS_B_BIRTH", 1] == found["TUBERCULOSIS", 1] == found["DTP", 1] == "DONE"
    assert found["DTP", 2] == "LATE"
    assert due(book, "DTP", 1)["vaccinationId"] is not None
    assert found["POLIO", 1] == "LATE"
    give(book, born, (66, "178"))
    assert states(book)["POLIO", 1] == "DONE"


def test_a_monovalent_dose_does_not_fulfil_a_combined_one(stand: Stand, http: httpx.Client) -> None:
    book, born = child(stand, http, age=80)
    give(book, born, (65, "01"))  # diphtheria, tetanus, pertussis: no hepatitis B, no Hib
    assert states(book)["DTP", 1] == "DUE"
    give(book, born, (70, "51"))  # Hib and hepatitis B
    assert states(book)["DTP", 1] == "DONE"


def test_the_next_dose_waits_for_the_one_before(stand: Stand, http: httpx.Client) -> None:
    book, born = child(stand, http, age=120)
    give(book, born, (110, "102"))
    second = due(book, "DTP", 2)
    assert (second["state"], second["dueOn"]) == ("UPCOMING", (born + timedelta(days=138)).isoformat())


def test_a_dose_that_is_too_late_is_closed(stand: Stand, http: httpx.Client) -> None:
    book, _ = child(stand, http, age=250)
    assert states(book)["ROTAVIRUS", 1] == "CLOSED"
    assert states(book)["HEPATITIS_B_BIRTH", 1] == "CLOSED"


def test_rows_are_in_force_by_the_day_on_which_they_are_due(stand: Stand, http: httpx.Client) -> None:
    book, _ = child(stand, http, age=1500)
    found = states(book)
    assert ("MEASLES", 1) in found
    assert ("PNEUMOCOCCUS", 1) not in found  # it came in 2026
    assert ("HPV", 1) in found
    boy, _ = child(stand, http, age=1500, sex="1")
    assert ("HPV", 1) not in states(boy)


def test_nobody_else_has_a_schedule(stand: Stand, http: httpx.Client) -> None:
    adult = Book(stand, http)
    assert adult.read(DUE)["vaccinationSchedule"] == []
    book, born = child(stand, http, age=300)
    stand.as_owner("UPDATE auth.citizen SET birth_precision = 'YEAR' WHERE id = :id", id=book.citizen)
    assert book.read(DUE)["vaccinationSchedule"] == []
    assert born.year > 2000


def test_a_withdrawn_dose_is_due_again(stand: Stand, http: httpx.Client) -> None:
    book, born = child(stand, http, age=300)
    give(book, born, (280, "05"))
    assert states(book)["MEASLES", 1] == "DONE"
    book.home.withdraws(kind="VACCINATION", key="280 05", made="20261121")
    assert states(book)["MEASLES", 1] == "DUE"


def test_every_row_that_ships_can_be_read_and_names_its_source() -> None:
    rows = scheduled_doses()
    assert len(rows) > 20
    for row in rows:
        assert row["source"]
        assert row["certainty"] in {"confirmed", "second-hand", "from-memory"}
        assert row["due_days"] < row["late_days"]
        assert row["counts_from_days"] <= row["due_days"]
