"""A person asks a facility to correct a record; the facility reads it, and a new version answers it."""

import itertools
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from app.core.clock import VIETNAM_TIME
from app.records.corrections import working_days_after
from tests.clinics import DOSE
from tests.people import Stand, now
from tests.records.books import AWAY, Book

ASK = (
    "mutation($input: RequestCorrectionInput!) { requestCorrection(input: $input) { correctionId answerBy correctBy } }"
)
SHOWN = "corrections { id recordId description state answerBy correctBy facility { code } }"
KEYS = itertools.count(1)


@pytest.fixture
def book(stand: Stand, http: httpx.Client) -> Book:
    made = Book(stand, http)
    made.away.tells(DOSE)
    return made


def ask(book: Book, record: str, *, token: str | None = None, **told: Any) -> Any:
    """Ask, and return what is answered, or the code of the refusal."""
    given = {"idempotencyKey": f"c{next(KEYS)}", "recordId": record, "description": "Sai số lô", **told}
    answer = book.post(ASK, token=token, input=given)
    if "errors" in answer:
        return answer["errors"][0]["extensions"]["code"]
    return answer["data"]["requestCorrection"]


def test_a_request_has_its_days_and_reaches_its_facility(book: Book, stand: Stand, http: httpx.Client) -> None:
    (dose,) = book.doses()
    asked = ask(book, dose["id"], idempotencyKey="one")
    assert ask(book, dose["id"], idempotencyKey="one") == asked
    today = now().astimezone(VIETNAM_TIME).date()
    assert asked["correctBy"] == (today + timedelta(days=10)).isoformat()
    assert asked["answerBy"] == working_days_after(today, 2).isoformat()
    (shown,) = book.read(SHOWN)["corrections"]
    assert (shown["id"], shown["recordId"], shown["state"]) == (asked["correctionId"], dose["id"], "WAITING")
    assert (shown["description"], shown["facility"]["code"]) == ("Sai số lô", AWAY)
    told = http.get("/ingest/corrections", headers={"Authorization": f"Bearer {stand.facility(AWAY)}"}).json()
    (mine,) = [one for one in told["corrections"] if one["id"] == asked["correctionId"]]
    assert (mine["kind"], mine["key"], mine["description"]) == ("VACCINATION", DOSE.source_id, "Sai số lô")
    other = http.get("/ingest/corrections", headers={"Authorization": f"Bearer {stand.facility('48195')}"}).json()
    assert asked["correctionId"] not in {one["id"] for one in other["corrections"]}
    lines = stand.as_owner("SELECT action FROM audit.line WHERE citizen_id = :id", id=book.citizen)
    assert [line.action for line in lines] == ["CORRECTION_REQUESTED"]
    (kept,) = stand.as_owner("SELECT words_sealed FROM auth.correction WHERE citizen_id = :id", id=book.citizen)
    assert "lô".encode() not in bytes(kept.words_sealed)


def test_a_new_version_answers_it(book: Book, stand: Stand) -> None:
    (dose,) = book.doses()
    ask(book, dose["id"])
    book.away.tells(replace(DOSE, lot_number="ĐÚNG1"), made="20261122")
    assert [one["state"] for one in book.read(SHOWN)["corrections"]] == ["CORRECTED"]
    ask(book, dose["id"])
    stand.as_owner("UPDATE auth.correction SET correct_by = '2026-01-01' WHERE citizen_id = :id", id=book.citizen)
    assert sorted(one["state"] for one in book.read(SHOWN)["corrections"]) == ["CORRECTED", "OVERDUE"]


def test_a_visit_and_what_it_holds_are_named_as_the_facility_knows_them(
    book: Book, stand: Stand, http: httpx.Client
) -> None:
    shown = book.read("visits { nodes { id } } prescriptions { nodes { id } }")
    for record in (shown["visits"]["nodes"][0]["id"], shown["prescriptions"]["nodes"][0]["id"]):
        assert "correctionId" in ask(book, record)
    told = http.get("/ingest/corrections", headers={"Authorization": f"Bearer {stand.facility('01901')}"}).json()
    mine = [one for one in told["corrections"] if one["visit"] == book.visit]
    assert [one["kind"] for one in mine] == ["VISIT", "PRESCRIPTION"]
    assert mine[0]["key"] == book.visit
    page = http.get(
        "/ingest/corrections?first=1", headers={"Authorization": f"Bearer {stand.facility('01901')}"}
    ).json()
    assert page["next"]


def test_a_request_is_kept_as_a_person_reads_it(book: Book) -> None:
    (dose,) = book.doses()
    ask(book, dose["id"], description="Sai số lô.\r\nLà\u00a0B12\u202e.")
    assert [one["description"] for one in book.read(SHOWN)["corrections"]] == ["Sai số lô.\nLà B12."]


def test_what_cannot_be_asked_is_refused(book: Book, stand: Stand, http: httpx.Client) -> None:
    (dose,) = book.doses()
    stranger = Book(stand, http)
    assert ask(stranger, dose["id"]) == "NOT_FOUND"
    assert ask(book, str(book.citizen)) == "NOT_FOUND"
    assert ask(book, "x") == "NOT_FOUND"
    assert ask(stranger, dose["id"], citizenId=str(book.citizen)) == "NOT_FOUND"
    for words in ("", " ", "x" * 1_001, "a\u0000", "\u3164"):
        assert ask(book, dose["id"], description=words) == "INVALID"
    for _ in range(5):
        assert "correctionId" in ask(book, dose["id"])
    assert ask(book, dose["id"]) == "CONFLICT"
    assert stranger.read(SHOWN)["corrections"] == []


@pytest.mark.parametrize(
    ("day", "wanted"), [("2026-11-20", "2026-11-24"), ("2026-11-21", "2026-11-24"), ("2026-11-23", "2026-11-25")]
)
def test_weekends_are_no_working_days(day: str, wanted: str) -> None:
    assert working_days_after(date.fromisoformat(day), 2).isoformat() == wanted
