"""Tokens of the demo's people and facilities."""

from datetime import timedelta
from functools import partial
from typing import Final

from sqlalchemy import text

from app.commands.console import run
from app.commands.steps import as_migrator
from app.core.clock import utc_now
from app.core.crypto import open_vault
from app.core.db import Session
from app.core.ids import new_id, new_secret
from app.core.settings import Settings
from app.demo import people

PRINCIPALS: Final = {"citizen": "citizen_id", "doctor": "practitioner_id", "facility": "facility_code"}
TOKEN_LIFE = timedelta(hours=12)
PROOFED_LEVEL = 2


def new_token(settings: Settings, *, kind: str, number: int, stepped_up: bool) -> str | None:
    """Return a bearer token; nothing where the demo has nobody of that number."""
    secret = new_secret()
    step = partial(_open, settings=settings, kind=kind, number=number, secret=secret, stepped_up=stepped_up)
    return secret if run(as_migrator(settings, step)) else None


async def _open(session: Session, *, settings: Settings, kind: str, number: int, secret: str, stepped_up: bool) -> bool:
    await session.execute(text("SET LOCAL ROLE auth_owner"))
    principal = await _principal(session, settings=settings, kind=kind, number=number)
    if principal is None:
        return False
    now = utc_now()
    insert = text(
        f"INSERT INTO auth.session (id, token_hash, {PRINCIPALS[kind]}, level, created_at, expires_at) "  # noqa: S608 - one of three names above
        "VALUES (:id, sha256(convert_to(:secret, 'UTF8')), :principal, :level, :now, :until)"
    )
    values = {
        "id": new_id(now=now),
        "secret": secret,
        "principal": principal,
        "level": PROOFED_LEVEL if kind != "facility" else None,
        "now": now,
        "until": now + TOKEN_LIFE,
    }
    await session.execute(insert, values)
    if stepped_up and kind != "facility":
        for_everything = text("INSERT INTO auth.step_up (session_id, action, until) VALUES (:id, '*', :until)")
        await session.execute(for_everything, {"id": values["id"], "until": values["until"]})
    return True


async def _principal(session: Session, *, settings: Settings, kind: str, number: int) -> object:
    if kind == "facility":
        return people.FACILITIES[number - 1].code if number <= len(people.FACILITIES) else None
    if kind == "doctor":
        doctors = people.practitioners()
        certificate = doctors[number - 1].certificate if number <= len(doctors) else ""
        known = text("SELECT id FROM auth.practitioner WHERE certificate = :certificate")
        return await session.scalar(known, {"certificate": certificate})
    lookup = open_vault(settings.secrets_dir).index.of(people.citizen(number).personal_id or "", kind="PERSONAL_ID")
    query = text(
        "SELECT citizen_id FROM auth.identifier WHERE kind = 'PERSONAL_ID' AND lookup = :lookup AND valid_until IS NULL"
    )
    return await session.scalar(query, {"lookup": lookup})
