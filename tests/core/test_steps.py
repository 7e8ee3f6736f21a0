"""Steps that run on the driver itself: in the step's transaction, and refused as others are when it dies."""

from functools import partial

import asyncpg
import pytest

from app.core.context import run_step
from app.core.db import Engine, Login, Session, driver_of, open_engine
from app.core.errors import Unavailable
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


@pytest.mark.asyncio
async def test_a_connection_that_dies_in_a_step_is_unavailable_and_another_takes_its_place(settings: Settings) -> None:
    engine: Engine = open_engine(settings, Login.WORKER, size=1)
    try:
        before = await run_step(engine, own_process)
        with pytest.raises(Unavailable):
            await run_step(engine, partial(ended_in_the_middle, settings=settings))
        assert await run_step(engine, own_process) != before
    finally:
        await engine.dispose()


@pytest.mark.asyncio
async def test_what_the_driver_did_is_undone_when_the_step_fails(settings: Settings) -> None:
    engine: Engine = open_engine(settings, Login.WORKER, size=1)
    try:
        with pytest.raises(asyncpg.DivisionByZeroError):
            await run_step(engine, note_and_fail)
        assert not await run_step(engine, is_noted)
    finally:
        await engine.dispose()
