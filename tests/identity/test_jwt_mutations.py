"""Every mutation of a good token is refused, and only ever with BadToken."""

import re
import string
from collections.abc import Mapping

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.identity.jwt import BadToken, parse_key, public_part, read_unverified_issuer, read_unverified_kid
from tests.identity.forging import (
    CLIENT,
    SECONDS,
    assertion_from,
    changed,
    good_claims,
    good_header,
    hmac_signed,
    private_key,
    public_bytes,
    public_key,
    segment,
    signed,
    with_header,
)

KEY = private_key("k1")
RSA_KEY = private_key("k2", "RS256")
GOOD = {
    "es256": with_header()(),
    "rs256": signed(changed(good_header("RS256"), kid="k2"), good_claims(), RSA_KEY),
}
REFUSED_HEADERS = ("crit", "jku", "jwk", "x5u", "x5c", "zip", "b64", "enc", "epk", "p2s", "p2c")
thorough = settings(max_examples=150, deadline=None, database=None)

any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
characters = st.sampled_from(string.ascii_letters + string.digits + "-_=+/. \n\0") | st.characters()


def assert_refused(token: str) -> None:
    with pytest.raises(BadToken):
        assertion_from(token)


def test_what_is_mutated_is_good() -> None:
    for token in GOOD.values():
        assert assertion_from(token).client_id == CLIENT


@pytest.mark.parametrize("name", GOOD)
@thorough
@given(data=st.data())
def test_one_character_changed(name: str, data: st.DataObject) -> None:
    token = GOOD[name]
    place = data.draw(st.integers(0, len(token) - 1))
    width = data.draw(st.integers(0, 2))
    text = data.draw(st.text(characters, max_size=3))

    mutated = token[:place] + text + token[place + width :]

    assume(mutated != token)
    assert_refused(mutated)


@pytest.mark.parametrize("name", GOOD)
@thorough
@given(data=st.data())
def test_one_bit_of_a_segment_flipped(name: str, data: st.DataObject) -> None:
    segments = GOOD[name].split(".")
    chosen = data.draw(st.integers(0, 2))
    place = data.draw(st.integers(0, len(segments[chosen]) - 1))
    flipped = chr(ord(segments[chosen][place]) ^ (1 << data.draw(st.integers(0, 6))))

    segments[chosen] = segments[chosen][:place] + flipped + segments[chosen][place + 1 :]

    assert_refused(".".join(segments))


@thorough
@given(order=st.permutations([0, 1, 2]), lengths=st.tuples(*[st.integers(0, 400)] * 3))
def test_segments_swapped_and_cut(order: list[int], lengths: tuple[int, int, int]) -> None:
    segments = GOOD["es256"].split(".")
    mutated = ".".join(segments[index][:length] for index, length in zip(order, lengths, strict=True))

    assume(mutated != GOOD["es256"])
    assert_refused(mutated)


@thorough
@given(header=st.permutations(list(good_header().values())))
def test_header_values_swapped(header: list[str]) -> None:
    names = good_header().keys()
    swapped = dict(zip(names, header, strict=True))

    assume(swapped != good_header())
    assert_refused(signed(swapped, good_claims(), KEY))


@thorough
@given(name=st.sampled_from(["alg", "kid", "typ"]), value=any_json)
def test_header_value_replaced(name: str, value: object) -> None:
    still_good = name == "typ" and isinstance(value, str) and value.lower() == "jwt"

    assume(value != good_header()[name] and not still_good)
    assert_refused(signed(changed(good_header(), **{name: value}), good_claims(), KEY))


@thorough
@given(name=st.sampled_from(REFUSED_HEADERS), value=any_json)
def test_header_added(name: str, value: object) -> None:
    assert_refused(signed(changed(good_header(), **{name: value}), good_claims(), KEY))


@thorough
@given(name=st.sampled_from(sorted({*good_claims(), "nbf"})), value=any_json)
@example(name="exp", value=True)
@example(name="iat", value=float(SECONDS))
@example(name="sub", value=[CLIENT])
@example(name="nbf", value=None)
def test_claim_of_another_type(name: str, value: object) -> None:
    original = changed(good_claims(), nbf=SECONDS)[name]

    assume(type(value) is not type(original))
    assert_refused(signed(good_header(), changed(good_claims(), **{name: value}), KEY))


@thorough
@given(dropped=st.sets(st.sampled_from(sorted(good_claims())), min_size=1).filter(lambda names: names != {"iat"}))
def test_claims_dropped(dropped: set[str]) -> None:
    assert_refused(signed(good_header(), changed(good_claims(), *dropped), KEY))


@thorough
@given(payload=any_json)
def test_claims_are_anything(payload: object) -> None:
    assert_refused(signed(good_header(), payload, KEY))


@thorough
@given(header=any_json)
def test_header_is_anything(header: object) -> None:
    assert_refused(signed(header, good_claims(), KEY))


@pytest.mark.parametrize("encoding", ["pem", "pkcs1", "der", "jwk", "openssh"])
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512", "ES256", "RS256", "none"])
@pytest.mark.parametrize("kid", ["k1", "k2", None])
def test_public_key_as_hmac_secret(encoding: str, alg: str, kid: str | None) -> None:
    header = changed(good_header(alg), kid=kid) if kid else changed(good_header(alg), "kid")
    for key in (RSA_KEY,) if encoding == "pkcs1" else (KEY, RSA_KEY):
        secret = public_bytes(key, encoding)
        for variant in (secret, secret.strip(), secret + b"\n"):
            assert_refused(hmac_signed(header, good_claims(), variant))


@pytest.mark.parametrize("alg", ["ES256", "RS256"])
@pytest.mark.parametrize(
    "signer",
    [private_key("evil"), private_key("evil", "RS256"), RSA_KEY],
    ids=["ec", "rsa", "registered_rsa"],
)
def test_signed_with_another_key(alg: str, signer: Mapping[str, str]) -> None:
    if alg == "RS256" and signer is RSA_KEY:
        header = changed(good_header("RS256"), kid="k1")
    else:
        header = changed(good_header(alg), kid="k1" if alg == "ES256" else "k2")

    assert_refused(signed(header, good_claims(), signer))


@thorough
@given(garbage=st.text() | st.lists(st.binary().map(segment), max_size=6).map(".".join))
@example("..")
@example("e30.e30.e30")
def test_garbage(garbage: str) -> None:
    assert_refused(garbage)
    for read in (read_unverified_issuer, read_unverified_kid):
        with pytest.raises(BadToken):
            read(garbage)


@thorough
@given(note=any_json, iat=st.integers(-250, 10), life=st.integers(1, 300))
def test_good_tokens_are_accepted(note: object, iat: int, life: int) -> None:
    assume(iat + life > 0)
    claims = changed(good_claims(), note=note, iat=SECONDS + iat, exp=SECONDS + iat + life)
    token = signed(good_header(), claims, KEY)

    # What strict JSON refuses whoever signed it: text and numbers that PostgreSQL could not keep.
    assume("\\x00" not in repr(note) and not re.search(r"[0-9]{19}", repr(note)) and len(token) <= 8192)
    assert assertion_from(token).jti == claims["jti"]


def test_other_keys_of_the_set_do_not_disturb() -> None:
    others = (public_key("k3"), parse_key(public_part(RSA_KEY)))

    assert assertion_from(GOOD["es256"], *others, public_key("k1")).client_id == CLIENT
