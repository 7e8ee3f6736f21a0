"""A citizen with a book and who may look into it."""

from dataclasses import dataclass
from uuid import UUID

import httpx
import pytest

from tests.attacks.crowd import Member, message
from tests.people import Stand
from tests.sharing.sharing import Clinic
from tests.sharing.trying import end_all

OWNER, OTHER = Member(number=301), Member(number=302)


@dataclass(frozen=True, slots=True)
class Patients:
    """Two people with books, and the facility's token."""

    owner: UUID
    other: UUID
    sender: str


@pytest.fixture(scope="module")
def patients(stand: Stand) -> Patients:
    sender = stand.facility()
    stand.facility("01902", name="Bệnh viện khác")
    assert stand.file(message(OWNER, OTHER), token=sender) == "filed"
    return Patients(stand.citizen_by(OWNER.personal_id), stand.citizen_by(OTHER.personal_id), sender)


@pytest.fixture
def clinic(stand: Stand, http: httpx.Client, patients: Patients) -> Clinic:
    del patients
    return Clinic(stand, http)


@pytest.fixture
def citizen(clinic: Clinic, patients: Patients) -> str:
    """Return a fresh token of the owner, whose codes and grants of earlier tests have ended."""
    end_all(clinic.stand)
    return clinic.citizen(patients.owner)
