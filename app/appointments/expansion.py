"""From a plan to its slots. Pure; a day is a day in Viet Nam, which knows no daylight saving."""

from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from app.appointments.schedules import Hours, Schedule, SlotTime

VIET_NAM: Final = ZoneInfo("Asia/Ho_Chi_Minh")


def public_holidays(first: date, last: date) -> frozenset[date]:
    """Return the public holidays of Viet Nam between two days, Tết and days in lieu with them.

    Source: Labour Code 45/2019/QH14 Art. 112, by the library `holidays`.
    """
    return frozenset(day for year in range(first.year, last.year + 1) for day in _of_year(year) if first <= day <= last)


@lru_cache(maxsize=8)
def _of_year(year: int) -> frozenset[date]:
    import holidays  # noqa: PLC0415 - 6 MB and the fifth part of a second, for whoever publishes a plan

    return frozenset(holidays.country_holidays("VN", years=year))


def slots_of(schedule: Schedule, *, since: date, holidays: Collection[date]) -> Iterator[SlotTime]:
    """Yield the slots of a plan from a day on, the earliest first; a rest shorter than a slot is left out."""
    for ordinal in range(max(schedule.valid_from, since).toordinal(), schedule.valid_until.toordinal() + 1):
        day = date.fromordinal(ordinal)
        for hours in sorted(hours_of(schedule, day, holidays=holidays), key=lambda one: one.since):
            yield from _slots(day, hours, minutes=schedule.slot_minutes)


def hours_of(schedule: Schedule, day: date, *, holidays: Collection[date]) -> tuple[Hours, ...]:
    """Return when people are seen on a day: as its exception says, else never on a holiday, else as the week says."""
    if day in schedule.exceptions:
        return schedule.exceptions[day]
    if day in holidays and not schedule.works_on_holidays:
        return ()
    return schedule.weekly.get(day.weekday(), ())


def _slots(day: date, hours: Hours, *, minutes: int) -> Iterator[SlotTime]:
    length = timedelta(minutes=minutes)
    starts_at = datetime.combine(day, hours.since, tzinfo=VIET_NAM)
    end = datetime.combine(day, hours.until, tzinfo=VIET_NAM)
    while starts_at + length <= end:
        yield SlotTime(starts_at=starts_at.astimezone(UTC), ends_at=(starts_at + length).astimezone(UTC))
        starts_at += length
