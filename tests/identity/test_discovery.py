"""What the server publishes, and that a browser's cookie is what it must be behind https."""

from collections.abc import Iterator

import httpx
import pytest
from starlette.testclient import TestClient

from app.core.settings import Settings
from app.identity.jwt import parse_key_set
from app.main import build_app
from tests.identity.signing_in import APPS, Scene


@pytest.fixture
def http(scene: Scene) -> Iterator[httpx.Client]:
    with scene.browser() as client:
        yield client


def test_server_metadata_names_addresses_that_answer(scene: Scene, http: httpx.Client) -> None:
    metadata = http.get(f"{scene.url}/.well-known/oauth-authorization-server").json()

    assert metadata["issuer"] == scene.url
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert http.get(metadata["authorization_endpoint"]).status_code == 400
    assert http.post(metadata["token_endpoint"]).status_code == 400
    assert http.post(metadata["revocation_endpoint"]).status_code == 400


def test_keys_are_public_and_the_same_at_both_addresses(scene: Scene, http: httpx.Client) -> None:
    answer = http.get(f"{scene.url}/.well-known/jwks.json")

    assert answer.content == http.get(f"{scene.url}/jwks.json").content
    assert [key.alg for key in parse_key_set(answer.content)] == ["ES256"]
    assert '"d"' not in answer.text


def test_smart_configuration(scene: Scene, http: httpx.Client) -> None:
    known = http.get(f"{scene.url}/.well-known/smart-configuration").json()

    assert {"launch-standalone", "client-public", "permission-patient"} <= set(known["capabilities"])
    assert known["token_endpoint"] == f"{scene.url}/auth/token"


def test_links_of_the_stores(scene: Scene, http: httpx.Client) -> None:
    (android,) = http.get(f"{scene.url}/.well-known/assetlinks.json").json()
    apple = http.get(f"{scene.url}/.well-known/apple-app-site-association")

    assert android["target"]["package_name"] == APPS[1].android_package
    assert android["target"]["sha256_cert_fingerprints"] == ["AB:CD"]
    assert apple.json()["applinks"]["details"][0]["appIDs"] == [APPS[1].apple_app_id]
    assert apple.headers["content-type"] == "application/json"


def test_an_installation_whose_apps_claim_no_links_says_so(scene: Scene) -> None:
    settings: Settings = scene.settings.model_copy(update={"apps": ()})
    with TestClient(build_app(settings)) as client:
        assert client.get("/.well-known/assetlinks.json").json() == []
        assert client.get("/.well-known/apple-app-site-association").json() == {"applinks": {"details": []}}


def test_behind_https_the_cookie_is_of_this_host_alone(scene: Scene) -> None:
    settings: Settings = scene.settings.model_copy(update={"public_url": "https://so.example"})
    registration = scene.desk.registration
    scene.desk.offers_par = False
    try:
        with TestClient(build_app(settings), base_url="https://so.example", follow_redirects=False) as client:
            answer = client.get(scene.phone().url.removeprefix(scene.url))
    finally:
        scene.desk.offers_par = True
        scene.desk.registration = registration

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-sokhoe-login-")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= {part.strip() for part in cookie.split(";")}
    assert "Domain" not in cookie


def test_without_a_provider_there_is_no_sign_in_and_everything_else_works(scene: Scene) -> None:
    settings = scene.settings.model_copy(update={"provider": None, "apps": APPS})
    with TestClient(build_app(settings), follow_redirects=False) as client:
        assert client.get(scene.phone().url.removeprefix(scene.url)).status_code == 503
        assert client.get("/auth/callback?state=" + "x" * 43).status_code == 503
        assert client.post("/auth/backchannel-logout", data={"logout_token": "x"}).status_code == 503
        assert client.get("/.well-known/jwks.json").json() == {"keys": []}


def test_pages_hold_no_script_and_allow_none(scene: Scene, http: httpx.Client) -> None:
    answer = http.get(f"{scene.url}/auth/callback?state=%3Cscript%3E")

    assert answer.status_code == 400
    assert "<script" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "no-store" in answer.headers["cache-control"]
