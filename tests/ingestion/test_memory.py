"""T12: what messages of ten megabytes take of memory, measured by the kernel in the real processes.

Every process stays under 150 MB in all. The API and the worker are 100 to 135 MB large at rest, most of it compiled
schema and libraries: two messages of ten megabytes, one after the other, add at most five times the size of one.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from app.core.settings import Settings
from tests.ingestion import messages
from tests.ingestion.fhir import bundles
from tests.people import Stand
from tests.sockets import PATIENCE, free_port
from tests.test_worker import status_of

pytestmark = pytest.mark.long

MOST_KB = 150_000
TEN_MEGABYTES = 10 * 1_048_576
MOST_MORE_KB = 5 * TEN_MEGABYTES // 1024
START_SECONDS = 120


@pytest.fixture
def processes(settings: Settings) -> Iterator[tuple[str, dict[str, int]]]:
    """Start the API and a worker as they are started in earnest; give the address and both processes."""
    port = free_port()
    environment = {
        **os.environ,
        "SOKHOE_DATABASE_URL": settings.database_url,
        "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
        "SOKHOE_DEMO": "true",
        "SOKHOE_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    command = [sys.executable, "-c", "from app.cli import main; main()"]
    started = [
        subprocess.Popen([*command, *arguments], env=environment, stdout=subprocess.DEVNULL)
        for arguments in (["serve", "--port", str(port)], ["worker"])
    ]
    try:
        wait_for(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}", {"API": started[0].pid, "worker": started[1].pid}
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(PATIENCE)


def wait_for(address: str) -> None:
    give_up_at = time.monotonic() + START_SECONDS
    while time.monotonic() < give_up_at:
        try:
            if httpx.get(f"{address}/livez").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    message = "the server did not start"
    raise RuntimeError(message)


def most_kb(pid: int) -> int:
    """Return the most memory that a process has had resident."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(status.split("VmHWM:")[1].split()[0])


def readers_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text(encoding="ascii").split()]


def xml_of_ten_megabytes() -> list[bytes]:
    return [messages.many_visits(most_bytes=TEN_MEGABYTES, lines=lines) for lines in (20, 2)]


def bundles_of_ten_megabytes() -> list[bytes]:
    return [bundles.large(most_bytes=TEN_MEGABYTES, person=person) for person in ("001185012398", "001185012399")]


@pytest.mark.parametrize(
    ("path", "media_type", "bodies"),
    [
        ("/ingest/qd4750", "application/xml", xml_of_ten_megabytes),
        ("/ingest/fhir", "application/fhir+json", bundles_of_ten_megabytes),
    ],
    ids=["xml", "fhir"],
)
def test_t12_ten_megabytes_under_150_resident(
    processes: tuple[str, dict[str, int]],
    stand: Stand,
    path: str,
    media_type: str,
    bodies: Callable[[], list[bytes]],
) -> None:
    address, pids = processes
    token = stand.facility("01901")
    at_rest = {name: most_kb(pid) for name, pid in pids.items()}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": media_type}
    with httpx.Client(base_url=address, timeout=60) as http:
        for body in bodies():
            answer = http.post(path, content=body, headers=headers)
            assert answer.status_code == httpx.codes.ACCEPTED, answer.text
            assert status_of(stand, answer.json()["messageId"], token=token) == "filed"
    more = {name: most_kb(pid) - at_rest[name] for name, pid in pids.items()}
    assert all(most_kb(pid) < MOST_KB for pid in pids.values()), (at_rest, more)
    readers = {name: [most_kb(child) for child in readers_of(pid)] for name, pid in pids.items()}
    assert all(kb < MOST_MORE_KB for kb in more.values()), (at_rest, more)
    assert all(readers.values())
    assert all(kb < MOST_KB for each in readers.values() for kb in each), readers
