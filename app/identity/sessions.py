"""Sessions of people's apps: opened by a code, renewed, given back, and ended by the identity provider."""

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Final

from app.core.context import Context, run_step
from app.core.db import Session
from app.core.errors import Unavailable
from app.core.ids import new_secret
from app.core.logs import log
from app.core.providers import AppClient
from app.identity import sql
from app.identity.apps import BOOK_LEVEL, CodeGrant, ExchangeGrant, RefreshGrant, bad_grant, challenge_of
from app.identity.claims import BadToken, Claims, Profile, Reason
from app.identity.clients import OAuthError, unsupported_grant_type
from app.identity.jwt import LogoutToken, id_token_profile
from app.identity.login import admit
from app.identity.persons import Person, PersonUnclear, read_person
from app.identity.provider import IdentityProvider

MOST_EXCHANGE_AGE: Final = timedelta(minutes=5)
GOOD_OUTCOMES: Final = frozenset({"KNOWN", "REGISTERED"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Phone:
    """The app's installation that asks: the key that it proved to hold, and what it says to be."""

    key: bytes | None
    platform: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionTokens:
    """What an app gets."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    seconds: int
    scope: str
    level: int
    is_bound: bool

    def body(self) -> dict[str, object]:
        """Return the members of the JSON answer. `identity_level` is ours.

        Source: RFC 6749 section 5.1; RFC 9449 section 5.
        """
        return {
            "access_token": self.access_token,
            "token_type": "DPoP" if self.is_bound else "Bearer",
            "expires_in": self.seconds,
            "refresh_token": self.refresh_token,
            "scope": self.scope,
            "identity_level": self.level,
        }


def lives_of(app: AppClient, context: Context) -> sql.Lives:
    """Return how long a session of an app lives."""
    settings = context.house.settings
    return sql.Lives(
        access=timedelta(seconds=settings.access_token_seconds),
        idle=(
            timedelta(days=settings.device_lock_idle_days)
            if app.device_lock
            else timedelta(minutes=settings.session_idle_minutes)
        ),
        absolute=timedelta(days=settings.device_lock_days)
        if app.device_lock
        else timedelta(hours=settings.session_hours),
    )


async def open_session(asked: CodeGrant, *, phone: Phone, context: Context) -> SessionTokens:
    """Return the tokens of a login's session, bound to the key that the phone proved.

    :raises OAuthError: `invalid_grant`; a code that comes a second time has also ended the session that it opened
    """
    tokens = await run_step(context.house.porter, partial(_redeem, asked=asked, phone=phone, context=context))
    if tokens is None:
        raise bad_grant()
    return tokens


async def _redeem(session: Session, *, asked: CodeGrant, phone: Phone, context: Context) -> SessionTokens | None:
    lives, access_token, refresh_token = lives_of(asked.app, context), new_secret(), new_secret()
    opened = await sql.redeem_handoff(
        session,
        code=asked.code,
        client_id=asked.app.client_id,
        redirect_uri=asked.redirect_uri,
        challenge=asked.challenge,
        key=phone.key,
        device={
            "id": str(context.new_id()),
            "name": asked.device_name,
            "platform": phone.platform,
            "most": context.house.settings.most_devices,
        },
        session_id=context.new_id(),
        access_token=access_token,
        refresh_token=refresh_token,
        lives=lives,
    )
    if opened is None:
        return None
    scope, level = opened
    return SessionTokens(
        access_token=access_token,
        refresh_token=refresh_token,
        seconds=int(lives.access.total_seconds()),
        scope=scope,
        level=level,
        is_bound=phone.key is not None,
    )


async def renew(asked: RefreshGrant, *, phone: Phone, context: Context) -> SessionTokens:
    """Return the next tokens of a session: those that follow from the refresh token, so that a lost answer repeats.

    :raises OAuthError: `invalid_grant`; a token that was used before, or with another key, has also ended its session
    """
    settings, derive = context.house.settings, context.house.vault.derivation.secret
    access_token, refresh_token = derive("access token", asked.token), derive("refresh token", asked.token)

    async def step(session: Session) -> sql.Renewed:
        return await sql.renew_session(
            session,
            refresh_token=asked.token,
            client_id=asked.app.client_id,
            key=phone.key,
            new_access=access_token,
            new_refresh=refresh_token,
            access_life=timedelta(seconds=settings.access_token_seconds),
            grace=timedelta(seconds=settings.repeat_seconds),
        )

    renewed = await run_step(context.house.porter, step)
    if renewed.outcome not in {"RENEWED", "REPEATED"}:
        log.info("renewal refused", outcome=renewed.outcome, client=asked.app.client_id, request_id=context.request_id)
        raise bad_grant()
    return SessionTokens(
        access_token=access_token,
        refresh_token=refresh_token,
        seconds=max(renewed.seconds or 0, 0),
        scope=renewed.scope or "",
        level=renewed.level or 1,
        is_bound=phone.key is not None,
    )


async def revoke(asked: RefreshGrant, *, phone: Phone, context: Context) -> None:
    """End the session of an access or refresh token; an unknown one is no error (RFC 7009 section 2.2)."""
    step = partial(sql.revoke_token, token=asked.token, client_id=asked.app.client_id, key=phone.key)
    await run_step(context.house.porter, step)


async def end_by_provider(token: str, *, context: Context, provider: IdentityProvider) -> int:
    """End the sessions that a logout token names; returns how many.

    :raises BadToken: when the token is not one, or was used before
    :raises Unavailable: when the provider's keys cannot be fetched in time
    """
    try:
        async with asyncio.timeout(context.house.settings.provider_seconds):
            logout = await provider.logout(token, now=context.now)
    except TimeoutError:
        raise Unavailable from None
    issuer = provider.settings.issuer
    ended = await run_step(context.house.porter, partial(_end, issuer=issuer, logout=logout))
    if ended is None:
        raise BadToken(Reason.REPLAYED)
    return ended


async def _end(session: Session, *, issuer: str, logout: LogoutToken) -> int | None:
    token_id = f"logout {logout.jti}"
    if not await sql.use_token(session, issuer=issuer, token_id=token_id, useful_until=logout.expires_at):
        return None
    return await sql.end_provider_sessions(
        session, issuer=issuer, subject=logout.subject, provider_session=logout.session_id
    )


def exchanging_provider(context: Context, provider: IdentityProvider | None) -> IdentityProvider:
    """Return the provider whose identity tokens may be exchanged.

    :raises OAuthError: `unsupported_grant_type` where that is not agreed, or its tokens do not say who somebody is
    Source: Decree 69/2024 Art. 20 (a result of authentication is not used again unless agreed).
    """
    if provider is None or not context.house.settings.exchange_audiences or provider.settings.userinfo:
        raise unsupported_grant_type()
    return provider


async def exchange(
    asked: ExchangeGrant, *, phone: Phone, context: Context, provider: IdentityProvider
) -> SessionTokens:
    """Return a session for an identity token that the app holds.

    :raises OAuthError: `invalid_grant` for a token of another audience, an old or used one, and for an account below
        the level that a book needs
    :raises Unavailable: when the provider's keys cannot be fetched in time
    Source: RFC 8693 section 2.
    """
    audiences = context.house.settings.exchange_audiences
    try:
        async with asyncio.timeout(context.house.settings.provider_seconds):
            profile = _exchange_profile(provider, audiences=audiences)
            claims = await provider.exchanged_identity(asked.token, profile=profile, now=context.now)
            _check_party(claims, audiences)
            person = read_person(claims.values, provider.settings.claims)
    except TimeoutError:
        raise Unavailable from None
    except (BadToken, PersonUnclear) as refusal:
        raise _exchange_refused(refusal, context=context) from None
    if person.level < BOOK_LEVEL:
        raise _exchange_refused(None, context=context)
    step = partial(_exchange, asked=asked, claims=claims, person=person, phone=phone, context=context)
    tokens = await run_step(context.house.porter, step)
    if tokens is None:
        raise _exchange_refused(None, context=context)
    return tokens


def _exchange_profile(provider: IdentityProvider, *, audiences: frozenset[str]) -> Profile:
    settings = provider.settings
    profile = id_token_profile(
        issuer=settings.issuer,
        client_id=settings.client_id,
        algorithms=settings.algorithms,
        max_lifetime=timedelta(minutes=settings.token_minutes),
        audiences=audiences,
    )
    return replace(profile, authorized_party=None, max_age_of_iat=MOST_EXCHANGE_AGE)


def _check_party(claims: Claims, audiences: frozenset[str]) -> None:
    if "azp" in claims.values and claims.values["azp"] not in audiences:
        raise BadToken(Reason.AUTHORIZED_PARTY)


async def _exchange(
    session: Session, *, asked: ExchangeGrant, claims: Claims, person: Person, phone: Phone, context: Context
) -> SessionTokens | None:
    # A signature may exist in two forms: a token is known by what is signed.
    signed = asked.token.rpartition(".")[0]
    token_id = f"exchange {hashlib.sha256(signed.encode()).hexdigest()}"
    if not await sql.use_token(session, issuer=claims.issuer, token_id=token_id, useful_until=claims.expires_at):
        return None
    code, challenge = new_secret(), challenge_of(new_secret())
    login = sql.Login(
        issuer=claims.issuer,
        client_id=asked.app.client_id,
        redirect_uri="",
        challenge=challenge,
        app_state="",
        return_path=None,
        scope=asked.scope,
    )
    outcome = await admit(session, claims=claims, person=person, login=login, code=code, context=context)
    if outcome not in GOOD_OUTCOMES:
        return None
    grant = CodeGrant(app=asked.app, code=code, redirect_uri="", challenge=challenge)
    return await _redeem(session, asked=grant, phone=phone, context=context)


def _exchange_refused(refusal: BadToken | PersonUnclear | None, *, context: Context) -> OAuthError:
    why = refusal.reason.value if isinstance(refusal, BadToken) else str(refusal)
    log.info("exchange refused", why=why, request_id=context.request_id)
    return bad_grant()
