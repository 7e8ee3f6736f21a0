"""T17: nothing of another's book is seen without a line; without a line that can be written, nothing is seen.

Real processes: the API is killed while people read, at chance and at the worst moment.
"""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from app.gateway.trusted import trusted_operations
from tests.attacks.crowd import Member, message
from tests.audit.commanding import command, environment
from tests.conftest import Ground
from tests.people import Stand
from tests.sharing.sharing import Clinic
from tests.sockets import PATIENCE, free_port

OWNER = Member(number=401)
DOCUMENTS = {known.name: known.id for known in trusted_operations().values()}
ROUNDS = 3
READERS = 3
AT_THE_WORST_MOMENT = """
import os, signal
from app.gateway import run
answered = run._Asked.book
async def book(self, part, asked, *, known):
    await answered(self, part, asked, known=known)
    os.kill(os.getpid(), signal.SIGKILL)
run._Asked.book = book
from app.cli import main
main()
"""


@dataclass(slots=True)
class Reader:
    """A doctor's app: how often it asked, and how often it saw a body."""

    token: str
    grant: str
    asked: int = 0
    seen: int = 0

    def read(self, url: str) -> None:
        """Ask once; a body counts as seen when it came whole."""
        self.asked += 1
        body = {"documentId": DOCUMENTS["SharedBook"], "variables": {"grantId": self.grant}}
        answer = httpx.post(
            f"{url}/graphql", json=body, headers={"Authorization": f"Bearer {self.token}"}, timeout=PATIENCE
        )
        if answer.status_code == 200 and answer.json()["data"]["sharedHealthBook"] is not None:
            self.seen += 1

    def read_until(self, url: str, stop: threading.Event) -> None:
        """Ask until the server is gone or it is enough."""
        while not stop.is_set():
            try:
                self.read(url)
            except httpx.TransportError:
                return


@pytest.fixture(scope="module")
def citizen(stand: Stand) -> UUID:
    assert stand.file(message(OWNER), token=stand.facility()) == "filed"
    return stand.citizen_by(OWNER.personal_id)


@pytest.fixture
def clinic(stand: Stand, http: httpx.Client) -> Clinic:
    return Clinic(stand, http)


@pytest.fixture
def readers(clinic: Clinic, citizen: UUID) -> list[Reader]:
    owner = clinic.citizen(citizen)
    doctors = [clinic.doctor(f"Bác sĩ {n}") for n in range(READERS)]
    return [Reader(doctor, clinic.grant(owner, doctor)) for doctor in doctors]


@contextmanager
def serving(
    settings: Settings, folder: Path, *, program: str | None = None
) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """Run the API as a process of its own; it may be killed inside."""
    port = free_port()
    asked = ["serve", "--port", str(port)]
    line = command(*asked) if program is None else [sys.executable, "-c", program, *asked]
    url = f"http://127.0.0.1:{port}"
    with (folder / "api.log").open("ab") as log:
        process = subprocess.Popen(line, env=environment(settings), cwd=folder, stdout=log, stderr=log)
    try:
        give_up_at = time.monotonic() + PATIENCE
        while True:
            try:
                if httpx.get(f"{url}/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.05)
            assert process.poll() is None
            assert time.monotonic() < give_up_at
        yield process, url
    finally:
        process.kill()
        process.wait()


def views(clinic: Clinic, citizen: UUID, reader: Reader) -> int:
    """Return how many lines tell of a reader's views."""
    doctor = clinic.doctors[reader.token]
    return sum(line.actor_id == doctor for line in clinic.lines(citizen, "BOOK_OPENED"))


def test_t17_of_an_api_that_is_killed_while_people_read_every_body_has_its_line(
    settings: Settings, clinic: Clinic, citizen: UUID, readers: list[Reader], tmp_path: Path
) -> None:
    before = [views(clinic, citizen, reader) for reader in readers]
    for turn in range(ROUNDS):
        with serving(settings, tmp_path) as (api, url):
            stop = threading.Event()
            threads = [threading.Thread(target=reader.read_until, args=(url, stop)) for reader in readers]
            for thread in threads:
                thread.start()
            give_up_at = time.monotonic() + PATIENCE
            while any(reader.seen < (turn + 1) * 5 for reader in readers):
                assert time.monotonic() < give_up_at
                time.sleep(0.01)
            api.send_signal(signal.SIGKILL)
            stop.set()
            for thread in threads:
                thread.join(timeout=PATIENCE)

    written = [views(clinic, citizen, reader) - earlier for reader, earlier in zip(readers, before, strict=True)]
    assert all(reader.seen >= ROUNDS * 5 for reader in readers)
    assert [reader.seen <= lines <= reader.asked for reader, lines in zip(readers, written, strict=True)] == [
        True
    ] * READERS


def test_t17_killed_between_the_reading_and_the_answer_the_line_is_there(
    settings: Settings, clinic: Clinic, citizen: UUID, readers: list[Reader], tmp_path: Path
) -> None:
    reader = readers[0]
    before = views(clinic, citizen, reader)
    with serving(settings, tmp_path, program=AT_THE_WORST_MOMENT) as (api, url):
        with pytest.raises(httpx.TransportError):
            reader.read(url)
        assert api.wait(timeout=PATIENCE) == -signal.SIGKILL

    assert reader.seen == 0
    assert views(clinic, citizen, reader) == before + 1


CLOSED = {
    "the line cannot be written": (
        "REVOKE INSERT ON audit.line FROM auth_owner",
        "GRANT INSERT ON audit.line TO auth_owner",
    ),
    "no seal for too long": (
        "UPDATE audit.tree SET sealed_at = now() - interval '16 minutes'",
        "UPDATE audit.tree SET sealed_at = now()",
    ),
}


@pytest.mark.parametrize("why", CLOSED)
def test_t17_when_no_line_can_be_written_others_see_nothing_and_the_owner_everything(
    ground: Ground, settings: Settings, clinic: Clinic, citizen: UUID, readers: list[Reader], why: str
) -> None:
    database = settings.database_url.rpartition("/")[2]
    owner = clinic.stand.citizen_token(citizen)
    shared = "query ($grant: ID!) { sharedHealthBook(grantId: $grant) { version owner { fullName } } }"
    close, back = CLOSED[why]
    ground.cluster.psql(close, database)
    try:
        answer = clinic.ask(readers[0].token, shared, grant=readers[0].grant)
        body = {"documentId": DOCUMENTS["SharedBook"], "variables": {"grantId": readers[0].grant}}
        released = clinic.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {readers[0].token}"})
        own = clinic.ask(owner, "{ healthBook { version owner { fullName } } }")
    finally:
        ground.cluster.psql(back, database)

    for refused in (answer, released):
        assert OWNER.name not in refused.text
        assert [error["extensions"]["code"] for error in refused.json()["errors"]] == ["UNAVAILABLE"]
        assert refused.json().get("data") in (None, {"sharedHealthBook": None})
    assert (answer.status_code, released.status_code) == (503, 503)
    assert own.json()["data"]["healthBook"]["owner"]["fullName"] == OWNER.name
