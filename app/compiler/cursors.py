"""Keyset cursors: opaque text of an entry's order keys, made in SQL, taken apart and checked in Python."""

import base64
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Date, DateTime, Integer, Numeric, String, Uuid, func
from sqlalchemy.types import BigInteger, Float, TypeEngine

from app.compiler.leaves import bare, in_utc
from app.compiler.places import Order
from app.compiler.refusal import BadDeclaration
from app.compiler.texts import JsonText, Piece, as_text, constant
from app.core.errors import Invalid, Text

LONGEST = 8_192


def key_type(kind: TypeEngine[Any]) -> str:
    """Return the PostgreSQL type of an order key.

    :raises BadDeclaration: when values of the type do not survive the way through a cursor
    """
    match bare(kind):
        case Uuid():
            return "uuid"
        case DateTime(timezone=True):
            return "timestamptz"
        case Date():
            return "date"
        case Integer() as number:
            return "bigint" if isinstance(number, BigInteger) else "integer"
        case Numeric() as number if not isinstance(number, Float):
            return "numeric"
        case String():
            return "text"
        case other:
            raise BadDeclaration(f"{type(other).__name__} cannot be an order key")


def tag(list_name: str, order: Sequence[Order]) -> str:
    """Return the mark that keeps a cursor from being taken for another list's, or another order's."""
    said = ",".join(f"{key.key}{'-' if key.descending else '+'}" for key in order)
    return f"{zlib.crc32(f'{list_name}|{said}'.encode()):08x}"


def cursor_text(mark: str, keys: Sequence[ColumnElement[Any]]) -> ColumnElement[Any]:
    """Return the cursor of a row: base64url of `["mark",key,…]`, which needs no escape in JSON."""
    pieces: list[Piece] = [f'["{mark}"']
    for key in keys:
        pieces += [",", _key_text(key)]
    plain = JsonText(*pieces, "]")
    encoded = func.encode(func.convert_to(plain, constant("UTF8")), constant("base64"))
    return func.translate(encoded, constant("+/=\n"), constant("-_"))


def _key_text(key: ColumnElement[Any]) -> ColumnElement[Any]:
    match key_type(key.type):
        case "text" | "date":
            return as_text(func.json_scalar(key))
        case "timestamptz":
            return in_utc(key)
        case _:
            return JsonText('"', as_text(key), '"')


def decoded(cursor: str, *, mark: str, types: Sequence[str], name: str) -> tuple[object, ...]:
    """Return the order keys of a cursor, each of its type.

    :raises Invalid: when the text was not made by this list, naming the argument
    """
    try:
        return _keys(cursor, mark, types)
    except (ValueError, TypeError, InvalidOperation, OverflowError, RecursionError):
        vi = f"Tham số {name} không phải là con trỏ trang hợp lệ."
        raise Invalid(Text(vi, f"Argument {name} is not a valid cursor.")) from None


def _keys(cursor: str, mark: str, types: Sequence[str]) -> tuple[object, ...]:
    if len(cursor) > LONGEST:
        raise ValueError
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    if not isinstance(found, list) or found[:1] != [mark]:
        raise ValueError
    return tuple(READERS[kind](item) for kind, item in zip(types, found[1:], strict=True))


def _text(item: object) -> str:
    if not isinstance(item, str) or "\x00" in item:
        raise ValueError
    item.encode()
    return item


def _whole(bits: int) -> Callable[[object], int]:
    def read(item: object) -> int:
        number = int(_text(item))
        if not -(2**bits) <= number < 2**bits:
            raise ValueError
        return number

    return read


def _instant(item: object) -> datetime:
    found = datetime.fromisoformat(_text(item))
    if found.tzinfo is None:
        raise ValueError
    return found.astimezone(UTC)


def _number(item: object) -> Decimal:
    found = Decimal(_text(item))
    if not found.is_finite():
        raise ValueError
    return found


READERS: Mapping[str, Callable[[object], object]] = {
    "text": _text,
    "uuid": lambda item: UUID(_text(item)),
    "timestamptz": _instant,
    "date": lambda item: date.fromisoformat(_text(item)),
    "integer": _whole(31),
    "bigint": _whole(63),
    "numeric": _number,
}
