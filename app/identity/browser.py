"""`GET /auth/login` and `GET /auth/callback`: what a person's browser does on its way to the provider and back."""

import hashlib
import re
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.core.errors import Unavailable
from app.core.logs import log
from app.core.requests import context_without_token, house_of
from app.identity import login, pages
from app.identity.apps import SentBack, read_login, with_answer
from app.identity.clients import OAuthError, read_parameters
from app.identity.login import LoginEnded, Page
from app.identity.provider import IdentityProvider

router = APIRouter()
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{43}")  # of a state and of a browser: 256 bits as text
_FOUND: Final = 303
_ANSWERED: Final = (b"state=", b"code=", b"iss=", b"error=")
"""What is read of the provider's answer: it may say more, and its words for people in a form of its own."""


def provider_of(request: Request) -> IdentityProvider | None:
    """Return the identity provider of this process, if the settings name one."""
    provider: IdentityProvider | None = request.app.state.identity_provider
    return provider


@router.get("/auth/login")
async def begin_login(request: Request) -> Response:
    """Send the browser to the identity provider."""
    settings = house_of(request).settings
    try:
        asked = read_login(read_parameters(request.scope["query_string"]), apps=settings.apps)
        begun = await login.begin(asked, context=context_without_token(request), provider=_provider(request))
    except OAuthError:
        return _page(request, LoginEnded(Page.BAD_REQUEST, "app or address not registered"))
    except SentBack as wrong:
        answer = {"error": wrong.error, "iss": settings.public_url}
        return _redirect(
            with_answer(wrong.redirect_uri, answer if wrong.state is None else {**answer, "state": wrong.state})
        )
    except LoginEnded as ended:
        return _page(request, ended)
    except Unavailable:
        return _page(request, LoginEnded(Page.WE_ARE_BUSY, "database"))
    response = _redirect(begun.location)
    secure = _is_secure(request)
    response.set_cookie(
        _cookie_name(begun.state, secure=secure),
        begun.browser,
        max_age=settings.login_minutes * 60,
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/auth/callback")
async def finish_login(request: Request) -> Response:
    """Take the provider's answer and send the browser on to the app."""
    try:
        said = request.scope["query_string"].split(b"&")
        answer = read_parameters(b"&".join(one for one in said if one.startswith(_ANSWERED)))
    except OAuthError:
        return _page(request, LoginEnded(Page.NOT_THIS_LOGIN, "malformed"))
    state = answer.get("state", "")
    if not _SECRET.fullmatch(state):
        return _page(request, LoginEnded(Page.NOT_THIS_LOGIN, "no state"))
    name = _cookie_name(state, secure=_is_secure(request))
    browser = request.cookies.get(name, "")
    try:
        location = await login.finish(
            answer,
            browser=browser if _SECRET.fullmatch(browser) else "",
            context=context_without_token(request),
            provider=_provider(request),
        )
        response = _redirect(location)
    except LoginEnded as ended:
        response = _page(request, ended)
    except Unavailable:
        response = _page(request, LoginEnded(Page.WE_ARE_BUSY, "database"))
    response.delete_cookie(name, path="/", secure=_is_secure(request), httponly=True, samesite="lax")
    return response


def _provider(request: Request) -> IdentityProvider:
    provider = provider_of(request)
    if provider is None:
        raise LoginEnded(Page.PROVIDER_DOWN, "no provider in the settings")
    return provider


def _cookie_name(state: str, *, secure: bool) -> str:
    """Return the name of a login's own cookie: two logins of one browser do not disturb each other.

    `__Host-` keeps other hosts from setting it, and needs https; a demo on this machine has none.
    """
    own = hashlib.sha256(state.encode()).hexdigest()[:12]
    return f"__Host-sokhoe-login-{own}" if secure else f"sokhoe-login-{own}"


def _is_secure(request: Request) -> bool:
    return house_of(request).settings.public_url.startswith("https://")


def _redirect(location: str) -> Response:
    return RedirectResponse(location, status_code=_FOUND)


def _page(request: Request, ended: LoginEnded) -> Response:
    request_id = request.state.request_id
    log.info("not signed in", page=ended.page, why=ended.why, request_id=request_id)
    status, html = pages.page_of(ended.page, request_id=request_id, back=ended.back)
    return HTMLResponse(html, status_code=status, headers=dict(pages.HEADERS))
