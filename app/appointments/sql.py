"""The room's SQL, called by its rules. The functions stand in sql/*.sql."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.appointments.schedules import BookingTerms
from app.core.db import Session
from app.core.settings import Settings


def terms(settings: Settings) -> str:
    """Return what is asked of those who book where a facility has told nothing, as JSON."""
    return terms_text(
        BookingTerms(
            lead_minutes=settings.booking_lead_minutes,
            cancel_minutes=settings.booking_cancel_minutes,
            most_live=settings.booking_most_live,
            hold_minutes=settings.waitlist_hold_minutes,
        )
    )


def terms_text(told: BookingTerms) -> str:
    """Return terms as JSON."""
    return json.dumps(asdict(told))


_CALLING_FACILITY = text("SELECT auth.calling_facility(:token)")
_PUBLISH = text("SELECT care.publish_schedules(:token, CAST(:arrived AS jsonb), CAST(:terms AS jsonb))")
_APPOINTMENT_FOR = text("SELECT care.appointment_for(:slot, :target, :fresh)")
_BOOK = text("SELECT care.book(:slot, :target, :appointment, :reason, CAST(:terms AS jsonb))")
_RESCHEDULE = text("SELECT care.reschedule(:appointment, :slot, CAST(:terms AS jsonb))")
_CANCEL = text("SELECT care.cancel(:appointment, CAST(:terms AS jsonb))")
_JOIN = text(
    "SELECT care.join_waitlist(:facility, :department, :since, :until, :target, :entry, CAST(:terms AS jsonb))"
)
_LEAVE = text("SELECT care.leave_waitlist(:entry, CAST(:terms AS jsonb))")
_ANSWER = text("SELECT care.answer_offer(:offer, :accept, :appointment, CAST(:terms AS jsonb))")
_OFFERED = text("SELECT o.entry_id, o.slot_id, o.citizen_id FROM care.waitlist_offer o WHERE o.id = :offer")
_MOVE = text("SELECT care.move_waitlist(:slot, CAST(:terms AS jsonb))")
_NEXT = text("SELECT care.next_slot_to_move(:after)")
_SETTLE = text("SELECT care.settle_slot(CAST(:terms AS jsonb))")
_SETTLE_AGAIN = text("SELECT jobs.enqueue('settle_slots', '{}')")
_MAKE_FEED = text("SELECT care.make_feed(:secret, :target, :feed)")
_REVOKE_FEEDS = text("SELECT care.revoke_feeds(:target)")
_SHOWN = "a.id, a.sequence, a.state, a.starts_at, a.ends_at, a.is_whole_day, a.department_code, a.is_sensitive"
_CALENDAR = text(
    f"SELECT {_SHOWN}, a.changed_at, f.name AS facility_name FROM care.calendar(:secret) a "  # noqa: S608 - names of columns
    "JOIN directory.facility f ON f.code = a.facility_code ORDER BY a.starts_at, a.id"
)
_SIGN_IN = text("SELECT citizen_id FROM auth.sign_in(:token, :proof_key)")
_ONE = text(
    f"SELECT {_SHOWN}, a.changed_at, f.name AS facility_name FROM care.appointment a "  # noqa: S608 - names of columns
    "JOIN directory.facility f ON f.code = a.facility_code "
    "WHERE a.citizen_id = ANY ((SELECT care.mine())::uuid[]) AND a.id = :appointment"
)


async def calling_facility(session: Session, *, token: str) -> str:
    """Return the facility of a system's token.

    :raises Unauthenticated: when there is none (SK401)
    """
    code: str = await session.scalar(_CALLING_FACILITY, {"token": token})
    return code


async def publish_schedules(
    session: Session, *, token: str, arrived: list[Mapping[str, Any]], told: BookingTerms | None
) -> list[dict[str, Any]]:
    """Publish schedules with their slots; returns code, slots and withdrawn of each."""
    values = {
        "token": token,
        "arrived": json.dumps(arrived),
        "terms": None if told is None else terms_text(told),
    }
    published: list[dict[str, Any]] = await session.scalar(_PUBLISH, values)
    return published


async def appointment_for(session: Session, *, slot: UUID, target: UUID | None, fresh: UUID) -> UUID:
    """Return the id under which a booking of a slot is kept: of what the facility told already, or the fresh one."""
    found: UUID = await session.scalar(_APPOINTMENT_FOR, {"slot": slot, "target": target, "fresh": fresh})
    return found


async def book(
    session: Session, *, slot: UUID, target: UUID | None, appointment: UUID, reason: bytes | None, terms: str
) -> str:
    """Book a place; returns the outcome."""
    values = {"slot": slot, "target": target, "appointment": appointment, "reason": reason, "terms": terms}
    return str(await session.scalar(_BOOK, values))


async def reschedule(session: Session, *, appointment: UUID, slot: UUID, terms: str) -> str:
    """Move a booking; returns the outcome."""
    return str(await session.scalar(_RESCHEDULE, {"appointment": appointment, "slot": slot, "terms": terms}))


async def cancel(session: Session, *, appointment: UUID, terms: str) -> str:
    """Cancel an appointment; returns the outcome."""
    return str(await session.scalar(_CANCEL, {"appointment": appointment, "terms": terms}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Where and when somebody waits for a place."""

    facility_code: str
    department_code: str
    since: date
    until: date  # the last day
    citizen_id: UUID | None


async def join_waitlist(session: Session, *, wish: Wish, entry: UUID, terms: str) -> bool:
    """Begin to wait; false when this citizen waits there already."""
    values = {
        "facility": wish.facility_code,
        "department": wish.department_code,
        "since": wish.since,
        "until": wish.until,
        "target": wish.citizen_id,
        "entry": entry,
        "terms": terms,
    }
    return bool(await session.scalar(_JOIN, values))


async def leave_waitlist(session: Session, *, entry: UUID, terms: str) -> None:
    """Wait no more."""
    await session.execute(_LEAVE, {"entry": entry, "terms": terms})


async def answer_offer(session: Session, *, offer: UUID, accept: bool, appointment: UUID, terms: str) -> str:
    """Take a held place or leave it; returns the outcome."""
    values = {"offer": offer, "accept": accept, "appointment": appointment, "terms": terms}
    return str(await session.scalar(_ANSWER, values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """Of what, and to whom, an offer is."""

    entry_id: UUID
    slot_id: UUID
    citizen_id: UUID


async def offered(session: Session, *, offer: UUID) -> Offered | None:
    """Return an offer of the caller's own, or of whom they represent."""
    row = (await session.execute(_OFFERED, {"offer": offer})).one_or_none()
    return None if row is None else Offered(**row._asdict())


async def end_care(session: Session, *, citizen_id: UUID, terms: str) -> tuple[int, int]:
    """Call off what somebody was to come to and waits for; returns how many. For the service door, as `auth_owner`."""
    query = text("SELECT appointments, entries FROM care.end_care(:id, CAST(:terms AS jsonb))")
    row = (await session.execute(query, {"id": citizen_id, "terms": terms})).one()
    return row.appointments, row.entries


async def move_waitlist(session: Session, *, slot: UUID, terms: str) -> None:
    """End what is held for too long in a slot and offer its places."""
    await session.execute(_MOVE, {"slot": slot, "terms": terms})


async def next_slot_to_move(session: Session, *, after: UUID | None) -> UUID | None:
    """Return the next slot that has something to offer."""
    found: UUID | None = await session.scalar(_NEXT, {"after": after})
    return found


async def settle_slot(session: Session, *, terms: str) -> bool:
    """Cancel one booking of a slot that its facility withdrew; false when there is none."""
    return bool(await session.scalar(_SETTLE, {"terms": terms}))


async def settle_again(session: Session) -> None:
    """Ask the worker for another round of `settle_slot`."""
    await session.execute(_SETTLE_AGAIN)


async def make_feed(session: Session, *, secret: str, target: UUID | None, feed: UUID) -> None:
    """Keep a calendar address."""
    await session.execute(_MAKE_FEED, {"secret": secret, "target": target, "feed": feed})


async def revoke_feeds(session: Session, *, target: UUID | None) -> int:
    """End calendar addresses; returns how many."""
    return int(await session.scalar(_REVOKE_FEEDS, {"target": target}) or 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """What of an appointment a calendar may be made of."""

    id: UUID
    sequence: int
    state: str
    starts_at: datetime
    ends_at: datetime | None
    is_whole_day: bool
    department_code: str | None
    is_sensitive: bool
    changed_at: datetime
    facility_name: str


async def calendar(session: Session, *, secret: str) -> list[CalendarEntry]:
    """Return what a private address shows.

    :raises NotFound: when it is no live address (SK404)
    """
    return [CalendarEntry(**row._asdict()) for row in await session.execute(_CALENDAR, {"secret": secret})]


async def own_entry(
    session: Session, *, token: str, proof_key: bytes | None, appointment: UUID
) -> CalendarEntry | None:
    """Return one appointment of the signed-in citizen."""
    await session.execute(_SIGN_IN, {"token": token, "proof_key": proof_key})
    row = (await session.execute(_ONE, {"appointment": appointment})).one_or_none()
    return None if row is None else CalendarEntry(**row._asdict())
