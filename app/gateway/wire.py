"""The wire: uvicorn's HTTP/1.1 over httptools, with the limits that it lacks for the head of a request.

Without them a client may keep a connection open for ever before its first request, or send a header without end.
"""

import asyncio
from typing import ClassVar

import httptools
import orjson
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from app.core.errors import ErrorCode, Text
from app.core.ids import new_request_id
from app.core.requests import WHOLE
from app.gateway.middleware import SAFE_HEADERS
from app.gateway.problems import PROBLEM_JSON, problem_body

KEEP_ALIVE_SECONDS = 30
SHUTDOWN_SECONDS = 35
MOST_SOCKET_BYTES = 65_536

_NOT_HTTP = Text("Yêu cầu không đúng giao thức HTTP.", "This is not a valid HTTP request.")
_TOO_LARGE = Text("Phần đầu của yêu cầu quá lớn.", "The head of the request is too large.")
_UNKNOWN_CODING = Text("Chỉ nhận Transfer-Encoding: chunked.", "No Transfer-Encoding but chunked is understood.")
_TOO_SLOW = Text("Phần đầu của yêu cầu đến quá chậm.", "The head of the request did not come in time.")


class HeadRefused(Exception):
    """The request line or the header is not one that we answer."""


class Wire(HttpToolsProtocol):
    """One connection. uvicorn calls it, and catches what it raises within the parser."""

    head_seconds: ClassVar[float] = 10
    most_head_bytes: ClassVar[int] = 16_384
    most_fields: ClassVar[int] = 64
    most_connections: ClassVar[int] = 2000

    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = False
    _is_in_body = False
    _head_bytes = 0
    _trailer_bytes = 0
    _refusal = (400, _NOT_HTTP)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin; the first head must come in time."""
        super().connection_made(transport)
        if len(self.connections) > self.most_connections:
            transport.close()
        else:
            self._start_deadline()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, and count what belongs to a head that is not whole: it must come in time."""
        self._read(data)
        if self._is_in_head and not self.transport.is_closing():
            self._start_deadline()
            self._head_bytes += len(data)
            if self._head_bytes > self.most_head_bytes:
                self._refuse(431, _TOO_LARGE)

    def _read(self, data: bytes) -> None:
        """Parse; a request that asks for another protocol is read as if it did not (RFC 9110 section 7.8).

        httptools leaves the parser there and then, so its body would be lost, or taken for the next request.
        """
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self._refuse(*self._refusal)
        except httptools.HttpParserUpgrade as upgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                head = self._head_without_upgrade()
                self.parser = httptools.HttpRequestParser(self)
                self._read(head + data[upgrade.args[0] :])

    def _should_upgrade(self) -> bool:
        """Tell whether this is a WebSocket's handshake: a GET without a body (RFC 6455 section 4.1).

        uvicorn hands a head that announces a body to a parser that waits for it for ever.
        """
        has_body = any(
            name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0"))
            for name, value in self.headers
        )
        return self.parser.get_method() == b"GET" and not has_body and bool(super()._should_upgrade())

    def _head_without_upgrade(self) -> bytes:
        fields = b"".join(name + b": " + value + b"\r\n" for name, value in self.headers if name != b"upgrade")
        version = self.parser.get_http_version().encode("ascii")
        return self.parser.get_method() + b" " + self.url + b" HTTP/" + version + b"\r\n" + fields + b"\r\n"

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._is_in_head, self._is_in_body, self._head_bytes = True, False, 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field of the head; those after a chunked body (trailers) are read past, and no longer than a head.

        :raises HeadRefused: too large
        """
        if not self._is_in_body:
            name = name.lower()
            self.headers.append((name, value))
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            return
        self._trailer_bytes += len(name) + len(value)
        if self._trailer_bytes > self.most_head_bytes:
            self._refusal = (431, _TOO_LARGE)
            raise HeadRefused

    def on_headers_complete(self) -> None:
        """Judge the head before a request is made of it.

        :raises HeadRefused: too large, of another version than HTTP/1.0 and 1.1, of no host or several, CONNECT, or
            in a transfer coding that would have to be undone (RFC 9112 section 6.1)
        """
        self._is_in_head, self._is_in_body, self._trailer_bytes = False, True, 0
        self._stop_deadline()
        size, hosts, is_coded = len(self.url), 0, False
        for name, value in self.headers:
            size += len(name) + len(value)
            if name == b"host":
                hosts += 1
            elif name == b"transfer-encoding" and value.lower() != b"chunked":
                is_coded = True
        if size > self.most_head_bytes or len(self.headers) > self.most_fields:
            self._refusal = (431, _TOO_LARGE)
            raise HeadRefused
        version = self.parser.get_http_version()
        is_tunnel = self.parser.get_method() == b"CONNECT"
        if version not in {"1.0", "1.1"} or hosts > 1 or (version == "1.1" and hosts == 0) or is_tunnel:
            raise HeadRefused
        if is_coded:
            self._refusal = (501, _UNKNOWN_CODING)
            raise HeadRefused
        if not self.parser.should_upgrade() or self._should_upgrade():
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a request; one that is read again has not begun."""
        if not self.parser.should_upgrade():
            self.scope[WHOLE] = True  # type: ignore[literal-required]  # uvicorn's scope is ours too
            super().on_message_complete()

    def _start_deadline(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._give_up)

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self._is_in_head:
            self._refuse(408, _TOO_SLOW)
        else:
            self.transport.close()

    def _refuse(self, status: int, text: Text) -> None:
        """Answer, unless an answer is on its way, and end the connection."""
        if self.transport.is_closing():
            return
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            self.transport.write(_refusal(status, text))
        self.transport.close()


def _refusal(status: int, text: Text) -> bytes:
    request_id = new_request_id()
    content = orjson.dumps(
        problem_body(code=ErrorCode.INVALID, status=status, text=text, language="vi", request_id=request_id)
    )
    headers = {
        **SAFE_HEADERS,
        "x-request-id": request_id,
        "content-type": PROBLEM_JSON,
        "content-length": str(len(content)),
        "connection": "close",
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return STATUS_LINE[status] + lines.encode("ascii") + b"\r\n" + content


def server_of(app: ASGIApp, *, host: str, port: int, wire: type[Wire] = Wire) -> uvicorn.Server:
    """Return the server of the application: HTTP/1.1 alone, behind no trusted proxy, with nothing said of itself."""
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="uvloop",
        http=wire,
        ws="websockets-sansio",
        ws_max_size=MOST_SOCKET_BYTES,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_per_message_deflate=False,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    return uvicorn.Server(config)
