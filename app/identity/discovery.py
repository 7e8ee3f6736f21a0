"""What this server publishes about sign-in: metadata, keys, and which apps own its links."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from app.core.requests import house_of
from app.core.settings import Settings
from app.identity.apps import PRACTITIONER_SCOPE, SCOPES
from app.identity.browser import provider_of
from app.identity.clients import GrantType
from app.identity.jwk import ALGORITHMS
from app.identity.jwt import public_part

router = APIRouter()


def server_metadata(settings: Settings) -> dict[str, Any]:
    """Return our authorization server's metadata.

    Source: RFC 8414 section 2; RFC 9207 section 3; RFC 9449 section 5.1.
    """
    address = settings.public_url
    grants = [GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.CLIENT_CREDENTIALS]
    if settings.exchange_audiences:
        grants.append(GrantType.TOKEN_EXCHANGE)
    return {
        "issuer": address,
        "authorization_endpoint": f"{address}/auth/login",
        "token_endpoint": f"{address}/auth/token",
        "revocation_endpoint": f"{address}/auth/revoke",
        "jwks_uri": f"{address}/.well-known/jwks.json",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [grant.value for grant in grants],
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": sorted(ALGORITHMS),
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "dpop_signing_alg_values_supported": ["ES256"],
        "scopes_supported": [*SCOPES, PRACTITIONER_SCOPE, "system/*.c"],
        "authorization_response_iss_parameter_supported": True,
    }


@router.get("/.well-known/oauth-authorization-server")
async def oauth_authorization_server(request: Request) -> JSONResponse:
    """Answer with our metadata."""
    return JSONResponse(server_metadata(house_of(request).settings))


@router.get("/.well-known/smart-configuration")
@router.get("/ingest/fhir/.well-known/smart-configuration")  # beside the base that a FHIR client knows
async def smart_configuration(request: Request) -> JSONResponse:
    """Answer with what SMART App Launch asks for. Source: SMART App Launch 2.2, Conformance."""
    capabilities = [
        "launch-standalone",
        "client-public",
        "client-confidential-asymmetric",
        "permission-offline",
        "permission-patient",
        "permission-v2",
    ]
    return JSONResponse({**server_metadata(house_of(request).settings), "capabilities": capabilities})


@router.get("/jwks.json")
@router.get("/.well-known/jwks.json")
async def jwks(request: Request) -> JSONResponse:
    """Answer with the keys by which the identity provider knows us."""
    provider = provider_of(request)
    keys = [] if provider is None else [public_part(key) for key in provider.client_keys]
    return JSONResponse({"keys": keys})


@router.get("/.well-known/assetlinks.json")
async def assetlinks(request: Request) -> JSONResponse:
    """Answer with the Android apps that own our links. Source: Digital Asset Links."""
    return JSONResponse(
        [
            {
                "relation": ["delegate_permission/common.handle_all_urls"],
                "target": {
                    "namespace": "android_app",
                    "package_name": app.android_package,
                    "sha256_cert_fingerprints": list(app.android_fingerprints),
                },
            }
            for app in house_of(request).settings.apps
            if app.android_package is not None
        ]
    )


@router.get("/.well-known/apple-app-site-association")
async def apple_app_site_association(request: Request) -> JSONResponse:
    """Answer with the iOS apps that own our links. Source: Apple, Supporting associated domains."""
    ids = [app.apple_app_id for app in house_of(request).settings.apps if app.apple_app_id is not None]
    details = [{"appIDs": ids, "components": [{"/": "/app/*"}]}] if ids else []
    return JSONResponse({"applinks": {"details": details}})
