import re
from collections.abc import Callable
from datetime import datetime, time
from typing import Annotated, Any

import pytest
import strawberry
from sqlalchemy import DateTime, literal, select
from sqlalchemy.orm import Mapped, mapped_column

from app.compiler import BadDeclaration, Index, InputSpec
from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from tests.compiler.toy import BookRow, EntryRow, FacilityRow, Row, VisitRow

ROOT = rests.Root(name="book", opens="book", row=BookRow, on=lambda row, inputs: row.citizen_id == inputs.citizen)
INPUTS = (InputSpec(name="citizen", pg_type="uuid"),)


def index_of(holder: type[Any]) -> Index:
    @strawberry.type(description="Questions.")
    class Query:
        @rests.root(ROOT, description="A book.")
        def book(self) -> holder | None: ...  # type: ignore[valid-type]

    return Index(strawberry.Schema(Query), inputs=INPUTS)


@strawberry.type(description="A visit.")
class Visit:
    id: strawberry.ID = rests.column(VisitRow.id, description="Id.")


def wrong_table() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        code: str = rests.column(FacilityRow.code, description="Of another table.")

    return Holder


def unknown_column() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        code: str = rests.sealed("nowhere", description="No such column.")

    return Holder


def guarded_but_never_null() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        visits: list[Visit] = rests.many(
            VisitRow, order=(rests.asc("id"),), limit=1, guard=lambda inputs: inputs.citizen.is_(None), description="V."
        )

    return Holder


def sometimes_there_but_never_null() -> type[Any]:
    @strawberry.type(description="Part.")
    class Part:
        version: str = rests.column(BookRow.version, description="V.")

    @strawberry.type(description="A book.")
    class Holder:
        part: Part = rests.embedded(when=lambda row, _inputs: row.born_on.is_(None), description="P.")

    return Holder


def one_as_a_list() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        visits: list[Visit] = rests.one(VisitRow, description="V.")

    return Holder


def without_an_order() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        visits: list[Visit] = rests.many(VisitRow, order=(), limit=1, description="V.")

    return Holder


def with_an_order_that_may_be_null() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.connection(VisitRow, order=(rests.asc("ended_at"), rests.asc("id")), max_first=5, description="V.")
        def visits(self, first: int = 1, after: str | None = None) -> rests.Connection[Visit] | None: ...

    return Holder


def with_an_order_that_no_cursor_can_say() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.connection(VisitRow, order=(rests.asc("urgent"), rests.asc("id")), max_first=5, description="V.")
        def visits(self, first: int = 1, after: str | None = None) -> rests.Connection[Visit] | None: ...

    return Holder


def with_an_unknown_order() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        visits: list[Visit] = rests.many(VisitRow, order=(rests.asc("nowhere"),), limit=1, description="V.")

    return Holder


def without_after() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.connection(VisitRow, order=(rests.asc("id"),), max_first=5, description="V.")
        def visits(self, first: int = 1) -> rests.Connection[Visit] | None: ...

    return Holder


def with_a_filter_without_argument() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.rows(
            VisitRow,
            order=(rests.asc("id"),),
            limit=5,
            filters={"kind": lambda row, value: row.kind == value},
            description="V.",
        )
        def visits(self) -> list[Visit] | None: ...

    return Holder


def without_a_bound() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.rows(VisitRow, order=(rests.asc("id"),), description="V.")
        def visits(self) -> list[Visit] | None: ...

    return Holder


def a_connection_of_no_connection() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.connection(VisitRow, order=(rests.asc("id"),), max_first=5, description="V.")
        def visits(self, first: int = 1, after: str | None = None) -> Visit | None: ...

    return Holder


def a_union_that_does_not_tell() -> type[Any]:
    @strawberry.type(description="Other.")
    class Other:
        id: strawberry.ID = rests.column(EntryRow.id, description="Id.")

    @strawberry.type(description="A book.")
    class Holder:
        which: Annotated[Visit | Other, strawberry.union("Which")] | None = rests.one(VisitRow, description="W.")

    return Holder


def a_kind_that_is_none() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        which: Visit | None = rests.one(
            VisitRow,
            kinds=rests.union_kinds(by=lambda row, _inputs: row.kind, types={"a": "Holder"}),
            description="W.",
        )

    return Holder


def of_an_expression(value: Callable[[RowRef, Inputs], Any]) -> Callable[[], type[Any]]:
    def make() -> type[Any]:
        @strawberry.type(description="A book.")
        class Holder:
            tags: list[str] = rests.expression(value, description="Tags.")

        return Holder

    return make


def of_a_relation(source: Any, **options: Any) -> Callable[[], type[Any]]:
    def make() -> type[Any]:
        @strawberry.type(description="A book.")
        class Holder:
            visit: Visit | None = rests.one(source, description="V.", **options)

        return Holder

    return make


def a_kind_that_rests_nowhere() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        which: Visit | None = rests.one(
            EntryRow,
            kinds=rests.union_kinds(
                by=lambda row, _inputs: row.what, types={"a": rests.Kind(name="Visit", row=VisitRow)}
            ),
            description="W.",
        )

    return Holder


class NaiveRow(Row):
    __tablename__ = "naive"
    id: Mapped[int] = mapped_column(primary_key=True)
    made_at: Mapped[datetime] = mapped_column(DateTime())


def a_time_without_its_zone() -> type[Any]:
    @strawberry.type(description="Naive.")
    class Naive:
        made_at: datetime = rests.column(NaiveRow.made_at, description="At.")

    @strawberry.type(description="A book.")
    class Holder:
        naive: Naive | None = rests.one(NaiveRow, description="N.")

    return Holder


def with_a_scalar_of_its_own() -> type[Any]:
    @strawberry.type(description="A book.")
    class Holder:
        @rests.rows(VisitRow, order=(rests.asc("id"),), limit=5, description="V.")
        def visits(self, at: time) -> list[Visit] | None: ...

    return Holder


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (wrong_table, "Holder.code: BookRow has no column code"),
        (unknown_column, "Holder.code: BookRow has no column nowhere"),
        (guarded_but_never_null, "Holder.visits: is guarded, and may not be null"),
        (sometimes_there_but_never_null, "Holder.part: says when it is there, and may not be null"),
        (one_as_a_list, "Holder.visits: [Visit!]! is not what one answers with"),
        (without_an_order, "Holder.visits: has no order"),
        (with_an_order_that_may_be_null, "Holder.visits: order key ended_at may be null"),
        (with_an_order_that_no_cursor_can_say, "Holder.visits: Boolean cannot be an order key"),
        (with_an_unknown_order, "Holder.visits: the row VisitRow has no nowhere"),
        (without_after, "Holder.visits: has no argument after"),
        (with_a_filter_without_argument, "Holder.visits: has no argument kind"),
        (without_a_bound, "Holder.visits: needs a limit, or else a bound for its argument first"),
        (a_connection_of_no_connection, "Holder.visits: Visit is no Connection"),
        (a_union_that_does_not_tell, "Holder.which: Which does not say how a row tells its type"),
        (a_kind_that_is_none, "Holder.which: Holder is no Visit"),
        (a_kind_that_rests_nowhere, "Holder.which: Visit rests elsewhere, and does not say on what"),
        (a_time_without_its_zone, "Naive.madeAt: made_at is a time without its zone"),
        (with_a_scalar_of_its_own, "Holder.visits: scalar Time as an argument"),
        (of_an_expression(lambda row, _inputs: row.nowhere), "Holder.tags: the row BookRow has no nowhere"),
        (of_an_expression(lambda _row, inputs: inputs.weather), "Holder.tags: no input is named weather"),
        (of_an_expression(lambda _row, inputs: inputs.argument("x")), "Holder.tags: 'x'"),
        (of_an_expression(lambda _row, _inputs: "plain"), "Holder.tags: str is no SQL expression"),
        (of_an_expression(lambda _row, inputs: inputs.citizen), "Holder.tags: a list of String! rests on Uuid"),
        (of_an_expression(lambda _row, _inputs: literal(object())), "Holder.tags: SQL cannot be written"),
        (of_a_relation(lambda _parent, _inputs: literal(1)), "Holder.visit: a source that makes no SELECT"),
        (
            of_a_relation(lambda _parent, _inputs: select(literal(1).label("x"))),
            "Visit.id: its source has no column id",
        ),
        (of_a_relation(VisitRow, on=lambda book, v, _i: v.id == book.id), "Holder.visit: the row BookRow has no id"),
        (of_a_relation(VisitRow, order=lambda v: (v.nowhere,)), "Holder.visit: the row VisitRow has no nowhere"),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_when_the_schema_is_made(
    make: Callable[[], type[Any]], reason: str
) -> None:
    with pytest.raises(BadDeclaration, match=f"^{re.escape(reason)}"):
        index_of(make())


def test_a_root_without_a_row_is_refused_at_once() -> None:
    with pytest.raises(TypeError, match="desk has no row"):
        rests.root(rests.Root(name="desk", opens="desk"), description="Nothing to stand on.")
