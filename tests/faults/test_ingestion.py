"""Killed at any point, every message that was answered with 202 is filed once (I1, I7), or is seen as not filed.

The seed is printed and may be chosen by FAULT_SEED; a fault that did not happen fails the test.
"""

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest

from tests.faults.house import House, rows, wait_for
from tests.faults.journal import Journal, send
from tests.faults.points import POINTS
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE

pytestmark = pytest.mark.long

FACILITY = "01901"
SENDERS = 3
PEOPLE = 12
PAUSE = (0.5, 2.5)
SEED = int(os.environ.get("FAULT_SEED", "20261122"))


def body(number: int) -> bytes:
    """Return the visit of one of a dozen people; every tenth message is large, with five visits."""
    person = {"SO_CCCD": f"00118501{number % PEOPLE:04}", "MA_THE_BHYT": f"GD40101123{number % PEOPLE:05}"}
    count, lines = (5, 40) if number % 10 == 9 else (1, 1)
    visits = []
    for part in range(count):
        named = {name: {**line, "MA_LK": f"{FACILITY}.{number}.{part}"} for name, line in messages.LINES.items()}
        named["XML1"] |= person
        visits.append(
            messages.visit_xml({name: [line] * (1 if name == "XML1" else lines) for name, line in named.items()})
        )
    return messages.envelope(*visits)


class Load:
    """Hospitals that send, one message after the other, until they are stopped."""

    def __init__(self, house: House, *, token: str, journal: Journal) -> None:
        self._house = house
        self._token = token
        self._journal = journal
        self._numbers = iter(range(1_000_000))
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def stop(self) -> None:
        self._stopped.set()

    def run(self, random: Random) -> list[bytes]:
        """Send; every eighth message is sent twice. Returns what was sent."""
        sent = []
        with self._house.client(timeout=10) as http:
            while not self._stopped.wait(random.uniform(0.05, 0.25)):
                with self._lock:
                    one = body(next(self._numbers))
                for _ in range(1 + (random.random() < 1 / 8)):
                    send(one, http=http, token=self._token, journal=self._journal)
                sent.append(one)
        return sent


def hurt(house: House, random: Random) -> None:
    """Do everything that may happen, in an order and at moments of the seed's."""
    points = list(POINTS)
    random.shuffle(points)
    house.arm(points)
    blows = ["serve", "worker 1", "worker 2", "reader", "backend", "postmaster"]
    random.shuffle(blows)
    for blow in blows:
        time.sleep(random.uniform(*PAUSE))
        if blow == "reader":
            wait_for(house.kill_reader, seconds=PATIENCE)
        elif blow == "backend":
            wait_for(house.kill_backend, seconds=PATIENCE)
        elif blow == "postmaster":
            house.kill_postgresql()
        else:
            house.kill(blow)
    wait_for(house.note, seconds=PATIENCE)


def waiting(house: House) -> int:
    return int(rows(house, "SELECT count(*) FROM intake.message WHERE status = 'received'")[0][0])


def check(house: House, *, sent: Sequence[bytes], journal: Journal) -> None:
    kept = rows(house, "SELECT id, encode(digest, 'hex'), status FROM intake.message")
    assert {digest: message_id for message_id, digest, _ in kept} == journal.answers
    assert len(kept) == len(sent)
    assert [one for one in kept if one[2] != "filed"] == []
    visits = rows(house, "SELECT source_id, count(*) FROM book.visit GROUP BY 1")
    expected = {
        f"{FACILITY}.{number}.{part}" for number in range(len(sent)) for part in range(5 if number % 10 == 9 else 1)
    }
    assert {source for source, _ in visits} == expected
    assert {count for _, count in visits} == {"1"}
    versions = rows(
        house, "SELECT kind, version, count(*), count(DISTINCT record_id) FROM book.record_version GROUP BY 1, 2"
    )
    assert {version for _, version, _, _ in versions} == {"1"}, "something was filed twice"
    assert {int(total) - int(different) for _, _, total, different in versions} == {0}
    unmatched = "SELECT count(*) FROM auth.citizen"
    assert rows(house, unmatched) == [[str(min(PEOPLE, len(sent)))]]


def test_whatever_is_killed_every_202_is_filed_once(house: House, tmp_path: Path) -> None:
    random = Random(SEED)
    print(f"seed {SEED}")
    journal = Journal(tmp_path / "journal")
    load = Load(house, token=Stand(house.settings).facility(FACILITY), journal=journal)
    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(load.run, Random(f"{SEED} {number}")) for number in range(SENDERS)]
        try:
            hurt(house, random)
        finally:
            load.stop()
        sent = [one for task in sending for one in task.result()]
    assert wait_for(lambda: waiting(house) == 0, seconds=PATIENCE), f"{waiting(house)} are not filed"
    check(house, sent=sent, journal=journal)
    print(f"{len(sent)} messages, {journal.unknown} unknown, {dict(house.hurt)}")
    wanted = {*POINTS, *(f"killed: {name}" for name in ("serve", "worker", "reader", "backend", "postmaster"))}
    assert wanted - set(house.hurt) == set(), "these faults did not happen"
