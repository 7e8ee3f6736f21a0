"""HTTP by hand over real sockets, for what no well-behaved client would send."""

import json
import os
import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

PATIENCE = 120
"""Seconds until a test gives up: longer than anything takes on a machine that others keep busy."""
FIRST_PORT, PORTS = 10_000, 10_000
_ports = count(os.getpid() * 101)  # another process begins elsewhere


def free_port() -> int:
    """Return a port of loopback that nobody has now, and that no system gives to a client before it is used."""
    while True:
        port = FIRST_PORT + next(_ports) % PORTS
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """One answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON value."""
        return json.loads(self.body)


@dataclass(slots=True)
class RawConnection:
    """One connection to the server under test."""

    url: str
    _socket: socket.socket = field(init=False)
    _read: bytearray = field(default_factory=bytearray, init=False)

    def __post_init__(self) -> None:
        """Connect."""
        parts = urlsplit(self.url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 0), PATIENCE)

    def __enter__(self) -> Self:
        """Use the connection."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Hang up."""
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes, as many as the server takes."""
        self._socket.sendall(data)

    def send_until_cut(self, data: bytes) -> int:
        """Send the same bytes again and again until the server hangs up; returns how many it was sent."""
        sent = 0
        try:
            while True:
                sent += self._socket.send(data)
        except (ConnectionError, TimeoutError):
            return sent

    def pace(self, data: bytes, *, every_seconds: float) -> None:
        """Send the same few bytes in intervals until the server answers or hangs up."""
        while not select.select([self._socket], [], [], every_seconds)[0]:
            self._socket.sendall(data)

    def finish_sending(self) -> None:
        """Hang up one way, as a client does that dies half-way."""
        self._socket.shutdown(socket.SHUT_WR)

    def answer(self) -> RawAnswer:
        """Read one answer, whose length its header must tell."""
        while b"\r\n\r\n" not in self._read:
            self._receive()
        head, _, rest = bytes(self._read).partition(b"\r\n\r\n")
        status_line, *lines = head.decode("latin-1").split("\r\n")
        pairs = [line.partition(": ") for line in lines]
        headers = {name.lower(): value for name, _, value in pairs}
        length = int(headers.get("content-length", "0"))
        while len(self._read) < len(head) + 4 + length:
            self._receive()
        rest = bytes(self._read[len(head) + 4 :])
        self._read = bytearray(rest[length:])
        return RawAnswer(status=int(status_line.split(" ")[1]), headers=headers, body=rest[:length])

    def is_closed(self) -> bool:
        """Wait for the server to hang up; false when it says something instead, or stays."""
        try:
            return not self._read and self._socket.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False

    def _receive(self) -> None:
        piece = self._socket.recv(65_536)
        if not piece:
            message = f"the server hung up after {bytes(self._read)!r}"
            raise ConnectionError(message)
        self._read += piece


def head(method: str, path: str, **fields: str) -> bytes:
    """Return a request's head; the host is always said."""
    lines = [f"{method} {path} HTTP/1.1", "host: sokhoe.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def chunk(data: bytes) -> bytes:
    """Return one piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)
