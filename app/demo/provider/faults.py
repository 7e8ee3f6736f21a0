"""One switch per misbehaviour of the local identity provider. Without a switch it does everything right."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.identity.jwk import decode_segment, encode_segment

EVIL: Final = "https://evil.example"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
Claims = dict[str, object]


class Fault(StrEnum):
    """What goes wrong."""

    DISCOVERY_ISSUER = "discovery-issuer"
    DISCOVERY_NO_S256 = "discovery-no-s256"
    DISCOVERY_OTHER_ORIGIN = "discovery-other-origin"
    ANSWER_WITHOUT_STATE = "answer-without-state"
    ANSWER_OTHER_STATE = "answer-other-state"
    ANSWER_WITHOUT_ISS = "answer-without-iss"
    ANSWER_OTHER_ISS = "answer-other-iss"
    ANSWER_ERROR_SCRIPT = "answer-error-script"
    PKCE_IGNORED = "pkce-ignored"
    SIGNATURE_NONE = "signature-none"
    SIGNATURE_OTHER_KEY = "signature-other-key"
    SIGNATURE_HS256 = "signature-hs256"
    SIGNATURE_ALTERNATE_ALG = "signature-alternate-alg"
    SIGNATURE_NULL_ALG = "signature-null-alg"
    KID_ABSENT = "kid-absent"
    KID_UNKNOWN = "kid-unknown"
    TYP_LOGOUT = "typ-logout"
    ISS_OTHER = "iss-other"
    ISS_MISSING = "iss-missing"
    AUD_OTHER = "aud-other"
    AUD_MISSING = "aud-missing"
    AUD_SECOND = "aud-second"
    AUD_ARRAY = "aud-array"
    AZP_OTHER = "azp-other"
    SUB_MISSING = "sub-missing"
    IAT_MISSING = "iat-missing"
    IAT_AHEAD = "iat-ahead"
    EXP_MISSING = "exp-missing"
    EXP_PAST = "exp-past"
    EXP_FAR = "exp-far"
    NONCE_MISSING = "nonce-missing"
    NONCE_OTHER = "nonce-other"
    AT_HASH_OTHER = "at-hash-other"
    AT_HASH_MISSING = "at-hash-missing"
    AUTH_TIME_OLD = "auth-time-old"
    TOKEN_OF_EARLIER_LOGIN = "token-of-earlier-login"  # noqa: S105 — a name, no secret
    TOKEN_TYPE_UPPER = "token-type-upper"  # noqa: S105 — the same
    TOKEN_TYPE_OTHER = "token-type-other"  # noqa: S105 — the same
    USERINFO_OTHER_SUB = "userinfo-other-sub"
    USERINFO_SIGNED = "userinfo-signed"
    SLOW = "slow"
    ERROR_500 = "error-500"
    HUGE_DISCOVERY = "huge-discovery"
    HUGE_JWKS = "huge-jwks"
    MANY_KEYS = "many-keys"
    REDIRECT_JWKS = "redirect-jwks"
    REDIRECT_TOKEN = "redirect-token"  # noqa: S105 — the same
    COMPRESSED_TOKEN = "compressed-token"  # noqa: S105 — the same
    LOGOUT_ALG_NONE = "logout-alg-none"
    LOGOUT_WRONG_ALG = "logout-wrong-alg"
    LOGOUT_WRONG_AUD = "logout-wrong-aud"
    LOGOUT_WRONG_ISS = "logout-wrong-iss"
    LOGOUT_NO_EVENT = "logout-no-event"
    LOGOUT_WRONG_EVENT = "logout-wrong-event"
    LOGOUT_WITH_NONCE = "logout-with-nonce"
    LOGOUT_EXPIRED = "logout-expired"


def _without(*names: str) -> Callable[[Claims], Claims]:
    return lambda claims: {name: value for name, value in claims.items() if name not in names}


def _with(**changed: object) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, **changed}


def _moved(name: str, seconds: int) -> Callable[[Claims], Claims]:
    return lambda claims: {**claims, name: int(str(claims[name])) + seconds}


def _past(claims: Claims) -> Claims:
    return {**claims, "iat": int(str(claims["iat"])) - 120, "exp": int(str(claims["iat"])) - 1}


ID_TOKEN_FAULTS: Final[Mapping[Fault, Callable[[Claims], Claims]]] = MappingProxyType(
    {
        Fault.ISS_OTHER: _with(iss=EVIL),
        Fault.ISS_MISSING: _without("iss"),
        Fault.AUD_OTHER: _with(aud="another-client"),
        Fault.AUD_MISSING: _without("aud"),
        Fault.AUD_SECOND: lambda claims: {**claims, "aud": [claims["aud"], "another-client"]},
        Fault.AUD_ARRAY: lambda claims: {**claims, "aud": [claims["aud"]]},
        Fault.AZP_OTHER: _with(azp="another-client"),
        Fault.SUB_MISSING: _without("sub"),
        Fault.IAT_MISSING: _without("iat"),
        Fault.IAT_AHEAD: _moved("iat", 61),
        Fault.EXP_MISSING: _without("exp"),
        Fault.EXP_PAST: _past,
        Fault.EXP_FAR: _moved("exp", 315_360_000),
        Fault.NONCE_MISSING: _without("nonce"),
        Fault.NONCE_OTHER: _with(nonce="n-0S6_WzA2Mj"),
        Fault.AT_HASH_OTHER: _with(at_hash="77QmUPtjPfzWtF2AnpK9RQ"),
        Fault.AT_HASH_MISSING: _without("at_hash"),
        Fault.AUTH_TIME_OLD: _moved("auth_time", -86_400),
    }
)
LOGOUT_FAULTS: Final[Mapping[Fault, Callable[[Claims], Claims]]] = MappingProxyType(
    {
        Fault.LOGOUT_WRONG_AUD: _with(aud="another-client"),
        Fault.LOGOUT_WRONG_ISS: _with(iss=EVIL),
        Fault.LOGOUT_NO_EVENT: _without("events"),
        Fault.LOGOUT_WRONG_EVENT: _with(events={EVENT + "-x": {}}),
        Fault.LOGOUT_WITH_NONCE: _with(nonce="n-0S6_WzA2Mj"),
        Fault.LOGOUT_EXPIRED: _past,
    }
)


def changed_claims(claims: Claims, switched_on: frozenset[Fault], *, logout: bool) -> Claims:
    """Return the claims as the switches make them."""
    for fault, change in (LOGOUT_FAULTS if logout else ID_TOKEN_FAULTS).items():
        if fault in switched_on:
            claims = change(claims)
    return claims


def with_header(token: str, replace: Callable[[str], str]) -> str:
    """Return the token with another header over the same claims and signature."""
    header, rest = token.split(".", 1)
    return f"{encode_segment(replace((decode_segment(header) or b'').decode()).encode())}.{rest}"
