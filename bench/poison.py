"""How much one sender of poison slows the others.

    python3 dev.py bench poison

Starts PostgreSQL, one API process and one worker. A good facility sends usual visits at a steady rate. Another one is
silent in the first round; in the second it is a neighbour as good as the first, with as many visits of its own; in the
third it sends poison, as fast as it is answered: what is as heavy as the door accepts, small messages slow to read,
texts of combining marks, messages of 10 MB, and bombs that are refused. It stands for another machine: one process at
the lowest priority, which is there and ready in the silent rounds too. The three go round and round, and each round of
poison is compared with the two before it. Prints what the good facility waits for its 202, and until a message is
concluded, as ratios: 1.10 is "a tenth slower".
"""

import asyncio
import itertools
import os
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.client import HTTPConnection

from sqlalchemy import text

from app.commands.steps import as_migrator
from app.core.db import Session
from app.core.yielding import yield_to_all
from bench.filing import MEDIA_TYPE, PATH, _bodies, _now
from bench.serving.programs import PORT, served
from bench.serving.sending import open_senders
from tests.ingestion import messages
from tests.people import Stand

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))  # of one round
PER_SECOND = int(os.environ.get("BENCH_PER_SECOND", "20"))
GOOD, BAD = "01901", "79001"
SENDERS = 8
SILENT, USUAL, POISON, STOP = b"s", b"u", b"p", b"."
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
    """The other facility: a process of its own, told by a byte what to send and when to stop."""

    def __init__(self, token: str) -> None:
        command = [sys.executable, "-m", "bench.poison", "--send", token]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, start_new_session=True
        )
        self._wait()

    def begin(self, what: bytes) -> None:
        """Let it send POISON, or USUAL messages."""
        self._tell(what)

    def end(self) -> int:
        """Let it stop; returns how many messages it sent."""
        self._tell(STOP)
        return self._wait()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _tell(self, what: bytes) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(what)

    def _wait(self) -> int:
        return 0 if self._process.stdout is None else int(self._process.stdout.readline())


class Bench:
    """Two facilities, and rounds of three kinds."""

    def __init__(self, stand: Stand, *, token: str, other: Other) -> None:
        self.stand = stand
        self.token = token
        self.other = other
        self.turn = 0
        self.sent = {SILENT: 0, USUAL: 0, POISON: 0}

    async def round(self, beside: bytes) -> Round:
        """Send at a steady rate for some seconds, while the other one is SILENT or sends USUAL messages or POISON."""
        self.turn += 1
        bodies = _bodies(int(SECONDS * PER_SECOND), first_turn=self.turn * 100)
        before = _now()
        if beside != SILENT:
            self.other.begin(beside)
        async with open_senders(SENDERS, token=self.token) as senders:
            answered = await senders.steady(bodies, per_second=PER_SECOND, path=PATH, media_type=MEDIA_TYPE)
        if beside != SILENT:
            self.sent[beside] += await asyncio.to_thread(self.other.end)
        await self._drain()
        return Round(answered=[wait * 1000 for wait in answered], concluded=await self._concluded(before))

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


def send_beside(token: str) -> None:
    """Send what a byte of standard input says until the next byte, and write how many messages that were."""
    yield_to_all(19)
    heavy = [kind(0) for kind in (_tiny_visits, _marks, _large, _bomb)]
    usual = iter(_bodies(int(ROUNDS * SECONDS * PER_SECOND * 2), first_turn=1, facility=BAD))
    line = HTTPConnection("127.0.0.1", PORT, timeout=90)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": MEDIA_TYPE}

    def post(body: bytes) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # who is refused may be hung up on in the middle
            line.request("POST", PATH, body, headers)
        line.getresponse().read()

    print(0, flush=True)
    for turn in itertools.count():
        what = os.read(0, 1)
        print(_send_usual(post, usual) if what == USUAL else _send_poison(post, heavy, turn=turn), flush=True)
        line.close()  # the server does not keep it until the next round
        os.read(0, 1)


def _send_usual(post: Callable[[bytes], None], usual: Iterator[bytes]) -> int:
    """Send visits of this facility's own at the rate of the good one; return how many."""
    start = time.perf_counter()
    for number, body in enumerate(usual):
        if _is_told_to_stop(within=start + number / PER_SECOND - time.perf_counter()):
            return number
        post(body)
    raise SystemExit("the neighbour has no visits left")


def _send_poison(post: Callable[[bytes], None], heavy: Sequence[bytes], *, turn: int) -> int:
    """Send poison as fast as it is answered; return how many messages."""
    number = 0
    while not _is_told_to_stop(within=POISON_PAUSE_SECONDS):
        post(heavy[number % len(heavy)] + f"<!-- {turn} {number} -->".encode())
        number += 1
    return number


def _is_told_to_stop(*, within: float) -> bool:
    return bool(select.select([sys.stdin], [], [], max(0.0, within))[0])


async def measure(bench: Bench) -> None:
    """Run the rounds and print the ratios."""
    await bench.round(SILENT)
    rounds = [[await bench.round(beside) for beside in (SILENT, USUAL, POISON)] for _ in range(ROUNDS)]
    print(
        f"{ROUNDS} times three rounds of {SECONDS:.0f} s, {PER_SECOND} messages/s; "
        f"beside them {bench.sent[USUAL]} usual messages and {bench.sent[POISON]} of poison"
    )
    for what in ("answered", "concluded"):
        for name, figure in FIGURES.items():
            found = [[figure(getattr(one, what)) for one in three] for three in rounds]
            told = ", ".join("→".join(f"{ms:.1f}" for ms in three) for three in found)
            for against, of in (("silence", 0), ("a usual neighbour", 1)):
                ratio = statistics.median(three[2] / three[of] for three in found)
                print(f"{what}, {name} | {ratio:.2f} | against {against}, 1.10 wanted")
            print(f"  ms beside silence→neighbour→poison: {told}", flush=True)


def _at(values: list[float], share: float) -> float:
    return sorted(values)[int(len(values) * share)]


FIGURES: dict[str, Callable[[list[float]], float]] = {
    "mean": statistics.mean,
    "median": partial(_at, share=0.5),
    "95th percentile": partial(_at, share=0.95),
}


def main() -> int:
    """Start everything on a cluster of its own, measure, and stop."""
    if sys.argv[1:2] == ["--send"]:
        send_beside(sys.argv[2])
        return 0
    with served(with_worker=True) as found:
        stand = Stand(found.settings)
        other = Other(stand.facility(BAD))
        try:
            asyncio.run(measure(Bench(stand, token=stand.facility(GOOD), other=other)))
        finally:
            other.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
