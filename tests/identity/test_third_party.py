"""Client libraries that somebody else wrote sign in end to end, told nothing but our address."""

import base64
import hashlib
import re
import secrets
import time
from functools import partial
from typing import Any

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey

from app.core.db import Login
from app.demo.phone import CLIENT_ID, browse
from app.facilities import registry
from app.identity.jwt import public_part
from tests.identity.forging import private_key
from tests.identity.signing_in import BEARER, LOOPBACK, TLS, Scene, answer_of
from tests.people import now


def test_authlib_signs_in_renews_reads_and_revokes(scene: Scene) -> None:
    with scene.browser() as http:
        metadata = http.get(f"{scene.url}/.well-known/oauth-authorization-server").json()
    assert metadata["issuer"] == scene.url

    with OAuth2Client(
        client_id=BEARER,
        redirect_uri=LOOPBACK,
        scope="patient/*.rs offline_access",
        token_endpoint_auth_method="none",
        code_challenge_method="S256",
        token_endpoint=metadata["token_endpoint"],
        revocation_endpoint_auth_method="none",
        verify=TLS,
    ) as client:
        verifier = generate_token(64)
        url, state = client.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
        with scene.browser() as http:
            back = browse(url, account="citizen:1", http=http)
        token = client.fetch_token(authorization_response=back, state=state, code_verifier=verifier)
        assert token["scope"] == "patient/*.rs offline_access"

        def book() -> int:
            query = {"query": "{ healthBook { version } }"}
            return int(client.post(f"{scene.url}/graphql", json=query).status_code)

        assert book() == 200
        renewed = client.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
        assert renewed["access_token"] != token["access_token"]
        assert book() == 200
        revoked = client.revoke_token(metadata["revocation_endpoint"], token=renewed["refresh_token"])
        assert revoked.status_code == 200
        assert book() == 401


class DpopClient:
    """A client of RFC 9449 made of joserfc and httpx: it knows the standards and our metadata alone."""

    def __init__(self, http: httpx.Client, metadata: dict[str, Any]) -> None:
        self.http, self.metadata, self.nonce = http, metadata, ""
        self.key = ECKey.generate_key("P-256")
        told = self.key.as_dict(private=False)
        self.jwk = {name: told[name] for name in ("kty", "crv", "x", "y")}

    def proof(self, method: str, url: str, token: str | None) -> str:
        claims = {"htm": method, "htu": url, "iat": int(time.time()), "jti": secrets.token_urlsafe(16)}
        if self.nonce:
            claims["nonce"] = self.nonce
        if token is not None:
            claims["ath"] = b64(hashlib.sha256(token.encode()).digest())
        return jwt.encode({"alg": "ES256", "typ": "dpop+jwt", "jwk": self.jwk}, claims, self.key)

    def post(self, url: str, *, token: str | None = None, **body: Any) -> list[httpx.Response]:
        """Send, and once more with the nonce that the answer told; returns every answer."""
        answers: list[httpx.Response] = []
        while len(answers) < 2:
            headers = {"DPoP": self.proof("POST", url, token)}
            if token is not None:
                headers["Authorization"] = f"DPoP {token}"
            answers.append(self.http.post(url, headers=headers, **body))
            self.nonce = answers[-1].headers.get("DPoP-Nonce", self.nonce)
            if answers[-1].status_code < 400:
                break
        return answers

    def sign_in(self) -> dict[str, Any]:
        verifier = secrets.token_urlsafe(48)
        asked = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": LOOPBACK,
            "scope": "patient/*.rs offline_access",
            "code_challenge": b64(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        back = browse(
            str(httpx.URL(self.metadata["authorization_endpoint"], params=asked)), account="citizen:1", http=self.http
        )
        answer = answer_of(back)
        assert answer["iss"] == self.metadata["issuer"]
        form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "redirect_uri": LOOPBACK}
        form |= {"code": answer["code"], "code_verifier": verifier}
        told, given = self.post(self.metadata["token_endpoint"], data=form)
        assert (told.status_code, told.json()["error"]) == (400, "use_dpop_nonce")
        tokens: dict[str, Any] = given.json()
        return tokens


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def metadata_of(scene: Scene) -> dict[str, Any]:
    with scene.browser() as http:
        found: dict[str, Any] = http.get(f"{scene.url}/.well-known/oauth-authorization-server").json()
    return found


def test_joserfc_holds_a_bound_session_and_gives_it_back_without_a_proof(scene: Scene) -> None:
    metadata, query = metadata_of(scene), {"query": "{ healthBook { version } }"}
    with scene.browser() as http:
        client = DpopClient(http, metadata)
        tokens = client.sign_in()
        assert (tokens["token_type"], tokens["scope"]) == ("DPoP", "patient/*.rs offline_access")
        (read,) = client.post(f"{scene.url}/graphql", token=tokens["access_token"], json=query)
        assert read.status_code == 200

        client.nonce = ""
        told, read = client.post(f"{scene.url}/graphql", token=tokens["access_token"], json=query)
        assert (told.status_code, read.status_code) == (401, 200)
        assert told.headers["www-authenticate"] == 'DPoP error="use_dpop_nonce", algs="ES256"'

        form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": tokens["refresh_token"]}
        (renewed,) = client.post(metadata["token_endpoint"], data=form)
        token = renewed.json()["access_token"]
        given_back = {"client_id": CLIENT_ID, "token": renewed.json()["refresh_token"]}
        assert http.post(metadata["revocation_endpoint"], data=given_back).status_code == 200
        dead = client.post(f"{scene.url}/graphql", token=token, json=query)[-1]
    assert (dead.status_code, dead.headers["www-authenticate"]) == (401, 'DPoP error="invalid_token", algs="ES256"')


def test_a_facilitys_system_made_with_authlib_gets_a_token(scene: Scene) -> None:
    metadata = metadata_of(scene)
    key = private_key("authlib", "RS384")  # it reads no other kind
    scene.stand.facility("01901")
    scene.stand.run(Login.MIGRATOR, partial(registry.add_key, code="01901", jwk=public_part(key), now=now()))
    proof = PrivateKeyJWT(
        metadata["token_endpoint"],
        claims={"exp": int(time.time()) + 240},  # its own hour is longer than SMART's five minutes
        headers={"kid": "authlib"},
        alg="RS384",
    )
    with OAuth2Client(
        client_id="01901",
        client_secret=key,
        token_endpoint_auth_method=proof,
        token_endpoint=metadata["token_endpoint"],
        verify=TLS,
    ) as client:
        token = client.fetch_token(scope="system/*.c", grant_type="client_credentials")
        assert (token["token_type"], token["scope"]) == ("Bearer", "system/*.c")
        assert client.get(f"{scene.url}/ingest/messages").status_code == 200


SECRET = "x" * 43
CODE = {"grant_type": "authorization_code", "client_id": BEARER, "code": SECRET, "redirect_uri": LOOPBACK}
CODE |= {"code_verifier": SECRET}
REFRESH = {"grant_type": "refresh_token", "client_id": BEARER, "refresh_token": SECRET}


@pytest.mark.parametrize(
    ("path", "form", "status", "error"),
    [
        *(
            pytest.param("/auth/token", {**CODE, missing: ""}, 400, "invalid_request", id=f"code without {missing}")
            for missing in ("grant_type", "client_id", "code", "redirect_uri")
        ),
        *(
            pytest.param(
                "/auth/token", {**REFRESH, missing: ""}, 400, "invalid_request", id=f"refresh without {missing}"
            )
            for missing in REFRESH
        ),
        pytest.param("/auth/token", CODE, 400, "invalid_grant", id="unknown code"),
        pytest.param("/auth/token", {**CODE, "code": "?"}, 400, "invalid_grant", id="no code at all"),
        pytest.param(
            "/auth/token", {**CODE, "code_verifier": ""}, 400, "invalid_grant", id="code without code_verifier"
        ),
        pytest.param("/auth/token", {**CODE, "code_verifier": "short"}, 400, "invalid_grant", id="no verifier at all"),
        pytest.param("/auth/token", REFRESH, 400, "invalid_grant", id="unknown refresh token"),
        pytest.param("/auth/token", {**CODE, "client_id": "nobody"}, 401, "invalid_client", id="unknown app"),
        pytest.param("/auth/token", {"grant_type": "client_credentials"}, 401, "invalid_client", id="no assertion"),
        pytest.param("/auth/token", {"grant_type": "password"}, 400, "unsupported_grant_type", id="another grant"),
        pytest.param("/auth/token", {**CODE, "client_id": CLIENT_ID}, 400, "invalid_dpop_proof", id="no proof"),
        pytest.param("/auth/revoke", {"client_id": BEARER}, 400, "invalid_request", id="nothing to revoke"),
        pytest.param("/auth/revoke", {"token": SECRET}, 400, "invalid_request", id="nobody revokes"),
        pytest.param("/auth/revoke", {"client_id": "no", "token": SECRET}, 401, "invalid_client", id="unknown revokes"),
    ],
)
def test_errors_are_those_of_rfc_6749_and_9449(
    scene: Scene, path: str, form: dict[str, str], status: int, error: str
) -> None:
    with scene.browser() as http:
        answer = http.post(f"{scene.url}{path}", data=form, headers={"Origin": "https://evil.example"})
    told = answer.json()
    assert (answer.status_code, told["error"]) == (status, error)
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", told["error_description"])  # RFC 6749 section 5.2
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    assert answer.headers["pragma"] == "no-cache"
    assert "access-control-allow-origin" not in answer.headers  # an app is no page of another origin (B210)
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("headers", "challenge"),
    [
        ({}, 'Bearer, DPoP algs="ES256"'),  # nothing was shown: no error code (RFC 6750 section 3.1)
        ({"Authorization": f"Bearer {SECRET}"}, 'Bearer error="invalid_token", DPoP algs="ES256"'),
        ({"Authorization": "Basic eDp5"}, 'Bearer error="invalid_token", DPoP algs="ES256"'),
        ({"Authorization": f"DPoP {SECRET}"}, 'DPoP error="invalid_dpop_proof", algs="ES256"'),
    ],
)
def test_challenges_are_those_of_rfc_6750_and_9449(scene: Scene, headers: dict[str, str], challenge: str) -> None:
    with scene.browser() as http:
        answer = http.post(f"{scene.url}/graphql", json={"query": "{ me { id } }"}, headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, challenge)
    assert "no-store" in answer.headers["cache-control"]
