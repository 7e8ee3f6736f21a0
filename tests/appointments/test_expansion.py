"""From a plan to its slots: weeks, exceptions, holidays and Tết, in Viet Nam time."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.appointments.expansion import VIET_NAM, hours_of, public_holidays, slots_of
from app.appointments.schedules import Hours, Schedule

MORNING = Hours(since=time(7, 30), until=time(11, 30))
EVENING = Hours(since=time(17, 0), until=time(18, 10))


def plan(**changed: Any) -> Schedule:
    known: dict[str, Any] = {
        "code": "A",
        "department_code": "K01",
        "room": None,
        "practitioner_certificate": None,
        "practitioner_name": None,
        "capacity": 2,
        "slot_minutes": 30,
        "valid_from": date(2027, 2, 1),
        "valid_until": date(2027, 2, 14),
        "works_on_holidays": False,
        "is_sensitive": False,
        "weekly": dict.fromkeys(range(5), (MORNING,)),
        "exceptions": {},
    }
    return Schedule(**{**known, **changed})


def days(schedule: Schedule, since: date = date(2027, 2, 1)) -> list[date]:
    holidays = public_holidays(schedule.valid_from, schedule.valid_until)
    found = {one.starts_at.astimezone(VIET_NAM).date() for one in slots_of(schedule, since=since, holidays=holidays)}
    return sorted(found)


def test_tet_of_2027_is_free() -> None:
    assert days(plan()) == [date(2027, 2, day) for day in (1, 2, 3, 11, 12)]


def test_who_works_on_holidays_says_so() -> None:
    assert len(days(plan(works_on_holidays=True))) == 10


@pytest.mark.parametrize(
    "day",
    [date(2026, 1, 1), date(2026, 2, 17), date(2026, 4, 26), date(2026, 4, 30), date(2026, 5, 1), date(2026, 9, 2)],
)
def test_public_holidays_are_known(day: date) -> None:
    """New Year, the first day of Tết, the Hùng kings, 30 April, 1 May and National Day."""
    assert day in public_holidays(date(2026, 1, 1), date(2026, 12, 31))


def test_an_exception_opens_a_day_of_tet_and_closes_a_working_day() -> None:
    tet, tuesday = date(2027, 2, 8), date(2027, 2, 2)
    found = days(plan(exceptions={tet: (MORNING,), tuesday: ()}))
    assert tet in found
    assert tuesday not in found


def test_a_morning_in_viet_nam_begins_before_one_in_utc() -> None:
    first = next(slots_of(plan(), since=date(2027, 2, 1), holidays=()))
    assert first.starts_at == datetime(2027, 2, 1, 0, 30, tzinfo=UTC)
    assert first.ends_at == datetime(2027, 2, 1, 1, 0, tzinfo=UTC)


def test_a_rest_that_is_shorter_than_a_slot_is_left_out() -> None:
    found = list(slots_of(plan(weekly={0: (EVENING, MORNING)}), since=date(2027, 2, 1), holidays=()))
    assert len(found) == 2 * (8 + 2)
    assert found == sorted(found, key=lambda one: one.starts_at)


def test_days_before_the_first_are_left_out() -> None:
    assert days(plan(), since=date(2027, 2, 11)) == [date(2027, 2, 11), date(2027, 2, 12)]


@given(
    since=st.times(max_value=time(20, 0)),
    minutes=st.integers(5, 180),
    length=st.integers(1, 3 * 60),
    weekday=st.integers(0, 6),
    start=st.dates(date(2026, 1, 1), date(2030, 1, 1)),
)
def test_slots_lie_in_their_hours_and_never_overlap(
    since: time, minutes: int, length: int, weekday: int, start: date
) -> None:
    begin = since.replace(second=0, microsecond=0)
    until = (datetime.combine(start, begin) + timedelta(minutes=length)).time()
    hours = Hours(since=begin, until=until)
    schedule = plan(
        weekly={weekday: (hours,)}, slot_minutes=minutes, valid_from=start, valid_until=start + timedelta(days=20)
    )

    found = list(slots_of(schedule, since=start, holidays=()))

    assert len(found) == 3 * (length // minutes)
    for one, following in pairwise(found):
        assert one.ends_at <= following.starts_at
    for one in found:
        there = one.starts_at.astimezone(VIET_NAM)
        assert there.weekday() == weekday
        assert hours in hours_of(schedule, there.date(), holidays=())
        assert there.time() >= begin
        assert one.ends_at - one.starts_at == timedelta(minutes=minutes)
        assert one.ends_at.astimezone(VIET_NAM).time() <= until


def test_the_last_days_there_are_make_a_plan() -> None:
    last = plan(valid_from=date(9999, 12, 30), valid_until=date(9999, 12, 31))

    assert days(last) == [date(9999, 12, 30), date(9999, 12, 31)]
