"""Proofs of possession (DPoP): whoever shows a token also holds the key that it is bound to.

Knows no database and no HTTP. That a proof was not used before is the caller's to find out.
Source: RFC 9449.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from app.core.errors import Text, Unauthenticated
from app.identity.claims import BadToken, Reason, name_of
from app.identity.jwk import encode_segment
from app.identity.jwt import open_proof

NONCE_LIFE: Final = timedelta(minutes=5)
MOST_AGE: Final = timedelta(seconds=60)
MOST_SKEW: Final = timedelta(seconds=10)
_PURPOSE: Final = "dpop nonce"
_NONCE_SECONDS: Final = NONCE_LIFE.total_seconds()
_PORTS: Final = {"http": 80, "https": 443}

Derive = Callable[[str, str], str]
"""The server's HMAC over a purpose and a text."""


class ProofRefused(Unauthenticated):
    """The request's proof is missing, not valid, of another key, or was used before; `reason` is for the log only."""

    default_text = Text(
        "Thiếu bằng chứng giữ khóa (DPoP) hợp lệ cho yêu cầu này.",
        "A valid proof of possession (DPoP) is needed for this request.",
    )
    challenge = 'DPoP error="invalid_dpop_proof", algs="ES256"'

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__()


class NonceWanted(ProofRefused):
    """The proof is good but holds no nonce of ours, or an old one: DPoP-Nonce names the one to use."""

    default_text = Text(
        "Bằng chứng giữ khóa (DPoP) phải chứa nonce mới của máy chủ (tiêu đề DPoP-Nonce).",
        "The proof of possession (DPoP) must hold the server's new nonce (header DPoP-Nonce).",
    )
    challenge = 'DPoP error="use_dpop_nonce", algs="ES256"'

    def __init__(self) -> None:
        super().__init__(Reason.NONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nonces:
    """What a proof may hold at one moment: the nonce of this time window or of the one before."""

    current: str
    previous: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof that fits its request."""

    key: bytes  # SHA-256 thumbprint (RFC 7638)
    proof_id: str
    nonce: str


def nonces_at(now: datetime, *, derive: Derive) -> Nonces:
    """Return the nonces that are accepted; every process makes the same ones. Source: RFC 9449 section 8."""
    return _nonces(int(now.timestamp() // _NONCE_SECONDS), derive)


@lru_cache(maxsize=4)  # of the windows that a process's own clock shows, with its own key
def _nonces(window: int, derive: Derive) -> Nonces:
    return Nonces(current=derive(_PURPOSE, str(window)), previous=derive(_PURPOSE, str(window - 1)))


def check_proof(
    sent: str, *, method: str, address: str, access_token: str | None, nonces: Nonces, now: datetime
) -> Proof:
    """Return the proof of a request, with `access_token` if one came with it.

    :raises NonceWanted: when all but the nonce is right
    :raises ProofRefused: otherwise
    Source: RFC 9449 section 4.3.
    """
    try:
        held, claims = open_proof(sent)
        _check_request(claims, method=method, address=address, access_token=access_token)
        _check_time(claims.get("iat"), now)
        proof_id = name_of(claims, "jti")
    except BadToken as refusal:
        raise ProofRefused(refusal.reason) from None
    nonce = claims.get("nonce")
    if nonce not in (nonces.current, nonces.previous):
        raise NonceWanted
    return Proof(key=held.thumbprint, proof_id=proof_id, nonce=str(nonce))


def token_hash(access_token: str) -> str:
    """Return `ath` of an access token. Source: RFC 9449 section 4.2."""
    return encode_segment(hashlib.sha256(access_token.encode("ascii")).digest())


def _check_request(claims: Mapping[str, object], *, method: str, address: str, access_token: str | None) -> None:
    if claims.get("htm") != method:
        raise BadToken(Reason.METHOD)
    if not _is_same(claims.get("htu"), address):
        raise BadToken(Reason.ADDRESS)
    if access_token is not None and claims.get("ath") != token_hash(access_token):
        raise BadToken(Reason.ACCESS_TOKEN_HASH)


def _check_time(issued: object, now: datetime) -> None:
    if not isinstance(issued, int) or isinstance(issued, bool):
        raise BadToken(Reason.CLAIM_MALFORMED)
    age = now.timestamp() - issued
    if age > MOST_AGE.total_seconds():
        raise BadToken(Reason.TOO_OLD)
    if age < -MOST_SKEW.total_seconds():
        raise BadToken(Reason.NOT_YET_VALID)


def _is_same(said: object, address: str) -> bool:
    """Compare two addresses without query and fragment. Source: RFC 9449 section 4.3; RFC 3986 section 6.2."""
    if said == address:
        return True
    if not isinstance(said, str) or not said.isascii():
        return False
    try:
        return _normal(said) == _normal(address)
    except ValueError:
        return False


def _normal(address: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise ValueError(address)
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.path
