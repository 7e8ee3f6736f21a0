"""Our side of the identity provider: what is asked of it, and how little of its answers is believed.

Its metadata and keys are kept in this process, refreshed when they are old, and fetched again for a signature that none
of the keys made, at most once a minute in each process (B16). Kept ones stay in use for a day when the provider cannot
be reached, which is tried once a minute and for a second, so that nobody's sign-in waits for it.
Source: OpenID Connect Core sections 3.1.2 and 3.1.3; RFC 7523; RFC 9126; security.md E.3.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Generic, TypeVar
from urllib.parse import urlencode

from app.core.context import House
from app.core.crypto import read_key_file
from app.core.errors import Unavailable
from app.core.ids import new_secret
from app.core.logs import log
from app.core.outbound import Outbound, OutboundFailed, Reply
from app.core.providers import Provider
from app.core.strict_json import NotStrictJson, read_object
from app.identity.clients import JWT_BEARER
from app.identity.jwt import (
    BadToken,
    Claims,
    Key,
    KeyRefused,
    LogoutToken,
    Profile,
    Reason,
    id_token_profile,
    parse_key_set,
    private_key_from,
    read_unverified_kid,
    sign,
    verify,
    verify_logout_token,
)
from app.identity.metadata import Metadata, MetadataRefused, discovery_url, read_metadata

METADATA_LIFE: Final = timedelta(hours=1)
KEYS_LIFE: Final = timedelta(minutes=10)
STALE_LIFE: Final = timedelta(days=1)
UNKNOWN_KEY_PAUSE: Final = timedelta(minutes=1)
RETRY_PAUSE: Final = timedelta(minutes=1)
REFRESH_SECONDS: Final = 1.0
ASSERTION_LIFE: Final = timedelta(seconds=60)
MOST_SECRET_CHARS: Final = 4096
MOST_AUTH_TIME_SKEW: Final = timedelta(seconds=10)
OK: Final = 200
CREATED: Final = 201
BAD_REQUEST: Final = 400
OTHER_KEYS: Final = frozenset({Reason.UNKNOWN_KEY, Reason.SIGNATURE, Reason.ALGORITHM, Reason.AMBIGUOUS_KEY})
REFUSES_US: Final = frozenset({"invalid_client", "unauthorized_client"})
KNOWN_ERRORS: Final = REFUSES_US | {
    "invalid_grant",
    "invalid_request",
    "invalid_scope",
    "unsupported_grant_type",
    "server_error",
    "temporarily_unavailable",
}
"""Source: RFC 6749 sections 4.1.2.1 and 5.2. Whatever else the provider writes is not repeated in a log."""

Published = TypeVar("Published")
Checked = TypeVar("Checked")


class ProviderDown(Unavailable):
    """The identity provider does not answer, or not as it must; `why` is for the log."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__()


class CodeRefused(Exception):
    """The identity provider refused the code, or answered it with something else than tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderTokens:
    """What the provider gives for a code. Neither ever leaves this process."""

    id_token: str = field(repr=False)
    access_token: str = field(repr=False)


@dataclass(slots=True)
class _Kept(Generic[Published]):
    """What the provider publishes at one address, as it was found last."""

    what: str
    found: Published | None = None
    found_at: datetime | None = None
    failed_at: datetime | None = None
    fetching: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def current(
        self, fetch: Callable[[], Awaitable[Published]], *, life: timedelta, now: datetime, anew: bool = False
    ) -> Published:
        """Return it, fetched when it is as old as that, or `anew`; what is kept when that fails.

        :raises ProviderDown: when there is none that is good
        """
        async with self.fetching:
            kept = self.found if _is_fresh(self.found_at, now, STALE_LIFE) else None
            is_good = _is_fresh(self.found_at, now, life) or _is_fresh(self.failed_at, now, RETRY_PAUSE)
            if kept is not None and is_good and not anew:
                return kept
            try:
                async with asyncio.timeout(None if kept is None else REFRESH_SECONDS):
                    found = await fetch()
            except (OutboundFailed, MetadataRefused, KeyRefused, NotStrictJson, TimeoutError) as error:
                why = getattr(error, "why", type(error).__name__)
                log.warning(f"identity provider: {self.what}", why=why)
                if kept is None:
                    raise ProviderDown(f"{self.what}: {why}") from None
                self.failed_at = now
                return kept
            self.found, self.found_at, self.failed_at = found, now, None
            return found


class IdentityProvider:
    """One provider, as the settings name it."""

    def __init__(self, settings: Provider, *, outbound: Outbound, client_keys: Sequence[Mapping[str, str]]) -> None:
        self.settings = settings
        self.client_keys = client_keys
        self._outbound = outbound
        self._metadata = _Kept[Metadata](what="metadata")
        self._keys = _Kept[tuple[Key, ...]](what="keys")
        self._anew_at: datetime | None = None
        self._profile = id_token_profile(
            issuer=settings.issuer,
            client_id=settings.client_id,
            algorithms=settings.algorithms,
            max_lifetime=timedelta(minutes=settings.token_minutes),
            audiences=settings.accepted_audiences,
        )

    @property
    def id_tokens(self) -> Profile:
        """Return what its identity tokens for us look like."""
        return self._profile

    async def metadata(self, *, now: datetime) -> Metadata:
        """Return its metadata, fetched again when an hour old.

        :raises ProviderDown: when they cannot be fetched, do not fit the settings, and none are kept
        """

        async def fetch() -> Metadata:
            document = read_object(_found(await self._get(discovery_url(self.settings.issuer))))
            return read_metadata(document, self.settings)

        return await self._metadata.current(fetch, life=METADATA_LIFE, now=now)

    async def authorization_url(self, parameters: Mapping[str, str], *, now: datetime) -> str:
        """Return where the browser goes; the parameters are pushed first where that is offered.

        :raises ProviderDown: when it does not answer
        """
        metadata = await self.metadata(now=now)
        shown: Mapping[str, str] = {**parameters, "client_id": self.settings.client_id}
        if metadata.pushed_authorization_request_endpoint is not None:
            form = {**shown, **self._proof(metadata.pushed_authorization_request_endpoint, now=now)}
            reply = await self._post(metadata.pushed_authorization_request_endpoint, form)
            answer = _read_or_down(reply, "par", accepted=CREATED)
            shown = {"client_id": self.settings.client_id, "request_uri": _text(answer, "request_uri", "par")}
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(shown)}"

    async def exchange(self, code: str, *, verifier: str, redirect_uri: str, now: datetime) -> ProviderTokens:
        """Exchange a code.

        :raises CodeRefused: when the provider refuses it
        :raises ProviderDown: when it does not answer, or not with tokens
        """
        metadata = await self.metadata(now=now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            "client_id": self.settings.client_id,
            **self._proof(metadata.token_endpoint, now=now),
        }
        reply = await self._post(metadata.token_endpoint, form)
        if reply.status == BAD_REQUEST and _error_of(reply) == "invalid_grant":
            raise CodeRefused
        answer = _read_or_down(reply, "token", accepted=OK)
        if _text(answer, "token_type", "token").lower() != "bearer":
            raise ProviderDown("token: type")
        return ProviderTokens(
            id_token=_text(answer, "id_token", "token"), access_token=_text(answer, "access_token", "token")
        )

    async def identity(self, tokens: ProviderTokens, *, nonce: str, now: datetime) -> Claims:
        """Return the claims of the ID token that answers our login.

        :raises BadToken: when it does not
        :raises ProviderDown: when the keys cannot be fetched
        """
        claims = await self._checked(
            tokens.id_token,
            lambda keys: verify(
                tokens.id_token,
                keys=keys,
                profile=self._profile,
                now=now,
                nonce=nonce,
                access_token=tokens.access_token,
            ),
            now=now,
        )
        self._check_age(claims, now=now)
        return claims

    async def exchanged_identity(self, token: str, *, profile: Profile, now: datetime) -> Claims:
        """Return the claims of an ID token that an app brings.

        :raises BadToken: when it does not fit the profile
        :raises ProviderDown: when the keys cannot be fetched
        """
        claims = await self._checked(token, lambda keys: verify(token, keys=keys, profile=profile, now=now), now=now)
        self._check_age(claims, now=now)
        return claims

    async def logout(self, token: str, *, now: datetime) -> LogoutToken:
        """Return whom a logout token signs out.

        :raises BadToken: when it is not one
        :raises ProviderDown: when the keys cannot be fetched
        """
        return await self._checked(
            token, lambda keys: verify_logout_token(token, keys=keys, id_tokens=self._profile, now=now), now=now
        )

    async def userinfo(self, access_token: str, *, subject: str, now: datetime) -> Mapping[str, object]:
        """Return what userinfo says of the subject.

        :raises BadToken: when it speaks of another (OpenID Connect Core section 5.3.2)
        :raises ProviderDown: when it does not answer with plain JSON
        """
        endpoint = (await self.metadata(now=now)).userinfo_endpoint
        if endpoint is None:
            raise ProviderDown("userinfo: none")
        reply = await self._get(endpoint, headers={"Authorization": f"Bearer {access_token}"})
        claims = _read_or_down(reply, "userinfo", accepted=OK)
        if claims.get("sub") != subject:
            raise BadToken(Reason.SUBJECT)
        return claims

    async def _checked(self, token: str, check: Callable[[tuple[Key, ...]], Checked], *, now: datetime) -> Checked:
        """Check a token by the keys that are kept; where none of them has signed it, by today's, once a minute."""
        read_unverified_kid(token)  # for what is no token at all, nothing is fetched
        uri = (await self.metadata(now=now)).jwks_uri

        async def fetch() -> tuple[Key, ...]:
            return parse_key_set(_found(await self._get(uri)))

        try:
            return check(await self._keys.current(fetch, life=KEYS_LIFE, now=now))
        except BadToken as refusal:
            if refusal.reason not in OTHER_KEYS:
                raise
        anew = not _is_fresh(self._anew_at, now, UNKNOWN_KEY_PAUSE)
        if anew:
            self._anew_at = now
        return check(await self._keys.current(fetch, life=KEYS_LIFE, now=now, anew=anew))

    def _proof(self, endpoint: str, *, now: datetime) -> dict[str, str]:
        issued, client = int(now.timestamp()), self.settings.client_id
        claims = {
            "iss": client,
            "sub": client,
            "aud": self.settings.issuer if self.settings.assertion_audience == "issuer" else endpoint,
            "jti": new_secret(),
            "iat": issued,
            "exp": issued + int(ASSERTION_LIFE.total_seconds()),
        }
        return {
            "client_assertion_type": JWT_BEARER,
            "client_assertion": sign(claims, key=self.client_keys[0]),
        }

    def _check_age(self, claims: Claims, *, now: datetime) -> None:
        most = self.settings.max_age_seconds
        if most is None:
            return
        proved = claims.values.get("auth_time")
        if not isinstance(proved, int) or isinstance(proved, bool):
            raise BadToken(Reason.CLAIM_MISSING)
        age, skew = now.timestamp() - proved, MOST_AUTH_TIME_SKEW.total_seconds()
        if age > most + skew:
            raise BadToken(Reason.TOO_OLD)
        if age < -skew:
            raise BadToken(Reason.NOT_YET_VALID)

    async def _get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Reply:
        return await self._outbound.get(url, origins=self.settings.all_origins, headers=headers)

    async def _post(self, url: str, form: Mapping[str, str]) -> Reply:
        try:
            return await self._outbound.post(url, origins=self.settings.all_origins, form=form)
        except OutboundFailed as error:
            raise ProviderDown(error.why) from None


def open_provider(house: House) -> IdentityProvider | None:
    """Return the provider that the settings name, if they name one; nothing is fetched yet.

    :raises KeyFileError: when `client.keys` is missing or malformed
    """
    settings = house.settings
    if settings.provider is None:
        return None
    keys = read_client_keys(settings.secrets_dir)
    return IdentityProvider(settings.provider, outbound=house.outbound, client_keys=keys)


def read_client_keys(secrets_dir: Path) -> list[dict[str, str]]:
    """Return the private keys of `client.keys`, with which we prove who we are; the first one signs.

    :raises KeyFileError: when the file is missing or malformed
    """
    keys = read_key_file(secrets_dir / "client.keys")
    return [private_key_from(secret, kid=name) for name, secret in keys.items()]


def _is_fresh(at: datetime | None, now: datetime, life: timedelta) -> bool:
    return at is not None and now - at < life


def _found(reply: Reply) -> bytes:
    if reply.status != OK:
        raise OutboundFailed(str(reply.status))
    return reply.body


def _read_or_down(reply: Reply, what: str, *, accepted: int) -> dict[str, object]:
    if reply.status != accepted:
        error = _error_of(reply)
        why = f"{what}: {reply.status} {error}"
        if error in REFUSES_US:
            log.error("identity provider: it refuses our client", why=why)
        raise ProviderDown(why)
    if reply.content_type != "application/json":
        raise ProviderDown(f"{what}: not application/json")
    try:
        return read_object(reply.body)
    except NotStrictJson:
        raise ProviderDown(f"{what}: not JSON") from None


def _error_of(reply: Reply) -> str:
    """Return OAuth's code of a refusal, if it is one that is known."""
    try:
        said = read_object(reply.body).get("error")
    except NotStrictJson:
        said = None
    return next((code for code in KNOWN_ERRORS if code == said), "")


def _text(answer: Mapping[str, object], name: str, what: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= MOST_SECRET_CHARS * 2:
        raise ProviderDown(f"{what}: {name}")
    return value
