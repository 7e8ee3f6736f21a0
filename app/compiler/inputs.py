"""Named inputs of a statement: what the opener, the viewer and the variables say, as SQL elements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Integer,
    Numeric,
    String,
    Text,
    Uuid,
    cast,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, PGDialect_asyncpg
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

SQL_TYPES: Mapping[str, TypeEngine[Any]] = {
    "text": Text(),
    "integer": Integer(),
    "bigint": BigInteger(),
    "boolean": Boolean(),
    "double precision": Float(),
    "numeric": Numeric(),
    "date": Date(),
    "timestamptz": DateTime(timezone=True),
    "uuid": Uuid(),
    "jsonb": JSONB(),
}

LAST_ASCII = 0x80


def sql_type(pg_type: str) -> TypeEngine[Any]:
    """Return the SQLAlchemy type of a PostgreSQL type that inputs may have, arrays included.

    :raises KeyError: when the type is not in the closed list
    """
    element = pg_type.removesuffix("[]")
    return SQL_TYPES[element] if element == pg_type else ARRAY(SQL_TYPES[element])


@dataclass(frozen=True, kw_only=True, slots=True)
class InputSpec:
    """An input that the opener gives and not the client: `in_<name>` in a deployed function."""

    name: str
    pg_type: str


class Input(ColumnElement[Any]):
    """A named, typed input: an identifier in PL/pgSQL, a numbered parameter for a client."""

    inherit_cache = False

    def __init__(self, name: str, pg_type: str) -> None:
        self.name = name
        self.pg_type = pg_type
        self.type = sql_type(pg_type)


class Constant(ColumnElement[Any]):
    """A value from the document: a literal in PL/pgSQL, a numbered parameter for a client."""

    inherit_cache = False

    def __init__(self, value: object, pg_type: str) -> None:
        self.value = value
        self.pg_type = pg_type
        self.type = sql_type(pg_type)


@dataclass(frozen=True, slots=True)
class Bound:
    """A constant's place among the parameters of a statement."""

    value: object


class _Compiler(PGCompiler_asyncpg):
    """Writes texts so that no function's dollar quotes can end in them."""

    def render_literal_value(self, value: Any, type_: TypeEngine[Any]) -> str:
        if isinstance(value, str) and isinstance(type_, String):
            return quoted(value)
        found: str = super().render_literal_value(value, type_)  # type: ignore[no-untyped-call]
        return found


def quoted(text: str) -> str:
    """Return the SQL literal; `$` and what cannot be printed are escaped. Right for a UTF-8 database."""
    body = text.replace("'", "''")
    if text.isprintable() and "$" not in text:
        return f"'{body}'"  # as it stands under standard_conforming_strings, PostgreSQL's default
    return "E'" + "".join(map(_escaped, body.replace("\\", "\\\\"))) + "'"


def _escaped(char: str) -> str:
    if char.isprintable() and char != "$":
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < LAST_ASCII else f"\\U{code:08x}"


class Rendering(PGDialect_asyncpg):
    """PostgreSQL with this package's elements in one of two styles; collects the parameters it numbers."""

    statement_compiler = _Compiler
    supports_statement_cache = False

    def __init__(self, *, numbered: bool) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._backslash_escapes = False  # standard_conforming_strings, PostgreSQL's default
        self.numbered = numbered
        self.order: list[str | Bound] = []
        self._numbers: dict[str, int] = {}

    def place(self, item: str | Bound, pg_type: str) -> str:
        """Return `$n::type`; an input keeps its number, a constant takes a new one."""
        number = self._numbers.get(item) if isinstance(item, str) else None
        if number is None:
            self.order.append(item)
            number = len(self.order)
            if isinstance(item, str):
                self._numbers[item] = number
        return f"CAST(${number} AS {pg_type})"


@compiles(Input)
def _input(element: Input, compiler: SQLCompiler, **_options: object) -> str:
    dialect = compiler.dialect
    if isinstance(dialect, Rendering) and dialect.numbered:
        return dialect.place(element.name, element.pg_type)
    return element.name


@compiles(Constant)
def _constant(element: Constant, compiler: SQLCompiler, **_options: object) -> str:
    dialect = compiler.dialect
    if isinstance(dialect, Rendering) and dialect.numbered:
        return dialect.place(Bound(element.value), element.pg_type)
    if element.value is None:
        return f"CAST(NULL AS {element.pg_type})"
    kind = Text() if element.pg_type == "jsonb" else element.type  # a jsonb value is already JSON text
    return f"CAST({compiler.render_literal_value(element.value, kind)} AS {element.pg_type})"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a declaration's lambda may ask: named inputs as attributes, the field's own arguments by name."""

    specs: Mapping[str, InputSpec]
    arguments: Mapping[str, Callable[[], ColumnElement[Any]]] = field(default_factory=dict)
    used: Callable[[InputSpec], None] = lambda _spec: None

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        spec = self.specs.get(name)
        if spec is None:
            message = f"no input is named {name}"
            raise AttributeError(message)
        self.used(spec)
        return Input(f"in_{name}", spec.pg_type)

    def argument(self, name: str) -> ColumnElement[Any]:
        """Return the value of the declared field's argument, by its Python name.

        :raises KeyError: when the field has no such argument
        """
        return self.arguments[name]()

    def told(self, key: str, pg_type: str) -> ColumnElement[Any]:
        """Return a value that the mutation's step told, as a PostgreSQL value; null when it told none."""
        told = self.__getattr__("told")
        return cast(told.op("->>", return_type=Text())(literal(key)), sql_type(pg_type))

    def told_json(self, key: str) -> ColumnElement[Any]:
        """Return the JSON text of a value that the step told; null when it told none or null."""
        told = self.__getattr__("told")
        return cast(
            func.nullif(told.op("->", return_type=JSONB())(literal(key)), cast(literal("null"), JSONB())), Text()
        )
