"""Where the trend of one test rests, for the compiler: results across facilities, comparable where that is exact."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import (
    ColumnElement,
    Date,
    Numeric,
    Select,
    Text,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
)

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow, LaboratoryLevelRow
from app.records.tables import TestReportRow, TestResultRow
from app.terminology.tables import UnitRow


def _folded(unit: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a unit as the list of units spells it: small letters, u for micro, no spaces."""
    return func.lower(func.translate(unit, literal("µμ "), literal("uu")), type_=Text())


def trend(_book: RowRef, inputs: Inputs) -> Select[Any]:
    """Return the results of one test, by whatever code facilities name it."""
    t, r = TestResultRow.__table__.alias(), TestReportRow.__table__.alias()
    unit, asked, known = (UnitRow.__table__.alias() for _ in range(3))
    level = LaboratoryLevelRow.__table__.alias()
    code = func.upper(inputs.argument("code"), type_=Text())
    analyte = select(asked.c.analyte).where(asked.c.code == code).limit(literal(1)).scalar_subquery()
    on = cast(func.timezone(literal("Asia/Ho_Chi_Minh"), t.c.resulted_at), Date)
    laboratory = (
        select(level.c.level)
        .where(
            level.c.facility_code == r.c.facility_code,
            level.c.valid_from <= on,
            or_(level.c.valid_until.is_(None), level.c.valid_until > on),
        )
        .order_by(level.c.valid_from.desc())
        .limit(literal(1))
        .scalar_subquery()
    )
    comparable = func.trim_scale(func.round(t.c.value * unit.c.factor + unit.c.shift, literal(4)), type_=Numeric())
    return (
        select(
            t.c.report_id,
            t.c.line,
            t.c.resulted_at,
            r.c.facility_code,
            t.c.code,
            t.c.name,
            t.c.value_text,
            t.c.value,
            t.c.unit,
            t.c.reference_range,
            comparable.label("comparable_value"),
            unit.c.shown_unit.label("comparable_unit"),
            laboratory.label("laboratory_level"),
        )
        .select_from(
            t.join(r, and_(r.c.citizen_id == inputs.citizen, r.c.id == t.c.report_id)).outerjoin(
                unit,
                and_(
                    unit.c.code == func.upper(t.c.code),
                    unit.c.unit == _folded(t.c.unit),
                    t.c.value.is_not(None),
                ),
            )
        )
        .where(
            t.c.citizen_id == inputs.citizen,
            or_(
                func.upper(t.c.code) == code,
                func.upper(t.c.code).in_(select(known.c.code).where(known.c.analyte == analyte)),
            ),
        )
    )


@strawberry.type(description="One result of a trend.")
class TestPoint:
    """A point of a trend."""

    report_id: strawberry.ID = rests.column("report_id", description="The test report that it stands in.")
    line: int = rests.column("line", description="Place in that report.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda p, f, _inputs: f.code == p.facility_code, description="Where it was made."
    )
    resulted_at: datetime = rests.column("resulted_at", description="When the result was given.")
    code: str = rests.column("code", description="Index code as this facility sent it.")
    name: str = rests.column("name", description="Name as sent.")
    value_text: str | None = rests.column("value_text", description="Value as sent.")
    value: Decimal | None = rests.column("value", description="The value as a number, in its own unit.")
    unit: str | None = rests.column("unit", description="Unit as sent.")
    comparable_value: Decimal | None = rests.column(
        "comparable_value",
        description="The value in `comparableUnit`, by an exact and documented conversion, to four decimals; null "
        "where there is none: then this point stands for itself, in its own unit.",
    )
    comparable_unit: str | None = rests.column(
        "comparable_unit", description="The unit that the points of this test share; null as `comparableValue`."
    )
    reference_range: str | None = rests.column(
        "reference_range", description="Reference range of this laboratory, as sent. Ranges of others do not apply."
    )
    laboratory_level: int | None = rests.column(
        "laboratory_level",
        description="Quality level of the laboratory on that day, 1 to 5 (Decision 2429/QĐ-BYT), where it is known.",
    )
