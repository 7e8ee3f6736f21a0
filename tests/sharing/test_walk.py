"""Whatever hospitals and the owner do to a book, and in whichever order, a doctor sees what the model says."""

import random

import httpx
import pytest

from app.core.settings import Settings
from tests.conftest import Ground
from tests.people import Stand
from tests.sharing.walking import VISITS, Place, Walk

WALKS, STEPS = 10, 40


@pytest.mark.long
def test_b108_b131_b133_in_whichever_order_things_are_done_a_doctor_sees_what_the_model_says(
    stand: Stand, ground: Ground, settings: Settings, http: httpx.Client
) -> None:
    senders = {facility: stand.facility(facility, name=f"Bệnh viện {facility}") for facility in VISITS}
    place = Place(stand=stand, ground=ground, settings=settings, http=http, senders=senders)
    for seed in range(WALKS):
        walk = Walk(place, random.Random(seed))
        for _ in range(STEPS):
            walk.look()
            walk.step()
        walk.look()
