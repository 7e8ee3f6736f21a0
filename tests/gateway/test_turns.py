"""An answer that compares with the clock is told anew when the day or the hour turns, though its book is the same."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from graphql import parse

from app.core.clock import utc_now
from app.core.settings import Settings
from app.gateway import plans
from app.gateway.openers import OPENERS
from app.gateway.run import DAY, FIVE_MINUTES, MINUTE, _clock_step
from tests.attacks.catalogue import Catalogue
from tests.conftest import Ground
from tests.gateway.timed import Clock, reading_by
from tests.people import Stand

SCHEDULE = "{ healthBook { vaccinationSchedule { state } } }"
UPCOMING = "{ healthBook { appointments(upcoming: true) { nodes { id } } } }"
ADVICE = '{ healthBook { reuseAdvice(codes: ["718-7"]) { advice } } }'
GAPS = "{ healthBook { coverage { kind } } }"
TAKEN = "{ healthBook { prescriptions(active: true) { nodes { id } } } }"
IMAGES = "{ healthBook { imaging { images { url expiresAt } } } }"
VISITS = "{ healthBook { visits { nodes { id } } } }"
BOTH = "{ healthBook { vaccinationSchedule { state } appointments(upcoming: false) { nodes { id } } } }"


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(datetime(2026, 11, 22, 16, 58, 10, tzinfo=UTC))  # two minutes to midnight in Viet Nam


@pytest.fixture(scope="module")
def client(settings: Settings, stand: Stand, clock: Clock) -> Iterator[httpx.Client]:
    with reading_by(clock, settings=settings, stand=stand) as http:
        yield http


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        (SCHEDULE, DAY),
        (GAPS, DAY),
        (TAKEN, DAY),
        (UPCOMING, MINUTE),
        (ADVICE, MINUTE),
        (IMAGES, FIVE_MINUTES),
        (BOTH, MINUTE),
        (VISITS, 0),
    ],
)
def test_what_an_answer_depends_on_is_found_in_its_statement(query: str, seconds: int) -> None:
    (part,) = plans.compile_plain(parse(query), operation_name=None, key=query).plan.parts
    assert part.clock_step(_clock_step) == seconds


def test_no_released_document_looks_at_the_clock_unseen(ground: Ground, settings: Settings) -> None:
    """A function that asks what time it is, or calls one that does, makes an answer that does not stand for ever."""
    rows = Catalogue(ground, settings).rows(
        "SELECT n.nspname || '.' || p.proname, replace(translate(p.prosrc, E'\\n', ' '), '|', '/') FROM pg_proc p "
        "JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('book', 'care', 'code', 'directory', 'auth')"
    )
    looks = {name for name, text in rows if re.search(r"\b(now|clock_timestamp|current_(date|timestamp))\b", text)}
    while more := {name for name, text in rows if name not in looks and called(text) & looks}:
        looks |= more
    assert {"book.reuse_advice", "book.due_doses", "book.coverage_gaps", "directory.image_link"} <= looks

    operations = plans.compile_served(utc_now())
    parts = [(one.name, part) for one in operations for part in one.plan.parts if part.opens in OPENERS]
    unseen = {
        name: found
        for name, part in parts
        if not part.clock_step(_clock_step) and (found := called(part.statement().sql) & looks)
    }

    assert len(parts) > 20
    assert unseen == {}


def called(text: str) -> set[str]:
    return set(re.findall(r"\b([a-z]+\.[a-z_]+)\(", text))


@pytest.mark.parametrize(
    ("query", "later", "status"),
    [
        (SCHEDULE, timedelta(minutes=1), 304),
        (SCHEDULE, timedelta(minutes=3), 200),
        (UPCOMING, timedelta(seconds=30), 304),
        (UPCOMING, timedelta(seconds=50), 200),  # what begins at this minute has begun
        (GAPS, timedelta(minutes=1), 304),
        (GAPS, timedelta(minutes=3), 200),
        (TAKEN, timedelta(minutes=3), 200),
        (ADVICE, timedelta(seconds=30), 304),
        (ADVICE, timedelta(seconds=50), 200),
        (IMAGES, timedelta(seconds=50), 304),  # a link is the same for five minutes
        (IMAGES, timedelta(minutes=2), 200),
        (VISITS, timedelta(days=3), 304),
    ],
)
def test_a_kept_answer_is_good_until_the_day_or_the_hour_turns(
    client: httpx.Client, clock: Clock, query: str, later: timedelta, status: int
) -> None:
    began = clock.at
    first = client.post("/graphql", json={"query": query})
    try:
        clock.at = began + later
        headers = {"If-None-Match": first.headers["etag"]}
        again = client.post("/graphql", json={"query": query}, headers=headers)
    finally:
        clock.at = began

    assert (first.status_code, again.status_code) == (200, status)
    assert (again.headers["etag"] == first.headers["etag"]) is (status == 304)
