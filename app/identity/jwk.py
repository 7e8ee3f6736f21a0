"""Signing keys as JWKs: make our own, check those of others."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from app.core.errors import Invalid, Text
from app.core.strict_json import NotStrictJson, read_object

Algorithm = Literal["ES256", "ES384", "RS256", "RS384"]
ALGORITHMS: Final[frozenset[Algorithm]] = frozenset({"ES256", "ES384", "RS256", "RS384"})

# The members that make the thumbprint are all that a public key needs.
_PUBLIC_MEMBERS: Final = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
# A key has one algorithm: its curve decides, or for RSA what it says (RS256 when it says nothing).
_CURVES: Final[Mapping[str, tuple[Algorithm, ec.EllipticCurve]]] = {
    "P-256": ("ES256", ec.SECP256R1()),
    "P-384": ("ES384", ec.SECP384R1()),
}
_RSA_ALGORITHMS: Final[tuple[Algorithm, ...]] = ("RS256", "RS384")
_NEW_RSA_BITS: Final = 3072
_LEAST_RSA_BITS: Final = 2048
# Checking a signature costs the square of the length: a longer key would slow the verifier.
_MOST_RSA_BITS: Final = 8192
_LEAST_EXPONENT: Final = 65537
_MOST_EXPONENT_BITS: Final = 32
_MOST_KEYS: Final = 20
# Source: FIPS 186-5; SEC 2 section 2.4.2.
_P256_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_MOST_SET_BYTES: Final = 262_144
_KID: Final = re.compile(r"[\x21-\x7e]{1,255}")
_TO_BASE64: Final = bytes.maketrans(b"-_", b"+/")
_TO_BASE64URL: Final = bytes.maketrans(b"+/", b"-_")

_NOT_JSON: Final = Text(
    "Khóa phải là một đối tượng JSON hợp lệ, không lặp tên trường.",
    "The key must be one valid JSON object without repeated names.",
)
_UNKNOWN_TYPE: Final = Text(
    "Chỉ nhận khóa EC trên đường cong P-256 (ES256) hoặc P-384 (ES384), hoặc khóa RSA (RS256, RS384).",
    "Only EC keys on the curves P-256 (ES256) and P-384 (ES384) and RSA keys (RS256, RS384) are accepted.",
)
_PRIVATE: Final = Text(
    "Đây là khóa bí mật. Hãy tạo cặp khóa mới và chỉ gửi phần công khai, vì khóa này đã bị lộ.",
    "This is a private key. Make a new pair and send its public part only: this key is no longer secret.",
)
_BAD_KID: Final = Text(
    "Khóa phải có mã khóa (kid) dài từ 1 đến 255 ký tự ASCII, không có khoảng trắng.",
    "The key needs a key id (kid) of 1 to 255 ASCII characters without spaces.",
)
_BAD_ALG: Final = Text(
    "Thuật toán (alg) phải là ES256 với khóa P-256, ES384 với khóa P-384, RS256 hoặc RS384 với khóa RSA.",
    "The algorithm (alg) must be ES256 for a P-256 key, ES384 for a P-384 key, RS256 or RS384 for an RSA key.",
)
_BAD_USE: Final = Text(
    "Khóa không dành để kiểm tra chữ ký (use phải là sig, key_ops phải là verify).",
    "The key is not meant for checking signatures (use must be sig, key_ops must be verify).",
)
_BAD_ENCODING: Final = Text(
    "Các thành phần của khóa phải được mã hóa base64url đúng chuẩn, không có ký tự đệm.",
    "The members of the key must be canonical base64url without padding.",
)
_BAD_POINT: Final = Text(
    "Khóa EC không phải là một điểm của đường cong đã nêu.",
    "The EC key is not a point of the curve that it names.",
)
_BAD_RSA_LENGTH: Final = Text(
    "Khóa RSA phải dài từ 2048 đến 8192 bit.",
    "The RSA key must have 2048 to 8192 bits.",
)
_BAD_RSA_NUMBERS: Final = Text(
    "Khóa RSA không hợp lệ: n và e phải là số lẻ, e từ 65537 trở lên và không quá 32 bit.",
    "The RSA key is not valid: n and e must be odd, e at least 65537 and at most 32 bits long.",
)
_BAD_SET: Final = Text(
    f"Bộ khóa phải là một đối tượng JSON có danh sách keys, không quá {_MOST_SET_BYTES} byte.",
    f"The key set must be one JSON object with a list of keys, of at most {_MOST_SET_BYTES} bytes.",
)
_TOO_MANY: Final = Text("Bộ khóa có quá nhiều khóa.", "The key set holds too many keys.")
_NO_USABLE: Final = Text(
    "Bộ khóa không có khóa ký nào dùng được (ES256, ES384, RS256, RS384).",
    "The key set holds no usable signing key (ES256, ES384, RS256, RS384).",
)


class KeyRefused(Invalid):
    """The public key, or the set of them, cannot be accepted; the text says why and quotes nothing."""

    default_text = _UNKNOWN_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A checked public key with the one algorithm that it may verify; only the parsers below make one."""

    kid: str | None
    alg: Algorithm
    #: The public members of its type and nothing else.
    members: Mapping[str, str] = field(hash=False)


def parse_key(jwk: Mapping[str, object] | bytes) -> Key:
    """Check a public JWK that someone registers: `kid` must be there, `alg`, `use` and `key_ops` may be.

    An RSA key without `alg` is for RS256.

    :raises KeyRefused: with the reason in both languages.
    Source: RFC 7517 section 4, RFC 7518 section 6.
    """
    if isinstance(jwk, bytes):
        jwk = _read(jwk, _NOT_JSON)
    _refuse_private(jwk)
    key = _checked(jwk)
    if key.kid is None:
        raise KeyRefused(_BAD_KID)
    return key


def parse_proof_key(jwk: object) -> Key:
    """Check the public JWK that a proof of possession brings along: P-256, for ES256.

    :raises KeyRefused: with the reason in both languages.
    Source: RFC 9449 section 4.2.
    """
    if not isinstance(jwk, Mapping):
        raise KeyRefused(_NOT_JSON)
    _refuse_private(jwk)
    key = _checked(jwk)
    if key.alg != "ES256":
        raise KeyRefused(_UNKNOWN_TYPE)
    return key


def p256_key(members: Mapping[str, str]) -> ec.EllipticCurvePublicKey:
    """Return what checks the signatures of a key that `parse_proof_key` has let in.

    :raises ValueError: when the members are no point of the curve
    """
    x, y = (int.from_bytes(_raw(members, name)) for name in ("x", "y"))
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()


def parse_key_set(document: Mapping[str, object] | bytes, *, max_keys: int = _MOST_KEYS) -> tuple[Key, ...]:
    """Return the keys of a JWK set that we can use; keys of other kinds and uses are passed over.

    :raises KeyRefused: when it is no key set, too large, without a usable key, or holds a private key.
    Source: RFC 7517 section 5.
    """
    if isinstance(document, bytes):
        document = _read(document, _BAD_SET)
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise KeyRefused(_BAD_SET)
    if len(listed) > max_keys:
        raise KeyRefused(_TOO_MANY)
    usable: list[Key] = []
    for jwk in listed:
        if not isinstance(jwk, Mapping):
            raise KeyRefused(_BAD_SET)
        _refuse_private(jwk)
        with suppress(KeyRefused):
            usable.append(_checked(jwk))
    if not usable:
        raise KeyRefused(_NO_USABLE)
    return tuple(usable)


def new_private_key(*, alg: Algorithm = "ES256", kid: str | None = None) -> dict[str, str]:
    """Make a private JWK with `alg`, `use` and `kid` (by default its own thumbprint)."""
    curve = next((name for name, (known, _) in _CURVES.items() if known == alg), None)
    members = _new_rsa_members() if curve is None else _new_ec_members(curve)
    return {"kid": kid or thumbprint(members), "alg": alg, "use": "sig", **members}


def private_key_from(secret: bytes, *, kid: str) -> dict[str, str]:
    """Return the private JWK (ES256) that follows from 32 random bytes of a key file.

    :raises ValueError: when there are not 32 bytes.
    """
    if len(secret) != _coordinate_bytes(ec.SECP256R1()):
        raise ValueError("32 bytes are needed")
    scalar = int.from_bytes(secret) % (_P256_ORDER - 1) + 1
    private = ec.derive_private_key(scalar, ec.SECP256R1())
    return {"kid": kid, "alg": "ES256", "use": "sig", **_ec_members("P-256", private)}


def public_part(jwk: Mapping[str, str]) -> dict[str, str]:
    """Return the JWK without its private members."""
    kept = (*_PUBLIC_MEMBERS[jwk["kty"]], "alg", "kid", "use")
    return {name: jwk[name] for name in kept if name in jwk}


def thumbprint(jwk: Mapping[str, str]) -> str:
    """Return the SHA-256 thumbprint of a public or private JWK, base64url.

    Source: RFC 7638 section 3.
    """
    return encode_segment(thumbprint_bytes(jwk))


def thumbprint_bytes(jwk: Mapping[str, str]) -> bytes:
    """Return the 32 bytes of the SHA-256 thumbprint."""
    members = {name: jwk[name] for name in _PUBLIC_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
    return hashlib.sha256(canonical.encode()).digest()


def encode_segment(raw: bytes) -> str:
    """Return base64url without padding. Source: RFC 7515 appendix C."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode_segment(segment: str) -> bytes | None:
    """Return the bytes of a base64url text, or None unless it is their one canonical form (never empty)."""
    try:
        sent = segment.encode("ascii")
        raw = binascii.a2b_base64(sent.translate(_TO_BASE64) + b"==")
    except ValueError:
        return None
    # What the lenient reader passed over, or took in another form, does not come back.
    same = binascii.b2a_base64(raw, newline=False).translate(_TO_BASE64URL, b"=") == sent
    return raw if raw and same else None


def _read(document: bytes, refusal: Text) -> dict[str, object]:
    if len(document) > _MOST_SET_BYTES:
        raise KeyRefused(refusal)
    try:
        return read_object(document)
    except NotStrictJson:
        raise KeyRefused(refusal) from None


def _refuse_private(jwk: Mapping[str, object]) -> None:
    if not _PRIVATE_MEMBERS.isdisjoint(jwk):
        raise KeyRefused(_PRIVATE)


def _checked(jwk: Mapping[str, object]) -> Key:
    kty, kid = jwk.get("kty"), jwk.get("kid")
    if not isinstance(kty, str) or kty not in _PUBLIC_MEMBERS:
        raise KeyRefused(_UNKNOWN_TYPE)
    if "kid" in jwk and not (isinstance(kid, str) and _KID.fullmatch(kid)):
        raise KeyRefused(_BAD_KID)
    alg = _algorithm(jwk)
    if ("use" in jwk and jwk["use"] != "sig") or ("key_ops" in jwk and jwk["key_ops"] != ["verify"]):
        raise KeyRefused(_BAD_USE)
    if kty == "EC":
        _check_ec(jwk)
    else:
        _check_rsa(jwk)
    members = {name: str(jwk[name]) for name in _PUBLIC_MEMBERS[kty]}
    return Key(kid=kid if isinstance(kid, str) else None, alg=alg, members=MappingProxyType(members))


def _algorithm(jwk: Mapping[str, object]) -> Algorithm:
    fitting = _RSA_ALGORITHMS if jwk["kty"] == "RSA" else (_curve(jwk)[0],)
    said = jwk.get("alg", fitting[0])
    found = next((alg for alg in fitting if alg == said), None)
    if found is None:
        raise KeyRefused(_BAD_ALG)
    return found


def _curve(jwk: Mapping[str, object]) -> tuple[Algorithm, ec.EllipticCurve]:
    name = jwk.get("crv")
    if not isinstance(name, str) or name not in _CURVES:
        raise KeyRefused(_UNKNOWN_TYPE)
    return _CURVES[name]


def _coordinate_bytes(curve: ec.EllipticCurve) -> int:
    return (curve.key_size + 7) // 8


def _check_ec(jwk: Mapping[str, object]) -> None:
    _, curve = _curve(jwk)
    x, y = _raw(jwk, "x"), _raw(jwk, "y")
    if {len(x), len(y)} != {_coordinate_bytes(curve)}:
        raise KeyRefused(_BAD_POINT)
    numbers = ec.EllipticCurvePublicNumbers(int.from_bytes(x, "big"), int.from_bytes(y, "big"), curve)
    try:
        numbers.public_key()
    except ValueError:
        raise KeyRefused(_BAD_POINT) from None


def _check_rsa(jwk: Mapping[str, object]) -> None:
    octets = {name: _raw(jwk, name) for name in ("n", "e")}
    if any(raw.startswith(b"\0") for raw in octets.values()):
        raise KeyRefused(_BAD_ENCODING)
    n, e = int.from_bytes(octets["n"], "big"), int.from_bytes(octets["e"], "big")
    if not _LEAST_RSA_BITS <= n.bit_length() <= _MOST_RSA_BITS:
        raise KeyRefused(_BAD_RSA_LENGTH)
    if n % 2 == 0 or e % 2 == 0 or e < _LEAST_EXPONENT or e.bit_length() > _MOST_EXPONENT_BITS:
        raise KeyRefused(_BAD_RSA_NUMBERS)


def _raw(jwk: Mapping[str, object], name: str) -> bytes:
    value = jwk.get(name)
    raw = decode_segment(value) if isinstance(value, str) else None
    if raw is None:
        raise KeyRefused(_BAD_ENCODING)
    return raw


def _new_ec_members(name: str) -> dict[str, str]:
    _, curve = _CURVES[name]
    return _ec_members(name, ec.generate_private_key(curve))


def _ec_members(name: str, private: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers, curve = private.private_numbers(), private.curve
    point, size = numbers.public_numbers, _coordinate_bytes(curve)
    coordinates = {"x": point.x, "y": point.y, "d": numbers.private_value}
    return {
        "kty": "EC",
        "crv": name,
        **{member: encode_segment(value.to_bytes(size, "big")) for member, value in coordinates.items()},
    }


def _new_rsa_members() -> dict[str, str]:
    numbers = rsa.generate_private_key(public_exponent=_LEAST_EXPONENT, key_size=_NEW_RSA_BITS).private_numbers()
    members = {
        "n": numbers.public_numbers.n,
        "e": numbers.public_numbers.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    }
    return {"kty": "RSA", **{name: encode_segment(_octets(value)) for name, value in members.items()}}


def _octets(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
