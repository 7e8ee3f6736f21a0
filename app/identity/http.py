"""`POST /auth/token`: facilities' systems prove themselves by a signed assertion (SMART Backend Services)."""

from functools import partial

import structlog
from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.core.context import Context, run_step
from app.core.requests import context_without_token, read_body
from app.identity import client_sessions
from app.identity.clients import OAuthError, read_client_credentials, read_token_form

router = APIRouter()
log = structlog.get_logger()

MOST_FORM_BYTES = 16_384


@router.post("/auth/token")
async def token(request: Request) -> JSONResponse:
    """Answer with an access token, or with an OAuth error (RFC 6749 §5)."""
    context = context_without_token(request)
    content_type = request.headers.get("content-type")
    body = await read_body(request, most_bytes=MOST_FORM_BYTES)
    try:
        return JSONResponse(await _grant(body, content_type=content_type, context=context))
    except OAuthError as error:
        log.info("token refused", error=error.error, reason=error.reason, request_id=context.request_id)
        return JSONResponse(error.body(), status_code=error.http_status, headers=error.headers())


async def _grant(body: bytes, *, content_type: str | None, context: Context) -> dict[str, object]:
    asked = read_client_credentials(read_token_form(body, content_type=content_type))
    step = partial(client_sessions.open_session, asked=asked, context=context)
    answer: dict[str, object] = {
        "access_token": await run_step(context.house.ingest, step),
        "token_type": "Bearer",
        "expires_in": context.house.settings.facility_token_seconds,
    }
    return answer if asked.granted_scope is None else {**answer, "scope": asked.granted_scope}
