"""How a sealed value travels from a statement to the vault."""

from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, String, cast, func, literal


def sealed_place(table: str, column: str, row_id: ColumnElement[Any], sealed: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return `table|column|row id|` and the sealed bytes, which is what the vault needs to open a value."""
    place = literal(f"{table}|{column}|").op("||")(cast(row_id, String)).op("||")(literal("|"))
    return func.convert_to(place, literal("UTF8"), type_=LargeBinary).op("||")(sealed)
