"""What is of a class or was hidden is in no grant, and a preview is what the doctor then sees."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.attacks.crowd import Member, message
from tests.people import Stand
from tests.sharing.conftest import OTHER, OWNER, Patients
from tests.sharing.opening import SCOPES, emergency
from tests.sharing.sharing import (
    EMERGENCY,
    MASK,
    OWN,
    PREVIEW,
    SHARED,
    UNMASK,
    WHOLE,
    Clinic,
    a_key,
)


def mask(clinic: Clinic, citizen: str, query: str, **what: Any) -> None:
    clinic.data(citizen, query, input={"idempotencyKey": a_key(), **what})


HIV = Member(number=311, fields={"MA_BENH_CHINH": "B20.1", "CHAN_DOAN_RV": "Bệnh do HIV"})


@pytest.fixture(scope="module")
def sick(stand: Stand, patients: Patients) -> UUID:
    assert stand.file(message(HIV), token=patients.sender) == "filed"
    return stand.citizen_by(HIV.personal_id)


def nothing_shown(book: dict[str, Any]) -> bool:
    pages = [book[section] for section in ("visits", "prescriptions", "testResults", "documents")]
    return all(page is None or not page["nodes"] for page in pages) and not book["conditions"] and not book["insurance"]


def test_never_classes_are_closed_unless_chosen_and_always_in_an_emergency(
    clinic: Clinic, sick: UUID, citizen: str
) -> None:
    del citizen
    token, doctor = clinic.citizen(sick), clinic.doctor()
    assert clinic.data(token, OWN)["visits"]["nodes"]
    assert nothing_shown(clinic.data(doctor, SHARED, grant=clinic.grant(token, doctor)))
    opened = clinic.data(doctor, EMERGENCY, input=emergency(HIV.personal_id))
    assert opened["healthBook"]["visits"]["nodes"] == []
    chosen = clinic.grant(token, doctor, scope={**WHOLE, "sensitive": ["HIV"]})
    assert clinic.data(doctor, SHARED, grant=chosen)["visits"]["nodes"]
    mask(clinic, token, MASK, classes=["HIV"])
    assert nothing_shown(clinic.data(doctor, SHARED, grant=chosen))
    mask(clinic, token, UNMASK, classes=["HIV"])
    assert clinic.data(doctor, SHARED, grant=chosen)["visits"]["nodes"]


def test_two_worlds_with_and_without_a_masked_record_look_alike_to_everybody_else(
    clinic: Clinic, patients: Patients, stand: Stand, citizen: str
) -> None:
    """One person has a second visit and hides it; for a doctor every byte is as if it had never been."""
    del citizen
    token, doctor = clinic.citizen(patients.other), clinic.doctor()
    grant = clinic.grant(token, doctor)
    document = {"query": SHARED, "variables": {"grant": grant}}
    headers = {"Authorization": f"Bearer {doctor}"}
    without = clinic.http.post("/graphql", json=document, headers=headers)
    second = Member(number=OTHER.number, fields={"NGAY_VAO": "202610010800", "NGAY_RA": "202610011000"})
    tables = {name: [{**line, "MA_LK": "X2"} for line in lines] for name, lines in second.tables().items()}
    from tests.ingestion import messages  # noqa: PLC0415 - made here alone

    assert stand.file(messages.envelope(messages.visit_xml(tables)), token=patients.sender) in {"filed", "partly"}
    own = clinic.data(token, OWN)
    assert len(own["visits"]["nodes"]) == 2
    hidden = min(own["visits"]["nodes"], key=lambda visit: visit["startedAt"])["id"]
    mask(clinic, token, MASK, recordIds=[hidden])
    masked = clinic.http.post("/graphql", json=document, headers=headers)
    assert masked.content == without.content
    assert "etag" not in masked.headers
    assert set(masked.headers) == set(without.headers)
    opened = clinic.data(doctor, EMERGENCY, input=emergency(OTHER.personal_id))
    assert hidden not in str(opened)
    assert len(clinic.data(token, OWN)["visits"]["nodes"]) == 2
    plain = clinic.stand.citizen_token(patients.other)
    asked = {"idempotencyKey": a_key(), "recordIds": [hidden]}
    assert clinic.code_of(plain, UNMASK, input=asked) == "STEP_UP_REQUIRED"
    mask(clinic, token, UNMASK, recordIds=[hidden])
    assert clinic.http.post("/graphql", json=document, headers=headers).content != without.content


def test_a_record_is_not_shown_again_while_its_visit_is_hidden(
    clinic: Clinic, citizen: str, patients: Patients
) -> None:
    book = clinic.data(citizen, OWN)
    visit, prescription = book["visits"]["nodes"][0]["id"], book["prescriptions"]["nodes"][0]["id"]
    mask(clinic, citizen, MASK, recordIds=[visit])
    asked = {"idempotencyKey": a_key(), "recordIds": [prescription]}
    assert clinic.code_of(citizen, UNMASK, input=asked) == "CONFLICT"
    mask(clinic, citizen, UNMASK, recordIds=[visit])
    for wrong in (str(uuid4()), "x", clinic.data(clinic.citizen(patients.other), OWN)["visits"]["nodes"][0]["id"]):
        assert clinic.code_of(citizen, MASK, input={"idempotencyKey": a_key(), "recordIds": [wrong]}) == "NOT_FOUND"


@pytest.mark.parametrize("whose", [OWNER, HIV])
def test_a_preview_equals_what_the_doctor_then_sees(
    clinic: Clinic, patients: Patients, sick: UUID, whose: Member, citizen: str
) -> None:
    del citizen
    token = clinic.citizen(sick if whose is HIV else patients.owner)
    visit = clinic.data(token, OWN)["visits"]["nodes"][0]["id"]
    for scope in [*SCOPES, {**WHOLE, "recordIds": [visit]}]:
        doctor = clinic.doctor()
        preview = clinic.data(token, PREVIEW, scope=scope)
        assert clinic.data(doctor, SHARED, grant=clinic.grant(token, doctor, scope=scope)) == preview, scope
