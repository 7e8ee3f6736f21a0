"""Logout tokens that are wrong by one thing: 400, nobody is signed out, and nothing of them is repeated or logged."""

import time
from typing import Any

import pytest
from starlette.responses import Response

from app.demo.provider.faults import EVENT
from app.identity import provider as provider_module
from app.identity.jwt import new_private_key, sign
from tests.identity.signing_in import Instead, Scene

CANARY = "canary-7f3a"


def good(scene: Scene) -> dict[str, Any]:
    seconds = scene.desk.seconds
    return {
        "iss": scene.desk.issuer,
        "aud": "sokhoe",
        "iat": seconds,
        "exp": seconds + 120,
        "jti": f"{CANARY}-{time.monotonic_ns()}",
        "events": {EVENT: {}},
        "sub": scene.account("citizen:1").subject,
        "sid": list(scene.desk.sessions)[-1],
    }


def send(scene: Scene, token: str) -> int:
    answer = scene.post("/auth/backchannel-logout", logout_token=token)
    assert CANARY not in answer.text
    assert answer.text == "" or "The logout_token is not accepted" in answer.json()["error_description"]
    return answer.status_code


@pytest.mark.parametrize(
    "changed",
    [
        {"events": []},
        {"events": EVENT},
        {"events": {EVENT: []}},
        {"events": {EVENT: None}},
        {"events": {EVENT.upper(): {}}},
        {"sub": None, "sid": None},
        {"sub": 1},
        {"sub": "Nguyễn"},
        {"sub": "s" * 256},
        {"sid": ["a"]},
        {"sid": ""},
        {"jti": None},
        {"jti": 5},
        {"jti": "j" * 256},
        {"iat": None},
        {"iat": "now"},
        {"iat": +61},
        {"exp": None},
        {"exp": -1},
        {"exp": +3600},
        {"exp": 1e300},
        {"aud": "SOKHOE"},
        {"aud": ["sokhoe", "another"]},
        {"aud": []},
        {"iss": "ISSUER/"},
        {"iss": "https://evil.example"},
        {"nonce": ""},
        {"nonce": None, "typ": "at+jwt"},
        {"typ": "dpop+jwt"},
        {"typ": "logout"},
    ],
)
def test_b83_to_b90_wrong_by_one(
    odd: tuple[Scene, Instead], changed: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    scene, _ = odd
    tokens = scene.sign_in("citizen:1")
    claims, typ = good(scene), str(changed.get("typ", "logout+jwt"))
    for name, value in changed.items():
        if name in ("iat", "exp") and isinstance(value, int):
            claims[name] = scene.desk.seconds + value
        elif value is None or name == "typ":
            claims.pop(name, None)
        else:
            claims[name] = value.replace("ISSUER", scene.desk.issuer) if isinstance(value, str) else value

    assert send(scene, sign(claims, key=scene.desk.keys[0], typ=typ)) == 400
    assert scene.is_alive(tokens)
    told = capsys.readouterr()
    assert CANARY not in told.out + told.err
    assert scene.account("citizen:1").subject not in told.out + told.err


def test_b82_what_is_right_in_another_form_signs_out(odd: tuple[Scene, Instead]) -> None:
    scene, _ = odd
    for changed, typ in (({"aud": ["sokhoe"]}, "JWT"), ({"more": {"a": [1]}}, "application/logout+jwt")):
        tokens = scene.sign_in("citizen:1")
        assert send(scene, sign({**good(scene), **changed}, key=scene.desk.keys[0], typ=typ)) == 200
        assert not scene.is_alive(tokens)


def test_b82_nobody_who_is_known_is_no_error(odd: tuple[Scene, Instead]) -> None:
    scene, _ = odd
    tokens = scene.sign_in("citizen:1")
    claims = {**good(scene), "sub": "nobody", "sid": "nothing"}

    assert send(scene, sign(claims, key=scene.desk.keys[0], typ="logout+jwt")) == 200
    assert scene.is_alive(tokens)


def test_b84_another_key_another_form_and_no_keys(odd: tuple[Scene, Instead], monkeypatch: pytest.MonkeyPatch) -> None:
    scene, instead = odd
    tokens = scene.sign_in("citizen:1")
    own = scene.desk.keys[0]
    stranger = {**new_private_key(), "kid": own["kid"]}
    token = sign(good(scene), key=own, typ="logout+jwt")

    assert send(scene, sign(good(scene), key=stranger, typ="logout+jwt")) == 400
    assert send(scene, token + "=") == 400
    assert send(scene, " " + token) == 400
    more = scene.post("/auth/backchannel-logout", logout_token=token, more="x" * 9000)
    assert more.status_code == 200  # what else is said means nothing
    again = sign(good(scene), key=own, typ="logout+jwt")
    with scene.browser() as http:
        twice = http.post(f"{scene.url}/auth/backchannel-logout", data={"logout_token": [again, again]})
        wrong = http.post(f"{scene.url}/auth/backchannel-logout", json={"logout_token": again})
    assert (twice.status_code, wrong.status_code) == (400, 400)
    assert not scene.is_alive(tokens)

    alive = scene.sign_in("citizen:1")
    monkeypatch.setattr(provider_module, "KEYS_LIFE", provider_module.UNKNOWN_KEY_PAUSE * 0)
    monkeypatch.setattr(provider_module, "STALE_LIFE", provider_module.UNKNOWN_KEY_PAUSE * 0)
    instead.answers["/jwks"] = Response(status_code=500)
    kept = sign(good(scene), key=own, typ="logout+jwt")
    answer = scene.post("/auth/backchannel-logout", logout_token=kept)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
    assert scene.is_alive(alive)
    instead.answers.clear()
    assert send(scene, kept) == 200  # the provider tries again, and it counts
    assert not scene.is_alive(alive)
