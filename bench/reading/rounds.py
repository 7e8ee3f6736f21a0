"""Runs of load, interleaved: A B C A B C …, and what each cost."""

import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.core.logins import Login, address_of
from bench.reading.book import DATABASE, Book, Person, call_of
from bench.reading.load import write_requests
from bench.reading.machine import DATABASE_CORE, cpu_seconds, on_core, tree_of
from bench.reading.questions import Question
from bench.reading.servers import OUR_POOL, Server

SATURATED, BUSY, UNLOADED = 32, 4, 1
ATTACKS_A_SECOND = 50
Key = tuple[str, str]
"""A question's name and a server's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one run of one server cost."""

    per_second: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float
    database_cpu_ms: float
    bytes: int


@dataclass(slots=True, kw_only=True)
class Table:
    """Every run by question, server and connections."""

    runs: dict[tuple[str, str, int], list[Run]] = field(default_factory=dict)

    def add(self, question: str, server: str, connections: int, run: Run) -> None:
        self.runs.setdefault((question, server, connections), []).append(run)

    def middle(self, question: str, server: str, connections: int, figure: str) -> float:
        """Return the median of one figure."""
        return statistics.median(float(getattr(run, figure)) for run in self.runs[question, server, connections])

    def ratio(self, one: Key, other: Key) -> float:
        """Return the median of how many times more requests the first answers: round by round, saturated."""
        pairs = zip(self.runs[*one, SATURATED], self.runs[*other, SATURATED], strict=True)
        return statistics.median(mine.per_second / theirs.per_second for mine, theirs in pairs)

    def has(self, question: str, server: str, connections: int) -> bool:
        return (question, server, connections) in self.runs


def prepare(
    book: Book,
    question: Question,
    server: Server,
    people: Sequence[Person],
    etags: dict[str, str],
    *,
    seconds: float = 0,
) -> Path:
    """Write the requests of a question to a server; those of a bound one are for a run of so many seconds from now."""
    path = book.folder / f"{server.port}-{question.name.replace(' ', '-')}.requests"
    write_requests(path, question.requests(server, people, etags, seconds=seconds))
    return path


def load(book: Book, question: Question, server: Server, *, requests: Path, connections: int, seconds: float) -> Run:
    """Send for some seconds and tell what it cost."""
    postgres = tree_of(book.postmaster())
    before = server.cpu_seconds(), cpu_seconds(postgres)
    command = [sys.executable, "-m", "bench.reading.load", server.port, connections, seconds, requests]
    with on_core(DATABASE_CORE):
        done = subprocess.run([str(part) for part in command], check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{server.name}, {question.name}: {done.stderr}")
    new = [pid for pid in tree_of(book.postmaster()) if pid not in postgres]
    used = server.cpu_seconds() - before[0], cpu_seconds(postgres) + cpu_seconds(new) - before[1]
    found = json.loads(done.stdout)
    if not question.allowed(found["statuses"], server):
        raise SystemExit(f"{server.name}, {question.name}: answers were {found['statuses']}")
    return Run(
        per_second=found["count"] / found["seconds"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        server_cpu_ms=used[0] * 1000 / found["count"],
        database_cpu_ms=used[1] * 1000 / found["count"],
        bytes=found["bytes"],
    )


@contextmanager
def attack(server: Server, *, requests: Path, seconds: float) -> Iterator[None]:
    """Send requests at a steady rate for as long as the block measures."""
    command = [sys.executable, "-m", "bench.reading.steady", server.port, ATTACKS_A_SECOND, seconds + 1, requests]
    with on_core(DATABASE_CORE):
        attacker = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE)
    try:
        if attacker.stdout is not None:
            attacker.stdout.readline()  # it begins
        yield
    finally:
        attacker.terminate()
        attacker.wait()


def pgbench(book: Book, operation: str, *, people: int, seconds: int, connections: int = OUR_POOL) -> Run:
    """Call the deployed function of an operation from PostgreSQL's own load generator, on PostgreSQL's core."""
    script = book.folder / f"{operation}.pgbench"
    call = call_of(operation, bearer="'bench-token-' || lpad(:n::text, 8, '0')") + ";"
    script.write_text(
        f"\\set n 1 + 10 * random(0, {people - 1})\n{call}\n",
        encoding="utf-8",
    )
    program = book.cluster.binaries.program("pgbench")
    command = [str(program), "-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-T", str(seconds)]
    command += ["-f", str(script), "-h", "127.0.0.1", "-p", str(book.cluster.port), "-U", Login.API.value, DATABASE]
    password = address_of(book.settings, Login.API)["password"]
    with on_core(DATABASE_CORE):
        done = subprocess.run(command, check=False, capture_output=True, text=True, env={"PGPASSWORD": password})
    found = re.search(r"number of transactions actually processed: (\d+).*?tps = ([0-9.]+)", done.stdout, re.DOTALL)
    if done.returncode or found is None or "failed transactions: 0 " not in done.stdout:
        raise SystemExit(f"pgbench: {done.stdout}\n{done.stderr}")
    per_second = float(found[2])
    middle = connections / per_second * 1000
    return Run(per_second=per_second, p50_ms=middle, p99_ms=0, server_cpu_ms=0, database_cpu_ms=0, bytes=0)
