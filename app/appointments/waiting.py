"""Waits for a place, takes it while it is held, and moves on what is held for too long."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from app.appointments import sql
from app.appointments.booking import accepted
from app.core.context import Context, Step
from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import Conflict, Invalid, Text
from app.core.ids import known_id, known_id_if_any

MOST_DAYS: Final = 92
MOST_STEPS: Final = 10_000
_WAITS: Final = Text("Bạn đang chờ ở khoa này rồi.", "You wait in this department already.")
_DAYS: Final = Text(
    f"Khoảng ngày phải có thứ tự và dài tối đa {MOST_DAYS} ngày.",
    f"The days must be in order, {MOST_DAYS} at most.",
)


async def join(
    session: Session,
    *,
    facility_code: str,
    department_code: str,
    since: date,
    until: date,
    citizen_id: str | None,
    context: Context,
) -> Told:
    """Begin to wait for a place in a department between two days.

    :raises Conflict: when this citizen waits there already
    :raises Invalid: when the days are not in order, or too many
    """
    if not timedelta() <= until - since <= timedelta(days=MOST_DAYS):
        raise Invalid(_DAYS)
    entry = context.new_id()
    wish = sql.Wish(
        facility_code=facility_code,
        department_code=department_code,
        since=since,
        until=until,
        citizen_id=known_id_if_any(citizen_id),
    )
    if not await sql.join_waitlist(session, wish=wish, entry=entry, terms=sql.terms(context.house.settings)):
        raise Conflict(_WAITS)
    return Told(kept={"entry_id": str(entry)})


async def leave(session: Session, *, entry_id: str, context: Context) -> Told:
    """Wait no more; a place that is held goes to the next."""
    entry = known_id(entry_id)
    await sql.leave_waitlist(session, entry=entry, terms=sql.terms(context.house.settings))
    return Told(kept={"entry_id": str(entry)})


async def answer(session: Session, *, offer_id: str, accept: bool, context: Context) -> Told:
    """Take the place that is held, or leave it to the next and go on waiting.

    :raises AppError: as booking.REFUSALS says
    """
    offer, appointment = known_id(offer_id), context.new_id()
    terms = sql.terms(context.house.settings)
    held = await sql.offered(session, offer=offer)
    if accept and held is not None:
        appointment = await sql.appointment_for(session, slot=held.slot_id, target=held.citizen_id, fresh=appointment)
    accepted(await sql.answer_offer(session, offer=offer, accept=accept, appointment=appointment, terms=terms))
    return Told(
        kept={
            "entry_id": None if held is None else str(held.entry_id),
            "appointment_id": str(appointment) if accept else None,
        }
    )


async def settle(run: Callable[[Step[Any]], Awaitable[Any]], *, terms: str) -> int:
    """Finish what a new plan leaves: cancel bookings of withdrawn slots, offer free places to who waits.

    Each step is a transaction of its own, so that no lock is held for long. What cannot be cancelled in MOST_STEPS is
    another job's. Returns how many steps were done.
    """
    steps = 0
    while await run(partial(sql.settle_slot, terms=terms)):
        steps += 1
        if steps == MOST_STEPS:
            await run(sql.settle_again)
            return steps
    after: UUID | None = None
    while steps < MOST_STEPS:
        after = await run(partial(sql.next_slot_to_move, after=after))
        if after is None:
            break
        await run(partial(sql.move_waitlist, slot=after, terms=terms))
        steps += 1
    return steps
