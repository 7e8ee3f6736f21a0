"""The product as processes of its own, restarted when they die, and what is done to them."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.core.settings import Settings
from devkit.homes import PostgresError
from devkit.postgres import Cluster
from tests.faults.points import POINTS
from tests.sockets import PATIENCE

DATABASE = "faults"
PROGRAM = "from tests.faults.points import main; main()"
ROOT = Path(__file__).parents[2]
LOOK_EVERY_SECONDS = 0.05
READER = b"app.ingestion.reader_process"


@dataclass(slots=True)
class House:
    """One API, two workers and PostgreSQL. `hurt` counts the faults that really happened, by their name."""

    cluster: Cluster
    settings: Settings
    port: int
    marks: Path
    points: Mapping[str, tuple[str, object]] = field(default_factory=lambda: POINTS)
    more: Mapping[str, str] = field(default_factory=dict)
    hurt: Counter[str] = field(default_factory=Counter)
    _running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    _to_come: dict[str, list[str]] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _keeper: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def open(self) -> None:
        """Start everything, and a thread that starts again what dies."""
        for name in ("serve", "worker 1", "worker 2"):
            self._start(name)
        self._keeper = threading.Thread(target=self._keep_up, daemon=True)
        self._keeper.start()

    @contextlib.contextmanager
    def opened(self) -> Iterator["House"]:
        """Give it open, and end everything afterwards."""
        self.open()
        try:
            yield self
        finally:
            self.close()

    def close(self) -> None:
        """End everything."""
        self._closing.set()
        if self._keeper is not None:
            self._keeper.join(10)
        for process in self._running.values():
            process.kill()
            process.wait(PATIENCE)

    def client(self, *, timeout: float) -> httpx.Client:
        """Return a client of the API."""
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=timeout)

    def is_ready(self) -> bool:
        """Tell whether the API says so."""
        with contextlib.suppress(httpx.TransportError), self.client(timeout=5) as http:
            return http.get("/readyz").status_code == 200
        return False

    def kill(self, name: str) -> None:
        """Kill a program at whatever it is doing."""
        with self._lock:
            self._running[name].kill()
        self.hurt[f"killed: {name.split(maxsplit=1)[0]}"] += 1

    def kill_reader(self) -> bool:
        """Kill a reader of a worker, if there is one at the moment."""
        for reader in self._readers():
            with contextlib.suppress(ProcessLookupError):
                os.kill(reader, signal.SIGKILL)
                self.hurt["killed: reader"] += 1
                return True
        return False

    def kill_backend(self, *, of: str = "'ingest', 'worker'") -> bool:
        """Kill one of PostgreSQL's processes, if one works for us now: all of PostgreSQL recovers from its log."""
        with contextlib.suppress(PostgresError, ProcessLookupError):
            query = f"SELECT pid FROM pg_stat_activity WHERE usename IN ({of}) ORDER BY state LIMIT 1"
            for pid in self.cluster.psql(query).split():
                os.kill(int(pid), signal.SIGKILL)
                self.hurt["killed: backend"] += 1
                return True
        return False

    def kill_postgresql(self) -> None:
        """Kill the postmaster and start it again."""
        self.cluster.kill()
        self.hurt["killed: postmaster"] += 1
        self.cluster.start()

    def arm(self, points: Sequence[str]) -> None:
        """Let programs die at these points, one after the other: each start of a program brings its next point."""
        with self._lock:
            for point in points:
                name = "serve" if self.points[point][0] == "serve" else "worker 1"
                self._to_come.setdefault(name, []).append(point)
            for name in self._to_come:
                self._running[name].kill()

    def note(self) -> bool:
        """Count the points that were come to, and tell whether that is all of them."""
        for point in self.points:
            if point not in self.hurt and self._mark(point).exists():
                self.hurt[point] += 1
        return set(self.points) <= set(self.hurt)

    def _mark(self, point: str) -> Path:
        return self.marks / point.translate(str.maketrans(" :,", "___"))

    def _past(self, name: str) -> bool:
        """Tell whether a program lives on after its point, as a worker does whose reader died."""
        to_come = self._to_come.get(name, [])
        return bool(to_come) and self._mark(to_come[0]).exists()

    def _readers(self) -> list[int]:
        workers = {process.pid for name, process in self._running.items() if name.startswith("worker")}
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if parent in workers and READER in (folder / "cmdline").read_bytes():
                    found.append(int(folder.name))
        return found

    def _keep_up(self) -> None:
        while not self._closing.wait(LOOK_EVERY_SECONDS):
            with self._lock:
                for name, process in list(self._running.items()):
                    if process.poll() is not None:
                        self._start(name)
                    elif self._past(name):
                        process.kill()

    def _start(self, name: str) -> None:
        program = name.split(maxsplit=1)[0]
        to_come = self._to_come.get(name, [])
        while to_come and self._mark(to_come[0]).exists():
            del to_come[0]
        fault = to_come[0] if to_come else ""
        environment = {
            **os.environ,
            "SOKHOE_DATABASE_URL": self.settings.database_url,
            "SOKHOE_SECRETS_DIR": str(self.settings.secrets_dir),
            "SOKHOE_DEMO": "true",
            "SOKHOE_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "infra")]),
            "FAULT": fault,
            "FAULT_MARK": str(self._mark(fault)),
            **self.more,
        }
        options = ["--port", str(self.port)] if program == "serve" else []
        command = [sys.executable, "-c", PROGRAM, program, *options]
        with (self.marks / f"{name.replace(' ', '-')}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT)


def rows(house: House, query: str) -> list[list[str]]:
    """Return what the superuser reads, as soon as a server that was hurt lets them in again."""
    give_up_at = time.monotonic() + PATIENCE
    while True:
        try:
            return [line.split("|") for line in house.cluster.psql(query, database=DATABASE).splitlines()]
        except PostgresError as error:
            if "connection" not in str(error) or time.monotonic() > give_up_at:
                raise
        time.sleep(LOOK_EVERY_SECONDS)


def wait_for(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Tell whether something came true in time."""
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            return False
        time.sleep(0.05)
    return True
