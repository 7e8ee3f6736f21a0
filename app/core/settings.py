"""Settings: one frozen class, read once in a door and handed down."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core.providers import AppClient, Provider

RELEASE = "0.1.0"


class Settings(BaseSettings):
    """What differs between installations. Every name has the prefix `SOKHOE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="SOKHOE_", frozen=True)

    database_url: str = Field(
        description="Host and database of PostgreSQL 18 or newer, without a login: postgresql://HOST:PORT/NAME"
    )
    secrets_dir: Path = Field(
        description="Directory of secret files: LOGIN.password, sealing.keys, index.keys, mac.keys, client.keys, and "
        "for the sealer alone checkpoint.keys"
    )
    demo: bool = Field(default=False, description="Demo mode: plain queries, introspection, demo tokens")
    commit: str = Field(default="unknown", description="Commit of this build, shown by /readyz")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which clients reach this server; audience of assertions",
    )
    oldest_app_version: str = Field(
        default="0.0.0", pattern=r"^\d+\.\d+\.\d+$", description="Older apps get UPGRADE_REQUIRED (header Sokhoe-App)"
    )
    api_pool_size: int = Field(
        default=4, ge=1, le=100, description="Connections for operations on books: 4 for each core of the database"
    )
    desk_pool_size: int = Field(default=4, ge=1, le=100, description="Connections for identity and sharing")
    ingest_pool_size: int = Field(default=8, ge=1, le=100, description="Connections for the hospitals' door")
    worker_concurrency: int = Field(default=4, ge=1, le=64, description="Messages that one worker files at a time")
    worker_facility_share: int = Field(default=3, ge=1, le=64, description="Of these, how many may be of one facility")
    reader_processes: int = Field(
        default=2, ge=1, le=16, description="Processes that read large messages and dry runs, for each door"
    )
    reader_memory_mb: int = Field(default=512, ge=64, le=4096, description="Memory of one of them (RLIMIT_AS)")
    reader_cpu_seconds: int = Field(default=5, ge=1, le=60, description="Processor time for one message (RLIMIT_CPU)")
    large_uploads: int = Field(
        default=2, ge=1, le=16, description="Messages of over a megabyte that the door takes at a time, one a facility"
    )
    facility_token_seconds: int = Field(default=300, ge=30, le=900, description="Life of a facility's access token")
    body_seconds: float = Field(default=30, gt=0, le=600, description="Time in which a request's body must be whole")
    body_idle_seconds: float = Field(default=10, gt=0, le=600, description="Longest wait for the body's next piece")

    log_origin: str = Field(
        default="sokhoe/visitors-book",
        pattern=r"^[^\s+]+$",
        description="Name under which the heads of the visitors' book are signed; apps pin it with the sealer's key",
    )
    sealed_head: Path | None = Field(
        default=None,
        description="File in which the sealer keeps its newest head, to refuse a log that was cut off by a restore",
    )
    seal_seconds: float = Field(default=1, ge=0.05, le=60, description="How often the sealer looks for new lines")
    seal_stop_minutes: int = Field(
        default=15, ge=1, le=1440, description="Without a seal for so long, nobody views another person's book"
    )

    metrics_port: int | None = Field(
        default=None, ge=1, le=65535, description="Port of /metrics outside demo mode; none: no metrics"
    )
    metrics_host: str = Field(default="127.0.0.1", description="Address on which that port listens")

    push_url: str | None = Field(
        default=None, description="Where pushes go instead of Firebase Cloud Messaging: a stand-in of the same form"
    )
    push_seconds: float = Field(default=10, gt=0, le=60, description="Longest wait for one call of the push service")
    reminder_hours: tuple[float, ...] = Field(
        default=(168, 24, 2), description="How long before an appointment people are reminded of it, as a JSON list"
    )
    push_concurrency: int = Field(
        default=4, ge=1, le=64, description="Batches of notices that one worker pushes at a time"
    )

    provider: Provider | None = Field(
        default=None,
        description="Identity provider as JSON: preset (vneid, vnconnect), issuer, client_id; none: no sign-in",
    )
    provider_seconds: float = Field(
        default=2.5, gt=0, le=3, description="Longest wait for the identity provider in one request"
    )
    apps: tuple[AppClient, ...] = Field(
        default=(),
        description="Apps as a JSON list: client_id, redirect_uris, loopback, dpop, device_lock, links of the stores",
    )
    exchange_audiences: frozenset[str] = Field(
        default=frozenset(),
        description="Client ids whose identity tokens may be exchanged (RFC 8693); none: the exchange is off",
    )
    login_minutes: int = Field(default=10, ge=1, le=30, description="Life of a login under way")
    handoff_seconds: int = Field(
        default=60, ge=5, le=60, description="Life of the code that the app fetches its session with"
    )
    access_token_seconds: int = Field(default=300, ge=30, le=900, description="Life of a person's access token")
    most_devices: int = Field(
        default=10, ge=1, le=100, description="Apps in which one person is signed in; one more ends the oldest"
    )
    activation_hours: int = Field(default=72, ge=1, le=336, description="Life of an activation code of a facility")
    step_up_seconds: int = Field(default=300, ge=30, le=300, description="Life of a fresh second factor for one action")
    repeat_seconds: int = Field(
        default=10, ge=0, le=30, description="Time in which a lost renewal may be asked for again"
    )
    session_idle_minutes: int = Field(default=30, ge=5, description="A session ends after so long without renewal")
    session_hours: int = Field(default=12, ge=1, description="A session ends after so long")
    device_lock_idle_days: int = Field(
        default=14, ge=1, description="The same, idle, for apps behind the phone's own lock"
    )
    device_lock_days: int = Field(default=30, ge=1, description="The same for apps behind the phone's own lock")

    booking_lead_minutes: int = Field(
        default=60, ge=0, description="Booked so long before, at least, where a facility has not told"
    )
    booking_cancel_minutes: int = Field(
        default=60, ge=0, description="Cancelled or moved so long before, at least, where a facility has not told"
    )
    booking_most_live: int = Field(
        default=3, ge=1, description="Bookings to come of one citizen at a facility, at most, where it has not told"
    )
    waitlist_hold_minutes: int = Field(
        default=30, ge=1, description="So long a freed place is held for who waits, where a facility has not told"
    )

    @field_validator("apps")
    @classmethod
    def _have_each_a_name(cls, value: tuple[AppClient, ...]) -> tuple[AppClient, ...]:
        if len({app.client_id for app in value}) < len(value):
            message = "two apps have one client_id"
            raise ValueError(message)
        return value

    @field_validator("database_url")
    @classmethod
    def _names_no_login(cls, value: str) -> str:
        parts = urlsplit(value)
        message = "must look like postgresql://HOST:PORT/NAME"
        try:
            has_port = parts.port is None or parts.port > 0
        except ValueError as error:
            raise ValueError(message) from error
        if not has_port or parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
            raise ValueError(message)
        if parts.username or parts.password:
            message = "must not name a login: each login has its own secret file"
            raise ValueError(message)
        return value
