"""The SQL of practitioners: their register, which the service door fills in the owner's role, and their pairings."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

AS_OWNER = text("SET LOCAL ROLE auth_owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What storing changed."""

    added: int
    changed: int

    def __add__(self, other: "Stored") -> "Stored":
        """Return both together."""
        return Stored(added=self.added + other.added, changed=self.changed + other.changed)


async def put(session: Session, *, practitioners: str) -> Stored:
    """Store practitioners with their places, given as a JSON list."""
    await session.execute(AS_OWNER)
    query = text("SELECT added, changed FROM auth.store_practitioners(CAST(:practitioners AS jsonb))")
    row = (await session.execute(query, {"practitioners": practitioners})).one()
    return Stored(added=row.added, changed=row.changed)


async def registered_facilities(session: Session) -> frozenset[str]:
    """Return the codes of every registered facility, suspended ones too."""
    await session.execute(AS_OWNER)
    return frozenset(await session.scalars(text("SELECT code FROM directory.facility")))


async def pair(session: Session, *, new_id: UUID, facility_code: str) -> UUID:
    """Pair the signed-in practitioner with a facility's system."""
    query = text("SELECT auth.pair(:id, :facility_code)")
    return UUID(str(await session.scalar(query, {"id": new_id, "facility_code": facility_code})))


async def unpair(session: Session, *, pairing_id: UUID) -> UUID:
    """End a pairing of the signed-in practitioner."""
    return UUID(str(await session.scalar(text("SELECT auth.unpair(:id)"), {"id": pairing_id})))
