"""ID and logout tokens; the cases carry the names of the OpenID Foundation's client tests."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from app.identity.jwt import BadToken, Claims, Reason, id_token_profile, verify, verify_logout_token
from tests.identity.forging import (
    NOW,
    SECONDS,
    TokenBuilder,
    changed,
    confused,
    good_header,
    private_key,
    public_key,
    signed,
    unsigned,
    with_segments,
)

OP = "https://op.example"
US = "sokhoe"
NONCE = "n-0S6_WzA2Mj"
ACCESS_TOKEN = "2YotnFZFEjr1zCsicMWpAA"
AT_HASH = base64.urlsafe_b64encode(hashlib.sha256(ACCESS_TOKEN.encode()).digest()[:16]).decode().rstrip("=")
AT_HASH_384 = base64.urlsafe_b64encode(hashlib.sha384(ACCESS_TOKEN.encode()).digest()[:24]).decode()
EVENT = "http://schemas.openid.net/event/backchannel-logout"
PROFILE = id_token_profile(
    issuer=OP,
    client_id=US,
    algorithms=frozenset({"ES256", "ES384", "RS256"}),
    max_lifetime=timedelta(hours=1),
)
GOOD = {
    "iss": OP,
    "sub": "9a1f",
    "aud": US,
    "iat": SECONDS,
    "exp": SECONDS + 3600,
    "nonce": NONCE,
    "at_hash": AT_HASH,
    "acr": "urn:vn:level2",
}
LOGOUT = {
    "iss": OP,
    "sub": "9a1f",
    "sid": "s-1",
    "aud": US,
    "iat": SECONDS,
    "exp": SECONDS + 120,
    "jti": "j-1",
    "events": {EVENT: {}},
}


def claims_of(token: str) -> Claims:
    keys = [public_key("k1"), public_key("k2", "RS256"), public_key("k4", "ES384")]
    return verify(token, keys=keys, profile=PROFILE, nonce=NONCE, access_token=ACCESS_TOKEN, now=NOW)


def with_id_claims(*dropped: str, **replaced: object) -> TokenBuilder:
    return with_segments(good_header(), changed(GOOD, *dropped, **replaced))


REFUSED: dict[str, tuple[Reason, TokenBuilder]] = {
    "oidcc-client-test-idtoken-sig-none": (Reason.ALGORITHM, unsigned("none", b"A")),
    "oidcc-client-test-invalid-athash": (Reason.ACCESS_TOKEN_HASH, with_id_claims(at_hash=AT_HASH[::-1])),
    "at_hash_of_another_length": (
        Reason.ACCESS_TOKEN_HASH,
        with_segments(changed(good_header("ES384"), kid="k4"), GOOD, "k4", "ES384"),
    ),
    "oidcc-client-test-invalid-aud": (Reason.AUDIENCE, with_id_claims(aud="other")),
    "oidcc-client-test-invalid-iss": (Reason.ISSUER, with_id_claims(iss="https://other.example")),
    "oidcc-client-test-invalid-sig-es256": (Reason.SIGNATURE, with_segments(good_header(), GOOD, "evil")),
    "oidcc-client-test-invalid-sig-hs256": (Reason.ALGORITHM, confused("der", "k2")),
    "oidcc-client-test-invalid-sig-rs256": (
        Reason.SIGNATURE,
        with_segments(changed(good_header("RS256"), kid="k2"), GOOD, "evil"),
    ),
    "oidcc-client-test-missing-aud": (Reason.CLAIM_MISSING, with_id_claims("aud")),
    "b32_oidcc-client-test-missing-iat": (Reason.CLAIM_MISSING, with_id_claims("iat")),
    "oidcc-client-test-missing-sub": (Reason.CLAIM_MISSING, with_id_claims("sub")),
    "oidcc-client-test-nonce-invalid": (Reason.NONCE, with_id_claims(nonce="other")),
    "fapi2-security-profile-final-client-test-invalid-alternate-alg": (
        Reason.ALGORITHM,
        with_segments(good_header("PS256"), GOOD),
    ),
    "fapi2-security-profile-final-client-test-invalid-expired-exp": (
        Reason.EXPIRED,
        with_id_claims(iat=SECONDS - 60, exp=SECONDS - 1),
    ),
    "fapi2-security-profile-final-client-test-invalid-missing-exp": (
        Reason.CLAIM_MISSING,
        with_id_claims("exp"),
    ),
    "fapi2-security-profile-final-client-test-invalid-missing-iss": (
        Reason.CLAIM_MISSING,
        with_id_claims("iss"),
    ),
    "fapi2-security-profile-final-client-test-invalid-missing-nonce": (
        Reason.CLAIM_MISSING,
        with_id_claims("nonce"),
    ),
    "fapi2-security-profile-final-client-test-invalid-null-alg": (
        Reason.ALGORITHM,
        with_segments(changed(good_header(), alg=None), GOOD),
    ),
    "fapi2-security-profile-final-client-test-invalid-secondary-aud": (
        Reason.AUDIENCE,
        with_id_claims(aud=[US, "other"]),
    ),
    "azp_of_another": (Reason.AUTHORIZED_PARTY, with_id_claims(azp="other")),
    "nonce_number": (Reason.CLAIM_MALFORMED, with_id_claims(nonce=1)),
    "nonce_not_ascii": (Reason.NONCE, with_id_claims(nonce="ồ")),
    "b45_logout_token": (Reason.CLAIM_FORBIDDEN, with_id_claims(events={EVENT: {}})),
    "b29_lives_over_an_hour": (Reason.LIFETIME, with_id_claims(exp=SECONDS + 3601)),
}

ACCEPTED: dict[str, TokenBuilder] = {
    "oidcc-client-test": with_id_claims(),
    "oidcc-client-test-idtoken-sig-rs256": with_segments(changed(good_header("RS256"), kid="k2"), GOOD, "k2", "RS256"),
    "es384": with_segments(changed(good_header("ES384"), kid="k4"), changed(GOOD, at_hash=AT_HASH_384), "k4", "ES384"),
    "oidcc-client-test-kid-absent-single-jwks": with_segments(changed(good_header(), "kid"), GOOD),
    "oidcc-client-test-missing-athash": with_id_claims("at_hash"),
    "fapi2-security-profile-final-client-test-valid-aud-as-array": with_id_claims(aud=[US]),
    "azp_ours": with_id_claims(azp=US),
}


@pytest.mark.parametrize(("reason", "build"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_id_token(reason: Reason, build: TokenBuilder) -> None:
    with pytest.raises(BadToken) as refusal:
        claims_of(build())

    assert refusal.value.reason is reason


@pytest.mark.parametrize("build", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepted_id_token(build: TokenBuilder) -> None:
    claims = claims_of(build())

    assert (claims.issuer, claims.subject, claims.audiences) == (OP, "9a1f", frozenset({US}))
    assert claims.values["acr"] == "urn:vn:level2"


def test_at_hash_can_be_demanded() -> None:
    profile = replace(PROFILE, required=frozenset({"at_hash"}))

    with pytest.raises(BadToken) as refusal:
        verify(with_id_claims("at_hash")(), keys=[public_key("k1")], profile=profile, now=NOW)

    assert refusal.value.reason is Reason.CLAIM_MISSING


LOGOUT_REFUSED: dict[str, tuple[Reason, TokenBuilder]] = {
    "b83_rp-backchannel-rpinitlogout-alg-none": (Reason.ALGORITHM, unsigned("none", b"A")),
    "b84_rp-backchannel-rpinitlogout-wrong-alg": (Reason.ALGORITHM, confused("pem", "k1")),
    "b85_rp-backchannel-rpinitlogout-wrong-aud": (
        Reason.AUDIENCE,
        with_segments(good_header(), changed(LOGOUT, aud="other")),
    ),
    "b86_rp-backchannel-rpinitlogout-wrong-iss": (
        Reason.ISSUER,
        with_segments(good_header(), changed(LOGOUT, iss=OP + "/")),
    ),
    "b87_rp-backchannel-rpinitlogout-no-event": (
        Reason.CLAIM_MISSING,
        with_segments(good_header(), changed(LOGOUT, "events")),
    ),
    "b88_rp-backchannel-rpinitlogout-wrong-event": (
        Reason.EVENT,
        with_segments(good_header(), changed(LOGOUT, events={EVENT + "-x": {}})),
    ),
    "b88_event_is_text": (Reason.EVENT, with_segments(good_header(), changed(LOGOUT, events=EVENT))),
    "b88_event_is_true": (Reason.EVENT, with_segments(good_header(), changed(LOGOUT, events={EVENT: True}))),
    "b89_rp-backchannel-rpinitlogout-with-nonce": (
        Reason.CLAIM_FORBIDDEN,
        with_segments(good_header(), changed(LOGOUT, nonce=NONCE)),
    ),
    "b90_expired": (
        Reason.EXPIRED,
        with_segments(good_header(), changed(LOGOUT, iat=SECONDS - 120, exp=SECONDS)),
    ),
    "b90_without_jti": (Reason.CLAIM_MISSING, with_segments(good_header(), changed(LOGOUT, "jti"))),
    "names_nobody": (Reason.CLAIM_MISSING, with_segments(good_header(), changed(LOGOUT, "sub", "sid"))),
    "id_token": (Reason.CLAIM_MISSING, with_id_claims()),
    "access_token": (Reason.TYPE, with_segments(changed(good_header(), typ="at+jwt"), LOGOUT)),
}


@pytest.mark.parametrize(("reason", "build"), LOGOUT_REFUSED.values(), ids=LOGOUT_REFUSED.keys())
def test_refused_logout_token(reason: Reason, build: TokenBuilder) -> None:
    with pytest.raises(BadToken) as refusal:
        verify_logout_token(build(), keys=[public_key("k1")], id_tokens=PROFILE, now=NOW)

    assert refusal.value.reason is reason


@pytest.mark.parametrize(
    ("dropped", "subject", "session_id"),
    [((), "9a1f", "s-1"), (("sub",), None, "s-1"), (("sid",), "9a1f", None)],
)
def test_b82_logout_of_a_session_or_a_subject(
    dropped: tuple[str, ...], subject: str | None, session_id: str | None
) -> None:
    token = signed(changed(good_header(), typ="logout+jwt"), changed(LOGOUT, *dropped), private_key("k1"))

    logout = verify_logout_token(token, keys=[public_key("k1")], id_tokens=PROFILE, now=NOW)

    assert (logout.subject, logout.session_id, logout.jti) == (subject, session_id, "j-1")
    assert logout.expires_at == NOW + timedelta(seconds=120)
