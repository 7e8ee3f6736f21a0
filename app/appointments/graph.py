"""Root fields and mutations of care to come. `HealthBook.appointments` stands in records."""

from datetime import date
from typing import Annotated

import strawberry

from app.appointments import booking, feeds, waiting
from app.appointments.mapping import (
    SLOT_FILTERS,
    Appointment,
    AppointmentSlot,
    WaitlistEntry,
    is_to_come,
)
from app.appointments.tables import AppointmentRow, SlotRow, WaitlistEntryRow
from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told

SLOTS = rests.Root(name="slots", opens="desk")
WAITLIST = rests.Root(name="waitlist", opens="desk")

CITIZEN = "For whom: a dependant's id; yourself when it is left out."


@strawberry.type
class AppointmentsQuery:
    """What care to come answers."""

    @rests.connection(
        SlotRow,
        on=is_to_come,
        order=(rests.asc("starts_at"), rests.asc("id")),
        filters=SLOT_FILTERS,
        max_first=50,
        root=SLOTS,
        description="Times at a facility that are still to come, full ones too, the earliest first.",
    )
    def appointment_slots(  # noqa: PLR0917 - arguments of a field, which have names
        self,
        facility_code: Annotated[str, strawberry.argument(description="Five-character code of the facility.")],
        from_: Annotated[date, strawberry.argument(name="from", description="First day (Viet Nam time).")],
        to: Annotated[date, strawberry.argument(description="Last day (Viet Nam time).")],
        department_code: Annotated[
            str | None, strawberry.argument(description="Only this department (MA_KHOA), for example K01.")
        ] = None,
        first: Annotated[int | None, rests.FIRST] = 50,
        after: Annotated[str | None, rests.AFTER] = None,
    ) -> rests.Connection[AppointmentSlot] | None: ...

    @rests.connection(
        WaitlistEntryRow,
        order=(rests.desc("joined_at"), rests.desc("id")),
        max_first=50,
        root=WAITLIST,
        description="Where you, and those whom you represent, wait or have waited for a place, the newest first.",
    )
    def waitlist(
        self, first: Annotated[int | None, rests.FIRST] = 20, after: Annotated[str | None, rests.AFTER] = None
    ) -> rests.Connection[WaitlistEntry] | None: ...


@strawberry.input(description="Which time is booked, and for whom.")
class BookAppointmentInput:
    """Input of bookAppointment."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    slot_id: strawberry.ID = strawberry.field(description="One of appointmentSlots.")
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=CITIZEN)
    reason: str | None = strawberry.field(
        default=None, description="Why, in your own words, 500 characters at most; it is sealed."
    )


@strawberry.type(description="What bookAppointment answers.")
class BookAppointmentPayload:
    """Payload of bookAppointment."""

    appointment: Appointment = rests.one(
        AppointmentRow,
        on=lambda _told, a, inputs: a.id == inputs.told("appointment_id", "uuid"),
        description="The appointment.",
    )


@strawberry.input(description="Which appointment is moved, and to when.")
class RescheduleAppointmentInput:
    """Input of rescheduleAppointment."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    appointment_id: strawberry.ID = strawberry.field(description="An appointment that was booked here.")
    slot_id: strawberry.ID = strawberry.field(description="Another time of the same department.")


@strawberry.type(description="What rescheduleAppointment answers.")
class RescheduleAppointmentPayload:
    """Payload of rescheduleAppointment."""

    appointment: Appointment = rests.one(
        AppointmentRow,
        on=lambda _told, a, inputs: a.id == inputs.told("appointment_id", "uuid"),
        description="The appointment at its new time.",
    )


@strawberry.input(description="Which appointment is cancelled.")
class CancelAppointmentInput:
    """Input of cancelAppointment."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    appointment_id: strawberry.ID = strawberry.field(description="The appointment.")


@strawberry.type(description="What cancelAppointment answers.")
class CancelAppointmentPayload:
    """Payload of cancelAppointment."""

    appointment: Appointment = rests.one(
        AppointmentRow,
        on=lambda _told, a, inputs: a.id == inputs.told("appointment_id", "uuid"),
        description="The appointment, cancelled.",
    )


@strawberry.input(description="Where and when somebody waits for a place.")
class JoinWaitlistInput:
    """Input of joinWaitlist."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    facility_code: str = strawberry.field(description="Five-character code of the facility.")
    department_code: str = strawberry.field(description="Department (MA_KHOA), for example K01.")
    from_: date = strawberry.field(name="from", description="First day that would do.")
    to: date = strawberry.field(description="Last day that would do, 92 days later at most.")
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=CITIZEN)


@strawberry.type(description="What joinWaitlist answers.")
class JoinWaitlistPayload:
    """Payload of joinWaitlist."""

    entry: WaitlistEntry = rests.one(
        WaitlistEntryRow,
        on=lambda _told, e, inputs: e.id == inputs.told("entry_id", "uuid"),
        description="The wait; with an offer at once when a place is free.",
    )


@strawberry.input(description="Which wait ends.")
class LeaveWaitlistInput:
    """Input of leaveWaitlist."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    entry_id: strawberry.ID = strawberry.field(description="One of `waitlist`.")


@strawberry.type(description="What leaveWaitlist answers.")
class LeaveWaitlistPayload:
    """Payload of leaveWaitlist."""

    entry: WaitlistEntry = rests.one(
        WaitlistEntryRow,
        on=lambda _told, e, inputs: e.id == inputs.told("entry_id", "uuid"),
        description="The wait, which is over.",
    )


@strawberry.input(description="Whether an offered place is taken.")
class AnswerWaitlistOfferInput:
    """Input of answerWaitlistOffer."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    offer_id: strawberry.ID = strawberry.field(description="The offer.")
    accept: bool = strawberry.field(description="True books the place; false gives it to the next, and you wait on.")


@strawberry.type(description="What answerWaitlistOffer answers.")
class AnswerWaitlistOfferPayload:
    """Payload of answerWaitlistOffer."""

    entry: WaitlistEntry = rests.one(
        WaitlistEntryRow,
        on=lambda _told, e, inputs: e.id == inputs.told("entry_id", "uuid"),
        description="The wait, as it stands now.",
    )
    appointment: Appointment | None = rests.one(
        AppointmentRow,
        on=lambda _told, a, inputs: a.id == inputs.told("appointment_id", "uuid"),
        description="What was booked; null when the place was not taken.",
    )


@strawberry.input(description="Whose appointments a private calendar address shows.")
class CreateCalendarFeedInput:
    """Input of createCalendarFeed."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=CITIZEN)


@strawberry.type(description="What createCalendarFeed answers.")
class CreateCalendarFeedPayload:
    """Payload of createCalendarFeed."""

    url: str = rests.told(
        "url",
        description="A private address to subscribe to in a calendar (RFC 5545). Whoever has it reads it without "
        "signing in: it holds times and one generic title. It is told here only; another call ends it for a new one.",
    )


@strawberry.input(description="Whose calendar addresses end.")
class RevokeCalendarFeedInput:
    """Input of revokeCalendarFeed."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=CITIZEN)


@strawberry.type(description="What revokeCalendarFeed answers.")
class RevokeCalendarFeedPayload:
    """Payload of revokeCalendarFeed."""

    revoked: int = rests.told("revoked", description="How many addresses ended.")


async def _book(session: Session, *, asked: BookAppointmentInput, context: Context) -> Told:
    return await booking.book(
        session, slot_id=asked.slot_id, citizen_id=asked.citizen_id, reason=asked.reason, context=context
    )


async def _reschedule(session: Session, *, asked: RescheduleAppointmentInput, context: Context) -> Told:
    return await booking.reschedule(
        session, appointment_id=asked.appointment_id, slot_id=asked.slot_id, context=context
    )


async def _cancel(session: Session, *, asked: CancelAppointmentInput, context: Context) -> Told:
    return await booking.cancel(session, appointment_id=asked.appointment_id, context=context)


async def _join(session: Session, *, asked: JoinWaitlistInput, context: Context) -> Told:
    return await waiting.join(
        session,
        facility_code=asked.facility_code,
        department_code=asked.department_code,
        since=asked.from_,
        until=asked.to,
        citizen_id=asked.citizen_id,
        context=context,
    )


async def _leave(session: Session, *, asked: LeaveWaitlistInput, context: Context) -> Told:
    return await waiting.leave(session, entry_id=asked.entry_id, context=context)


async def _answer(session: Session, *, asked: AnswerWaitlistOfferInput, context: Context) -> Told:
    return await waiting.answer(session, offer_id=asked.offer_id, accept=asked.accept, context=context)


async def _create_feed(session: Session, *, asked: CreateCalendarFeedInput, context: Context) -> Told:
    return await feeds.create(session, citizen_id=asked.citizen_id, context=context)


async def _revoke_feed(session: Session, *, asked: RevokeCalendarFeedInput, context: Context) -> Told:  # noqa: ARG001
    return await feeds.revoke(session, citizen_id=asked.citizen_id)


@strawberry.type
class AppointmentsMutation:
    """What people change about care to come."""

    @rests.mutation(
        rests.action(does=_book),
        description="Book a time. CONFLICT: it is full, gone, or you are elsewhere. REFUSED: too late or too many.",
    )
    def book_appointment(self, input: BookAppointmentInput) -> BookAppointmentPayload: ...

    @rests.mutation(
        rests.action(does=_reschedule),
        description="Move a booking to another time of the same department; when that fails, the old time is kept.",
    )
    def reschedule_appointment(self, input: RescheduleAppointmentInput) -> RescheduleAppointmentPayload: ...

    @rests.mutation(
        rests.action(does=_cancel), description="Cancel an appointment. Its place goes to whoever waits for it."
    )
    def cancel_appointment(self, input: CancelAppointmentInput) -> CancelAppointmentPayload: ...

    @rests.mutation(
        rests.action(does=_join),
        description="Wait for a place in a department. A freed place is offered to who waits longest, for some time.",
    )
    def join_waitlist(self, input: JoinWaitlistInput) -> JoinWaitlistPayload: ...

    @rests.mutation(rests.action(does=_leave), description="Wait no more.")
    def leave_waitlist(self, input: LeaveWaitlistInput) -> LeaveWaitlistPayload: ...

    @rests.mutation(
        rests.action(does=_answer),
        description="Take the place that is held for you, or leave it. CONFLICT: it is not held any more.",
    )
    def answer_waitlist_offer(self, input: AnswerWaitlistOfferInput) -> AnswerWaitlistOfferPayload: ...

    @rests.mutation(
        rests.action(does=_create_feed, again=feeds.again),
        description="Make a private calendar address of appointments, in place of the one that you had.",
    )
    def create_calendar_feed(self, input: CreateCalendarFeedInput) -> CreateCalendarFeedPayload: ...

    @rests.mutation(rests.action(does=_revoke_feed), description="End the private calendar addresses of a citizen.")
    def revoke_calendar_feed(self, input: RevokeCalendarFeedInput) -> RevokeCalendarFeedPayload: ...
