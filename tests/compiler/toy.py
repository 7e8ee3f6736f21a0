"""A small health book of several tables, declared as a room would declare it."""

from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar
from uuid import UUID

import strawberry
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    MetaData,
    Numeric,
    Text,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateSchema, CreateTable

from app.compiler import Index, InputSpec
from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef


class Row(DeclarativeBase):
    metadata = MetaData(schema="toy")
    type_annotation_map: ClassVar[Any] = {
        str: Text(),
        datetime: DateTime(timezone=True),
        Decimal: Numeric(),
        list[str]: ARRAY(Text()),
        list[Decimal]: ARRAY(Numeric()),
    }


class BookRow(Row):
    __tablename__ = "book"
    citizen_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[str]
    owner_name: Mapped[str]
    born_on: Mapped[date | None]
    sealed_id: Mapped[bytes | None]
    sealed_phone: Mapped[bytes | None]


class VisitRow(Row):
    __tablename__ = "visit"
    citizen_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    kind: Mapped[str]
    outcome: Mapped[str | None]
    facility_code: Mapped[str]
    cost_total: Mapped[Decimal | None]
    cost_paid: Mapped[Decimal | None]
    weight: Mapped[float | None]
    days: Mapped[int]
    counter: Mapped[int] = mapped_column(BigInteger)
    tags: Mapped[list[str]]
    doses: Mapped[list[Decimal] | None]
    note: Mapped[str | None]
    urgent: Mapped[bool]


class DiagnosisRow(Row):
    __tablename__ = "diagnosis"
    citizen_id: Mapped[UUID] = mapped_column(primary_key=True)
    visit_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    remark: Mapped[str | None]


class FacilityRow(Row):
    __tablename__ = "facility"
    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    rank: Mapped[int]
    parent_code: Mapped[str | None]


class LabelRow(Row):
    __tablename__ = "label"
    code: Mapped[str] = mapped_column(primary_key=True)
    language: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]


class EntryRow(Row):
    __tablename__ = "entry"
    citizen_id: Mapped[UUID] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    recorded_on: Mapped[date]
    what: Mapped[str]
    title: Mapped[str]
    amount: Mapped[Decimal | None]
    dose: Mapped[str | None]
    origin: Mapped[str]
    origin_code: Mapped[str]


class ViewerRow(Row):
    __tablename__ = "viewer"
    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[str]
    name: Mapped[str]
    licence: Mapped[str | None]


def ddl() -> list[str]:
    from sqlalchemy.dialects.postgresql import dialect  # noqa: PLC0415 - a name that would shadow

    made = dialect()  # type: ignore[no-untyped-call]
    tables = [str(CreateTable(table).compile(dialect=made)) for table in Row.metadata.sorted_tables]
    return [str(CreateSchema("toy").compile(dialect=made)), *tables]


def label(code: ColumnElement[Any], language: ColumnElement[Any]) -> ColumnElement[Any]:
    return select(LabelRow.text).where(LabelRow.code == code, LabelRow.language == language).scalar_subquery()


@strawberry.enum(description="Why.")
class VisitKind(Enum):
    INPATIENT = "in"
    OUTPATIENT = "out"
    EMERGENCY = "er"


@strawberry.enum(description="Which first.")
class FacilityOrder(Enum):
    BY_NAME = "name"
    BEST_FIRST = "best"


@strawberry.type(description="A diagnosis.")
class Diagnosis:
    line: int = rests.column(DiagnosisRow.line, description="Its place.")
    code: str = rests.column(DiagnosisRow.code, description="As sent.")
    name: str | None = rests.expression(lambda row, inputs: label(row.code, inputs.language), description="Its name.")
    remark: str | None = rests.column(DiagnosisRow.remark, description="Free text.")


@strawberry.type(description="A facility.")
class Facility:
    code: strawberry.ID = rests.column(FacilityRow.code, description="Code.")
    name: str = rests.column(FacilityRow.name, description="Name.")
    rank: int = rests.column(FacilityRow.rank, description="Rank.")
    parent: Annotated["Facility", strawberry.lazy("tests.compiler.toy")] | None = rests.one(
        FacilityRow, on=lambda row, parent, _inputs: parent.code == row.parent_code, description="Above."
    )


@strawberry.type(description="Costs, on the visit's own row.")
class Costs:
    total: Decimal = rests.column(VisitRow.cost_total, description="All.")
    paid: Decimal | None = rests.column(VisitRow.cost_paid, description="Paid.")


@strawberry.type(description="A visit.")
class Visit:
    id: strawberry.ID = rests.column(VisitRow.id, description="Opaque.")
    started_at: datetime = rests.column(VisitRow.started_at, description="Begin.")
    ended_at: datetime | None = rests.column(VisitRow.ended_at, description="End.")
    kind: VisitKind = rests.column(VisitRow.kind, description="Kind.")
    outcome: VisitKind | None = rests.column(VisitRow.outcome, description="May be anything.")
    weight: float | None = rests.column(VisitRow.weight, description="kg.")
    days: int = rests.column(VisitRow.days, description="Days.")
    counter: int | None = rests.column(VisitRow.counter, description="A wide number.")
    tags: list[str] = rests.column(VisitRow.tags, description="Tags.")
    doses: list[Decimal] | None = rests.column(VisitRow.doses, description="Doses.")
    note: str | None = rests.column(VisitRow.note, description="Free text.")
    urgent: bool = rests.column(VisitRow.urgent, description="Urgent.")
    costs: Costs | None = rests.embedded(when=lambda row, _inputs: row.days > 0, description="Costs.")
    plain_costs: Costs | None = rests.embedded(description="Costs, whatever the days.")
    facility: Facility = rests.one(
        FacilityRow,
        on=lambda row, facility, _inputs: facility.code == row.facility_code,
        description="Where.",
    )
    maybe_facility: Facility | None = rests.one(
        FacilityRow,
        on=lambda row, facility, _inputs: facility.code == row.facility_code,
        description="Where.",
    )
    diagnoses: list[Diagnosis] = rests.many(
        DiagnosisRow,
        on=lambda row, own, inputs: and_(own.citizen_id == inputs.citizen, own.visit_id == row.id),
        order=lambda own: (own.remark.desc().nulls_last(), own.line),
        limit=2,
        description="At most two.",
    )
    main_diagnosis: Diagnosis | None = rests.one(
        DiagnosisRow,
        on=lambda row, own, inputs: and_(own.citizen_id == inputs.citizen, own.visit_id == row.id),
        order=(rests.asc("line"),),
        description="The first.",
    )


@strawberry.type(description="A page of visits.")
class VisitConnection(rests.Connection[Visit]):
    total_count: int = rests.total(description="All.")


@strawberry.type(description="Someone.")
class Someone:
    code: strawberry.ID = rests.column(EntryRow.origin_code, description="Code.")


Origin = Annotated[Facility | Someone, strawberry.union("Origin", description="Who said so.")]


@strawberry.interface(description="An entry.")
class Timed:
    recorded_on: date = rests.column(EntryRow.recorded_on, description="Day.")


@rests.kinds(by=lambda row, _inputs: row.what, types={"m": "Measurement", "d": "Dose"})
@strawberry.interface(description="An entry.")
class Entry(Timed):
    id: strawberry.ID = rests.column(EntryRow.id, description="Number.")
    title: str = rests.column(EntryRow.title, description="Title.")
    origin: Origin | None = rests.one(
        EntryRow,
        on=lambda row, own, inputs: and_(own.citizen_id == inputs.citizen, own.id == row.id),
        kinds=rests.union_kinds(
            by=lambda row, _inputs: row.origin,
            types={
                "someone": "Someone",
                "facility": rests.Kind(
                    name="Facility", row=FacilityRow, on=lambda row, own, _inputs: own.code == row.origin_code
                ),
            },
        ),
        description="Who.",
    )


@strawberry.type(description="A measurement.")
class Measurement(Entry):
    amount: Decimal = rests.column(EntryRow.amount, description="Amount.")


@strawberry.type(description="A dose.")
class Dose(Entry):
    dose: str | None = rests.column(EntryRow.dose, description="Dose.")
    amount: Decimal | None = rests.column(EntryRow.amount, description="Amount.")


@strawberry.type(description="Diagnoses counted.")
class Condition:
    code: str = rests.column("code", description="Code.")
    times: int = rests.expression(lambda row, _inputs: row.times, description="How often.")
    last_at: datetime = rests.column("last_at", description="Last.")


@strawberry.input(description="A window.")
class Window:
    begin: date | None = strawberry.field(default=None, description="First day.")
    kinds: list[VisitKind] = strawberry.field(default_factory=list, description="Kinds.")


def conditions(_book: RowRef, inputs: Inputs) -> Any:
    return (
        select(DiagnosisRow.code, func.count().label("times"), func.max(VisitRow.started_at).label("last_at"))
        .join(
            VisitRow,
            and_(VisitRow.citizen_id == DiagnosisRow.citizen_id, VisitRow.id == DiagnosisRow.visit_id),
        )
        .where(DiagnosisRow.citizen_id == inputs.citizen, DiagnosisRow.code == any_(inputs.argument("codes")))
        .group_by(DiagnosisRow.code)
    )


def in_window(visit: RowRef, window: ColumnElement[Any]) -> ColumnElement[bool]:
    begin = window["begin"].astext.cast(DateTime(timezone=True))
    return or_(begin.is_(None), visit.started_at >= begin)


VISITS = 1
ENTRIES = 2
VISIT_ORDER = (rests.desc("started_at"), rests.desc("id"))


@strawberry.type(description="A book.")
class Book:
    version: str = rests.column(BookRow.version, description="Version.")
    greeting: str = rests.expression(lambda _row, _inputs: literal("chào \"bạn\" \\ 'ơi'"), description="A constant.")
    language: str = rests.expression(lambda _row, inputs: inputs.language, description="An input.")
    owner_name: str = rests.column(BookRow.owner_name, description="Name.")
    born_on: date | None = rests.column(BookRow.born_on, description="Born.")
    national_id: str | None = rests.sealed(BookRow.sealed_id, description="Sealed.")
    phone: str = rests.sealed(BookRow.sealed_phone, description="Sealed, and needed.")

    @rests.connection(
        VisitRow,
        on=lambda _book, own, inputs: own.citizen_id == inputs.citizen,
        order=VISIT_ORDER,
        max_first=50,
        filters={
            "from_": lambda own, value: own.started_at >= value,
            "kind": lambda own, value: own.kind == value,
            "facility_code": lambda own, value: own.facility_code == value,
            "ids": lambda own, value: own.id == any_(value),
            "window": in_window,
            "urgent": lambda own, value: own.urgent == value,
        },
        types={"ids": "uuid[]"},
        guard=lambda inputs: inputs.sections.op("&")(VISITS) != 0,
        description="Newest first.",
    )
    def visits(
        self,
        first: int | None = 3,
        after: str | None = None,
        from_: Annotated[date | None, strawberry.argument(name="from", description="Begin.")] = None,
        kind: VisitKind | None = None,
        facility_code: str | None = None,
        ids: list[strawberry.ID] | None = None,
        window: Window | None = None,
        urgent: bool | None = None,  # noqa: FBT001 - an argument of the contract
    ) -> VisitConnection | None: ...

    @rests.connection(
        EntryRow,
        on=lambda _book, own, inputs: own.citizen_id == inputs.citizen,
        order=(rests.asc("recorded_on"), rests.desc("title"), rests.asc("id")),
        max_first=20,
        guard=lambda inputs: inputs.sections.op("&")(ENTRIES) != 0,
        description="Mixed directions.",
    )
    def entries(self, first: int | None = 2, after: str | None = None) -> rests.Connection[Entry] | None: ...

    @rests.rows(
        EntryRow,
        on=lambda _book, own, inputs: own.citizen_id == inputs.citizen,
        order=(rests.desc("id"),),
        max_first=500,
        kinds=rests.union_kinds(by=lambda row, _inputs: row.what, types={"m": "Measurement", "d": "Dose"}),
        description="Days of entries.",
    )
    def days(self, first: int = 5) -> list[Timed | None] | None: ...

    @rests.rows(
        conditions,
        order=(rests.desc("times"), rests.asc("code")),
        limit=10,
        guard=lambda inputs: inputs.sections.op("&")(VISITS) != 0,
        description="Grouped.",
    )
    def conditions(self, codes: list[str]) -> list[Condition] | None: ...

    @rests.rows(
        VisitRow,
        on=lambda _book, own, inputs: own.citizen_id == inputs.citizen,
        order=(rests.desc("started_at"), rests.desc("id")),
        limit=4,
        description="The last ones, each by itself.",
    )
    def last_visits(self) -> list[Visit | None]:
        raise NotImplementedError


@rests.kinds(by=lambda row, _inputs: row.role, types={"p": "Practitioner", "c": "Citizen"})
@strawberry.interface(description="Who asks.")
class Viewer:
    name: str = rests.column(ViewerRow.name, description="Name.")


@strawberry.type(description="A citizen.")
class Citizen(Viewer):
    id: strawberry.ID = rests.column(ViewerRow.id, description="Id.")


@strawberry.type(description="A practitioner.")
class Practitioner(Viewer):
    licence: str = rests.column(ViewerRow.licence, description="Licence.")


BOOK = rests.Root(name="book", opens="book", row=BookRow, on=lambda row, inputs: row.citizen_id == inputs.citizen)
DESK = rests.Root(name="desk", opens="desk")
ME = rests.Root(name="me", opens="desk", row=ViewerRow, on=lambda row, inputs: row.id == inputs.viewer)


@strawberry.type(description="Questions.")
class Query:
    @rests.root(BOOK, types={"citizen_id": "uuid"}, description="A book.")
    def book(self, citizen_id: strawberry.ID | None = None) -> Book | None: ...

    @rests.root(ME, description="Who asks.")
    def me(self) -> Viewer:
        raise NotImplementedError

    @rests.connection(
        FacilityRow,
        order=(rests.asc("code"),),
        orders={
            "BY_NAME": (rests.asc("name"), rests.asc("code")),
            "BEST_FIRST": (rests.desc("rank"), rests.asc("code")),
        },
        filters={"search": lambda own, value: func.strpos(own.name, value) > literal(0)},
        max_first=30,
        root=DESK,
        description="Facilities.",
    )
    def facilities(
        self,
        search: str | None = None,
        first: int | None = 4,
        after: str | None = None,
        order: FacilityOrder | None = None,
    ) -> rests.Connection[Facility] | None: ...

    clock: str = strawberry.field(resolver=lambda: "12:00", graphql_type=str, description="Python.")


INPUTS = (
    InputSpec(name="citizen", pg_type="uuid"),
    InputSpec(name="sections", pg_type="integer"),
    InputSpec(name="language", pg_type="text"),
    InputSpec(name="viewer", pg_type="integer"),
)
SCHEMA = strawberry.Schema(Query, types=[Measurement, Dose, Citizen, Practitioner])
INDEX = Index(SCHEMA, inputs=INPUTS)
