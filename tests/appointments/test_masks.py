"""Appointments that their citizen hides: by themselves, with the visit that tells them, with their paper."""

from typing import Any

import httpx
import pytest

from app.core.ids import new_id
from tests.appointments.clinic import Clinic, schedule
from tests.appointments.test_papers import MOMENT, Patient
from tests.people import Stand, now
from tests.sharing.sharing import MASK, PREVIEW, UNMASK, a_key
from tests.sharing.sharing import Clinic as Sharing

ALL = {"sections": ["VISITS", "DOCUMENTS", "APPOINTMENTS"]}
OWN = """{ healthBook { visits { nodes { id isMasked sensitiveClasses } } documents { nodes { id isMasked } }
  appointments { nodes { id isMasked sensitiveClasses } } } }"""
SEEN = """query ($grant: ID!) { sharedHealthBook(grantId: $grant) { visits { nodes { id isMasked sensitiveClasses } }
  documents { nodes { id isMasked } } appointments { nodes { id isMasked sensitiveClasses } } } }"""


@pytest.fixture
def patient(stand: Stand, http: httpx.Client) -> Patient:
    found = Patient(stand, http)
    found.send("XML14", XML1={"NGAY_TAI_KHAM": ""}, XML14={"NGAY_HEN_KL": MOMENT})
    return found


def change(sharing: Sharing, token: str, query: str, *records: str) -> httpx.Response:
    return sharing.ask(token, query, input={"idempotencyKey": a_key(), "recordIds": list(records)})


def nodes(book: dict[str, Any], section: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = book[section]["nodes"]
    return found


@pytest.mark.parametrize("by", ["appointments", "visits", "documents"])
def test_an_appointment_is_hidden_by_itself_with_its_visit_and_with_its_paper(
    stand: Stand, http: httpx.Client, patient: Patient, by: str
) -> None:
    sharing = Sharing(stand, http)
    token, doctor = sharing.stepped_up(patient.person.token), sharing.doctor()
    grant = sharing.grant(token, doctor, scope=ALL)
    own = sharing.data(token, OWN)
    hidden = nodes(own, by)[0]["id"]
    assert len(nodes(sharing.data(doctor, SEEN, grant=grant), "appointments")) == 1

    assert change(sharing, token, MASK, hidden).json()["data"]["maskRecords"] == {"changed": 1}

    shown = sharing.data(doctor, SEEN, grant=grant)
    assert nodes(shown, "appointments") == []
    assert nodes(sharing.data(token, PREVIEW, scope=ALL), "visits") == [] or by != "visits"
    told = sharing.data(token, OWN)
    assert nodes(told, "appointments")[0]["isMasked"] is True
    assert nodes(told, "visits")[0]["isMasked"] is (by == "visits")
    assert nodes(told, "documents")[0]["isMasked"] is (by != "appointments")
    if by != "appointments":
        assert change(sharing, token, MASK, nodes(own, "appointments")[0]["id"]).json()["data"]["maskRecords"] == {
            "changed": 0
        }
    if by == "visits":
        alone = change(sharing, token, UNMASK, nodes(own, "appointments")[0]["id"]).json()
        assert alone["errors"][0]["extensions"]["code"] == "CONFLICT"
    change(sharing, token, UNMASK, hidden)
    assert len(nodes(sharing.data(doctor, SEEN, grant=grant), "appointments")) == 1


def test_only_who_sees_what_is_hidden_is_told_what_is_hidden(
    stand: Stand, http: httpx.Client, patient: Patient
) -> None:
    sharing = Sharing(stand, http)
    token, doctor = sharing.stepped_up(patient.person.token), sharing.doctor()
    stand.as_owner("UPDATE care.appointment SET sensitive = 4 WHERE citizen_id = :id", id=patient.person.id)
    grant = sharing.grant(token, doctor, scope={**ALL, "sensitive": ["MENTAL_HEALTH"]})

    (own,) = nodes(sharing.data(token, OWN), "appointments")
    (seen,) = nodes(sharing.data(doctor, SEEN, grant=grant), "appointments")

    assert (own["isMasked"], own["sensitiveClasses"]) == (False, ["MENTAL_HEALTH"])
    assert (seen["isMasked"], seen["sensitiveClasses"]) == (None, None)
    assert nodes(sharing.data(token, OWN), "visits")[0]["sensitiveClasses"] == []


def test_an_appointment_in_a_sensitive_department_is_shared_by_itself(
    stand: Stand, http: httpx.Client, clinic: Clinic
) -> None:
    clinic.publish(schedule(departmentCode="K15"))
    person = clinic.person()
    made = [clinic.book(person, slot)["id"] for slot in clinic.slots(person)[:2]]
    sharing = Sharing(stand, http)
    stranger = clinic.person()
    scope = {"sections": ["APPOINTMENTS"], "sensitive": ["MENTAL_HEALTH"], "recordIds": made[:1]}
    token, doctor = sharing.stepped_up(person.token), sharing.doctor(facility=clinic.code)
    grant = sharing.grant(token, doctor, scope=scope, facility=clinic.code)

    assert [one["id"] for one in nodes(sharing.data(doctor, SEEN, grant=grant), "appointments")] == made[:1]
    change(sharing, token, MASK, made[0])
    assert nodes(sharing.data(doctor, SEEN, grant=grant), "appointments") == []
    theirs = sharing.stepped_up(stranger.token)
    for query in (MASK, UNMASK):
        refused = change(sharing, theirs, query, made[0]).json()
        assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert change(sharing, token, MASK, str(new_id(now=now()))).json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
