"""How many bookings a second one API process makes where ten people want each place, and that none is given twice.

    python3 dev.py bench bookings       (BENCH_BOOKINGS, 1000 of a tenth as many places; BENCH_CLIENTS, 50 at a time)

Starts PostgreSQL with fsync and synchronous_commit on, and one API process. Every citizen asks once for one place, by
the released operation over HTTP; each place is wanted by ten. Printed are bookings and answers a second, how long an
answer takes, and what was answered; a place given twice, or an answer that is no booking and no refusal, fails.
"""

import asyncio
import os
import statistics
import time
from collections import Counter
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import httpx

from app.core.ids import new_id, new_secret
from app.core.logins import Login, connect
from app.core.settings import Settings
from app.gateway.trusted import trusted_operations
from bench.serving.programs import PORT, cpu_seconds, served

BOOKINGS = int(os.environ.get("BENCH_BOOKINGS", "1000"))
CLIENTS = int(os.environ.get("BENCH_CLIENTS", "50"))
PLACES = BOOKINGS // 10
DOCUMENT = next(key for key, one in trusted_operations().items() if one.name == "BookAppointment")
_CITIZENS = """
WITH person AS (SELECT * FROM unnest($1::uuid[], $2::text[]) AS p (id, token)),
made AS (INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at)
         SELECT id, 'Bench', 'BENCH', '1990-01-01', 'DAY', 'FEMALE', now() FROM person RETURNING id),
kept AS (INSERT INTO auth.book (citizen_id, changed_at) SELECT id, now() FROM made RETURNING citizen_id)
INSERT INTO auth.session (id, token_hash, citizen_id, level, created_at, expires_at)
SELECT id, sha256(convert_to(token, 'UTF8')), id, 2, now(), now() + interval '1 day'
  FROM person JOIN kept ON citizen_id = id"""
_PLACES = """
WITH place AS (INSERT INTO directory.facility VALUES ('01901', 'Bench', 'CENTRAL', now()) RETURNING code),
plan AS (INSERT INTO care.schedule (id, facility_code, code, department_code, is_sensitive, plan, published_at)
         SELECT uuidv7(), code, 'A', 'K01', false, '{}', now() FROM place RETURNING id)
INSERT INTO care.slot (id, schedule_id, facility_code, department_code, is_sensitive, starts_at, ends_at, capacity)
SELECT uuidv7(), plan.id, '01901', 'K01', false, a.t, a.t + interval '10 minutes', 1
  FROM plan, generate_series(1, $1::int) n, LATERAL (SELECT now() + interval '2 days' + n * interval '10 minutes') a (t)
RETURNING id"""
_DOUBLE = """
SELECT count(*) FROM (SELECT FROM care.appointment WHERE state = 'LIVE' GROUP BY slot_id HAVING count(*) > 1) a"""


async def _ask(http: httpx.AsyncClient, token: str, slot: UUID) -> tuple[float, str]:
    """Book a place; return how long the answer took, and its code. A busy server is asked again, with the same key."""
    asked = {"documentId": DOCUMENT, "variables": {"input": {"idempotencyKey": new_secret(), "slotId": str(slot)}}}
    start = time.perf_counter()
    while True:
        body = (await http.post("/graphql", json=asked, headers={"Authorization": f"Bearer {token}"})).json()
        code = body["errors"][0]["extensions"]["code"] if "errors" in body else "BOOKED"
        if code != "UNAVAILABLE":
            return (time.perf_counter() - start) * 1000, code


async def measure(settings: Settings, parts: dict[str, int]) -> bool:
    """Let everybody ask at once, and print; tell whether every place was given once and no more."""
    owner = await connect(settings, Login.MIGRATOR)
    await owner.execute("SET ROLE auth_owner; SET statement_timeout = 0")
    limits = httpx.Limits(max_connections=CLIENTS, max_keepalive_connections=CLIENTS)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{PORT}", timeout=60, limits=limits) as http:
        tokens = {new_id(now=datetime.now(UTC)): new_secret() for _ in range(BOOKINGS)}
        await owner.execute(_CITIZENS, list(tokens), list(tokens.values()))
        slots = [row["id"] for row in await owner.fetch(_PLACES, PLACES)]
        hands = asyncio.Semaphore(CLIENTS)

        async def one(number: int, token: str) -> tuple[float, str]:
            async with hands:
                return await _ask(http, token, slots[number % PLACES])

        before, start = cpu_seconds(parts), time.perf_counter()
        answers = await asyncio.gather(*(one(number, token) for number, token in enumerate(tokens.values())))
        seconds = time.perf_counter() - start
        used = {part: (after - before[part]) * 1000 / BOOKINGS for part, after in cpu_seconds(parts).items()}
    is_right = _tell(answers, seconds, used) and await _is_each_given_once(owner)
    await owner.close()
    return is_right


def _tell(answers: list[tuple[float, str]], seconds: float, used: dict[str, float]) -> bool:
    said, times = Counter(code for _, code in answers), sorted(ms for ms, _ in answers)
    booked = [ms for ms, code in answers if code == "BOOKED"]
    print(f"answers | {len(answers) / seconds:.0f}/s | | {said['BOOKED'] / seconds:.0f} bookings/s, {CLIENTS} clients")
    print(f"an answer | median {statistics.median(times):.0f} ms | | p99 {times[len(times) * 99 // 100]:.0f} ms")
    print(f"a booking | median {statistics.median(booked):.0f} ms | | longest {max(booked):.0f} ms")
    print("CPU ms an answer: " + ", ".join(f"{part} {ms:.2f}" for part, ms in used.items()))
    print(f"booked | {said['BOOKED']} | {said['BOOKED'] / PLACES:.2f} | of {PLACES} places; refused {said['CONFLICT']}")
    return said == {"BOOKED": PLACES, "CONFLICT": BOOKINGS - PLACES}


async def _is_each_given_once(owner: "asyncpg.Connection[asyncpg.Record]") -> bool:
    twice = await owner.fetchval(_DOUBLE)
    print(f"given twice | {twice} | | 0 wanted")
    return int(twice) == 0


def main() -> int:
    """Run the bench on a server of its own."""
    with served(with_worker=False) as found:
        is_right = asyncio.run(measure(found.settings, found.parts))
    return 0 if is_right else 1


if __name__ == "__main__":
    raise SystemExit(main())
