"""Ends sessions that their own person names."""

from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import Invalid, NotFound, Text
from app.core.ids import known_id
from app.identity import factor_sql

_ONE_OF_TWO = Text(
    "Cần đúng một trong hai: sessionId, hoặc others là true.", "Exactly one is needed: sessionId, or others as true."
)


async def end_sessions(session: Session, *, session_id: str | None, others: bool) -> Told:
    """End one of the caller's own sessions, or all but this one; one that has ended already is no error.

    :raises Invalid: when both are named, or none
    :raises NotFound: when no session of theirs has this id
    :raises StepUpRequired: for another session than this one, which wants a fresh factor or a fresh sign-in
    """
    if (session_id is None) != others:
        raise Invalid(_ONE_OF_TWO)
    if session_id is None:
        return Told(kept={"session_id": None, "ended": await factor_sql.end_other_sessions(session)})
    wanted = known_id(session_id)
    if not await factor_sql.end_own_session(session, session_id=wanted):
        raise NotFound
    return Told(kept={"session_id": str(wanted), "ended": 1})
