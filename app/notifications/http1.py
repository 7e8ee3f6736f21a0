"""HTTP/1.1 to a server that gets many small messages, under a client of httpx.

httpx's own transport looks at each of its connections, and at each request that waits, for each request: it cost three
times as much as all else of a push. Here a message goes out in one write, its answer is read by llhttp, and the
connection takes the next one.
"""

import asyncio
import ssl
from collections import defaultdict

import httptools
import httpx

MOST_BYTES = 65_536
"""Of an answer: a push service tells a name, or an error."""
KEPT_SECONDS = 4.0
"""Without a request: a server that hangs up first would take the next one with it."""

Origin = tuple[str, str, int | None]


class Http1(httpx.AsyncBaseTransport):
    """Sends `most` requests at a time, each on a connection of its own that is used again. Of one event loop."""

    def __init__(self, *, most: int) -> None:
        self._free = asyncio.Semaphore(most)
        self._idle: defaultdict[Origin, list[_Line]] = defaultdict(list)
        self._trusted: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return an answer that is read whole.

        :raises httpx.TimeoutException: when it takes longer than the request's time for reading
        :raises httpx.NetworkError: when there is no connection
        :raises httpx.RemoteProtocolError: when the connection breaks, or what comes is no answer
        """
        sent = _sent(request, body=await request.aread())
        origin = request.url.scheme, request.url.raw_host.decode("ascii"), request.url.port
        async with self._free:
            try:
                async with asyncio.timeout(request.extensions["timeout"]["read"]):
                    return await self._ask(sent, origin=origin)
            except TimeoutError as error:
                raise httpx.ReadTimeout("no answer in time", request=request) from error
            except OSError as error:
                raise httpx.ConnectError("no connection", request=request) from error

    async def _ask(self, sent: bytes, *, origin: Origin) -> httpx.Response:
        line = self._rested(origin) or await self._connected(origin)
        try:
            answer = await line.ask(sent)
        except BaseException:
            line.hang_up()
            raise
        if line.is_open:
            self._idle[origin].append(line)
        else:
            line.hang_up()
        return answer

    def _rested(self, origin: Origin) -> "_Line | None":
        """Return the connection that was used last, if it is still there."""
        idle, oldest = self._idle[origin], asyncio.get_running_loop().time() - KEPT_SECONDS
        while idle:
            line = idle.pop()
            if line.is_open and line.used_at > oldest:
                return line
            line.hang_up()
        return None

    async def _connected(self, origin: Origin) -> "_Line":
        scheme, host, port = origin
        if scheme == "https" and self._trusted is None:
            self._trusted = httpx.create_ssl_context()
        trusted = self._trusted if scheme == "https" else None
        port = port or (80 if trusted is None else 443)
        _, line = await asyncio.get_running_loop().create_connection(_Line, host, port, ssl=trusted)
        return line

    async def aclose(self) -> None:
        """Hang up."""
        for idle in self._idle.values():
            while idle:
                idle.pop().hang_up()


class _Line(asyncio.Protocol):
    """One connection, for one request at a time. llhttp calls what begins with `on_`."""

    def __init__(self) -> None:
        self.is_open = True
        self.used_at = 0.0
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._lasts_until_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a stream's

    def connection_lost(self, error: Exception | None) -> None:
        if error is None and self._lasts_until_closed:
            self._finish()
        self._fail("the connection broke")

    async def ask(self, sent: bytes) -> httpx.Response:
        """Send a request and return its answer."""
        loop = asyncio.get_running_loop()
        self._answer = loop.create_future()
        self._lasts_until_closed = False
        self._parser = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body = b""
        self._transport.write(sent)
        answer = await self._answer
        self._answer = None
        self.used_at = loop.time()
        return answer

    def hang_up(self) -> None:
        """Use it no more."""
        self.is_open = False
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        if self._answer is None:
            self.hang_up()  # nothing was asked
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail("not an answer of HTTP/1.1")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Find out whether the answer says where it ends. Source: RFC 9112 section 6.3."""
        named = {name.lower() for name, _ in self._headers}
        self._lasts_until_closed = named.isdisjoint({b"content-length", b"transfer-encoding"})

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > MOST_BYTES:
            self._fail("an answer that is too long")

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() < httpx.codes.OK:
            self._headers.clear()  # the answer itself is to come
            self._lasts_until_closed = False
        else:
            self.is_open = self.is_open and self._parser.should_keep_alive()
            self._finish()

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            status = self._parser.get_status_code()
            self._answer.set_result(httpx.Response(status, headers=self._headers, content=self._body))

    def _fail(self, why: str) -> None:
        self.hang_up()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(httpx.RemoteProtocolError(why))


def _sent(request: httpx.Request, *, body: bytes) -> bytes:
    """Return a request as it goes out; httpx has told Host and Content-Length."""
    head = [b"%s %s HTTP/1.1\r\n" % (request.method.encode("ascii"), request.url.raw_path)]
    head += [b"%s: %s\r\n" % header for header in request.headers.raw]
    return b"".join((*head, b"\r\n", body))
