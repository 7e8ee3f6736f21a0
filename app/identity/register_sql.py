"""The SQL of the register, run by the service door in the role that owns these tables."""

from dataclasses import dataclass

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
