"""JSON text as SQL: concatenation, constants, and the marks that the runner reads.

Three marks may stand where a JSON value stands. Each begins with a control character, which JSON text never holds
bare. HOLE and a number N: a null that the contract forbids there, to be carried N levels up (0: null here, and an
error). SEAL, a number N and a string: a sealed value in base64, whose absence would be carried N levels up.
BOOK, a number and a semicolon: the operation's nested book of this number, in a mutation's payload.
"""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from app.compiler.inputs import quoted

HOLE = "\x01"
SEAL = "\x02"
BOOK = "\x03"
RUN = 24

Piece = str | ColumnElement[Any]

_ENCODER = json.JSONEncoder(ensure_ascii=False)  # json.dumps would make one a text


class JsonText(ColumnElement[str]):
    """A concatenation of constant texts and text expressions; null when one of them is."""

    inherit_cache = False
    type = Text()

    def __init__(self, *pieces: Piece) -> None:
        self.pieces = _joined(pieces)


def _joined(pieces: Sequence[Piece]) -> list[Piece]:
    flat: list[Piece] = []
    for piece in pieces:
        for part in piece.pieces if isinstance(piece, JsonText) else (piece,):
            if isinstance(part, str) and flat and isinstance(flat[-1], str):
                flat[-1] += part
            else:
                flat.append(part)
    return flat


@compiles(JsonText)
def _json_text(element: JsonText, compiler: SQLCompiler, **options: Any) -> str:
    texts = [
        quoted(piece) if isinstance(piece, str) else compiler.process(piece, **options) for piece in element.pieces
    ]
    while len(texts) > RUN:  # a chain of thousands of || would be a tree as deep as that
        runs = [texts[at : at + RUN] for at in range(0, len(texts), RUN)]
        texts = ["(" + " || ".join(run) + ")" for run in runs]
    return "(" + " || ".join(texts) + ")" if texts else "''"


def json_literal(text: str) -> str:
    """Return the JSON string of a constant."""
    return _ENCODER.encode(text)


def hole(up: int) -> str:
    """Return the mark of a null that is an error, `up` levels below the place that may be null."""
    return f"{HOLE}{up}"


def null_text(up: int) -> str:
    """Return what stands for a missing value: null where that is allowed, else the mark."""
    return "null" if up == 0 else hole(up)


def constant(text: str) -> JsonText:
    """Return a constant as an SQL expression."""
    return JsonText(text)


def or_null(text: ColumnElement[Any], up: int) -> ColumnElement[Any]:
    """Return the text, or what stands for a missing value."""
    return func.coalesce(text, constant(null_text(up)))


def as_text(value: ColumnElement[Any]) -> ColumnElement[str]:
    """Return PostgreSQL's own text of the value."""
    return cast(value, Text)


def joined(text: ColumnElement[Any], *order: ColumnElement[Any]) -> ColumnElement[str]:
    """Return the members of the JSON array of the rows' texts, in an order that nothing outside can lose.

    The brackets stand outside the sub-select, beside what is constant there: each piece costs for every row.
    """
    return func.coalesce(func.string_agg(text, aggregate_order_by(constant(","), *order)), constant(""))
