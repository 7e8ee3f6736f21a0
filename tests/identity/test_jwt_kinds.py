"""Cases B1-B48 once more, against the tokens of the identity provider: who signed in, and who is signed out."""

import json
import string
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app.identity.jwt import BadToken, Reason, public_part, verify_logout_token
from tests.identity.forging import (
    NOW,
    SECONDS,
    changed,
    good_header,
    hmac_signed,
    private_key,
    public_bytes,
    public_key,
    segment,
    signed,
)
from tests.identity.test_jwt_id_tokens import GOOD, LOGOUT, PROFILE, claims_of


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of token: what is good, and who judges."""

    claims: Mapping[str, object]
    judge: Callable[[str], object]

    def token(self, header: object = None, claims: object = None, *, kid: str = "k1", rsa: bool = False) -> str:
        key = private_key(kid, "RS256") if rsa else private_key(kid)
        return signed(good_header() if header is None else header, self.claims if claims is None else claims, key)

    def with_header(self, *dropped: str, **replaced: object) -> str:
        return self.token(header=changed(good_header(), *dropped, **replaced))

    def with_claims(self, *dropped: str, **replaced: object) -> str:
        return self.token(claims=changed(self.claims, *dropped, **replaced))

    def with_text(self, old: str, new: str) -> str:
        text = json.dumps(dict(self.claims))
        assert text.count(old) == 1
        return self.token(claims=text.replace(old, new))

    def unsigned(self, alg: object, signature: bytes) -> str:
        return f"{segment(changed(good_header(), alg=alg))}.{segment(dict(self.claims))}.{segment(signature)}"

    def confused(self, encoding: str, kid: str) -> str:
        secret = public_bytes(private_key(kid, "ES256" if kid == "k1" else "RS256"), encoding)
        return hmac_signed(changed(good_header("HS256"), kid=kid), dict(self.claims), secret)


def logout_of(token: str) -> object:
    return verify_logout_token(token, keys=[public_key("k1"), public_key("k2", "RS256")], id_tokens=PROFILE, now=NOW)


KINDS = {"identity": Kind(GOOD, claims_of), "logout": Kind(LOGOUT, logout_of)}
EXP = '"exp": '
JWE = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "zip": "DEF"}
Mutation = Callable[[Kind], str]

REFUSED: dict[str, tuple[Reason, Mutation]] = {
    "b1_none_empty": (Reason.MALFORMED, lambda kind: kind.unsigned("none", b"")),
    "b1_none": (Reason.ALGORITHM, lambda kind: kind.unsigned("none", b"A")),
    "b2_nOnE": (Reason.ALGORITHM, lambda kind: kind.unsigned("nOnE", b"A")),
    "b2_NONE": (Reason.ALGORITHM, lambda kind: kind.unsigned("NONE", b"A")),
    "b3_alg_missing": (Reason.ALGORITHM, lambda kind: kind.with_header("alg")),
    "b3_alg_null": (Reason.ALGORITHM, lambda kind: kind.with_header(alg=None)),
    "b3_alg_number": (Reason.ALGORITHM, lambda kind: kind.with_header(alg=256)),
    "b3_alg_array": (Reason.ALGORITHM, lambda kind: kind.with_header(alg=["ES256"])),
    "b4_null_signature": (Reason.MALFORMED, lambda kind: kind.unsigned("ES256", b"")),
    "b5_hmac_pem": (Reason.ALGORITHM, lambda kind: kind.confused("pem", "k1")),
    "b6_hmac_pkcs1": (Reason.ALGORITHM, lambda kind: kind.confused("pkcs1", "k2")),
    "b7_hmac_der": (Reason.ALGORITHM, lambda kind: kind.confused("der", "k1")),
    "b8_hmac_jwk": (Reason.ALGORITHM, lambda kind: kind.confused("jwk", "k1")),
    "b9_hmac_openssh": (Reason.ALGORITHM, lambda kind: kind.confused("openssh", "k1")),
    "b10_rs256_for_es256": (Reason.ALGORITHM, lambda kind: kind.token(good_header("RS256"), kid="k2", rsa=True)),
    "b10_rsa_named_es256": (Reason.SIGNATURE, lambda kind: kind.token(kid="k2", rsa=True)),
    "b11_psychic": (Reason.SIGNATURE, lambda kind: kind.unsigned("ES256", bytes(64))),
    "b13_kid_dev_null": (Reason.UNKNOWN_KEY, lambda kind: kind.with_header(kid="../../../../dev/null")),
    "b14_kid_sql": (Reason.UNKNOWN_KEY, lambda kind: kind.with_header(kid="' OR 1=1--")),
    "b15_kid_of_a_megabyte": (Reason.TOO_LARGE, lambda kind: kind.with_header(kid="k" * 1_000_000)),
    "b16_kid_unknown": (Reason.UNKNOWN_KEY, lambda kind: kind.with_header(kid="k9")),
    "b19_jku": (Reason.HEADER, lambda kind: kind.token(changed(good_header(), jku="http://127.0.0.1:9"), kid="evil")),
    "b20_x5u": (Reason.HEADER, lambda kind: kind.token(changed(good_header(), x5u="http://127.0.0.1:9"), kid="evil")),
    "b21_jwk": (
        Reason.HEADER,
        lambda kind: kind.token(changed(good_header(), jwk=public_part(private_key("evil"))), kid="evil"),
    ),
    "b22_x5c": (Reason.HEADER, lambda kind: kind.token(changed(good_header(), x5c=["MIIB"]), kid="evil")),
    "b23_crit_b64": (Reason.HEADER, lambda kind: kind.with_header(crit=["b64"], b64=False)),
    "b24_crit_unknown": (Reason.HEADER, lambda kind: kind.with_header(crit=["exp"])),
    "b25_exp_past": (Reason.EXPIRED, lambda kind: kind.with_claims(iat=SECONDS - 60, exp=SECONDS - 1)),
    "b26_exp_missing": (Reason.CLAIM_MISSING, lambda kind: kind.with_claims("exp")),
    "b27_exp_text": (Reason.CLAIM_MALFORMED, lambda kind: kind.with_claims(exp=str(SECONDS + 60))),
    "b28_exp_1e400": (Reason.MALFORMED, lambda kind: kind.with_text(f"{EXP}{kind.claims['exp']}", f"{EXP}1e400")),
    "b28_exp_nan": (Reason.MALFORMED, lambda kind: kind.with_text(f"{EXP}{kind.claims['exp']}", f"{EXP}NaN")),
    "b28_exp_negative": (Reason.EXPIRED, lambda kind: kind.with_claims(exp=-1)),
    "b29_exp_far": (Reason.LIFETIME, lambda kind: kind.with_claims(exp=SECONDS + 315_360_000)),
    "b31_iat_ahead": (Reason.NOT_YET_VALID, lambda kind: kind.with_claims(iat=SECONDS + 61)),
    "b31_nbf_ahead": (Reason.NOT_YET_VALID, lambda kind: kind.with_claims(nbf=SECONDS + 61)),
    "b32_iat_missing": (Reason.CLAIM_MISSING, lambda kind: kind.with_claims("iat")),
    "b33_aud_wrong": (Reason.AUDIENCE, lambda kind: kind.with_claims(aud="another")),
    "b34_aud_missing": (Reason.CLAIM_MISSING, lambda kind: kind.with_claims("aud")),
    "b35_aud_second": (Reason.AUDIENCE, lambda kind: kind.with_claims(aud=[kind.claims["aud"], "another"])),
    "b37_iss_wrong": (Reason.ISSUER, lambda kind: kind.with_claims(iss="https://evil.example")),
    "b38_iss_missing": (Reason.CLAIM_MISSING, lambda kind: kind.with_claims("iss")),
    "b39_iss_slash": (Reason.ISSUER, lambda kind: kind.with_claims(iss=f"{kind.claims['iss']}/")),
    "b39_iss_case": (Reason.ISSUER, lambda kind: kind.with_claims(iss=str(kind.claims["iss"]).upper())),
    "b40_names_nobody": (Reason.CLAIM_MISSING, lambda kind: kind.with_claims("sub", "sid")),
    "b41_sub_of_256": (Reason.CLAIM_MALFORMED, lambda kind: kind.with_claims(sub="s" * 256)),
    "b42_sub_twice": (Reason.MALFORMED, lambda kind: kind.with_text('"sub": ', '"sub": "evil", "sub": ')),
    "b44_refresh_token": (Reason.MALFORMED, lambda _kind: "v1.MRjAm0hUgSEPTx7Zr2yNhA"),
    "b46_step_up_token": (Reason.TYPE, lambda kind: kind.with_header(typ="step-up+jwt")),
    "b46_access_token": (Reason.TYPE, lambda kind: kind.with_header(typ="at+jwt")),
    "b46_dpop_proof": (Reason.TYPE, lambda kind: kind.with_header(typ="dpop+jwt")),
    "b47_jwe_bomb": (
        Reason.MALFORMED,
        lambda _kind: f"{segment(JWE)}.AAAA.AAAA.{segment(zlib.compress(b'A' * 300_000))}.AAAA",
    ),
    "b47_p2c": (Reason.HEADER, lambda kind: kind.with_header(p2c=10**9)),
    "b48_a_megabyte": (Reason.TOO_LARGE, lambda _kind: "A" * 1_000_000),
    "b48_four_segments": (Reason.MALFORMED, lambda kind: kind.token() + ".AAAA"),
    "b48_unicode": (Reason.MALFORMED, lambda _kind: "ồồồ.ồồồ.ồồồ"),
    "b168_other_key": (Reason.SIGNATURE, lambda kind: kind.token(kid="evil")),
}
ACCEPTED: dict[str, Mutation] = {
    "plain": lambda kind: kind.token(),
    "b17_kid_absent_one_key_fits": lambda kind: kind.with_header("kid"),
    "b30_iat_8_s_ahead": lambda kind: kind.with_claims(iat=SECONDS + 8),
    "b30_nbf_8_s_ahead": lambda kind: kind.with_claims(nbf=SECONDS + 8),
    "b36_aud_as_array": lambda kind: kind.with_claims(aud=[kind.claims["aud"]]),
}
BY_ONE_KIND = {12, 18, 43, 45}
"""Malleated copies, guessed keys, and one kind as the other: each has a test of its own (see below, test_jwt)."""


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize(("reason", "mutate"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_refused(kind: Kind, reason: Reason, mutate: Mutation) -> None:
    with pytest.raises(BadToken) as refusal:
        kind.judge(mutate(kind))

    assert refusal.value.reason is reason


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("mutate", [pytest.param(mutate, id=name) for name, mutate in ACCEPTED.items()])
def test_accepted(kind: Kind, mutate: Mutation) -> None:
    kind.judge(mutate(kind))


def test_b43_b45_one_kind_is_not_the_other() -> None:
    for kind, other in (("identity", "logout"), ("logout", "identity")):
        with pytest.raises(BadToken):
            KINDS[other].judge(KINDS[kind].token())


def test_every_case_is_tried() -> None:
    tried = {int(name.partition("_")[0][1:]) for name in (*REFUSED, *ACCEPTED) if name.startswith("b")}

    assert tried | BY_ONE_KIND >= {*range(1, 49), 168}


characters = st.sampled_from(string.ascii_letters + string.digits + "-_=+/. \n\0") | st.characters()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@hypothesis_settings(max_examples=150, deadline=None, database=None)
@given(data=st.data())
def test_every_mutation_of_a_good_token_is_refused(kind: Kind, data: st.DataObject) -> None:
    token = kind.token()
    place, width = data.draw(st.integers(0, len(token) - 1)), data.draw(st.integers(0, 2))
    mutated = token[:place] + data.draw(st.text(characters, max_size=3)) + token[place + width :]

    assume(mutated != token)
    with pytest.raises(BadToken):
        kind.judge(mutated)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
@hypothesis_settings(max_examples=100, deadline=None, database=None)
@given(data=st.data())
def test_claims_of_other_types_are_refused(kind: Kind, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["iss", "aud", "exp", "iat", "sub"]))
    value = data.draw(st.none() | st.booleans() | st.floats(allow_nan=False) | st.lists(st.integers(), max_size=2))

    with pytest.raises(BadToken):
        kind.judge(kind.with_claims(**{name: value}))
