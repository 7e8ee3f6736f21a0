"""The logins of PostgreSQL, their passwords, and a connection as one of them. Needs no SQLAlchemy: starts are quick."""

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

import asyncpg

from app.core.settings import Settings


class Login(StrEnum):
    """The logins of PostgreSQL. Source: infra/postgres/roles.sql."""

    API = "api"
    DEMO = "demo"
    DESK = "desk"
    PORTER = "porter"
    INGEST = "ingest"
    WORKER = "worker"
    SEALER = "sealer"
    AUDITOR = "auditor"
    MIGRATOR = "migrator"


class SecretMissing(Exception):
    """A login's secret file is missing, empty or no text; the message names the file."""


class Address(TypedDict):
    """Where the database is, and who comes: in asyncpg's words."""

    host: str | None
    port: int | None
    user: str
    password: str
    database: str


def address_of(settings: Settings, login: Login) -> Address:
    """Return the address of the database for one login.

    :raises SecretMissing: when its password cannot be read.
    """
    parts = urlsplit(settings.database_url)
    return Address(
        host=parts.hostname,
        port=parts.port,
        user=login.value,
        password=_read_password(settings.secrets_dir, login),
        database=parts.path.strip("/"),
    )


def _read_password(secrets_dir: Path, login: Login) -> str:
    path = secrets_dir / f"{login}.password"
    try:
        if password := path.read_text(encoding="ascii").strip():
            return password
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path.name}: cannot be read in SOKHOE_SECRETS_DIR"
        raise SecretMissing(message) from error
    message = f"{path.name}: is empty"
    raise SecretMissing(message)


async def connect(settings: Settings, login: Login) -> "asyncpg.Connection[asyncpg.Record]":
    """Open one connection, with the password that stands in its file now.

    :raises SecretMissing: when it cannot be read
    """
    return await asyncpg.connect(**address_of(settings, login))


async def open_pool(settings: Settings, login: Login, *, size: int) -> "asyncpg.Pool[asyncpg.Record]":
    """Open a pool for compiled operations, whose settings all end with their transaction.

    Each new connection brings the password that stands in its file then.
    """
    address = {**address_of(settings, login), "password": partial(_read_password, settings.secrets_dir, login)}
    return await asyncpg.create_pool(**address, min_size=1, max_size=size, command_timeout=5, reset=_keep_as_it_is)


async def _keep_as_it_is(_connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Spare the pool's round trip: no statement here changes the session."""
