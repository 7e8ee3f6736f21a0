"""Keys of ours, and keys that others register or publish."""

import json
from collections.abc import Mapping

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.core.errors import Invalid
from app.identity.jwk import (
    Algorithm,
    KeyRefused,
    decode_segment,
    encode_segment,
    new_private_key,
    parse_key,
    parse_key_set,
    public_part,
    thumbprint,
)
from tests.identity.forging import changed, private_key

EC = public_part(private_key("k1"))
EC384 = public_part(private_key("k4", "ES384"))
RSA = public_part(private_key("k2", "RS256"))
RSA384 = changed(RSA, alg="RS384")
X = decode_segment(EC["x"]) or b""
MODULUS = int.from_bytes(decode_segment(RSA["n"]) or b"", "big")


def number(value: int) -> str:
    return encode_segment(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@pytest.mark.parametrize(("jwk", "alg"), [(EC, "ES256"), (EC384, "ES384"), (RSA, "RS256")])
def test_accepts_a_public_key(jwk: dict[str, str], alg: str) -> None:
    for dropped in ((), ("alg",), ("use",), ("alg", "use")):
        key = parse_key(changed(jwk, *dropped))

        assert (key.kid, key.alg) == (jwk["kid"], alg)
        assert thumbprint(dict(key.members)) == thumbprint(jwk)


def test_an_rsa_key_is_of_the_one_algorithm_that_it_names() -> None:
    assert parse_key(RSA384).alg == "RS384"
    assert parse_key(changed(RSA384, "alg")).alg == "RS256"


def test_keeps_only_what_verifies() -> None:
    key = parse_key(changed(EC, x5u="http://127.0.0.1:9", x5c=["MIIB"], key_ops=["verify"], iat=1))

    assert dict(key.members) == {name: EC[name] for name in ("kty", "crv", "x", "y")}


REFUSED: dict[str, tuple[str, Mapping[str, object]]] = {
    "private_ec": ("private", private_key("k1")),
    "private_rsa": ("private", private_key("k2", "RS256")),
    "private_member_empty": ("private", changed(EC, d="")),
    "private_prime_only": ("private", changed(RSA, p="AQAB")),
    "symmetric": ("private", {"kty": "oct", "k": "AAAA", "kid": "k1"}),
    "kty_missing": ("P-256", changed(EC, "kty")),
    "kty_list": ("P-256", changed(EC, kty=["EC"])),
    "kty_okp": ("P-256", {"kty": "OKP", "crv": "Ed25519", "x": EC["x"], "kid": "k1"}),
    "kty_in_lower_case": ("P-256", changed(EC, kty="ec")),
    "curve_p521": ("P-256", changed(EC, crv="P-521")),
    "curve_list": ("P-256", changed(EC, crv=["P-256"])),
    "point_of_another_curve": ("point of the curve", changed(EC, "alg", crv="P-384")),
    "longer_point_of_another_curve": ("point of the curve", changed(EC384, "alg", crv="P-256")),
    "curve_secp256k1": ("P-256", changed(EC, crv="secp256k1")),
    "curve_missing": ("P-256", changed(EC, "crv")),
    "kid_missing": ("key id", changed(EC, "kid")),
    "kid_null": ("key id", changed(EC, kid=None)),
    "kid_empty": ("key id", changed(EC, kid="")),
    "kid_of_256": ("key id", changed(EC, kid="k" * 256)),
    "kid_with_newline": ("key id", changed(EC, kid="k1\n")),
    "kid_number": ("key id", changed(EC, kid=1)),
    "alg_of_the_other_family": ("algorithm", changed(EC, alg="RS256")),
    "alg_of_the_other_curve": ("algorithm", changed(EC, alg="ES384")),
    "alg_of_the_smaller_curve": ("algorithm", changed(EC384, alg="ES256")),
    "alg_of_no_key_of_ours": ("algorithm", changed(RSA, alg="RS512")),
    "alg_hmac": ("algorithm", changed(RSA, alg="HS256")),
    "alg_pss": ("algorithm", changed(RSA, alg="PS256")),
    "alg_none": ("algorithm", changed(EC, alg="none")),
    "alg_null": ("algorithm", changed(EC, alg=None)),
    "use_encryption": ("signatures", changed(RSA, use="enc")),
    "use_null": ("signatures", changed(RSA, use=None)),
    "key_ops_encrypt": ("signatures", changed(RSA, key_ops=["encrypt"])),
    "key_ops_sign_too": ("signatures", changed(RSA, key_ops=["verify", "sign"])),
    "x_missing": ("base64url", changed(EC, "x")),
    "x_number": ("base64url", changed(EC, x=1)),
    "x_padded": ("base64url", changed(EC, x=EC["x"] + "=")),
    "x_standard_alphabet": ("base64url", changed(EC, x="+" * 43)),
    "x_not_canonical": ("base64url", changed(EC, x="A" * 42 + "B")),
    "x_short": ("point of the curve", changed(EC, x=encode_segment(X[1:]))),
    "x_with_a_leading_zero": ("point of the curve", changed(EC, x=encode_segment(b"\0" + X))),
    "point_not_on_the_curve": ("point of the curve", changed(EC, y=EC["x"])),
    "point_zero": ("point of the curve", changed(EC, x="A" * 43, y="A" * 43)),
    "point_beyond_the_field": ("point of the curve", changed(EC, x=encode_segment(b"\xff" * 32))),
    "rsa_1024": ("2048", changed(RSA, n=number(MODULUS >> (MODULUS.bit_length() - 1024) | 1))),
    "rsa_2047": ("2048", changed(RSA, n=number((1 << 2046) | 1))),
    "rsa_16384": ("2048", changed(RSA, n=number((1 << 16383) | 1))),
    "rsa_even": ("odd", changed(RSA, n=number(MODULUS + 1))),
    "rsa_exponent_1": ("odd", changed(RSA, e="AQ")),
    "rsa_exponent_3": ("odd", changed(RSA, e="Aw")),
    "rsa_exponent_even": ("odd", changed(RSA, e=number(65538))),
    "rsa_exponent_huge": ("odd", changed(RSA, e=number((1 << 64) + 1))),
    "rsa_leading_zero": ("base64url", changed(RSA, n=encode_segment(b"\0" + MODULUS.to_bytes(384, "big")))),
    "rsa_exponent_missing": ("base64url", changed(RSA, "e")),
    "empty": ("P-256", {}),
}


@pytest.mark.parametrize(("says", "jwk"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_key(says: str, jwk: Mapping[str, object]) -> None:
    with pytest.raises(KeyRefused) as refusal:
        parse_key(jwk)

    assert says in refusal.value.text.en
    assert isinstance(refusal.value, Invalid)
    assert refusal.value.text.vi != refusal.value.text.en


@pytest.mark.parametrize("document", [b"", b"[]", b"{", b'{"kty": "EC", "kty": "RSA"}', b"x" * 300_000])
def test_refused_document(document: bytes) -> None:
    with pytest.raises(KeyRefused, match="JSON"):
        parse_key(document)
    with pytest.raises(KeyRefused, match="JSON"):
        parse_key_set(document)


@settings(max_examples=150, deadline=None, database=None)
@given(
    name=st.sampled_from(sorted({*EC, *RSA, "key_ops"})),
    value=st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2),
)
def test_any_member_may_be_nonsense(name: str, value: object) -> None:
    for jwk in (EC, RSA):
        harmless = (name == "kid" and isinstance(value, str)) or name not in {*jwk, "key_ops"}

        assume(not harmless)
        with pytest.raises(KeyRefused):
            parse_key(changed(jwk, **{name: value}))


def test_accepts_bytes() -> None:
    assert parse_key(json.dumps(EC).encode()).kid == "k1"


def test_key_set_passes_over_what_it_cannot_use() -> None:
    others: list[Mapping[str, object]] = [
        changed(RSA, use="enc"),
        changed(RSA, alg="PS256"),
        {"kty": "OKP", "crv": "Ed25519", "x": EC["x"]},
        changed(EC, crv="P-521"),
    ]

    keys = parse_key_set(json.dumps({"keys": [*others, changed(EC, "kid"), RSA]}).encode())

    assert [(key.kid, key.alg) for key in keys] == [(None, "ES256"), ("k2", "RS256")]


@pytest.mark.parametrize(
    ("says", "document"),
    [
        ("list of keys", {}),
        ("list of keys", {"keys": {}}),
        ("list of keys", {"keys": ["k1"]}),
        ("list of keys", {"keys": [None]}),
        ("no usable", {"keys": []}),
        ("no usable", {"keys": [changed(EC, use="enc")]}),
        ("private", {"keys": [EC, private_key("k3")]}),
        ("private", {"keys": [EC, {"kty": "oct", "k": "AAAA"}]}),
        ("too many", {"keys": [EC] * 21}),
        ("too many", {"keys": [EC] * 10_000}),
    ],
)
def test_b81_refused_key_set(says: str, document: Mapping[str, object]) -> None:
    with pytest.raises(KeyRefused, match=says):
        parse_key_set(document)


@pytest.mark.parametrize("alg", ["ES256", "ES384", "RS256", "RS384"])
def test_new_keys_are_private_and_their_public_part_is_not(alg: Algorithm) -> None:
    key = new_private_key(alg=alg)

    assert key["kid"] == thumbprint(key) == thumbprint(public_part(key))
    assert parse_key(public_part(key)).alg == alg
    assert not {"d", "p", "q", "dp", "dq", "qi"} & public_part(key).keys()
    assert "d" in key


def test_new_rsa_keys_are_long_enough() -> None:
    assert MODULUS.bit_length() == 3072


def test_thumbprint_of_the_specification() -> None:
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknj"
        "hMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
        "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzK"
        "nqDKgw"
    )

    print_of_example = thumbprint({"kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"})

    assert print_of_example == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@given(raw=st.binary(min_size=1))
@settings(max_examples=50, deadline=None, database=None)
def test_segments_have_one_form(raw: bytes) -> None:
    assert decode_segment(encode_segment(raw)) == raw


@pytest.mark.parametrize("segment", ["", "A", "AB=", "AB", "A B", "ồ", "AA\n", "+A", "/A"])
def test_refused_segment(segment: str) -> None:
    assert decode_segment(segment) is None
