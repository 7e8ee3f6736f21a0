"""What an identity provider publishes about itself, checked against what we were told about it. Pure.

Source: OpenID Connect Discovery 1.0 section 3; RFC 8414 section 2; RFC 9126 section 5; RFC 9207 section 3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.core.providers import Provider, origin_of

_PRIVATE_KEY_JWT: Final = "private_key_jwt"
_ADDRESS: Final = re.compile(r"[\x21\x22\x24-\x7e]{1,2000}")  # no fragment, no space, no line's end


class MetadataRefused(Exception):
    """The discovery document does not fit the settings, or asks for less than we give; `why` names the member."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """The provider's addresses and what it can do."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    pushed_authorization_request_endpoint: str | None
    userinfo_endpoint: str | None
    #: The callback must name the issuer.
    names_issuer: bool


def discovery_url(issuer: str) -> str:
    """Return where an issuer's metadata stand. Source: OpenID Connect Discovery 1.0 section 4."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def read_metadata(document: Mapping[str, object], provider: Provider) -> Metadata:
    """Check a discovery document.

    :raises MetadataRefused: when the issuer is another, an address is of another origin, or PKCE with S256,
        `private_key_jwt`, the code flow or one of our signature algorithms is not offered
    """
    if document.get("issuer") != provider.issuer:
        raise MetadataRefused("issuer")
    _offers(document, "code_challenge_methods_supported", {"S256"})
    _offers(document, "response_types_supported", {"code"})
    _offers(document, "id_token_signing_alg_values_supported", set(provider.algorithms))
    if "token_endpoint_auth_methods_supported" in document:
        _offers(document, "token_endpoint_auth_methods_supported", {_PRIVATE_KEY_JWT})
    return Metadata(
        authorization_endpoint=_required(document, "authorization_endpoint", provider),
        token_endpoint=_required(document, "token_endpoint", provider),
        jwks_uri=_required(document, "jwks_uri", provider),
        pushed_authorization_request_endpoint=_address(document, "pushed_authorization_request_endpoint", provider),
        userinfo_endpoint=(
            _required(document, "userinfo_endpoint", provider)
            if provider.userinfo
            else _address(document, "userinfo_endpoint", provider)
        ),
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def _offers(document: Mapping[str, object], member: str, wanted: set[str]) -> None:
    listed = document.get(member)
    if not isinstance(listed, list) or wanted.isdisjoint(value for value in listed if isinstance(value, str)):
        raise MetadataRefused(member)


def _required(document: Mapping[str, object], member: str, provider: Provider) -> str:
    address = _address(document, member, provider)
    if address is None:
        raise MetadataRefused(member)
    return address


def _address(document: Mapping[str, object], member: str, provider: Provider) -> str | None:
    value = document.get(member)
    if value is None:
        return None
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value) or _origin(value) not in provider.all_origins:
        raise MetadataRefused(member)
    return value


def _origin(address: str) -> str | None:
    try:
        return origin_of(address)
    except ValueError:  # a bracket that nothing closes
        return None
