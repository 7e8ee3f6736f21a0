"""A sealer that dies at a step of one round: `python -m tests.audit.mortal STEP`."""

import asyncio
import os
import signal
import sys
from types import TracebackType
from typing import Any, cast

from app.audit import sealing, sql
from app.core.settings import Settings
from tests.audit.sealers import Sealers
from tests.people import Stand


class Mortal:
    """A connection that kills its process before its n-th step; entering and leaving a transaction are steps too."""

    def __init__(self, connection: sql.Connection, *, dies_at: int) -> None:
        self._connection = connection
        self._transaction: Any = None
        self._left = dies_at

    def breathe(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    async def fetch(self, *arguments: Any) -> Any:
        self.breathe()
        return await self._connection.fetch(*arguments)

    async def fetchval(self, *arguments: Any) -> Any:
        self.breathe()
        return await self._connection.fetchval(*arguments)

    async def execute(self, *arguments: Any) -> Any:
        self.breathe()
        return await self._connection.execute(*arguments)

    def transaction(self) -> "Mortal":
        self._transaction = self._connection.transaction()
        return self

    async def __aenter__(self) -> None:
        self.breathe()
        await self._transaction.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.breathe()
        await self._transaction.commit()
        self.breathe()


async def main() -> None:
    sealers = Sealers(Stand(Settings()))  # type: ignore[call-arg]  # the environment gives what has no default
    async with sealers.connected() as connection:
        epoch = await sealers.begin(connection)
        assert epoch is not None
        mortal = cast("sql.Connection", Mortal(connection, dies_at=int(sys.argv[1])))
        await sealing.seal(mortal, epoch=epoch, signer=sealers.signer)


if __name__ == "__main__":
    asyncio.run(main())
