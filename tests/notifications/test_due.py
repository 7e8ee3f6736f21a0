"""What falls due is found by its index, however much is to come; what cannot be told stops nobody else's notice."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.db import Login, open_engine
from app.notifications import delivering, pushing, sql, telling
from tests.identity.families import Families
from tests.notifications.happening import appointment, happen
from tests.people import Stand, now

Result = TypeVar("Result")
LEADS = [timedelta(hours=hours) for hours in (168, 24, 2)]
MANY = 40_000
MOST_PAGES = 60
"""Of the index and the tables, for three leads and one reminder; a table of so many appointments has a thousand."""


@pytest.fixture(scope="module")
def owner(stand: Stand) -> UUID:
    stand.facility("01901")
    return Families(stand).citizen("Trần Thị Hẹn", born=date(1990, 1, 1))


@pytest.fixture(autouse=True)
def _nothing_waits(stand: Stand) -> Iterator[None]:
    yield
    for table in ("notice.push", "notice.notice", "notice.event", "care.appointment", "jobs.pgqueuer"):
        stand.as_owner(f"DELETE FROM {table}")


def plan_of(stand: Stand) -> dict[str, Any]:
    """Return how the body of notice.due_reminders is run, with what it touched."""
    (row,) = stand.as_owner("SELECT prosrc AS body FROM pg_proc WHERE oid = 'notice.due_reminders'::regproc")
    body = row.body
    leads = ", ".join(f"interval '{lead.total_seconds()} seconds'" for lead in LEADS)
    given = {
        "leads": f"ARRAY[{leads}]",
        "late": "interval '2 minutes'",
        "present": f"timestamptz '{now().isoformat()}'",
    }
    for name, value in given.items():
        body = body.replace(f"due_reminders.{name}", value)
    (found,) = stand.as_owner("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + body.replace(":", "\\:"))
    told = found[0]
    plan: dict[str, Any] = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for one in plan.get("Plans", ()):
        yield from nodes(one)


def test_reminders_that_are_due_are_found_by_their_index_whatever_comes_later(stand: Stand, owner: UUID) -> None:
    stand.as_owner(
        "INSERT INTO care.appointment (citizen_id, id, facility_code, origin, starts_at, state, booked_at, changed_at) "
        "SELECT :id, gen_random_uuid(), '01901', 'PAPER', now() + interval '8 days' + n * interval '1 minute', 'LIVE', "
        "now() - interval '90 days', now() FROM generate_series(1, :many) n",
        id=owner,
        many=MANY,
    )
    stand.as_owner("ANALYZE care.appointment")
    appointment(stand, owner, starts_at=now() + timedelta(hours=24) - timedelta(seconds=5))

    plan = plan_of(stand)

    scans = [one for one in nodes(plan) if one.get("Relation Name") == "appointment"]
    assert plan["Actual Rows"] == 1
    assert {one.get("Index Name") for one in nodes(plan)} >= {"appointment_due_idx"}
    assert [one["Node Type"] for one in scans if one["Node Type"] == "Seq Scan"] == []
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] <= MOST_PAGES
    remind = partial(sql.remind, leads=LEADS, late=timedelta(minutes=2))
    assert [stand.run(Login.WORKER, remind) for _ in range(2)] == [1, 0]


def with_engine(stand: Stand, do: Callable[[AsyncEngine], Awaitable[Result]]) -> Result:
    """Do something as the worker, outside of any transaction."""

    async def go() -> Result:
        engine = open_engine(stand.settings, Login.WORKER, size=1)
        try:
            return await do(engine)
        finally:
            await engine.dispose()

    return asyncio.run(go())


def test_what_cannot_be_told_with_others_is_left_to_the_queue_and_they_are_told(stand: Stand, owner: UUID) -> None:
    good, bad = happen(stand, owner, device="1"), happen(stand, owner, "GUARDIAN_BIRTHDAY", on="no day")

    assert with_engine(stand, delivering._tell) == 2
    assert with_engine(stand, delivering._tell) == 0

    jobs = "SELECT convert_from(payload, 'UTF8')::jsonb->>'event_id' AS id FROM jobs.pgqueuer WHERE entrypoint = 'tell'"
    assert {UUID(row.id) for row in stand.as_owner(jobs)} == {good, bad}
    assert stand.as_owner("SELECT count(*) AS n FROM notice.notice")[0].n == 0
    assert stand.run(Login.WORKER, partial(telling.tell, event_ids=[good])) == 1
    with pytest.raises(ValueError, match="isoformat"):
        stand.run(Login.WORKER, partial(telling.tell, event_ids=[bad]))


def test_what_cannot_be_written_of_one_notice_is_written_of_the_others(stand: Stand, owner: UUID) -> None:
    for device in ("1", "2"):
        stand.run(Login.WORKER, partial(telling.tell, event_ids=[happen(stand, owner, device=device)]))
    first, second = (row.id for row in stand.as_owner("SELECT id FROM notice.notice ORDER BY id"))
    phone = uuid4()
    stand.as_owner(
        "INSERT INTO notice.push SELECT id, :phone, 'WAITING', 0, NULL, now() FROM notice.notice", phone=phone
    )
    waiting = {"target": phone, "state": "WAITING"}
    settled = [
        {"notice": first, "targets": [{**waiting, "later": "soon"}]},
        {"notice": second, "targets": [{**waiting, "later": 7}]},
    ]
    stand.as_owner("UPDATE notice.notice SET try_at = NULL")

    with_engine(stand, partial(_settle, settled))

    due = {row.id: row.is_due for row in stand.as_owner("SELECT id, try_at > now() AS is_due FROM notice.notice")}
    assert due == {first: None, second: True}


async def _settle(settled: Sequence[dict[str, Any]], engine: AsyncEngine) -> None:
    await pushing._settle(settled, engine=engine)
