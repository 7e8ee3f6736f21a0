"""A citizen reports a reaction: theirs or a dependant's, of a dose that is there, and it stays with the dose."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.core.db import Login
from app.core.settings import Settings
from tests.attacks import tries
from tests.clinics import DOSE, Clinic
from tests.conftest import Ground
from tests.identity.families import Families, today, years_ago
from tests.people import Stand, now
from tests.records.books import Book

REPORT = "mutation($input: ReportVaccinationReactionInput!) { reportVaccinationReaction(input: $input) { reactionId } }"
_KEYS = itertools.count(1)


@pytest.fixture
def book(stand: Stand, http: httpx.Client) -> Book:
    made = Book(stand, http)
    made.home.tells(DOSE)
    return made


def report(book: Book, dose: str, *, token: str | None = None, **told: Any) -> str:
    """Report and return the report's id, or the code of the refusal."""
    given = {"idempotencyKey": f"r{next(_KEYS)}", "vaccinationId": dose, "description": "Sốt nhẹ", **told}
    answer = book.post(REPORT, token=token, input=given)
    if "errors" in answer:
        code: str = answer["errors"][0]["extensions"]["code"]
        return code
    found: str = answer["data"]["reportVaccinationReaction"]["reactionId"]
    return found


def test_a_report_stands_with_its_dose_and_the_book_grows(book: Book, stand: Stand) -> None:
    (dose,), before = book.doses(), int(book.read("")["version"])
    after = DOSE.injected_at + timedelta(hours=5)
    key = {"idempotencyKey": "the same", "reactedAt": after.isoformat(), "severity": "MILD"}
    first = report(book, dose["id"], **key)
    assert report(book, dose["id"], **key) == first
    (shown,) = book.doses()[0]["reactions"]
    assert shown == {"toldBy": "CITIZEN", "description": "Sốt nhẹ", "severity": "MILD", "facility": None}
    assert int(book.read("")["version"]) == before + 1
    lines = stand.as_owner("SELECT action, about FROM audit.line WHERE citizen_id = :id ORDER BY n", id=book.citizen)
    assert [(line.action, line.about) for line in lines] == [("REACTION_REPORTED", {"records": [dose["id"]]})]


def test_a_report_outlives_corrections_and_its_source(book: Book) -> None:
    (dose,) = book.doses()
    report(book, dose["id"])
    book.away.tells(replace(DOSE, source_id="other", is_primary_source=False))
    book.home.tells(replace(DOSE, note="đã sửa"), made="20261121")
    assert [one["toldBy"] for one in book.doses()[0]["reactions"]] == ["CITIZEN"]
    book.home.withdraws(kind="VACCINATION", key=DOSE.source_id, made="20261122")
    (left,) = book.doses()
    assert (left["id"] != dose["id"], [one["toldBy"] for one in left["reactions"]]) == (True, ["CITIZEN"])
    book.away.withdraws(kind="VACCINATION", key="other", made="20261122")
    assert book.doses() == []
    book.third.tells(replace(DOSE, source_id="third"))
    assert [one["toldBy"] for one in book.doses()[0]["reactions"]] == ["CITIZEN"]


def test_a_report_is_kept_as_a_person_reads_it(book: Book) -> None:
    (dose,) = book.doses()
    report(book, dose["id"], description="\u202eSốt\u00a0nhẹ.\r\nCả nhà\tlo 👨\u200d👩\u200d👧 ")
    assert [one["description"] for one in book.doses()[0]["reactions"]] == ["Sốt nhẹ.\nCả nhà lo 👨\u200d👩\u200d👧"]


@pytest.mark.parametrize(
    "told",
    [
        {"description": " \n "},
        {"description": "x" * 501},
        {"description": "a\u0000b"},
        {"description": "\u3164"},
        {"reactedAt": "2026-01-01T00:00:00Z"},
        {"reactedAt": "2100-01-01T00:00:00Z"},
    ],
)
def test_a_report_that_cannot_be_is_invalid(book: Book, told: dict[str, str]) -> None:
    (dose,) = book.doses()
    assert report(book, dose["id"], **told) == "INVALID"
    assert book.doses()[0]["reactions"] == []


def test_a_dose_that_is_not_theirs_is_absent(book: Book, stand: Stand, http: httpx.Client) -> None:
    other = Book(stand, http)
    (dose,) = book.doses()
    refused = [
        report(other, dose["id"]),
        report(other, dose["id"], citizenId=str(book.citizen)),
        report(book, str(book.citizen)),
        report(book, "x"),
        report(book, dose["id"], citizenId="x"),
    ]
    assert refused == ["NOT_FOUND"] * 5
    assert book.doses()[0]["reactions"] == []


def test_twenty_reports_of_one_dose_are_enough(book: Book) -> None:
    (dose,) = book.doses()
    for _ in range(20):
        assert len(report(book, dose["id"])) == 36
    assert report(book, dose["id"]) == "CONFLICT"


def test_a_parent_reports_for_a_child_and_not_what_is_hidden(
    ground: Ground, settings: Settings, stand: Stand, http: httpx.Client
) -> None:
    mother = Book(stand, http)
    families = Families(stand)
    born = years_ago(today(stand), 4)
    child = families.citizen("Phạm Gia Bảo", born=born, number="979000000777")
    families.represent(child, mother.citizen)
    message_id = mother.home.message_id
    stand.as_owner("INSERT INTO auth.filing VALUES (:m, 9, :c, '01901', 'x')", m=message_id, c=child)
    Clinic(stand, child, message_id, "01901").tells(DOSE)

    async def look(statement: str) -> Any:
        async with tries.as_superuser(ground, settings) as superuser:
            return await superuser.fetchval(statement, child)

    dose = str(tries.run(look, "SELECT id FROM book.vaccination WHERE citizen_id = $1"))
    assert len(report(mother, dose, citizenId=str(child))) == 36
    assert tries.run(look, "SELECT reported_by FROM book.reported_reaction WHERE citizen_id = $1") == mother.citizen
    assert report(mother, dose) == "NOT_FOUND"  # not in her own book
    stand.as_owner(
        "UPDATE auth.citizen SET birth_on = :born WHERE id = :id", born=years_ago(today(stand), 14), id=child
    )
    tries.run(look, "UPDATE book.vaccination SET masked = true WHERE citizen_id = $1")
    assert report(mother, dose, citizenId=str(child)) == "NOT_FOUND"


@pytest.mark.asyncio
async def test_nobody_reports_without_a_session(stand: Stand) -> None:
    told = f'{{"id": "018f0000-0000-7000-8000-000000000001", "vaccination_id": null, "x": "{now().year}"}}'
    async with tries.as_login(stand, Login.DESK) as desk:
        assert await tries.sqlstate_of(desk, "SELECT book.report_reaction(NULL, $1::jsonb)", told) == "SK401"
        assert await tries.sqlstate_of(desk, "SELECT * FROM book.vaccination") == tries.DENIED
        assert await tries.sqlstate_of(desk, "SELECT auth.open_reporting(NULL, NULL)") == tries.DENIED
