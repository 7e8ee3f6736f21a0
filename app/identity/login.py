"""A person signs in: to the identity provider and back, then on to the app with a one-time code.

A login is one row, good once, in one browser. Its nonce and PKCE verifier follow from its state and are stored nowhere.
Source: OpenID Connect Core section 3.1; RFC 9700 section 2.1; security.md T5, T6, E.3.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final

from app.core.context import Context, run_step
from app.core.crypto import Place
from app.core.db import Session
from app.core.errors import Unavailable
from app.core.ids import new_secret
from app.core.logs import log
from app.identity import sql
from app.identity.apps import BOOK_LEVEL, LoginAsked, acts_as_practitioner, challenge_of, scope_at, with_answer
from app.identity.claims import BadToken, Claims
from app.identity.names import name_key
from app.identity.persons import Person, PersonUnclear, Unclear, read_person
from app.identity.provider import CodeRefused, IdentityProvider, ProviderDown

NONCE: Final = "login nonce"
VERIFIER: Final = "login verifier"
NO_PRACTITIONER: Final = "NO_PRACTITIONER"
DENIED: Final = frozenset({"access_denied", "consent_required", "login_required", "interaction_required"})
BUSY: Final = frozenset({"temporarily_unavailable", "server_error"})


class Page(StrEnum):
    """What a person is shown when a sign-in ends here; one page for several reasons, so that it tells little."""

    BAD_REQUEST = "bad_request"
    NOT_THIS_LOGIN = "not_this_login"
    NOT_PROVED = "not_proved"
    NO_PERSONAL_ID = "no_personal_id"
    ORGANISATION = "organisation"
    DOES_NOT_FIT = "does_not_fit"
    ANOTHER_NUMBER = "another_number"
    NO_PRACTITIONER = "no_practitioner"
    PROVIDER_DOWN = "provider_down"
    WE_ARE_BUSY = "we_are_busy"


_PAGES: Final[Mapping[str, Page]] = {NO_PRACTITIONER: Page.NO_PRACTITIONER, "NUMBER_DIFFERS": Page.ANOTHER_NUMBER}
"""Pages by outcome, where it has one of its own."""


class LoginEnded(Exception):
    """The sign-in ends with a page; `why` is for the log, `back` is the way back to the app, once it is known."""

    def __init__(self, page: Page, why: str, *, back: str | None = None) -> None:
        self.page = page
        self.why = why
        self.back = back
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where the browser goes, and the two secrets of its login."""

    location: str = field(repr=False)
    state: str = field(repr=False)
    browser: str = field(repr=False)


def callback_url(context: Context) -> str:
    """Return where the provider sends the browser back to."""
    return f"{context.house.settings.public_url}/auth/callback"


async def begin(asked: LoginAsked, *, context: Context, provider: IdentityProvider) -> Begun:
    """Begin a login; nothing is remembered when the provider does not answer.

    :raises LoginEnded: when the provider does not answer
    """
    settings, derive = context.house.settings, context.house.vault.derivation.secret
    state, browser = new_secret(), new_secret()
    parameters = {
        "response_type": "code",
        "redirect_uri": callback_url(context),
        "scope": provider.settings.scope,
        "state": state,
        "nonce": derive(NONCE, state),
        "code_challenge": challenge_of(derive(VERIFIER, state)),
        "code_challenge_method": "S256",
    }
    if provider.settings.acr_values is not None:
        parameters["acr_values"] = provider.settings.acr_values
    if provider.settings.max_age_seconds is not None:
        parameters["max_age"] = str(provider.settings.max_age_seconds)
    back = with_answer(
        asked.redirect_uri, {"error": "temporarily_unavailable", **_state(asked.state), "iss": settings.public_url}
    )
    async with _in_time(context, back=back):
        location = await provider.authorization_url(parameters, now=context.now)
    kept: dict[str, str | None] = {
        "issuer": provider.settings.issuer,
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect_uri,
        "challenge": asked.challenge,
        "app_state": asked.state,
        "return_path": asked.return_path,
        "scope": asked.scope,
        "key_thumbprint": _hex(asked.key),
        "activation": None if asked.activation is None else _hex(activation_hash(asked.activation, context=context)),
    }
    life = timedelta(minutes=settings.login_minutes)

    async def step(session: Session) -> None:
        await sql.begin_login(session, state=state, browser=browser, asked=kept, life=life)

    await run_step(context.house.porter, step)
    return Begun(location=location, state=state, browser=browser)


async def finish(answer: Mapping[str, str], *, browser: str, context: Context, provider: IdentityProvider) -> str:
    """Return where the browser goes with the answer of the provider: to the app, with a code or a plain error.

    Whatever happens, this login is over.

    :raises LoginEnded: when there is nothing to bring to the app
    """
    state = answer.get("state", "")

    async def take(session: Session) -> sql.Login | None:
        return await sql.take_login(session, state=state, browser=browser)

    login = await run_step(context.house.porter, take)
    if login is None:
        raise LoginEnded(Page.NOT_THIS_LOGIN, "no such login")
    back = _answer(login, context, {"error": "server_error"})
    async with _in_time(context, back=back):
        metadata = await provider.metadata(now=context.now)
        issuer = answer.get("iss", None if metadata.names_issuer else login.issuer)
        if issuer != login.issuer or login.issuer != provider.settings.issuer:
            raise LoginEnded(Page.NOT_PROVED, "issuer", back=back)
        if "error" in answer:
            return _refused_there(answer["error"], login=login, context=context)
        if "code" not in answer:
            raise LoginEnded(Page.NOT_PROVED, "no code", back=back)
        claims, person = await _prove(answer["code"], state=state, context=context, provider=provider)
    code = await _admit(claims, person, login=login, context=context, back=back)
    log.info("signed in", level=person.level, client=login.client_id, request_id=context.request_id)
    where = {} if login.return_path is None else {"return": login.return_path}
    return _answer(login, context, {"code": code, **where})


@asynccontextmanager
async def _in_time(context: Context, *, back: str) -> AsyncIterator[None]:
    """Speak with the provider for so long, and say what came of it by a page."""
    try:
        async with asyncio.timeout(context.house.settings.provider_seconds):
            yield
    except TimeoutError:
        raise LoginEnded(Page.PROVIDER_DOWN, "too slow", back=back) from None
    except Unavailable as error:
        why = error.why if isinstance(error, ProviderDown) else type(error).__name__
        raise LoginEnded(Page.PROVIDER_DOWN, why, back=back) from None
    except CodeRefused:
        raise LoginEnded(Page.NOT_PROVED, "code refused", back=back) from None
    except BadToken as refusal:
        raise LoginEnded(Page.NOT_PROVED, refusal.reason.value, back=back) from None
    except PersonUnclear as unclear:
        page = {Unclear.ORGANISATION: Page.ORGANISATION, Unclear.NO_PERSONAL_ID: Page.NO_PERSONAL_ID}
        raise LoginEnded(page.get(unclear.why, Page.NOT_PROVED), unclear.why.value, back=back) from None


def _refused_there(error: str, *, login: sql.Login, context: Context) -> str:
    """Return the way back to the app with a code of our own choice: nothing of the provider's text is repeated."""
    known = "access_denied" if error in DENIED else "temporarily_unavailable" if error in BUSY else "server_error"
    log.info("not signed in", why=known, request_id=context.request_id)
    return _answer(login, context, {"error": known})


async def _prove(code: str, *, state: str, context: Context, provider: IdentityProvider) -> tuple[Claims, Person]:
    derive = context.house.vault.derivation.secret
    tokens = await provider.exchange(
        code, verifier=derive(VERIFIER, state), redirect_uri=callback_url(context), now=context.now
    )
    claims = await provider.identity(tokens, nonce=derive(NONCE, state), now=context.now)
    said: Mapping[str, object] = claims.values
    if provider.settings.userinfo:
        said = await provider.userinfo(tokens.access_token, subject=claims.subject, now=context.now)
        level = provider.settings.claims.level
        if level is not None and level in claims.values:  # what is signed outweighs what is only fetched
            said = {**said, level: claims.values[level]}
    return claims, read_person(said, provider.settings.claims)


async def _admit(claims: Claims, person: Person, *, login: sql.Login, context: Context, back: str) -> str:
    code = new_secret()

    async def step(session: Session) -> str:
        return await admit(session, claims=claims, person=person, login=login, code=code, context=context)

    outcome = await run_step(context.house.porter, step)
    if outcome not in {"KNOWN", "REGISTERED"}:
        raise LoginEnded(_PAGES.get(outcome, Page.DOES_NOT_FIT), outcome, back=back)
    return code


async def admit(
    session: Session, *, claims: Claims, person: Person, login: sql.Login, code: str, context: Context
) -> str:
    """Find or register whom the claims name and keep a one-time code for the app; returns the outcome."""
    account, outcome = await sql.admit_person(
        session,
        issuer=login.issuer,
        subject=claims.subject,
        person=_described(person, context),
        activation=login.activation if person.level >= BOOK_LEVEL else None,
    )
    if account is None:
        return outcome
    if acts_as_practitioner(login.scope) and (
        person.level < BOOK_LEVEL or not await sql.is_practitioner(session, account=account)
    ):
        return NO_PRACTITIONER
    granted = {
        "account_id": str(account),
        "level": person.level,
        "provider_session": claims.session_id,
        "client_id": login.client_id,
        "redirect_uri": login.redirect_uri,
        "challenge": login.challenge,
        "scope": scope_at(login.scope, level=person.level),
        "key_thumbprint": _hex(login.key_thumbprint),
    }
    life = timedelta(seconds=context.house.settings.handoff_seconds)
    await sql.issue_handoff(session, code=code, granted=granted, life=life)
    return outcome


def activation_hash(code: str, *, context: Context) -> bytes:
    """Return what is kept of an activation code: an HMAC, as of an identifier."""
    return context.house.vault.index.of(code, kind="ACTIVATION")


def _hex(raw: bytes | None) -> str | None:
    return None if raw is None else "\\x" + raw.hex()


def _described(person: Person, context: Context) -> dict[str, object]:
    row_id = context.new_id()
    place = Place(table="auth.identifier", column="sealed", row_id=row_id)
    vault = context.house.vault
    return {
        "id": str(context.new_id()),
        "account_id": str(context.new_id()),
        "full_name": person.full_name,
        "name_key": name_key(person.full_name),
        "birth_on": person.birth_on.isoformat(),
        "birth_precision": person.birth_precision,
        "sex": person.sex,
        "identifier": {
            "id": str(row_id),
            "lookup": "\\x" + vault.index.of(person.personal_id, kind="PERSONAL_ID").hex(),
            "sealed": "\\x" + vault.sealer.seal(person.personal_id.encode(), place=place).hex(),
        },
    }


def _answer(login: sql.Login, context: Context, answer: Mapping[str, str]) -> str:
    """Return the app's address with our answer, its state and our name. Source: RFC 9207 section 2."""
    return with_answer(
        login.redirect_uri, {**answer, **_state(login.app_state), "iss": context.house.settings.public_url}
    )


def _state(sent: str) -> dict[str, str]:
    return {"state": sent} if sent else {}
