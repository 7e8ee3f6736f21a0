"""The back door as a process of its own: what the door kept, the queue brings to the worker, and it is filed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from app.core.settings import Settings
from tests.ingestion import messages
from tests.people import Stand

GIVE_UP_SECONDS = 40


@contextmanager
def worker(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        **os.environ,
        "SOKHOE_DATABASE_URL": settings.database_url,
        "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
    }
    command = [sys.executable, "-c", "from app.cli import main; main()", "worker"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def status_of(stand: Stand, message_id: UUID, *, token: str) -> str:
    give_up_at = time.monotonic() + GIVE_UP_SECONDS
    while (found := stand.receipt(message_id, token=token).status) == "received" and time.monotonic() < give_up_at:
        time.sleep(0.1)
    return found


def visit_of(facility: str, number: int) -> bytes:
    tables = {name: [{**line, "MA_LK": f"{facility}.{number}"}] for name, line in messages.LINES.items()}
    tables["XML1"] = [{**tables["XML1"][0], "MA_CSKCB": facility}]
    return messages.envelope(messages.visit_xml(tables), facility=facility)


def test_the_worker_files_what_the_door_kept(settings: Settings, stand: Stand) -> None:
    token = stand.facility("01901")
    waiting = stand.keep(messages.message(), token=token)

    with worker(settings):
        assert status_of(stand, waiting, token=token) == "filed"


def test_a_killed_worker_loses_nothing(settings: Settings, stand: Stand) -> None:
    token = stand.facility("01902", name="Bệnh viện thứ hai")
    with worker(settings) as first:
        kept = [stand.keep(visit_of("01902", number), token=token) for number in range(20)]
        first.kill()
        first.wait(10)

    with worker(settings):
        assert {status_of(stand, one, token=token) for one in kept} == {"filed"}
