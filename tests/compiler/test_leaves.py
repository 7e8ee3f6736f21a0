import json
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLString,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import ARRAY, ColumnElement, Date, DateTime, Numeric, Text, cast, func, literal, literal_column
from sqlalchemy.types import String, TypeDecorator

from app.compiler import NotCompilable
from app.compiler.inputs import Constant, quoted
from app.compiler.leaves import leaf_text
from app.compiler.plan import render, render_numbered
from tests.compiler.bench import Bench

DATE, DATE_TIME, DECIMAL, UUID, TIME, JSON = map(
    GraphQLScalarType, ("Date", "DateTime", "Decimal", "UUID", "Time", "JSON")
)
KIND = GraphQLEnumType("Kind", {"A": 1, "B": 2})


class Shouted(TypeDecorator[str]):
    impl = String
    cache_ok = True


def told(bench: Bench, expression: ColumnElement[Any]) -> str:
    """Return the text, which is the same in both styles."""
    statement = render_numbered(expression)
    numbered: bytes = bench.runner.run(bench.connection.fetchval(statement.sql, *statement.arguments({})))
    written = bench.runner.run(bench.connection.fetchval(f"SELECT {render(expression)}"))
    assert written == numbered.decode()
    return str(written)


def typed(text: str, pg_type: str) -> ColumnElement[Any]:
    kinds: dict[str, Any] = {
        "timestamptz": DateTime(timezone=True),
        "timestamp": DateTime(),
        "date": Date(),
        "numeric": Numeric(),
    }
    return literal_column(f"'{text}'::{pg_type}", kinds.get(pg_type))


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (DATE_TIME, typed("2026-03-01 09:30:00+07", "timestamptz"), '"2026-03-01T02:30:00Z"'),
        (DATE_TIME, typed("2026-03-01 00:00:00.000001+00", "timestamptz"), '"2026-03-01T00:00:00.000001Z"'),
        (DATE_TIME, typed("2026-03-01 00:00:00.5+00", "timestamptz"), '"2026-03-01T00:00:00.5Z"'),
        (DATE_TIME, literal(datetime(2026, 3, 1, tzinfo=UTC)), '"2026-03-01T00:00:00Z"'),
        (DATE_TIME, func.to_timestamp(literal(0)), '"1970-01-01T00:00:00Z"'),
        (DATE_TIME, typed("infinity", "timestamptz"), "\x010"),
        (GraphQLNonNull(DATE_TIME), typed("-infinity", "timestamptz"), "\x012"),
        (DATE_TIME, cast(None, DateTime(timezone=True)), "null"),
        (DATE, typed("2026-02-28", "date"), '"2026-02-28"'),
        (DATE, typed("infinity", "date"), "\x010"),
        (TIME, literal_column("'07:05:00'::time"), '"07:05:00"'),
        (DECIMAL, typed("1200.50000", "numeric"), '"1200.50000"'),
        (DECIMAL, typed("1e3", "numeric"), '"1000"'),
        (GraphQLFloat, typed("1.50", "numeric"), "1.50"),
        (GraphQLFloat, typed("NaN", "numeric"), "\x010"),
        (GraphQLFloat, literal_column("'-Infinity'::float8"), "\x010"),
        (GraphQLFloat, literal(3), "3"),
        (GraphQLInt, literal_column("2147483648::bigint"), "\x010"),
        (GraphQLInt, func.count(), "1"),
        (GraphQLBoolean, literal(value=True), "true"),
        (GraphQLBoolean, literal_column("NULL::boolean"), "null"),
        (GraphQLNonNull(GraphQLBoolean), literal_column("NULL::boolean"), "\x012"),
        (GraphQLID, literal(7), '"7"'),
        (GraphQLID, literal('a"b'), '"a\\"b"'),
        (
            UUID,
            literal_column("'018f0000-0000-7000-8000-000000000001'::uuid"),
            '"018f0000-0000-7000-8000-000000000001"',
        ),
        (JSON, literal_column("""'{"a":[1,null]}'::jsonb"""), '{"a": [1, null]}'),
        (KIND, literal("A"), '"A"'),
        (KIND, literal("C"), "\x010"),
        (KIND, cast(None, Text), "null"),
        (GraphQLNonNull(KIND), cast(None, Text), "\x012"),
        (GraphQLString, cast("it's", Shouted()), '"it\'s"'),
        (GraphQLString, literal("a\\b", Shouted()), '"a\\\\b"'),
    ],
)
def test_a_scalar_is_written_as_the_contract_says(
    bench: Bench, kind: GraphQLOutputType, value: ColumnElement[Any], text: str
) -> None:
    up = 2 if isinstance(kind, GraphQLNonNull) else 0

    assert told(bench, leaf_text(kind, value, never_null=False, up=up)) == text


@pytest.mark.parametrize(
    ("kind", "array", "text"),
    [
        (GraphQLString, "ARRAY['a','b\"']::text[]", '["a","b\\""]'),
        (GraphQLString, "ARRAY['a',NULL]::text[]", '["a",null]'),
        (GraphQLNonNull(GraphQLString), "ARRAY['a',NULL]::text[]", "\x010"),
        (GraphQLNonNull(GraphQLString), "'{}'::text[]", "[]"),
        (GraphQLString, "NULL::text[]", "null"),
        (KIND, "ARRAY['B','A',NULL]::text[]", '["B","A",null]'),
        (GraphQLNonNull(KIND), "ARRAY['B','C']::text[]", '["B",\x011]'),
    ],
)
def test_a_list_keeps_its_order_and_its_nulls(bench: Bench, kind: GraphQLOutputType, array: str, text: str) -> None:
    value = literal_column(array, ARRAY(Text()))

    assert told(bench, leaf_text(GraphQLList(kind), value, never_null=False, up=0)) == text


def test_a_scalar_out_of_the_closed_list_is_refused() -> None:
    with pytest.raises(NotCompilable, match="BigInt"):
        leaf_text(GraphQLScalarType("BigInt"), literal(1), never_null=True, up=0)


def test_a_list_that_rests_on_no_array_is_refused() -> None:
    with pytest.raises(NotCompilable, match="no array"):
        leaf_text(GraphQLList(GraphQLString), literal("a"), never_null=True, up=0)


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_any_text_arrives_as_it_was(bench: Bench, text: str) -> None:
    said = told(bench, leaf_text(GraphQLString, Constant(text, "text"), never_null=True, up=0))

    assert json.loads(said) == text
    assert not {"\x01", "\x02"} & set(said)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS | st.text("'\\$\x01E u{200d}\u200d\U0001f600"))
def test_any_text_survives_as_a_literal(bench: Bench, text: str) -> None:
    written = quoted(text)

    assert "$" not in written
    assert written.isprintable()
    assert bench.runner.run(bench.connection.fetchval(f"SELECT {written}")) == text
