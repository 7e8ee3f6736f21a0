"""What a facility plans, and the times that follow from it: words only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from app.core.errors import Text

MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From when to when people are seen, in Viet Nam time; `until` is on the same day."""

    since: time
    until: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A facility's plan for a department, a room or a practitioner.

    An exception replaces the hours of its day, whatever the week or a holiday says; none are a closed day.
    """

    code: str
    department_code: str
    room: str | None
    practitioner_certificate: str | None
    practitioner_name: str | None
    capacity: int  # people at a time
    slot_minutes: int
    valid_from: date
    valid_until: date  # the last day
    works_on_holidays: bool
    is_sensitive: bool
    weekly: Mapping[int, tuple[Hours, ...]]  # 0 is Monday
    exceptions: Mapping[date, tuple[Hours, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingTerms:
    """What a facility asks of those who book there."""

    lead_minutes: int
    cancel_minutes: int
    most_live: int
    hold_minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotTime:
    """When a slot begins and ends, in UTC."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleProblem:
    """What is wrong with a plan, and where: `line 3: capacity`, or `schedules[0].weekly[1].from`."""

    place: str
    text: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a facility sends: its schedules, its terms if it tells any, and what is wrong; then nothing is published."""

    schedules: tuple[Schedule, ...]
    terms: BookingTerms | None
    problems: tuple[ScheduleProblem, ...]
