"""What the hospitals' door has besides the house: readers for large messages and dry runs, turns for large uploads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from app.core.errors import Invalid
from app.core.settings import Settings
from app.ingestion import formats
from app.ingestion.catalogue import ProblemCode, describe
from app.ingestion.readers import ReaderLimits, Readers, ReaderStopped, open_readers
from app.ingestion.uploads import Uploads

SMALL_BYTES = 262_144  # what is larger is read apart; as in app/ingestion/sql/2_turns.sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One process's door."""

    readers: Readers
    uploads: Uploads

    async def check(self, body: bytes | bytearray) -> None:
        """Refuse a message whose outer document cannot be read.

        :raises Invalid: with place and reason
        """
        if len(body) <= SMALL_BYTES:
            formats.check_outside(bytes(body))
            return
        try:
            await self.readers.check(body)
        except ReaderStopped as stopped:
            raise _given_up(stopped) from None

    async def read(self, body: bytes | bytearray) -> formats.Reading:
        """Read a message that is not kept.

        :raises Invalid: when readers died of it
        """
        try:
            return await self.readers.read(body)
        except ReaderStopped as stopped:
            raise _given_up(stopped) from None


def reader_limits(settings: Settings, *, processes: int) -> ReaderLimits:
    """Return what the settings let so many readers take."""
    return ReaderLimits(
        processes=processes, memory_mb=settings.reader_memory_mb, cpu_seconds=settings.reader_cpu_seconds
    )


@asynccontextmanager
async def open_door(settings: Settings) -> AsyncIterator[Door]:
    """Open the door; its readers start when they are needed."""
    async with open_readers(reader_limits(settings, processes=settings.reader_processes)) as readers:
        yield Door(readers=readers, uploads=Uploads(at_a_time=settings.large_uploads))


def _given_up(stopped: ReaderStopped) -> Invalid:
    return Invalid(describe(ProblemCode.READER_STOPPED, limit=stopped.tries))
