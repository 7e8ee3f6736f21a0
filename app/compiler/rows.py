"""References to the rows of one statement: an alias and its columns by attribute name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Table, inspect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine


@dataclass(frozen=True, slots=True)
class Cell:
    """What is known of a row's column."""

    name: str
    type: TypeEngine[Any]
    never_null: bool


class RowColumn(ColumnElement[Any]):
    """A column of an alias, which does not drag its table into the FROM of a sub-select."""

    inherit_cache = False

    def __init__(self, alias: str, cell: Cell) -> None:
        self.alias = alias
        self.cell = cell
        self.type = cell.type


@compiles(RowColumn)
def _row_column(element: RowColumn, compiler: SQLCompiler, **_options: object) -> str:
    return f"{element.alias}.{compiler.preparer.quote(element.cell.name)}"


class RowRef:
    """A row of a statement: attributes are its columns."""

    __slots__ = ("_alias", "_cells", "_used")

    def __init__(self, alias: str, cells: Mapping[str, Cell]) -> None:
        self._alias = alias
        self._cells = cells
        self._used: dict[str, Cell] = {}

    def __getattr__(self, key: str) -> ColumnElement[Any]:
        cell = self._cells.get(key)
        if cell is None:
            message = f"the row {self._alias or 'above a root'} has no {key}"
            raise AttributeError(message)
        self._used[key] = cell
        return RowColumn(self._alias, cell)


def cell(row: RowRef, key: str) -> Cell | None:
    """Return what is known of the row's column, or nothing when it has none."""
    return row._cells.get(key)  # noqa: SLF001 - attributes of a row reference are its columns


def under(row: RowRef, alias: str) -> RowRef:
    """Return the same columns under another alias."""
    return RowRef(alias, row._cells)  # noqa: SLF001 - as above


def used(row: RowRef) -> Iterable[str]:
    """Return the keys that were asked of the row."""
    return tuple(row._used)  # noqa: SLF001 - as above


NO_ROW = RowRef("", {})
_CELLS: dict[Any, Mapping[str, Cell]] = {}


def cells_of(mapped: type[Any]) -> Mapping[str, Cell]:
    """Return the columns of a mapped class by attribute name."""
    if mapped not in _CELLS:
        _CELLS[mapped] = {
            key: Cell(column.name, column.type, never_null=not column.nullable)
            for key, column in inspect(mapped).columns.items()
        }
    return _CELLS[mapped]


def table_of(mapped: type[Any]) -> Table:
    """Return the table of a mapped class.

    :raises TypeError: when it rests on anything but one table
    """
    table = inspect(mapped).local_table
    if not isinstance(table, Table):
        message = f"{mapped.__name__} does not rest on one table"
        raise TypeError(message)
    return table


def of_table(mapped: type[Any], alias: str) -> tuple[FromClause, RowRef]:
    """Give the mapped class's table a fresh alias."""
    return table_of(mapped).alias(alias), RowRef(alias, cells_of(mapped))


def of_select(select: Select[Any], alias: str) -> tuple[FromClause, RowRef]:
    """Give a SELECT a fresh alias; its columns may all be null."""
    columns = {key: Cell(str(column.key), column.type, never_null=False) for key, column in _exported(select)}
    return select.subquery(alias), RowRef(alias, columns)


def _exported(select: Select[Any]) -> Iterable[tuple[str, ColumnElement[Any]]]:
    return [(str(key), column) for key, column in select.selected_columns.items()]
