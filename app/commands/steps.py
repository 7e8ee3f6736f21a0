"""A command's step in one transaction, as the login that may take it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.core.context import run_step
from app.core.db import Login, Session, open_engine
from app.core.settings import Settings

Result = TypeVar("Result")


async def as_migrator(settings: Settings, step: Callable[[Session], Awaitable[Result]]) -> Result:
    """Run a step as the login that may become the owners."""
    return await _as(Login.MIGRATOR, settings, step)


async def as_worker(settings: Settings, step: Callable[[Session], Awaitable[Result]]) -> Result:
    """Run a step as the login that works off messages."""
    return await _as(Login.WORKER, settings, step)


async def _as(login: Login, settings: Settings, step: Callable[[Session], Awaitable[Result]]) -> Result:
    engine = open_engine(settings, login, size=1)
    try:
        return await run_step(engine, step)
    finally:
        await engine.dispose()
