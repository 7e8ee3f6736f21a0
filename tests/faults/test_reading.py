"""Whatever happens to PostgreSQL and the API while people read: a whole book or 503, and a line for each (I5, I9, I10).

Killed, stood still, cut off, locked. The seed is printed and may be chosen by FAULT_SEED; a fault that did not happen
fails the test.
"""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.gateway.trusted import trusted_operations
from tests.attacks.crowd import Member, message
from tests.audit.commanding import sokhoe
from tests.faults.house import House, rows, wait_for
from tests.people import Stand
from tests.sharing.sharing import Clinic
from tests.sockets import PATIENCE

pytestmark = pytest.mark.long

SEED = int(os.environ.get("FAULT_SEED", "20261123"))
OWNERS = tuple(Member(number=500 + number) for number in range(4))
DOCTORS = 2
AT_ONCE = 3  # of each
STILL_SECONDS = 3
DOCUMENTS = {known.name: known.id for known in trusted_operations().values()}


@dataclass(slots=True, kw_only=True)
class Reader:
    """An app that asks for one book, over and over."""

    member: Member
    token: str
    document: str
    variables: dict[str, str]
    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, http: httpx.Client) -> None:
        """Ask once, and judge the answer."""
        asked = {"documentId": DOCUMENTS[self.document], "variables": self.variables}
        self._count("asked")
        try:
            answer = http.post("/graphql", json=asked, headers={"Authorization": f"Bearer {self.token}"})
        except httpx.TimeoutException:
            self.wrong.append("no answer")
            return
        except httpx.TransportError:
            self._count("cut off")
            time.sleep(0.05)
            return
        if answer.status_code == 503 and answer.headers.get("Retry-After"):
            self._count("unavailable")
            time.sleep(0.05)
        elif answer.status_code == 200 and self._is_whole(answer):
            self._count("seen")
        else:
            self.wrong.append(f"{answer.status_code} {answer.text[:300]}")

    def _is_whole(self, answer: httpx.Response) -> bool:
        """Tell whether it is this person's book, with its visit: one that is empty would say that nobody is ill."""
        told = [other.number for other in OWNERS if other.told in answer.text or other.name in answer.text]
        return "errors" not in answer.json() and told == [self.member.number] and '"startedAt":' in answer.text

    def _count(self, outcome: str) -> None:
        with self.lock:
            self.outcomes[outcome] += 1


@dataclass(slots=True)
class Waiting:
    """Everybody who reads."""

    house: House
    readers: list[Reader]
    stopped: threading.Event = field(default_factory=threading.Event)

    def read(self, reader: Reader) -> None:
        with self.house.client(timeout=PATIENCE) as http:
            while not self.stopped.wait(0.005):
                reader.read(http)

    def all_see_again(self) -> bool:
        """Wait until each reader has seen the book once more."""
        before = [reader.outcomes["seen"] for reader in self.readers]

        def have_seen() -> bool:
            return all(reader.outcomes["seen"] > seen for reader, seen in zip(self.readers, before, strict=True))

        return wait_for(have_seen, seconds=PATIENCE)


@pytest.fixture
def clinic(house: House) -> Iterator[Clinic]:
    with house.client(timeout=PATIENCE) as http:
        assert wait_for(house.is_ready, seconds=PATIENCE)
        yield Clinic(Stand(house.settings), http)


@pytest.fixture
def readers(house: House, clinic: Clinic) -> list[Reader]:
    """Owners who read their own book, and doctors who read one that is shared with them."""
    stand = clinic.stand
    stand.file(message(*OWNERS), token=stand.facility())  # or a worker of the house does
    assert wait_for(lambda: len(rows(house, "SELECT 1 FROM book.visit")) == len(OWNERS), seconds=PATIENCE)
    found = []
    for at, member in enumerate(OWNERS):
        citizen = stand.citizen_by(member.personal_id)
        if at < DOCTORS:
            doctor = clinic.doctor(f"Bác sĩ {at}")
            variables = {"grantId": clinic.grant(clinic.citizen(citizen), doctor)}
            found.append(Reader(member=member, token=doctor, document="SharedBook", variables=variables))
        else:
            token = clinic.citizen(citizen)
            found.append(Reader(member=member, token=token, document="Visits", variables={}))
    return found


@contextmanager
def still(house: House) -> Iterator[None]:
    """Let every process of PostgreSQL stand still."""
    pids = [int(pid) for (pid,) in rows(house, "SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()")]
    try:
        _signal(pids, signal.SIGSTOP)
        yield
    finally:
        _signal(pids, signal.SIGCONT)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):  # some end by themselves: connections, workers of autovacuum
            os.kill(pid, number)


def stand_still(house: House) -> None:
    with still(house):
        time.sleep(STILL_SECONDS)
    house.hurt["stood still"] += 1


def cut_off(house: House) -> None:
    """End every connection of the API, ten times."""
    for _ in range(10):
        ended = rows(house, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename IN ('api', 'desk')")
        house.hurt["cut off"] += len(ended)
        time.sleep(0.05)


def lock(house: House) -> None:
    """Hold a table that every reading needs."""
    rows(house, f"BEGIN; LOCK TABLE auth.session IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep({STILL_SECONDS}); COMMIT")
    house.hurt["locked"] += 1


BLOWS: dict[str, Callable[[House], Any]] = {
    "killed: serve": lambda house: house.kill("serve"),
    "killed: backend": lambda house: wait_for(lambda: house.kill_backend(of="'api'"), seconds=PATIENCE),
    "killed: postmaster": House.kill_postgresql,
    "stood still": stand_still,
    "cut off": cut_off,
    "locked": lock,
}


def views(house: House, doctor: UUID) -> int:
    """Return how many lines tell of a doctor's views."""
    found = rows(house, f"SELECT count(*) FROM audit.line WHERE action = 'BOOK_OPENED' AND actor_id = '{doctor}'")
    return int(found[0][0])


def test_i5_i9_i10_whatever_happens_a_reader_sees_a_whole_book_or_503_and_every_view_has_its_line(
    house: House, clinic: Clinic, readers: list[Reader]
) -> None:
    random = Random(SEED)
    print(f"seed {SEED}")
    waiting = Waiting(house, readers)
    blows = list(BLOWS)
    random.shuffle(blows)
    with ThreadPoolExecutor(len(readers) * AT_ONCE) as pool:
        reading = [pool.submit(waiting.read, reader) for reader in readers for _ in range(AT_ONCE)]
        try:
            assert waiting.all_see_again(), [reader.wrong[:2] for reader in readers]
            for blow in blows:
                BLOWS[blow](house)
                assert waiting.all_see_again(), f"not healed after: {blow}"
        finally:
            waiting.stopped.set()
        for task in reading:
            task.result()

    print([dict(reader.outcomes) for reader in readers], dict(house.hurt))
    assert [reader.wrong[:3] for reader in readers] == [[]] * len(readers)
    assert set(BLOWS) - set(house.hurt) == set(), "these faults did not happen"
    assert wait_for(house.is_ready, seconds=PATIENCE)
    for reader in readers[:DOCTORS]:
        lines = views(house, clinic.doctors[reader.token])
        assert reader.outcomes["seen"] <= lines <= reader.outcomes["asked"]
    code, said = sokhoe(house.settings, "audit", "verify")
    assert code == 0, said
