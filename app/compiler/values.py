"""How a GraphQL input value enters PostgreSQL: its type there, and the value that is bound."""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from graphql import (
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    Undefined,
    is_required_input_field,
)
from graphql.utilities import coerce_input_value

from app.compiler.refusal import NotCompilable
from app.core.errors import Invalid, Text

PG_TYPES: Mapping[str, str] = {
    "String": "text",
    "ID": "text",
    "Int": "integer",
    "Float": "double precision",
    "Boolean": "boolean",
    "Date": "date",
    "DateTime": "timestamptz",
    "Decimal": "numeric",
    "UUID": "uuid",
    "JSON": "jsonb",
}

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,59}")


def wrong_place(value: object, kind: GraphQLInputType) -> str | None:
    """Return the first place of a variable that is wrong, such as `.scope.sections[0]` (`` is all of it), or none.

    A field that is missing or does not exist is named; a value never is.
    """
    if isinstance(kind, GraphQLNonNull):
        return "" if value is None else wrong_place(value, kind.of_type)
    if value is None:
        return None
    places: list[tuple[str, str | None]] = []
    if isinstance(kind, GraphQLList) and isinstance(value, list):
        places = [(f"[{n}]", wrong_place(item, kind.of_type)) for n, item in enumerate(value)]
    elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
        fields = kind.fields.items()
        places = [(f".{name}", "") for name in value if name not in kind.fields and _NAME.fullmatch(name)]
        places += [(f".{name}", "") for name, field in fields if name not in value and is_required_input_field(field)]
        places += [(f".{name}", wrong_place(value[name], field.type)) for name, field in fields if name in value]
    inner = next((step + wrong for step, wrong in places if wrong is not None), None)
    return "" if inner is None and coerce_input_value(value, kind) is Undefined else inner


def invalid_argument(name: str) -> Invalid:
    """Return the error that names an argument, never its value."""
    return Invalid(Text(f"Tham số {name} không hợp lệ.", f"Argument {name} is not valid."))


def pg_type_of(kind: GraphQLInputType) -> str:
    """Return the PostgreSQL type of an input type.

    :raises NotCompilable: for a scalar that is not of the closed list, and for lists of lists
    """
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(inner, GraphQLList):
        element = pg_type_of(inner.of_type)
        if element == "jsonb":
            return element
        if element.endswith("[]"):
            raise NotCompilable("a list of lists as an argument")
        return f"{element}[]"
    if isinstance(inner, GraphQLEnumType):
        return "text"
    if isinstance(inner, GraphQLInputObjectType):
        return "jsonb"
    if not isinstance(inner, GraphQLScalarType) or inner.name not in PG_TYPES:
        raise NotCompilable(f"scalar {inner} as an argument")
    return PG_TYPES[inner.name]


def to_pg(value: object, kind: GraphQLInputType, pg_type: str, name: str) -> object:
    """Return what is bound for a coerced value.

    :raises Invalid: for text that PostgreSQL cannot hold, times without an offset, numbers that are none
    """
    if value is None:
        return None
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    try:
        if pg_type == "jsonb":
            return json.dumps(_external(value, inner, name), ensure_ascii=False)
        if isinstance(inner, GraphQLList):
            items = value if isinstance(value, list) else [value]
            return [to_pg(item, inner.of_type, pg_type.removesuffix("[]"), name) for item in items]
        plain = enum_name(value, inner) if isinstance(inner, GraphQLEnumType) else value
        return ENTERING[pg_type](plain)
    except (ValueError, TypeError, OverflowError):
        raise invalid_argument(name) from None


def enum_name(value: object, kind: GraphQLEnumType) -> str:
    """Return the contract's name of an enum's value."""
    raw = value.value if isinstance(value, Enum) else value
    names: dict[str, GraphQLEnumValue] = kind.values
    return next(name for name, known in names.items() if known.value in (raw, value))


def _text(value: object) -> str:
    text = value if isinstance(value, str) else str(value)
    if "\x00" in text:
        raise ValueError
    text.encode()  # a lone surrogate is a UnicodeEncodeError, which is a ValueError
    return text


def _number(value: object) -> float:
    number = float(value) if isinstance(value, int | float) else math.nan
    if not math.isfinite(number):
        raise ValueError
    return number


def _decimal(value: object) -> Decimal:
    number = value if isinstance(value, Decimal) else Decimal(str(value))
    if not number.is_finite():
        raise ValueError
    return number


def _instant(value: object) -> datetime:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError
    return value.astimezone(UTC)


def _day(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    number = int(value)
    if not -(2**63) <= number < 2**63:
        raise ValueError
    return number


ENTERING: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "integer": _whole,
    "bigint": _whole,
    "double precision": _number,
    "boolean": bool,
    "numeric": _decimal,
    "date": _day,
    "timestamptz": _instant,
    "uuid": lambda value: value if isinstance(value, UUID) else UUID(_text(value)),
}


def _external(value: Any, kind: GraphQLInputType, place: str) -> object:
    """Return an input object as the JSON that a client would write.

    :raises Invalid: naming the place in it
    """
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if value is None:
        return None
    if isinstance(inner, GraphQLList):
        items = value if isinstance(value, list) else [value]
        return [_external(item, inner.of_type, f"{place}[{n}]") for n, item in enumerate(items)]
    if isinstance(inner, GraphQLInputObjectType):
        return {key: _external(item, inner.fields[key].type, f"{place}.{key}") for key, item in value.items()}
    if isinstance(inner, GraphQLEnumType):
        return enum_name(value, inner)
    try:
        is_json = isinstance(inner, GraphQLScalarType) and inner.name == "JSON"
        return _checked_json(value) if is_json else _external_scalar(value)
    except (ValueError, TypeError, OverflowError):
        raise invalid_argument(place) from None


def _external_scalar(value: object) -> object:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, datetime):
        return _instant(value).isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(_decimal(value)) if isinstance(value, Decimal) else _text(value)


def _checked_json(value: object) -> object:
    if isinstance(value, dict):
        return {_text(key): _checked_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_checked_json(item) for item in value]
    return value if value is None else _external_scalar(value)
