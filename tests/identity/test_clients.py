"""Token requests: one meaning, or an OAuth error that tells nothing."""

import string
from urllib.parse import urlencode

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.core.errors import AppError, ErrorCode, Unauthenticated
from app.identity.clients import (
    JWT_BEARER,
    ClientCredentials,
    GrantType,
    OAuthCode,
    OAuthError,
    authenticate,
    read_client_credentials,
    read_token_form,
    replayed,
)
from app.identity.jwt import Key, Reason, parse_key, public_part
from tests.identity.forging import (
    AUDIENCE,
    CLIENT,
    NOW,
    changed,
    confused,
    good_claims,
    private_key,
    public_key,
    unsigned,
    with_claims,
    with_header,
)

FORM = "application/x-www-form-urlencoded"
ASSERTION = with_header()()
OTHER = public_part(private_key("evil"))
GOOD = {
    "grant_type": "client_credentials",
    "client_assertion_type": JWT_BEARER,
    "client_assertion": ASSERTION,
}


def parsed(body: bytes | str, content_type: str | None = FORM) -> ClientCredentials:
    raw = body.encode() if isinstance(body, str) else body
    return read_client_credentials(read_token_form(raw, content_type=content_type))


def form(*dropped: str, **replaced: object) -> str:
    return urlencode(changed(GOOD, *dropped, **replaced))


def test_reads_what_a_system_asks_for() -> None:
    request = parsed(form(scope="system/ingest.c system/ingest.r", client_id=CLIENT, resource="https://x.example"))

    assert (request.client_id, request.kid, request.assertion) == (CLIENT, "k1", ASSERTION)
    assert request.scopes == ("system/ingest.c", "system/ingest.r")
    assert ASSERTION not in repr(request)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("system/*.c", "system/*.c"),
        ("system/Bundle.c system/Patient.rs", "system/Bundle.c"),
        ("openid system/*.write system/Observation.c", "system/*.write system/Observation.c"),
        ("system/*.cruds", "system/*.c"),
        ("user/*.c", "system/*.c"),
        ("system/*.c2", "system/*.c"),
        ("ingest", "system/*.c"),
        ("", "system/*.c"),
    ],
)
def test_scope_means_what_a_token_can_do(asked: str, granted: str) -> None:
    assert parsed(form(scope=asked)).granted_scope == granted


@pytest.mark.parametrize(
    "content_type",
    [FORM, f"{FORM};charset=UTF-8", f'{FORM}; charset="utf-8"', FORM.upper()],
)
def test_accepted_media_types(content_type: str) -> None:
    assert parsed(form(), content_type).scopes == ()


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "multipart/form-data",
        "text/plain",
        f"{FORM}; charset=utf-16",
        f"{FORM}, {FORM}",
        f"{FORM}\n",
    ],
)
def test_refused_media_types(content_type: str | None) -> None:
    with pytest.raises(OAuthError) as refusal:
        parsed(form(), content_type)

    assert refusal.value.error is OAuthCode.INVALID_REQUEST


@pytest.mark.parametrize(
    "body",
    [
        # As curl and others send it: RFC 3986 lets these stand in a query.
        f"grant_type=client_credentials&client_assertion_type={JWT_BEARER}&client_assertion={ASSERTION}",
        # A parameter without a value counts as left out (RFC 6749 section 3.2).
        form(scope="", client_id="", client_secret=""),
        form() + "&unknown=%E1%BB%93",
        form().replace("client_credentials", "client%5fcredentials"),
    ],
    ids=["unencoded", "empty_values", "unknown_parameter", "encoded_more_than_needed"],
)
def test_accepted_forms(body: str) -> None:
    request = parsed(body)

    assert (request.client_id, request.scopes) == (CLIENT, ())


@pytest.mark.parametrize(
    "body",
    [
        b"&",
        b"grant_type",
        b"=client_credentials",
        f"{form()}&".encode(),
        f"&{form()}".encode(),
        f"{form()}&&a=b".encode(),
        f"{form()}&grant_type=client_credentials".encode(),
        f"{form()}&gr%61nt_type=client_credentials".encode(),
        f"{form()}&grant_type=".encode(),
        f"{form()}&unknown=1&unknown=1".encode(),
        f"{form()}&a=%".encode(),
        f"{form()}&a=%4".encode(),
        f"{form()}&a=%zz".encode(),
        f"{form()}&a=%ff".encode(),
        f"{form()}&a=%ed%a0%80".encode(),
        f"{form()}&a=%00".encode(),
        f"{form()}&%0a=b".encode(),
        f"{form()}&a=b=c".encode(),
        f"{form()}&a=b;c".encode() + b"#",
        f"{form()}&a=ồ".encode(),
        f"{form()}&a=\r\n".encode(),
        f"{form()}\n".encode(),
        f"\ufeff{form()}".encode(),
        form().encode("utf-16"),
        b'{"grant_type": "client_credentials"}',
        "&".join(f"p{number}=1" for number in range(33)).encode(),
        f"{form()}&pad={'A' * 16_384}".encode(),
        b"&" * 1_000_000,
        b"a=" + b"%41" * 1_000_000,
    ],
)
def test_malformed_forms(body: bytes) -> None:
    with pytest.raises(OAuthError) as refusal:
        parsed(body)

    assert refusal.value.error is OAuthCode.INVALID_REQUEST
    assert refusal.value.http_status == 400


@pytest.mark.parametrize(
    ("error", "body"),
    [
        (OAuthCode.INVALID_REQUEST, form("grant_type")),
        (OAuthCode.INVALID_REQUEST, form(grant_type="")),
        (OAuthCode.UNSUPPORTED_GRANT_TYPE, form(grant_type="password")),
        (OAuthCode.UNSUPPORTED_GRANT_TYPE, form(grant_type="Client_Credentials")),
        (OAuthCode.UNSUPPORTED_GRANT_TYPE, form(grant_type="client_credentials ")),
        (OAuthCode.UNSUPPORTED_GRANT_TYPE, form(grant_type="urn:ietf:params:oauth:grant-type:jwt-bearer")),
        (OAuthCode.INVALID_REQUEST, form(client_secret="s")),
        (OAuthCode.INVALID_CLIENT, form("client_assertion")),
        (OAuthCode.INVALID_CLIENT, form("client_assertion", client_id=CLIENT, client_secret="s")),
        (OAuthCode.INVALID_CLIENT, form("client_assertion_type")),
        (OAuthCode.INVALID_CLIENT, form(client_assertion_type=JWT_BEARER.replace("jwt", "saml2"))),
        (OAuthCode.INVALID_CLIENT, form(client_id="79001")),
        (OAuthCode.INVALID_CLIENT, form(client_assertion="x")),
        (OAuthCode.INVALID_SCOPE, form(scope=" ")),
        (OAuthCode.INVALID_SCOPE, form(scope="a  b")),
        (OAuthCode.INVALID_SCOPE, form(scope=" a")),
        (OAuthCode.INVALID_SCOPE, form(scope='"a"')),
        (OAuthCode.INVALID_SCOPE, form(scope="a\\b")),
        (OAuthCode.INVALID_SCOPE, form(scope="ồ")),
        (OAuthCode.INVALID_SCOPE, form(scope="a" * 256)),
        (OAuthCode.INVALID_SCOPE, form(scope=" ".join(f"s{number}" for number in range(33)))),
    ],
)
def test_refused_requests(error: OAuthCode, body: str) -> None:
    with pytest.raises(OAuthError) as refusal:
        parsed(body)

    assert refusal.value.error is error


def test_an_empty_form_lacks_what_it_is_for() -> None:
    with pytest.raises(OAuthError) as refusal:
        parsed(b"")

    assert refusal.value.error is OAuthCode.INVALID_REQUEST
    assert "grant_type" in refusal.value.body()["error_description"]


@pytest.mark.parametrize(
    ("reason", "token"),
    [
        (Reason.ALGORITHM, unsigned("none", b"A")()),
        (Reason.ALGORITHM, confused("der", "k1")()),
        (Reason.HEADER, with_header(jku="http://127.0.0.1:9")()),
        (Reason.CLAIM_MISSING, with_claims("iss")()),
        (Reason.TOO_LARGE, "A" * 10_000),
        (Reason.MALFORMED, "a.b"),
    ],
)
def test_bad_assertions_look_alike(reason: Reason, token: str) -> None:
    with pytest.raises(OAuthError) as refusal:
        parsed(form(client_assertion=token))

    assert refusal.value.reason is reason
    assert refusal.value.body() == replayed().body()
    assert refusal.value.__cause__ is None


def test_kind_of_request() -> None:
    assert read_token_form(form().encode(), content_type=FORM).grant_type is GrantType.CLIENT_CREDENTIALS
    assert ASSERTION not in repr(read_token_form(form().encode(), content_type=FORM))


def test_proof_of_a_client() -> None:
    proof = authenticate(
        parsed(form()),
        keys=[public_key("k1")],
        audiences=frozenset({AUDIENCE, "https://sokhoe.example"}),
        now=NOW,
    )

    assert (proof.client_id, proof.jti) == (CLIENT, good_claims()["jti"])


@pytest.mark.parametrize(
    ("reason", "keys"), [(Reason.UNKNOWN_KEY, []), (Reason.SIGNATURE, [parse_key(changed(OTHER, kid="k1"))])]
)
def test_b167_unproved_client_looks_like_a_replay(reason: Reason, keys: list[Key]) -> None:
    with pytest.raises(OAuthError) as refusal:
        authenticate(parsed(form()), keys=keys, audiences=frozenset({AUDIENCE}), now=NOW)

    assert refusal.value.reason is reason
    assert refusal.value.body() == replayed().body()
    assert refusal.value.headers() == replayed().headers()
    assert refusal.value.__cause__ is None


def test_shape_of_a_refused_client() -> None:
    refusal = replayed()

    assert isinstance(refusal, AppError)
    assert refusal.reason is Reason.REPLAYED
    assert (refusal.http_status, refusal.code) == (Unauthenticated.http_status, ErrorCode.UNAUTHENTICATED)
    assert refusal.headers() == {"WWW-Authenticate": 'Bearer error="invalid_client"'}
    assert refusal.body().keys() == {"error", "error_description", "error_description#vi"}


def test_descriptions_keep_to_the_characters_of_oauth() -> None:
    allowed = set(string.printable[:95]) - set('"\\')
    bodies = [
        form("grant_type"),
        form(grant_type="x"),
        form(client_secret="s"),
        form(scope=" "),
        "",
        form("client_assertion"),
    ]

    for body in bodies:
        with pytest.raises(OAuthError) as refusal:
            parsed(body)

        members = refusal.value.body()
        assert set(members["error_description"]) <= allowed
        assert members["error_description#vi"] != members["error_description"]
        assert members["error"] == refusal.value.error
        assert (refusal.value.headers() == {}) == (refusal.value.http_status == 400)


@settings(max_examples=200, deadline=None, database=None)
@given(body=st.binary() | st.text().map(str.encode), place=st.integers(0, 400))
@example(body=b"%", place=0)
def test_anything_is_read_or_refused(body: bytes, place: int) -> None:
    good = form().encode()
    for tried in (body, good[:place] + body + good[place:], good[:place] + body + good[place + 1 :]):
        try:
            request = parsed(tried)
        except OAuthError:
            continue

        assert request.client_id


@given(
    pairs=st.dictionaries(
        st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8),
        st.text(st.characters(min_codepoint=32, exclude_categories=["Cc", "Cs"]), max_size=8),
        max_size=8,
    )
)
@settings(max_examples=100, deadline=None, database=None)
def test_what_others_encode_is_understood(pairs: dict[str, str]) -> None:
    known = {"scope", "client_id", "client_secret", *GOOD}
    unknown = {name: value for name, value in pairs.items() if name not in known}

    assert parsed(urlencode({**unknown, **GOOD})).client_id == CLIENT
