"""Ends sessions that their own person names."""

from uuid import UUID

from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import NotFound
from app.identity import sql


async def end_session(session: Session, *, session_id: str) -> Told:
    """End one of the caller's own sessions; one that has ended already is no error.

    :raises NotFound: when no session of theirs has this id
    """
    try:
        wanted = UUID(session_id)
    except ValueError:
        raise NotFound from None
    if not await sql.end_own_session(session, session_id=wanted):
        raise NotFound
    return Told(kept={"session_id": str(wanted)})
