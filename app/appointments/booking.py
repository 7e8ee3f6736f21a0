"""Books, moves and cancels appointments. PostgreSQL decides; what it refuses is told in words."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from app.appointments import sql
from app.core.context import Context
from app.core.crypto import Place
from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import AppError, Conflict, Invalid, Refused, Text
from app.core.ids import known_id, known_id_if_any
from app.core.words import read_words

LONGEST_REASON: Final = 500

_FULL: Final = Text("Khung giờ này vừa hết chỗ.", "This time has no place left.")
_OVERLAP: Final = Text("Bạn đã có lịch hẹn khác trùng giờ này.", "There is another appointment of yours at this time.")
_GONE: Final = Text("Khung giờ này không còn nữa.", "This time is not offered any more.")
_TOO_LATE: Final = Text(
    "Đã quá hạn mà cơ sở cho phép đặt, đổi hoặc hủy lịch hẹn này.",
    "It is too late: the facility does not let this time be booked, moved or cancelled any more.",
)
_TOO_MANY: Final = Text(
    "Bạn đã có đủ số lịch hẹn mà cơ sở này cho phép.", "You have as many appointments as this facility allows."
)
_OVER: Final = Text("Lịch hẹn này đã qua.", "This appointment is over.")
_ELSEWHERE: Final = Text(
    "Chỉ đổi được sang khung giờ khác của cùng khoa.", "It can be moved within the same department only."
)
_NOT_BOOKED: Final = Text(
    "Lịch hẹn này không do bạn đặt hoặc đã hủy; hãy liên hệ cơ sở.",
    "This appointment was not booked here, or is cancelled; ask the facility.",
)
_EXPIRED: Final = Text("Chỗ này không còn được giữ cho bạn.", "This place is not held for you any more.")

REFUSALS: Final[Mapping[str, tuple[type[AppError], Text]]] = {
    "FULL": (Conflict, _FULL),
    "OVERLAP": (Conflict, _OVERLAP),
    "GONE": (Conflict, _GONE),
    "EXPIRED": (Conflict, _EXPIRED),
    "OVER": (Conflict, _OVER),
    "NOT_BOOKED": (Conflict, _NOT_BOOKED),
    "TOO_LATE": (Refused, _TOO_LATE),
    "TOO_MANY": (Refused, _TOO_MANY),
    "ELSEWHERE": (Invalid, _ELSEWHERE),
}


async def book(session: Session, *, slot_id: str, citizen_id: str | None, reason: str | None, context: Context) -> Told:
    """Book a place of a slot for the caller, or for whom they represent.

    :raises AppError: as REFUSALS says, or NotFound for somebody whom the caller does not represent
    """
    slot, target = known_id(slot_id), known_id_if_any(citizen_id)
    appointment = await sql.appointment_for(session, slot=slot, target=target, fresh=context.new_id())
    outcome = await sql.book(
        session,
        slot=slot,
        target=target,
        appointment=appointment,
        reason=_sealed(reason, appointment=appointment, context=context),
        terms=sql.terms(context.house.settings),
    )
    accepted(outcome)
    return Told(kept={"appointment_id": str(appointment)})


async def reschedule(session: Session, *, appointment_id: str, slot_id: str, context: Context) -> Told:
    """Move a booking to another slot of the same department.

    :raises AppError: as REFUSALS says; the old place is kept then
    """
    appointment = known_id(appointment_id)
    terms = sql.terms(context.house.settings)
    accepted(await sql.reschedule(session, appointment=appointment, slot=known_id(slot_id), terms=terms))
    return Told(kept={"appointment_id": str(appointment)})


async def cancel(session: Session, *, appointment_id: str, context: Context) -> Told:
    """Cancel an appointment; its place goes to whoever waits for it. One that is cancelled already is no error.

    :raises AppError: as REFUSALS says
    """
    appointment = known_id(appointment_id)
    accepted(await sql.cancel(session, appointment=appointment, terms=sql.terms(context.house.settings)))
    return Told(kept={"appointment_id": str(appointment)})


def accepted(outcome: str) -> None:
    """Let what was done pass.

    :raises AppError: what the outcome means
    """
    if outcome in REFUSALS:
        kind, words = REFUSALS[outcome]
        raise kind(words)


def _sealed(reason: str | None, *, appointment: UUID, context: Context) -> bytes | None:
    told = read_words(reason, name="reason", longest=LONGEST_REASON) if reason and not reason.isspace() else None
    place = Place(table="care.appointment", column="reason_sealed", row_id=appointment)
    return context.house.vault.sealer.seal(told.encode(), place=place) if told else None
