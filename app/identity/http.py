"""`POST /auth/token`, `/auth/revoke`, `/auth/backchannel-logout`: what programs ask, answered in OAuth's own shapes."""

from functools import partial

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app.core.context import Context, run_step
from app.core.errors import Invalid, Text, Unavailable
from app.core.logs import log
from app.core.providers import AppClient
from app.core.requests import context_of, context_without_token, read_body, require_media_type, require_token
from app.identity import activation, apps, client_sessions, sessions
from app.identity.browser import provider_of
from app.identity.claims import BadToken
from app.identity.clients import (
    GrantType,
    OAuthCode,
    OAuthError,
    TokenForm,
    read_client_credentials,
    read_form,
    read_token_form,
)
from app.identity.proving import proven_key

router = APIRouter()
MOST_FORM_BYTES = 16_384
NO_CACHE = {"Pragma": "no-cache"}  # RFC 6749 section 5.1
# One text for every reason: whoever guesses learns nothing; the log has the reason.
_BAD_LOGOUT = Text(
    "logout_token không được chấp nhận: chữ ký, bên nhận, thời hạn hoặc nội dung không đúng, hoặc đã dùng rồi.",
    "The logout_token is not accepted: its signature, audience, times or content are wrong, or it was used before.",
)


@router.post("/auth/token")
async def token(request: Request) -> JSONResponse:
    """Answer with tokens, or with an OAuth error (RFC 6749 §5)."""
    context = context_without_token(request)
    try:
        body = await _read_form_body(request)
        form = read_token_form(body, content_type=request.headers.get("content-type"))
        answer = await _grant(form, request=request, context=context)
    except OAuthError as error:
        log.info("token refused", error=error.error, reason=error.reason, request_id=context.request_id)
        return _refusal(error)
    return JSONResponse(answer, headers=NO_CACHE)


async def _grant(form: TokenForm, *, request: Request, context: Context) -> dict[str, object]:
    known = context.house.settings.apps
    match form.grant_type:
        case GrantType.CLIENT_CREDENTIALS:
            return await _facility_token(form, context=context)
        case GrantType.AUTHORIZATION_CODE:
            code = apps.read_code_grant(form, apps=known)
            tokens = await sessions.open_session(code, phone=await _phone(request, code.app), context=context)
        case GrantType.REFRESH_TOKEN:
            renewal = apps.read_refresh_grant(form, apps=known)
            tokens = await sessions.renew(renewal, phone=await _phone(request, renewal.app), context=context)
        case GrantType.TOKEN_EXCHANGE:
            agreed = sessions.exchanging_provider(context, provider_of(request))
            asked = apps.read_exchange_grant(form, apps=known)
            phone = await _phone(request, asked.app)
            tokens = await sessions.exchange(asked, phone=phone, context=context, provider=agreed)
            return {**tokens.body(), "issued_token_type": apps.ACCESS_TOKEN_TYPE}
    return tokens.body()


async def _read_form_body(request: Request) -> bytes:
    """Return the body of what a program asks.

    :raises OAuthError: with the status of what is wrong with it: too large, too slow, compressed
    """
    try:
        return await read_body(request, most_bytes=MOST_FORM_BYTES)
    except Invalid as error:
        refusal = OAuthError(OAuthCode.INVALID_REQUEST, error.text)
        refusal.http_status = error.http_status
        raise refusal from None


async def _phone(request: Request, app: AppClient) -> sessions.Phone:
    key = await proven_key(request, app)
    return sessions.Phone(key=key, platform=apps.platform_of(request.headers.get("sokhoe-app")))


async def _facility_token(form: TokenForm, *, context: Context) -> dict[str, object]:
    asked = read_client_credentials(form)
    step = partial(client_sessions.open_session, asked=asked, context=context)
    return {
        "access_token": await run_step(context.house.ingest, step),
        "token_type": "Bearer",
        "expires_in": context.house.settings.facility_token_seconds,
        "scope": asked.granted_scope,
    }


@router.post("/auth/activations", status_code=201)
async def activate(request: Request) -> JSONResponse:
    """Answer a facility's system with a code for somebody whom it registered and who has no account yet."""
    context = context_of(request)
    require_token(context)
    require_media_type(request, accepted=frozenset({"application/json"}))
    asked = activation.read_number(await read_body(request, most_bytes=MOST_FORM_BYTES))
    made = await run_step(context.house.ingest, partial(activation.make, asked=asked, context=context))
    return JSONResponse(made.body(), status_code=201)


@router.post("/auth/revoke")
async def revoke(request: Request) -> Response:
    """End the session of a token; an unknown token is no error (RFC 7009 §2.2)."""
    context = context_without_token(request)
    try:
        body = await _read_form_body(request)
        form = read_form(body, content_type=request.headers.get("content-type"))
        asked = apps.read_revocation(form, apps=context.house.settings.apps)
        # RFC 9449 binds the use of tokens, not their return: common clients revoke without a proof.
        key = await proven_key(request, asked.app, needs_proof=False)
        await sessions.revoke(asked, phone=sessions.Phone(key=key), context=context)
    except OAuthError as error:
        return _refusal(error)
    return Response(status_code=200)


@router.post("/auth/backchannel-logout")
async def backchannel_logout(request: Request) -> Response:
    """End the sessions that the identity provider names (OpenID Connect Back-Channel Logout 1.0 §2.8)."""
    context, provider = context_without_token(request), provider_of(request)
    body = await read_body(request, most_bytes=MOST_FORM_BYTES)
    if provider is None:
        raise Unavailable
    try:
        form = read_form(body, content_type=request.headers.get("content-type"))
        ended = await sessions.end_by_provider(form.get("logout_token", ""), context=context, provider=provider)
    except (OAuthError, BadToken) as refusal:
        log.info("logout refused", reason=refusal.reason, request_id=context.request_id)
        told = refusal if isinstance(refusal, OAuthError) else OAuthError(OAuthCode.INVALID_REQUEST, _BAD_LOGOUT)
        return _refusal(told)
    log.info("signed out by the provider", sessions=ended, request_id=context.request_id)
    return Response(status_code=200)


def _refusal(error: OAuthError) -> JSONResponse:
    return JSONResponse(error.body(), status_code=error.http_status, headers={**NO_CACHE, **error.headers()})
