"""The token endpoint over the wire, asked by a client that knows only the specifications."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from urllib.parse import urlencode
from uuid import uuid4

import httpx
import pytest

from app.core.db import Login
from app.core.settings import Settings
from app.facilities import registry
from app.identity.clients import JWT_BEARER
from app.identity.jwt import Algorithm, public_part, sign
from tests.identity.forging import changed, confused, private_key, unsigned
from tests.ingestion import messages
from tests.people import Stand, now

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
KEYS: Mapping[str, Algorithm] = {"es256": "ES256", "es384": "ES384", "rs256": "RS256", "rs384": "RS384"}


@pytest.fixture(scope="module", autouse=True)
def _registered(stand: Stand) -> None:
    for code in ("01901", "79001"):
        stand.facility(code, name=f"Bệnh viện {code}")
    for kid, alg in KEYS.items():
        register(stand, "01901", private_key(kid, alg))
    register(stand, "79001", private_key("other"))


def register(stand: Stand, code: str, key: Mapping[str, str]) -> None:
    stand.run(Login.MIGRATOR, partial(registry.add_key, code=code, jwk=public_part(key), now=now()))


def claims(settings: Settings, **replaced: object) -> dict[str, object]:
    seconds = int(now().timestamp())
    good = {
        "iss": "01901",
        "sub": "01901",
        "aud": f"{settings.public_url}/auth/token",
        "iat": seconds,
        "exp": seconds + 200,
        "jti": str(uuid4()),
    }
    return {**good, **replaced}


def form(assertion: str, **more: str) -> str:
    fields = {"grant_type": "client_credentials", "client_assertion_type": JWT_BEARER, "client_assertion": assertion}
    return urlencode({**fields, **more})


def asked(http: httpx.Client, assertion: str, **more: str) -> httpx.Response:
    return http.post("/auth/token", content=form(assertion, **more), headers=FORM)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("kid", "alg"), KEYS.items())
def test_b168_a_registered_key_opens_the_door(http: httpx.Client, settings: Settings, kid: str, alg: Algorithm) -> None:
    answer = asked(http, sign(claims(settings), key=private_key(kid, alg)))

    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store, private"
    body = answer.json()
    assert body.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", settings.facility_token_seconds)
    assert http.get("/ingest/messages", headers=bearer(body["access_token"])).json() == {"messages": [], "next": None}


def test_both_addresses_are_our_audience_and_iat_may_be_left_out(http: httpx.Client, settings: Settings) -> None:
    for audience in (settings.public_url, f"{settings.public_url}/auth/token"):
        sent = changed(claims(settings, aud=audience), "iat")

        assert asked(http, sign(sent, key=private_key("es256"))).status_code == 200


@pytest.mark.parametrize(
    ("scope", "granted"),
    [("system/Bundle.c", "system/Bundle.c"), ("system/*.cruds openid", "system/*.c"), ("", "system/*.c")],
)
def test_scope(http: httpx.Client, settings: Settings, scope: str, granted: str) -> None:
    answer = asked(http, sign(claims(settings), key=private_key("es256")), scope=scope)

    assert answer.json().get("scope") == granted


def test_b162_replayed_assertion(http: httpx.Client, settings: Settings) -> None:
    assertion = sign(claims(settings), key=private_key("es256"))

    assert asked(http, assertion).status_code == 200
    assert asked(http, assertion).json()["error"] == "invalid_client"
    again = sign(claims(settings, jti="one-name"), key=private_key("es256"))
    other = sign(claims(settings, jti="one-name", exp=int(now().timestamp()) + 100), key=private_key("rs256", "RS256"))
    assert [asked(http, token).status_code for token in (again, other)] == [200, 401]


def test_b54_b162_twenty_at_once_and_one_wins(http: httpx.Client, stand: Stand, settings: Settings) -> None:
    assertion = sign(claims(settings), key=private_key("es256"))
    before = sessions(stand)

    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: asked(http, assertion).status_code, range(20)))

    assert sorted(answers) == [200] + [401] * 19
    assert sessions(stand) == before + 1


def sessions(stand: Stand) -> int:
    found: int = stand.as_owner("SELECT count(*) FROM auth.session")[0].count
    return found


def with_claims(**replaced: object) -> Callable[[Settings], str]:
    return lambda settings: sign(claims(settings, **replaced), key=private_key("es256"))


def in_the_past(settings: Settings) -> str:
    seconds = int((now() - timedelta(minutes=3)).timestamp())
    return sign(claims(settings, iat=seconds, exp=seconds + 100), key=private_key("es256"))


def for_ten_minutes(settings: Settings) -> str:
    return sign(claims(settings, exp=int(now().timestamp()) + 600), key=private_key("es256"))


REFUSED: dict[str, Callable[[Settings], str]] = {
    "b1_alg_none": lambda _: unsigned("none", b"A")(),
    "b7_public_key_as_secret": lambda _: confused("der", "es256")(),
    "b14_kid_of_sql": lambda settings: sign(claims(settings), key={**private_key("es256"), "kid": "' OR 1=1--"}),
    "b16_kid_unknown": lambda settings: sign(claims(settings), key={**private_key("es256"), "kid": "nobody"}),
    "b16_key_unknown": lambda settings: sign(claims(settings), key={**private_key("evil"), "kid": "es256"}),
    "b25_expired": in_the_past,
    "b29_too_long": for_ten_minutes,
    "b33_aud_of_another": with_claims(aud="https://evil.example/auth/token"),
    "b35_aud_ours_and_another": lambda settings: with_claims(aud=[settings.public_url, "https://evil.example"])(
        settings
    ),
    "b37_iss_nobody": with_claims(iss="99999", sub="99999"),
    "b37_iss_no_code": with_claims(iss="' OR ''='", sub="' OR ''='"),
    "b40_sub_of_another": with_claims(sub="79001"),
    "b42_no_jti": lambda settings: sign(changed(claims(settings), "jti"), key=private_key("es256")),
    "b48_no_token": lambda _: "x.y.z",
    "b167_key_of_another_facility": lambda settings: sign(
        claims(settings, iss="79001", sub="79001"), key=private_key("es256")
    ),
    "b167_ours_with_the_name_of_theirs": lambda settings: sign(
        claims(settings), key={**private_key("other"), "kid": "es256"}
    ),
}


def seen(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "x-request-id"}}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED.keys())
def test_every_refused_client_looks_like_a_replay(
    http: httpx.Client, stand: Stand, settings: Settings, build: Callable[[Settings], str]
) -> None:
    used = sign(claims(settings), key=private_key("es256"))
    assert asked(http, used).status_code == 200
    before = sessions(stand)

    refusal = asked(http, build(settings))

    assert refusal.status_code == 401
    assert refusal.json()["error"] == "invalid_client"
    assert refusal.headers["www-authenticate"] == 'Bearer error="invalid_client"'
    assert seen(refusal) == seen(asked(http, used))
    assert sessions(stand) == before


def test_b167_suspended_facility_and_revoked_key(http: httpx.Client, stand: Stand, settings: Settings) -> None:
    stand.facility("48195", name="Bệnh viện 48195")
    old, new = private_key("old"), private_key("new")
    register(stand, "48195", old)
    register(stand, "48195", new)
    mine = {"iss": "48195", "sub": "48195"}

    before = asked(http, sign(claims(settings, **mine), key=old)).json()["access_token"]
    assert http.get("/ingest/messages", headers=bearer(before)).status_code == 200
    stand.run(Login.MIGRATOR, partial(registry.revoke_other_keys, code="48195", kid="new", now=now()))
    revoked = asked(http, sign(claims(settings, **mine), key=old))
    assert http.get("/ingest/messages", headers=bearer(before)).status_code == 401
    token = asked(http, sign(claims(settings, **mine), key=new)).json()["access_token"]
    assert http.get("/ingest/messages", headers=bearer(token)).status_code == 200

    stand.run(Login.MIGRATOR, partial(registry.suspend, code="48195", now=now()))
    suspended = asked(http, sign(claims(settings, **mine), key=new))
    assert http.get("/ingest/messages", headers=bearer(token)).status_code == 401
    unknown = asked(http, sign(claims(settings, iss="99999", sub="99999"), key=new))
    assert seen(revoked) == seen(suspended) == seen(unknown)
    assert revoked.status_code == 401


def test_client_secret_in_the_header_is_no_proof(http: httpx.Client) -> None:
    answer = http.post(
        "/auth/token", content="grant_type=client_credentials", headers=FORM, auth=httpx.BasicAuth("01901", "secret")
    )

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("status", "error", "content", "content_type"),
    [
        (400, "invalid_request", "grant_type=client_credentials", "application/json"),
        (400, "invalid_request", "grant_type=client_credentials", "text/plain"),
        (400, "invalid_request", "grant_type=client_credentials", "multipart/form-data; boundary=x"),
        (400, "invalid_request", "grant_type=client_credentials", ""),
        (400, "invalid_request", "", FORM["Content-Type"]),
        (400, "invalid_request", "a=%ff", FORM["Content-Type"]),
        (400, "unsupported_grant_type", "grant_type=password&username=a&password=b", FORM["Content-Type"]),
    ],
)
def test_unreadable_requests(http: httpx.Client, status: int, error: str, content: str, content_type: str) -> None:
    headers = {"Content-Type": content_type} if content_type else {}

    answer = http.post("/auth/token", content=content, headers=headers)

    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert answer.json()["error_description#vi"]
    assert answer.headers["cache-control"] == "no-store, private"


@pytest.mark.parametrize("size", [16_385, 1_000_000])
def test_b15_huge_form(http: httpx.Client, size: int) -> None:
    def pieces() -> list[bytes]:
        return [b"a" * 4096] * (size // 4096 + 1)

    for content in (lambda: b"a" * size, lambda: iter(pieces())):
        for path in ("/auth/token", "/auth/revoke"):
            answer = http.post(path, content=content(), headers=FORM)

            assert (answer.status_code, answer.json()["error"]) == (413, "invalid_request")
            assert answer.headers["content-type"] == "application/json"


def test_only_post(http: httpx.Client) -> None:
    for method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS"):
        answer = http.request(method, "/auth/token")

        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_b130_token_or_assertion_in_the_address_is_ignored(http: httpx.Client, settings: Settings) -> None:
    query = form(sign(claims(settings), key=private_key("es256")))

    assert http.post(f"/auth/token?{query}", headers=FORM).json()["error"] == "invalid_request"


def test_b141_a_token_opens_its_own_door_only(http: httpx.Client, stand: Stand, settings: Settings) -> None:
    facility = asked(http, sign(claims(settings), key=private_key("es256"))).json()["access_token"]
    sent = http.post(
        "/ingest/qd4750",
        content=messages.message(),
        headers={**bearer(facility), "Content-Type": "application/xml"},
    )
    assert (sent.status_code, stand.process(sent.json()["messageId"])) == (202, "filed")
    citizen = stand.citizen_token(stand.citizen_by(messages.VISIT["SO_CCCD"] or ""))

    for query in ("{ me { id } }", "{ healthBook { version } }"):
        by_citizen = http.post("/graphql", json={"query": query}, headers=bearer(citizen))
        by_facility = http.post("/graphql", json={"query": query}, headers=bearer(facility))
        assert (by_citizen.status_code, "errors" in by_citizen.json()) == (200, False)
        assert by_facility.status_code == 401
        assert by_facility.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}
        assert "data" not in by_facility.json()
    for path in ("/ingest/messages", f"/ingest/messages/{sent.json()['messageId']}"):
        assert http.get(path, headers=bearer(facility)).status_code == 200
        assert http.get(path, headers=bearer(citizen)).json()["code"] == "UNAUTHENTICATED"
    pushed = http.post(
        "/ingest/qd4750", content=messages.message(), headers={**bearer(citizen), "Content-Type": "application/xml"}
    )
    assert (pushed.status_code, pushed.json()["code"]) == (401, "UNAUTHENTICATED")


def test_b25_session_past_its_life(http: httpx.Client, stand: Stand, settings: Settings) -> None:
    token = asked(http, sign(claims(settings), key=private_key("es256"))).json()["access_token"]
    stand.as_owner(
        "UPDATE auth.session SET expires_at = clock_timestamp() WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=token,
    )

    assert http.get("/ingest/messages", headers=bearer(token)).status_code == 401


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer x", "Basic MDE5MDE6eA==", "DPoP aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "Bearer " + "a" * 600],
)
def test_b43_other_authorization(http: httpx.Client, header: str) -> None:
    for path in ("/ingest/messages", "/graphql"):
        answer = http.request(
            "POST" if path == "/graphql" else "GET", path, json={"query": "{me{id}}"}, headers={"Authorization": header}
        )

        assert answer.status_code == 401
        challenge = answer.headers["www-authenticate"]
        if path == "/ingest/messages":
            assert challenge == 'Bearer error="invalid_token"'
        elif header.startswith("DPoP"):
            assert challenge == 'DPoP error="invalid_dpop_proof", algs="ES256"'
        else:
            assert challenge == 'Bearer error="invalid_token", DPoP algs="ES256"'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/ingest/messages"),
        ("POST", "/ingest/qd4750"),
        ("POST", "/ingest/fhir"),
        ("POST", "/ingest/withdrawals"),
        ("POST", "/ingest/schedules"),
    ],
)
def test_b43_who_shows_nothing_is_not_told_of_a_bad_token(http: httpx.Client, method: str, path: str) -> None:
    answer = http.request(method, path)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_b59_two_authorization_headers(http: httpx.Client, settings: Settings) -> None:
    token = asked(http, sign(claims(settings), key=private_key("es256"))).json()["access_token"]
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]

    assert http.get("/ingest/messages", headers=twice).status_code == 401
