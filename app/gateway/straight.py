"""The straight way to `/graphql`: past routing and dependency injection, which cost as much as the answer itself."""

from collections.abc import Awaitable, Callable
from types import SimpleNamespace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

Answering = Callable[[Request], Awaitable[Response]]


class StraightWay:
    """ASGI middleware: answers POST on one path itself and leaves all else to the application."""

    def __init__(self, app: ASGIApp, *, path: str, answer: Answering) -> None:
        self._app = app
        self._path, self._answer = path, answer
        self._route = SimpleNamespace(path=path)  # what the log names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST":
            scope["route"] = self._route
            response = await self._answer(Request(scope, receive))
            await response(scope, receive, send)
        else:
            await self._app(scope, receive, send)
