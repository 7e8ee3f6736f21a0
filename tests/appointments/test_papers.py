"""Re-examination papers and days of coming again become appointments by themselves, once."""

import itertools
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.db import Login
from tests.appointments.clinic import CANCEL, Clinic, Person, bearer, contradictions, schedule, tomorrow
from tests.attacks import tries
from tests.attacks.crowd import Member
from tests.ingestion import messages
from tests.ingestion.messages import EVERY
from tests.people import Stand

_NUMBERS = itertools.count(5_100)
AGAIN = tomorrow(10)
DAY, MOMENT = f"{AGAIN:%Y%m%d}", f"{AGAIN:%Y%m%d}0800"
AT_EIGHT = f"{AGAIN.isoformat()}T01:00:00Z"


class Patient:
    """A citizen about whom one hospital sends messages of one visit."""

    def __init__(self, stand: Stand, http: httpx.Client) -> None:
        self.stand, self.http = stand, http
        self.member = Member(number=next(_NUMBERS))
        self.sender = stand.facility(self.member.facility)

    def send(self, *tables: str, issued: str = "20261120", **changes: Mapping[str, str]) -> None:
        """File a message of the visit; tables that are not named are not sent, an empty change sends no line."""
        sent = {}
        for name in ("XML1", *tables):
            line = {**self.member.tables()[name][0]} if name in self.member.tables() else {**EVERY[name]}
            line |= {"MA_LK": self.member.visit_id, "HO_TEN": self.member.name, **changes.get(name, {})}
            sent[name] = [line]
        body = messages.envelope(messages.visit_xml(sent), facility=self.member.facility, issued=issued)
        assert self.stand.file(body, token=self.sender) == "filed"

    def take_back(self, **record: str) -> None:
        """Withdraw the visit, or one record of it."""
        asked: dict[str, Any] = {"visit": self.member.visit_id, "reason": "Gửi nhầm"}
        if record:
            asked["record"] = record
        answer = self.http.post("/ingest/withdrawals", json=asked, headers=bearer(self.sender))
        assert answer.status_code == 202, answer.text
        self.stand.process(UUID(answer.json()["messageId"]))

    @property
    def person(self) -> Person:
        """Return the citizen, signed in."""
        citizen = self.stand.citizen_by(self.member.personal_id)
        return Person(citizen, self.stand.citizen_token(citizen))

    @property
    def clinic(self) -> Clinic:
        """Return the questions that a citizen asks."""
        return Clinic(self.stand, self.http, code=self.member.facility)

    def shown(self) -> list[dict[str, Any]]:
        """Return the appointments that the book shows, the soonest first."""
        return self.clinic.appointments(self.person, order="SOONEST_FIRST")


@pytest.fixture
def patient(stand: Stand, http: httpx.Client) -> Patient:
    return Patient(stand, http)


def test_a_paper_becomes_an_appointment_once(patient: Patient) -> None:
    again: dict[str, Any] = {"XML1": {"NGAY_TAI_KHAM": DAY}, "XML14": {"NGAY_HEN_KL": MOMENT}}
    patient.send("XML14", **again)
    patient.send("XML14", issued="20261121", **again)  # a resend, and the visit tells the same day

    (found,) = patient.shown()

    assert (found["origin"], found["state"], found["startsAt"], found["isWholeDay"]) == (
        "PAPER",
        "LIVE",
        AT_EIGHT,
        False,
    )
    assert found["facility"] == {"code": patient.member.facility}
    assert patient.clinic.events(patient.person).count("APPOINTMENT_BOOKED") == 1


def test_a_day_without_a_paper_is_a_whole_day(patient: Patient) -> None:
    patient.send(XML1={"NGAY_TAI_KHAM": f"{DAY};{tomorrow(20):%Y%m%d}"})

    first, second = patient.shown()

    assert first["isWholeDay"] is second["isWholeDay"] is True
    assert first["startsAt"] == f"{tomorrow(9).isoformat()}T17:00:00Z"  # midnight in Viet Nam
    assert first["endsAt"] is None


def test_a_paper_that_comes_later_takes_the_days_place(patient: Patient) -> None:
    patient.send(XML1={"NGAY_TAI_KHAM": DAY})
    patient.send("XML14", issued="20261121", XML1={"NGAY_TAI_KHAM": DAY}, XML14={"NGAY_HEN_KL": MOMENT})

    live = [one for one in patient.shown() if one["state"] == "LIVE"]

    assert [(one["startsAt"], one["isWholeDay"]) for one in live] == [(AT_EIGHT, False)]


def test_a_corrected_paper_moves_it(patient: Patient) -> None:
    patient.send("XML14", XML1={"NGAY_TAI_KHAM": ""}, XML14={"NGAY_HEN_KL": MOMENT})
    (before,) = patient.shown()
    later = f"{tomorrow(12):%Y%m%d}1330"
    patient.send("XML14", issued="20261121", XML1={"NGAY_TAI_KHAM": ""}, XML14={"NGAY_HEN_KL": later})

    (after,) = patient.shown()

    assert after["id"] == before["id"]
    assert (after["state"], after["startsAt"]) == ("LIVE", f"{tomorrow(12).isoformat()}T06:30:00Z")
    assert patient.clinic.events(patient.person)[-1] == "APPOINTMENT_CHANGED"


@pytest.mark.parametrize("what", ["the visit", "the paper"])
def test_what_is_withdrawn_is_cancelled(patient: Patient, what: str) -> None:
    patient.send("XML14", XML1={"NGAY_TAI_KHAM": ""}, XML14={"NGAY_HEN_KL": MOMENT})
    (key,) = patient.stand.as_owner("SELECT source_id FROM care.appointment WHERE citizen_id = :c", c=patient.person.id)
    if what == "the visit":
        patient.take_back()
    else:
        patient.take_back(kind="DOCUMENT", key=key.source_id.partition(" paper ")[2])

    (found,) = patient.shown()

    assert (found["state"], found["cancelledBy"]) == ("CANCELLED", "FACILITY")
    assert patient.clinic.events(patient.person)[-1] == "APPOINTMENT_CANCELLED"


def test_a_day_that_a_correction_leaves_out_is_cancelled(patient: Patient) -> None:
    patient.send(XML1={"NGAY_TAI_KHAM": DAY})
    patient.send(issued="20261121", XML1={"NGAY_TAI_KHAM": ""})

    assert [one["state"] for one in patient.shown()] == ["CANCELLED"]


def test_what_its_citizen_cancelled_stays_so_until_it_is_moved(patient: Patient) -> None:
    patient.send(XML1={"NGAY_TAI_KHAM": DAY})
    (made,) = patient.shown()
    patient.clinic.do(patient.person, CANCEL, appointmentId=made["id"])

    patient.send(issued="20261121", XML1={"NGAY_TAI_KHAM": DAY, "GHI_CHU": "Sửa lời dặn"})
    assert [one["cancelledBy"] for one in patient.shown()] == ["CITIZEN"]
    patient.send(issued="20261122", XML1={"NGAY_TAI_KHAM": f"{tomorrow(12):%Y%m%d}"})
    assert [one["state"] for one in patient.shown()] == ["CANCELLED", "LIVE"]


def test_what_is_past_is_shown_and_not_told(patient: Patient) -> None:
    patient.send(XML1={"NGAY_TAI_KHAM": "20261121"})

    assert [one["startsAt"] for one in patient.shown()] == ["2026-11-20T17:00:00Z"]
    assert patient.clinic.events(patient.person) == []


def test_a_paper_never_stands_in_the_way_of_a_booking(patient: Patient, clinic: Clinic) -> None:
    patient.send("XML14", XML1={"NGAY_TAI_KHAM": ""}, XML14={"NGAY_HEN_KL": MOMENT})
    clinic.publish({
        "code": "A", "departmentCode": "K03", "capacity": 1, "slotMinutes": 60, "validFrom": AGAIN.isoformat(),
        "validUntil": AGAIN.isoformat(), "weekly": [],
        "exceptions": [{"on": AGAIN.isoformat(), "hours": [{"from": "08:00", "to": "09:00"}]}],
    })  # fmt: skip
    person = patient.person
    clinic.book(person, clinic.slots(person)[0])

    assert sorted(one["origin"] for one in patient.shown()) == ["BOOKED", "PAPER"]
    assert not contradictions(patient.stand)


def open_at(patient: Patient, department: str) -> Clinic:
    """Publish one hour of the day of coming again, in the patient's own hospital."""
    clinic = Clinic(patient.stand, patient.http, code=patient.member.facility, token=patient.sender)
    hours = [{"on": AGAIN.isoformat(), "hours": [{"from": "08:00", "to": "09:00"}]}]
    published = clinic.publish(
        schedule(
            f"{department}-AGAIN", departmentCode=department, capacity=50, slotMinutes=60, weekly=[], exceptions=hours
        )
    )
    assert published.status_code == 200, published.text
    return clinic


TOLD = {
    "paper": ({"XML1": {"NGAY_TAI_KHAM": ""}, "XML14": {"NGAY_HEN_KL": MOMENT}}, ("XML14",)),
    "day": ({"XML1": {"NGAY_TAI_KHAM": DAY}}, ()),
}


@pytest.mark.parametrize("told", TOLD)
@pytest.mark.parametrize("first", ["told", "booked"])
def test_a_paper_and_a_booking_of_its_hour_are_one_whichever_came_first(
    patient: Patient, told: str, first: str
) -> None:
    changes, tables = TOLD[told]
    patient.send(issued="20261114", XML1={"NGAY_TAI_KHAM": ""})
    person, days = patient.person, iter(("20261115", "20261116", "20261117"))

    def tell() -> None:
        day = next(days)
        patient.send(*tables, issued=day, XML1={**changes["XML1"], "GHI_CHU": day}, XML14=changes.get("XML14", {}))

    if first == "told":
        tell()
        (before,) = patient.shown()
    clinic = open_at(patient, "K01")
    (slot,) = clinic.slots(person, department="K01")
    made = clinic.book(person, slot, reason="Khám lại")
    if first == "told":
        assert made["id"] == before["id"]
    tell()

    (found,) = patient.shown()
    assert (found["id"], found["origin"], found["state"]) == (made["id"], "BOOKED", "LIVE")
    assert (found["startsAt"], found["isWholeDay"], found["reason"]) == (AT_EIGHT, False, "Khám lại")
    clinic.do(person, CANCEL, appointmentId=made["id"])
    tell()
    assert [one["cancelledBy"] for one in patient.shown()] == ["CITIZEN"]
    assert not contradictions(patient.stand)


def test_a_booking_elsewhere_is_another_appointment(patient: Patient) -> None:
    patient.send(XML1={"NGAY_TAI_KHAM": DAY})
    clinic = open_at(patient, "K18")
    (slot,) = clinic.slots(patient.person, department="K18")
    clinic.book(patient.person, slot)

    assert sorted(one["origin"] for one in patient.shown()) == ["BOOKED", "PAPER"]


@pytest.mark.asyncio
async def test_the_worker_writes_appointments_of_the_books_that_a_message_opened(patient: Patient) -> None:
    """No row that is not in the transaction of a message about its citizen."""
    filing = "SELECT care.file_appointments($1, '01901', 'visit x', 'PAPER', '[]')"
    async with tries.as_login(patient.stand, Login.WORKER) as worker:
        assert await tries.sqlstate_of(worker, filing, UUID(int=9)) == tries.NO_BOOK
        assert await tries.sqlstate_of(worker, "SELECT * FROM care.appointment") == tries.DENIED
        assert await tries.sqlstate_of(worker, "UPDATE care.slot SET taken = 0") == tries.DENIED
