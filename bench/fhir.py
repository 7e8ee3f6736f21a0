"""How fast FHIR Bundles are filed, beside the output-data XML of the same visits.

    python3 dev.py bench fhir

Starts PostgreSQL on this machine, keeps messages as the door does, and files them in this process as the worker does:
Bundles of 200 resources one at a time; Bundles of 20 resources, AT_A_TIME at a time; and the XML of those same visits.
Prints milliseconds, Bundles a second, and the ratio of FHIR to XML. Fsync and synchronous_commit are on. One process of
Python reads and files here: two workers do up to twice as many.
"""

import asyncio
import hashlib
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.context import run_step
from app.core.crypto import Place, Vault, open_vault
from app.core.db import Login, open_engine
from app.core.ids import new_id, new_secret
from app.core.settings import Settings
from app.demo.fhir_writing import visit_bundle
from app.demo.messages import message, sized_visit
from app.demo.visits import DemoVisit
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.ingestion import fhir, processing, sql
from app.migrate import migrate
from devkit.credentials import make_secrets, prepare_database
from devkit.postgres import temporary_cluster

FACILITY = "01901"
COUNT = int(os.environ.get("BENCH_MESSAGES", "300"))
LARGE = 20
AT_A_TIME = 4


def _now() -> datetime:
    return datetime.now(UTC)


def _visits(count: int, *, drugs: int, results: int, first: int) -> list[DemoVisit]:
    day = _now().date() - timedelta(days=30)
    return [
        sized_visit(first + number, on=day, drug_count=drugs, service_count=results, result_count=results)
        for number in range(count)
    ]


class Filing:
    """A database with the product, one facility, and what files its messages."""

    def __init__(self, settings: Settings, vault: Vault) -> None:
        self.settings, self.vault = settings, vault
        self.ingest: AsyncEngine = open_engine(settings, Login.INGEST, size=2)
        self.worker: AsyncEngine = open_engine(settings, Login.WORKER, size=AT_A_TIME)
        self.token = new_secret()

    async def prepare(self) -> None:
        """Register the facility and open its session."""
        migrator = open_engine(self.settings, Login.MIGRATOR, size=1)
        entry = FacilityEntry(code=FACILITY, name="Bench", level="CENTRAL")
        await run_step(migrator, partial(registry.register, entry=entry, now=_now()))
        async with migrator.begin() as connection:
            await connection.execute(text("SET LOCAL ROLE auth_owner"))
            query = (
                "INSERT INTO auth.session (id, token_hash, facility_code, created_at, expires_at) "
                "VALUES (:id, sha256(convert_to(:token, 'UTF8')), :facility, now(), now() + interval '1 hour')"
            )
            values = {"id": new_id(now=_now()), "token": self.token, "facility": FACILITY}
            await connection.execute(text(query), values)
        await migrator.dispose()

    async def keep(self, body: bytes) -> UUID:
        """Keep a message as the door does."""
        message_id = new_id(now=_now())
        step = partial(
            sql.keep_message,
            token=self.token,
            message_id=message_id,
            format_name="bench",
            digest=hashlib.sha256(body).digest(),
            size_bytes=len(body),
            idempotency_key=None,
            sealed=self.vault.sealer.seal(body, place=Place(table="intake.message", column="body", row_id=message_id)),
        )
        return (await run_step(self.ingest, step)).id

    async def file(self, bodies: Sequence[bytes], *, at_a_time: int) -> tuple[float, list[float]]:
        """File messages; returns how many a second, and how long each took in milliseconds."""
        kept = [await self.keep(body) for body in bodies]
        waiting, took = iter(kept), []

        async def work() -> None:
            for message_id in waiting:
                start = time.perf_counter()
                step = partial(processing.process_message, message_id=message_id, vault=self.vault, now=_now())
                assert await run_step(self.worker, step) == "filed"
                took.append((time.perf_counter() - start) * 1000)

        start = time.perf_counter()
        await asyncio.gather(*(work() for _ in range(at_a_time)))
        return len(kept) / (time.perf_counter() - start), took


async def _measure(filing: Filing) -> None:
    await filing.prepare()
    large = [visit_bundle(visit) for visit in _visits(LARGE, drugs=181, results=60, first=50_000)]
    small = _visits(COUNT, drugs=8, results=5, first=60_000)
    bundles, tables = [visit_bundle(visit) for visit in small], [message([visit]).body for visit in small]
    await filing.file([visit_bundle(one) for one in _visits(20, drugs=8, results=5, first=70_000)], at_a_time=1)
    _, took = await filing.file(large, at_a_time=1)
    by_fhir, _ = await filing.file(bundles, at_a_time=AT_A_TIME)
    by_xml, _ = await filing.file(tables, at_a_time=AT_A_TIME)
    start = time.perf_counter()
    for body in bundles:
        fhir.read_message(body)
    reading = (time.perf_counter() - start) * 1000 / len(bundles)
    print(f"Bundle of {_entries(large[0])} resources ({len(large[0]) // 1000} kB): ", end="")
    print(f"filed in {statistics.median(took):.0f} ms (median), {max(took):.0f} ms (slowest of {LARGE})")
    print(
        f"Bundles of {_entries(bundles[0])} resources: {by_fhir:.0f} a second filed; read alone {reading:.1f} ms each"
    )
    print(f"the same visits as XML: {by_xml:.0f} a second filed; FHIR files {by_fhir / by_xml:.2f} of that")


def _entries(body: bytes) -> int:
    return len(json.loads(body)["entry"])


async def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, temporary_cluster() as cluster:
        secrets = Path(folder) / "secrets"
        make_secrets(secrets)
        prepare_database(cluster, database="bench", secrets_directory=secrets)
        url = f"postgresql://127.0.0.1:{cluster.port}/bench"
        settings = Settings(database_url=url, secrets_dir=secrets, demo=True)
        await migrate(settings, progress=lambda _step: None)
        filing = Filing(settings, open_vault(secrets))
        try:
            await _measure(filing)
        finally:
            await filing.ingest.dispose()
            await filing.worker.dispose()


if __name__ == "__main__":
    asyncio.run(main())
