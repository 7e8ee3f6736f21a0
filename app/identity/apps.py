"""What an app asks for: a login in the browser, then tokens. Text comes in, a checked request or a refusal goes out.

Knows no database and no HTTP. Apps are public clients (RFC 8252): their proof is PKCE with S256 and the claimed link.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final
from urllib.parse import urlencode

from app.core.codes import BadCode, read_code
from app.core.errors import Text
from app.core.providers import AppClient
from app.core.words import words
from app.identity.clients import OAuthCode, OAuthError, TokenForm
from app.identity.jwk import decode_segment, encode_segment

BOOK_SCOPE: Final = "patient/*.rs"
PRACTITIONER_SCOPE: Final = "practitioner"
OFFLINE: Final = "offline_access"
SCOPES: Final = (BOOK_SCOPE, OFFLINE)
BOOK_LEVEL: Final = 2
ID_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:id_token"  # noqa: S105 — a name of the protocol, no secret
ACCESS_TOKEN_TYPE: Final = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 — the same

MOST_NAME_CHARS: Final = 60

_PLATFORM: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,30})/")
_LOOPBACK: Final = re.compile(r"http://(?:127\.0\.0\.1|\[::1\]):(?P<port>[1-9][0-9]{0,4})(?:/[A-Za-z0-9._~/-]{0,100})?")
_MOST_PORT: Final = 65_535
_STATE: Final = re.compile(r"[\x20-\x7e]{1,512}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_SECRET: Final = re.compile(r"[A-Za-z0-9._~+/=-]{16,512}")
# A place in the app: nothing that a browser could take for another host.
_RETURN: Final = re.compile(r"/(?:[A-Za-z0-9._~-][A-Za-z0-9._~/-]{0,254})?")

_BAD_LOGIN: Final = Text(
    "Ứng dụng đã gửi một yêu cầu đăng nhập không hợp lệ.", "The app has sent a sign-in request that is not valid."
)
_UNKNOWN_APP: Final = Text("Không có ứng dụng với client_id này.", "There is no app with this client_id.")
_BAD_GRANT: Final = Text(
    "Mã hoặc phiên không còn hiệu lực. Vui lòng đăng nhập lại.",
    "The code or session is not valid any more. Please sign in again.",
)


class SentBack(Exception):
    """The app's own request is wrong: the browser goes back to it with an error code (RFC 6749 §4.1.2.1)."""

    def __init__(self, *, redirect_uri: str, error: str, state: str | None) -> None:
        self.redirect_uri = redirect_uri
        self.error = error
        self.state = state
        super().__init__(error)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginAsked:
    """An app sends a person to sign in."""

    client_id: str
    redirect_uri: str
    state: str = field(
        repr=False
    )  # empty: the app sent none, and is sent none (PKCE stands for it, RFC 9700 section 2.1)
    challenge: str
    scope: str
    return_path: str | None
    key: bytes | None  # `dpop_jkt`: only the app that holds this key fetches the session
    activation: str | None = field(repr=False)  # a code of a facility's desk, its ten symbols


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeGrant:
    """An app fetches the session of a login."""

    app: AppClient
    code: str = field(repr=False)
    redirect_uri: str
    challenge: str
    device_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshGrant:
    """An app renews its session."""

    app: AppClient
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeGrant:
    """An app that holds an identity token of the provider asks for a session (RFC 8693)."""

    app: AppClient
    token: str = field(repr=False)
    scope: str


def read_login(parameters: Mapping[str, str], *, apps: Sequence[AppClient]) -> LoginAsked:
    """Return a checked request of a login.

    :raises OAuthError: when the app or its address is not registered: nobody is sent there.
    :raises SentBack: when the rest is wrong.
    Source: RFC 6749 section 4.1.1; RFC 7636 section 4.3; RFC 8252 sections 7.2 and 7.3; RFC 9449 section 10.
    """
    app = next((known for known in apps if known.client_id == parameters.get("client_id")), None)
    redirect_uri = parameters.get("redirect_uri", "")
    if app is None or not may_return_to(app, redirect_uri):
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_LOGIN)
    state = parameters.get("state", "")
    if state and not _STATE.fullmatch(state):
        raise SentBack(redirect_uri=redirect_uri, error="invalid_request", state=None)
    sent_back = partial(SentBack, redirect_uri=redirect_uri, state=state or None)
    if parameters.get("response_type") != "code":
        raise sent_back(error="unsupported_response_type" if "response_type" in parameters else "invalid_request")
    if parameters.get("response_mode", "query") != "query":
        raise sent_back(error="invalid_request")
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise sent_back(error="invalid_request")
    key = _thumbprint(parameters)
    if "dpop_jkt" in parameters and key is None:
        raise sent_back(error="invalid_request")
    scope = granted_scope(parameters.get("scope"))
    if scope is None:
        raise sent_back(error="invalid_scope")
    try:
        activation = read_code(parameters["activation"]) if "activation" in parameters else None
    except BadCode:
        raise sent_back(error="invalid_request") from None
    wanted = parameters.get("return", "")
    return LoginAsked(
        client_id=app.client_id,
        redirect_uri=redirect_uri,
        state=state,
        challenge=challenge,
        scope=scope,
        return_path=wanted if _RETURN.fullmatch(wanted) else None,
        key=key,
        activation=activation,
    )


def may_return_to(app: AppClient, redirect_uri: str) -> bool:
    """Tell whether an address is one of the app's, exactly; or this machine, for an app that may listen there."""
    if redirect_uri in app.redirect_uris:
        return True
    here = _LOOPBACK.fullmatch(redirect_uri) if app.loopback else None
    return here is not None and int(here["port"]) <= _MOST_PORT


def granted_scope(asked: str | None) -> str | None:
    """Return what an app gets of what it asks for; what we do not know is left out.

    The acting role is explicit: a session is a citizen's, or with `practitioner` a practitioner's. Nothing for both.
    Source: RFC 6749 section 3.3 (the answer says what was granted).
    """
    wanted = (asked or "").split(" ")
    if PRACTITIONER_SCOPE in wanted:
        return None if BOOK_SCOPE in wanted else f"{PRACTITIONER_SCOPE} {OFFLINE}"
    known = [scope for scope in SCOPES if scope in wanted]
    return " ".join(known or SCOPES)


def acts_as_practitioner(scope: str) -> bool:
    """Tell whether a session of this scope is a practitioner's."""
    return PRACTITIONER_SCOPE in scope.split(" ")


def scope_at(scope: str, *, level: int) -> str:
    """Return a scope without the book, for an account below the level that a book needs."""
    return " ".join(one for one in scope.split(" ") if level >= BOOK_LEVEL or one != BOOK_SCOPE)


def with_answer(redirect_uri: str, answer: Mapping[str, str]) -> str:
    """Return the app's address with our answer in its query."""
    return f"{redirect_uri}?{urlencode(answer)}"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier. Source: RFC 7636 section 4.2."""
    return encode_segment(hashlib.sha256(verifier.encode("ascii")).digest())


def read_code_grant(form: TokenForm, *, apps: Sequence[AppClient]) -> CodeGrant:
    """Return what an app sends to fetch its session.

    :raises OAuthError: `invalid_client` for an unknown app, `invalid_request` for what is missing, `invalid_grant` for
        what cannot be a code or verifier.
    """
    app = _app(form.parameters, apps)
    verifier = form.parameters.get("code_verifier", "")  # without one the code is not good: RFC 7636 section 4.6
    if not _VERIFIER.fullmatch(verifier):
        raise bad_grant()
    return CodeGrant(
        app=app,
        code=_secret(form.parameters, "code"),
        redirect_uri=_given(form.parameters, "redirect_uri"),
        challenge=challenge_of(verifier),
        device_name=device_name(form.parameters.get("device_name")),
    )


def read_refresh_grant(form: TokenForm, *, apps: Sequence[AppClient]) -> RefreshGrant:
    """Return what an app sends to renew its session.

    :raises OAuthError: as above.
    """
    return RefreshGrant(app=_app(form.parameters, apps), token=_secret(form.parameters, "refresh_token"))


def read_exchange_grant(form: TokenForm, *, apps: Sequence[AppClient]) -> ExchangeGrant:
    """Return what an app sends to exchange an identity token.

    :raises OAuthError: as above; `invalid_request` for another kind of token.
    Source: RFC 8693 section 2.1.
    """
    app, token = _app(form.parameters, apps), form.parameters.get("subject_token")
    wanted = form.parameters.get("requested_token_type", ACCESS_TOKEN_TYPE)
    if form.parameters.get("subject_token_type") != ID_TOKEN_TYPE or wanted != ACCESS_TOKEN_TYPE or token is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_LOGIN)
    if "actor_token" in form.parameters:
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_LOGIN)
    scope = granted_scope(form.parameters.get("scope"))
    if scope is None:
        raise OAuthError(OAuthCode.INVALID_SCOPE, _BAD_LOGIN)
    return ExchangeGrant(app=app, token=token, scope=scope)


def read_revocation(parameters: Mapping[str, str], *, apps: Sequence[AppClient]) -> RefreshGrant:
    """Return which token an app gives back; both kinds look alike.

    :raises OAuthError: `invalid_client` for an unknown app, `invalid_request` without a token.
    Source: RFC 7009 section 2.1.
    """
    return RefreshGrant(app=_app(parameters, apps), token=_given(parameters, "token"))


def device_name(said: str | None) -> str | None:
    """Return how a person will know the phone again in a list: one short line, or nothing."""
    name = " ".join(words(said or "").split())
    return name[:MOST_NAME_CHARS].strip() or None


def platform_of(header: str | None) -> str | None:
    """Return the platform of `Sokhoe-App: <platform>/<version>`, in lower case."""
    found = _PLATFORM.match(header or "")
    return None if found is None else found[1].lower()


def bad_grant() -> OAuthError:
    """Return the refusal of a code or refresh token: the same for every reason."""
    return OAuthError(OAuthCode.INVALID_GRANT, _BAD_GRANT)


def _app(parameters: Mapping[str, str], apps: Sequence[AppClient]) -> AppClient:
    client_id = _given(parameters, "client_id")
    found = next((app for app in apps if app.client_id == client_id), None)
    if found is None:
        raise OAuthError(OAuthCode.INVALID_CLIENT, _UNKNOWN_APP)
    return found


def _given(parameters: Mapping[str, str], name: str) -> str:
    """Return a parameter without which the request is none. Source: RFC 6749 section 5.2."""
    if name not in parameters:
        missing = Text(f"Thiếu tham số {name}.", f"The parameter {name} is missing.")
        raise OAuthError(OAuthCode.INVALID_REQUEST, missing)
    return parameters[name]


def _thumbprint(parameters: Mapping[str, str]) -> bytes | None:
    said = parameters.get("dpop_jkt", "")
    return decode_segment(said) if _CHALLENGE.fullmatch(said) else None


def _secret(parameters: Mapping[str, str], name: str) -> str:
    value = _given(parameters, name)
    if not _SECRET.fullmatch(value):
        raise bad_grant()
    return value
