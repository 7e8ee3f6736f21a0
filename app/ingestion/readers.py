"""Processes that read messages, so that no message can take the worker or the door down with it.

They read what is large or suspect, and yield to everything else on the machine; what is small is read where it is
(infra/decisions/0011-readers-apart.md). A message at which TRIES readers died is not read any more.
"""

import asyncio
import pickle
import socket
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import app
from app.core.errors import Text
from app.ingestion import catalogue, fhir, formats, qd4750, verdict
from app.ingestion.fhir import words
from app.ingestion.reader_process import CHECK, HEADER, READ, REFUSED
from app.records import arrivals, clinical, coming, papers
from app.sharing import scope

TRIES: Final = 3
_NICENESS: Final = 5  # a third of the weight of anything else: a busy machine still reads ten megabytes in seconds
_WALL_SECONDS: Final = 150.0  # a reader that yields to a busy machine needs far more than its processor time
_ROOT: Final = Path(app.__file__).parent.parent
PROGRAM: Final = (sys.executable, "-m", "app.ingestion.reader_process")


class ReaderStopped(Exception):
    """A reader died at a message, as often as `tries` says; its bytes are not read any more."""

    def __init__(self, *, tries: int) -> None:
        self.tries = tries
        super().__init__(f"{tries} times")


Reader = Callable[[bytes], Awaitable[formats.Reading]]


async def read_here(body: bytes) -> formats.Reading:
    """Read a message in this process."""
    return formats.read_message(body)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLimits:
    """What readers may take."""

    processes: int
    memory_mb: int
    cpu_seconds: int  # for one message


class _Died(Exception):
    """The process is gone; another one is started for the next message."""


class _Unpacker(pickle.Unpickler):
    """Unpacks what a reader answers: words of our own and nothing that could act."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Return a class of the list.

        :raises pickle.UnpicklingError: for anything else
        """
        found = _WORDS.get((module_name, global_name))
        if found is None:
            message = "the reader answered with something else than words"
            raise pickle.UnpicklingError(message)
        return found


def _words() -> dict[tuple[str, str], type[Any]]:
    named = [
        member
        for module in (
            arrivals,
            clinical,
            coming,
            papers,
            scope,
            verdict,
            catalogue,
            qd4750.message,
            fhir.message,
            words,
        )
        for member in vars(module).values()
        if isinstance(member, type) and member.__module__ == module.__name__
    ]
    known = {(kind.__module__, kind.__qualname__): kind for kind in named}
    others = (date, datetime, timedelta, timezone, Decimal, Text)
    return known | {(kind.__module__, kind.__qualname__): kind for kind in others}


_WORDS: Final[Mapping[tuple[str, str], type[Any]]] = _words()


class _Process:
    """One reader, started when it is needed and again when it died."""

    def __init__(self, *, limits: ReaderLimits, program: Sequence[str]) -> None:
        self._limits = limits
        self._program = program
        self._child: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._answers: BinaryIO | None = None

    def exchange(self, what: int, body: bytes | bytearray) -> tuple[int, Any]:
        """Ask once, and wait for the answer.

        :raises _Died: when the process ended, or did not answer in time
        """
        try:
            connection, answers = self._open()
            connection.sendall(HEADER.pack(what, len(body)))
            connection.sendall(body)
            ended, _ = HEADER.unpack(answers.read(HEADER.size))
            return ended, _Unpacker(answers).load()  # as it comes: the answer to ten megabytes is never held whole
        except (OSError, EOFError, struct.error, pickle.UnpicklingError) as error:
            self.close()
            raise _Died from error

    def close(self) -> None:
        """End the process."""
        if self._answers is not None:
            self._answers.close()
            self._answers = None
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._child is not None:
            with suppress(ProcessLookupError):
                self._child.kill()
            self._child.wait()
            self._child = None

    def _open(self) -> tuple[socket.socket, BinaryIO]:
        if self._connection is None or self._answers is None:
            ours, theirs = socket.socketpair()
            with theirs:
                self._child = subprocess.Popen(  # noqa: S603 - our own module
                    [*self._program, *map(str, self._arguments(theirs.fileno()))],
                    pass_fds=[theirs.fileno()],
                    env={"PYTHONPATH": str(_ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,  # Linux may weigh sessions first, and niceness within one only
                )
            ours.settimeout(_WALL_SECONDS)
            self._connection, self._answers = ours, cast("BinaryIO", ours.makefile("rb"))
        return self._connection, self._answers

    def _arguments(self, number: int) -> Sequence[int]:
        return number, self._limits.memory_mb, self._limits.cpu_seconds, _NICENESS


class Readers:
    """Gives messages to processes; `open_readers` makes it."""

    def __init__(self, *, limits: ReaderLimits, threads: ThreadPoolExecutor, program: Sequence[str]) -> None:
        self._threads = threads
        self._idle: asyncio.LifoQueue[_Process] = asyncio.LifoQueue()
        self.processes = [_Process(limits=limits, program=program) for _ in range(limits.processes)]
        for process in self.processes:
            self._idle.put_nowait(process)

    async def read(self, body: bytes | bytearray, *, tries: int = TRIES) -> formats.Reading:
        """Read a message.

        :raises ReaderStopped: when `tries` readers died of it
        """
        _, message = await self._exchange(READ, body, tries=tries)
        found: formats.Reading = message
        return found

    async def check(self, body: bytes | bytearray) -> None:
        """Judge the outside of a message.

        :raises XmlRefused: as `xml.check_outside`
        :raises FhirRefused: as `fhir.read_document`
        :raises ReaderStopped: when TRIES readers died of it
        """
        ended, refusal = await self._exchange(CHECK, body, tries=TRIES)
        if ended == REFUSED:
            raise formats.refusal(*refusal)

    async def _exchange(self, what: int, body: bytes | bytearray, *, tries: int) -> tuple[int, Any]:
        for _ in range(tries):
            process = await self._idle.get()
            answer = asyncio.get_running_loop().run_in_executor(self._threads, process.exchange, what, body)
            answer.add_done_callback(partial(self._give_back, process))
            try:
                return await asyncio.shield(answer)  # whoever goes away does not leave a reader half asked
            except _Died:
                continue
        raise ReaderStopped(tries=tries)

    def _give_back(self, process: _Process, answer: asyncio.Future[tuple[int, Any]]) -> None:
        self._idle.put_nowait(process)
        if not answer.cancelled():
            answer.exception()  # is raised where somebody waits, and told to nobody else


@asynccontextmanager
async def open_readers(limits: ReaderLimits, *, program: Sequence[str] = PROGRAM) -> AsyncIterator[Readers]:
    """Make readers, whose processes start when they are needed, and end them."""
    with ThreadPoolExecutor(max_workers=limits.processes, thread_name_prefix="reader") as threads:
        readers = Readers(limits=limits, threads=threads, program=program)
        try:
            yield readers
        finally:
            for process in readers.processes:
                process.close()
