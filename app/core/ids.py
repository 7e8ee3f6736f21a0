"""Identifiers: UUIDv7 (RFC 9562 §5.7), so that rows of one time lie together."""

import secrets
from datetime import datetime
from uuid import UUID

from app.core.errors import NotFound


def new_id(*, now: datetime) -> UUID:
    """Return a UUIDv7 of `now`, unique by 74 random bits."""
    milliseconds = int(now.timestamp() * 1000)
    random = int.from_bytes(secrets.token_bytes(10))
    value = (milliseconds & ((1 << 48) - 1)) << 80 | random
    return UUID(int=value & ~(0xF << 76 | 0b11 << 62) | 0x7 << 76 | 0b10 << 62)


def new_secret() -> str:
    """Return 256 random bits as text, for opaque tokens."""
    return secrets.token_urlsafe(32)


def new_request_id() -> str:
    """Return the id under which support finds a request; it tells nothing."""
    return secrets.token_hex(12)


def new_jitter() -> float:
    """Return a number from 0 to 1, so that those who wait do not all come back at once."""
    return secrets.randbelow(1 << 20) / (1 << 20)


def known_id(said: str) -> UUID:
    """Return an id as a client sent it.

    :raises NotFound: when it is none of ours, as for a stranger's
    """
    try:
        return UUID(said)
    except ValueError:
        raise NotFound from None


def known_id_if_any(said: str | None) -> UUID | None:
    """Return the same, or nothing for nothing.

    :raises NotFound: as `known_id`
    """
    return None if said is None else known_id(said)
