"""Senders so lean that what they measure hardly notices them: HTTP/1.1 over streams, a connection for each."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.serving.programs import PORT

ACCEPTED = 202
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A connection that is kept."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def post(self, head: bytes, body: bytes) -> None:
        """Send one message, and wait for its 202."""
        self.writer.write(b"%b\r\nContent-Length: %d\r\n\r\n%b" % (head, len(body), body))
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(answer)
        told = await self.reader.readexactly(int(length[1]) if length else 0)
        if int(answer[9:12]) != ACCEPTED:
            raise SystemExit(f"{answer[9:12].decode()} {told.decode()}")


class Senders:
    """One facility's connections; `open_senders` makes it."""

    def __init__(self, lines: Iterable[_Line], *, token: str) -> None:
        self._token = token
        self._count = 0
        self._free: asyncio.Queue[_Line] = asyncio.Queue()
        for line in lines:
            self._free.put_nowait(line)
            self._count += 1

    async def burst(self, bodies: Sequence[bytes], *, path: str, media_type: str) -> None:
        """Send everything as fast as it is answered, on each connection one after the other."""
        waiting, head = iter(bodies), self._head(path, media_type)

        async def one() -> None:
            for body in waiting:
                await self._send(head, body)

        await asyncio.gather(*(one() for _ in range(self._count)))

    async def steady(self, bodies: Sequence[bytes], *, per_second: int, path: str, media_type: str) -> list[float]:
        """Send at a rate, whatever is answered; returns the seconds from when each was due until its 202."""
        start, tasks, head = time.perf_counter(), [], self._head(path, media_type)

        async def one(body: bytes, *, due: float) -> float:
            await self._send(head, body)
            return time.perf_counter() - due

        for number, body in enumerate(bodies):
            due = start + number / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(one(body, due=time.perf_counter())))
        return list(await asyncio.gather(*tasks))

    async def _send(self, head: bytes, body: bytes) -> None:
        line = await self._free.get()
        await line.post(head, body)
        self._free.put_nowait(line)

    def _head(self, path: str, media_type: str) -> bytes:
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self._token}\r\n"
            f"Content-Type: {media_type}\r\nAccept: application/json"
        ).encode()


@asynccontextmanager
async def open_senders(count: int, *, token: str) -> AsyncIterator[Senders]:
    """Open so many connections, and close them."""
    opened = [await asyncio.open_connection("127.0.0.1", PORT) for _ in range(count)]
    try:
        yield Senders([_Line(reader=reader, writer=writer) for reader, writer in opened], token=token)
    finally:
        for _, writer in opened:
            writer.close()
