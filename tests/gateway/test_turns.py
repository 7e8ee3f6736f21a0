"""An answer that compares with the clock is told anew when the day or the hour turns, though its book is the same."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from graphql import parse

from app.core.settings import Settings
from app.gateway import plans
from app.gateway.run import DAY, FIVE_MINUTES, _clock_step
from tests.conftest import RunningServer
from tests.ingestion import messages
from tests.people import Stand

SCHEDULE = "{ healthBook { vaccinationSchedule { state } } }"
UPCOMING = "{ healthBook { appointments(upcoming: true) { nodes { id } } } }"
VISITS = "{ healthBook { visits { nodes { id } } } }"
BOTH = "{ healthBook { vaccinationSchedule { state } appointments(upcoming: false) { nodes { id } } } }"


@dataclass(slots=True)
class Clock:
    """The clock of one process."""

    at: datetime

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock(datetime(2026, 11, 22, 16, 58, 10, tzinfo=UTC))  # two minutes to midnight in Viet Nam


@pytest.fixture(scope="module")
def client(settings: Settings, stand: Stand, clock: Clock) -> Iterator[httpx.Client]:
    assert stand.file(messages.message(), token=stand.facility()) == "filed"
    token = stand.citizen_token(stand.citizen_by(messages.VISIT["SO_CCCD"] or ""))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("app.main.utc_now", clock)
        running = RunningServer(settings)
        running.start()
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=running.url, timeout=20, headers=headers) as http:
            yield http
        running.stop()


@pytest.mark.parametrize(
    ("query", "seconds"), [(SCHEDULE, DAY), (UPCOMING, FIVE_MINUTES), (BOTH, FIVE_MINUTES), (VISITS, 0)]
)
def test_what_an_answer_depends_on_is_found_in_its_statement(query: str, seconds: int) -> None:
    (part,) = plans.compile_plain(parse(query), operation_name=None, key=query).plan.parts
    assert part.clock_step(_clock_step) == seconds


@pytest.mark.parametrize(
    ("query", "later", "status"),
    [
        (SCHEDULE, timedelta(minutes=1), 304),
        (SCHEDULE, timedelta(minutes=3), 200),
        (UPCOMING, timedelta(seconds=30), 304),
        (UPCOMING, timedelta(minutes=2), 200),
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
