"""How fast messages are filed, and how long a hospital waits for its 202 meanwhile.

    python3 dev.py bench filing

Starts PostgreSQL, one API process and one worker on this machine, prepares visit messages (XML1 with 10 drugs,
10 services and 15 results), sends them over loopback from 8 connections as fast as the receipts come back in the first
part, and at a steady rate in the second, and prints: messages filed a second while the queue is worked off, and the
median and 99th percentile of the 202 while messages are being filed. Fsync and synchronous_commit are on.
"""

import asyncio
import os
import statistics
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from app.commands.steps import as_migrator
from app.connector import HospitalClient
from app.core.ids import new_id
from app.core.settings import Settings
from app.demo.messages import visit_message
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.identity.jwt import new_private_key, public_part
from bench.serving.programs import PORT, cpu_seconds, served
from bench.serving.sending import Senders, open_senders
from bench.serving.watching import Watch, open_watch

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000"))
CITIZENS = 400
SENDERS = 8
STEADY_PER_SECOND, STEADY_SECONDS, STEADY_SENDERS = 100, 15, 32
PATH, MEDIA_TYPE = "/ingest/qd4750", "application/xml"
FACILITY = "01901"


def _now() -> datetime:
    return datetime.now(UTC)


def _bodies(count: int, *, first_turn: int, facility: str = FACILITY) -> list[bytes]:
    day = _now().date() - timedelta(days=30)
    return [
        visit_message(
            1 + n % CITIZENS,
            on=day - timedelta(days=n // CITIZENS),
            turn=first_turn + n // CITIZENS,
            facility_code=facility,
        )
        for n in range(count)
    ]


async def _register(settings: Settings) -> dict[str, str]:
    key = new_private_key(alg="ES256", kid="bench")

    async def step(session):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        await registry.register(session, entry=FacilityEntry(code=FACILITY, name="Bench", level="CENTRAL"), now=_now())
        await registry.add_key(session, code=FACILITY, jwk=public_part(key), now=_now())

    await as_migrator(settings, step)
    return key


async def _token(settings: Settings) -> str:
    key = await _register(settings)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=60) as http:
        client = HospitalClient(
            base_url=f"http://127.0.0.1:{PORT}",
            facility_code=FACILITY,
            key=key,
            http=http,
            clock=_now,
            new_id=lambda: new_id(now=_now()),
        )
        return await client._access_token()  # noqa: SLF001 - the bench sends by hand, to time the 202 alone


async def _burst(senders: Senders, watch: Watch, parts: dict[str, int]) -> None:
    """Send as fast as is answered, and print how many were filed a second until the last was."""
    bodies = _bodies(MESSAGES, first_turn=100)
    before, own, since, start = cpu_seconds(parts), time.process_time(), _now(), time.perf_counter()
    await senders.burst(bodies, path=PATH, media_type=MEDIA_TYPE)
    sent, own = time.perf_counter() - start, time.process_time() - own
    took = await watch.filed(MESSAGES, since=since)
    used = {part: (after - before[part]) * 1000 / MESSAGES for part, after in cpu_seconds(parts).items()}
    print("CPU ms a message: " + ", ".join(f"{part} {ms:.1f}" for part, ms in used.items()), end="")
    print(f", sender {own * 1000 / MESSAGES:.1f}")
    print(f"burst: {MESSAGES} messages of {len(bodies[0]) // 1024} kB kept in {sent:.1f} s, filed in {took:.1f} s")
    print(f"filed | {MESSAGES / took:.0f} messages/s | {MESSAGES / took / 100:.2f} | against 100/s wanted")


async def _steady(senders: Senders, watch: Watch) -> None:
    """Send at the wanted rate, and print how long each 202 took."""
    bodies, since = _bodies(STEADY_PER_SECOND * STEADY_SECONDS, first_turn=1000), _now()
    waits = sorted(await senders.steady(bodies, per_second=STEADY_PER_SECOND, path=PATH, media_type=MEDIA_TYPE))
    late = await watch.filed(len(bodies), since=since) - STEADY_SECONDS
    p50, p99 = statistics.median(waits) * 1000, waits[int(len(waits) * 0.99)] * 1000
    print(f"steady: {STEADY_PER_SECOND}/s for {STEADY_SECONDS} s, all filed {late:.1f} s after the last was due")
    print(f"202, median | {p50:.1f} ms | {p50 / 20:.2f} | against 20 ms wanted")
    print(f"202, 99th percentile | {p99:.1f} ms | {p99 / p50:.1f} | against its median")


async def measure(settings: Settings, parts: dict[str, int]) -> None:
    """Send, wait and print."""
    token = await _token(settings)
    async with open_senders(SENDERS, token=token) as senders, open_watch(settings) as watch:
        warm, since = _bodies(CITIZENS, first_turn=1), _now()
        await senders.burst(warm, path=PATH, media_type=MEDIA_TYPE)
        await watch.filed(len(warm), since=since)
        await _burst(senders, watch, parts)
    async with open_senders(STEADY_SENDERS, token=token) as senders, open_watch(settings) as watch:
        await _steady(senders, watch)


def main() -> int:
    """Start everything on a cluster of its own, measure, and stop."""
    with served(with_worker=True) as found:
        asyncio.run(measure(found.settings, found.parts))
        for name in ("API", "worker"):
            print(f"resident, {name} | {_resident_mb(found.parts[name]):.0f} MB")
    return 0


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    raise SystemExit(main())
