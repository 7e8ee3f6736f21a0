"""Make tokens by hand, good ones and attacks, without the library under test; show them to the verifier."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from app.identity.jwt import (
    Algorithm,
    ClientAssertion,
    Key,
    new_private_key,
    parse_key,
    public_part,
    verify_client_assertion,
)

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
CLIENT = "01901"
AUDIENCE = "https://sokhoe.example/auth/token"

_NUMBERS = frozenset({"n", "e", "d", "p", "q", "dp", "dq", "qi"})
_CURVES: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
_HASHES: Mapping[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384()}
_ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551

TokenBuilder = Callable[[], str]

ENCODINGS = {
    "pem": (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
    "pkcs1": (serialization.Encoding.PEM, serialization.PublicFormat.PKCS1),
    "der": (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo),
    "openssh": (serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH),
}


def private_key(kid: str, alg: Algorithm = "ES256") -> dict[str, str]:
    """Return the one key of this name and kind, made once per run."""
    return _made_once(kid, alg)


@cache
def _made_once(kid: str, alg: Algorithm) -> dict[str, str]:
    return new_private_key(alg=alg, kid=kid)


def public_key(kid: str, alg: Algorithm = "ES256") -> Key:
    return parse_key(public_part(private_key(kid, alg)))


def assertion_from(token: str, *keys: Key, now: datetime = NOW) -> ClientAssertion:
    return verify_client_assertion(
        token,
        keys=keys or (public_key("k1"), public_key("k2", "RS256")),
        client_id=CLIENT,
        audiences=frozenset({AUDIENCE}),
        now=now,
    )


def good_header(alg: str = "ES256") -> dict[str, object]:
    return {"alg": alg, "typ": "JWT", "kid": "k1"}


def good_claims() -> dict[str, object]:
    return {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": AUDIENCE,
        "iat": SECONDS,
        "exp": SECONDS + 240,
        "jti": "6f1c2f0e-5d1b-4f0f-9d2e-0a52d1a1c001",
    }


def changed(members: Mapping[str, object], /, *dropped: str, **replaced: object) -> dict[str, object]:
    """Return the members with some replaced and some dropped."""
    return {name: value for name, value in {**members, **replaced}.items() if name not in dropped}


def segment(content: object) -> str:
    """Encode bytes as they are, text as UTF-8, anything else as JSON."""
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def unsegment(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signed(header: object, claims: object, key: Mapping[str, str]) -> str:
    """Sign with the key's own algorithm, whatever the header says."""
    message = f"{segment(header)}.{segment(claims)}"
    return f"{message}.{segment(_signature(message.encode(), key))}"


def hmac_signed(header: object, claims: object, secret: bytes) -> str:
    message = f"{segment(header)}.{segment(claims)}"
    return f"{message}.{segment(hmac.digest(secret, message.encode(), hashlib.sha256))}"


def public_bytes(key: Mapping[str, str], encoding: str) -> bytes:
    """Return the public key in a form that an attacker could use as an HMAC secret."""
    if encoding == "jwk":
        return json.dumps(public_part(key)).encode()
    return _loaded(tuple(key.items())).public_key().public_bytes(*ENCODINGS[encoding])


def malleated(token: str) -> str:
    """Return the twin of an ECDSA signature: (r, n - s) verifies as (r, s) does."""
    message, _, signature = token.rpartition(".")
    raw = unsegment(signature)
    twin = _ORDER_OF_P256 - int.from_bytes(raw[32:], "big")
    return f"{message}.{segment(raw[:32] + twin.to_bytes(32, 'big'))}"


def with_segments(header: object, claims: object, kid: str = "k1", alg: Algorithm = "ES256") -> TokenBuilder:
    return lambda: signed(header, claims, private_key(kid, alg))


def with_header(*dropped: str, **replaced: object) -> TokenBuilder:
    return with_segments(changed(good_header(), *dropped, **replaced), good_claims())


def with_claims(*dropped: str, **replaced: object) -> TokenBuilder:
    return with_segments(good_header(), changed(good_claims(), *dropped, **replaced))


def with_claims_text(old: str, new: str) -> TokenBuilder:
    """Change the JSON text itself, for what `json.dumps` would not write."""
    text = json.dumps(good_claims())
    assert text.count(old) == 1
    return with_segments(good_header(), text.replace(old, new))


def unsigned(alg: str, signature: bytes) -> TokenBuilder:
    return lambda: f"{segment(good_header(alg))}.{segment(good_claims())}.{segment(signature)}"


def confused(encoding: str, kid: str, *, alg: str = "HS256") -> TokenBuilder:
    """Use a registered public key as the secret of an HMAC."""

    def build() -> str:
        secret = public_bytes(private_key(kid, "ES256" if kid == "k1" else "RS256"), encoding)
        return hmac_signed(changed(good_header(), alg=alg, kid=kid), good_claims(), secret)

    return build


def encrypted(header: Mapping[str, object], content: bytes) -> TokenBuilder:
    """Return the five segments of a JWE."""
    return lambda: ".".join(segment(part) for part in (dict(header), b"key", b"iv", content, b"tag"))


def _signature(message: bytes, key: Mapping[str, str]) -> bytes:
    loaded, digest = _loaded(tuple(key.items())), _HASHES[key["alg"][-3:]]
    if isinstance(loaded, rsa.RSAPrivateKey):
        return loaded.sign(message, padding.PKCS1v15(), digest)
    size = loaded.curve.key_size // 8
    r, s = decode_dss_signature(loaded.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@cache
def _loaded(members: tuple[tuple[str, str], ...]) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    key = dict(members)
    numbers = {name: int.from_bytes(unsegment(value), "big") for name, value in key.items() if name in _NUMBERS}
    if key["kty"] == "EC":
        return ec.derive_private_key(numbers["d"], _CURVES[key["crv"]])
    public = rsa.RSAPublicNumbers(numbers["e"], numbers["n"])
    p, q, d, dp, dq, qi = (numbers[name] for name in ("p", "q", "d", "dp", "dq", "qi"))
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()
