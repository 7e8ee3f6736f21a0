"""The clock, read by the doors only; everything else gets `now` as an argument."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

VIETNAM_TIME: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""Viet Nam has one time zone and no summer time."""


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def moment_text(at: datetime) -> str:
    """Return a moment as it is told everywhere: RFC 3339 in UTC, with Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
