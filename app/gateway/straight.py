"""The straight way to what is asked most: past routing and dependency injection, which cost as much as an answer."""

from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.core.errors import AppError
from app.gateway.problems import problem_response

Answering = Callable[[Request], Awaitable[Response]]


class StraightWay:
    """ASGI middleware: answers POST on some paths itself and leaves all else, and every query, to the application."""

    def __init__(self, app: ASGIApp, *, answers: Mapping[str, Answering]) -> None:
        self._app = app
        self._ways = {path: (answer, SimpleNamespace(path=path)) for path, answer in answers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        way = self._ways.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if way is None or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        answer, scope["route"] = way  # the log names the route
        scope["app"] = self._app
        request = Request(scope, receive)
        try:
            response = await answer(request)
        except AppError as error:
            state = request.state
            response = problem_response(error, language=state.language, request_id=state.request_id, path=scope["path"])
        await response(scope, receive, send)
