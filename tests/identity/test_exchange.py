"""Token exchange where it is agreed: an app brings an identity token of its own (RFC 8693)."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.core.ids import new_secret
from app.core.settings import Settings
from app.demo.phone import CLIENT_ID
from app.identity.apps import ACCESS_TOKEN_TYPE, ID_TOKEN_TYPE
from app.identity.jwt import new_private_key, sign
from tests.conftest import RunningServer
from tests.identity.forging import malleated
from tests.identity.signing_in import Scene, make_scene
from tests.people import now

APP = "an-app-at-the-provider"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


@pytest.fixture(scope="module")
def agreed(settings: Settings) -> Iterator[Scene]:
    """A server to which an app may bring identity tokens of its own."""
    made, provider, port = make_scene(settings.model_copy(update={"exchange_audiences": frozenset({APP})}))
    server = RunningServer(made.settings, port=port)
    provider.start()
    server.start()
    yield made
    server.stop()
    provider.stop()


def id_token(scene: Scene, account: str = "citizen:1", /, *dropped: str, **changed: object) -> str:
    """Return what the app holds after a sign-in of its own at the provider."""
    seconds, known = int(now().timestamp()), scene.account(account)
    claims: dict[str, object] = {
        "iss": scene.desk.issuer,
        "aud": APP,
        "azp": APP,
        "sub": known.subject,
        "iat": seconds,
        "exp": seconds + 1800,
        "acr": "2",
        "preferred_username": known.personal_id,
        "name": known.full_name,
        "birthdate": known.birth_on.isoformat(),
        "sid": new_secret(),
        "jti": new_secret(),
        **changed,
    }
    return sign({name: value for name, value in claims.items() if name not in dropped}, key=scene.desk.keys[0])


def exchange(scene: Scene, token: str, **changed: str) -> httpx.Response:
    form = {
        "grant_type": EXCHANGE,
        "client_id": CLIENT_ID,
        "subject_token": token,
        "subject_token_type": ID_TOKEN_TYPE,
        "requested_token_type": ACCESS_TOKEN_TYPE,
    }
    return scene.post("/auth/token", phone=None, **{**form, **changed})


def test_an_identity_token_becomes_a_session(agreed: Scene) -> None:
    tokens = exchange(agreed, id_token(agreed)).json()

    assert (tokens["issued_token_type"], tokens["token_type"], tokens["identity_level"]) == (
        ACCESS_TOKEN_TYPE,
        "DPoP",
        2,
    )
    assert "errors" not in agreed.ask("{ healthBook { version } }", tokens["access_token"])
    assert agreed.renew(tokens["refresh_token"]).status_code == 200


def test_a_sign_in_and_an_exchange_are_one_account(agreed: Scene) -> None:
    query = "{ me { id } }"
    signed_in = agreed.ask(query, agreed.sign_in("citizen:2")["access_token"])
    exchanged = agreed.ask(query, exchange(agreed, id_token(agreed, "citizen:2")).json()["access_token"])

    assert signed_in == exchanged


def test_the_provider_can_end_it(agreed: Scene) -> None:
    tokens = exchange(agreed, id_token(agreed, sid="a-session")).json()
    token = agreed.desk.logout_token(subject=None, session_id="a-session")

    assert agreed.post("/auth/backchannel-logout", logout_token=token).status_code == 200
    assert not agreed.is_alive(tokens)


REFUSED: dict[str, dict[str, object]] = {
    "audience_of_another_app": {"aud": "another-app", "azp": "another-app"},
    "our_own_client": {"aud": "sokhoe", "azp": "sokhoe"},
    "second_audience": {"aud": [APP, "another-app"]},
    "authorized_party_of_another": {"azp": "another-app"},
    "issuer_of_another": {"iss": "https://evil.example"},
    "older_than_five_minutes": {"iat": int(now().timestamp()) - 301},
    "level_1": {"acr": "1"},
    "level_unknown": {"acr": "LoA9"},
    "name_differs": {"name": "Người Khác"},
    "subject_of_another": {"sub": "somebody-else"},
    "no_personal_id": {"preferred_username": "x"},
    "logout_token": {"events": {}},
}


@pytest.mark.parametrize("said", [pytest.param(said, id=name) for name, said in REFUSED.items()])
def test_refused(agreed: Scene, said: dict[str, object]) -> None:
    exchange(agreed, id_token(agreed))
    before = agreed.count("session")

    answer = exchange(agreed, id_token(agreed, **said))

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    assert agreed.count("session") == before


def test_what_stands_between_the_letters_of_a_name_tells_nobody_apart(agreed: Scene) -> None:
    name = agreed.account("citizen:1").full_name
    exchange(agreed, id_token(agreed))

    assert exchange(agreed, id_token(agreed, name=name.replace(" ", "-"))).status_code == 200


@pytest.mark.parametrize("name", ["aud", "exp", "iat", "sub", "iss", "acr"])
def test_a_claim_that_is_missing(agreed: Scene, name: str) -> None:
    assert exchange(agreed, id_token(agreed, "citizen:1", name)).json()["error"] == "invalid_grant"


def test_a_token_is_exchanged_once_in_whatever_form_its_signature_is(agreed: Scene) -> None:
    token = id_token(agreed)

    assert exchange(agreed, token).status_code == 200
    assert exchange(agreed, token).json()["error"] == "invalid_grant"
    assert exchange(agreed, malleated(token)).json()["error"] == "invalid_grant"


def test_another_key_and_garbage(agreed: Scene) -> None:
    stolen = new_private_key(alg="ES256", kid=agreed.desk.keys[0]["kid"])
    forged = replace_key(agreed, stolen)
    for token in (forged, "", "x", "a.b.c"):
        assert exchange(agreed, token).status_code == 400


def replace_key(scene: Scene, key: dict[str, str]) -> str:
    keys = scene.desk.keys
    scene.desk.keys = [key]
    try:
        return id_token(scene)
    finally:
        scene.desk.keys = keys


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"subject_token_type": ACCESS_TOKEN_TYPE}, "invalid_request"),
        ({"requested_token_type": ID_TOKEN_TYPE}, "invalid_request"),
        ({"actor_token": "x"}, "invalid_request"),
        ({"client_id": "another"}, "invalid_client"),
    ],
)
def test_requests_of_another_kind(agreed: Scene, changed: dict[str, str], error: str) -> None:
    assert exchange(agreed, id_token(agreed), **changed).json()["error"] == error


def test_it_is_published_only_where_it_is_agreed(agreed: Scene, scene: Scene) -> None:
    def grants(one: Scene) -> Any:
        with one.browser() as http:
            return http.get(f"{one.url}/.well-known/oauth-authorization-server").json()["grant_types_supported"]

    assert EXCHANGE in grants(agreed)
    assert EXCHANGE not in grants(scene)
