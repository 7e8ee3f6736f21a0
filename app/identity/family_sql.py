"""The SQL of families. The functions stand in sql/5_*.sql to sql/7_birthdays.sql."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

_TODAY = text("SELECT jobs.enqueue('tell_birthdays', '{}', now(), 'tell_birthdays ' || auth.today())")
_TOMORROW = text(
    "SELECT jobs.enqueue('tell_birthdays', '{}', (auth.today() + 1 + time '06:00') AT TIME ZONE 'Asia/Ho_Chi_Minh', "
    "'tell_birthdays ' || auth.today() + 1)"
)
AS_OWNER = text("SET LOCAL ROLE auth_owner")


async def citizen_of(session: Session, *, lookup: bytes) -> UUID | None:
    """Return the citizen whose personal id has a blind index; for the service door."""
    await session.execute(AS_OWNER)
    query = text(
        "SELECT citizen_id FROM auth.identifier WHERE kind = 'PERSONAL_ID' AND lookup = :lookup AND valid_until IS NULL"
    )
    found: UUID | None = await session.scalar(query, {"lookup": lookup})
    return found


async def open_citizen_of(session: Session, *, lookup: bytes) -> UUID | None:
    """Return the same, when the account is not closed."""
    await session.execute(AS_OWNER)
    query = text(
        "SELECT c.id FROM auth.identifier i JOIN auth.citizen c ON c.id = i.citizen_id "
        "WHERE i.kind = 'PERSONAL_ID' AND i.lookup = :lookup AND i.valid_until IS NULL AND c.closed_at IS NULL"
    )
    found: UUID | None = await session.scalar(query, {"lookup": lookup})
    return found


async def claim(session: Session, *, told: Mapping[str, object]) -> UUID:
    """Keep a claim of the signed-in person."""
    query = text("SELECT auth.claim_representation(CAST(:told AS jsonb))")
    return UUID(str(await session.scalar(query, {"told": json.dumps(told, default=str)})))


async def withdraw_claim(session: Session, *, claim_id: UUID) -> UUID:
    """Take a claim of the signed-in person back."""
    return UUID(str(await session.scalar(text("SELECT auth.withdraw_claim(:id)"), {"id": claim_id})))


async def open_claims(session: Session) -> list[dict[str, Any]]:
    """Return the claims that wait, the oldest first: ids and kinds, nobody's name. For the service door."""
    await session.execute(AS_OWNER)
    query = text(
        "SELECT id, kind, claimed_at FROM auth.representation_claim WHERE decided_at IS NULL "
        "ORDER BY claimed_at LIMIT 500"
    )
    return [dict(row) for row in (await session.execute(query)).mappings()]


async def approve_claim(
    session: Session, *, claim_id: UUID, told: Mapping[str, object], dependant: bytes, claimant: bytes
) -> UUID:
    """Approve a claim; returns the representation. For the service door."""
    await session.execute(AS_OWNER)
    query = text("SELECT auth.approve_claim(:id, CAST(:told AS jsonb), :dependant, :claimant)")
    values = {"id": claim_id, "told": json.dumps(told, default=str), "dependant": dependant, "claimant": claimant}
    return UUID(str(await session.scalar(query, values)))


async def refuse_claim(session: Session, *, claim_id: UUID) -> bool:
    """Refuse a claim; false when it does not wait. For the service door."""
    await session.execute(AS_OWNER)
    return bool(await session.scalar(text("SELECT auth.refuse_claim(:id)"), {"id": claim_id}))


async def register(session: Session, *, told: Mapping[str, object]) -> bool:
    """Register a representation; false when there is one already. For the service door."""
    await session.execute(AS_OWNER)
    query = text("SELECT auth.register_representation(CAST(:told AS jsonb))")
    return await session.scalar(query, {"told": json.dumps(told, default=str)}) is not None


async def ask(session: Session, *, citizen_id: UUID | None, told: Mapping[str, object]) -> UUID:
    """Ask a representative for a citizen, or for the signed-in person."""
    query = text("SELECT auth.ask_representative(:citizen_id, CAST(:told AS jsonb))")
    values = {"citizen_id": citizen_id, "told": json.dumps(told, default=str)}
    return UUID(str(await session.scalar(query, values)))


async def accept(session: Session, *, representation_id: UUID) -> UUID:
    """Accept as the signed-in person."""
    query = text("SELECT auth.accept_representation(:id)")
    return UUID(str(await session.scalar(query, {"id": representation_id})))


async def end(session: Session, *, representation_id: UUID) -> UUID:
    """End as the signed-in person."""
    query = text("SELECT auth.end_representation(:id)")
    return UUID(str(await session.scalar(query, {"id": representation_id})))


async def tell_birthdays(session: Session) -> int:
    """Tell families of birthdays that narrow a right, and be at it again tomorrow morning; returns how many."""
    told = int(await session.scalar(text("SELECT auth.tell_birthdays()")) or 0)
    await session.execute(_TOMORROW)
    return told


async def begin_telling(session: Session) -> None:
    """Tell families today, unless it is waiting to be done."""
    await session.execute(_TODAY)
