"""The load: a closed loop over raw sockets, in a process of its own, so lean that PostgreSQL beside it hardly notices.

    python -m bench.reading.load PORT CONNECTIONS SECONDS REQUESTS

REQUESTS is a file of requests as they go over the wire, each after its length (four bytes). They are sent in order,
over and over, from each connection the next as soon as it has its answer. Prints one JSON object.
"""

import gc
import json
import re
import select
import socket
import struct
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_LONGEST_WAIT_SECONDS = 10


def read_requests(path: Path) -> list[bytes]:
    """Return the requests of a file."""
    packed, found, at = path.read_bytes(), [], 0
    while at < len(packed):
        (size,) = struct.unpack_from(">I", packed, at)
        found.append(packed[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def write_requests(path: Path, requests: list[bytes]) -> None:
    """Write what `read_requests` reads."""
    path.write_bytes(b"".join(struct.pack(">I", len(one)) + one for one in requests))


def whole(answer: bytes) -> bool:
    """Tell whether an answer has come as a whole."""
    end = answer.find(b"\r\n\r\n")
    if end < 0:
        return False
    if answer[9:12] == b"304":
        return True
    length = _LENGTH.search(answer, 0, end)
    if length is None:
        raise SystemExit(f"load: an answer without Content-Length: {answer[:200]!r}")
    return len(answer) >= end + 4 + int(length[1])


def run(port: int, connections: int, seconds: float, requests: list[bytes]) -> dict[str, object]:
    """Send, and tell how it went."""
    waiting = select.epoll()
    sockets: dict[int, socket.socket] = {}
    halves: dict[int, bytes] = {}
    sent_at: dict[int, int] = {}
    waits: list[int] = []
    statuses: Counter[bytes] = Counter()
    received = 0
    source = cycle(requests)
    clock = time.perf_counter_ns
    for _ in range(connections):
        opened = socket.create_connection(("127.0.0.1", port))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sockets[opened.fileno()] = opened
        halves[opened.fileno()] = b""
        waiting.register(opened.fileno(), select.EPOLLIN)
    gc.disable()
    start = clock()
    end = start + int(seconds * 1e9)
    for number, one in sockets.items():
        sent_at[number] = clock()
        one.sendall(next(source))
    while sent_at:
        events = waiting.poll(_LONGEST_WAIT_SECONDS)
        if not events:
            raise SystemExit("load: no answer in time")
        for number, _event in events:
            one = sockets[number]
            piece = one.recv(1 << 18)
            if not piece:
                raise SystemExit("load: the server closed a connection")
            answer = halves[number] + piece
            if not whole(answer):
                halves[number] = answer
                continue
            now = clock()
            waits.append(now - sent_at[number])
            statuses[answer[9:12]] += 1
            received += len(answer)
            halves[number] = b""
            if now < end:
                sent_at[number] = now
                one.sendall(next(source))
            else:
                del sent_at[number]
    took = (clock() - start) / 1e9
    waits.sort()
    return {
        "count": len(waits),
        "seconds": took,
        "p50_ms": waits[len(waits) // 2] / 1e6,
        "p99_ms": waits[int(len(waits) * 0.99)] / 1e6,
        "bytes": received // len(waits),
        "statuses": {status.decode(): count for status, count in statuses.items()},
    }


if __name__ == "__main__":
    port_, connections_, seconds_, file_ = sys.argv[1:]
    print(json.dumps(run(int(port_), int(connections_), float(seconds_), read_requests(Path(file_)))))
