"""Where the steps of tests run: one event loop, on connections that stay open as a server's do."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from functools import cache
from typing import TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.context import run_step
from app.core.db import Login, Session, open_engine
from app.core.settings import Settings

Result = TypeVar("Result")
MOST_AT_ONCE = 32

_engines: dict[tuple[str, Login], AsyncEngine] = {}


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="steps", daemon=True).start()
    return loop


def run(settings: Settings, login: Login, step: Callable[[Session], Awaitable[Result]]) -> Result:
    """Run a step in a transaction of one login."""

    async def go() -> Result:
        where = (settings.database_url, login)
        if where not in _engines:
            _engines[where] = open_engine(settings, login, size=MOST_AT_ONCE)
        return await run_step(_engines[where], step)

    return asyncio.run_coroutine_threadsafe(go(), _loop()).result()


def close(settings: Settings) -> None:
    """Close the connections to one database."""

    async def go() -> None:
        for where in [one for one in _engines if one[0] == settings.database_url]:
            await _engines.pop(where).dispose()

    asyncio.run_coroutine_threadsafe(go(), _loop()).result()
