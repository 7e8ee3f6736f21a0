"""Settings: one frozen class, read once in a door and handed down."""

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

RELEASE = "0.1.0"


class Settings(BaseSettings):
    """What differs between installations. Every name has the prefix `SOKHOE_` in the environment."""

    model_config = SettingsConfigDict(env_prefix="SOKHOE_", frozen=True)

    database_url: str = Field(
        description="Host and database of PostgreSQL 18 or newer, without a login: postgresql://HOST:PORT/NAME"
    )
    secrets_dir: Path = Field(description="Directory of secret files: LOGIN.password, sealing.keys, index.keys")
    demo: bool = Field(default=False, description="Demo mode: plain queries, introspection, demo tokens")
    commit: str = Field(default="unknown", description="Commit of this build, shown by /readyz")
    public_url: str = Field(
        default="http://127.0.0.1:8000",
        description="Address under which clients reach this server; audience of assertions",
    )
    api_pool_size: int = Field(default=8, ge=1, le=100, description="Connections for operations on books")
    desk_pool_size: int = Field(default=4, ge=1, le=100, description="Connections for identity and sharing")
    ingest_pool_size: int = Field(default=8, ge=1, le=100, description="Connections for the hospitals' door")
    worker_concurrency: int = Field(default=4, ge=1, le=64, description="Messages that one worker files at a time")
    facility_token_seconds: int = Field(default=300, ge=30, le=900, description="Life of a facility's access token")
    body_seconds: float = Field(default=30, gt=0, le=600, description="Time in which a request's body must be whole")
    body_idle_seconds: float = Field(default=10, gt=0, le=600, description="Longest wait for the body's next piece")

    @field_validator("database_url")
    @classmethod
    def _names_no_login(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"postgresql", "postgres"} or not parts.path.strip("/"):
            message = "must look like postgresql://HOST:PORT/NAME"
            raise ValueError(message)
        if parts.username or parts.password:
            message = "must not name a login: each login has its own secret file"
            raise ValueError(message)
        return value
