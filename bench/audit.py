"""How fast lines are written, sealed and proved.

    python3 dev.py bench audit            (BENCH_LEAVES, 1000000 unless told)

Starts PostgreSQL with fsync and synchronous_commit on. First 8 connections write lines into 400 visitors' books; then
so many leaves that no line stands behind are put beside them and sealed as the sealer does, a transaction for each
4,096; then proofs are made for leaves drawn by lot, on the login that serves them. A ratio is what was reached by what
is wanted.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg

from app.audit import sealing, sql
from app.core.ids import new_id
from app.core.logins import Login, connect
from app.core.settings import Settings
from app.migrate import migrate
from app.sealer import open_signer
from devkit.credentials import make_secrets, prepare_database
from devkit.postgres import Cluster, temporary_cluster

LEAVES = int(os.environ.get("BENCH_LEAVES", "1000000"))
PROOFS = 500
CITIZENS = 400
WRITERS = 8
LINES_EACH = 500
WANTED_PER_SECOND, WANTED_PROOF_MS = 3000, 5

_CITIZEN = """
INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at)
VALUES ($1, 'Bench', 'BENCH', '1980-01-01', 'DAY', 'FEMALE', now())"""
_LINE = """SELECT audit.write_line($1, 'BOOK_OPENED', NULL,
  '{"purpose": "TREATMENT", "operation": "SharedBook", "sections": 1023, "facility": "01901"}')"""
_LEAVES = """
INSERT INTO audit.leaf SELECT $1, $2 + n, sha256(convert_to(n::text, 'UTF8')), NULL FROM generate_series(1, $3) n"""


async def _owner(settings: Settings) -> "asyncpg.Connection[asyncpg.Record]":
    connection = await connect(settings, Login.MIGRATOR)
    await connection.execute("SET ROLE auth_owner; SET statement_timeout = 0")
    return connection


async def _write(settings: Settings, citizens: list[UUID]) -> float:
    """Return how many lines a second are written and committed."""

    async def one(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
        for _ in range(LINES_EACH):
            await owner.fetchval(_LINE, random.choice(citizens))

    owners = [await _owner(settings) for _ in range(WRITERS)]
    start = time.perf_counter()
    await asyncio.gather(*(one(owner) for owner in owners))
    took = time.perf_counter() - start
    for owner in owners:
        await owner.close()
    return WRITERS * LINES_EACH / took


async def _seal(settings: Settings) -> tuple[int, float]:
    """Return how many leaves were sealed, and in how many seconds."""
    signer = open_signer(settings.secrets_dir, origin=settings.log_origin)
    connection = await connect(settings, Login.SEALER)
    stop, lease = timedelta(minutes=15), timedelta(0)
    epoch = await sql.begin_sealing(connection, verifier=signer.verifier, stop_after=stop, lease=lease)
    assert epoch is not None
    start, total = time.perf_counter(), 0
    while count := await sealing.seal(connection, epoch=epoch, signer=signer):
        total += count
    took = time.perf_counter() - start
    await connection.close()
    return total, took


async def _times(ask: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """Return median and 99th percentile in milliseconds."""
    waits = []
    for _ in range(PROOFS):
        start = time.perf_counter()
        assert await ask() is not None
        waits.append((time.perf_counter() - start) * 1000)
    waits.sort()
    return statistics.median(waits), waits[int(PROOFS * 0.99)]


def _row(name: str, value: float, unit: str, ratio: float, against: str) -> None:
    print(f"{name} | {value:.2f} {unit} | {ratio:.2f} | against {against}")


async def measure(settings: Settings) -> None:
    """Write, seal, prove and print."""
    owner = await _owner(settings)
    citizens = [new_id(now=datetime.now(UTC)) for _ in range(CITIZENS)]
    await owner.executemany(_CITIZEN, [(citizen,) for citizen in citizens])
    written = await _write(settings, citizens)
    print(f"lines written and flushed, {WRITERS} at once | {written:.0f} lines/s | | no target")
    for citizen in citizens:
        await owner.execute(_LEAVES, citizen, 1_000_000, LEAVES // CITIZENS)
    await owner.execute("ANALYZE audit.leaf")
    total, took = await _seal(settings)
    sealed = total / took
    print(f"{total} leaves sealed in {took:.1f} s")
    _row("leaves sealed", sealed, "leaves/s", sealed / WANTED_PER_SECOND, "3,000/s wanted")
    desk = await connect(settings, Login.DESK)
    for name, ask in {
        "inclusion proof": lambda: desk.fetchval("SELECT audit.proof_path($1)", random.randrange(total)),
        "consistency proof": lambda: desk.fetchval(
            "SELECT audit.consistency_path($1, $2)", random.randrange(1, total), total
        ),
    }.items():
        median, slow = await _times(ask)
        _row(f"{name}, median", median, "ms", WANTED_PROOF_MS / median, "5 ms wanted")
        _row(f"{name}, 99th percentile", slow, "ms", WANTED_PROOF_MS / slow, "5 ms wanted")
    await desk.close()
    await owner.close()


def main() -> None:
    """Run the bench on a server of its own."""
    with TemporaryDirectory() as folder, temporary_cluster(settings={"shared_buffers": "256MB"}) as cluster:
        secrets = Path(folder) / "secrets"
        make_secrets(secrets)
        prepare_database(cluster, database="bench", secrets_directory=secrets)
        settings = _settings(cluster, secrets)
        asyncio.run(migrate(settings, progress=lambda _step: None))
        asyncio.run(measure(settings))


def _settings(cluster: Cluster, secrets: Path) -> Settings:
    return Settings(database_url=f"postgresql://127.0.0.1:{cluster.port}/bench", secrets_dir=secrets)


if __name__ == "__main__":
    main()
