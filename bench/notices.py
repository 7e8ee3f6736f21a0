"""How fast events become pushes, and how soon a due reminder leaves with a million appointments in the table.

    python3 dev.py bench notices

Starts PostgreSQL, two workers and the stand-in for Firebase Cloud Messaging on this machine. First part: so many
events, each of another citizen with one phone, happen at once (event → notice → push at the stand-in). Second part: a
million appointments to come, and one more whose reminder falls due while the workers run. Fsync and synchronous_commit
are on.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import text

from app.commands.steps import as_migrator
from app.core.crypto import Place, open_vault
from app.core.db import Session
from app.core.ids import new_id
from app.core.settings import Settings
from app.demo.push_service import send_url
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.migrate import migrate
from bench.serving.programs import cpu_seconds, postmaster_pid
from devkit.credentials import make_secrets, prepare_database
from devkit.postgres import temporary_cluster

NOTICES = int(os.environ.get("BENCH_NOTICES", "3000"))
APPOINTMENTS = int(os.environ.get("BENCH_APPOINTMENTS", "1000000"))
WORKERS = int(os.environ.get("BENCH_WORKERS", "2"))
GIVE_UP_SECONDS = 600


async def _people(session: Session, *, secrets: Path) -> None:
    """Register citizens who are told by day and night, each signed in on one phone."""
    vault = open_vault(secrets)
    people, targets = [], []
    for number in range(NOTICES):
        citizen, device = new_id(now=datetime.now(UTC)), new_id(now=datetime.now(UTC))
        address = f"phone-{number}"
        place = Place(table="notice.push_target", column="sealed", row_id=device)
        people.append(str(citizen))
        targets.append(
            {
                "id": device,
                "citizen_id": citizen,
                "lookup": "\\x" + vault.index.of(address, kind="PUSH_FID").hex(),
                "sealed": "\\x" + vault.sealer.seal(address.encode(), place=place).hex(),
            }
        )
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    for statement in (
        (
            "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
            "SELECT unnest(CAST(:people AS uuid[])), 'Bench', 'BENCH', '1990-01-01', 'DAY', 'FEMALE', now()"
        ),
        "INSERT INTO auth.book (citizen_id, changed_at) SELECT unnest(CAST(:people AS uuid[])), now()",
        "INSERT INTO notice.preference SELECT p, '{}', false, '22:00', '06:00' FROM unnest(CAST(:people AS uuid[])) p",
        (
            "INSERT INTO auth.session (id, token_hash, citizen_id, level, created_at, expires_at) "
            "SELECT p, sha256(convert_to(p::text, 'UTF8')), p, 2, now(), now() + interval '1 day' "
            "FROM unnest(CAST(:people AS uuid[])) p"
        ),
    ):
        await session.execute(text(statement), {"people": people})
    await session.execute(
        text(
            "INSERT INTO notice.push_target SELECT t.id, t.citizen_id, t.citizen_id, 'FID', t.lookup, t.sealed, NULL, "
            "'vi', now() FROM jsonb_to_recordset(CAST(:targets AS jsonb)) t (id uuid, citizen_id uuid, lookup bytea, "
            "sealed bytea)"
        ),
        {"targets": json.dumps(targets, default=str)},
    )


async def _happen(session: Session) -> None:
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    await session.execute(text("SELECT notice.happened(c.id, 'DEVICE_ADDED', '{}') FROM auth.citizen c"))


async def _tell_facility(session: Session) -> None:
    await registry.register(
        session, entry=FacilityEntry(code="01901", name="Bench", level="CENTRAL"), now=datetime.now(UTC)
    )


async def _fill(session: Session) -> None:
    """Put appointments every few seconds over the next sixty days; what fell due before is told, for the worker."""
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    await session.execute(
        text(
            "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, starts_at, state, booked_at, "
            "changed_at) SELECT p.id, gen_random_uuid(), '01901', 'PAPER', now() + n * interval '60 days' / :many, "
            "'LIVE', now() - interval '30 days', now() FROM generate_series(1, :many) n JOIN (SELECT c.id, "
            "row_number() OVER (ORDER BY c.id) AS place FROM auth.citizen c) p ON p.place = 1 + n % :people"
        ),
        {"many": APPOINTMENTS, "people": NOTICES},
    )
    await _tell_past(session)


async def _tell_past(session: Session) -> None:
    """Say that what fell due before was told, as it was by a worker that never stopped."""
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    await session.execute(
        text(
            "INSERT INTO notice.event SELECT uuidv7(), a.citizen_id, 'APPOINTMENT_DUE', '{}', concat_ws(' ', 'due',"
            " a.id, extract(epoch FROM a.starts_at), extract(epoch FROM l)), now(), false FROM care.appointment a, "
            "unnest(ARRAY[interval '168 hours', '24 hours', '2 hours']) l WHERE a.starts_at - l <= now()"
        )
    )


async def _one_due(session: Session, *, at: datetime) -> UUID:
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    found: UUID = await session.scalar(
        text(
            "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, starts_at, state, booked_at, "
            "changed_at) SELECT c.id, gen_random_uuid(), '01901', 'PAPER', :at, 'LIVE', now() - interval '30 days', "
            "now() FROM auth.citizen c LIMIT 1 RETURNING id"
        ),
        {"at": at + timedelta(hours=24)},
    )
    return found


async def measure(settings: Settings, parts: dict[str, int], *, push: str) -> None:
    """Let things happen, wait for the phones, print."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        before = cpu_seconds(parts)
        start = time.perf_counter()
        await as_migrator(settings, _happen)
        await _until(http, push, NOTICES)
        seconds = time.perf_counter() - start
        used = {part: (after - before[part]) * 1000 / NOTICES for part, after in cpu_seconds(parts).items()}
        print("CPU ms a notice: " + ", ".join(f"{part} {ms:.2f}" for part, ms in used.items()))
        ours, all_of_it = sum(used.values()) - used["stand-in"], sum(used.values())
        print(f"workers and PostgreSQL | {ours:.2f} ms | | the stand-in is the world outside, on the same cores")
        print(f"together | {all_of_it:.2f} ms | {all_of_it / 4:.2f} | against 4 ms: 500/s on two cores")
        print(f"pushed | {NOTICES / seconds:.0f} notices/s | {NOTICES / seconds / 500:.2f} | against 500/s wanted")
        ids = [one["message"]["data"]["noticeId"] for one in (await http.get(f"{push}/messages")).json()]
        print(f"arrived | {len(ids)} | {len(set(ids)) / NOTICES:.2f} | different, of {NOTICES} notices")


async def remind(settings: Settings, *, push: str) -> None:
    """Let one reminder fall due, and print how late it arrives."""
    async with httpx.AsyncClient(timeout=60, trust_env=False) as http:
        for wait in (7.3, 4.1, 5.9):
            due = datetime.now(UTC) + timedelta(seconds=wait)
            appointment = await as_migrator(settings, partial(_one_due, at=due))
            await asyncio.sleep(wait)
            late = (await _rung_at(settings, http, push, appointment=appointment) - due).total_seconds()
            print(f"reminder after it is due | {late:.1f} s | {late / 5:.2f} | against 5 s wanted")


async def _notice_of(session: Session, *, appointment: UUID) -> str | None:
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    query = "SELECT id::text FROM notice.notice WHERE about->>'appointmentId' = :id"
    found: str | None = await session.scalar(text(query), {"id": str(appointment)})
    return found


async def _rung_at(settings: Settings, http: httpx.AsyncClient, push: str, *, appointment: UUID) -> datetime:
    """Return when the stand-in took an appointment's reminder; those of others fall due meanwhile."""
    give_up_at = time.perf_counter() + GIVE_UP_SECONDS
    while time.perf_counter() < give_up_at:
        notice = await as_migrator(settings, partial(_notice_of, appointment=appointment))
        messages = (await http.get(f"{push}/messages")).json()
        for one in messages:
            if one["message"]["data"]["noticeId"] == notice:
                return datetime.fromisoformat(one["at"])
        await asyncio.sleep(0.2)
    raise SystemExit("the reminder did not arrive")


async def _until(http: httpx.AsyncClient, push: str, count: int) -> None:
    give_up_at = time.perf_counter() + GIVE_UP_SECONDS
    while len((await http.get(f"{push}/messages", params={"after": count - 1})).json()) < 1:
        if time.perf_counter() > give_up_at:
            raise SystemExit("the pushes did not arrive")
        await asyncio.sleep(0.05)


def main() -> int:
    """Start everything on a cluster of its own, measure, and stop."""
    secrets = Path(tempfile.mkdtemp()) / "secrets"
    outside = _free_port()
    push = f"http://127.0.0.1:{outside}/push"
    with temporary_cluster() as cluster:
        make_secrets(secrets)
        prepare_database(cluster, database="bench", secrets_directory=secrets)
        settings = Settings(
            database_url=f"postgresql://127.0.0.1:{cluster.port}/bench", secrets_dir=secrets, push_url=send_url(push)
        )
        asyncio.run(migrate(settings, progress=lambda _step: None))
        asyncio.run(as_migrator(settings, partial(_people, secrets=secrets)))
        environment = {
            **os.environ,
            "SOKHOE_DATABASE_URL": settings.database_url,
            "SOKHOE_SECRETS_DIR": str(secrets),
            "SOKHOE_PUSH_URL": send_url(push),
        }
        command = [sys.executable, "-c", "from app.cli import main; main()"]
        account = ("--port", str(outside), "--push-account", str(secrets / "fcm.json"))
        children = [subprocess.Popen([*command, "demo", "provider", *account], env=environment)]
        try:
            _wait_for(f"{push}/messages")
            children += [
                subprocess.Popen([*command, "worker"], env=environment, stdout=subprocess.DEVNULL)
                for _ in range(WORKERS)
            ]
            workers = {f"worker {n}": child.pid for n, child in enumerate(children[1:], start=1)}
            parts = {"stand-in": children[0].pid, **workers, "PostgreSQL": postmaster_pid(cluster)}
            asyncio.run(measure(settings, parts, push=push))
            if APPOINTMENTS:
                asyncio.run(as_migrator(settings, _tell_facility))
                start = time.perf_counter()
                asyncio.run(as_migrator(settings, _fill))
                print(f"{APPOINTMENTS} appointments to come, made in {time.perf_counter() - start:.0f} s")
                asyncio.run(remind(settings, push=push))
            for name, pid in workers.items():
                print(f"resident, {name} | {_resident_mb(pid):.0f} MB | {_resident_mb(pid) / 150:.2f} | against 150 MB")
        finally:
            for child in children:
                child.terminate()
                child.wait(20)
    return 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            if httpx.get(url, timeout=2, trust_env=False).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit("the stand-in did not start")


def _resident_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    raise SystemExit(main())
