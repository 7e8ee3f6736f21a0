"""The log after the restore of an older backup: what it lacks is not signed over, and it goes on under a new name."""

import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from app.core.settings import Settings
from tests import steps
from tests.audit.commanding import command, environment, sokhoe
from tests.audit.visitors import Visitors
from tests.conftest import Ground
from tests.people import Stand
from tests.sockets import PATIENCE

NEW_NAME = {"SOKHOE_LOG_ORIGIN": "sokhoe/visitors-book-2"}


@dataclass(frozen=True, slots=True)
class Log:
    """One database's log, and the file in which the sealer keeps its head."""

    settings: Settings
    citizen: UUID
    head: Path

    def write(self, *, lines: int) -> None:
        for _ in range(lines):
            Visitors(Stand(self.settings)).write(self.citizen, "GRANT_GIVEN", by=None)

    def sealer(self, changed: Mapping[str, str], *, log: int = subprocess.DEVNULL) -> "subprocess.Popen[str]":
        Stand(self.settings).as_owner("UPDATE audit.tree SET sealed_at = now() - interval '1 minute'")
        told = environment(self.settings, SOKHOE_SEALED_HEAD=str(self.head), SOKHOE_SEAL_SECONDS="0.05", **changed)
        return subprocess.Popen(command("sealer"), env=told, stdout=log, stderr=subprocess.STDOUT, text=True)

    def seal(self, *, size: int, **changed: str) -> str:
        """Let a sealer work until the head of that size is kept; returns the head."""
        with self.sealer(changed) as process:
            give_up_at = time.monotonic() + PATIENCE
            while self.kept()[1:2] != [str(size)]:
                assert process.poll() is None
                assert time.monotonic() < give_up_at
                time.sleep(0.02)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        return self.head.read_text(encoding="utf-8")

    def kept(self) -> list[str]:
        return self.head.read_text(encoding="utf-8").split("\n") if self.head.exists() else []

    def refused(self) -> str:
        with self.sealer({}, log=subprocess.PIPE) as process:
            told, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 1, told
        return str(told)

    def size(self) -> int:
        size: int = Stand(self.settings).as_owner("SELECT size FROM audit.tree")[0].size
        return size


@pytest.fixture
def log(ground: Ground, settings: Settings, stand: Stand, tmp_path: Path) -> Iterator[Log]:
    """Give the log of a database of three sealed lines."""
    name = f"t_{uuid4().hex[:12]}"
    ground.cluster.create_database(name, template=settings.database_url.rpartition("/")[2])
    own = ground.settings(name)
    stand = Stand(own)
    stand.facility()
    found = Log(own, Visitors(stand).citizen(), tmp_path / "head.txt")
    found.write(lines=3)
    found.seal(size=3)
    yield found
    steps.close(own)
    ground.cluster.drop_database(name)


@pytest.fixture
def restored(ground: Ground, log: Log) -> Iterator[Log]:
    """Give the database as it was, when two more lines were sealed since."""
    name = f"t_{uuid4().hex[:12]}"
    steps.close(log.settings)
    ground.cluster.create_database(name, template=log.settings.database_url.rpartition("/")[2])
    log.write(lines=2)
    log.seal(size=5)
    found = Log(ground.settings(name), log.citizen, log.head)
    yield found
    steps.close(found.settings)
    ground.cluster.drop_database(name)


def test_a_sealer_that_begins_again_goes_on(log: Log) -> None:
    log.write(lines=40)
    log.seal(size=43)
    log.write(lines=1)

    assert log.seal(size=44).startswith("sokhoe/visitors-book\n44\n")


@pytest.mark.parametrize("since", [0, 2, 7], ids=["shorter", "as long", "longer"])
def test_a_log_that_lacks_what_was_sealed_is_not_signed_over(restored: Log, since: int) -> None:
    restored.write(lines=since)
    before = restored.head.read_text(encoding="utf-8")

    told = restored.refused()

    assert told.count("(sokhoe/visitors-book, 5)") == 2
    assert told.count("SOKHOE_LOG_ORIGIN") == 2
    assert (restored.size(), restored.head.read_text(encoding="utf-8")) == (3, before)


def test_it_goes_on_under_a_new_name_and_the_old_head_stays(restored: Log) -> None:
    old = restored.head.read_text(encoding="utf-8")
    restored.write(lines=4)

    new = restored.seal(size=7, **NEW_NAME)

    assert new.startswith("sokhoe/visitors-book-2\n7\n")
    ended = restored.head.with_name("head.txt.ended-at-5")
    assert ended.read_text(encoding="utf-8") == old
    assert sokhoe(restored.settings, "audit", "verify")[0] == 0
    restored.write(lines=1)
    assert restored.seal(size=8, **NEW_NAME).startswith("sokhoe/visitors-book-2\n8\n")
    code, told = sokhoe(restored.settings, "audit", "verify", "--checkpoint", str(ended))
    assert code == 1
    assert "of size 5" in told


def test_what_is_no_head_is_refused(log: Log) -> None:
    log.head.write_text(log.head.read_text(encoding="utf-8").replace("\n3\n", "\n4\n", 1), encoding="utf-8")

    assert log.refused().count("signed by no known key") == 2
