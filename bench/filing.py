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
from sqlalchemy import text

from app.commands.steps import as_migrator
from app.connector import HospitalClient
from app.core.db import Login, open_engine
from app.core.ids import new_id
from app.core.settings import Settings
from app.demo.messages import visit_message
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.identity.jwt import new_private_key, public_part
from bench.serving.programs import PORT, cpu_seconds, served

MESSAGES = int(os.environ.get("BENCH_MESSAGES", "2000"))
CITIZENS = 400
SENDERS = 8
STEADY_PER_SECOND = 100
FACILITY = "01901"


def _now() -> datetime:
    return datetime.now(UTC)


def _bodies(count: int, *, first_turn: int) -> list[bytes]:
    day = _now().date() - timedelta(days=30)
    return [
        visit_message(1 + n % CITIZENS, on=day - timedelta(days=n // CITIZENS), turn=first_turn + n // CITIZENS)
        for n in range(count)
    ]


async def _register(settings: Settings) -> dict[str, str]:
    key = new_private_key(alg="ES256", kid="bench")

    async def step(session):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
        await registry.register(session, entry=FacilityEntry(code=FACILITY, name="Bench", level="CENTRAL"), now=_now())
        await registry.add_key(session, code=FACILITY, jwk=public_part(key), now=_now())

    await as_migrator(settings, step)
    return key


class Sender:
    """Sends bodies and keeps how long each 202 took."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self.http = http
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/xml"}
        self.waits: list[float] = []

    async def send(self, body: bytes) -> None:
        start = time.perf_counter()
        answer = await self.http.post("/ingest/qd4750", content=body, headers=self.headers)
        self.waits.append(time.perf_counter() - start)
        if answer.status_code != 202:
            raise SystemExit(f"{answer.status_code} {answer.text}")

    async def burst(self, bodies: list[bytes]) -> None:
        queue = iter(bodies)

        async def one() -> None:
            for body in queue:
                await self.send(body)

        await asyncio.gather(*(one() for _ in range(SENDERS)))

    async def steady(self, bodies: list[bytes], per_second: int) -> None:
        start, tasks = time.perf_counter(), []
        for number, body in enumerate(bodies):
            delay = start + number / per_second - time.perf_counter()
            if delay > 0:
                await asyncio.sleep(delay)
            tasks.append(asyncio.create_task(self.send(body)))
        await asyncio.gather(*tasks)


async def _filed(settings: Settings) -> tuple[int, int]:
    engine = open_engine(settings, Login.MIGRATOR, size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SET ROLE auth_owner"))
            row = (
                await connection.execute(
                    text("SELECT count(*) FILTER (WHERE status = 'filed'), count(*) FROM intake.message")
                )
            ).one()
            return int(row[0]), int(row[1])
    finally:
        await engine.dispose()


async def _until_filed(settings: Settings, count: int) -> float:
    start = time.perf_counter()
    while (await _filed(settings))[0] < count:
        if time.perf_counter() - start > 300:
            raise SystemExit(f"not filed in time: {await _filed(settings)}")
        await asyncio.sleep(0.2)
    return time.perf_counter()


async def measure(settings: Settings, parts: dict[str, int]) -> None:
    """Send, wait and print."""
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
        token = await client._access_token()  # noqa: SLF001 - the bench sends by hand, to time the 202 alone
        warm = _bodies(CITIZENS, first_turn=1)
        await Sender(http, token).burst(warm)
        await _until_filed(settings, len(warm))
        bodies = _bodies(MESSAGES, first_turn=100)
        burst = Sender(http, token)
        before = cpu_seconds(parts)
        start = time.perf_counter()
        await burst.burst(bodies)
        sent = time.perf_counter() - start
        end = await _until_filed(settings, len(warm) + MESSAGES)
        used = {part: (after - before[part]) * 1000 / MESSAGES for part, after in cpu_seconds(parts).items()}
        print("CPU ms a message: " + ", ".join(f"{part} {ms:.1f}" for part, ms in used.items()))
        print(
            f"burst: {MESSAGES} messages of {len(bodies[0]) // 1024} kB kept in {sent:.1f} s, "
            f"filed in {end - start:.1f} s"
        )
        print(
            f"filed | {MESSAGES / (end - start):.0f} messages/s | "
            f"{MESSAGES / (end - start) / 100:.2f} | against 100/s wanted"
        )
        steady_bodies = _bodies(STEADY_PER_SECOND * 15, first_turn=1000)
        steady = Sender(http, token)
        start = time.perf_counter()
        await steady.steady(steady_bodies, STEADY_PER_SECOND)
        lag = await _until_filed(settings, len(warm) + MESSAGES + len(steady_bodies)) - start
        waits = sorted(steady.waits)
        p50, p99 = statistics.median(waits) * 1000, waits[int(len(waits) * 0.99)] * 1000
        print(f"steady: {STEADY_PER_SECOND}/s for 15 s, all filed {lag - 15:.1f} s after the last was due")
        print(f"202, median | {p50:.1f} ms | {p50 / 20:.2f} | against 20 ms wanted")
        print(f"202, 99th percentile | {p99:.1f} ms | {p99 / p50:.1f} | against its median")


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
