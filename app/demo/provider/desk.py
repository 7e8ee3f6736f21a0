"""What is under way at the local identity provider, and the tokens that it signs. Everything is in memory."""

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import httpx

from app.core.ids import new_secret
from app.demo.provider.accounts import Account, claims_of, level_of
from app.demo.provider.faults import EVENT, Fault, changed_claims, with_header
from app.identity.jwk import encode_segment
from app.identity.jwt import (
    Algorithm,
    BadToken,
    Key,
    new_private_key,
    parse_key_set,
    public_part,
    read_unverified_kid,
    sign,
)
from app.identity.jwt import verify_client_assertion as verified

ID_TOKEN_SECONDS: Final = 1800  # as seen in a token of VNeID
LOGOUT_SECONDS: Final = 120
SLOW_SECONDS: Final = 8.0
PUSHED_SECONDS: Final = 60
CODE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """Our one client, as a provider would have it registered."""

    client_id: str = "sokhoe"
    redirect_uri: str
    jwks_uri: str
    logout_uri: str

    @classmethod
    def of_server(cls, url: str) -> "Registration":
        """Return the registration of a Sổ Khỏe server by its address."""
        return cls(
            redirect_uri=f"{url}/auth/callback",
            jwks_uri=f"{url}/.well-known/jwks.json",
            logout_uri=f"{url}/auth/backchannel-logout",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A checked authorization request."""

    redirect_uri: str
    state: str | None
    nonce: str | None
    challenge: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """What a code stands for."""

    account: Account
    asked: Asked
    session_id: str
    expires_at: float


@dataclass(slots=True, kw_only=True)
class Desk:
    """The provider's whole state."""

    issuer: str
    registration: Registration
    clock: Callable[[], datetime]
    preset: str = "vneid"
    algorithm: Algorithm = "RS256"
    offers_par: bool = True
    faults: set[Fault] = field(default_factory=set)
    #: Claims that replace those of the account.
    said_instead: dict[str, object] = field(default_factory=dict)
    keys: list[dict[str, str]] = field(default_factory=list)
    pushed: dict[str, Mapping[str, str]] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    codes: dict[str, Granted] = field(default_factory=dict)
    access_tokens: dict[str, Account] = field(default_factory=dict)
    sessions: dict[str, Account] = field(default_factory=dict)
    used_assertions: set[str] = field(default_factory=set)
    client_keys: tuple[Key, ...] = ()
    earlier_token: str | None = None
    #: How often each endpoint was asked, with what: the tests' window.
    seen: Counter[str] = field(default_factory=Counter)
    last_form: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.keys:
            self.rotate()

    @property
    def seconds(self) -> int:
        """Return the present second."""
        return int(self.clock().timestamp())

    def rotate(self, *, keep: int = 1) -> None:
        """Make a new signing key; the `keep` newest old ones are still published."""
        self.keys = [new_private_key(alg=self.algorithm), *self.keys[:keep]]

    def published_keys(self) -> list[dict[str, str]]:
        """Return the public keys."""
        return [public_part(key) for key in self.keys]

    async def misbehave(self) -> bool:
        """Be slow if that is switched on; tell whether to answer with an error."""
        if Fault.SLOW in self.faults:
            await asyncio.sleep(SLOW_SECONDS)
        return Fault.ERROR_500 in self.faults

    async def is_our_client(self, form: Mapping[str, str], *, endpoint: str) -> bool:
        """Tell whether a request proves itself by `private_key_jwt`, with a key that our client publishes, once."""
        try:
            assertion = form.get("client_assertion", "")
            proof = verified(
                assertion,
                keys=await self._client_keys(read_unverified_kid(assertion)),
                client_id=self.registration.client_id,
                audiences=frozenset({self.issuer, endpoint}),
                now=self.clock(),
            )
        except BadToken:
            return False
        if proof.jti in self.used_assertions or form.get("client_id") != proof.client_id:
            return False
        self.used_assertions.add(proof.jti)
        return True

    async def _client_keys(self, kid: str | None) -> tuple[Key, ...]:
        if all(key.kid != kid for key in self.client_keys):
            async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
                self.client_keys = parse_key_set((await client.get(self.registration.jwks_uri)).content)
        return self.client_keys

    def id_token(self, granted: Granted, *, access_token: str) -> str:
        """Sign an identity token for a code, as the switches make it."""
        if Fault.TOKEN_OF_EARLIER_LOGIN in self.faults and self.earlier_token is not None:
            return self.earlier_token
        account, issued = granted.account, self.seconds
        digest = hashlib.new(f"sha{self.keys[0]['alg'][-3:]}", access_token.encode()).digest()
        known = claims_of(account, preset=self.preset)
        claims: dict[str, object] = {
            **({"sub": known["sub"]} if self.preset == "vnconnect" else known),
            "iss": self.issuer,
            "aud": self.registration.client_id,
            "azp": self.registration.client_id,
            "iat": issued,
            "exp": issued + ID_TOKEN_SECONDS,
            "auth_time": issued,
            "nonce": granted.asked.nonce,
            "acr": level_of(account, preset=self.preset),
            "at_hash": encode_segment(digest[: len(digest) // 2]),
            "sid": granted.session_id,
            "jti": new_secret(),
            **self.said_instead,
        }
        if granted.asked.nonce is None:
            del claims["nonce"]
        self.earlier_token = self._signed(claims, logout=False)
        return self.earlier_token

    def logout_token(self, *, subject: str | None, session_id: str | None) -> str:
        """Sign a logout token, as the switches make it."""
        named = {"sub": subject, "sid": session_id}
        claims: dict[str, object] = {
            "iss": self.issuer,
            "aud": self.registration.client_id,
            "iat": self.seconds,
            "exp": self.seconds + LOGOUT_SECONDS,
            "jti": new_secret(),
            "events": {EVENT: {}},
            **{name: value for name, value in named.items() if value is not None},
        }
        return self._signed(claims, logout=True)

    def _signed(self, claims: dict[str, object], *, logout: bool) -> str:
        faults = frozenset(self.faults)
        claims = changed_claims(claims, faults, logout=logout)
        key = self.keys[0]
        if Fault.SIGNATURE_OTHER_KEY in faults and not logout:
            key = {**new_private_key(alg=self.algorithm), "kid": key["kid"]}
        if Fault.KID_UNKNOWN in faults and not logout:
            key = {**key, "kid": "unknown"}
        if Fault.KID_ABSENT in faults and not logout:
            key = {name: value for name, value in key.items() if name != "kid"}
        typ = "logout+jwt" if logout or Fault.TYP_LOGOUT in faults else "JWT"
        token = sign(claims, key=key, typ=typ)
        return self._spoiled_logout(token) if logout else self._spoiled(token)

    def _spoiled(self, token: str) -> str:
        alg = f'"{self.keys[0]["alg"]}"'
        if Fault.SIGNATURE_NONE in self.faults:
            return with_header(token, lambda header: header.replace(alg, '"none"')).rpartition(".")[0] + "."
        if Fault.SIGNATURE_HS256 in self.faults:
            return self._hmac_signed(token)
        if Fault.SIGNATURE_ALTERNATE_ALG in self.faults:
            return with_header(token, lambda header: header.replace(alg, '"PS256"'))
        if Fault.SIGNATURE_NULL_ALG in self.faults:
            return with_header(token, lambda header: header.replace(alg, "null"))
        return token

    def _spoiled_logout(self, token: str) -> str:
        alg = f'"{self.keys[0]["alg"]}"'
        if Fault.LOGOUT_ALG_NONE in self.faults:
            return with_header(token, lambda header: header.replace(alg, '"none"')).rpartition(".")[0] + "."
        return self._hmac_signed(token) if Fault.LOGOUT_WRONG_ALG in self.faults else token

    def _hmac_signed(self, token: str) -> str:
        """Use our own public key as the secret of an HMAC: the classic confusion of key kinds."""
        alg = f'"{self.keys[0]["alg"]}"'
        message = with_header(token, lambda header: header.replace(alg, '"HS256"')).rpartition(".")[0]
        secret = json.dumps(public_part(self.keys[0])).encode()
        return f"{message}.{encode_segment(hmac.digest(secret, message.encode(), hashlib.sha256))}"
