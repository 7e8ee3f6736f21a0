"""Messages are read by processes of their own, which may die of them; nothing else does."""

import asyncio
import copyreg
import io
import os
import pickle
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

import pytest

from app.ingestion import fhir, qd4750, reader_process
from app.ingestion.catalogue import ProblemCode
from app.ingestion.fhir.words import FhirCode
from app.ingestion.readers import TRIES, ReaderLimits, Readers, ReaderStopped, _Unpacker, open_readers
from app.ingestion.xml import XmlRefused
from tests.ingestion import bombs, messages
from tests.ingestion.fhir import bundles

LIMITS = ReaderLimits(processes=2, memory_mb=512, cpu_seconds=5)
GOOD = messages.message()
SPITEFUL = """
import os, sys
from app.ingestion import reader_process, qd4750
read = qd4750.read_message
def spite(body):
    if b"kill me" in body:
        os.kill(os.getpid(), 9)
    if b"spin" in body:
        while True: pass
    if b"grow" in body:
        hoard = []
        while True: hoard.append(bytearray(1 << 20))
    if b"open" in body:
        return open("/etc/hostname").read()
    if b"connect" in body:
        import socket
        return socket.create_connection(("127.0.0.1", 9))
    if b"lie" in body:
        return os.system
    return read(body)
qd4750.read_message = spite
reader_process.main(sys.argv[1:])
"""


@asynccontextmanager
async def readers(limits: ReaderLimits = LIMITS, *, spiteful: bool = True) -> AsyncIterator[Readers]:
    program: Sequence[str] = (sys.executable, "-c", SPITEFUL)
    async with open_readers(limits, **({"program": program} if spiteful else {})) as opened:
        yield opened


def said_of(pid: int, file: str) -> bytes:
    return Path(f"/proc/{pid}/{file}").read_bytes()


def open_files(pid: int) -> list[int]:
    return sorted(int(number.name) for number in Path(f"/proc/{pid}/fd").iterdir())


def is_there(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def children(opened: Readers) -> list[int]:
    return [one._child.pid for one in opened.processes if one._child is not None]


@pytest.mark.parametrize("body", [GOOD, b"<a/>"])
def test_what_a_reader_packs_is_words_in_every_release_of_python(monkeypatch: pytest.MonkeyPatch, body: bytes) -> None:
    """Python 3.11.2, which Debian 12 brings, packs an enum by `getattr`."""
    monkeypatch.setattr(Enum, "__reduce_ex__", lambda self, _protocol: (getattr, (type(self), self.name)))
    read = qd4750.read_message(body)
    with pytest.raises(pickle.UnpicklingError):
        _Unpacker(io.BytesIO(pickle.dumps(read))).load()

    known = set(copyreg.dispatch_table)
    reader_process.pack_enums_by_value()
    try:
        assert _Unpacker(io.BytesIO(pickle.dumps(read))).load() == read
    finally:
        for kind in set(copyreg.dispatch_table) - known:
            del copyreg.dispatch_table[kind]


@pytest.mark.asyncio
async def test_a_reader_reads_what_this_process_would_read() -> None:
    async with readers(spiteful=False) as opened:
        for body in (
            GOOD,
            messages.message(XML1=[messages.VISIT], **{n: [p] for n, p in messages.PAPERS.items()}),
            b"<a/>",
        ):
            assert await opened.read(body) == qd4750.read_message(body)
        assert len(children(opened)) <= LIMITS.processes


@pytest.mark.asyncio
async def test_b153_a_reader_checks_the_outside_as_the_door_does() -> None:
    async with readers(spiteful=False) as opened:
        await opened.check(GOOD)
        for body, reason in bombs.size_bombs().values():
            with pytest.raises(XmlRefused) as refused:
                await opened.check(body)
            assert refused.value.reason is reason


@pytest.mark.asyncio
async def test_many_at_once_get_each_their_own_answer() -> None:
    bodies = [messages.changed("XML1", HO_TEN=f"Người {number}") for number in range(30)]
    async with readers(spiteful=False) as opened:
        found = await asyncio.gather(*(opened.read(body) for body in bodies))
    visits = [one.visits[0] for one in found if isinstance(one, qd4750.Message)]
    assert [visit.arrival.person.full_name for visit in visits if visit.arrival] == [
        f"Người {number}" for number in range(30)
    ]


@pytest.mark.parametrize("spite", ["kill me", "spin", "grow"])
@pytest.mark.asyncio
async def test_a_message_of_which_readers_die_is_given_up_and_others_are_read(spite: str) -> None:
    limits = ReaderLimits(processes=1, memory_mb=256, cpu_seconds=1)
    async with readers(limits) as opened:
        assert await opened.read(GOOD)
        with pytest.raises(ReaderStopped) as stopped:
            await opened.read(GOOD + spite.encode())
        assert stopped.value.tries == TRIES
        assert await opened.read(GOOD) == qd4750.read_message(GOOD)


@pytest.mark.parametrize("spite", ["open", "connect"])
@pytest.mark.asyncio
async def test_t13_a_reader_can_open_no_file_and_no_connection(spite: str) -> None:
    """The exception ends the reader: what it would have opened was refused."""
    async with readers() as opened:
        await opened.read(GOOD)
        with pytest.raises(ReaderStopped):
            await opened.read(spite.encode(), tries=1)


@pytest.mark.asyncio
async def test_what_a_reader_answers_is_words_and_nothing_else() -> None:
    async with readers() as opened:
        with pytest.raises(ReaderStopped):
            await opened.read(b"lie", tries=1)
    for evil in (os.system, eval, Path("/"), ValueError("x")):
        with pytest.raises(pickle.UnpicklingError):
            _Unpacker(io.BytesIO(pickle.dumps(evil))).load()


@pytest.mark.asyncio
async def test_a_reader_knows_no_secret_and_no_setting() -> None:
    async with readers(spiteful=False) as opened:
        await opened.read(GOOD)
        for pid in children(opened):
            assert b"SOKHOE" not in said_of(pid, "environ")
            assert open_files(pid) == [0, 1, 2, 3]


@pytest.mark.asyncio
async def test_t12_ten_megabytes_are_read_in_150_by_a_reader_that_yields() -> None:
    body = messages.many_visits(most_bytes=10_000_000)
    async with readers(spiteful=False) as opened:
        found = await opened.read(body)
        assert isinstance(found, qd4750.Message)
        assert len(found.visits) > 100
        assert all(visit.arrival for visit in found.visits)
        (pid,) = children(opened)
        peak_kb = int(said_of(pid, "status").split(b"VmHWM:")[1].split()[0])
        assert peak_kb < 150_000
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, pid) >= min(own + 1, 19)  # none yields more than 19


@pytest.mark.asyncio
async def test_who_goes_away_leaves_no_reader_half_asked() -> None:
    limits = ReaderLimits(processes=1, memory_mb=512, cpu_seconds=5)
    async with readers(limits, spiteful=False) as opened:
        await opened.read(GOOD)
        for _ in range(5):
            asked = asyncio.create_task(opened.read(GOOD))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        assert await opened.read(GOOD) == qd4750.read_message(GOOD)


@pytest.mark.asyncio
async def test_readers_end_with_their_starter() -> None:
    async with readers(spiteful=False) as opened:
        await opened.read(GOOD)
        (pid,) = children(opened)
    assert not is_there(pid)


def test_the_code_of_a_refusal_is_of_the_list() -> None:
    assert ProblemCode("READER_STOPPED") is ProblemCode.READER_STOPPED


@pytest.mark.asyncio
async def test_fhir_is_read_apart_too_and_refused_in_the_same_words() -> None:
    async with readers(spiteful=False) as opened:
        found = await opened.read(bundles.message())
        assert found == fhir.read_message(bundles.message())
        await opened.check(bundles.message())
        with pytest.raises(fhir.FhirRefused) as refusal:
            await opened.check(b'{"resourceType":"Patient","id":"1","id":"2"}')
        assert (refusal.value.reason, refusal.value.place) == (FhirCode.JSON_NAME_TWICE, "Patient.id")
