"""Names of public lists: a mark in the statement's text, in whose place the runner puts what it knows.

Looking a name up costs PostgreSQL as much as the rest of its row. A mark is NAME, what stands for a missing name, a
semicolon, the list, a semicolon, the code as a JSON string, and NAME again. For a missing name stands null, carried as
far up as the number says, or the code itself (ITSELF). No data can end or forge one: JSON text never holds a control
character bare.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, func
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from app.compiler.rows import RowColumn
from app.compiler.texts import JsonText, as_text, null_text, or_null

NAME = b"\x04"
ITSELF = b"="

Mark = bytes


class Named(ColumnElement[str]):
    """The name of a code of a public list: a mark where a field rests on it, else the sub-select that finds it.

    With `or_itself` a code that the list does not have is shown as it is.
    """

    inherit_cache = False
    type = Text()

    def __init__(
        self, list_name: str, code: ColumnElement[Any], found: ColumnElement[Any], *, or_itself: bool = False
    ) -> None:
        self.list_name = list_name
        self.code = code
        self.found = func.coalesce(found, code) if or_itself else found
        self.or_itself = or_itself


@compiles(Named)
def _named(element: Named, compiler: SQLCompiler, **options: Any) -> str:
    return str(compiler.process(element.found, **options))


def name_text(list_name: str, code: ColumnElement[Any], up: int, *, or_itself: bool = False) -> ColumnElement[Any]:
    """Return the mark of a code's name; a missing code is carried `up` levels, a missing name too, if not ITSELF."""
    around = NAME.decode()
    missing = ITSELF.decode() if or_itself else str(up)
    mark = JsonText(f"{around}{missing};{list_name};", as_text(func.json_scalar(as_text(code))), around)
    return mark if isinstance(code, RowColumn) and code.cell.never_null else or_null(mark, up)


def split(text: bytes) -> list[bytes]:
    """Return the pieces of a statement's text: every second one is a mark."""
    return text.split(NAME)


def asked(mark: Mark) -> tuple[str, str]:
    """Return the list and the code of a mark."""
    _, list_name, code = mark.split(b";", 2)
    return list_name.decode(), orjson.loads(code)


def said(mark: Mark, name: str | None) -> bytes:
    """Return what stands in a mark's place: the name's JSON text, or what stands for a missing one."""
    if name is not None:
        return name.encode()
    missing, _, code = mark.split(b";", 2)
    return code if missing == ITSELF else null_text(int(missing)).encode()


def put_in(pieces: list[bytes], names: Mapping[Mark, bytes]) -> bytes:
    """Return the text of these pieces, with every name in the place of its mark.

    :raises KeyError: when a name is not known; the pieces are as they were
    """
    pieces[1::2] = [names[mark] for mark in pieces[1::2]]
    return b"".join(pieces)
