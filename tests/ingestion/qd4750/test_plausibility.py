"""Times that cannot be true: B164, judged against a given moment."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.core.clock import VIETNAM_TIME
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import plausibility
from app.ingestion.verdict import Effect
from app.records.arrivals import VisitArrival
from tests.ingestion.messages import changed, message
from tests.ingestion.qd4750.readings import only_arrival

GOOD = only_arrival(message())
NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)


def told(arrival: VisitArrival) -> list[tuple[str, Effect, str | None]]:
    return [(problem.code, problem.effect, problem.field) for problem in plausibility(arrival, NOW)]


def started(ahead: timedelta) -> VisitArrival:
    at = NOW + ahead
    return replace(GOOD, started_at=at, ended_at=at, prescriptions=None, services=None, reports=None)


def test_a_good_visit_is_plausible() -> None:
    assert plausibility(GOOD, NOW) == ()


@pytest.mark.parametrize("ahead", [timedelta(), timedelta(minutes=10), timedelta(hours=23)])
def test_b164_a_little_ahead_is_accepted(ahead: timedelta) -> None:
    assert told(started(ahead)) == []


@pytest.mark.parametrize("ahead", [timedelta(days=1), timedelta(days=1, seconds=1), timedelta(days=400)])
def test_b164_a_day_ahead_is_quarantined(ahead: timedelta) -> None:
    assert told(started(ahead)) == [
        (ProblemCode.STARTED_IN_FUTURE, Effect.QUARANTINES, "NGAY_VAO"),
        (ProblemCode.ENDED_IN_FUTURE, Effect.QUARANTINES, "NGAY_RA"),
    ]


def test_medicine_may_last_for_months() -> None:
    ended_at = NOW + timedelta(days=90)
    long, chronic = replace(GOOD, ended_at=ended_at), replace(GOOD, ended_at=ended_at, kind_code="05")

    assert told(long) == [(ProblemCode.ENDED_IN_FUTURE, Effect.QUARANTINES, "NGAY_RA")]
    assert told(chronic) == []
    assert told(replace(chronic, ended_at=NOW + timedelta(days=181)))[0][0] == ProblemCode.ENDED_IN_FUTURE


@pytest.mark.parametrize(
    ("birth", "code"),
    [
        ("202611210000", ProblemCode.BORN_AFTER_VISIT),
        ("203000000000", ProblemCode.BORN_AFTER_VISIT),
        ("189912310000", ProblemCode.BEFORE_1900),
    ],
)
def test_b164_impossible_births(birth: str, code: ProblemCode) -> None:
    assert told(only_arrival(changed("XML1", NGAY_SINH=birth))) == [(code, Effect.QUARANTINES, "NGAY_SINH")]


@pytest.mark.parametrize("birth", ["190001010000", "190000000000", "200002290000", "202611200900"])
def test_b164_possible_births(birth: str) -> None:
    assert told(only_arrival(changed("XML1", NGAY_SINH=birth))) == []


def test_a_child_may_be_born_during_the_stay() -> None:
    stay = replace(GOOD, started_at=NOW - timedelta(days=3), ended_at=NOW, kind_code="03")

    assert told(replace(stay, person=replace(GOOD.person, birth_on=date(2026, 11, 21)))) == []


@pytest.mark.parametrize(("minutes", "codes"), [(15, []), (16, [ProblemCode.ENDED_BEFORE_STARTED])])
def test_the_end_follows_the_start(minutes: int, codes: list[ProblemCode]) -> None:
    arrival = replace(GOOD, ended_at=GOOD.started_at - timedelta(minutes=minutes))

    assert [code for code, _, _ in told(arrival)] == codes


@pytest.mark.parametrize(
    ("hours", "codes"),
    [(1, []), (-1, [ProblemCode.ADMITTED_OUTSIDE_VISIT]), (9, [ProblemCode.ADMITTED_OUTSIDE_VISIT])],
)
def test_the_admission_lies_within_the_visit(hours: int, codes: list[ProblemCode]) -> None:
    arrival = replace(GOOD, admitted_at=GOOD.started_at + timedelta(hours=hours))

    assert [(code, effect) for code, effect, _ in told(arrival)] == [(code, Effect.WARNS) for code in codes]


@pytest.mark.parametrize(
    ("table", "field"),
    [("XML2", "NGAY_YL"), ("XML3", "NGAY_YL"), ("XML3", "NGAY_TH_YL"), ("XML4", "NGAY_KQ")],
)
@pytest.mark.parametrize(
    ("text", "code", "effect"),
    [
        ("202611230900", None, None),
        ("202611231000", ProblemCode.EVENT_IN_FUTURE, Effect.QUARANTINES),
        ("302611200900", ProblemCode.EVENT_IN_FUTURE, Effect.QUARANTINES),
        ("189911200900", ProblemCode.BEFORE_1900, Effect.QUARANTINES),
        ("202511180000", ProblemCode.EVENT_BEFORE_VISIT, Effect.WARNS),
    ],
)
def test_b164_events_of_a_visit(
    table: str, field: str, text: str, code: ProblemCode | None, effect: Effect | None
) -> None:
    problems = plausibility(only_arrival(changed(table, **{field: text})), NOW)

    assert [(problem.code, problem.effect, problem.table, problem.line, problem.field) for problem in problems] == (
        [(code, effect, table, 1, field)] if code else []
    )


def test_b164_the_beginning_of_1900_is_viet_nam_s() -> None:
    first = replace(GOOD, started_at=datetime(1899, 12, 31, 17, 0, tzinfo=UTC))
    person = replace(GOOD.person, birth_on=date(1900, 1, 1))

    assert ProblemCode.BEFORE_1900 not in {code for code, _, _ in told(replace(first, person=person))}
    before = replace(first, started_at=first.started_at - timedelta(minutes=1))
    assert (ProblemCode.BEFORE_1900, Effect.QUARANTINES, "NGAY_VAO") in told(before)


def test_b164_zones_do_not_matter() -> None:
    assert plausibility(GOOD, NOW.astimezone(VIETNAM_TIME)) == plausibility(GOOD, NOW)
