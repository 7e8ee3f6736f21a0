"""Families: what a representative may do at every age, by the database's clock alone."""

from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.core.db import Login, Session
from app.core.errors import NotFound
from app.identity import family_sql
from tests.identity.families import EVERYTHING, SUMMARY, Families, today, years_ago
from tests.people import Stand

VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
Rights = tuple[str, int, bool, bool] | None


@pytest.fixture(scope="module")
def families(stand: Stand) -> Families:
    return Families(stand)


@pytest.fixture
def parent(families: Families, stand: Stand) -> UUID:
    return families.citizen("Lê Thị Thu Hà", born=years_ago(today(stand), 36))


@pytest.fixture
def child(families: Families, stand: Stand) -> UUID:
    return families.citizen("Phạm Gia Bảo", born=years_ago(today(stand), 4))


def rights(families: Families, viewer: UUID, target: UUID) -> Rights:
    try:
        return families.rights(viewer, target)
    except NotFound:
        return None


def law(age: int) -> Rights:
    """Return what the law says, written down apart from the data: under 7, 7, 14, 15, of age."""
    if age < 14:
        return ("PARENT", EVERYTHING, True, True)
    if age < 15:
        return ("PARENT", EVERYTHING, False, False)
    return ("PARENT", SUMMARY, False, False) if age < 18 else None


@pytest.mark.parametrize("birthday", [7, 14, 15, 18])
def test_t21_rights_narrow_by_themselves_at_each_birthday(
    families: Families, stand: Stand, parent: UUID, child: UUID, birthday: int
) -> None:
    families.represent(child, parent)
    day = today(stand)

    families.born(child, years_ago(day, birthday, days=-1))
    assert rights(families, parent, child) == law(birthday - 1)
    families.born(child, years_ago(day, birthday))
    assert rights(families, parent, child) == law(birthday)
    families.born(child, years_ago(day, birthday, days=1))
    assert rights(families, parent, child) == law(birthday)


def test_t21_every_age_has_the_rights_of_the_law(families: Families, stand: Stand, parent: UUID, child: UUID) -> None:
    families.represent(child, parent)
    day = today(stand)

    for age in range(20):
        families.born(child, years_ago(day, age, days=30))
        assert (age, rights(families, parent, child)) == (age, law(age))


@pytest.mark.parametrize(
    ("born", "age", "reached"),
    [
        (date(2012, 2, 29), 15, date(2027, 2, 28)),
        (date(2012, 2, 29), 18, date(2030, 2, 28)),
        (date(2020, 2, 29), 7, date(2027, 2, 28)),
        (date(2010, 3, 1), 18, date(2028, 3, 1)),
        (date(2012, 12, 31), 14, date(2026, 12, 31)),
    ],
)
def test_t21_the_day_of_a_birthday_by_the_civil_code(stand: Stand, born: date, age: int, reached: date) -> None:
    query = "SELECT (auth.band_on(:born, :day)).from_age AS age"

    assert stand.as_owner(query, born=born, day=reached)[0].age == age
    assert stand.as_owner(query, born=born, day=reached - timedelta(days=1))[0].age < age


def test_t21_today_is_viet_nams_day(stand: Stand) -> None:
    (row,) = stand.as_owner(
        "SELECT auth.today() AS day, (clock_timestamp() + interval '7 hours') AT TIME ZONE 'UTC' AS there"
    )

    assert row.day == row.there.date()


def test_t21_a_law_that_is_not_in_force_gives_nothing(stand: Stand) -> None:
    (row,) = stand.as_owner("SELECT (auth.band_on('2020-01-01', '2025-12-31')).extent AS extent")

    assert row.extent is None


def test_bands_are_whole_and_say_their_law(stand: Stand) -> None:
    rows = stand.as_owner("SELECT from_age, extent, child_agrees, law FROM auth.age_band ORDER BY from_age")

    assert [(row.from_age, row.extent, row.child_agrees) for row in rows] == [
        (0, "FULL", False),
        (7, "FULL", True),
        (14, "FULL", True),
        (15, "SUMMARY", True),
        (18, "NONE", True),
    ]
    assert all(row.law for row in rows)


def test_t21_b140_a_revoked_not_begun_or_over_representation_is_none(
    families: Families, stand: Stand, parent: UUID, child: UUID
) -> None:
    day = today(stand)
    row = families.represent(child, parent)
    assert rights(families, parent, child) is not None

    for column, value in (
        ("ended_at", "now()"),
        ("valid_from", f"DATE '{day + timedelta(days=1)}'"),
        ("valid_until", f"DATE '{day - timedelta(days=1)}'"),
    ):
        before = stand.as_owner(f"SELECT {column}::text AS was FROM auth.representation WHERE id = :id", id=row)[0].was
        stand.as_owner(f"UPDATE auth.representation SET {column} = {value} WHERE id = :id", id=row)
        assert rights(families, parent, child) is None, column
        restored = "NULL" if before is None else f"'{before}'"
        stand.as_owner(f"UPDATE auth.representation SET {column} = {restored} WHERE id = :id", id=row)
    stand.as_owner(f"UPDATE auth.representation SET valid_until = '{day}' WHERE id = :id", id=row)
    assert rights(families, parent, child) == law(4)


def test_b140_a_guardian_of_one_child_is_nobody_to_another(
    families: Families, stand: Stand, parent: UUID, child: UUID
) -> None:
    other = families.citizen("Trần Bé Hai", born=years_ago(today(stand), 5))
    families.represent(child, parent)

    assert rights(families, parent, other) is None
    assert rights(families, child, parent) is None
    assert rights(families, other, child) is None


def test_b128_nobody_represents_who_is_dead(families: Families, stand: Stand, parent: UUID, child: UUID) -> None:
    families.represent(child, parent)
    stand.as_owner("UPDATE auth.citizen SET closed_at = now() WHERE id = :id", id=child)

    assert rights(families, parent, child) is None


@pytest.mark.parametrize(
    ("kind", "age", "wanted"),
    [
        ("MANDATE", 17, None),
        ("MANDATE", 18, ("MANDATE", SUMMARY, False, False)),
        ("MANDATE", 80, ("MANDATE", SUMMARY, False, False)),
        ("COURT", 17, ("COURT", EVERYTHING, True, True)),
        ("COURT", 50, ("COURT", EVERYTHING, True, True)),
        ("GUARDIAN", 10, ("GUARDIAN", EVERYTHING, True, True)),
        ("GUARDIAN", 18, None),
    ],
)
def test_kinds_of_representation_at_an_age(
    families: Families, stand: Stand, parent: UUID, child: UUID, kind: str, age: int, wanted: Rights
) -> None:
    families.born(child, years_ago(today(stand), age))
    families.represent(child, parent, kind, extent="SUMMARY" if kind == "MANDATE" else "FULL")

    assert rights(families, parent, child) == wanted


def test_the_widest_of_several_counts(families: Families, stand: Stand, parent: UUID, child: UUID) -> None:
    families.born(child, years_ago(today(stand), 16))
    families.represent(child, parent)
    assert rights(families, parent, child) == ("PARENT", SUMMARY, False, False)

    families.represent(child, parent, "COURT")
    assert rights(families, parent, child) == ("COURT", EVERYTHING, True, True)


# ---- told before


def told(stand: Stand, citizen: UUID) -> list[dict[str, object]]:
    rows = stand.as_owner(
        "SELECT about FROM notice.event WHERE citizen_id = :id AND kind = 'GUARDIAN_BIRTHDAY' ORDER BY id", id=citizen
    )
    return [row.about for row in rows]


@pytest.mark.parametrize("birthday", [7, 14, 15, 18])
def test_t21_both_are_told_before_a_birthday_and_once(
    families: Families, stand: Stand, parent: UUID, child: UUID, birthday: int
) -> None:
    families.represent(child, parent)
    day = today(stand)
    for ahead in (31, 0, -1):
        families.born(child, years_ago(day, birthday, days=-ahead))
        stand.as_owner("SELECT auth.tell_birthdays()")
        assert (ahead, told(stand, child), told(stand, parent)) == (ahead, [], [])

    first = (day + timedelta(days=30)).isoformat()  # as it was when it was told
    for ahead in (30, 29, 1):
        families.born(child, years_ago(day, birthday, days=-ahead))
        stand.as_owner("SELECT auth.tell_birthdays()")
        wanted = [{"dependant": str(child), "age": birthday, "on": first}]
        assert (told(stand, child), told(stand, parent)) == (wanted, wanted)


def test_t21_nobody_is_told_of_a_representation_that_is_over(
    families: Families, stand: Stand, parent: UUID, child: UUID
) -> None:
    day = today(stand)
    families.born(child, years_ago(day, 15, days=-10))
    row = families.represent(child, parent, until=day + timedelta(days=5))
    stand.as_owner("SELECT auth.tell_birthdays()")
    stand.as_owner("UPDATE auth.representation SET valid_until = NULL, ended_at = now() WHERE id = :id", id=row)
    stand.as_owner("SELECT auth.tell_birthdays()")

    assert told(stand, child) == []


def test_the_worker_tells_families_every_morning_and_once_a_day(stand: Stand) -> None:
    for _ in range(2):
        stand.run(Login.WORKER, family_sql.begin_telling)
    for _ in range(2):
        stand.run(Login.WORKER, family_sql.tell_birthdays)

    async def waiting(session: Session) -> list[tuple[str, datetime]]:
        query = text(
            "SELECT dedupe_key, execute_after FROM jobs.pgqueuer WHERE entrypoint = 'tell_birthdays' ORDER BY 1"
        )
        return [(row.dedupe_key, row.execute_after) for row in await session.execute(query)]

    day = today(stand)
    morning = datetime.combine(day + timedelta(days=1), time(6), tzinfo=VIET_NAM)
    (first, _), (second, at) = stand.run(Login.WORKER, waiting)
    assert (first, second, at) == (f"tell_birthdays {day}", f"tell_birthdays {day + timedelta(days=1)}", morning)
