"""Patients that come late, are told otherwise, linked or deleted: nothing is lost, or stands in another's book."""

import asyncio
import itertools
from functools import partial
from typing import Any

import httpx
import pytest

from app.core.context import run_step
from app.core.db import Login, Session, open_engine
from app.core.settings import Settings
from app.ingestion import processing
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.door import codes
from tests.ingestion.fhir.test_one_by_one import Sender
from tests.people import Stand, now


@pytest.fixture
def sender(http: httpx.Client, stand: Stand) -> Sender:
    return Sender(http, stand)


@pytest.fixture
def other(http: httpx.Client, stand: Stand) -> Sender:
    return Sender(http, stand)


def glucose(sender: Sender) -> Json:
    return sender.of_visit(bundles.everything()["glucose"], "g")


def work_off(stand: Stand) -> None:
    """Work off what waits, until nothing does."""
    waiting = "SELECT id FROM intake.message WHERE status = 'received' ORDER BY received_at, id"
    while rows := stand.as_owner(waiting):
        for row in rows:
            stand.process(row.id)


def held(stand: Stand) -> list[Any]:
    return [row.status for row in stand.as_owner("SELECT status FROM intake.message WHERE status <> 'filed'")]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_b170_patient_visit_and_result_that_come_in_any_order_come_into_the_book(
    sender: Sender, stand: Stand, order: tuple[int, ...]
) -> None:
    parts = (sender.patient, sender.encounter, glucose(sender))
    before = held(stand)
    for place in order:
        sender.send(parts[place])
        work_off(stand)

    book = sender.book()
    assert len(book["visits"]["nodes"]) == 1
    assert [one["results"] for one in book["testResults"]["nodes"]] == [[{"name": "Glucose", "value": "5.60"}]]
    assert held(stand) == before


def test_a_patient_and_a_visit_that_are_worked_off_at_once_miss_each_other_not(
    sender: Sender, stand: Stand, settings: Settings
) -> None:
    kept = [
        sender.door.push(
            bundles.encoded({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one}]})
        )
        for one in (sender.patient, sender.encounter)
    ]

    async def together() -> None:
        engine = open_engine(settings, Login.WORKER, size=2)

        async def one(message_id: Any) -> None:
            step = partial(processing.process_message, message_id=message_id, vault=stand.vault, now=now())

            async def go(session: Session) -> str | None:
                return await step(session)

            await run_step(engine, go)

        try:
            await asyncio.gather(*(one(answer.json()["messageId"]) for answer in kept))
        finally:
            await engine.dispose()

    asyncio.run(together())
    work_off(stand)
    assert [sender.door.receipt(answer.json()["messageId"])["status"] for answer in kept] == ["filed", "filed"]


@pytest.mark.parametrize("changed", [{"name": [{"text": "Trần Văn Nam"}]}, {"birthDate": "1951-02-03"}])
def test_b161_what_refers_to_a_patient_who_is_told_otherwise_waits_until_that_is_clear(
    sender: Sender, stand: Stand, changed: Json
) -> None:
    sender.send(sender.patient, sender.encounter)
    assert codes(sender.send(sender.patient | changed)) == ["NAME_DIFFERS" if "name" in changed else "BIRTH_DIFFERS"]
    assert codes(sender.send(glucose(sender))) == ["PATIENT_NOT_KNOWN"]

    sender.send(sender.patient | {"active": True})
    work_off(stand)
    assert len(sender.book()["testResults"]["nodes"]) == 1


def test_who_was_registered_alone_is_corrected_by_being_told_again(sender: Sender) -> None:
    sender.send(sender.patient | {"name": [{"text": "Trần Văn Nam"}]})
    sender.send(sender.patient | {"birthDate": "1951-02-03"})
    assert sender.send(sender.patient, sender.encounter)["status"] == "filed"
    assert sender.book()["owner"]["fullName"] == sender.patient["name"][0]["text"]


def test_b161_a_patient_who_is_told_with_the_number_of_another_means_nobody(sender: Sender, other: Sender) -> None:
    other.send(other.patient)
    sender.send(sender.patient)
    swapped = sender.patient | {"identifier": other.patient["identifier"]}
    assert sender.send(swapped)["status"] == "quarantined"
    assert codes(sender.send(sender.encounter)) == ["PATIENT_NOT_KNOWN"]


def test_the_same_patient_without_a_number_is_who_it_was(sender: Sender) -> None:
    sender.send(sender.patient)
    assert codes(sender.send(sender.patient | {"identifier": []})) == ["IDENTIFIER_NONE"]
    assert sender.send(sender.encounter)["status"] == "filed"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"link": [{"other": {"reference": "Patient/x"}, "type": "replaced-by"}], "active": False}, "link"),
        ({"link": [{"other": {"reference": "Patient/x"}, "type": "seealso"}]}, "link"),
        ({"active": False}, "active"),
    ],
)
def test_a_link_of_the_hospitals_joins_no_books_and_is_told(
    sender: Sender, other: Sender, changed: Json, told: str
) -> None:
    other.send(other.patient | {"id": "x"})
    receipt = sender.send(sender.patient | changed, sender.encounter)
    assert (receipt["status"], codes(receipt)) == ("filed", ["PATIENT_LINK"])
    assert receipt["problems"][0]["path"].endswith(told)
    assert (len(sender.book()["visits"]["nodes"]), len(other.book()["visits"]["nodes"])) == (1, 0)


def test_two_patients_with_one_persons_numbers_are_one_person(sender: Sender) -> None:
    sender.send(sender.patient, sender.encounter)
    kept = sender.patient | {
        "id": f"k-{sender.mark}",
        "link": [{"other": {"reference": "Patient/x"}, "type": "replaces"}],
    }
    visit = sender.encounter | {
        "id": f"e2-{sender.mark}",
        "identifier": [{"system": f"{bundles.SID}/ma-lk", "value": f"V2-{sender.mark}"}],
        "subject": {"reference": f"Patient/k-{sender.mark}"},
    }
    sender.send(kept)
    sender.send(visit)
    assert len(sender.book()["visits"]["nodes"]) == 2


def test_a_patient_that_is_deleted_means_nobody_and_its_records_stay(sender: Sender) -> None:
    sender.send(sender.patient, sender.encounter)
    gone = {"method": "DELETE", "url": f"Patient/p-{sender.mark}"}
    delete = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": gone}]}
    receipt = sender.door.concluded(bundles.encoded(delete))
    assert (receipt["status"], receipt["entries"][0]["outcome"], codes(receipt)) == (
        "filed",
        "withdrawn",
        ["PATIENT_RECORDS_STAY"],
    )
    assert codes(sender.send(glucose(sender))) == ["PATIENT_NOT_KNOWN"]
    assert len(sender.book()["visits"]["nodes"]) == 1


def test_who_was_registered_by_mistake_and_deleted_leaves_the_number_to_its_owner(
    sender: Sender, other: Sender, stand: Stand
) -> None:
    other.send(other.patient | {"identifier": sender.patient["identifier"][:1]})
    assert codes(sender.send(sender.patient, sender.encounter))[:1] == ["BIRTH_DIFFERS"]
    gone = {"method": "DELETE", "url": f"Patient/p-{other.mark}"}
    delete = {"resourceType": "Bundle", "type": "transaction", "entry": [{"request": gone}]}
    other.door.concluded(bundles.encoded(delete))

    receipt = sender.send(sender.patient, sender.encounter, glucose(sender))
    assert receipt["status"] == "filed"
    work_off(stand)
    live = stand.as_owner(
        "SELECT citizen_id FROM auth.identifier WHERE lookup = :lookup AND valid_until IS NULL",
        lookup=stand.vault.index.of(sender.personal_id, kind="PERSONAL_ID"),
    )
    visits = stand.as_owner("SELECT DISTINCT source_id FROM auth.filing WHERE citizen_id = :id", id=live[0].citizen_id)
    assert {row.source_id for row in visits} == {f"V-{sender.mark}"}


@pytest.mark.parametrize("name", ["NguyÔn V¨n §øc", "Nguy?n Th? H?ng"])
def test_b161_a_name_whose_letters_were_lost_registers_nobody(sender: Sender, name: str) -> None:
    assert codes(sender.send(sender.patient | {"name": [{"text": name}]})) == ["NAME_GARBLED"]
    assert sender.send(sender.patient, sender.encounter)["status"] == "filed"


@pytest.mark.parametrize(
    ("told", "expected"),
    [(None, "ELEMENT_MISSING"), ("hôm qua", "ELEMENT_MALFORMED"), ("1850-01-01", "BEFORE_1900")],
)
def test_b163_a_birth_that_was_not_told_is_not_called_too_early(
    sender: Sender, told: str | None, expected: str
) -> None:
    others = {name: value for name, value in sender.patient.items() if name != "birthDate"}
    assert codes(sender.send(others | ({} if told is None else {"birthDate": told}))) == [expected]


def test_b161_a_transaction_that_waits_has_registered_nobody(sender: Sender, other: Sender) -> None:
    """Another entry of it waits: the number that it wrote for the wrong person is free."""
    wrong = other.patient | {"identifier": sender.patient["identifier"]}
    waits = other.encounter | {
        "id": f"x-{other.mark}",
        "identifier": [],
        "subject": {"reference": "Patient/nobody"},
    }
    entries = [
        {
            "resource": one,
            "request": {"method": "POST", "url": one["resourceType"]},
            "fullUrl": f"http://h.example/{at}",
        }
        for at, one in enumerate((wrong, other.encounter, waits))
    ]
    receipt = sender.door.concluded(
        bundles.encoded({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    )
    assert receipt["status"] == "quarantined"

    assert sender.send(sender.patient, sender.encounter)["status"] == "filed"
    assert len(sender.book()["visits"]["nodes"]) == 1
