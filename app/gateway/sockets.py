"""`WS /graphql`: subscriptions over graphql-transport-ws, and nothing else.

Source: GraphQL over WebSocket Protocol (graphql-transport-ws). A connection says who it is once, in the upgrade's
headers or in `connection_init`, and every look for news judges the session again.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    execute_sync,
    get_argument_values,
    get_operation_ast,
)
from starlette.requests import Request

from app.compiler.plan import coerced
from app.core.context import Context, House
from app.core.defects import report_defect
from app.core.errors import AppError, Invalid, Text, Unauthenticated, Unavailable
from app.core.ids import new_request_id
from app.core.strict_json import NotStrictJson, read_object
from app.gateway import limits, plans
from app.gateway.apps import check_document
from app.gateway.documents import check_valid, parsed
from app.gateway.middleware import language_of
from app.gateway.problems import graphql_error, internal_graphql_error
from app.gateway.trusted import UNKNOWN_DOCUMENT, trusted_operations
from app.identity.dpop import NonceWanted
from app.identity.proving import proven_context
from app.notifications import live
from app.notifications.subscription import BookEvent, BookEventKind

router = APIRouter()

PROTOCOL = "graphql-transport-ws"
INIT_SECONDS = 5.0
IDLE_SECONDS = 60.0
MOST_SUBSCRIPTIONS = 3
MOST_SOCKETS = 1000
BAD, NOBODY, FOREIGN, SLOW, TWICE, TOO_MANY = 4400, 4401, 4403, 4408, 4409, 4429
AWAY = 1013  # try again later (RFC 6455 registry)


class _Closed(Exception):
    """The connection ends with a code and a reason of the protocol."""

    def __init__(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        super().__init__(reason)


@dataclass(slots=True)
class _Sockets:
    """How many connections this process has."""

    open: int = 0


SOCKETS = _Sockets()


@router.websocket("/graphql")
async def subscribe(socket: WebSocket) -> None:
    """Serve one connection."""
    house: House = socket.app.state.house
    if PROTOCOL not in socket.scope.get("subprotocols", ()) or _is_foreign(socket, house):
        await socket.close(FOREIGN)
        return
    await socket.accept(subprotocol=PROTOCOL)
    SOCKETS.open += 1
    connection = _Connection(socket, house, socket.app.state.ear)
    try:
        await connection.serve()
    except _Closed as closed:
        with suppress(RuntimeError, WebSocketDisconnect):
            await socket.close(closed.code, closed.reason)
    except WebSocketDisconnect:
        pass
    finally:
        SOCKETS.open -= 1
        await connection.stop()


def _is_foreign(socket: WebSocket, house: House) -> bool:
    """Tell whether a page of another site opened the connection: browsers say so, apps say nothing."""
    origin = socket.headers.get("origin")
    own = urlsplit(house.settings.public_url)
    return origin is not None and origin != f"{own.scheme}://{own.netloc}"


@dataclass(slots=True)
class _Connection:
    socket: WebSocket
    house: House
    ear: live.Ear
    context: Context | None = None
    running: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    async def serve(self) -> None:
        """Take messages until the client goes away, or must."""
        if SOCKETS.open > MOST_SOCKETS:
            raise _Closed(TOO_MANY, "Too many connections")
        self.context = await self._context(await self._initialised())
        await self._judge(self.context)
        await self._send({"type": "connection_ack"})
        while True:
            message = await self._receive(None if self.running else IDLE_SECONDS, SLOW, "Idle")
            match message.get("type"):
                case "connection_init":
                    raise _Closed(TOO_MANY, "Too many initialisation requests")
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case "subscribe":
                    self._begin(message)
                case "complete":
                    task = self.running.pop(str(message.get("id")), None)
                    if task is not None:
                        task.cancel()
                case _:
                    raise _Closed(BAD, "Invalid message")

    async def _initialised(self) -> object:
        """Return what `connection_init` says. A ping is answered before it too, and gives no more time."""
        give_up_at = time.monotonic() + INIT_SECONDS
        while True:
            left = give_up_at - time.monotonic()
            message = await self._receive(left, SLOW, "Connection initialisation timeout")
            match message.get("type"):
                case "connection_init":
                    return message.get("payload")
                case "ping":
                    await self._send({"type": "pong"})
                case "pong":
                    pass
                case _:
                    raise _Closed(NOBODY, "Unauthorized")

    async def stop(self) -> None:
        """End all subscriptions."""
        tasks = list(self.running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _receive(self, seconds: float | None, code: int, reason: str) -> dict[str, Any]:
        try:
            async with asyncio.timeout(seconds):
                text = await self._text()
        except TimeoutError:
            raise _Closed(code, reason) from None
        try:
            return read_object(text.encode())
        except (NotStrictJson, UnicodeEncodeError):
            raise _Closed(BAD, "Invalid message") from None

    async def _text(self) -> str:
        try:
            return await self.socket.receive_text()
        except KeyError:
            raise _Closed(BAD, "Invalid message") from None

    async def _context(self, payload: object) -> Context:
        said = payload if isinstance(payload, dict) else {}
        named = {name.lower(): value for name, value in said.items() if isinstance(value, str)}
        headers = [
            (name, value)
            for name, value in self.socket.scope["headers"]
            if name not in {b"authorization", b"dpop"} or name.decode() not in named
        ]
        headers += [
            (name.encode(), named[name].encode("latin-1", "replace"))
            for name in ("authorization", "dpop")
            if name in named
        ]
        language = language_of(named.get("accept-language", self.socket.headers.get("accept-language", "")))
        state = {"language": language, "request_id": new_request_id()}
        request = Request({**self.socket.scope, "type": "http", "method": "GET", "headers": headers, "state": state})
        try:
            context = await proven_context(request)
        except NonceWanted:  # there is no header any more that could tell it (RFC 9449 section 9)
            raise _Closed(NOBODY, f"use_dpop_nonce {request.state.next_nonce}") from None
        except AppError:
            raise _Closed(NOBODY, "Unauthorized") from None
        if context.token is None:
            raise _Closed(NOBODY, "Unauthorized")
        return context

    async def _judge(self, context: Context) -> None:
        """See whether a session of a person lives behind the token, before anything is said of it."""
        try:
            await self.ear.judge(context)
        except Unauthenticated:
            raise _Closed(NOBODY, "Unauthorized") from None
        except Unavailable:
            raise _Closed(AWAY, "Service unavailable") from None

    def _begin(self, message: Mapping[str, Any]) -> None:
        name, payload = message.get("id"), message.get("payload")
        if not isinstance(name, str) or not name or not isinstance(payload, dict):
            raise _Closed(BAD, "Invalid message")
        if name in self.running:
            raise _Closed(TWICE, f"Subscriber for {name[:100]} already exists")
        if len(self.running) >= MOST_SUBSCRIPTIONS:
            raise _Closed(TOO_MANY, "Too many subscriptions")
        self.running[name] = asyncio.create_task(self._run(name, payload))

    async def _run(self, name: str, payload: Mapping[str, Any]) -> None:
        context = self.context
        if context is None:
            return
        try:
            asked = _read(payload, house=self.house)
            await self._tell(name, asked, context)
            await self._send({"type": "complete", "id": name})
        except Unauthenticated:
            with suppress(RuntimeError):
                await self.socket.close(NOBODY, "Unauthorized")
        except AppError as error:
            await self._send(
                {"type": "error", "id": name, "payload": [graphql_error(error, language=context.language)]}
            )
        except (asyncio.CancelledError, WebSocketDisconnect, RuntimeError):
            raise
        except Exception as error:  # noqa: BLE001 - nothing of a defect leaves but its id
            report_defect(error, request_id=context.request_id)
            entry = internal_graphql_error(language=context.language, request_id=context.request_id)
            await self._send({"type": "error", "id": name, "payload": [entry]})
        finally:
            if self.running.get(name) is asyncio.current_task():  # a completed one's id may be in use again
                del self.running[name]

    async def _tell(self, name: str, asked: "_Asked", context: Context) -> None:
        listening = await self.ear.listen(
            context,
            citizen_id=asked.arguments.get("citizen_id"),
            grant_id=asked.arguments.get("grant_id"),
            after=asked.arguments.get("after"),
        )
        try:
            async for heard in listening.hear():
                await self._send({"type": "next", "id": name, "payload": _shown(asked, heard)})
        finally:
            await asyncio.shield(self.ear.leave(listening))

    async def _send(self, message: Mapping[str, Any]) -> None:
        await self.socket.send_text(orjson.dumps(message).decode())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One subscription: its document, and what its field asks."""

    document: DocumentNode
    name: str | None
    variables: dict[str, Any]
    arguments: Mapping[str, Any]


def _read(payload: Mapping[str, Any], *, house: House) -> _Asked:
    """Read what a client subscribes to.

    :raises Invalid: when it is no subscription of ours, or an unknown document
    """
    query, known = payload.get("query"), payload.get("documentId")
    variables, name = payload.get("variables") or {}, payload.get("operationName")
    if isinstance(known, str) and query is None:
        trusted = trusted_operations().get(known)
        if trusted is None:
            raise Invalid(UNKNOWN_DOCUMENT)
        check_document(trusted, now=house.clock())
        document = trusted.document
    elif isinstance(query, str) and known is None and house.settings.demo:
        document = parsed(query)
    else:
        raise _invalid()
    if not isinstance(variables, dict) or not isinstance(name, str | None):
        raise _invalid()
    return _asked(document, name=name, variables=variables)


def _asked(document: DocumentNode, *, name: str | None, variables: dict[str, Any]) -> _Asked:
    schema = plans.index().schema
    operation = get_operation_ast(document, name)
    if operation is None or operation.operation is not OperationType.SUBSCRIPTION:
        raise _invalid()
    limits.check_document(document, operation)
    check_valid(document, schema=schema)
    root = _root_field(document, operation)
    subscription = schema.subscription_type
    if root is None or subscription is None or root.name.value not in subscription.fields:
        raise _invalid()
    found = coerced(variables, operation=operation, schema=schema)
    try:
        arguments = get_argument_values(subscription.fields[root.name.value], root, found)
    except GraphQLError:
        raise _invalid() from None
    renamed = {"citizenId": "citizen_id", "grantId": "grant_id", "after": "after"}
    return _Asked(
        document=document,
        name=name,
        variables=variables,
        arguments={renamed[key]: value for key, value in arguments.items() if value is not None},
    )


def _root_field(document: DocumentNode, operation: OperationDefinitionNode) -> FieldNode | None:
    """Return the one root field of a valid subscription, in a fragment too."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    node: SelectionNode = operation.selection_set.selections[0]
    while not isinstance(node, FieldNode):
        if isinstance(node, FragmentSpreadNode):
            node = fragments[node.name.value].selection_set.selections[0]
        elif isinstance(node, InlineFragmentNode):
            node = node.selection_set.selections[0]
        else:
            return None
    return node


def _invalid() -> Invalid:
    return Invalid(
        Text(
            "Đây không phải một subscription hợp lệ của bookEvents.", "This is not a valid subscription to bookEvents."
        )
    )


def _shown(asked: _Asked, heard: live.Heard) -> dict[str, Any]:
    """Return an event as the document asks for it."""
    event = BookEvent(
        cursor=heard.cursor,
        kind=BookEventKind[heard.kind],
        subject_id=heard.subject_id,  # type: ignore[arg-type]  # an ID is a string
        at=heard.at,
    )
    result = execute_sync(
        plans.index().schema,
        asked.document,
        root_value=event,
        variable_values=asked.variables,
        operation_name=asked.name,
    )
    return dict(result.formatted)
