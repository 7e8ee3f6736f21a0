"""The protocol of the local identity provider: what it accepts and what it answers, apart from HTTP."""

import hashlib
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from app.core.ids import new_secret
from app.demo.provider.accounts import Account, accounts, claims_of
from app.demo.provider.desk import CODE_SECONDS, PUSHED_SECONDS, Asked, Desk, Granted
from app.demo.provider.faults import EVIL, Fault
from app.identity.jwk import encode_segment
from app.identity.jwt import sign

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
LOGIN_SECONDS: Final = 600


class RequestRefused(Exception):
    """The request is wrong; `error` is OAuth's code."""

    def __init__(self, error: str) -> None:
        self.error = error
        super().__init__(error)


def discovery(desk: Desk) -> dict[str, object]:
    """Return the metadata."""
    issuer = desk.issuer
    document: dict[str, object] = {
        "issuer": EVIL if Fault.DISCOVERY_ISSUER in desk.faults else issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{EVIL if Fault.DISCOVERY_OTHER_ORIGIN in desk.faults else issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "grant_types_supported": ["authorization_code"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256"],
        "code_challenge_methods_supported": ["plain"] if Fault.DISCOVERY_NO_S256 in desk.faults else ["S256"],
        "scopes_supported": ["openid", "profile"],
        "acr_values_supported": ["1", "2"],
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
    }
    if desk.offers_par:
        document["pushed_authorization_request_endpoint"] = f"{issuer}/par"
    if Fault.HUGE_DISCOVERY in desk.faults:
        document["padding"] = "A" * 2_000_000
    return document


def push(desk: Desk, form: Mapping[str, str]) -> dict[str, object]:
    """Keep a pushed request. Source: RFC 9126 section 2."""
    _checked(desk, form)
    uri = _REQUEST_URI + new_secret()
    desk.pushed[uri] = {name: value for name, value in form.items() if not name.startswith("client_assertion")}
    return {"request_uri": uri, "expires_in": PUSHED_SECONDS}


def ask(desk: Desk, query: Mapping[str, str]) -> str:
    """Return the ticket of a checked authorization request; where PAR is offered it is the only way.

    :raises RequestRefused: when something is missing or not registered
    """
    if query.get("client_id") != desk.registration.client_id:
        raise RequestRefused("invalid_client")
    if desk.offers_par:
        pushed = desk.pushed.pop(query.get("request_uri", ""), None)
        if pushed is None:
            raise RequestRefused("invalid_request_uri")
        query = pushed
    ticket = new_secret()
    desk.asked[ticket] = _checked(desk, query)
    return ticket


def _checked(desk: Desk, query: Mapping[str, str]) -> Asked:
    if query.get("redirect_uri") != desk.registration.redirect_uri:
        raise RequestRefused("invalid_redirect_uri")
    if query.get("response_type") != "code" or "openid" not in query.get("scope", "").split(" "):
        raise RequestRefused("invalid_request")
    challenge = query.get("code_challenge", "")
    if query.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
        raise RequestRefused("invalid_request")
    return Asked(
        redirect_uri=desk.registration.redirect_uri,
        state=query.get("state"),
        nonce=query.get("nonce"),
        challenge=challenge,
        expires_at=desk.seconds + LOGIN_SECONDS,
    )


def decide(desk: Desk, *, ticket: str, name: str) -> str:
    """Return where the browser goes once a person has chosen an account, or none.

    :raises RequestRefused: for a ticket that is unknown or late
    """
    asked = desk.asked.pop(ticket, None)
    if asked is None or asked.expires_at < desk.seconds:
        raise RequestRefused("invalid_request")
    answer: dict[str, str] = {"iss": desk.issuer}
    if asked.state is not None:
        answer["state"] = asked.state
    account = accounts().get(name)
    if Fault.ANSWER_ERROR_SCRIPT in desk.faults:
        answer.update(error="access_denied<script>", error_description="<script>alert(1)</script>")
    elif account is None:
        answer.update(error="access_denied", error_description="The person does not want to")
    else:
        answer["code"] = _code(desk, account=account, asked=asked)
    return f"{asked.redirect_uri}?{urlencode(_spoiled(desk, answer))}"


def _code(desk: Desk, *, account: Account, asked: Asked) -> str:
    code, session_id = new_secret(), new_secret()
    desk.sessions[session_id] = account
    desk.codes[code] = Granted(
        account=account, asked=asked, session_id=session_id, expires_at=desk.seconds + CODE_SECONDS
    )
    return code


def _spoiled(desk: Desk, answer: dict[str, str]) -> dict[str, str]:
    if Fault.ANSWER_WITHOUT_STATE in desk.faults:
        answer.pop("state", None)
    if Fault.ANSWER_OTHER_STATE in desk.faults:
        answer["state"] = new_secret()
    if Fault.ANSWER_WITHOUT_ISS in desk.faults:
        answer.pop("iss", None)
    if Fault.ANSWER_OTHER_ISS in desk.faults:
        answer["iss"] = EVIL
    return answer


def exchange(desk: Desk, form: Mapping[str, str]) -> dict[str, object]:
    """Return the tokens of a code, once. Source: OpenID Connect Core section 3.1.3.

    :raises RequestRefused: `invalid_grant` for a code that is unknown, late, used, or of another verifier or address
    """
    if form.get("grant_type") != "authorization_code":
        raise RequestRefused("unsupported_grant_type")
    granted = desk.codes.pop(form.get("code", ""), None)
    if granted is None or granted.expires_at < desk.seconds or form.get("redirect_uri") != granted.asked.redirect_uri:
        raise RequestRefused("invalid_grant")
    proof = encode_segment(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if proof != granted.asked.challenge and Fault.PKCE_IGNORED not in desk.faults:
        raise RequestRefused("invalid_grant")
    access_token = new_secret()
    desk.access_tokens[access_token] = granted.account
    token_type = "bEaReR" if Fault.TOKEN_TYPE_UPPER in desk.faults else "Bearer"
    return {
        "access_token": access_token,
        "token_type": "mac" if Fault.TOKEN_TYPE_OTHER in desk.faults else token_type,
        "expires_in": 300,
        "refresh_token": new_secret(),
        "id_token": desk.id_token(granted, access_token=access_token),
        "scope": "openid profile",
    }


def userinfo(desk: Desk, access_token: str) -> dict[str, object] | str:
    """Return what is said of the person behind an access token; a text is a signed answer.

    :raises RequestRefused: when there is none
    """
    account = desk.access_tokens.get(access_token)
    if account is None:
        raise RequestRefused("invalid_token")
    claims = {**claims_of(account, preset=desk.preset), **desk.said_instead}
    if Fault.USERINFO_OTHER_SUB in desk.faults:
        claims["sub"] = "somebody-else"
    if Fault.USERINFO_SIGNED in desk.faults:
        return sign({"iss": desk.issuer, "aud": desk.registration.client_id, **claims}, key=desk.keys[0])
    return claims
