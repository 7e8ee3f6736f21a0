"""What a token's claims must say, whoever signed it: the rules between the JSON and the trust."""

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from app.core.errors import Text, Unauthenticated
from app.identity.jwk import ALGORITHMS, Algorithm, encode_segment

_MOST_SKEW: Final = timedelta(seconds=10)
_PRINTABLE: Final = re.compile(r"[\x20-\x7e]{1,255}")


class Reason(StrEnum):
    """Why a token was refused: for the security log, never for the sender."""

    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    HEADER = "header"
    TYPE = "type"
    ALGORITHM = "algorithm"
    UNKNOWN_KEY = "unknown_key"
    AMBIGUOUS_KEY = "ambiguous_key"
    SIGNATURE = "signature"
    CLAIM_MISSING = "claim_missing"
    CLAIM_FORBIDDEN = "claim_forbidden"
    CLAIM_MALFORMED = "claim_malformed"
    ISSUER = "issuer"
    SUBJECT = "subject"
    AUDIENCE = "audience"
    AUTHORIZED_PARTY = "authorized_party"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    LIFETIME = "lifetime"
    TOO_OLD = "too_old"
    NONCE = "nonce"
    METHOD = "method"
    ADDRESS = "address"
    ACCESS_TOKEN_HASH = "access_token_hash"  # noqa: S105 — the name of a claim, no secret
    EVENT = "event"
    REPLAYED = "replayed"


class BadToken(Unauthenticated):
    """The token is refused; sender and log line learn nothing of its content."""

    default_text = Text("Mã xác thực không hợp lệ.", "The token is not valid.")

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__()


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What one kind of token from one issuer must look like.

    :raises ValueError: when no token could fit.
    """

    #: Accepted `typ` values, without "application/".
    types: frozenset[str]
    type_optional: bool = False
    algorithms: frozenset[Algorithm]
    issuer: str
    #: Every value of `aud` must be one of these.
    audiences: frozenset[str]
    #: From `iat` to `exp`; from now to `exp`, and a little for the clocks, when `iat` is left out.
    max_lifetime: timedelta
    issued_at_optional: bool = False
    #: From `iat` to now.
    max_age_of_iat: timedelta | None = None
    #: If `azp` is present it must be this.
    authorized_party: str | None = None
    #: Claims that must be present besides iss, aud, exp and (unless it is optional) iat.
    required: frozenset[str] = frozenset()
    #: Claims that mark another kind of token.
    forbidden: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        complete = self.algorithms and self.issuer and self.audiences and self.max_lifetime > timedelta(0)
        ageless = self.issued_at_optional and self.max_age_of_iat is not None
        if not complete or ageless or not (self.types or self.type_optional) or not self.algorithms <= ALGORITHMS:
            raise ValueError("no token could fit this profile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """The checked claims of a token."""

    issuer: str
    subject: str = field(repr=False)
    audiences: frozenset[str]
    issued_at: datetime | None
    expires_at: datetime
    token_id: str | None
    session_id: str | None
    #: All claims as sent; those without a field above are checked as JSON only.
    values: Mapping[str, object] = field(repr=False, hash=False)


def check_type(typ: str | None, profile: Profile) -> None:
    """Refuse another kind of token by its header. Source: RFC 8725 section 3.11."""
    if typ is None:
        if not profile.type_optional:
            raise BadToken(Reason.TYPE)
        return
    # A media type has no case, and the prefix may be left out (RFC 7515 section 4.1.9).
    spelled = typ.lower().removeprefix("application/")
    if spelled not in {accepted.lower() for accepted in profile.types}:
        raise BadToken(Reason.TYPE)


def check_claims(claims: Mapping[str, object], profile: Profile, now: datetime) -> None:
    """Refuse claims that disagree with the profile; the subject is left to `checked`.

    :raises BadToken: with the reason.
    :raises ValueError: when `now` has no time zone.
    Source: RFC 7519 section 4.1.
    """
    if now.tzinfo is None:
        raise ValueError("the time has no zone")
    _check_presence(claims, profile)
    _check_parties(claims, profile)
    _check_times(claims, profile, now)


def check_nonce(claims: Mapping[str, object], nonce: str) -> None:
    """Refuse a token that answers another login. Source: OpenID Connect Core section 3.1.3.7."""
    if not _same(_text(claims, "nonce"), nonce):
        raise BadToken(Reason.NONCE)


def check_access_token(claims: Mapping[str, object], access_token: str, *, alg: Algorithm) -> None:
    """Refuse a token, signed with `alg`, whose `at_hash`, if it has one, is of another access token.

    Source: OpenID Connect Core section 3.1.3.6.
    """
    digest = hashlib.new(f"sha{alg[-3:]}", access_token.encode()).digest()
    half = digest[: len(digest) // 2]
    if "at_hash" in claims and not _same(_text(claims, "at_hash"), encode_segment(half)):
        raise BadToken(Reason.ACCESS_TOKEN_HASH)


def checked(claims: dict[str, object]) -> Claims:
    """Return the claims in their types, once `check_claims` has passed them."""
    return Claims(
        issuer=_text(claims, "iss"),
        subject=name_of(claims, "sub"),
        audiences=frozenset(_audiences(claims)),
        issued_at=time_of(claims, "iat") if "iat" in claims else None,
        expires_at=time_of(claims, "exp"),
        token_id=name_of(claims, "jti") if "jti" in claims else None,
        session_id=name_of(claims, "sid") if "sid" in claims else None,
        values=MappingProxyType(claims),
    )


def name_of(claims: Mapping[str, object], name: str) -> str:
    """Return a claim that names someone or something: 1 to 255 printable ASCII characters.

    Source: OpenID Connect Core section 2 (`sub`).
    """
    value = _text(claims, name)
    if not _PRINTABLE.fullmatch(value):
        raise BadToken(Reason.CLAIM_MALFORMED)
    return value


def time_of(claims: Mapping[str, object], name: str) -> datetime:
    """Return a claim that is a time, once its range is known to be sane."""
    return datetime.fromtimestamp(_seconds(claims, name), UTC)


def _check_presence(claims: Mapping[str, object], profile: Profile) -> None:
    always = {"iss", "aud", "exp"} if profile.issued_at_optional else {"iss", "aud", "exp", "iat"}
    if not always | profile.required <= claims.keys():
        raise BadToken(Reason.CLAIM_MISSING)
    if not profile.forbidden.isdisjoint(claims):
        raise BadToken(Reason.CLAIM_FORBIDDEN)


def _check_parties(claims: Mapping[str, object], profile: Profile) -> None:
    if _text(claims, "iss") != profile.issuer:
        raise BadToken(Reason.ISSUER)
    if not profile.audiences.issuperset(_audiences(claims)):
        raise BadToken(Reason.AUDIENCE)
    if profile.authorized_party is not None and "azp" in claims and claims["azp"] != profile.authorized_party:
        raise BadToken(Reason.AUTHORIZED_PARTY)


def _check_times(claims: Mapping[str, object], profile: Profile, now: datetime) -> None:
    expires, present = _seconds(claims, "exp"), now.timestamp()
    soon = present + _MOST_SKEW.total_seconds()
    issued = _seconds(claims, "iat") if "iat" in claims else soon
    if expires <= present:
        raise BadToken(Reason.EXPIRED)
    if issued > soon or ("nbf" in claims and _seconds(claims, "nbf") > soon):
        raise BadToken(Reason.NOT_YET_VALID)
    if expires - issued > profile.max_lifetime.total_seconds() or ("iat" in claims and issued >= expires):
        raise BadToken(Reason.LIFETIME)
    if profile.max_age_of_iat is not None and issued < present - profile.max_age_of_iat.total_seconds():
        raise BadToken(Reason.TOO_OLD)


def _audiences(claims: Mapping[str, object]) -> list[str]:
    sent = claims["aud"]
    values = sent if isinstance(sent, list) else [sent]
    texts = [value for value in values if isinstance(value, str)]
    if not texts or len(texts) != len(values):
        raise BadToken(Reason.AUDIENCE)
    return texts


def _seconds(claims: Mapping[str, object], name: str) -> int:
    value = claims[name]
    # A bool is an int to Python, and a number with a fraction would need rounding.
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadToken(Reason.CLAIM_MALFORMED)
    return value


def _text(claims: Mapping[str, object], name: str) -> str:
    if name not in claims:
        raise BadToken(Reason.CLAIM_MISSING)
    value = claims[name]
    if not isinstance(value, str):
        raise BadToken(Reason.CLAIM_MALFORMED)
    return value


def _same(sent: str, expected: str) -> bool:
    return hmac.compare_digest(sent.encode(), expected.encode())
