"""What a share opens of appointments: its dates, facilities, records and classes, by the policies alone."""

from typing import Any
from uuid import UUID

import pytest

from app.core.db import Login
from app.core.settings import Settings
from tests.appointments.clinic import Clinic, Person, schedule, tomorrow
from tests.attacks import tries
from tests.conftest import Ground

DECIDED = {
    "opened": "x",
    "sections": "512",
    "since": "-infinity",
    "until": "infinity",
    "unmasked": "false",
    "sensitive": "0",
    "facilities": "",
    "records": "",
    "whole": "true",
}


@pytest.fixture
def patient(clinic: Clinic) -> tuple[Person, dict[str, str]]:
    """Return a citizen with appointments at two facilities, one of them in psychiatry."""
    other = Clinic(clinic.stand, clinic.http, code=f"9{clinic.code[1:]}").open()
    clinic.publish(
        schedule("A"),
        schedule(
            "P",
            departmentCode="K15",
            weekly=[
                {"day": d, "from": "14:00", "to": "15:00"} for d in ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
            ],
        ),
    )
    other.publish(
        schedule(
            "B",
            weekly=[
                {"day": d, "from": "10:00", "to": "11:00"} for d in ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
            ],
        )
    )
    person = clinic.person()
    made = {
        "plain": clinic.book(person, clinic.slots(person, department="K03")[0])["id"],
        "psychiatry": clinic.book(person, clinic.slots(person, department="K15")[0])["id"],
        "elsewhere": other.book(person, other.slots(person)[4])["id"],
    }
    return person, made


@pytest.mark.parametrize(
    ("decided", "shown"),
    [
        ({}, {"plain", "elsewhere"}),
        ({"sensitive": "4"}, {"plain", "psychiatry", "elsewhere"}),
        ({"sensitive": "59"}, {"plain", "elsewhere"}),
        ({"sections": "511"}, set()),
        ({"facilities": "{HERE}", "whole": "false"}, {"plain"}),
        ({"facilities": "{HERE}", "whole": "false", "sensitive": "63"}, {"plain", "psychiatry"}),
        ({"records": "{elsewhere}", "whole": "false"}, {"elsewhere"}),
        ({"records": "{psychiatry}", "whole": "false"}, set()),
        ({"until": "TOMORROW", "whole": "false"}, {"plain"}),
    ],
)
def test_t3_a_share_shows_what_it_names(
    ground: Ground, settings: Settings, clinic: Clinic, patient: tuple[Person, dict[str, str]],
    decided: dict[str, str], shown: set[str],
) -> None:  # fmt: skip
    person, made = patient

    async def look() -> set[str]:
        async with tries.as_superuser(ground, settings) as superuser, superuser.transaction():
            await superuser.execute("SET LOCAL ROLE book_reader")
            for name, value in {**DECIDED, "citizen": str(person.id), **decided}.items():
                told = value.replace("HERE", clinic.code).replace("TOMORROW", tomorrow(2).isoformat())
                for key, one in made.items():
                    told = told.replace(key, one)
                await superuser.execute("SELECT set_config($1, $2, true)", f"book.{name}", told)
            rows = await superuser.fetch("SELECT id FROM care.appointment")
            return {str(row["id"]) for row in rows}

    assert tries.run(look) == {made[name] for name in shown}


def test_no_book_no_appointment(ground: Ground, settings: Settings) -> None:
    async def look() -> str:
        async with tries.as_superuser(ground, settings) as superuser, superuser.transaction():
            await superuser.execute("SET LOCAL ROLE book_reader")
            return await tries.sqlstate_of(superuser, "SELECT * FROM care.appointment")

    assert tries.run(look) == tries.NO_BOOK


def test_another_citizens_desk_sees_nothing(clinic: Clinic, patient: tuple[Person, dict[str, str]]) -> None:
    stranger = clinic.person()

    async def look() -> tuple[Any, ...]:
        async with tries.as_login(clinic.stand, Login.DESK) as desk, desk.transaction():
            await desk.execute("SELECT auth.sign_in($1, NULL)", stranger.token)
            appointments = await desk.fetchval("SELECT count(*) FROM care.appointment")
            denied = [
                await tries.sqlstate_of(desk, statement)
                for statement in (
                    "UPDATE care.appointment SET state = 'CANCELLED'",
                    "UPDATE care.slot SET taken = 0",
                    "SELECT * FROM care.calendar_feed",
                    "SELECT care.put(NULL, NULL, NULL, NULL)",
                    "SELECT care.settle_slot('{}')",
                    "SELECT care.publish_schedule('01901', '{}')",
                )
            ]
            return appointments, set(denied)

    assert tries.run(look) == (0, {tries.DENIED})
    assert UUID(patient[1]["plain"])
