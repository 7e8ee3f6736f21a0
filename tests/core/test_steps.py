"""Steps that run on the driver itself: in the step's transaction, and refused as others are when it dies.

They run so on an engine, and on connections that are kept in hand.
"""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.core.context import Step, run_step
from app.core.db import Engine, Login, Session, driver_of, open_engine
from app.core.errors import Unavailable
from app.core.lanes import StepLane
from app.core.settings import Settings


async def own_process(session: Session) -> int:
    driver = await driver_of(session)
    assert driver.is_in_transaction()
    return int(await driver.fetchval("SELECT pg_backend_pid()"))


async def ended_in_the_middle(session: Session, *, settings: Settings) -> None:
    process = await own_process(session)
    another = open_engine(settings, Login.WORKER, size=1)
    await run_step(another, partial(end, process=process))
    await another.dispose()
    driver = await driver_of(session)
    await driver.fetchval("SELECT 1")


async def end(session: Session, *, process: int) -> None:
    driver = await driver_of(session)
    assert await driver.fetchval("SELECT pg_terminate_backend($1, 5000)", process)


async def note_and_fail(session: Session) -> None:
    driver = await driver_of(session)
    await driver.fetchval("SELECT jobs.enqueue('undone', '{}')")
    await driver.execute("SELECT 1 / 0")


async def is_noted(session: Session) -> bool:
    driver = await driver_of(session)
    return bool(await driver.fetchval("SELECT EXISTS (SELECT FROM jobs.pgqueuer WHERE entrypoint = 'undone')"))


async def note_by_sqlalchemy_and_fail(session: Session) -> None:
    await session.execute(text("SELECT jobs.enqueue('undone', '{}')"))
    await session.execute(text("SELECT 1 / 0"))


async def note_and_wait(session: Session, *, noted: asyncio.Event) -> None:
    driver = await driver_of(session)
    await driver.fetchval("SELECT jobs.enqueue('undone', '{}')")
    noted.set()
    await driver.fetchval("SELECT pg_sleep(60)")


Steps = Engine | StepLane


@pytest_asyncio.fixture(params=["engine", "lane"])
async def steps(request: pytest.FixtureRequest, settings: Settings) -> AsyncIterator[Steps]:
    """Return where steps run, on one connection."""
    engine: Engine = open_engine(settings, Login.WORKER, size=1, one_statement=request.param == "lane")
    lane = StepLane(engine, size=1)
    yield lane if request.param == "lane" else engine
    await lane.close()


@pytest.mark.asyncio
async def test_a_connection_that_dies_in_a_step_is_unavailable_and_another_takes_its_place(
    steps: Steps, settings: Settings
) -> None:
    before = await run_step(steps, own_process)
    with pytest.raises(Unavailable):
        await run_step(steps, partial(ended_in_the_middle, settings=settings))
    assert await run_step(steps, own_process) != before


@pytest.mark.asyncio
@pytest.mark.parametrize("failing", [note_and_fail, note_by_sqlalchemy_and_fail])
async def test_what_a_step_did_is_undone_when_it_fails(steps: Steps, failing: Step[None]) -> None:
    with pytest.raises((asyncpg.DivisionByZeroError, DBAPIError)):
        await run_step(steps, failing)
    assert not await run_step(steps, is_noted)


@pytest.mark.asyncio
async def test_what_a_step_did_is_undone_when_it_is_cancelled(steps: Steps) -> None:
    before, noted = await run_step(steps, own_process), asyncio.Event()
    task = asyncio.create_task(run_step(steps, partial(note_and_wait, noted=noted)))
    await noted.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await run_step(steps, is_noted)
    if isinstance(steps, StepLane):
        assert await run_step(steps, own_process) == before, "the connection was rolled back, not thrown away"


@pytest.mark.asyncio
async def test_a_lane_keeps_a_connection_and_takes_another_when_it_was_cut_off(settings: Settings) -> None:
    lane = StepLane(open_engine(settings, Login.WORKER, size=1, one_statement=True), size=1)
    another = open_engine(settings, Login.WORKER, size=1)
    try:
        before = await run_step(lane, own_process)
        assert await run_step(lane, own_process) == before
        await run_step(another, partial(end, process=before))
        for _ in range(2):  # that the server has hung up is known at once, or when the next step begins
            try:
                assert await run_step(lane, own_process) != before
                break
            except Unavailable:
                continue
        else:
            pytest.fail("no step ran any more")
    finally:
        await lane.close()
        await another.dispose()


@pytest.mark.asyncio
async def test_more_steps_than_connections_take_turns(steps: Steps) -> None:
    async with asyncio.timeout(30):
        done = await asyncio.gather(*(run_step(steps, own_process) for _ in range(20)))
    assert len(set(done)) == 1


@pytest.mark.asyncio
@pytest.mark.parametrize("sqlstate", ["25006", "28000", "28P01", "3D000", "53100", "53200", "53300", "58030"])
async def test_a_database_that_lacks_something_is_unavailable_and_the_operator_is_told(
    steps: Steps, sqlstate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async def lack(session: Session) -> None:
        driver = await driver_of(session)
        await driver.execute(f"DO $$ BEGIN RAISE 'could not extend file' USING ERRCODE = '{sqlstate}'; END $$")

    with pytest.raises(Unavailable):
        await run_step(steps, lack)
    assert f'"sqlstate": "{sqlstate}"' in capsys.readouterr().out
