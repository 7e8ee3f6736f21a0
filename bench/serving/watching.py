"""What became of messages, seen on one connection that is kept: a new one each time would cost what is measured."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.core.db import Login, open_engine
from app.core.settings import Settings

LOOK_SECONDS = 0.25
WAIT_SECONDS = 300


class Watch:
    """Looks at messages as their owner; `open_watch` makes it."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def ask(self, what: str, *, since: datetime) -> float:
        """Return a number over the messages that came since then."""
        query = f"SELECT {what} FROM intake.message WHERE received_at >= :since"  # noqa: S608 - words of the benches
        found = (await self._connection.execute(text(query), {"since": since})).scalar_one()
        await self._connection.commit()
        return float(str(found))

    async def filed(self, count: int, *, since: datetime) -> float:
        """Wait until so many messages that came since then are filed; returns the seconds until the last was."""
        give_up_at = time.monotonic() + WAIT_SECONDS
        while (filed := await self.ask("count(*) FILTER (WHERE status = 'filed')", since=since)) < count:
            if time.monotonic() > give_up_at:
                raise SystemExit(f"{filed:.0f} of {count} were filed in time")
            await asyncio.sleep(LOOK_SECONDS)
        return await self.ask("extract(epoch FROM max(concluded_at) - CAST(:since AS timestamptz))", since=since)


@asynccontextmanager
async def open_watch(settings: Settings) -> AsyncIterator[Watch]:
    """Open the connection, and close it."""
    engine = open_engine(settings, Login.MIGRATOR, size=1)
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SET ROLE auth_owner"))
            await connection.commit()
            yield Watch(connection)
    finally:
        await engine.dispose()
