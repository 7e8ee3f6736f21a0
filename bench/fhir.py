"""How fast FHIR Bundles are filed, beside the output-data XML of the same visits.

    python3 dev.py bench fhir

Starts PostgreSQL, one API process and one worker. Sends Bundles of 200 resources one at a time; Bundles of 20
resources from 20 senders at once, in turns with the XML of the same visits; and two Bundles of 10 MB. Prints how long
a large one takes from its 202 until it is filed, Bundles a second from the first byte until the last is filed,
processor time of each part, the ratio of FHIR to XML, and the most memory that each process had resident. Fsync and
synchronous_commit are on. BENCH_BUNDLES sets how many Bundles make a round, BENCH_ROUNDS how many rounds there are.
"""

import asyncio
import json
import os
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from app.demo.fhir_writing import visit_bundle
from app.demo.messages import message, sized_visit
from app.demo.visits import DemoVisit
from bench.filing import _now
from bench.serving.programs import Served, cpu_seconds, served
from bench.serving.sending import open_senders
from bench.serving.watching import Watch, open_watch
from tests.ingestion.fhir import bundles
from tests.people import Stand

FACILITY = "01901"
BUNDLES = int(os.environ.get("BENCH_BUNDLES", "500"))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SENDERS = 20
LARGE = 20
TYPES = {"/ingest/fhir": "application/fhir+json", "/ingest/qd4750": "application/xml"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a round took: messages a second until all were filed, and milliseconds of processor time a message."""

    per_second: float
    cpu_ms: dict[str, float]


class Bench:
    """One facility with its senders."""

    def __init__(self, served: Served, watch: Watch, *, token: str) -> None:
        self.served = served
        self.watch = watch
        self.token = token

    async def send(self, bodies: Sequence[bytes], *, path: str, senders: int) -> Sent:
        """Send everything as fast as it is answered, and wait until it is filed."""
        async with open_senders(senders, token=self.token) as opened:
            before, used = _now(), cpu_seconds(self.served.parts)
            await opened.burst(bodies, path=path, media_type=TYPES[path])
            seconds = await self.watch.filed(len(bodies), since=before)
        after = cpu_seconds(self.served.parts)
        cpu = {part: (after[part] - used[part]) * 1000 / len(bodies) for part in used}
        return Sent(per_second=len(bodies) / seconds, cpu_ms=cpu)

    async def large(self, bodies: Sequence[bytes]) -> list[float]:
        """Send one after the other; returns milliseconds from the 202 until each was filed."""
        found = []
        for body in bodies:
            since = _now()
            await self.send([body], path="/ingest/fhir", senders=1)
            found.append(
                await self.watch.ask("max(extract(epoch FROM concluded_at - received_at)) * 1000", since=since)
            )
        return found


def _visits(count: int, *, drugs: int, results: int, first: int) -> list[DemoVisit]:
    day = _now().date() - timedelta(days=30)
    return [
        sized_visit(first + number, on=day, drug_count=drugs, service_count=results, result_count=results)
        for number in range(count)
    ]


def _entries(body: bytes) -> int:
    return len(json.loads(body)["entry"])


def most_mb(pid: int) -> dict[int, float]:
    """Return the most that a process and its children had resident, in megabytes."""
    found = {}
    children = [int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()]
    for each in (pid, *children):
        told = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{each}/status").read_text())
        found[each] = int(told[1]) / 1024 if told else 0.0
    return found


def _print_memory(parts: dict[str, int], *, when: str) -> None:
    for part in ("API", "worker"):
        own, *readers = most_mb(parts[part]).values()
        told = "".join(f", its reader {mb:.0f} MB" for mb in readers)
        print(f"most resident {when}, {part} | {own:.0f} MB{told} | | under 150 MB each")


def _told(what: str, rounds: Sequence[Sent]) -> float:
    per_second = statistics.median(one.per_second for one in rounds)
    cpu = {part: statistics.median(one.cpu_ms[part] for one in rounds) for part in rounds[0].cpu_ms}
    print(f"{what}: {per_second:.0f} a second filed; CPU ms each ", end="")
    print(", ".join(f"{part} {ms:.1f}" for part, ms in cpu.items()), f"sum {sum(cpu.values()):.1f}", sep=", ")
    return per_second


async def measure(bench: Bench) -> None:
    """Send, wait and print."""
    warm = _visits(200, drugs=9, results=5, first=70_000)
    await bench.send([visit_bundle(one) for one in warm], path="/ingest/fhir", senders=SENDERS)
    await bench.send([message([one]).body for one in warm[:50]], path="/ingest/qd4750", senders=SENDERS)
    _print_memory(bench.served.parts, when="before large ones")
    large = [visit_bundle(visit) for visit in _visits(LARGE + 2, drugs=181, results=60, first=50_000)]
    took = (await bench.large(large))[2:]
    print(f"Bundle of {_entries(large[0])} resources ({len(large[0]) // 1000} kB): ", end="")
    print(f"filed {statistics.median(took):.0f} ms after its 202 (median), {max(took):.0f} ms (slowest of {LARGE})")
    by_fhir, by_xml = [], []
    for turn in range(ROUNDS):
        small = _visits(BUNDLES, drugs=9, results=5, first=100_000 + turn * BUNDLES)
        bodies = [visit_bundle(one) for one in small]
        by_fhir.append(await bench.send(bodies, path="/ingest/fhir", senders=SENDERS))
        tables = [message([one]).body for one in _visits(BUNDLES, drugs=9, results=5, first=200_000 + turn * BUNDLES)]
        by_xml.append(await bench.send(tables, path="/ingest/qd4750", senders=SENDERS))
    fhir = _told(f"Bundles of {_entries(bodies[0])} resources ({len(bodies[0]) // 1000} kB), 20 senders", by_fhir)
    xml = _told(f"such visits as XML ({len(tables[0]) // 1000} kB)", by_xml)
    print(f"FHIR files {fhir / xml:.2f} of what XML does, and {fhir / 100:.2f} of the 100 a second wanted")
    for turn in range(2):
        body = bundles.large(most_bytes=10_000_000, person=f"00118501239{turn}")
        took = await bench.large([body])
        print(f"Bundle of {len(body) / 1_048_576:.1f} MB: filed {took[0] / 1000:.1f} s after its 202")
    _print_memory(bench.served.parts, when="after Bundles of 10 MB")


async def _run(served: Served, token: str) -> None:
    async with open_watch(served.settings) as watch:
        await measure(Bench(served, watch, token=token))


def main() -> int:
    """Measure on a cluster of its own."""
    with served(with_worker=True) as found:
        asyncio.run(_run(found, Stand(found.settings).facility(FACILITY)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
