"""A client library that somebody else wrote signs in end to end, told nothing but our address."""

from authlib.common.security import generate_token
from authlib.integrations.httpx_client import OAuth2Client

from app.demo.phone import browse
from tests.identity.signing_in import BEARER, LOOPBACK, TLS, Scene


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
