"""The room's SQL, run by the service door in the role that owns these tables."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

AS_OWNER = text("SET LOCAL ROLE auth_owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilityEntry:
    """A facility as it is registered."""

    code: str
    name: str
    level: str  # CENTRAL, PROVINCIAL, PRIMARY


@dataclass(frozen=True, slots=True)
class KnownFacility:
    """A registered facility."""

    code: str
    name: str
    level: str
    suspended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEntry:
    """A change of a facility's system, or a taking over, as it is declared."""

    id: UUID
    code: str  # who sends now
    predecessor: str  # whose records are sent again
    kind: str  # SYSTEM, MERGER, BRANCH
    resent_from: date
    begins_on: date
    ends_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResentRecord:
    """A record that was sent again in a change that is undone."""

    citizen: UUID
    kind: str
    facility: str
    source: str
    messages: list[UUID]


async def facility(session: Session, *, code: str) -> KnownFacility | None:
    """Return a facility, or nothing."""
    await session.execute(AS_OWNER)
    query = text("SELECT code, name, level, suspended_at FROM directory.facility WHERE code = :code")
    row = (await session.execute(query, {"code": code})).one_or_none()
    return None if row is None else KnownFacility(**row._asdict())


async def facilities(session: Session) -> list[KnownFacility]:
    """Return every facility by code."""
    await session.execute(AS_OWNER)
    query = text("SELECT code, name, level, suspended_at FROM directory.facility ORDER BY code")
    return [KnownFacility(**row._asdict()) for row in await session.execute(query)]


async def insert_facility(session: Session, *, entry: FacilityEntry, now: datetime) -> None:
    """Insert a facility."""
    query = text(
        "INSERT INTO directory.facility (code, name, level, registered_at) VALUES (:code, :name, :level, :now)"
    )
    await session.execute(query, {"code": entry.code, "name": entry.name, "level": entry.level, "now": now})


async def insert_key(session: Session, *, code: str, jwk: Mapping[str, str], now: datetime) -> None:
    """Insert a public key, or leave it when it is there."""
    query = text(
        "INSERT INTO auth.client_key (facility_code, kid, jwk, registered_at) "
        "VALUES (:code, :kid, CAST(:jwk AS jsonb), :now) ON CONFLICT DO NOTHING"
    )
    await session.execute(query, {"code": code, "kid": jwk["kid"], "jwk": json.dumps(dict(jwk)), "now": now})


async def revoke_keys(session: Session, *, code: str, but: str, now: datetime) -> int:
    """Revoke live keys but one, and end what they opened; returns how many."""
    await session.execute(AS_OWNER)
    query = text(
        "UPDATE auth.client_key SET revoked_at = :now "
        "WHERE facility_code = :code AND kid <> :kid AND revoked_at IS NULL RETURNING kid"
    )
    revoked = len((await session.execute(query, {"code": code, "kid": but, "now": now})).all())
    if revoked:
        await _end_sessions(session, code=code, now=now)
    return revoked


async def _end_sessions(session: Session, *, code: str, now: datetime) -> None:
    ended = text(
        "UPDATE auth.session SET ended_at = :now WHERE :code IN (facility_code, via_facility_code) AND ended_at IS NULL"
    )
    await session.execute(ended, {"code": code, "now": now})


async def suspend_facility(session: Session, *, code: str, now: datetime) -> bool:
    """Suspend a facility and end its sessions; false when there is none."""
    await session.execute(AS_OWNER)
    query = text(
        "UPDATE directory.facility SET suspended_at = coalesce(suspended_at, :now) WHERE code = :code RETURNING code"
    )
    found = (await session.execute(query, {"code": code, "now": now})).one_or_none()
    await _end_sessions(session, code=code, now=now)
    return found is not None


async def replace_image_store(
    session: Session, *, code: str, base_url: str, inner_pad: bytes, outer_pad: bytes, now: datetime
) -> None:
    """Write where a facility serves its images, and the pads of its key."""
    query = text(
        "INSERT INTO directory.image_store (facility_code, base_url, inner_pad, outer_pad, registered_at) "
        "VALUES (:code, :url, :inner, :outer, :now) ON CONFLICT (facility_code) DO UPDATE SET "
        "(base_url, inner_pad, outer_pad, registered_at) = "
        "(excluded.base_url, excluded.inner_pad, excluded.outer_pad, excluded.registered_at)"
    )
    values = {"code": code, "url": base_url, "inner": inner_pad, "outer": outer_pad, "now": now}
    await session.execute(query, values)


async def insert_laboratory_level(
    session: Session, *, code: str, level: int, valid_from: date, valid_until: date | None
) -> None:
    """Write the level of a laboratory from a day on, in place of one of the same day."""
    query = text(
        "INSERT INTO directory.laboratory_level VALUES (:code, :valid_from, :valid_until, :level) "
        "ON CONFLICT (facility_code, valid_from) DO UPDATE SET "
        "(valid_until, level) = (excluded.valid_until, excluded.level)"
    )
    values = {"code": code, "level": level, "valid_from": valid_from, "valid_until": valid_until}
    await session.execute(query, values)


async def insert_change(session: Session, *, entry: ChangeEntry, now: datetime) -> None:
    """Insert a change."""
    await session.execute(AS_OWNER)
    query = text(
        "INSERT INTO directory.facility_change (id, facility_code, predecessor_code, kind, resent_from, begins_on, "
        "ends_on, declared_at) VALUES (:id, :code, :predecessor, :kind, :resent_from, :begins_on, :ends_on, :now)"
    )
    values = {
        "id": entry.id,
        "code": entry.code,
        "predecessor": entry.predecessor,
        "kind": entry.kind,
        "resent_from": entry.resent_from,
        "begins_on": entry.begins_on,
        "ends_on": entry.ends_on,
        "now": now,
    }
    await session.execute(query, values)


async def changes(session: Session) -> list[dict[str, Any]]:
    """Return every change with how many records were sent again in it, the newest first."""
    await session.execute(AS_OWNER)
    query = text(
        "SELECT c.id, c.facility_code, c.predecessor_code, c.kind, c.resent_from, c.begins_on, c.ends_on, c.undone_at, "
        "(SELECT count(*) FROM auth.resent r WHERE r.change_id = c.id) AS resent "
        "FROM directory.facility_change c ORDER BY c.declared_at DESC, c.id"
    )
    return [dict(row._mapping) for row in await session.execute(query)]  # noqa: SLF001 - SQLAlchemy's public name


async def undo_change(session: Session, *, change_id: UUID) -> list[ResentRecord]:
    """Undo a change; returns what was sent again in it."""
    await session.execute(AS_OWNER)
    found = await session.scalar(text("SELECT auth.undo_change(:id)"), {"id": change_id})
    return [
        ResentRecord(
            citizen=UUID(one["citizen"]),
            kind=one["kind"],
            facility=one["facility"],
            source=one["source"],
            messages=[UUID(message) for message in one["messages"]],
        )
        for one in found
    ]


async def keep_split(session: Session, *, split_id: UUID, facility_code: str, sealed: bytes) -> None:
    """Keep what the worker is to put back, at the head of the queue."""
    query = text("SELECT intake.keep_split(:id, :facility, :sealed)")
    await session.execute(query, {"id": split_id, "facility": facility_code, "sealed": sealed})
