"""The SQL of families. The functions stand in sql/5_*.sql to sql/7_birthdays.sql."""

import json
from collections.abc import Mapping
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
