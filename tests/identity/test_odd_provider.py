"""A provider that is odd, but lives: what it publishes changes or trickles, what it answers is of another kind.

Every sign-in ends in time by a page in both languages with the way back, or works; never with what
the provider wrote. Cases B16, B61, B73 to B75 and B81 of the security page.
"""

import asyncio
import json
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from app.demo.provider import answers
from app.demo.provider.desk import Desk
from app.demo.provider.faults import Fault
from app.identity import provider as provider_module
from app.identity.jwt import new_private_key, public_part
from tests.attacks import tries
from tests.conftest import RunningServer
from tests.identity.signing_in import Instead, Scene, answer_of, make_scene
from tests.identity.test_login import at_the_provider, callback
from tests.identity.test_provider import DOWN

NOT_PROVED = "Không xác thực được"
DISCOVERY = "/.well-known/openid-configuration"
TOKENS = {"access_token": "a", "token_type": "Bearer", "id_token": "x.y.z"}


@pytest.fixture
def strange(odd: tuple[Scene, Instead]) -> Iterator[tuple[Scene, Instead]]:
    scene, instead = odd
    scene.sign_in()  # what it publishes is known
    yield odd
    instead.answers.clear()
    scene.desk.said_instead.clear()


def signs_in(scene: Scene) -> None:
    assert scene.is_alive(scene.sign_in())


@pytest.mark.parametrize("path", [DISCOVERY, "/jwks"])
@pytest.mark.parametrize("answer", [None, Response(status_code=503), PlainTextResponse("<html>")])
def test_b81_what_is_known_is_used_while_the_provider_publishes_nothing(
    strange: tuple[Scene, Instead], monkeypatch: pytest.MonkeyPatch, path: str, answer: Response | None
) -> None:
    scene, instead = strange
    monkeypatch.setattr(provider_module, "METADATA_LIFE", timedelta(0))
    monkeypatch.setattr(provider_module, "KEYS_LIFE", timedelta(0))
    if answer is None:
        monkeypatch.setattr(provider_module, "REFRESH_SECONDS", 0.2)
    instead.answers[path] = answer

    for _ in range(3):
        signs_in(scene)


def test_b81_what_trickles_ends_in_time_and_leaves_nobody_waiting(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings)
    provider.instead.answers[DISCOVERY] = None
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    try:
        with made.impatient():
            assert DOWN in made.refused_page()
        provider.instead.answers[DISCOVERY] = JSONResponse(answers.discovery(made.desk))
        signs_in(made)
    finally:
        server.stop()
        provider.stop()


def published(desk: Desk, **changed: object) -> Response:
    return JSONResponse({**answers.discovery(desk), **changed})


@pytest.mark.parametrize(
    "changed",
    [
        {"token_endpoint": "https://[::1"},
        {"token_endpoint": "http://127.0.0.1:99999999999/token"},
        {"authorization_endpoint": "ORIGIN\n/authorize"},
        {"authorization_endpoint": "ORIGIN@evil.example/authorize"},
        {"authorization_endpoint": "ORIGIN.evil.example/authorize"},
        {"authorization_endpoint": ["ORIGIN/authorize"]},
        {"jwks_uri": "ORIGIN/jwks#x"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": ""},
        {"issuer": "ORIGIN/"},
        {"issuer": None},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"id_token_signing_alg_values_supported": {"RS256": True}},
        {"token_endpoint_auth_methods_supported": ["client_secret_basic"]},
        {"response_types_supported": "code"},
    ],
)
def test_b74_a_discovery_document_that_does_not_fit_is_refused(scene: Scene, changed: dict[str, Any]) -> None:
    made, provider, port = make_scene(scene.settings)
    told = json.loads(json.dumps(changed).replace("ORIGIN", made.desk.issuer))
    provider.instead.answers[DISCOVERY] = published(made.desk, **told)
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    try:
        assert DOWN in made.refused_page()
    finally:
        server.stop()
        provider.stop()


@pytest.mark.parametrize(
    ("answer", "status", "sentence"),
    [
        (JSONResponse({"error": "invalid_grant"}, 400), 400, NOT_PROVED),
        (JSONResponse({"error": "invalid_grant", "error_description": "<script>"}, 400), 400, NOT_PROVED),
        (JSONResponse({"error": "invalid_client"}, 401), 503, DOWN),
        (JSONResponse({"error": "invalid_request"}, 400), 503, DOWN),
        (JSONResponse({"error": "<script>"}, 400), 503, DOWN),
        (JSONResponse({"error": "slow_down"}, 429, {"retry-after": "30"}), 503, DOWN),
        (PlainTextResponse("no", 403), 503, DOWN),
        (Response(b"", 500), 503, DOWN),
        (RedirectResponse("/token", 302), 503, DOWN),
        (Response(b"", 204), 503, DOWN),
        (PlainTextResponse(json.dumps(TOKENS)), 503, DOWN),
        (Response(b'{"id_token":"a","id_token":"b"}', media_type="application/json"), 503, DOWN),
        (Response(b'{"a":' * 5000 + b"1" + b"}" * 5000, media_type="application/json"), 503, DOWN),
        (JSONResponse({**TOKENS, "id_token": None}), 503, DOWN),
        (JSONResponse({**TOKENS, "id_token": "A" * 9000}), 503, DOWN),
        (JSONResponse({"access_token": "a", "token_type": "Bearer"}), 503, DOWN),
        (JSONResponse({**TOKENS, "token_type": ["Bearer"]}), 503, DOWN),
        (JSONResponse([TOKENS]), 503, DOWN),
        (JSONResponse(TOKENS), 400, NOT_PROVED),
        (None, 503, DOWN),
    ],
)
def test_b81_whatever_the_token_endpoint_answers_there_is_a_page(
    strange: tuple[Scene, Instead], answer: Response | None, status: int, sentence: str
) -> None:
    scene, instead = strange
    before = scene.count("handoff")
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        instead.answers["/token"] = answer
        with scene.impatient() if answer is None else nullcontext():
            page = http.get(back)

    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert sentence in page.text
    assert 'lang="en"' in page.text
    assert "error=server_error" in page.text  # the way back to the app
    assert "script" not in page.text
    assert scene.count("handoff") == before


@pytest.mark.parametrize(
    "said",
    [
        {"sid": 5},
        {"sid": ""},
        {"sid": "s" * 300},
        {"sid": ["a"]},
        {"sub": "s" * 256},
        {"sub": "Nguyễn"},
        {"jti": 7},
        {"iat": "1"},
        {"exp": 1e300},
        {"nonce": ["a"]},
        {"at_hash": 1},
        {"aud": []},
        {"aud": ["sokhoe", 1]},
        {"azp": None},
        {"nbf": "now"},
        {"acr": ["2"], "name": ["a"]},
        {"name": "A" * 256},
        {"name": "\u0001"},
        {"name": " "},
        {"birthdate": "2023-02-30"},
        {"birthdate": 19900101000},
        {"birthdate": "0000"},
    ],
)
def test_b32_to_b42_a_claim_of_the_wrong_form_ends_in_a_page(
    strange: tuple[Scene, Instead], said: dict[str, Any]
) -> None:
    scene, _ = strange
    before = scene.count("handoff")
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        scene.desk.said_instead.update(said)
        page = http.get(back)

    assert (page.status_code, NOT_PROVED in page.text) == (400, True), page.text
    assert "error=server_error" in page.text
    assert scene.count("handoff") == before


def test_b61_a_key_id_that_another_key_has_now_is_asked_for_once(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings)
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    try:
        made.sign_in()
        before, kid = made.desk.seen["/jwks"], made.desk.keys[0]["kid"]
        made.desk.keys = [new_private_key(kid=kid)]
        signs_in(made)
        assert made.desk.seen["/jwks"] == before + 1
        with made.misbehaving(Fault.SIGNATURE_OTHER_KEY):
            for _ in range(3):
                assert NOT_PROVED in made.refused_page()
        assert made.desk.seen["/jwks"] == before + 1
    finally:
        server.stop()
        provider.stop()


def test_b61_a_key_without_an_id_is_replaced_by_another(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made, provider, port = make_scene(scene.settings)
    monkeypatch.setattr(Desk, "published_keys", lambda desk: [_nameless(desk.keys[0])])
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    made.desk.faults.add(Fault.KID_ABSENT)
    try:
        made.sign_in()
        made.desk.rotate(keep=0)
        signs_in(made)
    finally:
        server.stop()
        provider.stop()


def _nameless(key: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in public_part(key).items() if name != "kid"}


def test_b18_keys_of_other_kinds_and_uses_stand_beside_the_right_one(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings)
    own = public_part(made.desk.keys[0])
    others: list[dict[str, object]] = [
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": own["kid"]},
        {"kty": "EC", "crv": "P-521", "x": "AA", "y": "AA"},
        {**public_part(new_private_key()), "use": "enc"},
        {**public_part(new_private_key(alg="RS256")), "alg": "RSA-OAEP-256"},
        {**public_part(new_private_key(alg="RS256")), "kid": own["kid"]},
        {"kty": 7},
        {},
    ]
    provider.instead.answers["/jwks"] = JSONResponse({"keys": [*others, own]})
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    try:
        signs_in(made)
    finally:
        server.stop()
        provider.stop()


def test_b75_words_of_the_provider_in_a_form_of_their_own_do_not_hide_its_answer(odd: tuple[Scene, Instead]) -> None:
    scene, _ = odd
    with scene.browser() as http:
        answer = answer_of(at_the_provider(scene, http, ""))
        assert answer["error"] == "access_denied"
        told = urlencode({**answer, "error_description": "cancelled\r\nCorrelation: 1", "session_state": ""})
        back = http.get(f"{scene.url}/auth/callback?{told}&error_uri=%E9&flag&&").headers["location"]

    assert answer_of(back)["error"] == "access_denied"


@pytest.mark.parametrize("more", ["&code=b", "&state=b", "&iss=b", "&error=b"])
def test_b62_what_counts_is_said_once(odd: tuple[Scene, Instead], more: str) -> None:
    scene, _ = odd
    with scene.browser() as http:
        back = at_the_provider(scene, http)
        before = scene.desk.seen["/token"]
        assert http.get(f"{back}{'&error=a' if more.startswith('&error') else ''}{more}").status_code == 400
        assert scene.desk.seen["/token"] == before


@pytest.mark.parametrize("code", [{}, {"code": ""}])
def test_b70_an_answer_without_a_code_asks_the_provider_nothing(
    odd: tuple[Scene, Instead], code: dict[str, str]
) -> None:
    scene, _ = odd
    with scene.browser() as http:
        answer = answer_of(at_the_provider(scene, http))
        before = scene.desk.seen["/token"]
        page = callback(scene, http, **{"state": answer["state"], "iss": answer["iss"], **code})

    assert (page.status_code, NOT_PROVED in page.text, scene.desk.seen["/token"]) == (400, True, before)


def test_b73_the_way_back_from_a_provider_that_is_down_names_us(odd: tuple[Scene, Instead]) -> None:
    scene, instead = odd
    phone = scene.phone()
    instead.answers["/par"] = Response(status_code=500)
    try:
        with scene.browser() as http:
            page = http.get(phone.url)
    finally:
        instead.answers.clear()

    assert page.status_code == 503
    told = {"error": "temporarily_unavailable", "state": phone.state, "iss": scene.url}
    assert urlencode(told).replace("&", "&amp;") in page.text


def test_auth_time_that_is_still_to_come_proves_nothing(scene: Scene) -> None:
    made, provider, port = make_scene(scene.settings, max_age_seconds=300)
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    made.desk.said_instead["auth_time"] = made.desk.seconds + 3600
    try:
        assert NOT_PROVED in made.refused_page()
    finally:
        server.stop()
        provider.stop()


def test_a_database_that_does_not_answer_is_told_by_a_page(odd: tuple[Scene, Instead]) -> None:
    scene, _ = odd

    async def behind_a_lock(http: httpx.Client, *urls: str) -> list[httpx.Response]:
        async with tries.as_role(scene.stand, "auth_owner") as holder:
            await holder.execute("BEGIN; LOCK TABLE auth.login IN ACCESS EXCLUSIVE MODE")
            pages = [await asyncio.to_thread(http.get, url) for url in urls]
            await holder.execute("ROLLBACK")
            return pages

    with scene.browser() as http:
        back = at_the_provider(scene, http)
        pages = asyncio.run(behind_a_lock(http, scene.phone().url, back))

    for page in pages:
        assert (page.status_code, page.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert "Sổ Khỏe đang bận" in page.text
        assert "Sổ Khỏe is busy" in page.text
