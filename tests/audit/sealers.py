"""Sealers of a test: the product's rule, step by step, on the sealer's own login."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from app.audit import sealing, sql
from app.audit.checkpoints import Signer
from app.core.db import Login
from app.sealer import open_signer
from tests.people import Stand

Result = TypeVar("Result")
STOP_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sealers:
    """Makes sealers, and leaves that no line stands behind."""

    stand: Stand

    @property
    def signer(self) -> Signer:
        """Return the installation's key."""
        return open_signer(self.stand.settings.secrets_dir, origin=self.stand.settings.log_origin)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[sql.Connection]:
        """Connect as the sealer."""
        connection = await self.stand.connect(Login.SEALER)
        try:
            yield connection
        finally:
            await connection.close()

    async def begin(self, connection: sql.Connection, *, lease: timedelta = timedelta(0)) -> int | None:
        """Begin to seal; by default whoever is at work is replaced."""
        return await sql.begin_sealing(connection, verifier=self.signer.verifier, stop_after=STOP_AFTER, lease=lease)

    def seal(self) -> int:
        """Seal all that is there and return how many lines that were."""

        async def work() -> int:
            async with self.connected() as connection:
                epoch = await self.begin(connection)
                assert epoch is not None
                total = 0
                while count := await sealing.seal(connection, epoch=epoch, signer=self.signer):
                    total += count
                return total

        return asyncio.run(work())

    def ask(self, question: Callable[[sql.Connection], Awaitable[Result]]) -> Result:
        """Ask as the login of people's steps, whom proofs are made for."""

        async def work() -> Result:
            connection = await self.stand.connect(Login.DESK)
            try:
                return await question(connection)
            finally:
                await connection.close()

        return asyncio.run(work())

    def leave(self, citizen: UUID, hashes: Sequence[bytes], *, after: int = 0) -> None:
        """Put leaves of one citizen into the database."""
        self.stand.as_owner(
            "INSERT INTO audit.leaf SELECT :citizen, :after + n, hash, NULL "
            "FROM unnest(CAST(:hashes AS bytea[])) WITH ORDINALITY AS l(hash, n)",
            citizen=citizen,
            hashes=list(hashes),
            after=after,
        )
