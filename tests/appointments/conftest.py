"""A clinic for each test, on the module's own database and server."""

import itertools

import httpx
import pytest

from tests.appointments.clinic import Clinic
from tests.people import Stand

_CODES = itertools.count(61_000)


@pytest.fixture
def clinic(http: httpx.Client, stand: Stand) -> Clinic:
    return Clinic(stand, http, code=str(next(_CODES))).open()
