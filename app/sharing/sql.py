"""The room's SQL: codes, grants, requests and emergencies. The functions stand in sql/*.sql."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

Scope = Mapping[str, Any]
"""A ShareScopeInput as JSON; `auth.scope_of` says what it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A try that was counted: what proves the code, if there is one, or the seconds that its maker must wait."""

    id: UUID
    wait_seconds: int | None
    code: UUID | None = None
    proof: str | None = field(default=None, repr=False)
    is_proved: bool = False


async def are_records(session: Session, *, target: UUID | None, records: Sequence[UUID]) -> bool:
    """Tell whether all of these are records of a book that the caller may share."""
    query = text("SELECT book.are_records(:target, :records)")
    return await session.scalar(query, {"target": target, "records": list(records)}) is True


async def made_code(
    session: Session,
    *,
    code_id: UUID,
    target: UUID | None,
    lookup: bytes,
    proof: str,
    has_pin: bool,
    purpose: str,
    scope: Scope,
    redeemable_minutes: int,
    access_minutes: int,
) -> datetime:
    """Keep a share code of one's own book, or of somebody's whom one represents; returns until when it is good."""
    query = text(
        "SELECT redeemable_until FROM auth.make_code(:code_id, :target, :lookup, :proof, :has_pin, :purpose, "
        "CAST(:scope AS jsonb), :redeemable_minutes, :access_minutes)"
    )
    values = {
        "code_id": code_id,
        "target": target,
        "lookup": lookup,
        "proof": proof,
        "has_pin": has_pin,
        "purpose": purpose,
        "scope": json.dumps(scope),
        "redeemable_minutes": redeemable_minutes,
        "access_minutes": access_minutes,
    }
    until: datetime = (await session.scalars(query, values)).one()
    return until


async def cancelled_code(session: Session, *, code_id: UUID) -> UUID | None:
    """Cancel a code; returns the grant that was revoked because it had been redeemed."""
    found: UUID | None = await session.scalar(text("SELECT auth.cancel_code(:code_id)"), {"code_id": code_id})
    return found


async def counted_try(session: Session, *, try_id: UUID, key: str, lookup: bytes, facility_code: str) -> Try:
    """Count a try to redeem a code, before it is judged."""
    query = text("SELECT wait_seconds, code, proof FROM auth.take_try(:try_id, :key, :lookup, :facility_code)")
    values = {"try_id": try_id, "key": key, "lookup": lookup, "facility_code": facility_code}
    row = (await session.execute(query, values)).one()
    return Try(id=try_id, wait_seconds=row.wait_seconds, code=row.code, proof=row.proof)


async def redeemed_grant(
    session: Session, *, key: str, tried: Try, facility_code: str, purpose: str, grant_id: UUID
) -> UUID | None:
    """Redeem a code whose proof was checked; nothing when somebody else was faster, or it was cancelled."""
    query = text("SELECT auth.redeem_code(:key, :code, :proof, :facility_code, :purpose, :grant_id)")
    values = {
        "key": key,
        "code": tried.code,
        "proof": tried.proof,
        "facility_code": facility_code,
        "purpose": purpose,
        "grant_id": grant_id,
    }
    found: UUID | None = await session.scalar(query, values)
    return found


async def revoked_grant(session: Session, *, grant_id: UUID) -> int:
    """Revoke a grant; returns how many live subscriptions it closed."""
    return int(await session.scalar(text("SELECT auth.revoke_grant(:grant_id)"), {"grant_id": grant_id}) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What was ended when sharing was frozen."""

    cancelled_codes: int
    revoked_grants: int
    closed_sessions: int


async def frozen_sharing(session: Session, *, target: UUID | None, frozen: bool) -> Frozen:
    """Freeze sharing, or let it be again."""
    query = text("SELECT * FROM auth.freeze_sharing(:target, :frozen)")
    row = (await session.execute(query, {"target": target, "frozen": frozen})).one()
    return Frozen(
        cancelled_codes=row.cancelled_codes, revoked_grants=row.revoked_grants, closed_sessions=row.closed_sessions
    )


async def hidden_classes(session: Session, *, target: UUID | None, classes: Sequence[str], hidden: bool) -> None:
    """Hide classes of records from everybody else, or show them again to grants that name them."""
    query = text("SELECT auth.hide_classes(:target, CAST(:classes AS jsonb), :hidden)")
    await session.execute(query, {"target": target, "classes": json.dumps(list(classes)), "hidden": hidden})


async def asked_share(
    session: Session,
    *,
    request_id: UUID,
    lookup: bytes,
    facility_code: str,
    purpose: str,
    scope: Scope,
    access_minutes: int,
) -> int | None:
    """Ask the person who has a number; returns the seconds to wait when too much was asked today."""
    query = text(
        "SELECT auth.ask_share(:request_id, :lookup, :facility_code, :purpose, CAST(:scope AS jsonb), :access_minutes)"
    )
    values = {
        "request_id": request_id,
        "lookup": lookup,
        "facility_code": facility_code,
        "purpose": purpose,
        "scope": json.dumps(scope),
        "access_minutes": access_minutes,
    }
    found: int | None = await session.scalar(query, values)
    return found


async def answered_request(
    session: Session,
    *,
    request_id: UUID,
    approved: bool,
    scope: Scope | None = None,
    access_minutes: int | None = None,
    grant_id: UUID | None = None,
) -> None:
    """Answer a request: refuse it, or approve it with its scope or a narrower one."""
    query = text(
        "SELECT auth.answer_request(:request_id, :approved, CAST(:scope AS jsonb), :access_minutes, :grant_id)"
    )
    values = {
        "request_id": request_id,
        "approved": approved,
        "scope": None if scope is None else json.dumps(scope),
        "access_minutes": access_minutes,
        "grant_id": grant_id,
    }
    await session.execute(query, values)


async def counted_emergency(session: Session, *, try_id: UUID, key: str, facility_code: str) -> Try:
    """Count a try to open an emergency access, before it is judged."""
    query = text("SELECT auth.take_emergency(:try_id, :key, :facility_code)")
    found = await session.scalar(query, {"try_id": try_id, "key": key, "facility_code": facility_code})
    return Try(id=try_id, wait_seconds=found)


async def emergency_grant(
    session: Session, *, try_id: UUID, lookup: bytes, facility_code: str, reason: str, grant_id: UUID
) -> UUID | None:
    """Open an emergency access; nothing when nobody has the number."""
    query = text("SELECT auth.open_emergency(:try_id, :lookup, :facility_code, :reason, :grant_id)")
    values = {
        "try_id": try_id,
        "lookup": lookup,
        "facility_code": facility_code,
        "reason": reason,
        "grant_id": grant_id,
    }
    found: UUID | None = await session.scalar(query, values)
    return found


async def swept(session: Session) -> int:
    """Erase hashes of dead codes, tell citizens what they are to be told; returns how many were told."""
    return int(await session.scalar(text("SELECT auth.sweep_sharing()")) or 0)


async def emergencies(session: Session, *, all_of_them: bool) -> list[dict[str, Any]]:
    """Return emergency accesses, the oldest first: those that nobody has reviewed, or all. As `auth_owner`."""
    query = text(
        "SELECT g.id::text AS id, g.starts_at::text AS starts_at, g.practitioner_certificate, g.practitioner_name, "
        "g.facility_code, g.reason, g.reviewed_at::text AS reviewed_at, g.review, (SELECT count(*) FROM audit.line l "
        "WHERE l.citizen_id = g.citizen_id AND l.action = 'BOOK_OPENED' AND l.about->>'grant' = g.id::text) "
        "AS readings "
        "FROM auth.book_grant g WHERE g.kind = 'EMERGENCY' AND (:all OR g.reviewed_at IS NULL) ORDER BY g.starts_at"
    )
    return [dict(row._mapping) for row in await session.execute(query, {"all": all_of_them})]  # noqa: SLF001 - SQLAlchemy's public name


async def reviewed_emergency(session: Session, *, grant_id: UUID, review: str) -> bool:
    """Keep what a review of an emergency access found; false when there is none to review. As `auth_owner`."""
    query = text(
        "UPDATE auth.book_grant SET reviewed_at = clock_timestamp(), review = :review "
        "WHERE id = :id AND kind = 'EMERGENCY' AND reviewed_at IS NULL"
    )
    return bool((await session.execute(query, {"id": grant_id, "review": review})).rowcount)


async def alarms(session: Session, *, since: timedelta) -> list[dict[str, Any]]:
    """Return alarms, the latest first. As `auth_owner`."""
    query = text(
        "SELECT kind, subject, raised_at::text AS raised_at FROM auth.alarm "
        "WHERE raised_at > clock_timestamp() - CAST(:since AS interval) ORDER BY raised_at DESC"
    )
    return [dict(row._mapping) for row in await session.execute(query, {"since": since})]  # noqa: SLF001


async def end_sharing(session: Session, *, citizen_id: UUID, why: str) -> tuple[int, int]:
    """End all codes and grants of a book; returns how many of each. For the service door, as `auth_owner`."""
    query = text("SELECT cancelled_codes, revoked_grants FROM auth.end_sharing(:id, :why)")
    row = (await session.execute(query, {"id": citizen_id, "why": why})).one()
    return row.cancelled_codes, row.revoked_grants
