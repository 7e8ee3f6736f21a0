"""Where care to come rests, for the compiler. Slots are public facts; the rest is a citizen's own, by the policies."""

from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Date, DateTime, and_, case, cast, func, literal

from app.appointments.tables import AppointmentRow, SlotRow, WaitlistEntryRow, WaitlistOfferRow
from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.places import Filter
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.identity.sealing import sealed_place
from app.sharing.enums import SensitiveClass
from app.sharing.mapping import CLASSES, MASKED, tells_classes, tells_masked
from app.terminology.sql import label


def midnight(day: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the moment at which a day begins in Viet Nam."""
    return func.timezone(literal("Asia/Ho_Chi_Minh"), cast(cast(day, Date), DateTime))


def is_to_come(_query: RowRef, slot: RowRef, _inputs: Inputs) -> ColumnElement[bool]:
    """Tell whether a slot has not begun."""
    found: ColumnElement[bool] = slot.starts_at > func.now()
    return found


SLOT_FILTERS: Mapping[str, Filter] = {
    "facility_code": lambda s, code: s.facility_code == code,
    "department_code": lambda s, code: s.department_code == code,
    "from_": lambda s, day: s.starts_at >= midnight(day),
    "to": lambda s, day: s.starts_at < midnight(day + literal(1)),
}


@strawberry.enum(description="Whether an appointment stands.")
class AppointmentState(Enum):
    """States."""

    LIVE = strawberry.enum_value("LIVE", description="It stands, or has taken place: compare its time.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="It was cancelled; `cancelledBy` tells by whom.")


@strawberry.enum(description="How an appointment came about.")
class AppointmentOrigin(Enum):
    """Origins."""

    BOOKED = strawberry.enum_value("BOOKED", description="Booked here, by the citizen or who represents them.")
    PAPER = strawberry.enum_value("PAPER", description="Told by a re-examination paper or the visit's own record.")
    FACILITY = strawberry.enum_value("FACILITY", description="Made by the facility, which sent it.")


@strawberry.enum(description="Who cancelled an appointment.")
class AppointmentCanceller(Enum):
    """Cancellers."""

    CITIZEN = strawberry.enum_value("CITIZEN", description="The citizen, or who represents them.")
    FACILITY = strawberry.enum_value(
        "FACILITY", description="The facility: it withdrew the time, or corrected the paper."
    )


@strawberry.enum(description="Order of appointments.")
class AppointmentOrder(Enum):
    """Orders."""

    LATEST_FIRST = strawberry.enum_value("LATEST_FIRST", description="The one that is furthest ahead comes first.")
    SOONEST_FIRST = strawberry.enum_value(
        "SOONEST_FIRST", description="The earliest comes first; with `upcoming: true`, the next one."
    )


@strawberry.type(description="A time at a facility that can be booked.")
class AppointmentSlot:
    """A slot."""

    id: strawberry.ID = rests.column(SlotRow.id, description="Opaque id: pass it to bookAppointment.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda s, f, _inputs: f.code == s.facility_code, description="Where."
    )
    department_code: str = rests.column(SlotRow.department_code, description="Department (MA_KHOA), for example K01.")
    department: str | None = rests.expression(
        lambda row, inputs: label("department", row.department_code, inputs.language),
        description="Name of the department in the viewer's language.",
    )
    room: str | None = rests.column(SlotRow.room, description="Room, as the facility calls it.")
    practitioner_name: str | None = rests.column(
        SlotRow.practitioner_name, description="Who sees people then; null when the facility does not say."
    )
    starts_at: datetime = rests.column(SlotRow.starts_at, description="Beginning.")
    ends_at: datetime = rests.column(SlotRow.ends_at, description="End.")
    capacity: int = rests.column(SlotRow.capacity, description="How many people may come at this time.")
    remaining: int = rests.expression(
        lambda row, _inputs: row.capacity - row.taken,
        description="Places that are neither booked nor held for somebody who waits. 0: full, joinWaitlist instead.",
    )


@strawberry.type(description="When a citizen is to come to a facility.")
class Appointment:
    """An appointment."""

    id: strawberry.ID = rests.column(AppointmentRow.id, description="Opaque id; it stays when the time changes.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda a, f, _inputs: f.code == a.facility_code, description="Where."
    )
    origin: AppointmentOrigin = rests.column(AppointmentRow.origin, description="How it came about.")
    state: AppointmentState = rests.column(AppointmentRow.state, description="Whether it stands.")
    cancelled_by: AppointmentCanceller | None = rests.column(
        AppointmentRow.cancelled_by, description="Who cancelled it; null while it stands."
    )
    starts_at: datetime = rests.column(
        AppointmentRow.starts_at, description="Beginning; midnight in Viet Nam when only the day is known."
    )
    ends_at: datetime | None = rests.column(
        AppointmentRow.ends_at, description="End; null for one that a paper tells without it."
    )
    is_whole_day: bool = rests.column(
        AppointmentRow.is_whole_day, description="Only the day is known: show no time of day."
    )
    department_code: str | None = rests.column(AppointmentRow.department_code, description="Department (MA_KHOA).")
    department: str | None = rests.expression(
        lambda row, inputs: label("department", row.department_code, inputs.language),
        description="Name of the department in the viewer's language.",
    )
    room: str | None = rests.column(AppointmentRow.room, description="Room, as the facility calls it.")
    practitioner_name: str | None = rests.column(
        AppointmentRow.practitioner_name, description="Who will be seen; null when the facility does not say."
    )
    reason: str | None = rests.sealed(
        lambda row, _inputs: sealed_place("care.appointment", "reason_sealed", row.id, row.reason_sealed),
        description="Why it was booked, in the citizen's words.",
    )
    booked_at: datetime = rests.column(AppointmentRow.booked_at, description="When it was booked or first told.")
    changed_at: datetime = rests.column(AppointmentRow.changed_at, description="When it was last changed.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.enum(description="Where somebody stands who waits for a place.")
class WaitlistState(Enum):
    """States of waiting."""

    WAITING = strawberry.enum_value("WAITING", description="No place has been freed yet.")
    OFFERED = strawberry.enum_value("OFFERED", description="A place is held: answer `offer` before it ends.")
    BOOKED = strawberry.enum_value("BOOKED", description="An offered place was taken.")
    LEFT = strawberry.enum_value("LEFT", description="Waits no more, or the last day is over.")


@strawberry.type(description="A freed place that is held for who waits longest.")
class WaitlistOffer:
    """An offer."""

    id: strawberry.ID = rests.column(WaitlistOfferRow.id, description="Opaque id: pass it to answerWaitlistOffer.")
    held_until: datetime = rests.column(
        WaitlistOfferRow.held_until, description="The place is held until then, and goes to the next after it."
    )
    slot: AppointmentSlot = rests.one(
        SlotRow, on=lambda o, s, _inputs: s.id == o.slot_id, description="Which time it is."
    )


@strawberry.type(description="Somebody's wait for a place in a department.")
class WaitlistEntry:
    """An entry of the waiting list."""

    id: strawberry.ID = rests.column(WaitlistEntryRow.id, description="Opaque id.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda e, f, _inputs: f.code == e.facility_code, description="Where."
    )
    department_code: str = rests.column(WaitlistEntryRow.department_code, description="Department (MA_KHOA).")
    department: str | None = rests.expression(
        lambda row, inputs: label("department", row.department_code, inputs.language),
        description="Name of the department in the viewer's language.",
    )
    from_: date = rests.column(WaitlistEntryRow.from_on, name="from", description="First day that would do.")
    to: date = rests.column(WaitlistEntryRow.until_on, description="Last day that would do.")
    state: WaitlistState = rests.expression(
        lambda row, _inputs: case(
            (and_(row.state == literal("WAITING"), row.until_on < func.auth.today(type_=Date)), literal("LEFT")),
            else_=row.state,
        ),
        description="Where it stands.",
    )
    joined_at: datetime = rests.column(
        WaitlistEntryRow.joined_at, description="Since when; who waits longest is first."
    )
    offer: WaitlistOffer | None = rests.one(
        WaitlistOfferRow,
        on=lambda e, o, _inputs: and_(
            o.citizen_id == e.citizen_id,
            o.entry_id == e.id,
            o.state == literal("OPEN"),
            o.held_until > func.clock_timestamp(),
        ),
        description="The place that is held now; null when none is.",
    )
