"""A citizen shows the book to a doctor, sees who looked, takes it back; another books a time and has it in a calendar.

Everything goes over HTTP by the documents that apps send (`graphql/trusted.json`).
"""

import json
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Login
from app.notifications import telling
from tests.appointments.clinic import schedule, tomorrow
from tests.attacks.crowd import Member, message
from tests.people import Stand, now
from tests.sharing.sharing import Clinic

OPERATIONS = Path(__file__).parents[2] / "graphql" / "trusted.json"
IDS = {one["file"]: one["id"] for one in json.loads(OPERATIONS.read_text(encoding="utf-8"))}
FACILITY, OTHER_FACILITY = "01901", "79001"
PATIENT, BOOKER = Member(number=811), Member(number=812)
SHARED = ["VISITS", "PRESCRIPTIONS", "TEST_RESULTS"]


@dataclass(frozen=True, slots=True)
class App:
    """Somebody's app: one token, and the documents of the release."""

    http: httpx.Client
    token: str

    def send(self, document: str, **variables: Any) -> dict[str, Any]:
        """Send a document and return the whole answer."""
        answer = self.http.post(
            "/graphql",
            json={"documentId": IDS[f"{document}.graphql"], "variables": variables},
            headers={"Authorization": f"Bearer {self.token}", "Accept-Language": "en"},
        )
        body: dict[str, Any] = answer.json()
        return body

    def read(self, document: str, **variables: Any) -> dict[str, Any]:
        """Send a document that must be answered and return its one root field."""
        body = self.send(document, **variables)
        assert "errors" not in body, body
        (found,) = body["data"].values()
        answer: dict[str, Any] = found
        return answer

    def do(self, document: str, **given: Any) -> dict[str, Any]:
        """Send a mutation that must succeed and return its payload."""
        return self.read(document, input={"idempotencyKey": uuid4().hex, **given})

    def refusal(self, document: str, **variables: Any) -> str:
        """Send a document that must be refused and return the error's code."""
        (error,) = self.send(document, **variables)["errors"]
        code: str = error["extensions"]["code"]
        return code

    def sentences(self) -> list[str]:
        """Return what the visitors' book says, newest line first."""
        return [edge["node"]["sentence"] for edge in self.read("citizen/AccessLog")["edges"]]


@dataclass(frozen=True, slots=True)
class Town:
    """Two citizens with books, and the token of the hospital that filed them."""

    patient: UUID
    booker: UUID
    hospital: str


@pytest.fixture(scope="module")
def town(stand: Stand) -> Town:
    hospital = stand.facility(FACILITY, name="Bệnh viện Thử nghiệm")
    stand.facility(OTHER_FACILITY, name="Bệnh viện khác")
    assert stand.file(message(PATIENT, BOOKER), token=hospital) == "filed"
    return Town(stand.citizen_by(PATIENT.personal_id), stand.citizen_by(BOOKER.personal_id), hospital)


def notices(stand: Stand, app: App) -> list[str]:
    """Let the worker tell what has happened, and return the kinds that the app lists, newest first."""
    for event in stand.as_owner("SELECT id FROM notice.event ORDER BY happened_at, id"):
        stand.run(Login.WORKER, partial(telling.tell, event_ids=[event.id], now=now()))
    return [one["kind"] for one in app.read("citizen/Notices")["nodes"]]


def test_a_doctor_reads_what_a_citizen_shares_until_it_is_taken_back(
    stand: Stand, http: httpx.Client, town: Town
) -> None:
    clinic = Clinic(stand, http)
    citizen = App(http, clinic.citizen(town.patient))
    doctor = App(http, clinic.doctor("Trần Văn Đức", facility=FACILITY))
    stranger = App(http, clinic.doctor("Lê Thị Ngọc", facility=OTHER_FACILITY))

    made = citizen.do("citizen/CreateShareCode", scope={"sections": SHARED}, purpose="TREATMENT", withPin=True)
    asked = {"code": made["code"], "facilityCode": FACILITY, "purpose": "TREATMENT"}
    wrong = {"idempotencyKey": uuid4().hex, **asked, "pin": f"{(int(made['pin']) + 1) % 1_000_000:06d}"}
    assert doctor.refusal("doctor/RedeemShareCode", input=wrong) == "REFUSED"
    redeemed = doctor.do("doctor/RedeemShareCode", **asked, pin=made["pin"])
    grant = redeemed["grant"]["id"]

    own = citizen.read("citizen/Visits")["visits"]["edges"]
    shared = doctor.read("doctor/SharedBook", grantId=grant)
    assert [one["id"] for one in shared["visits"]["nodes"]] == [one["node"]["id"] for one in own]
    assert own
    assert shared["documents"] is None
    assert shared["scope"]["sections"] == SHARED
    assert stranger.refusal("doctor/SharedBook", grantId=grant) == "NOT_FOUND"
    assert citizen.refusal("doctor/SharedBook", grantId=grant) in {"NOT_FOUND", "UNAUTHENTICATED"}

    said = citizen.sentences()
    assert [("Trần Văn Đức" in one, "Bệnh viện Thử nghiệm" in one) for one in said[:2]] == [(True, True)] * 2
    assert {"BOOK_OPENED", "CODE_REDEEMED"} <= set(notices(stand, citizen))

    taken_back = citizen.do("citizen/RevokeGrant", grantId=grant)
    assert taken_back["grant"]["state"] == "REVOKED"
    views = len(citizen.sentences())
    assert doctor.refusal("doctor/SharedBook", grantId=grant) == "NOT_FOUND"
    assert len(citizen.sentences()) == views
    again = {"idempotencyKey": uuid4().hex, **asked, "pin": made["pin"]}
    assert doctor.refusal("doctor/RedeemShareCode", input=again) == "REFUSED"


def test_a_citizen_books_a_time_and_reads_it_in_a_calendar(stand: Stand, http: httpx.Client, town: Town) -> None:
    published = http.post(
        "/ingest/schedules", json={"schedules": [schedule()]}, headers={"Authorization": f"Bearer {town.hospital}"}
    )
    assert published.status_code == 200, published.text
    citizen = App(http, stand.citizen_token(town.booker))
    days: dict[str, Any] = {"from": tomorrow().isoformat(), "to": tomorrow(2).isoformat()}
    slots = citizen.read("citizen/Slots", facilityCode=FACILITY, **days)["nodes"]

    booked = citizen.do("citizen/BookAppointment", slotId=slots[0]["id"], reason="Khám lại")["appointment"]
    left = citizen.read("citizen/Slots", facilityCode=FACILITY, **days)["nodes"]

    assert booked["startsAt"] == slots[0]["startsAt"]
    assert slots[0]["id"] not in {one["id"] for one in left if one["remaining"]}
    assert notices(stand, citizen)[0] == "APPOINTMENT_BOOKED"

    feed = citizen.do("citizen/CreateCalendarFeed")["url"]
    calendar = http.get("/calendar/" + feed.rpartition("/")[2])
    assert calendar.headers["content-type"].startswith("text/calendar")
    assert "Khám lại" not in calendar.text
    text = calendar.text.replace("\r\n ", "")
    (event,) = [one for one in text.split("BEGIN:VEVENT") if booked["id"] in one]
    assert f"DTSTART;TZID=Asia/Ho_Chi_Minh:{tomorrow():%Y%m%d}T080000" in event
    assert f"DTEND;TZID=Asia/Ho_Chi_Minh:{tomorrow():%Y%m%d}T081500" in event

    citizen.do("citizen/RevokeCalendarFeed")
    assert http.get("/calendar/" + feed.rpartition("/")[2]).status_code == 404
