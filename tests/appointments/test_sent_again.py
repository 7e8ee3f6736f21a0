"""A visit that is taken back and sent again tells of the same appointments, and what its citizen hid stays hidden."""

import itertools

import httpx
import pytest

from app.core.settings import Settings
from tests.appointments.clinic import bearer, tomorrow
from tests.appointments.test_papers import Patient
from tests.attacks import tries
from tests.conftest import Ground
from tests.differential.shown import VIETNAM
from tests.migrating import run_again
from tests.people import Stand, now
from tests.sharing.sharing import MASK, a_key

DAY = f"{tomorrow(10):%Y%m%d}"
_NOTES = itertools.count(1)
NAMES = "SELECT id, source_id, told_too FROM care.appointment WHERE citizen_id = $1"
AS_BEFORE = """
UPDATE care.appointment a SET source_id = 'visit ' || v.id || substr(a.source_id, 71),
       told_too = ARRAY['visit ' || v.id || ' paper 7', 'appointment 00']
  FROM book.visit v WHERE v.citizen_id = $1 AND a.citizen_id = $1"""


@pytest.fixture
def patient(stand: Stand, http: httpx.Client) -> Patient:
    return Patient(stand, http)


def send(patient: Patient) -> None:
    made = f"{now().astimezone(VIETNAM):%Y%m%d}"
    patient.send(issued=made, XML1={"NGAY_TAI_KHAM": DAY, "GHI_CHU": f"Lần {next(_NOTES)}"})


def test_a_visit_that_is_sent_again_brings_its_appointment_back(patient: Patient) -> None:
    send(patient)
    (told,) = patient.shown()
    patient.take_back()
    (gone,) = patient.shown()
    assert (gone["id"], gone["state"]) == (told["id"], "CANCELLED")

    send(patient)

    (back,) = patient.shown()
    assert (back["id"], back["state"], back["startsAt"]) == (told["id"], told["state"], told["startsAt"])


def test_an_appointment_that_was_hidden_by_itself_is_hidden_when_its_visit_comes_again(
    patient: Patient, stand: Stand
) -> None:
    send(patient)
    (told,) = patient.shown()
    asked = {"idempotencyKey": a_key(), "recordIds": [told["id"]]}
    body = {"query": MASK, "variables": {"input": asked}}
    assert "errors" not in patient.http.post("/graphql", json=body, headers=bearer(patient.person.token)).json()
    patient.take_back()

    send(patient)

    rows = stand.as_owner("SELECT masked FROM care.appointment WHERE citizen_id = :id", id=patient.person.id)
    assert [row.masked for row in rows] == [True]


def test_appointments_of_an_older_release_are_named_anew(patient: Patient, ground: Ground, settings: Settings) -> None:
    """Migration 0047, on a database in which a visit and another teller tell of one appointment."""
    send(patient)
    citizen = patient.person.id

    async def names() -> list[tuple[object, ...]]:
        async with tries.as_superuser(ground, settings) as superuser:
            return [tuple(row) for row in await superuser.fetch(NAMES, citizen)]

    async def go_back() -> None:
        async with tries.as_superuser(ground, settings) as superuser:
            await superuser.execute(AS_BEFORE, citizen)

    ((told, name, _),) = tries.run(names)
    tries.run(go_back)
    assert tries.run(names) != [(told, name, [])]

    run_again(settings, "0047")

    visit = str(name).removesuffix(str(name)[70:])
    assert tries.run(names) == [(told, name, [f"{visit} paper 7", "appointment 00"])]
    patient.take_back()
