"""What people do with their own sessions: name the phone they are on, and end them."""

from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import Invalid, NotFound, Text
from app.core.ids import known_id
from app.identity import factor_sql
from app.identity.apps import MOST_NAME_CHARS, device_name

_ONE_OF_TWO = Text(
    "Cần đúng một trong hai: sessionId, hoặc others là true.", "Exactly one is needed: sessionId, or others as true."
)

_NO_NAME = Text(
    f"Tên thiết bị phải có từ 1 đến {MOST_NAME_CHARS} ký tự nhìn thấy được.",
    f"A device's name has 1 to {MOST_NAME_CHARS} visible characters.",
)
_NO_DEVICE = Text(
    "Bạn không có phiên đang mở nào như vậy trên một thiết bị. Danh sách nằm trong `sessions`.",
    "You have no such open session on a device. `sessions` lists them.",
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


async def rename_device(session: Session, *, session_id: str, name: str) -> Told:
    """Name the device of one of the caller's own sessions; no later sign-in on it changes that.

    :raises Invalid: when nothing is left of the name
    :raises NotFound: when no live session of theirs has this id, or it is on no device
    """
    wanted, shown = known_id(session_id), device_name(name)
    if shown is None:
        raise Invalid(_NO_NAME)
    if not await factor_sql.name_device(session, session_id=wanted, name=shown):
        raise NotFound(_NO_DEVICE)
    return Told(kept={"session_id": str(wanted), "device_name": shown})
