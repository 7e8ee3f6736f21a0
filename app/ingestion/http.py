"""The hospitals' door: `/ingest`. A message is kept before it is understood; the receipt tells what became of it."""

import asyncio
import base64
import binascii
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BeforeValidator
from starlette.responses import JSONResponse

from app.core.clock import moment_text
from app.core.context import Context, run_step
from app.core.crypto import FieldSealer, Place, Vault
from app.core.db import Session
from app.core.errors import Conflict, Invalid, NotFound, Text
from app.core.outcomes import FHIR_JSON
from app.core.requests import (
    announced_bytes,
    context_of,
    house_of,
    read_body,
    read_large_body,
    require_media_type,
    require_token,
    said,
)
from app.ingestion import answers, bundle_judging, fhir, formats, judging, sql, withdrawing, xml
from app.ingestion.catalogue import ProblemCode
from app.ingestion.door import SMALL_BYTES, Door
from app.ingestion.fhir.capability import capability_statement
from app.ingestion.fhir.words import FhirCode
from app.ingestion.kept import seal_message
from app.ingestion.verdict import MessageStatus, MessageVerdict, verdict_body

router = APIRouter(prefix="/ingest")

XML_TYPES = frozenset({"application/xml", "text/xml"})
FHIR_TYPES = frozenset({FHIR_JSON, "application/json"})
FHIR = "fhir"
JSON_TYPES = frozenset({"application/json"})
MOST_WITHDRAWAL_BYTES = 16_384
MOST_KEY_CHARACTERS = 255
LARGE_BYTES = 100_000  # beyond, packing and sealing run beside the event loop
MOST_PAGE = 200
BARE_PLUS = re.compile(r"(?<=\d) (?=\d\d:?\d\d$)")
ALWAYS, BEGINNING = datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0)


@router.post("/qd4750", status_code=202)
async def receive(request: Request, dry_run: Annotated[bool, Query(alias="dryRun")] = False) -> JSONResponse:  # noqa: FBT002 - a query parameter
    """Keep one envelope of Decision 4750/QD-BYT, or judge it at once when `dryRun` is true."""
    return await _receive(request, format_name="qd4750", accepted=XML_TYPES, dry_run=dry_run)


@router.post("/fhir", status_code=202)
@router.post("/fhir/", status_code=202, include_in_schema=False)  # as clients write the base of a server
async def receive_fhir(request: Request, dry_run: Annotated[bool, Query(alias="dryRun")] = False) -> JSONResponse:  # noqa: FBT002 - a query parameter
    """Keep one FHIR R4 Bundle or resource, or judge it at once when `dryRun` is true.

    A client that asks for FHIR (Accept, or Prefer: return=OperationOutcome) is answered in FHIR.
    """
    return await _receive(request, format_name=FHIR, accepted=FHIR_TYPES, dry_run=dry_run)


@router.get("/fhir/metadata")
async def metadata(request: Request) -> JSONResponse:
    """Answer with what the FHIR door takes, to anybody."""
    told = capability_statement(public_url=house_of(request).settings.public_url)
    return JSONResponse(told, media_type=FHIR_JSON)


async def _receive(request: Request, *, format_name: str, accepted: frozenset[str], dry_run: bool) -> JSONResponse:
    context = context_of(request)
    token = require_token(context)
    key = _idempotency_key(request)
    require_media_type(request, accepted=accepted)
    announced = announced_bytes(request)
    if not dry_run and announced is not None and announced <= SMALL_BYTES:  # keeping it knows the caller
        body = await read_body(request, most_bytes=SMALL_BYTES)
        try:
            _check_language(body, format_name=format_name)
            formats.check_outside(body)
        except Invalid:
            await _calling_facility(context, token)  # who may not send at all is told that first
            raise
        sealed = await _sealed(body, context=context)
        return _kept(request, await _keep(sealed, format_name=format_name, token=token, key=key, context=context))
    facility = await _calling_facility(context, token)
    door: Door = request.app.state.door
    async with door.uploads.turn(facility, announced_bytes=announced):
        large = await read_large_body(request, most_bytes=xml.MAX_MESSAGE_BYTES)
        door.uploads.charge(facility, size_bytes=len(large))
        _check_language(large, format_name=format_name)
        await door.check(large)
        if dry_run:
            message = await door.read(large)
            told = verdict_body(_judged(message, facility_code=facility, now=context.now))
            return _told(request, told, language=context.language) or JSONResponse({"dryRun": True, **told})
        sealed = await _sealed(large, context=context)
        del large  # ten megabytes, perhaps, and no longer needed
        kept = await _keep(sealed, format_name=format_name, token=token, key=key, context=context)
    return _kept(request, kept)


def _kept(request: Request, kept: sql.KeptMessage) -> JSONResponse:
    place = {"Location": f"/ingest/messages/{kept.id}"}
    if _wants_fhir(request):
        told = answers.received(message_id=str(kept.id), language=request.state.language)
        return JSONResponse(told, status_code=202, media_type=FHIR_JSON, headers=place)
    return JSONResponse(_summary(kept.id, kept.received_at, kept.status), status_code=202, headers=place)


async def _calling_facility(context: Context, token: str) -> str:
    return await run_step(context.house.ingest, partial(sql.calling_facility, token=token))


def _check_language(body: bytes | bytearray, *, format_name: str) -> None:
    """Refuse XML at the door for FHIR, and JSON at the door for XML: each is read as what its door says."""
    if format_name == FHIR and not formats.is_fhir(body):
        if len(body) <= SMALL_BYTES:  # else it is not looked at in this process
            fhir.read_document(bytes(body))
        raise fhir.FhirRefused(FhirCode.NOT_A_RESOURCE)
    if format_name != FHIR and formats.is_fhir(body):
        if len(body) <= SMALL_BYTES:
            xml.check_outside(bytes(body))
        raise xml.XmlRefused(ProblemCode.XML_NOT_XML)


def _judged(message: formats.Reading, *, facility_code: str, now: datetime) -> MessageVerdict:
    if isinstance(message, fhir.FhirMessage):
        return bundle_judging.judge_bundle(message, facility_code=facility_code, now=now)
    return judging.judge_reading(message, facility_code=facility_code, now=now, received_at=now)


def _wants_fhir(request: Request) -> bool:
    """Tell whether the client asks for an answer in FHIR. Source: RFC 7240; FHIR R4 http.html#ops."""
    accept, prefer = (",".join(said(request.scope, name)).lower() for name in (b"accept", b"prefer"))
    return FHIR_JSON in accept or "return=operationoutcome" in prefer


def _told(request: Request, verdict: dict[str, Any] | None, *, language: str) -> JSONResponse | None:
    """Return a verdict in FHIR where there is one and the client asks for it."""
    if not verdict or not _wants_fhir(request):
        return None
    return JSONResponse(answers.answer(verdict, language=language), media_type=FHIR_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sealed:
    message_id: UUID
    digest: bytes
    size_bytes: int
    sealed: bytearray


async def _sealed(body: bytes | bytearray, *, context: Context) -> _Sealed:
    seal = partial(_seal, body, message_id=context.new_id(), sealer=context.house.vault.sealer)
    return await asyncio.to_thread(seal) if len(body) > LARGE_BYTES else seal()


def _seal(body: bytes | bytearray, *, message_id: UUID, sealer: FieldSealer) -> _Sealed:
    return _Sealed(
        message_id=message_id,
        digest=hashlib.sha256(body).digest(),
        size_bytes=len(body),
        sealed=seal_message(body, message_id=message_id, sealer=sealer),
    )


async def _keep(
    message: _Sealed, *, format_name: str, token: str, key: str | None, context: Context
) -> sql.KeptMessage:
    step = partial(
        sql.keep_message,
        token=token,
        message_id=message.message_id,
        format_name=format_name,
        digest=message.digest,
        size_bytes=message.size_bytes,
        idempotency_key=key,
        sealed=message.sealed,
    )
    return await _keeping(context, step)


async def _keeping(context: Context, step: Callable[[Session], Awaitable[sql.KeptMessage]]) -> sql.KeptMessage:
    try:
        return await run_step(context.house.ingest, step)
    except Conflict as error:
        raise Conflict(
            Text(
                "Idempotency-Key này đã được dùng với nội dung khác.",
                "This Idempotency-Key was used with other bytes.",
            )
        ) from error


@router.post("/withdrawals", status_code=202)
async def withdraw(request: Request) -> JSONResponse:
    """Keep the withdrawal of a visit, or of one record of it, that the facility sent in error."""
    context = context_of(request)
    token = require_token(context)
    key = _idempotency_key(request)
    require_media_type(request, accepted=JSON_TYPES)
    facility = await _calling_facility(context, token)
    body = await read_body(request, most_bytes=MOST_WITHDRAWAL_BYTES)
    asked = withdrawing.read_request(body)
    if asked.facility_code not in {None, facility}:
        raise NotFound
    message_id = context.new_id()
    step = partial(
        sql.keep_withdrawal,
        token=token,
        message_id=message_id,
        digest=hashlib.sha256(body).digest(),
        size_bytes=len(body),
        idempotency_key=key,
        sealed=seal_message(body, message_id=message_id, sealer=context.house.vault.sealer),
        target=sql.Target(visit=asked.visit, kind=asked.kind, key=asked.key),
    )
    kept = await _keeping(context, step)
    return JSONResponse(_summary(kept.id, kept.received_at, kept.status), status_code=202)


@router.get("/messages/{message_id}")
async def receipt(request: Request, message_id: str) -> JSONResponse:
    """Answer with the receipt of one of the facility's own messages."""
    context = context_of(request)
    token = require_token(context)
    try:
        wanted = UUID(message_id)
    except ValueError as error:
        raise NotFound from error
    found = await run_step(context.house.ingest, partial(sql.receipt, token=token, message_id=wanted))
    if found is None:
        raise NotFound
    in_fhir = _told(request, found.verdict, language=context.language)
    return in_fhir or JSONResponse({**_receipt(found), **_details(found)})


def _with_plus(told: object) -> object:
    """Give a time zone its plus again: written bare in an address, as in `T00:00:00+07:00`, it comes as a space."""
    return BARE_PLUS.sub("+", told) if isinstance(told, str) and "T" in told else told


@router.get("/messages")
async def receipts(
    request: Request,
    since: Annotated[datetime | None, BeforeValidator(_with_plus), Query()] = None,
    status: Annotated[MessageStatus | None, Query()] = None,
    after: Annotated[str | None, Query(max_length=200)] = None,
    first: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 100,
) -> JSONResponse:
    """Answer with a page of the facility's own messages, oldest first; `next` continues the list."""
    context = context_of(request)
    token = require_token(context)
    start, after_id = _cursor(after, since=since)
    step = partial(sql.receipts, token=token, since=start, after_id=after_id, status=status, page=first + 1)
    found = await run_step(context.house.ingest, step)
    page = found[:first]
    more = _cursor_after(page[-1]) if len(found) > first else None
    return JSONResponse({"messages": [_receipt(one) for one in page], "next": more})


@router.get("/corrections")
async def corrections(
    request: Request,
    after: Annotated[str | None, Query(max_length=200)] = None,
    first: Annotated[int, Query(ge=1, le=MOST_PAGE)] = 100,
) -> JSONResponse:
    """Answer with what people ask the facility to correct, oldest first; `next` continues the list."""
    context = context_of(request)
    token = require_token(context)
    start, after_id = _cursor(after, since=None)
    step = partial(sql.corrections, token=token, since=start, after_id=after_id, page=first + 1)
    found = await run_step(context.house.ingest, step)
    page = found[:first]
    told = [_correction(one, vault=context.house.vault) for one in page]
    more = _cursor_of(page[-1].requested_at, page[-1].id) if len(found) > first else None
    return JSONResponse({"corrections": told, "next": more})


def _correction(found: sql.CorrectionAsked, *, vault: Vault) -> dict[str, Any]:
    place = Place(table="auth.correction", column="words_sealed", row_id=found.id)
    return {
        "id": str(found.id),
        "kind": found.kind,
        "visit": found.visit,
        "key": found.key,
        "description": vault.sealer.open(found.words, place=place).decode(),
        "requestedAt": moment_text(found.requested_at),
        "answerBy": found.answer_by.isoformat(),
        "correctBy": found.correct_by.isoformat(),
    }


def _idempotency_key(request: Request) -> str | None:
    keys = said(request.scope, b"idempotency-key")
    if not keys:
        return None
    if len(keys) > 1:
        raise Invalid(Text("Idempotency-Key chỉ được gửi một lần.", "Idempotency-Key must be sent once."))
    (key,) = keys
    if not (0 < len(key) <= MOST_KEY_CHARACTERS and key.isascii() and key.isprintable()):
        raise Invalid(
            Text(
                f"Idempotency-Key phải gồm 1 đến {MOST_KEY_CHARACTERS} ký tự ASCII in được.",
                f"Idempotency-Key must be 1 to {MOST_KEY_CHARACTERS} printable ASCII characters.",
            )
        )
    return key


def _summary(message_id: UUID, received_at: datetime, status: str) -> dict[str, Any]:
    return {"messageId": str(message_id), "receivedAt": moment_text(received_at), "status": status}


def _receipt(found: sql.Receipt) -> dict[str, Any]:
    return {
        **_summary(found.id, found.received_at, found.status),
        "concludedAt": None if found.concluded_at is None else moment_text(found.concluded_at),
        "sizeBytes": found.size_bytes,
    }


def _details(found: sql.Receipt) -> dict[str, Any]:
    told = {name: value for name, value in (found.verdict or {}).items() if name != "status"}
    since = {
        visit: {"withdrawnAt": moment_text(datetime.fromisoformat(at))} for visit, at in (found.withdrawn or {}).items()
    }
    if since:
        told["visits"] = [one | since.get(one["visit"], {}) for one in told.get("visits", ())]
    return told


def _cursor_after(last: sql.Receipt) -> str:
    return _cursor_of(last.received_at, last.id)


def _cursor_of(moment: datetime, row_id: UUID) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()}|{row_id}".encode()).decode()


def _cursor(after: str | None, *, since: datetime | None) -> tuple[datetime, UUID]:
    if after is None:
        return (ALWAYS if since is None else _in_utc(since, name="since")), BEGINNING
    try:
        moment, _, message_id = base64.urlsafe_b64decode(after).decode("ascii").partition("|")
        return _in_utc(datetime.fromisoformat(moment), name="after"), UUID(message_id)
    except (binascii.Error, ValueError) as error:
        raise Invalid(Text("`after` không hợp lệ.", "`after` is not valid.")) from error


def _in_utc(moment: datetime, *, name: str) -> datetime:
    if moment.tzinfo is None:
        raise Invalid(Text(f"`{name}` phải có múi giờ (RFC 3339).", f"`{name}` must have a time zone (RFC 3339)."))
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:  # the first or the last day of the calendar, elsewhere
        raise Invalid(Text(f"`{name}` không hợp lệ.", f"`{name}` is not valid.")) from error
