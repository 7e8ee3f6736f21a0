"""Appointments that a hospital sends by FHIR become appointments of the book by themselves, once."""

import itertools
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.appointments.clinic import CANCEL, Clinic, Person, tomorrow
from tests.ingestion import messages
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.people import Stand

_NUMBERS = itertools.count(41_000)
FACILITY = "01901"
EIGHT = {"start": f"{tomorrow(10)}T08:00:00+07:00", "end": f"{tomorrow(10)}T08:30:00+07:00"}
NINE = {"start": f"{tomorrow(12)}T02:00:00Z", "end": f"{tomorrow(12)}T02:15:00Z"}
AT_EIGHT, AT_NINE = f"{tomorrow(10)}T01:00:00Z", f"{tomorrow(12)}T02:00:00Z"


class Patient:
    """A person for whom a hospital keeps an appointment in its own system."""

    def __init__(self, stand: Stand, http: httpx.Client) -> None:
        self.stand, self.http = stand, http
        self.number = str(next(_NUMBERS))
        self.personal_id = f"0011850{self.number}"
        self.token = stand.facility(FACILITY)

    def message(self, *, made: str = "2026-11-20T11:00:00+07:00", **changed: Any) -> Json:
        """Return a bundle of the person and the appointment; None drops an element."""
        told = bundles.everything()
        told["patient"]["identifier"] = [{"system": f"{bundles.SID}/cccd", "value": self.personal_id}]
        told["patient"]["id"] = f"pat-{self.number}"
        told["revisit"] |= {"id": f"app-{self.number}", **EIGHT, **changed}
        told["revisit"] = {name: value for name, value in told["revisit"].items() if value is not None}
        return bundles.bundle({name: told[name] for name in ("patient", "doctor", "revisit")}, made=made)

    def send(self, document: Json) -> dict[str, Any]:
        """File a message and return its receipt."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/fhir+json"}
        answer = self.http.post("/ingest/fhir", content=json.dumps(document).encode(), headers=headers)
        assert answer.status_code == 202, answer.text
        told = answer.json()["messageId"]
        self.stand.process(told)
        receipt: dict[str, Any] = self.http.get(f"/ingest/messages/{told}", headers=headers).json()
        return receipt

    def outcome(self, document: Json) -> str:
        """File a message and return what became of the appointment."""
        (found,) = [one for one in self.send(document)["entries"] if one["resource"] == "Appointment"]
        outcome: str = found["outcome"]
        return outcome

    @property
    def person(self) -> Person:
        citizen = self.stand.citizen_by(self.personal_id)
        return Person(citizen, self.stand.citizen_token(citizen))

    @property
    def clinic(self) -> Clinic:
        return Clinic(self.stand, self.http, code=FACILITY)

    def shown(self) -> list[tuple[str, str, str | None]]:
        """Return state, beginning and canceller of each appointment that the book shows."""
        found = self.clinic.appointments(self.person, order="SOONEST_FIRST")
        return [(one["state"], one["startsAt"], one["cancelledBy"]) for one in found]


@pytest.fixture
def patient(stand: Stand, http: httpx.Client) -> Patient:
    return Patient(stand, http)


def test_an_appointment_is_made_once(patient: Patient) -> None:
    assert patient.outcome(patient.message()) == "added"
    assert patient.outcome(patient.message(comment="Nhịn ăn sáng")) == "unchanged"

    (found,) = patient.clinic.appointments(patient.person)

    assert (found["origin"], found["startsAt"], found["endsAt"]) == ("FACILITY", AT_EIGHT, f"{tomorrow(10)}T01:30:00Z")
    assert (found["departmentCode"], found["facility"], found["isWholeDay"]) == ("K01", {"code": FACILITY}, False)
    assert patient.clinic.events(patient.person) == ["APPOINTMENT_BOOKED"]


def test_it_is_moved_called_off_and_made_again(patient: Patient) -> None:
    patient.send(patient.message())

    assert patient.outcome(patient.message(made="2026-11-20T12:00:00+07:00", **NINE)) == "replaced"
    assert patient.shown() == [("LIVE", AT_NINE, None)]
    assert patient.outcome(patient.message(made="2026-11-20T13:00:00+07:00", status="cancelled")) == "withdrawn"
    assert patient.shown() == [("CANCELLED", AT_NINE, "FACILITY")]
    assert patient.outcome(patient.message(made="2026-11-20T14:00:00+07:00")) == "replaced"
    assert patient.shown() == [("LIVE", AT_EIGHT, None)]
    told = patient.clinic.events(patient.person)
    assert told == ["APPOINTMENT_BOOKED", "APPOINTMENT_CHANGED", "APPOINTMENT_CANCELLED", "APPOINTMENT_CHANGED"]


LAST: dict[str, tuple[Json, list[tuple[str, str, str | None]]]] = {
    "moved": (NINE, [("LIVE", AT_NINE, None)]),
    "cancelled": ({"status": "cancelled", "start": None, "end": None}, []),
    "entered in error": ({"status": "entered-in-error"}, []),
}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("last", LAST)
def test_messages_in_any_order_end_alike(patient: Patient, last: str, order: tuple[int, ...]) -> None:
    changed, ends = LAST[last]
    versions = [
        patient.message(made="2026-11-20T11:00:00+07:00"),
        patient.message(made="2026-11-20T12:00:00+07:00", start=f"{tomorrow(11)}T08:00:00+07:00", end=None),
        patient.message(made="2026-11-20T13:00:00+07:00", **changed),
    ]
    for number in order:
        patient.send(versions[number])

    live = [one for one in patient.shown() if one[0] == "LIVE"]

    assert live == ends
    assert len(patient.shown()) <= 1
    assert patient.outcome(patient.message(comment="Nhịn ăn sáng")) == "outdated"


@pytest.mark.parametrize("status", ["proposed", "pending", "waitlist"])
def test_what_is_not_settled_is_no_appointment(patient: Patient, status: str) -> None:
    receipt = patient.send(patient.message(status=status))

    (entry,) = [one for one in receipt["entries"] if one["resource"] == "Appointment"]
    assert (receipt["status"], entry["outcome"], entry["reason"]) == ("filed", "ignored", "NOT_DONE")
    assert patient.shown() == []


@pytest.mark.parametrize("status", ["arrived", "fulfilled", "noshow", "checked-in"])
def test_what_came_to_pass_or_did_not_is_shown_and_not_told(patient: Patient, status: str) -> None:
    past = {"start": "2026-11-19T08:00:00+07:00", "end": "2026-11-19T08:30:00+07:00"}

    assert patient.outcome(patient.message(status=status, **past)) == "added"
    assert patient.shown() == [("LIVE", "2026-11-19T01:00:00Z", None)]
    assert patient.clinic.events(patient.person) == []


def test_a_delete_calls_it_off_and_what_was_made_before_stays_away(patient: Patient) -> None:
    patient.send(patient.message())
    entry = {"request": {"method": "DELETE", "url": f"Appointment/app-{patient.number}"}}

    assert patient.outcome({"resourceType": "Bundle", "type": "transaction", "entry": [entry]}) == "withdrawn"
    assert patient.shown() == [("CANCELLED", AT_EIGHT, "FACILITY")]
    assert patient.outcome(patient.message(**NINE)) == "withdrawn"
    assert patient.shown() == [("CANCELLED", AT_EIGHT, "FACILITY")]


def test_what_its_citizen_cancelled_stays_so_until_it_is_moved(patient: Patient) -> None:
    patient.send(patient.message())
    (made,) = patient.clinic.appointments(patient.person)
    patient.clinic.do(patient.person, CANCEL, appointmentId=made["id"])

    assert patient.outcome(patient.message(made="2026-11-20T12:00:00+07:00")) == "unchanged"
    assert patient.shown() == [("CANCELLED", AT_EIGHT, "CITIZEN")]
    patient.send(patient.message(made="2026-11-20T13:00:00+07:00", **NINE))
    assert patient.shown() == [("LIVE", AT_NINE, None)]


def test_a_single_appointment_names_a_patient_who_was_sent_before(patient: Patient) -> None:
    document = patient.message()
    patient.send({**document, "entry": document["entry"][:1]})
    (appointment,) = [one["resource"] for one in document["entry"] if one["resource"]["resourceType"] == "Appointment"]
    appointment["participant"] = [
        {"actor": {"reference": "Practitioner/somebody"}, "status": "accepted"},
        {"actor": {"reference": f"Patient/pat-{patient.number}"}, "status": "accepted"},
    ]

    assert patient.outcome(appointment) == "added"
    assert patient.shown() == [("LIVE", AT_EIGHT, None)]
    appointment["participant"][1]["actor"]["reference"] = "Patient/nobody"
    receipt = patient.send(appointment)
    assert (receipt["status"], receipt["entries"][0]["outcome"]) == ("quarantined", "quarantined")


def test_anothers_appointment_is_not_taken_by_its_id(patient: Patient, stand: Stand, http: httpx.Client) -> None:
    patient.send(patient.message())
    other = Patient(stand, http)
    taken = other.message(id=f"app-{patient.number}", **NINE)
    taken["type"] = "batch"

    assert other.outcome(taken) == "quarantined"
    assert patient.shown() == [("LIVE", AT_EIGHT, None)]


def several(appointment: Json) -> None:
    second = {"resourceType": "Patient", "id": "p2", "name": [{"text": "Lê An"}], "birthDate": "1990-01-01"}
    appointment["contained"] = [second]
    appointment["participant"].append({"actor": {"reference": "#p2"}, "status": "accepted"})


WRONG: dict[str, tuple[Callable[[Json], object], str]] = {
    "no start": (lambda one: one.pop("start"), "ELEMENT_MISSING"),
    "a day": (lambda one: one.update(start="2026-12-20"), "ELEMENT_MALFORMED"),
    "an end before its start": (lambda one: one.update(end="2026-11-20T08:00:00+07:00"), "ELEMENT_MALFORMED"),
    "a status that is none": (lambda one: one.update(status="moved"), "CODE_UNKNOWN"),
    "a participant without status": (lambda one: one["participant"][1].pop("status"), "ELEMENT_MISSING"),
    "two patients": (several, "ELEMENT_MALFORMED"),
    "a thousand years ahead": (lambda one: one.update(start="3026-12-20T08:00:00Z", end=None), "APPOINTMENT_FAR_OFF"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_an_appointment_is_none(patient: Patient, wrong: str) -> None:
    change, code = WRONG[wrong]
    document = patient.message()
    change(document["entry"][2]["resource"])
    receipt = patient.send(document)

    told = [*receipt["problems"], *(one for visit in receipt["visits"] for one in visit["problems"])]
    assert code in [one["code"] for one in told]
    assert receipt["status"] in {"rejected", "quarantined"}
    assert patient.stand.as_owner("SELECT FROM care.appointment WHERE source_id LIKE '%' || :n", n=patient.number) == []


def test_one_about_hiv_is_of_its_class_and_names_no_place_in_a_notice(patient: Patient) -> None:
    icd = bundles.coded("http://hl7.org/fhir/sid/icd-10", "Z21")
    patient.send(patient.message(reasonCode=[icd]))

    (row,) = patient.stand.as_owner(
        "SELECT sensitive, is_sensitive FROM care.appointment WHERE citizen_id = :c", c=patient.person.id
    )
    assert (row.sensitive, row.is_sensitive) == (1, True)


def test_two_people_of_whom_nothing_else_is_said_are_both_known(
    patient: Patient, stand: Stand, http: httpx.Client
) -> None:
    other = Patient(stand, http)
    for one in (patient, other):
        document = one.message()
        assert one.send({**document, "entry": document["entry"][:1]})["status"] == "filed"


class Twins(Patient):
    """The same person, to whom a paper of a visit tells the same hour."""

    def paper(self, *, at: str | None, made: str = "20261121") -> None:
        """File a visit by XML, with a re-examination paper or without one any more."""
        person = {"SO_CCCD": self.personal_id, "MA_THE_BHYT": "", "MA_LK": f"visit-{self.number}"}
        tables = {"XML1": [{**messages.VISIT, **person, "NGAY_TAI_KHAM": ""}]}
        if at is not None:
            tables["XML14"] = [{**messages.REEXAMINATION, "MA_LK": f"visit-{self.number}", "NGAY_HEN_KL": at}]
        body = messages.envelope(messages.visit_xml(tables), issued=made)
        kept = self.stand.keep(body, token=self.token)
        assert self.stand.process(kept) in {"filed", "partly", None}  # the same bytes again are filed already


@pytest.fixture
def twins(stand: Stand, http: httpx.Client) -> Twins:
    return Twins(stand, http)


HOUR = f"{tomorrow(10)}".replace("-", "") + "0800"


@pytest.mark.parametrize("first", ["paper", "message"])
def test_a_paper_and_a_message_of_one_hour_are_one_appointment(twins: Twins, first: str) -> None:
    if first == "paper":
        twins.paper(at=HOUR)
    twins.send(twins.message())
    twins.paper(at=HOUR)
    assert twins.shown() == [("LIVE", AT_EIGHT, None)]
    assert twins.clinic.events(twins.person) == ["APPOINTMENT_BOOKED"]
    twins.send(twins.message(made="2026-11-20T12:00:00+07:00", comment="x"))
    assert twins.shown() == [("LIVE", AT_EIGHT, None)]


@pytest.mark.parametrize("first", ["paper", "message"])
def test_each_teller_may_move_away_or_stop(twins: Twins, first: str) -> None:
    if first == "paper":
        twins.paper(at=HOUR)
    twins.send(twins.message())
    twins.paper(at=HOUR)
    twins.send(twins.message(made="2026-11-20T12:00:00+07:00", **NINE))
    assert sorted(one[1] for one in twins.shown() if one[0] == "LIVE") == sorted([AT_EIGHT, AT_NINE])
    twins.send(twins.message(made="2026-11-20T13:00:00+07:00"))
    assert [one[1] for one in twins.shown() if one[0] == "LIVE"] == [AT_EIGHT]
    twins.paper(at=HOUR[:-4] + "1000", made="20261122")
    live = sorted(one[1] for one in twins.shown() if one[0] == "LIVE")
    assert live == sorted([AT_EIGHT, f"{tomorrow(10)}T03:00:00Z"])


def test_a_facility_calls_off_what_its_paper_told_too(twins: Twins) -> None:
    twins.paper(at=HOUR)
    twins.send(twins.message())
    twins.send(twins.message(made="2026-11-20T13:00:00+07:00", status="cancelled"))
    assert twins.shown() == [("CANCELLED", AT_EIGHT, "FACILITY")]
