import base64
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Boolean, Date, DateTime, Float, Integer, Numeric, Text, Uuid
from sqlalchemy.types import TypeEngine

from app.compiler import BadDeclaration
from app.compiler.cursors import cursor_text, decoded, key_type, tag
from app.compiler.declare import asc, desc
from app.compiler.inputs import Constant
from app.compiler.plan import render_numbered
from app.core.errors import Invalid
from tests.compiler.bench import Bench

KEYS: list[tuple[str, st.SearchStrategy[Any]]] = [
    ("text", st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40)),
    ("uuid", st.uuids()),
    ("timestamptz", st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))),  # noqa: DTZ001
    ("date", st.dates()),
    ("integer", st.integers(-(2**31), 2**31 - 1)),
    ("bigint", st.integers(-(2**63), 2**63 - 1)),
    ("numeric", st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**30), max_value=10**30)),
]


@pytest.mark.parametrize(("pg_type", "values"), KEYS, ids=[pg_type for pg_type, _ in KEYS])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_keys_come_back_as_they_were(
    bench: Bench, pg_type: str, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = data.draw(values)
    statement = render_numbered(cursor_text("mark", [Constant(value, pg_type), Constant(7, "integer")]))

    cursor = bench.runner.run(bench.connection.fetchval(statement.sql, *statement.arguments({}))).decode()

    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert decoded(cursor, mark="mark", types=[pg_type, "integer"], name="after") == (value, 7)


@pytest.mark.parametrize(
    ("kind", "pg_type"),
    [
        (Uuid(), "uuid"),
        (DateTime(timezone=True), "timestamptz"),
        (Date(), "date"),
        (Integer(), "integer"),
        (BigInteger(), "bigint"),
        (Numeric(), "numeric"),
        (Text(), "text"),
    ],
)
def test_a_column_says_the_type_of_its_key(kind: TypeEngine[Any], pg_type: str) -> None:
    assert key_type(kind) == pg_type


@pytest.mark.parametrize("kind", [DateTime(), Boolean(), Float()])
def test_a_column_that_a_cursor_cannot_say_is_refused(kind: TypeEngine[Any]) -> None:
    with pytest.raises(BadDeclaration, match="cannot be an order key"):
        key_type(kind)


@pytest.mark.parametrize(
    ("pg_type", "key"),
    [
        ("integer", str(2**31)),
        ("bigint", str(2**63)),
        ("numeric", "NaN"),
        ("numeric", "1e"),
        ("date", "2026-02-30"),
        ("text", "a\x00"),
        ("text", "\ud800"),
        ("text", ["a"]),
        ("uuid", ""),
    ],
)
def test_a_key_of_the_wrong_type_is_refused(pg_type: str, key: object) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(["mark", key]).encode()).decode().rstrip("=")

    with pytest.raises(Invalid, match="Argument after is not a valid cursor") as refused:
        decoded(cursor, mark="mark", types=[pg_type], name="after")
    assert refused.value.text.vi == "Tham số after không phải là con trỏ trang hợp lệ."


def test_another_list_or_another_order_has_another_mark() -> None:
    marks = {tag(name, order) for name in ("Book.visits", "Book.entries") for order in ([asc("id")], [desc("id")])}

    assert len(marks) == 4


def test_a_key_keeps_its_type() -> None:
    keys = ["2026-03-01T00:00:00.5Z", "2026-03-01", "-12.50"]
    cursor = base64.urlsafe_b64encode(json.dumps(["m", *keys]).encode()).decode().rstrip("=")

    assert decoded(cursor, mark="m", types=["timestamptz", "date", "numeric"], name="after") == (
        datetime(2026, 3, 1, microsecond=500_000, tzinfo=UTC),
        date(2026, 3, 1),
        Decimal("-12.50"),
    )
    assert isinstance(
        decoded("WyJtIiwiMDE4ZjAwMDAwMDAwNzAwMDgwMDAwMDAwMDAwMDAwMDEiXQ", mark="m", types=["uuid"], name="after")[0],
        UUID,
    )
