"""Scalars and enums as JSON text."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLScalarType,
    get_named_type,
)
from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    DateTime,
    Float,
    Integer,
    Numeric,
    SmallInteger,
    String,
    Text,
    Uuid,
    and_,
    case,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.compiler.names import Named, name_text
from app.compiler.refusal import NotCompilable
from app.compiler.texts import JsonText, as_text, constant, hole, joined, null_text, or_null

INT_LOWEST, INT_HIGHEST = -(2**31), 2**31 - 1
Element = ColumnElement[Any]
Rendered = tuple[Element, bool]  # the text, and whether it is null only where the value is


def bare(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Return the type that a decorated type rests on."""
    while isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind


def _quoted(value: Element) -> Rendered:
    return JsonText('"', as_text(value), '"'), True


def _escaped(value: Element) -> Rendered:
    plain = value if isinstance(bare(value.type), String) else as_text(value)
    return as_text(func.json_scalar(plain)), True


def _identity(value: Element) -> Rendered:
    return _quoted(value) if isinstance(bare(value.type), Integer | Uuid) else _escaped(value)


def _plain(value: Element) -> Rendered:
    return as_text(value), True


def _integer(value: Element) -> Rendered:
    kind = bare(value.type)
    if isinstance(kind, SmallInteger) or (isinstance(kind, Integer) and not isinstance(kind, BigInteger)):
        return as_text(value), True
    return case((value.between(INT_LOWEST, INT_HIGHEST), as_text(value))), False


def _float(value: Element) -> Rendered:
    kind = bare(value.type)
    if isinstance(kind, Integer):
        return as_text(value), True
    number = value if isinstance(kind, Float | Numeric) else cast(value, Float)
    top, bottom = (cast(constant(text), number.type) for text in ("Infinity", "-Infinity"))
    return case((and_(number < top, number > bottom), as_text(number))), False


def in_utc(value: Element) -> Element:
    """Return the RFC 3339 text of a `timestamptz`; fractions of a second only where there are any."""
    kind = bare(value.type)
    aware = value if isinstance(kind, DateTime) and kind.timezone else cast(value, DateTime(timezone=True))
    return JsonText(func.left(as_text(func.json_scalar(func.timezone(constant("UTC"), aware))), -1), 'Z"')


def _instant(value: Element) -> Rendered:
    return case((func.isfinite(value), in_utc(value))), False


def _day(value: Element) -> Rendered:
    return case((func.isfinite(value), as_text(func.json_scalar(value)))), False


def _time(value: Element) -> Rendered:
    return as_text(func.json_scalar(value)), True


SCALARS: Mapping[str, Callable[[Element], Rendered]] = {
    "String": _escaped,
    "ID": _identity,
    "Int": _integer,
    "Float": _float,
    "Boolean": _plain,
    "DateTime": _instant,
    "Date": _day,
    "Time": _time,
    "Decimal": _quoted,
    "UUID": _quoted,
    "JSON": _plain,
}


def leaf_text(kind: GraphQLOutputType, value: Element, *, never_null: bool, up: int) -> Element:
    """Return the JSON text of a scalar, an enum or a list of them; `up` is where a missing value is carried to.

    :raises NotCompilable: when the scalar is not of the closed list
    """
    inner = kind.of_type if isinstance(kind, GraphQLNonNull) else kind
    if isinstance(value, Named):
        return name_text(value.list_name, value.code, up, or_itself=value.or_itself)
    if isinstance(value, BindParameter):  # a bare literal has no type in PostgreSQL
        value = cast(value, value.type)
    if isinstance(inner, GraphQLList):
        return _list_text(inner.of_type, value, up=up)
    if isinstance(inner, GraphQLEnumType):
        return _enum_text(inner, value, never_null=never_null, up=up)
    if not isinstance(inner, GraphQLScalarType) or inner.name not in SCALARS:
        raise NotCompilable(f"{inner} is no scalar that SQL can write")
    text, sure = SCALARS[inner.name](value)
    if sure:
        return text if never_null else or_null(text, up)
    bad = constant(hole(up))  # a value, but none that the contract can say: an error even where null is allowed
    if never_null or up:
        return func.coalesce(text, bad)
    return case((value.is_(None), constant("null")), else_=func.coalesce(text, bad))


def _enum_text(kind: GraphQLEnumType, value: Element, *, never_null: bool, up: int) -> Element:
    name = value if isinstance(bare(value.type), Text) else as_text(value)
    known = (name.in_(list(kind.values)), JsonText('"', name, '"'))
    absent = () if never_null or up else ((value.is_(None), constant("null")),)
    return case(known, *absent, else_=constant(hole(up)))


def _list_text(kind: GraphQLOutputType, value: Element, *, up: int) -> Element:
    array = bare(value.type)
    if not isinstance(array, ARRAY):
        raise NotCompilable(f"a list of {kind} rests on {type(array).__name__}, which is no array")
    nullable = not isinstance(kind, GraphQLNonNull)
    absent = (value.is_(None), constant(null_text(up)))
    if isinstance(bare(array.item_type), String) and get_named_type(kind).name in {"String", "ID"}:
        whole: Element = as_text(func.array_to_json(value))
        if not nullable:
            whole = case((func.array_position(value, None).is_(None), whole), else_=constant(hole(up)))
        return case(absent, else_=whole)
    items = (
        func.unnest(value)
        .table_valued(column("item", array.item_type), with_ordinality="place", name="items", joins_implicitly=True)
        .render_derived()
    )
    item = leaf_text(kind, items.c.item, never_null=False, up=0 if nullable else up + 1)
    members = select(joined(item, items.c.place)).select_from(items).scalar_subquery()
    return case(absent, else_=JsonText("[", members, "]"))
