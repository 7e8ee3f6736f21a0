"""Values as the contract writes them, and fields by their columns."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from tests.differential.rows import Row

VIETNAM = timezone(timedelta(hours=7))
Shown = dict[str, Any]


def instant(value: datetime | None) -> str | None:
    """Return RFC 3339 text in UTC, with a fraction only where there is one."""
    if value is None:
        return None
    text = value.astimezone(UTC).replace(tzinfo=None).isoformat()
    return (text.rstrip("0") if "." in text else text) + "Z"


def number(value: Decimal | None) -> str | None:
    """Return a decimal as it is kept, zeros at its end too."""
    return None if value is None else format(value, "f")


def day(value: date | None) -> str | None:
    """Return ISO 8601."""
    return None if value is None else value.isoformat()


def identity(row: Row, *names: str) -> Shown:
    return {camel(name): str(row[name]) for name in names}


def plain(row: Row, *names: str) -> Shown:
    return {camel(name): row[name] for name in names}


def instants(row: Row, *names: str) -> Shown:
    return {camel(name): instant(row[name]) for name in names}


def numbers(row: Row, *names: str) -> Shown:
    return {camel(name): number(row[name]) for name in names}


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(map(str.capitalize, rest))
