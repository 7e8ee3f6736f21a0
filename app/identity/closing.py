"""Accounts are closed and opened again by the service door: somebody has died, asked for it, or it is misused."""

from enum import StrEnum
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.core.errors import NotFound, Text
from app.identity import closing_sql, family_sql
from app.identity.families import lookup_of

_NOBODY = Text(
    "Không có sổ sức khỏe nào của số định danh này.", "There is no health book of a person with this personal id."
)


class ClosureReason(StrEnum):
    """Why an account is closed."""

    DEATH = "DEATH"
    REQUEST = "REQUEST"
    MISUSE = "MISUSE"


async def citizen_of(session: Session, *, personal_id: str, vault: Vault) -> UUID:
    """Return whom a personal id names, an account that is closed too.

    :raises Invalid: when it is none
    :raises NotFound: when it names nobody
    """
    found = await family_sql.citizen_of(session, lookup=lookup_of(personal_id, vault=vault))
    if found is None:
        raise NotFound(_NOBODY)
    return found


async def close(session: Session, *, closure_id: UUID, citizen_id: UUID, reason: ClosureReason) -> int:
    """Close an account: nothing of it works at the next request, in any role; returns how many sessions ended.

    :raises Conflict: when it is closed already
    """
    told = {"id": str(closure_id), "citizen_id": str(citizen_id), "reason": reason.value}
    return await closing_sql.close(session, told=told)


async def reopen(session: Session, *, citizen_id: UUID) -> None:
    """Open an account again: its person signs in anew; what ended stays ended.

    :raises Conflict: when it was not closed here
    """
    await closing_sql.reopen(session, citizen_id=citizen_id)
