"""Whatever is killed, restarted, refused or mistaken about the time: every committed notice rings once (I4).

Kill -9 of worker and API, PostgreSQL restarted, the push service in each bad mood, clocks that jump. The seed is
printed and may be chosen by FAULT_SEED; a fault that did not happen fails the test.
"""

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from libfaketime import get_reload_information

from app.core.settings import Settings
from app.demo.push_service import PushFault
from devkit.postgres import Cluster
from tests.faults.house import DATABASE, House, rows, wait_for
from tests.faults.points import PUSHING
from tests.notifications.pushing import Service, push_service
from tests.people import Stand
from tests.sockets import PATIENCE, free_port

SEED = int(os.environ.get("FAULT_SEED", "20261122"))
PEOPLE = 12
PAUSE = (0.3, 1.2)
REGISTER = "mutation R($input: RegisterDeviceInput!) { registerDevice(input: $input) { device { id } } }"
PASSING = [fault for fault in PushFault if fault not in {PushFault.INVALID, PushFault.UNREGISTERED}]
CLOCKS = {"clock: ahead": "+7200", "clock: back": "-7200"}


@pytest.fixture
def service() -> Iterator[Service]:
    with push_service() as running:
        yield running


@pytest.fixture
def house(tmp_path: Path, service: Service, cluster: Cluster, installed: Settings) -> Iterator[House]:
    """Start the product with clocks that a file sets."""
    clock = tmp_path / "clock"
    clock.write_text("+0", encoding="ascii")
    service.write_credentials(installed.secrets_dir)
    more = {
        **dict(get_reload_information()[1]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "SOKHOE_PUSH_URL": service.send_url,
    }
    started = House(cluster=cluster, settings=installed, port=free_port(), marks=tmp_path, points=PUSHING, more=more)
    with started.opened() as house:
        yield house


@dataclass
class Town:
    """People with a phone each, to whom things happen until it is stopped."""

    house: House
    people: dict[UUID, str] = field(default_factory=dict)
    happened: int = 0
    undone: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)

    def settle_in(self, stand: Stand) -> None:
        """Register people, and their phones through the API."""
        for number in range(PEOPLE):
            citizen = uuid4()
            stand.as_owner(
                "WITH made AS (INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, "
                "registered_at) VALUES (:id, 'Thử', 'THU', '1990-01-01', 'DAY', 'FEMALE', now()) RETURNING id), "
                "kept AS (INSERT INTO auth.book (citizen_id, changed_at) SELECT id, now() FROM made) "
                "INSERT INTO notice.preference SELECT id, '{}', false, '22:00', '06:00' FROM made",
                id=citizen,
            )
            self.people[citizen] = f"phone-{number}"
            self._register(stand.citizen_token(citizen), self.people[citizen])

    def _register(self, token: str, name: str) -> None:
        asked = {"idempotencyKey": str(uuid4()), "installationId": name}
        body = {"query": REGISTER, "variables": {"input": asked}}
        url, headers = f"http://127.0.0.1:{self.house.port}/graphql", {"Authorization": f"Bearer {token}"}

        def is_done() -> bool:
            try:
                return "errors" not in httpx.post(url, json=body, headers=headers, timeout=5).json()
            except httpx.TransportError:
                return False

        assert wait_for(is_done, seconds=PATIENCE)

    def live(self, random: Random) -> None:
        """Let things happen; every fourth is undone. What is not answered is known from the rows later."""
        ids = list(self.people)
        while not self._stopped.wait(random.uniform(0.02, 0.1)):
            is_undone = random.random() < 1 / 4
            about = json.dumps({"device": str(uuid4()), "undone": is_undone})
            happen = f"SELECT notice.happened('{random.choice(ids)}', 'DEVICE_ADDED', '{about}')"
            end = "ROLLBACK" if is_undone else "COMMIT"
            try:
                self.house.cluster.psql(f"BEGIN; SET LOCAL ROLE auth_owner; {happen}; {end};", database=DATABASE)
            except Exception:  # noqa: BLE001 - it is killed just now
                continue
            self.undone += is_undone
            self.happened += not is_undone

    def stop(self) -> None:
        self._stopped.set()


def phones(service: Service) -> dict[str, Counter[str]]:
    """Return how often each notice reached each phone."""
    found: dict[str, Counter[str]] = {}
    for message in list(service.state.taken):
        found.setdefault(message["fid"], Counter())[message["data"]["noticeId"]] += 1
    return found


def told(house: House, *, about: str = "true") -> dict[str, set[str]]:
    """Return the notices that are to ring, by the phone's citizen; each of an event that was committed."""
    found: dict[str, set[str]] = {}
    query = f"SELECT e.citizen_id, n.id FROM notice.event e JOIN notice.notice n ON n.event_id = e.id WHERE {about}"
    for citizen, notice in rows(house, query):
        found.setdefault(citizen, set()).add(notice)
    return found


def left(house: House) -> list[list[list[str]]]:
    """Return what is on its way yet: jobs by kind and state, pushes by state and reason."""
    jobs = "SELECT entrypoint, status, count(*), max(execute_after) - now() FROM jobs.pgqueuer GROUP BY 1, 2"
    pushes = "SELECT state, reason, attempts, count(*) FROM notice.push GROUP BY 1, 2, 3"
    return [rows(house, jobs), rows(house, pushes)]


def a_reminder(house: House, citizen: UUID) -> None:
    """Put an appointment whose reminder is due, and say so."""
    starts = (datetime.now(UTC) + timedelta(hours=23)).isoformat()
    house.cluster.psql(
        "BEGIN; SET LOCAL ROLE auth_owner; INSERT INTO directory.facility (code, name, level, registered_at) "
        "VALUES ('01901', 'Thử', 'CENTRAL', now()) ON CONFLICT DO NOTHING; INSERT INTO care.appointment (citizen_id, "
        f"id, facility_code, origin, starts_at, state, booked_at, changed_at) VALUES ('{citizen}', gen_random_uuid(), "
        f"'01901', 'PAPER', '{starts}', 'LIVE', now(), now()); SELECT notice.happened(a.citizen_id, 'APPOINTMENT_DUE', "
        "jsonb_build_object('appointmentId', a.id, 'startsAt', a.starts_at)) FROM care.appointment a; COMMIT;",
        database=DATABASE,
    )


def hurt(house: House, service: Service, people: dict[UUID, str], random: Random) -> None:
    """Do everything that may happen, in an order and at moments of the seed's."""
    points = list(PUSHING)
    random.shuffle(points)
    house.arm(points)
    names = list(people.values())
    blows: list[tuple[str, Callable[[], Any]]] = [
        *((f"FCM {mood}", lambda mood=mood: service.state.faults.setdefault(random.choice(names), []).append(mood))
          for mood in PASSING),
        *((clock, lambda clock=clock: set_clock(house, clock)) for clock in CLOCKS),
        ("serve", lambda: house.kill("serve")),
        ("worker 1", lambda: house.kill("worker 1")),
        ("worker 2", lambda: house.kill("worker 2")),
        ("backend", lambda: wait_for(house.kill_backend, seconds=PATIENCE)),
        ("postmaster", house.kill_postgresql),
    ]  # fmt: skip
    random.shuffle(blows)
    for _, blow in blows:
        time.sleep(random.uniform(*PAUSE))
        blow()
    wait_for(house.note, seconds=PATIENCE)
    wait_for(lambda: set(PASSING) <= set(service.state.injected), seconds=PATIENCE)


def set_clock(house: House, name: str) -> None:
    """Let all clocks but PostgreSQL's jump."""
    Path(house.more["FAKETIME_TIMESTAMP_FILE"]).write_text(CLOCKS[name], encoding="ascii")
    house.hurt[name] += 1


def test_i4_whatever_happens_every_committed_notice_rings_and_no_other(house: House, service: Service) -> None:
    random = Random(SEED)
    print(f"seed {SEED}")
    town = Town(house)
    town.settle_in(Stand(house.settings))
    cancelled = next(iter(town.people))
    service.state.faults[town.people[cancelled]] = [PushFault.UNAVAILABLE] * 1000
    a_reminder(house, cancelled)
    tried = (
        "SELECT count(*) FROM notice.push p JOIN notice.notice n ON n.id = p.notice_id WHERE n.kind = 'APPOINTMENT_DUE'"
    )
    assert wait_for(lambda: rows(house, tried) == [["1"]], seconds=PATIENCE), "the reminder was never tried"
    house.cluster.psql(
        "BEGIN; SET LOCAL ROLE auth_owner; UPDATE care.appointment SET state = 'CANCELLED', cancelled_by = 'CITIZEN'; "
        "COMMIT;", database=DATABASE,
    )  # fmt: skip
    happening = threading.Thread(target=town.live, args=(Random(f"{SEED} town"),), daemon=True)
    happening.start()
    try:
        hurt(house, service, town.people, random)
    finally:
        town.stop()
        happening.join(30)
    service.state.faults.clear()
    Path(house.more["FAKETIME_TIMESTAMP_FILE"]).write_text("+0", encoding="ascii")

    everything = "e.kind = 'DEVICE_ADDED'"
    events = "SELECT count(*) FROM notice.event e WHERE e.kind = 'DEVICE_ADDED'"

    def all_rang() -> bool:
        time.sleep(0.5)  # the one who looks must not be what the others wait for
        expected, rang = told(house, about=everything), phones(service)
        return sum(map(len, expected.values())) == int(rows(house, events)[0][0]) and all(
            notices <= set(rang.get(town.people[UUID(citizen)], ())) for citizen, notices in expected.items()
        )

    assert wait_for(all_rang, seconds=PATIENCE), f"not every committed notice rang: {left(house)}"
    expected, rang = told(house, about=everything), phones(service)
    for citizen, name in town.people.items():
        assert set(rang.get(name, ())) == expected.get(str(citizen), set())
    assert rows(house, "SELECT count(*) FROM notice.event WHERE (about->>'undone')::boolean") == [["0"]]
    again = sum(count - 1 for phone in rang.values() for count in phone.values())
    moods = {f"FCM {mood}": count for mood, count in service.state.injected.items()}
    print(f"{town.happened} happened, {town.undone} undone, {again} rang twice; {dict(house.hurt)} {moods}")
    assert min(town.happened, town.undone) > 10
    wanted = {*PUSHING, *CLOCKS, *(f"killed: {name}" for name in ("serve", "worker", "backend", "postmaster"))}
    assert wanted - set(house.hurt) == set(), "these faults did not happen"
    assert set(PASSING) <= set(service.state.injected), "these moods were never met"
