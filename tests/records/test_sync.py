"""Copies of a book on a phone: whatever happens, what the changes say makes the copy equal to the book."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.db import Login, Session
from app.core.ids import new_id
from app.ingestion import sql as intake
from app.records import filing
from app.records.clinical import ClinicalArrival
from tests.clinics import ALLERGY, DISEASE, DOSE, STUDY, Clinic
from tests.ingestion import messages
from tests.people import Stand, now
from tests.records.books import Book
from tests.records.test_order import tables_of

CHANGES = """query($id: ID, $since: String, $first: Int! = 200) {
  bookChanges(citizenId: $id, since: $since, first: $first) { cursor isReset hasMore
    records { id kind section version } tombstones { id kind section } } }"""
WHOLE = """{ visits { nodes { id provenance { version } } } prescriptions { nodes { id provenance { version } } }
  vaccinations { nodes { id provenance { version } } } testResults { nodes { id provenance { version } } }
  imaging { id provenance { version } } documents { nodes { id provenance { version } } }
  conditions { statements { id provenance { version } } } allergies { id provenance { version } }
  appointments { nodes { id changedAt } } }"""
UNNUMBERED = 0
"""An appointment's version is not shown; tests/appointments/test_booking.py follows it."""


@pytest.fixture
def book(stand: Stand, http: httpx.Client) -> Book:
    return Book(stand, http)


@dataclass
class Copy:
    """What a phone keeps: versions by id."""

    book: Book
    token: str | None = None
    whose: str | None = None
    cursor: str | None = None
    kept: dict[str, int] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    was_reset: bool = False

    def sync(self, *, first: int = 200, between: Callable[[], object] | None = None) -> int:
        """Follow the pages to the end; return how many records were told."""
        told: dict[str, int] = {}
        count = 0
        self.gone = []
        while True:
            answer = self.book.post(CHANGES, token=self.token, id=self.whose, since=self.cursor, first=first)
            assert "errors" not in answer, answer
            page = answer["data"]["bookChanges"]
            assert len(page["records"]) + len(page["tombstones"]) <= first
            count += len(page["records"]) + len(page["tombstones"])
            told |= {one["id"]: version_of(one) for one in page["records"]}
            self.gone += [one["id"] for one in page["tombstones"]]
            self.cursor, self.was_reset = page["cursor"], page["isReset"]
            if not page["hasMore"]:
                break
            if between is not None:
                between()
        self.kept = told if self.was_reset else {**self.kept, **told}
        for one in self.gone:
            self.kept.pop(one, None)
        return count


def version_of(record: dict[str, Any]) -> int:
    version: int = record["version"]
    return UNNUMBERED if record["kind"] == "APPOINTMENT" else version


def shown(book: Book) -> dict[str, int]:
    """Return versions by id, as the sections themselves show them."""
    found: dict[str, int] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if "changedAt" in value:
                found[value["id"]] = UNNUMBERED
            if "provenance" in value:
                found[value["id"]] = value["provenance"]["version"]
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(book.read(WHOLE.strip()[1:-1]))
    return found


def test_the_first_time_everything_is_told_and_then_only_what_changed(book: Book) -> None:
    copy = Copy(book)
    copy.sync()
    assert copy.was_reset
    assert copy.kept == shown(book) != {}
    again = Copy(book, cursor=copy.cursor, was_reset=True)
    again.sync()
    assert (again.was_reset, again.gone) == (False, [])
    book.away.tells(ALLERGY)
    copy.sync()
    assert copy.kept == shown(book)
    book.away.withdraws(kind="ALLERGY", key=ALLERGY.source_id)
    copy.sync()
    assert len(copy.gone) >= 1
    assert copy.kept == shown(book)


def test_kinds_and_sections_are_told(book: Book) -> None:
    book.away.tells(ALLERGY, DISEASE, STUDY, DOSE)
    page = book.post(CHANGES)["data"]["bookChanges"]
    assert {(one["kind"], one["section"]) for one in page["records"]} >= {
        ("VISIT", "VISITS"),
        ("ALLERGY", "ALLERGIES"),
        ("CONDITION", "CONDITIONS"),
        ("IMAGING", "IMAGING"),
        ("VACCINATION", "VACCINATIONS"),
    }


def a_record(rng: Random) -> ClinicalArrival:
    """Draw one of a few records, so that they replace and gather one another."""
    number = rng.randint(1, 3)
    match rng.randrange(4):
        case 0:
            shift = timedelta(days=rng.randint(0, 1))
            return replace(DOSE, source_id=f"dose-{number}", injected_at=DOSE.injected_at + shift, lot_number=None)
        case 1:
            return replace(STUDY, source_id=f"study-{number}", conclusion=f"Kết luận {rng.randint(1, 3)}")
        case 2:
            return replace(DISEASE, source_id=f"condition-{number}", note=f"Ghi chú {rng.randint(1, 3)}")
        case _:
            return replace(ALLERGY, source_id=f"allergy-{number}", note=f"Ghi chú {rng.randint(1, 3)}")


def a_change(rng: Random, clinics: tuple[Clinic, ...]) -> None:
    clinic = rng.choice(clinics)
    if rng.random() < 0.7:
        clinic.tells(*(a_record(rng) for _ in range(rng.randint(1, 3))))
        return
    kind, name = rng.choice((("VACCINATION", "dose"), ("IMAGING", "study"), ("ALLERGY", "allergy")))
    clinic.withdraws(kind=kind, key=f"{name}-{rng.randint(1, 3)}")


def perhaps(rng: Random, clinics: tuple[Clinic, ...]) -> None:
    if rng.random() < 0.3:
        a_change(rng, clinics)


@pytest.mark.parametrize("seed", range(2))
def test_after_random_changes_a_copy_equals_the_book(book: Book, seed: int) -> None:
    rng = Random(seed)
    often, seldom = Copy(book), Copy(book)
    clinics = (book.home, book.away, book.third)
    for turn in range(10):
        a_change(rng, clinics)
        often.sync(first=rng.choice((1, 2, 3, 200)), between=partial(perhaps, rng, clinics))
        often.sync()  # what changed between two pages is told at the latest now
        if turn % 4 == 0:
            seldom.sync(first=2)
        assert often.kept == shown(book)
    seldom.sync(first=2)
    assert seldom.kept == shown(book)


def test_what_commits_later_than_a_younger_change_is_not_lost(book: Book, stand: Stand, http: httpx.Client) -> None:
    other, copy = Book(stand, http), Copy(book)
    copy.sync()
    source = filing.Source(
        message_id=book.home.message_id,
        facility_code=book.home.code,
        source_version="20261121",
        standard_version="FHIR R4",
        made="20261121",
        received_at=now(),
    )

    async def slow(session: Session) -> None:
        await intake.open_filing(session, message_id=book.home.message_id)
        await filing.file_clinical(
            session,
            citizen_id=book.citizen,
            arrivals=(ALLERGY,),
            source=source,
            new_id=partial(new_id, now=now()),
        )
        await asyncio.to_thread(other.home.tells, STUDY)  # younger, and committed before
        await asyncio.to_thread(copy.sync)
        assert copy.kept == await asyncio.to_thread(shown, book)

    stand.run(Login.WORKER, slow)
    copy.sync()
    assert copy.kept == shown(book)
    assert len(copy.kept) > 1


def test_a_report_of_a_reaction_tells_the_dose_again(book: Book) -> None:
    book.away.tells(DOSE)
    copy = Copy(book)
    copy.sync()
    (dose,) = book.doses()
    told = (
        "mutation($input: ReportVaccinationReactionInput!) { reportVaccinationReaction(input: $input) { __typename } }"
    )
    asked = {"idempotencyKey": "r-1", "vaccinationId": dose["id"], "description": "Sốt nhẹ"}
    assert "errors" not in book.post(told, input=asked)
    page = book.post(CHANGES, since=copy.cursor)["data"]["bookChanges"]
    assert dose["id"] in [one["id"] for one in page["records"]]


def test_who_sees_less_gets_all_they_see_and_no_trace_of_what_is_hidden(
    book: Book, stand: Stand, http: httpx.Client
) -> None:
    helper = Book(stand, http)
    book.away.tells(ALLERGY, STUDY)
    stand.as_owner(
        "UPDATE auth.citizen SET birth_on = now() - interval '16 years 1 month' WHERE id = :id", id=book.citizen
    )
    stand.as_owner(
        "INSERT INTO auth.representation (id, dependant_id, representative_id, kind, evidence, valid_from, added_at, "
        "accepted_at) VALUES (gen_random_uuid(), :child, :parent, 'PARENT', 'PAPER', '2020-01-01', now(), now())",
        child=book.citizen,
        parent=helper.citizen,
    )
    copy = Copy(book, token=helper.token, whose=str(book.citizen))
    copy.sync(first=1)
    assert copy.was_reset
    hidden = book.read("allergies { id }")["allergies"][0]["id"]
    assert hidden in copy.kept
    mask = "mutation($input: MaskRecordsInput!) { maskRecords(input: $input) { changed } }"
    assert "errors" not in book.post(mask, input={"idempotencyKey": "m-1", "recordIds": [hidden]})
    copy.sync(first=1)
    assert (copy.was_reset, copy.gone) == (True, [])
    assert hidden not in copy.kept
    assert copy.kept


def test_a_cursor_of_another_book_or_of_no_book_begins_anew(book: Book, stand: Stand, http: httpx.Client) -> None:
    other, copy = Book(stand, http), Copy(book)
    copy.sync()
    for cursor in (copy.cursor, "", "x", "0" * 16 + ".9999999999999999999", "0123456789abcdef.1.2"):
        strange = Copy(other, cursor=cursor)
        strange.sync()
        assert strange.was_reset
        assert strange.kept == shown(other)


@pytest.mark.parametrize("first", [0, -1, 1001])
def test_pages_have_bounds(book: Book, first: int) -> None:
    (error,) = book.post(CHANGES, first=first)["errors"]
    assert (error["extensions"]["code"], error["message"]) == ("INVALID", "Tham số first phải từ 1 đến 1000.")


def test_a_page_size_that_is_null_is_the_usual_one(book: Book) -> None:
    nullable = CHANGES.replace("$first: Int! = 200", "$first: Int")

    answers = [book.post(nullable, first=None)["data"], book.post(nullable)["data"], book.post(CHANGES)["data"]]
    for answer in answers:
        answer["bookChanges"].pop("cursor")  # moves with whatever else is written
    assert answers[0] == answers[1] == answers[2]
    assert answers[0]["bookChanges"]["records"]


def test_a_book_that_one_may_not_open_is_not_found(book: Book, stand: Stand, http: httpx.Client) -> None:
    other = Book(stand, http)
    for wanted in (str(other.citizen), str(UUID(int=5)), "x"):
        (error,) = book.post(CHANGES, id=wanted)["errors"]
        assert error["extensions"]["code"] == "NOT_FOUND"


def test_a_report_that_is_named_by_a_later_message_is_told(book: Book, stand: Stand) -> None:
    service = {"MA_VAT_TU": "", "TEN_VAT_TU": "", "MA_NHOM": "2", "MA_DICH_VU": "18.0119.0028"}
    result = {"MA_DICH_VU": "18.0119.0028", "KET_LUAN": "Bình thường"}
    shows = "testResults { nodes { id serviceName category provenance { version } } }"
    sender, copy = stand.facility(), Copy(book)

    def sends(made: str, table: str, name: str = "") -> dict[str, str]:
        told = tables_of(book.member, "XML1", table, XML3={**service, "TEN_DICH_VU": name}, XML4=result)
        body = messages.envelope(messages.visit_xml(told), facility=book.member.facility, issued=made)
        kept = stand.keep(body, token=sender)
        assert stand.process(kept) == "filed"
        verdict = stand.receipt(kept, token=sender).verdict
        assert verdict is not None
        copy.sync()
        return {record["kind"]: record["change"] for record in verdict["visits"][0]["records"]}

    sends("202611210800", "XML4")
    for made, name, version, change in (
        ("202611210900", "Chụp phổi", 2, "replaced"),
        ("202611211000", "Chụp phổi thẳng", 3, "replaced"),
        ("202611211100", "Chụp phổi thẳng", 3, None),
    ):
        assert sends(made, "XML3", name).get("TEST_REPORT") == change
        (report,) = book.read(shows)["testResults"]["nodes"]
        assert (report["serviceName"], report["category"]) == (name, "IMAGING")
        assert report["provenance"]["version"] == version == copy.kept[report["id"]]
