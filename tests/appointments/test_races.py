"""I2: whatever happens at once, and whoever is killed, no place is given twice and nobody is at two places."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app.core.settings import Settings
from tests.appointments.clinic import (
    ANSWER,
    BOOK,
    CANCEL,
    DAYS,
    JOIN,
    RESCHEDULE,
    Clinic,
    Person,
    bearer,
    contradictions,
    key,
    new_citizen,
    schedule,
    tomorrow,
)
from tests.people import Stand
from tests.sockets import PATIENCE, free_port

pytestmark = pytest.mark.long

SEED = 20261122
ASKERS = 50
GIVE_UP_SECONDS = 240.0


async def ask(client: httpx.AsyncClient, person: Person, query: str, given: dict[str, Any]) -> dict[str, Any]:
    """Ask until there is an answer: with its key, a mutation may be sent again."""
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while True:
        with suppress(httpx.TransportError):
            answer = await client.post(
                "/graphql", json={"query": query, "variables": {"input": given}}, headers=bearer(person.token)
            )
            body: dict[str, Any] = answer.json()
            codes = {error["extensions"]["code"] for error in body.get("errors", [])}
            if codes != {"UNAVAILABLE"} and answer.status_code == 200:
                return body
        assert time.monotonic() < give_up_at, "no answer"
        await asyncio.sleep(0.02)


async def all_at_once(url: str, work: list[tuple[Person, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Ask everything, ASKERS at a time; answers stand in the order of `work`."""
    hands = asyncio.Semaphore(ASKERS)
    limits = httpx.Limits(max_connections=ASKERS)
    async with httpx.AsyncClient(base_url=url, timeout=10, limits=limits) as client:

        async def one(person: Person, query: str, given: dict[str, Any]) -> dict[str, Any]:
            async with hands:
                return await ask(client, person, query, {"idempotencyKey": key(), **given})

        return await asyncio.gather(*(one(*item) for item in work))


def outcomes(answers: list[dict[str, Any]]) -> Counter[str]:
    return Counter(answer["errors"][0]["message"] if "errors" in answer else "done" for answer in answers)


def test_i2_a_hundred_ask_for_ten_places(clinic: Clinic, stand: Stand) -> None:
    clinic.publish(schedule(capacity=5))
    people = [new_citizen(stand) for _ in range(100)]
    slots = clinic.slots(people[0])[:2]
    work = [(one, BOOK, {"slotId": slots[n % 2]["id"]}) for n, one in enumerate(people)]

    told = outcomes(asyncio.run(all_at_once(str(clinic.http.base_url), work)))

    assert told == {"done": 10, "Khung giờ này vừa hết chỗ.": 90}
    assert [one["remaining"] for one in clinic.slots(people[0])[:2]] == [0, 0]
    assert not contradictions(stand)


def test_i2_a_thousand_bookings_of_a_hundred_slots_by_fifty_clients(clinic: Clinic, stand: Stand) -> None:
    hours = [{"day": day, "from": "08:00", "to": "10:00"} for day in DAYS]
    clinic.publish(schedule(weekly=hours), terms={"mostLive": 50})
    people = [new_citizen(stand) for _ in range(ASKERS)]
    slots = [
        one
        for day in range(1, 14)
        for one in clinic.slots(people[0], **{"from": tomorrow(day).isoformat(), "to": tomorrow(day).isoformat()})
    ][:100]
    work = [(people[n % ASKERS], BOOK, {"slotId": slots[n % 100]["id"]}) for n in range(500)]
    work += [(people[(n + 25) % ASKERS], BOOK, {"slotId": slots[n % 100]["id"]}) for n in range(500)]
    random.Random(SEED).shuffle(work)

    told = outcomes(asyncio.run(all_at_once(str(clinic.http.base_url), work)))

    assert told["done"] == 100
    assert sum(told.values()) == 1000
    assert set(told) <= {"done", "Khung giờ này vừa hết chỗ.", "Bạn đã có lịch hẹn khác trùng giờ này."}
    assert not contradictions(stand)


def test_i2_one_citizen_asks_for_fifty_times_at_once(clinic: Clinic, stand: Stand) -> None:
    clinic.publish(*(schedule(f"R{n}") for n in range(12)), terms={"mostLive": 50})
    person = clinic.person()
    rivals = [one for one in clinic.slots(person) if one["startsAt"] == clinic.slots(person)[0]["startsAt"]]
    assert len(rivals) == 12

    told = outcomes(
        asyncio.run(all_at_once(str(clinic.http.base_url), [(person, BOOK, {"slotId": one["id"]}) for one in rivals]))
    )

    assert told == {"done": 1, "Bạn đã có lịch hẹn khác trùng giờ này.": 11}
    assert not contradictions(stand)


def test_i2_most_live_bookings_hold_against_themselves(clinic: Clinic, stand: Stand) -> None:
    clinic.publish(schedule(), terms={"mostLive": 3})
    person = clinic.person()
    work = [(person, BOOK, {"slotId": one["id"]}) for one in clinic.slots(person)[:20]]

    answers = asyncio.run(all_at_once(str(clinic.http.base_url), work))

    assert outcomes(answers)["done"] == 3
    assert len(clinic.appointments(person)) == 3
    assert not contradictions(stand)


def test_i2_swaps_in_both_directions_do_not_stand_in_each_others_way(clinic: Clinic, stand: Stand) -> None:
    clinic.publish(schedule(capacity=30), terms={"mostLive": 3})
    people = [new_citizen(stand) for _ in range(40)]
    slots = clinic.slots(people[0])[:2]
    made = [clinic.book(one, slots[n % 2])["id"] for n, one in enumerate(people)]
    work = [
        (one, RESCHEDULE, {"appointmentId": made[n], "slotId": slots[(n + turn) % 2]["id"]})
        for turn in (1, 0, 1)
        for n, one in enumerate(people)
    ]

    answers = asyncio.run(all_at_once(str(clinic.http.base_url), work))

    assert set(outcomes(answers)) <= {"done", "Khung giờ này vừa hết chỗ."}
    assert outcomes(answers)["done"] >= 80
    assert not contradictions(stand)


@dataclass(slots=True)
class Mortal:
    """The API as a process that is killed and started again."""

    settings: Settings
    port: int
    process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        environment = {
            **os.environ,
            "SOKHOE_DATABASE_URL": self.settings.database_url,
            "SOKHOE_SECRETS_DIR": str(self.settings.secrets_dir),
            "SOKHOE_DEMO": "true",
        }
        command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < give_up_at:
            with suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/livez", timeout=2).status_code == 200:
                    return
            time.sleep(0.05)
        pytest.fail("the server did not start")

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)


@contextmanager
def mortal(settings: Settings) -> Iterator[Mortal]:
    server = Mortal(settings, free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()


def test_i2_the_server_is_killed_while_everybody_books(clinic: Clinic, settings: Settings, stand: Stand) -> None:
    clinic.publish(schedule(), terms={"mostLive": 50})
    people = [new_citizen(stand) for _ in range(60)]
    slots = clinic.slots(people[0])[:20]
    dice = random.Random(SEED)
    work = [(one, BOOK, {"slotId": dice.choice(slots)["id"]}) for one in people for _ in range(4)]

    async def booking_and_killing(server: Mortal) -> list[dict[str, Any]]:
        asked = asyncio.create_task(all_at_once(server.url, work))
        for _ in range(3):
            await asyncio.sleep(dice.uniform(0.1, 0.3))
            assert not asked.done(), "killed too late: there was nothing to interrupt"
            server.kill()
            await asyncio.to_thread(server.start)
        return await asked

    with mortal(settings) as server:
        answers = asyncio.run(booking_and_killing(server))

    told = [answer["data"]["bookAppointment"]["appointment"]["id"] for answer in answers if "errors" not in answer]
    kept = {
        str(row.id)
        for row in stand.as_owner(
            "SELECT a.id FROM care.appointment a JOIN care.slot s ON s.id = a.slot_id WHERE s.facility_code = :code",
            code=clinic.code,
        )
    }
    assert kept == set(told)
    assert len(told) == len(set(told)) == 20
    assert not contradictions(stand)


def test_a_freed_place_is_taken_once_while_all_who_wait_answer(clinic: Clinic, stand: Stand) -> None:
    clinic.publish(
        schedule(weekly=[], exceptions=[{"on": tomorrow(3).isoformat(), "hours": [{"from": "08:00", "to": "08:15"}]}])
    )
    first = clinic.person()
    (slot,) = clinic.slots(first)
    made = clinic.book(first, slot)
    waiting = [new_citizen(stand) for _ in range(20)]
    wish = {
        "facilityCode": clinic.code,
        "departmentCode": "K03",
        "from": tomorrow().isoformat(),
        "to": tomorrow(9).isoformat(),
    }
    for one in waiting:
        clinic.do(one, JOIN, **wish)
    clinic.do(first, CANCEL, appointmentId=made["id"])
    (offer,) = stand.as_owner("SELECT id, citizen_id FROM care.waitlist_offer WHERE slot_id = :slot", slot=slot["id"])
    assert offer.citizen_id == waiting[0].id

    asked = {"offerId": str(offer.id), "accept": True}
    rivals = [(one, BOOK, {"slotId": slot["id"]}) for one in waiting[1:]]
    answers = asyncio.run(all_at_once(str(clinic.http.base_url), [*rivals, *[(waiting[0], ANSWER, asked)] * 5]))

    assert outcomes(answers) == {
        "done": 1, "Khung giờ này vừa hết chỗ.": 19, "Chỗ này không còn được giữ cho bạn.": 4,
    }  # fmt: skip
    assert not contradictions(stand)
