"""Token requests of facilities' systems: a form comes in, a typed request or an OAuth error goes out.

Knows no database and no HTTP. The caller finds the client's keys and says whether a proof was used before.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import unquote_to_bytes

from app.core.errors import AppError, ErrorCode, Text
from app.identity.jwt import (
    BadToken,
    ClientAssertion,
    Key,
    Reason,
    read_unverified_issuer,
    read_unverified_kid,
    verify_client_assertion,
)

JWT_BEARER: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

_MEDIA_TYPE: Final = re.compile(r'application/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)
_MOST_FORM_BYTES: Final = 16_384
_MOST_PARAMETERS: Final = 32
# Names and values of a form are ASCII, and a percent sign begins two hexadecimal digits.
_ENCODED: Final = re.compile(rb"(?:[!$'()*+,\-./0-9:;?@A-Z\[\]_a-z~]|%[0-9A-Fa-f]{2})*")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SCOPE_TOKEN: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,255}")
_MOST_SCOPES: Final = 32
# What a token of a facility's system is good for: to create. Source: SMART App Launch 2.2, Scopes; `write` as in 1.0.
_FILES: Final = "system/*.c"
_CREATES: Final = re.compile(r"system/(?:\*|[A-Z][A-Za-z]*)\.(?:c|write)")


class OAuthCode(StrEnum):
    """Source: RFC 6749 section 5.2."""

    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    INVALID_SCOPE = "invalid_scope"
    INVALID_DPOP_PROOF = "invalid_dpop_proof"  # RFC 9449 section 12.2
    USE_DPOP_NONCE = "use_dpop_nonce"


class GrantType(StrEnum):
    """What the token endpoint can be asked for."""

    CLIENT_CREDENTIALS = "client_credentials"
    AUTHORIZATION_CODE = "authorization_code"
    REFRESH_TOKEN = "refresh_token"  # noqa: S105 — a name of the protocol, no secret
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 — the same


_BAD_FORM: Final = Text(
    "Yêu cầu phải là một biểu mẫu x-www-form-urlencoded hợp lệ, không lặp tham số.",
    "The request must be a valid x-www-form-urlencoded form without repeated parameters.",
)
_NO_GRANT_TYPE: Final = Text("Thiếu tham số grant_type.", "The parameter grant_type is missing.")
_OTHER_GRANT_TYPE: Final = Text(
    "Loại cấp quyền (grant_type) này không được hỗ trợ.", "This grant_type is not supported."
)
_TWO_PROOFS: Final = Text(
    "Chỉ được dùng một cách xác thực hệ thống: client_assertion.",
    "Use one way of client authentication only: client_assertion.",
)
# One text for every reason: who may not enter does not learn how near the door is.
_BAD_CLIENT: Final = Text(
    "Không xác thực được hệ thống gửi yêu cầu. Cần client_assertion hợp lệ theo private_key_jwt.",
    "The client could not be authenticated. A valid client_assertion (private_key_jwt) is needed.",
)
_NOT_PAIRED: Final = Text(
    "Người hành nghề này chưa ghép đôi với hệ thống của cơ sở, hoặc hiện không hành nghề tại đây.",
    "This practitioner has not paired with the facility's system, or does not practise there now.",
)
_BAD_SCOPE: Final = Text("Phạm vi (scope) viết không đúng quy cách.", "The scope is not well-formed.")


class OAuthError(AppError):
    """A refusal by the token endpoint, in OAuth's own shape; `reason` is for the security log only."""

    default_text = _BAD_FORM

    def __init__(self, error: OAuthCode, text: Text, *, reason: Reason | None = None) -> None:
        unproved = error is OAuthCode.INVALID_CLIENT
        self.error = error
        self.reason = reason
        self.code = ErrorCode.UNAUTHENTICATED if unproved else ErrorCode.INVALID
        self.http_status = 401 if unproved else 400
        super().__init__(text)

    def body(self) -> dict[str, str]:
        """Return the members of the JSON answer.

        OAuth's own description must be ASCII, so the Vietnamese text stands beside it.
        Source: RFC 6749 section 5.2; language tags in names as in RFC 7591 section 2.2.
        """
        return {
            "error": self.error.value,
            "error_description": self.text.en,
            "error_description#vi": self.text.vi,
        }

    def headers(self) -> dict[str, str]:
        """Return the header fields that the status needs. Source: RFC 9110 section 15.5.2."""
        if self.error is OAuthCode.INVALID_CLIENT:
            return {"WWW-Authenticate": f'Bearer error="{self.error.value}"'}
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    """A readable token request of a kind that we know."""

    grant_type: GrantType
    #: Every parameter once, those without a value left out.
    parameters: Mapping[str, str] = field(repr=False, hash=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCredentials:
    """A system asks for a token of its own; nothing is proved yet."""

    #: Who it says to be: only good for finding keys.
    client_id: str
    kid: str | None
    assertion: str = field(repr=False)
    scopes: tuple[str, ...]
    #: The certificate of the practitioner for whom the system asks to act; none: for itself.
    practitioner: str | None = None

    @property
    def granted_scope(self) -> str:
        """Return those of the scopes asked for that mean something here, else what every system's token can do.

        Source: RFC 6749 section 3.3: a client that is not told takes what it asked for as granted.
        """
        if self.practitioner is not None:
            return "practitioner"
        return " ".join(scope for scope in self.scopes if _CREATES.fullmatch(scope)) or _FILES


def read_token_form(body: bytes, *, content_type: str | None) -> TokenForm:
    """Read the form of a token request; parameters that nobody knows are kept and mean nothing.

    :raises OAuthError: `invalid_request` for a form that is malformed, too large or says a thing twice;
        `unsupported_grant_type`.
    Source: RFC 6749 section 3.2 and appendix B.
    """
    parameters = read_form(body, content_type=content_type)
    named = parameters.get("grant_type")
    if named is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, _NO_GRANT_TYPE)
    known = next((grant_type for grant_type in GrantType if grant_type == named), None)
    if known is None:
        raise unsupported_grant_type()
    return TokenForm(grant_type=known, parameters=MappingProxyType(parameters))


def read_form(body: bytes, *, content_type: str | None) -> dict[str, str]:
    """Return every parameter of a form once, those without a value left out.

    :raises OAuthError: `invalid_request` for a form that is malformed, too large or says a thing twice.
    """
    if content_type is None or not _MEDIA_TYPE.fullmatch(content_type):
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM)
    return read_parameters(body)


def unsupported_grant_type() -> OAuthError:
    """Return the refusal of a kind of request that is not offered here."""
    return OAuthError(OAuthCode.UNSUPPORTED_GRANT_TYPE, _OTHER_GRANT_TYPE)


def read_client_credentials(form: TokenForm) -> ClientCredentials:
    """Return what a system asks for and as whom.

    :raises OAuthError: `invalid_client` without a readable assertion, or when it contradicts `client_id`;
        `invalid_request` with a second proof; `invalid_scope`.
    Source: RFC 6749 section 4.4; RFC 7521 section 4.2; SMART App Launch 2.2, Backend Services.
    """
    assertion = form.parameters.get("client_assertion")
    if assertion is None or form.parameters.get("client_assertion_type") != JWT_BEARER:
        raise _invalid_client(None)
    if "client_secret" in form.parameters:
        raise OAuthError(OAuthCode.INVALID_REQUEST, _TWO_PROOFS)
    try:
        client_id, kid = read_unverified_issuer(assertion), read_unverified_kid(assertion)
    except BadToken as refusal:
        raise _invalid_client(refusal.reason) from None
    if form.parameters.get("client_id", client_id) != client_id:
        raise _invalid_client(Reason.ISSUER)
    return ClientCredentials(
        client_id=client_id,
        kid=kid,
        assertion=assertion,
        scopes=_scopes(form.parameters.get("scope")),
        practitioner=form.parameters.get("practitioner"),
    )


def authenticate(
    asked: ClientCredentials, *, keys: Sequence[Key], audiences: frozenset[str], now: datetime
) -> ClientAssertion:
    """Return the client's proof, checked with its live keys (none for an unknown client).

    The caller still refuses a `jti` that was used before, with `replayed()`.

    :raises OAuthError: `invalid_client`, the same for every reason.
    """
    try:
        return verify_client_assertion(
            asked.assertion, keys=keys, client_id=asked.client_id, audiences=audiences, now=now
        )
    except BadToken as refusal:
        raise _invalid_client(refusal.reason) from None


def replayed() -> OAuthError:
    """Return the refusal of an assertion that was used before: the same as for a bad one."""
    return _invalid_client(Reason.REPLAYED)


def not_paired() -> OAuthError:
    """Return the refusal of a practitioner who did not pair with the system: the same for every reason."""
    return OAuthError(OAuthCode.INVALID_GRANT, _NOT_PAIRED)


def _invalid_client(reason: Reason | None) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_CLIENT, _BAD_CLIENT, reason=reason)


def read_parameters(body: bytes) -> dict[str, str]:
    """Return every parameter of a form or query once, those without a value left out.

    :raises OAuthError: `invalid_request` when it is malformed, too large or says a thing twice.
    Source: RFC 6749 sections 3.1 and 3.2.
    """
    pairs = body.split(b"&", _MOST_PARAMETERS) if body else []
    if len(body) > _MOST_FORM_BYTES or len(pairs) > _MOST_PARAMETERS:
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM)
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition(b"=")
        if not name or not equals:
            raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM)
        decoded = _decoded(name)
        if decoded in found:
            raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM)
        found[decoded] = _decoded(value)
    return {name: value for name, value in found.items() if value}


def _decoded(encoded: bytes) -> str:
    if not _ENCODED.fullmatch(encoded):
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM)
    try:
        text = unquote_to_bytes(encoded.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM) from None
    if _CONTROL.search(text):
        raise OAuthError(OAuthCode.INVALID_REQUEST, _BAD_FORM)
    return text


def _scopes(sent: str | None) -> tuple[str, ...]:
    if sent is None:
        return ()
    tokens = sent.split(" ", _MOST_SCOPES)
    if len(tokens) > _MOST_SCOPES or not all(_SCOPE_TOKEN.fullmatch(token) for token in tokens):
        raise OAuthError(OAuthCode.INVALID_SCOPE, _BAD_SCOPE)
    return tuple(tokens)
