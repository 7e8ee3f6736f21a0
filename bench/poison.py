"""How much one sender of poison slows the others.

    python3 dev.py bench poison

Starts PostgreSQL, one API process and one worker. A good facility sends usual visits at a steady rate; in every second
round another one sends, as fast as it is answered, what is as heavy as the door accepts: small messages slow to read,
texts of combining marks, messages of 10 MB, and bombs that are refused. It stands for another machine: one process at
the lowest priority, which is there, ready and silent in the quiet rounds too. Rounds are interleaved, and each poisoned
round is compared with the quiet one before it. Prints the median and 95th percentile of the 202 and of the time until a
message is concluded, as ratios: 1.10 is "a tenth slower".
"""

import asyncio
import os
import select
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

import httpx
from sqlalchemy import text

from app.commands.steps import as_migrator
from app.core.db import Session
from app.core.yielding import yield_to_all
from bench.filing import _bodies, _now
from bench.serving.programs import PORT, served
from tests.ingestion import messages
from tests.people import Stand

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
PER_SECOND = int(os.environ.get("BENCH_PER_SECOND", "20"))
GOOD, BAD = "01901", "79001"
POISON_PAUSE_SECONDS = 0.3
DRAIN_SECONDS = 120


def _tiny_visits(number: int) -> bytes:
    empty = f"<HOSO>{messages.file_xml('XML1', f'<TONG_HOP><STT>{number}</STT></TONG_HOP>')}</HOSO>"
    return messages.envelope(*[empty] * 1_400, facility=BAD)


def _marks(_number: int) -> bytes:
    summary = {**messages.VISIT, "MA_CSKCB": BAD, "LY_DO_VV": "a" + "\u0323\u0300" * 32_000}
    return messages.envelope(messages.visit_xml({"XML1": [summary]}), facility=BAD)


def _large(_number: int) -> bytes:
    return messages.many_visits(most_bytes=10_000_000, facility=BAD)


def _bomb(_number: int) -> bytes:
    return b"<a>" + b"<b/>" * 1_000_000 + b"</a>"


@dataclass(slots=True)
class Round:
    """What one round took, in milliseconds."""

    answered: list[float] = field(default_factory=list)
    concluded: list[float] = field(default_factory=list)


class Other:
    """The other facility: a process of its own, told by lines when to begin and to end."""

    def __init__(self, token: str) -> None:
        command = [sys.executable, "-m", "bench.poison", "--send", token]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        self._wait()

    def begin(self) -> None:
        """Let it send."""
        self._tell()

    def end(self) -> int:
        """Let it stop; returns how many messages it sent."""
        self._tell()
        return self._wait()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _tell(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(b"\n")

    def _wait(self) -> int:
        return 0 if self._process.stdout is None else int(self._process.stdout.readline())


class Bench:
    """Two facilities, and rounds of both kinds."""

    def __init__(self, stand: Stand, http: httpx.AsyncClient, *, token: str, other: Other) -> None:
        self.stand = stand
        self.http = http
        self.token = token
        self.other = other
        self.turn = 0
        self.poisons = 0

    async def send(self, body: bytes) -> float:
        """Send a usual message; returns the milliseconds until it was kept."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/xml"}
        start = time.perf_counter()
        await self.http.post("/ingest/qd4750", content=body, headers=headers)
        return (time.perf_counter() - start) * 1000

    async def round(self, *, poisoned: bool) -> Round:
        """Send at a steady rate for some seconds, with or without the other one."""
        self.turn += 1
        bodies = _bodies(int(SECONDS * PER_SECOND), first_turn=self.turn * 100)
        before = _now()
        if poisoned:
            self.other.begin()
        start, tasks = time.perf_counter(), []
        for number, body in enumerate(bodies):
            await asyncio.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
            tasks.append(asyncio.create_task(self.send(body)))
        answered = await asyncio.gather(*tasks)
        if poisoned:
            self.poisons += await asyncio.to_thread(self.other.end)
        await self._drain()
        return Round(answered=list(answered), concluded=await self._concluded(before))

    async def _drain(self) -> None:
        for _ in range(DRAIN_SECONDS * 2):
            if not await self._ask("SELECT 1 FROM intake.message WHERE status = 'received' LIMIT 1"):
                return
            await asyncio.sleep(0.5)
        raise SystemExit("the queue does not become empty")

    async def _concluded(self, since: object) -> list[float]:
        query = (
            "SELECT extract(epoch FROM concluded_at - received_at) * 1000 FROM intake.message "
            "WHERE facility_code = :facility AND received_at >= :since"
        )
        return [float(str(row[0])) for row in await self._ask(query, facility=GOOD, since=since)]

    async def _ask(self, query: str, **values: object) -> list[tuple[object, ...]]:
        async def step(session: Session) -> list[tuple[object, ...]]:
            await session.execute(text("SET LOCAL ROLE auth_owner"))
            return [tuple(row) for row in await session.execute(text(query), values)]

        return await as_migrator(self.stand.settings, step)


def send_poison(token: str) -> None:
    """Send poison from one line of standard input to the next, and write how many they were."""
    yield_to_all(19)
    kinds = [kind(0) for kind in (_tiny_visits, _marks, _large, _bomb)]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
    number = 0
    with httpx.Client(base_url=f"http://127.0.0.1:{PORT}", timeout=90) as http:
        print(0, flush=True)
        while os.read(0, 1):
            before = number
            while not select.select([sys.stdin], [], [], POISON_PAUSE_SECONDS)[0]:
                body = kinds[number % len(kinds)] + f"<!-- {number} -->".encode()
                http.post("/ingest/qd4750", content=body, headers=headers)
                number += 1
            os.read(0, 1)
            print(number - before, flush=True)


async def measure(bench: Bench) -> None:
    """Run the rounds and print the ratios."""
    await bench.round(poisoned=False)
    pairs = [(await bench.round(poisoned=False), await bench.round(poisoned=True)) for _ in range(ROUNDS)]
    print(f"{ROUNDS} pairs of rounds of {SECONDS:.0f} s, {PER_SECOND} messages/s; {bench.poisons} messages of poison")
    for what in ("answered", "concluded"):
        for name, share in (("median", 0.5), ("95th percentile", 0.95)):
            found = [(_at(getattr(quiet, what), share), _at(getattr(hurt, what), share)) for quiet, hurt in pairs]
            ratio = statistics.median(hurt / quiet for quiet, hurt in found)
            told = ", ".join(f"{quiet:.0f}→{hurt:.0f}" for quiet, hurt in found)
            print(f"{what}, {name} | {ratio:.2f} | against a quiet round, 1.10 wanted ({told} ms)")


def _at(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


async def _run(stand: Stand, other: Other) -> None:
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=90, limits=limits) as http:
        await measure(Bench(stand, http, token=stand.facility(GOOD), other=other))


def main() -> int:
    """Start everything on a cluster of its own, measure, and stop."""
    if sys.argv[1:2] == ["--send"]:
        send_poison(sys.argv[2])
        return 0
    with served(with_worker=True) as found:
        stand = Stand(found.settings)
        other = Other(stand.facility(BAD))
        try:
            asyncio.run(_run(stand, other))
        finally:
            other.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
