"""What `sokhoe demo load` does: registers the demo's facilities, sends a year of their messages, offers times."""

import json
import sys
from collections.abc import Callable
from functools import partial
from uuid import UUID

import httpx
from sqlalchemy import text

from app.commands import demo_factor
from app.commands.console import data_folder, run
from app.commands.demo_tokens import new_token
from app.commands.steps import as_migrator
from app.connector import HospitalClient
from app.core.clock import VIETNAM_TIME, utc_now
from app.core.crypto import open_vault
from app.core.db import Session
from app.core.ids import new_id
from app.core.settings import Settings
from app.demo import booking, people
from app.demo import load as loading
from app.facilities import registry
from app.facilities.sql import FacilityEntry
from app.identity import families, practitioners
from app.identity.jwt import new_private_key, public_part

DEFAULT_CITIZENS = 50


def fill(settings: Settings, *, citizens: int | None, url: str) -> dict[str, int] | None:
    """Load the demo, or what is missing of it; returns how many messages were sent and filed, if any were."""
    keys = {facility.code: _key(facility.code) for facility in people.FACILITIES}
    run(as_migrator(settings, partial(_register, settings=settings, keys=keys)))
    marker = data_folder() / "demo-loaded.json"
    there = json.loads(marker.read_text(encoding="ascii"))["citizens"] if marker.exists() else 0
    wanted = citizens or there or DEFAULT_CITIZENS
    report = None if there >= wanted else run(_load(keys, citizens=wanted, url=url))
    run(as_migrator(settings, partial(_represent, settings=settings)))
    _appoint(settings, keys, url=url)
    if report is not None:
        marker.write_text(json.dumps({"citizens": wanted}), encoding="ascii")
    return report


def _appoint(settings: Settings, keys: dict[str, dict[str, str]], *, url: str) -> None:
    """Let the first facility offer times, and the first two citizens book there."""
    tokens = [new_token(settings, kind="citizen", number=number, stepped_up=False) for number in booking.BOOKERS]

    async def go() -> None:
        code = people.FACILITIES[0].code
        async with httpx.AsyncClient(base_url=url, timeout=30) as http:
            hospital = HospitalClient(
                base_url=url, facility_code=code, key=keys[code], http=http, clock=utc_now, new_id=_new_id
            )
            today = utc_now().astimezone(VIETNAM_TIME).date()
            await booking.offer(hospital, today=today)
            for secret in filter(None, tokens):
                await booking.book_once(http, token=secret, facility_code=code, today=today)

    run(go())


async def _load(keys: dict[str, dict[str, str]], *, citizens: int, url: str) -> dict[str, int]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as http:
        clients = {
            code: HospitalClient(base_url=url, facility_code=code, key=key, http=http, clock=utc_now, new_id=_new_id)
            for code, key in keys.items()
        }
        report = await loading.load(
            lambda code: clients[code],
            citizens=citizens,
            today=utc_now().astimezone(VIETNAM_TIME).date(),
            progress=_progress(),
        )
    return {"messages": report.messages, "filed": report.filed}


async def _register(session: Session, *, settings: Settings, keys: dict[str, dict[str, str]]) -> None:
    for facility in people.FACILITIES:
        entry = FacilityEntry(code=facility.code, name=facility.name, level=facility.level)
        await registry.register(session, entry=entry, now=utc_now())
        await registry.add_key(session, code=facility.code, jwk=public_part(keys[facility.code]), now=utc_now())
    vault = open_vault(settings.secrets_dir)
    await practitioners.store(session, entries=people.register(), vault=vault, now=utc_now(), new_id=_new_id)


async def _represent(session: Session, *, settings: Settings) -> None:
    """Let every child of the demo be represented by its parent, and citizen:1 have a second factor."""
    vault = open_vault(settings.secrets_dir)
    await demo_factor.give_factor(session, vault=vault)
    await session.execute(text("RESET ROLE"))
    for child, parent in people.families():
        papers = families.SeenPapers(
            id=_new_id(),
            dependant=child.personal_id,
            representative=parent.personal_id,
            kind=families.RepresentationKind.PARENT,
            valid_from=child.birth_on,
        )
        await families.register(session, papers=papers, vault=vault)


def _key(code: str) -> dict[str, str]:
    folder = data_folder() / "keys"
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / f"{code}.jwk"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(json.dumps(new_private_key(alg="ES256", kid=f"demo-{code}")), encoding="ascii")
    key: dict[str, str] = json.loads(path.read_text(encoding="ascii"))
    return key


def _new_id() -> UUID:
    return new_id(now=utc_now())


def _progress() -> Callable[[int, int], None]:
    def show_progress(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r  {done}/{total}", end="" if done < total else "\n", file=sys.stderr, flush=True)
        elif done == total or done % 100 == 0:
            print(f"  {done}/{total}", file=sys.stderr, flush=True)

    return show_progress
