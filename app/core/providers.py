"""Settings of sign-in: the identity provider, by preset or by hand, and the apps that may use it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LOOPBACK: Final = frozenset({"127.0.0.1", "[::1]", "localhost"})
SignatureAlgorithm = Literal["ES256", "ES384", "RS256", "RS384"]
Level = Annotated[int, Field(ge=1, le=4)]


class ClaimMap(BaseModel):
    """Which claims say who somebody is. A provider without a level claim proves level 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    personal_id: str = Field(description="12-digit personal id")
    full_name: str = Field(description="full name")
    birth_on: str | None = Field(description="day of birth: yyyymmdd, yyyy-mm-dd, dd/mm/yyyy or yyyy")
    level: str | None = Field(description="level of the account")
    levels: Mapping[str, Level] = Field(description="what each value of the level claim is worth")
    account_type: str | None = Field(description="person or organisation")
    person_types: frozenset[str] = Field(description="values of the account type that are persons")


# Seen in public integrations: Keycloak's claims in the first, the hub of public services in the second.
# No official list of level values was found, so both spellings stand in both; a setting overrides them.
_LEVELS: Final = {"1": 1, "2": 2, "LoA1": 1, "LoA2": 2}
PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "vneid": {
        "scope": "openid profile",
        "userinfo": False,
        "claims": {
            "personal_id": "preferred_username",
            "full_name": "name",
            "birth_on": "birthdate",
            "level": "acr",
            "levels": _LEVELS,
            "account_type": None,
            "person_types": [],
        },
    },
    "vnconnect": {
        "scope": "openid",
        "userinfo": True,
        "claims": {
            "personal_id": "SoDinhDanh",
            "full_name": "HoVaTen",
            "birth_on": "NgayThangNamSinh",
            "level": "acr",
            "levels": _LEVELS,
            "account_type": "LoaiTaiKhoan",
            "person_types": ["1"],
        },
    },
}


class Provider(BaseModel):
    """An OpenID Connect provider like VNeID (`vneid`) or the hub of public services (`vnconnect`)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    preset: Literal["vneid", "vnconnect"] = Field(description="where what is not said comes from")
    issuer: str = Field(description="issuer, exactly as the provider writes it")
    client_id: str = Field(min_length=1, max_length=255, description="our client id at the provider")
    audiences: frozenset[str] = Field(default=frozenset(), description="accepted `aud`; the client id when empty")
    algorithms: frozenset[SignatureAlgorithm] = Field(
        default=frozenset({"RS256", "ES256"}), min_length=1, description="accepted signatures"
    )
    origins: frozenset[str] = Field(default=frozenset(), description="its other origins, like https://HOST")
    scope: str = Field(description="scope that is asked for")
    userinfo: bool = Field(description="the claims stand in userinfo, not in the ID token")
    acr_values: str | None = Field(default=None, description="acr_values that are asked for")
    max_age_seconds: int | None = Field(default=None, ge=0, description="oldest proof of the person that is accepted")
    token_minutes: int = Field(default=60, ge=1, le=1440, description="longest life of its ID tokens")
    assertion_audience: Literal["issuer", "token_endpoint"] = Field(
        default="issuer", description="whom our client assertion names as `aud`"
    )
    claims: ClaimMap

    @model_validator(mode="before")
    @classmethod
    def _completed(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or given.get("preset") not in PRESETS:
            return given
        preset = PRESETS[given["preset"]]
        claims = given.get("claims", {})
        merged = {**preset["claims"], **claims} if isinstance(claims, Mapping) else claims
        return {**preset, **given, "claims": merged}

    @field_validator("issuer")
    @classmethod
    def _is_an_issuer(cls, value: str) -> str:
        return _without_query(value)

    @property
    def accepted_audiences(self) -> frozenset[str]:
        """Return the values of `aud` that mean us."""
        return self.audiences or frozenset({self.client_id})

    @property
    def all_origins(self) -> frozenset[str]:
        """Return the origins that may be asked for anything."""
        return self.origins | {origin_of(self.issuer)}


class AppClient(BaseModel):
    """An app that signs people in: a public client, known by its claimed links (RFC 8252)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="client id")
    redirect_uris: frozenset[str] = Field(default=frozenset(), description="claimed https links, exactly")
    loopback: bool = Field(default=False, description="may also listen on http://127.0.0.1, any port and path")
    dpop: Literal["required", "none"] = Field(
        default="required", description="its tokens are bound to a key of the phone (RFC 9449), or are bearer tokens"
    )
    device_lock: bool = Field(default=False, description="its key is bound to the phone's own lock: longer sessions")
    android_package: str | None = Field(default=None, description="package of the Android app")
    android_fingerprints: tuple[str, ...] = Field(default=(), description="SHA-256 of its signing certificates")
    apple_app_id: str | None = Field(default=None, description="TEAMID.bundle of the iOS app")

    @field_validator("redirect_uris")
    @classmethod
    def _are_claimed_links(cls, value: frozenset[str]) -> frozenset[str]:
        for uri in value:
            _without_query(uri)
            if urlsplit(uri).scheme != "https":
                message = "a redirect is a claimed https link"
                raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.redirect_uris and not self.loopback:
            message = "an app needs a redirect"
            raise ValueError(message)
        return self


def origin_of(url: str) -> str:
    """Return scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def is_loopback(url: str) -> bool:
    """Tell whether an address is on this machine."""
    netloc = urlsplit(url).netloc
    return netloc.rpartition(":")[0] in LOOPBACK or netloc in LOOPBACK


def _without_query(url: str) -> str:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url))
    if not secure or not parts.hostname or parts.username or parts.query or parts.fragment or not url.isascii():
        message = "must be an https address without query, fragment and user (http on this machine)"
        raise ValueError(message)
    return url
