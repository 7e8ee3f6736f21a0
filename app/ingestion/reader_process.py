"""The reader as a process of its own: bytes in, what was read out; nothing else within reach.

It is started by `app.ingestion.readers` with one socket, no secrets and no settings. Its memory is limited, and its
time for each message; after it has got ready it can open no file and no connection. What it answers is unpacked by
its starter with a list of allowed classes.
"""

import copyreg
import os
import pickle
import resource
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final

from app.core.yielding import yield_to_all
from app.ingestion import formats, qd4750
from app.terminology.referrals import referral_rules

HEADER: Final = struct.Struct(">BQ")  # what is asked, or how it ended; the length of what follows
READ, CHECK = 1, 2
DONE, REFUSED = 1, 2
_MEGABYTE: Final = 1 << 20
_OUT_OF_MEMORY: Final = 70
_CONNECTION: Final = 3  # the socket's number after the standard three


def main(arguments: Sequence[str]) -> None:
    """Answer until the other side hangs up.

    Arguments: the socket's number, megabytes of memory, seconds for one message, how nice to be to other processes.
    """
    number, memory_mb, seconds, niceness = (int(argument) for argument in arguments)
    os.dup2(number, _CONNECTION)
    os.closerange(_CONNECTION + 1, max(number, _CONNECTION) + 1)
    connection = socket.socket(fileno=_CONNECTION)
    yield_to_all(niceness)
    pack_enums_by_value()
    referral_rules()
    qd4750.read_message(b"<GIAMDINHHS/>")
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, memory_mb * _MEGABYTE)
    _limit(resource.RLIMIT_NOFILE, _CONNECTION + 1)
    while (asked := _receive(connection, HEADER.size)) is not None:
        what, length = HEADER.unpack(asked)
        body = _receive(connection, length)
        if body is None:
            return
        _allow(seconds)
        try:
            ended, answer = _ANSWERS[what](bytes(body))
        except MemoryError:
            os._exit(_OUT_OF_MEMORY)
        del body
        connection.sendall(HEADER.pack(ended, len(answer)))
        connection.sendall(answer)


def pack_enums_by_value() -> None:
    """Pack our enums as class and value: Python 3.11 before 3.11.4 packs them by `getattr`, which is no word."""
    for kind in _enums(Enum):
        if kind.__module__.startswith("app."):
            copyreg.pickle(kind, _by_value)


def _enums(kind: type[Enum]) -> Iterator[type[Enum]]:
    for one in kind.__subclasses__():
        yield one
        yield from _enums(one)


def _by_value(member: Enum) -> tuple[type[Enum], tuple[Any, ...]]:
    return type(member), (member.value,)


def _read(body: bytes) -> tuple[int, bytes]:
    return DONE, pickle.dumps(formats.read_message(body), protocol=5)


def _check(body: bytes) -> tuple[int, bytes]:
    try:
        formats.check_outside(body)
    except formats.REFUSALS as refusal:
        return REFUSED, pickle.dumps(formats.told(refusal), protocol=5)
    return DONE, pickle.dumps(None, protocol=5)


_ANSWERS: Final[Mapping[int, Callable[[bytes], tuple[int, bytes]]]] = {READ: _read, CHECK: _check}


def _limit(what: int, most: int) -> None:
    """Limit a resource for good; a system that does not know the limit goes without."""
    try:
        resource.setrlimit(what, (most, most))
    except (OSError, ValueError):
        return


def _allow(seconds: int) -> None:
    """Allow so much processor time from now on; the kernel ends the process that takes more."""
    used = int(time.process_time()) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, resource.RLIM_INFINITY))


def _receive(connection: socket.socket, length: int) -> bytearray | None:
    """Return exactly so many bytes, or nothing when the other side hung up."""
    received = bytearray(length)
    view, got = memoryview(received), 0
    while got < length:
        count = connection.recv_into(view[got:])
        if not count:
            return None
        got += count
    return received


if __name__ == "__main__":
    main(sys.argv[1:])
