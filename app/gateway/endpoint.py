"""`POST /graphql`: GraphQL over HTTP. Trusted documents by id; plain documents and introspection in demo mode only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from fastapi import APIRouter, Request
from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationType,
    execute_sync,
    get_operation_ast,
)
from starlette.responses import Response

from app.compiler.refusal import NotCompilable
from app.core.context import Context
from app.core.defects import report_defect
from app.core.errors import AppError, ErrorCode, Invalid, Text, Unauthenticated, Unavailable
from app.core.requests import read_body, require_media_type, said, said_once
from app.core.strict_json import NotStrictJson, read_object
from app.gateway import limits, plans
from app.gateway.apps import check_app, check_document
from app.gateway.documents import check_valid, parsed
from app.gateway.hanging_up import ClientGone, UntilGone
from app.gateway.metrics import count_operation
from app.gateway.problems import graphql_error, headers_of, internal_graphql_error
from app.gateway.run import Answer, run
from app.gateway.trusted import UNKNOWN_DOCUMENT, document_id, trusted_operations
from app.identity.proving import challenged, shown_context, spend_proof

router = APIRouter()

MOST_BYTES = 65_536
MOST_KNOWN, MOST_KNOWN_BYTES = 512, 512
# The database ends a statement after 3 s (roles.sql); an operation has one or two of them. The rest is for a free
# connection of the pool: who waits longer than all this together gets UNAVAILABLE, and the work is cancelled.
MOST_SECONDS = 5
GRAPHQL_RESPONSE = "application/graphql-response+json"
JSON = "application/json"
MOST_MEDIA_RANGES = 20
_WEIGHT = re.compile(r"0(\.[0-9]{0,3})?|1(\.0{0,3})?")
CLIENT_GONE = 499  # for the log alone
# Answered with 200 to a client that asks for application/json: it takes any other status for a broken network.
REQUEST_ERRORS = frozenset({ErrorCode.INVALID, ErrorCode.TOO_COMPLEX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The body of a request."""

    query: str | None
    document_id: str | None
    operation_name: str | None
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plain:
    """A plain document of demo mode: compiled, or left to the schema's own introspection."""

    operation: plans.Operation | None
    document: DocumentNode
    operation_name: str | None


@router.post("/graphql")
async def graphql(request: Request) -> Response:
    """Answer one operation."""
    accept = ",".join(said(request.scope, b"accept"))
    media_type = media_type_of(accept)
    asked: Asked | None = None
    try:
        context = shown_context(request)
        try:
            check_app(said_once(request.scope, b"sokhoe-app"), oldest=context.house.settings.oldest_app_version)
            require_media_type(request, accepted=frozenset({JSON}))
            asked = _asked(await read_body(request, most_bytes=MOST_BYTES))
            return await _answer(asked, request=request, context=context, media_type=media_type)
        finally:
            await spend_proof(context)  # what was refused, too, was asked once
    except AppError as error:
        if isinstance(error, Unauthenticated):
            challenged(error, request)
        entry = graphql_error(error, language=request.state.language)
        is_answer = asked is not None and error.code in REQUEST_ERRORS and is_legacy(accept)
        status = 200 if is_answer else error.http_status
        return _errors(entry, status=status, media_type=media_type, headers=headers_of(error))
    except ClientGone:
        return Response(status_code=CLIENT_GONE)
    except Exception as error:  # noqa: BLE001 - nothing of a defect leaves but its id
        report_defect(error, request_id=request.state.request_id)
        entry = internal_graphql_error(language=request.state.language, request_id=request.state.request_id)
        return _errors(entry, status=500, media_type=media_type, headers={})


async def _answer(asked: Asked, *, request: Request, context: Context, media_type: str) -> Response:
    headers: dict[str, str] = {}
    if asked.document_id is not None:
        known_document = trusted_operations().get(asked.document_id)
        operation = plans.trusted(asked.document_id)
        if known_document is None:
            raise Invalid(UNKNOWN_DOCUMENT)
        if operation is None:
            raise _only_by_socket()
        if asked.operation_name not in {None, operation.name}:
            raise _no_such_operation()
        headers |= check_document(known_document, now=context.house.clock())
    else:
        plain = _plain(asked, context=context)
        if plain.operation is None:
            return _introspect(plain, asked=asked, media_type=media_type)
        operation = plain.operation
    known = ",".join(said(request.scope, b"if-none-match"))
    try:
        with UntilGone(request, most_seconds=MOST_SECONDS):
            answer = await run(operation, variables=asked.variables, context=context, if_none_match=known)
    except TimeoutError:
        raise Unavailable from None
    outcome = "unchanged" if answer.body is None else "errors" if answer.has_errors else "answered"
    count_operation(operation.name, is_trusted=asked.document_id is not None, outcome=outcome)
    return _Answered(answer, media_type=media_type, headers=headers)


class _Answered(Response):
    """What was read, its few fields made at once: the framework looks for each among those that are given."""

    def __init__(self, answer: Answer, *, media_type: str, headers: Mapping[str, str]) -> None:
        self.status_code, self.body, self.background = 200, answer.body or b"", None
        self.raw_headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        if answer.etag is not None:
            self.raw_headers.append((b"etag", answer.etag.encode()))
        if answer.body is None:
            self.status_code = 304
        else:
            length = b"%d" % len(answer.body)
            self.raw_headers += [(b"content-length", length), (b"content-type", media_type.encode())]


_known: dict[bytes, Asked] = {}
"""Bodies that hold a registered document's id and nothing of a person: most that come are the same few."""


def _asked(body: bytes) -> Asked:
    """Return what a body asks, as `read_request`."""
    asked = _known.get(body)
    if asked is None:
        asked = read_request(body)
        if not asked.variables and asked.document_id in trusted_operations() and len(body) < MOST_KNOWN_BYTES:
            if len(_known) >= MOST_KNOWN:
                _known.clear()
            _known[body] = asked
    return asked


def read_request(body: bytes) -> Asked:
    """Read the JSON body.

    :raises Invalid: naming what is wrong with it
    """
    try:
        sent = read_object(body)
    except NotStrictJson:
        raise _invalid(
            "nội dung phải là một đối tượng JSON hợp lệ, không lặp khóa, không lồng quá sâu",
            "the body must be one JSON object without repeated keys, not nested too deeply",
        ) from None
    query, known = _text(sent, "query"), _text(sent, "documentId")
    if (query is None) == (known is None):
        raise _invalid(
            "phải có đúng một trong `query` và `documentId`", "exactly one of `query` and `documentId` is needed"
        )
    _members(sent, "extensions")
    return Asked(
        query=query,
        document_id=known,
        operation_name=_text(sent, "operationName"),
        variables=_members(sent, "variables"),
    )


def _text(sent: Mapping[str, object], key: str) -> str | None:
    value = sent.get(key)
    if value is not None and not isinstance(value, str):
        raise _invalid(f"`{key}` phải là một chuỗi", f"`{key}` must be a string")
    return value


def _members(sent: Mapping[str, object], key: str) -> dict[str, Any]:
    value = sent.get(key)
    if value is not None and not isinstance(value, dict):
        raise _invalid(f"`{key}` phải là một đối tượng", f"`{key}` must be an object")
    return value or {}


def _invalid(vi: str, en: str) -> Invalid:
    return Invalid(Text(f"Yêu cầu GraphQL không hợp lệ: {vi}.", f"Not a valid GraphQL request: {en}."))


def _no_such_operation() -> Invalid:
    return _invalid(
        "không có operation này, hoặc có nhiều operation mà thiếu `operationName`",
        "there is no such operation, or several and no `operationName`",
    )


def _only_by_socket() -> Invalid:
    return _invalid("subscription chỉ chạy qua WS /graphql", "a subscription goes over WS /graphql alone")


def _plain(asked: Asked, *, context: Context) -> _Plain:
    if not context.house.settings.demo:
        raise Invalid(
            Text("Chỉ nhận truy vấn đã đăng ký (documentId).", "Only registered operations are accepted (documentId).")
        )
    return _prepared(asked.query or "", asked.operation_name)


@lru_cache(maxsize=128)
def _prepared(query: str, operation_name: str | None) -> _Plain:
    document = parsed(query)
    operation = get_operation_ast(document, operation_name)
    if operation is None:
        raise _no_such_operation()
    limits.check_document(document, operation)
    check_valid(document, schema=_core_schema())
    if limits.is_introspection(operation, document):
        return _Plain(operation=None, document=document, operation_name=operation_name)
    limits.check_unmixed(operation, document)
    if operation.operation is OperationType.SUBSCRIPTION:
        raise _only_by_socket()
    try:
        compiled = plans.compile_plain(document, operation_name=operation_name, key=document_id(query))
    except NotCompilable as error:
        raise _invalid(f"chưa hỗ trợ {error.reason}", f"not supported: {error.reason}") from error
    limits.check_cost(compiled.plan.cost)
    return _Plain(operation=compiled, document=document, operation_name=operation_name)


def _core_schema() -> GraphQLSchema:
    return plans.index().schema


def _introspect(plain: _Plain, *, asked: Asked, media_type: str) -> Response:
    result = execute_sync(
        _core_schema(),
        plain.document,
        variable_values=asked.variables,
        operation_name=plain.operation_name,
    )
    if result.errors:
        raise _invalid("biến hoặc tham số không hợp lệ", "a variable or argument is not valid")
    return Response(orjson.dumps(result.formatted), media_type=media_type)


@lru_cache(maxsize=256)
def media_type_of(accept: str) -> str:
    """Return the media type of the answer: the older one for a client that prefers it by name, or takes anything.

    Source: GraphQL over HTTP, Media Types (audits 47DE, 80D8); RFC 9110 section 12.5.1.
    """
    wanted = _wanted(accept)
    if GRAPHQL_RESPONSE in wanted:
        return JSON if wanted.get(JSON, 0) > wanted[GRAPHQL_RESPONSE] else GRAPHQL_RESPONSE
    return GRAPHQL_RESPONSE if wanted.keys().isdisjoint({JSON, "*/*", ""}) else JSON


def is_legacy(accept: str) -> bool:
    """Tell whether a client asks for `application/json` by name: who takes anything can read a status."""
    return JSON in _wanted(accept) and media_type_of(accept) == JSON


@lru_cache(maxsize=256)
def _wanted(accept: str) -> Mapping[str, float]:
    wanted = {}
    for part in accept.split(",")[:MOST_MEDIA_RANGES]:
        named, *parameters = (piece.strip().lower() for piece in part.split(";"))
        said = next((one.removeprefix("q=") for one in parameters if one.startswith("q=")), "1")
        weight = float(said) if _WEIGHT.fullmatch(said) else 1.0
        if weight > 0:
            wanted[named] = weight
    return wanted


def _errors(entry: dict[str, Any], *, status: int, media_type: str, headers: Mapping[str, str]) -> Response:
    return Response(orjson.dumps({"errors": [entry]}), status_code=status, media_type=media_type, headers=headers)
