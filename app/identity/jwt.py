"""Signed tokens: the only door to the signature library, lenient to nobody.

Knows no database and no HTTP. The library checks signatures and nothing else, because it would let pass a
missing audience, a text as expiry, a repeated claim, an unknown `crit` and any type. It gets one algorithm
and one public key as a JWK, never bytes, which it might take for the secret of an HMAC.
A proof, which comes with every request, is checked past it, by the functions that it calls itself.
A signature may exist in two forms (ECDSA), so a token is known by its `jti`, never by its bytes.
Encrypted tokens are not read at all.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jose import jwk, jws
from jose.backends.base import Key as LoadedKey
from jose.exceptions import JOSEError

from app.core.strict_json import NotStrictJson, read_object
from app.identity.claims import (
    BadToken,
    Claims,
    Profile,
    Reason,
    check_access_token,
    check_claims,
    check_nonce,
    check_type,
    checked,
    name_of,
    time_of,
)
from app.identity.jwk import (
    ALGORITHMS,
    Algorithm,
    Key,
    KeyRefused,
    decode_segment,
    new_private_key,
    p256_key,
    parse_key,
    parse_key_set,
    parse_proof_key,
    private_key_from,
    public_part,
    thumbprint,
    thumbprint_bytes,
)

__all__ = [
    "Algorithm",
    "BadToken",
    "Claims",
    "ClientAssertion",
    "HeldKey",
    "Key",
    "KeyRefused",
    "LogoutToken",
    "Profile",
    "Reason",
    "id_token_profile",
    "new_private_key",
    "open_proof",
    "parse_key",
    "parse_key_set",
    "private_key_from",
    "public_part",
    "read_unverified_issuer",
    "read_unverified_kid",
    "sign",
    "sign_proof",
    "thumbprint",
    "verify",
    "verify_client_assertion",
    "verify_logout_token",
]

_MOST_TOKEN_CHARS: Final = 8192
_MOST_NAME_CHARS: Final = 255
_SEGMENTS: Final = 3
# Whatever would bring a key along, say where to fetch one, change what was signed, or belongs to encryption.
_REFUSED_HEADERS: Final = frozenset(
    {"crit", "jku", "jwk", "x5u", "x5c", "zip", "b64", "enc", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"}
)
_PROOF_TYPE: Final = "dpop+jwt"
# A proof's header is its type, algorithm and key: a longer one would fill the cache of keys.
_MOST_PROOF_HEADER_CHARS: Final = 512
_MOST_KNOWN_KEYS: Final = 10_000
_ES256: Final = ec.ECDSA(SHA256())
_SIGNATURE_BYTES: Final = 64
_LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
_MOST_ASSERTION_LIFETIME: Final = timedelta(minutes=5)
_MOST_LOGOUT_LIFETIME: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientAssertion:
    """A client has proved who it is; the caller refuses a `jti` that it has seen until `expires_at`."""

    client_id: str
    jti: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutToken:
    """The identity provider ends one session, or all sessions of a subject; the caller refuses replay."""

    subject: str | None = field(repr=False)
    session_id: str | None
    jti: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldKey:
    """A key that a proof brought along."""

    thumbprint: bytes  # RFC 7638, SHA-256
    loaded: ec.EllipticCurvePublicKey = field(repr=False)

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Tell whether a signature is of this key over a message. Source: RFC 7518 section 3.4."""
        if len(signature) != _SIGNATURE_BYTES:
            return False
        r, s = int.from_bytes(signature[: _SIGNATURE_BYTES // 2]), int.from_bytes(signature[_SIGNATURE_BYTES // 2 :])
        try:
            self.loaded.verify(encode_dss_signature(r, s), message, _ES256)
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opened:
    alg: Algorithm
    kid: str | None
    typ: str | None
    payload: bytes


def sign(claims: Mapping[str, object], *, key: Mapping[str, str], typ: str = "JWT") -> str:
    """Sign the claims with a private JWK that names its `alg`, and its `kid` if the token is to name it.

    :raises ValueError: when the algorithm is not one of ours.
    """
    if key["alg"] not in ALGORITHMS:
        raise ValueError(key["alg"])
    payload = json.dumps(dict(claims), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    headers = {"typ": typ, **({"kid": key["kid"]} if "kid" in key else {})}
    signer = _signer(tuple(sorted(key.items())))
    return jws.sign(payload.encode(), signer, headers=headers, algorithm=key["alg"])


def verify(
    token: str,
    *,
    keys: Sequence[Key],
    profile: Profile,
    now: datetime,
    nonce: str | None = None,
    access_token: str | None = None,
) -> Claims:
    """Return the claims of a token that agrees with the profile, signed by one of the keys.

    With `nonce` the token must hold it. With `access_token` an `at_hash` must fit; a profile may require one.

    :raises BadToken: otherwise.
    Source: RFC 8725 section 3; OpenID Connect Core section 3.1.3.7.
    """
    claims, alg = _verified(token, keys=keys, profile=profile, now=now)
    if nonce is not None:
        check_nonce(claims, nonce)
    if access_token is not None:
        check_access_token(claims, access_token, alg=alg)
    return checked(claims)


def verify_client_assertion(
    token: str, *, keys: Sequence[Key], client_id: str, audiences: frozenset[str], now: datetime
) -> ClientAssertion:
    """Return the proof of a client that issued the token about itself.

    Each value of `aud` must be one of ours; `iat` may be left out. Replay is the caller's to refuse.

    :raises BadToken: otherwise.
    Source: RFC 7523 section 3; SMART App Launch 2.2, Backend Services.
    """
    profile = Profile(
        types=frozenset({"JWT", "client-authentication+jwt"}),
        type_optional=True,
        algorithms=ALGORITHMS,
        issuer=client_id,
        audiences=audiences,
        max_lifetime=_MOST_ASSERTION_LIFETIME,
        issued_at_optional=True,
        required=frozenset({"jti"}),
        forbidden=frozenset({"events"}),
    )
    claims = verify(token, keys=keys, profile=profile, now=now)
    if claims.subject != client_id:
        raise BadToken(Reason.SUBJECT)
    jti = name_of(claims.values, "jti")
    return ClientAssertion(client_id=client_id, jti=jti, expires_at=claims.expires_at)


def verify_logout_token(token: str, *, keys: Sequence[Key], id_tokens: Profile, now: datetime) -> LogoutToken:
    """Return whom the identity provider, whose ID tokens have the given profile, signs out.

    Replay is the caller's to refuse.

    :raises BadToken: otherwise.
    Source: OpenID Connect Back-Channel Logout 1.0 sections 2.4 and 2.6.
    """
    profile = Profile(
        types=frozenset({"logout+jwt", "JWT"}),
        type_optional=True,
        algorithms=id_tokens.algorithms,
        issuer=id_tokens.issuer,
        audiences=id_tokens.audiences,
        max_lifetime=_MOST_LOGOUT_LIFETIME,
        required=frozenset({"jti", "events"}),
        forbidden=frozenset({"nonce"}),
    )
    claims, _ = _verified(token, keys=keys, profile=profile, now=now)
    events = claims["events"]
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT_EVENT), dict):
        raise BadToken(Reason.EVENT)
    if "sub" not in claims and "sid" not in claims:
        raise BadToken(Reason.CLAIM_MISSING)
    return LogoutToken(
        subject=name_of(claims, "sub") if "sub" in claims else None,
        session_id=name_of(claims, "sid") if "sid" in claims else None,
        jti=name_of(claims, "jti"),
        expires_at=time_of(claims, "exp"),
    )


def id_token_profile(
    *,
    issuer: str,
    client_id: str,
    algorithms: frozenset[Algorithm],
    max_lifetime: timedelta,
    audiences: frozenset[str] = frozenset(),
) -> Profile:
    """Return the profile of an ID token for us, which no logout token fits. `aud` is the client id if nothing is said.

    Source: OpenID Connect Core section 3.1.3.7.
    """
    return Profile(
        types=frozenset({"JWT"}),
        type_optional=True,
        algorithms=algorithms,
        issuer=issuer,
        audiences=audiences or frozenset({client_id}),
        max_lifetime=max_lifetime,
        authorized_party=client_id,
        forbidden=frozenset({"events"}),
    )


def read_unverified_issuer(token: str) -> str:
    """Return who says to have issued the token, to look up the keys for it. Believe nothing yet.

    :raises BadToken: when the token's form alone is reason enough.
    """
    return name_of(_object(_opened(token).payload), "iss")


def read_unverified_kid(token: str) -> str | None:
    """Return the key id that the token names, to look up the key. Believe nothing yet.

    :raises BadToken: when the token's form alone is reason enough.
    """
    return _opened(token).kid


def open_proof(proof: str) -> tuple[HeldKey, dict[str, object]]:
    """Return the key of a DPoP proof and its claims, signed by that very key; what they say is the caller's to judge.

    :raises BadToken: when the form, the header, the key or the signature is not as it must be.
    Source: RFC 9449 section 4.3, checks 2 to 7.
    """
    signed, _, last = proof.rpartition(".")
    first, _, middle = signed.partition(".")
    if len(proof) > _MOST_TOKEN_CHARS or len(first) > _MOST_PROOF_HEADER_CHARS:
        raise BadToken(Reason.TOO_LARGE)
    payload, signature = decode_segment(middle), decode_segment(last)
    if payload is None or signature is None:
        raise BadToken(Reason.MALFORMED)
    held = _held_key(first)
    if not held.has_signed(signed.encode("ascii"), signature):
        raise BadToken(Reason.SIGNATURE)
    return held, _object(payload)


def sign_proof(claims: Mapping[str, object], *, key: Mapping[str, str]) -> str:
    """Sign a DPoP proof with a private P-256 JWK. Source: RFC 9449 section 4.2."""
    known = {name: value for name, value in public_part(key).items() if name in {"kty", "crv", "x", "y"}}
    payload = json.dumps(dict(claims), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    signer = _signer(tuple(sorted(key.items())))
    return jws.sign(payload.encode(), signer, headers={"typ": _PROOF_TYPE, "jwk": known}, algorithm="ES256")


# An app sends the same header with each proof. A key that was refused is not kept, and no proof ever is.
@lru_cache(maxsize=_MOST_KNOWN_KEYS)
def _held_key(header_segment: str) -> HeldKey:
    raw = decode_segment(header_segment)
    if raw is None:
        raise BadToken(Reason.MALFORMED)
    header = _object(raw)
    if not (_REFUSED_HEADERS - {"jwk"}).isdisjoint(header):
        raise BadToken(Reason.HEADER)
    if header.get("typ") != _PROOF_TYPE:
        raise BadToken(Reason.TYPE)
    if header.get("alg") != "ES256":
        raise BadToken(Reason.ALGORITHM)
    try:
        key = parse_proof_key(header.get("jwk"))
    except KeyRefused:
        raise BadToken(Reason.UNKNOWN_KEY) from None
    return HeldKey(thumbprint=thumbprint_bytes(key.members), loaded=p256_key(key.members))


# Loading a private RSA key proves its primes, which takes a tenth of a second.
@lru_cache(maxsize=8)
def _signer(members: tuple[tuple[str, str], ...]) -> LoadedKey:
    key = dict(members)
    return jwk.construct(key, key["alg"])


def _verified(
    token: str, *, keys: Sequence[Key], profile: Profile, now: datetime
) -> tuple[dict[str, object], Algorithm]:
    opened = _opened(token)
    check_type(opened.typ, profile)
    key = _key(opened, keys, profile)
    try:
        payload = jws.verify(token, dict(key.members), algorithms=[key.alg])
    except JOSEError:
        # The library's message may quote the token.
        raise BadToken(Reason.SIGNATURE) from None
    claims = _object(payload)
    check_claims(claims, profile, now)
    return claims, key.alg


def _opened(token: str) -> _Opened:
    if len(token) > _MOST_TOKEN_CHARS:
        raise BadToken(Reason.TOO_LARGE)
    segments = [decode_segment(segment) for segment in token.split(".", _SEGMENTS)]
    if len(segments) != _SEGMENTS:
        raise BadToken(Reason.MALFORMED)
    header_bytes, payload, signature = segments
    if header_bytes is None or payload is None or signature is None:
        raise BadToken(Reason.MALFORMED)
    header = _object(header_bytes)
    if not _REFUSED_HEADERS.isdisjoint(header):
        raise BadToken(Reason.HEADER)
    alg, kid, typ = header.get("alg"), header.get("kid"), header.get("typ")
    known = next((name for name in ALGORITHMS if name == alg), None)
    if known is None:
        raise BadToken(Reason.ALGORITHM)
    if "kid" in header and not (isinstance(kid, str) and 0 < len(kid) <= _MOST_NAME_CHARS):
        raise BadToken(Reason.UNKNOWN_KEY)
    if "typ" in header and not isinstance(typ, str):
        raise BadToken(Reason.TYPE)
    return _Opened(
        alg=known,
        kid=kid if isinstance(kid, str) else None,
        typ=typ if isinstance(typ, str) else None,
        payload=payload,
    )


def _object(document: bytes) -> dict[str, object]:
    try:
        return read_object(document)
    except NotStrictJson:
        raise BadToken(Reason.MALFORMED) from None


def _key(opened: _Opened, keys: Sequence[Key], profile: Profile) -> Key:
    if opened.alg not in profile.algorithms:
        raise BadToken(Reason.ALGORITHM)
    named = [key for key in keys if opened.kid is None or key.kid == opened.kid]
    if not named:
        raise BadToken(Reason.UNKNOWN_KEY)
    fitting = [key for key in named if key.alg == opened.alg]
    if not fitting:
        raise BadToken(Reason.ALGORITHM)
    if len(fitting) > 1:
        raise BadToken(Reason.AMBIGUOUS_KEY)
    return fitting[0]
