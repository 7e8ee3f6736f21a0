"""Plans come in by the hospitals' door; calendars go out to whoever has their address."""

import hashlib
import re
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from app.appointments import publishing, reading, sql
from app.appointments.schedules import ScheduleProblem
from app.appointments.sql import CalendarEntry
from app.core.context import Context, run_step
from app.core.errors import Conflict, ErrorCode, NotFound, Text
from app.core.ids import known_id
from app.core.requests import context_of, context_without_token, read_body, require_media_type, require_token
from app.identity.proving import proven_context

router = APIRouter()

JSON, CSV = "application/json", "text/csv"
MOST_PLAN_BYTES: Final = 2_000_000
CALENDAR: Final = "text/calendar; charset=utf-8"
SECRET: Final = re.compile(r"[A-Za-z0-9_-]{20,100}")
_WRONG: Final = Text(
    "Lịch làm việc có lỗi; không khung giờ nào được công bố.", "The plan has errors; nothing was published."
)
_TWICE: Final = Text(
    "Một người hành nghề không thể ở hai nơi cùng lúc: hãy xem lại các lịch của người này.",
    "A practitioner cannot be at two places at once: look at this practitioner's schedules.",
)


@router.post("/ingest/schedules")
async def publish(request: Request, dry_run: Annotated[bool, Query(alias="dryRun")] = False) -> JSONResponse:  # noqa: FBT002 - a query parameter
    """Publish schedules in place of what was published of them before, or judge them when `dryRun` is true."""
    context = context_of(request)
    token = require_token(context)
    require_media_type(request, accepted=frozenset({JSON, CSV}))
    await run_step(context.house.ingest, partial(sql.calling_facility, token=token))
    body = await read_body(request, most_bytes=MOST_PLAN_BYTES)
    is_csv = request.headers.get("content-type", "").lower().startswith(CSV)
    plan = reading.read_csv(body) if is_csv else reading.read_json(body)
    arrived, problems = publishing.arrived_of(plan, now=context.now, new_id=context.new_id)
    if problems:
        return _refusal(problems, context=context)
    if dry_run:
        counted = [{"code": one["code"], "slots": len(one["slots"])} for one in arrived]
        return JSONResponse({"dryRun": True, "status": "accepted", "schedules": counted})
    step = partial(sql.publish_schedules, token=token, arrived=[*arrived], told=plan.terms)
    try:
        published = await run_step(context.house.ingest, step)
    except Conflict as error:
        raise Conflict(_TWICE) from error
    return JSONResponse({"status": "published", "schedules": published})


def _refusal(problems: tuple[ScheduleProblem, ...], *, context: Context) -> JSONResponse:
    body = {
        "type": "about:blank",
        "title": _WRONG.in_language(context.language),
        "status": 400,
        "code": ErrorCode.INVALID.value,
        "vi": _WRONG.vi,
        "en": _WRONG.en,
        "requestId": context.request_id,
        "problems": publishing.report_of(problems),
    }
    return JSONResponse(body, status_code=400, media_type="application/problem+json")


@router.get("/calendar/{secret}.ics")
async def feed(request: Request, secret: str) -> Response:
    """Answer with a citizen's appointments; the address is the key, so that whatever is wrong with it looks alike."""
    context = context_without_token(request)
    if not SECRET.fullmatch(secret):
        raise NotFound
    entries = await run_step(context.house.desk_steps, partial(sql.calendar, secret=secret))
    file = _file(entries, context=context)
    headers = {"ETag": f'"{hashlib.sha256(file).hexdigest()[:32]}"'}
    if _is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(file, media_type=CALENDAR, headers=headers)


def _is_known(request: Request, etag: str) -> bool:
    """Tell whether the client has this very file. Dates do not tell: a second may have two changes."""
    tags = ",".join(request.headers.getlist("if-none-match")).split(",")
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in tags)


@router.get("/calendar/appointments/{appointment_id}.ics")
async def one(request: Request, appointment_id: str) -> Response:
    """Answer with one appointment of the signed-in citizen, to be put into a calendar."""
    context = await proven_context(request)
    step = partial(
        sql.own_entry,
        token=require_token(context),
        proof_key=context.proof_key,
        appointment=known_id(appointment_id),
    )
    entry = await run_step(context.house.desk_steps, step)
    if entry is None:
        raise NotFound
    file = _file([entry], context=context)
    return Response(
        file, media_type=CALENDAR, headers={"Content-Disposition": 'attachment; filename="lich-hen-kham.ics"'}
    )


def _file(entries: Sequence[CalendarEntry], *, context: Context) -> bytes:
    from app.appointments.calendar import Publisher, calendar_file  # noqa: PLC0415 - 3 MB, for whoever has a calendar

    host = urlsplit(context.house.settings.public_url).hostname
    return calendar_file(entries, publisher=Publisher(host=host or "sokhoe", language=context.language))
