"""The contract's scalars: how a client reads and writes them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from strawberry.schema.types.base_scalars import DateDefinition, DateTimeDefinition, DecimalDefinition
from strawberry.types.scalar import ScalarDefinition


def _in_utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


SCALARS: Mapping[object, ScalarDefinition] = {
    date: replace(DateDefinition, description="A calendar day of Viet Nam, a string: `2026-11-23`."),
    datetime: replace(
        DateTimeDefinition,
        description=(
            "A moment (RFC 3339), a string. Answers are in UTC, `2026-11-23T02:30:00Z`, with up to six digits of a "
            "second; arguments in any zone, which must be told."
        ),
        serialize=_in_utc,
    ),
    Decimal: replace(
        DecimalDefinition,
        description='A decimal number, a string so that no digit is lost: `"99740.00"`. Arguments may be numbers too.',
    ),
}
