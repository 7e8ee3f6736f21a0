"""A reminder that quiet hours would hold back until it is of no use is told in the hour before they begin."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import UUID

import pytest

from app.core.clock import VIETNAM_TIME
from app.core.db import Login
from app.notifications import sql, telling
from tests.identity.families import Families
from tests.notifications.happening import appointment
from tests.people import Stand, now

LEADS = [timedelta(hours=hours) for hours in (168, 24, 2)]
USUAL = ("22:00", "06:00")


def at(day: int, clock: str) -> datetime:
    """Return a moment in Viet Nam."""
    return datetime.combine(date(2036, 12, day), time.fromisoformat(clock), tzinfo=VIETNAM_TIME)


@pytest.fixture(scope="module")
def owner(stand: Stand) -> UUID:
    stand.facility("01901")
    return Families(stand).citizen("Trần Thị Sớm", born=date(1990, 1, 1))


@pytest.fixture(autouse=True)
def _nobody_waits(stand: Stand) -> Iterator[None]:
    yield
    for table in ("notice.push", "notice.notice", "notice.event", "care.appointment", "notice.preference"):
        stand.as_owner(f"DELETE FROM {table}")


def wish(stand: Stand, person: UUID, start: str, end: str, *, quiet: bool = True) -> None:
    stand.as_owner(
        "INSERT INTO notice.preference VALUES (:id, '{}', :quiet, :start, :end)",
        id=person,
        quiet=quiet,
        start=time.fromisoformat(start),
        end=time.fromisoformat(end),
    )


def early(stand: Stand, present: datetime) -> list[UUID]:
    rows = stand.as_owner(
        "SELECT appointment_id AS id FROM notice.early_reminders(:leads, :present)", leads=LEADS, present=present
    )
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("starts", "evening", "is_early"),
    [
        ("05:30", "21:00", True),
        ("06:00", "21:30", True),
        ("06:59", "21:59", True),
        ("05:30", "20:59", False),  # not yet
        ("05:30", "22:00", False),  # it is quiet now
        ("05:30", "23:30", False),
        ("07:00", "21:30", False),  # told at six, an hour before
        ("09:00", "21:30", False),
        ("00:00", "21:30", True),
        ("23:59", "21:30", False),  # tomorrow night is not tonight
    ],
)
def test_what_the_usual_quiet_hours_would_swallow_is_told_in_the_evening(
    stand: Stand, owner: UUID, starts: str, evening: str, *, is_early: bool
) -> None:
    visit = appointment(stand, owner, starts_at=at(2, starts))

    assert early(stand, at(1, evening)) == ([visit] if is_early else [])


@pytest.mark.parametrize(
    ("wished", "starts", "present", "is_early"),
    [
        (("20:00", "09:00"), at(2, "08:30"), at(1, "19:10"), True),
        (("20:00", "09:00"), at(2, "08:30"), at(1, "21:10"), False),
        (("20:00", "09:00"), at(2, "10:00"), at(1, "19:10"), False),
        (
            ("00:30", "07:00"),
            at(2, "06:30"),
            at(1, "23:45"),
            True,
        ),  # before midnight
        (("00:30", "07:00"), at(2, "06:30"), at(2, "00:15"), True),
        (("12:00", "15:00"), at(1, "15:30"), at(1, "11:20"), True),
        (("06:00", "06:00"), at(2, "05:30"), at(1, "21:30"), False),  # equal ends: none
        (USUAL, at(2, "05:30"), at(1, "21:30"), True),
    ],
)
def test_what_chosen_quiet_hours_would_swallow_is_told_before_them(
    stand: Stand, owner: UUID, wished: tuple[str, str], starts: datetime, present: datetime, *, is_early: bool
) -> None:
    wish(stand, owner, *wished)
    visit = appointment(stand, owner, starts_at=starts)

    assert early(stand, present) == ([visit] if is_early else [])


def test_who_has_no_quiet_hours_is_told_in_time(stand: Stand, owner: UUID) -> None:
    wish(stand, owner, *USUAL, quiet=False)
    appointment(stand, owner, starts_at=at(2, "05:30"))

    assert early(stand, at(1, "21:30")) == []


def test_what_was_booked_this_evening_cancelled_or_is_for_a_whole_day_is_not_told_early(
    stand: Stand, owner: UUID
) -> None:
    appointment(stand, owner, starts_at=at(2, "05:30"), booked_at=at(1, "21:10"))
    cancelled = appointment(stand, owner, starts_at=at(2, "05:31"))
    whole = appointment(stand, owner, starts_at=at(2, "00:00"))
    stand.as_owner(
        "UPDATE care.appointment SET state = 'CANCELLED', cancelled_by = 'CITIZEN' WHERE id = :id", id=cancelled
    )
    stand.as_owner("UPDATE care.appointment SET is_whole_day = true WHERE id = :id", id=whole)

    assert early(stand, at(1, "21:30")) == []


def test_it_is_told_once_rings_at_once_and_not_again_in_time(stand: Stand, owner: UUID) -> None:
    """By the clock of the database: quiet hours of this person begin in half an hour."""
    local = now().astimezone(VIETNAM_TIME).replace(second=0, microsecond=0)
    begins = local + timedelta(minutes=30)
    wish(stand, owner, f"{begins:%H:%M}", f"{begins + timedelta(hours=8):%H:%M}")
    starts = begins + timedelta(hours=6)
    appointment(stand, owner, starts_at=starts)
    remind = partial(sql.remind_early, leads=LEADS)

    assert [stand.run(Login.WORKER, remind) for _ in range(2)] == [1, 0]
    assert stand.run(Login.WORKER, partial(telling.tell_waiting, most=9)) == 1

    (notice,) = stand.as_owner("SELECT kind, push_at, about FROM notice.notice")
    assert (notice.kind, datetime.fromisoformat(notice.about["startsAt"])) == ("APPOINTMENT_DUE", starts)
    assert notice.push_at < begins
    in_time = "SELECT count(*) AS n FROM notice.due_reminders(:leads, interval '2 minutes', :present)"
    assert stand.as_owner(in_time, leads=LEADS, present=starts - timedelta(hours=2) + timedelta(seconds=1))[0].n == 0
    moved = "UPDATE care.appointment SET starts_at = starts_at + interval '5 minutes'"
    stand.as_owner(moved)
    assert stand.run(Login.WORKER, remind) == 1  # another moment is another reminder


def test_of_the_usual_hours_no_more_than_the_night_is_looked_at(stand: Stand, owner: UUID) -> None:
    stand.as_owner(
        "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, starts_at, state, booked_at, changed_at) "
        "SELECT :id, gen_random_uuid(), '01901', 'PAPER', CAST(:first AS timestamptz) + n * interval '1 second', "
        "'LIVE', now() - interval '90 days', now() FROM generate_series(1, 20000) n",
        id=owner,
        first=at(2, "08:00"),
    )
    stand.as_owner("ANALYZE care.appointment")
    visit = appointment(stand, owner, starts_at=at(2, "05:30"))
    (row,) = stand.as_owner("SELECT prosrc AS body FROM pg_proc WHERE oid = 'notice.early_reminders'::regproc")
    leads = ", ".join(f"interval '{lead.total_seconds()} seconds'" for lead in LEADS)
    body = row.body.replace("early_reminders.leads", f"ARRAY[{leads}]")
    body = body.replace("early_reminders.present", f"timestamptz '{at(1, '21:30').isoformat()}'").replace(":", "\\:")

    told = "\n".join(line[0] for line in stand.as_owner(f"EXPLAIN (ANALYZE, TIMING off, COSTS off) {body}"))

    assert "appointment_due_idx" in told
    assert "Seq Scan on appointment" not in told
    assert early(stand, at(1, "21:30")) == [visit]
