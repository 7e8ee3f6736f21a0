"""The receipt of a view: what of the book it can have shown, by the versions that there were."""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Select, any_, case, func, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.audit.tables import LineRow
from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.records.tables import RecordVersionRow
from app.sharing.access_log import line_id, opened_facilities, opened_sections
from app.sharing.scope import EVERY_SECTION
from app.sharing.scope import BookSection as Section

MOST_RECORDS = 5000
SHOWN_BY = {
    "VISIT": Section.VISITS.bit | Section.CONDITIONS.bit | Section.INSURANCE.bit,
    "PRESCRIPTION": Section.PRESCRIPTIONS.bit,
    "VACCINATION": Section.VACCINATIONS.bit,
    "TEST_REPORT": Section.TEST_RESULTS.bit | Section.IMAGING.bit,
    "IMAGING": Section.IMAGING.bit,
    "DOCUMENT": Section.DOCUMENTS.bit | Section.VISITS.bit,
    "CONDITION": Section.CONDITIONS.bit,
    "ALLERGY": Section.ALLERGIES.bit,
}
"""The sections that show something of a record, by its kind; an unknown kind is shown by each."""


def asked_for(_book: RowRef, line: RowRef, inputs: Inputs) -> ColumnElement[bool]:
    """Name the views that were asked for."""
    mine: ColumnElement[bool] = line.citizen_id == inputs.citizen
    return mine & (line.category == literal("VIEW")) & (line_id(line) == any_(inputs.argument("entry_ids")))


def _shown(line: RowRef, inputs: Inputs) -> Select[Any]:
    v = RecordVersionRow.__table__.alias()
    newest = (
        select(v.c.record_id, v.c.kind, v.c.version, v.c.change, v.c.facility_code, v.c.filed_at)
        .where(v.c.citizen_id == inputs.citizen, v.c.version > literal(0), v.c.filed_at <= line.at)
        .ext(distinct_on(v.c.record_id))
        .order_by(v.c.record_id, v.c.version.desc())
        .subquery()
    )
    bits = case(
        *((newest.c.kind == literal(kind), literal(bits)) for kind, bits in SHOWN_BY.items()),
        else_=literal(EVERY_SECTION),
    )
    sections = func.coalesce(opened_sections(line), literal(EVERY_SECTION))
    facilities = opened_facilities(line)
    return select(newest.c.record_id, newest.c.kind, newest.c.version, newest.c.facility_code, newest.c.filed_at).where(
        newest.c.change != literal("WITHDRAWN"),
        sections.op("&")(bits) != literal(0),
        or_(facilities.is_(None), func.jsonb_exists(facilities, newest.c.facility_code)),
    )


@strawberry.type(description="A record that a view can have shown, in the version that there was.")
class ShownRecord:
    """A version of a record."""

    record_id: strawberry.ID = rests.column("record_id", description="Id of the record.")
    kind: str = rests.column("kind", description="VISIT, PRESCRIPTION, TEST_REPORT, DOCUMENT and so on.")
    version: int = rests.column("version", description="Version of the record at that time, from 1.")
    facility_code: str = rests.column("facility_code", description="Facility that sent it.")
    filed_at: datetime = rests.column("filed_at", description="When that version was filed.")


@strawberry.type(
    description=(
        "What one view can have shown at most: the records that were in the book at that time, in the sections and of "
        "the facilities that were open. Nothing else was shown. Dates, single records and hidden records narrowed it "
        "further; a page of a list shows only a part."
    )
)
class AccessReceipt:
    """Rests on the line of the view."""

    entry_id: strawberry.ID = rests.expression(
        lambda row, _inputs: line_id(row), description="The line (AccessLogEntry.id)."
    )
    at: datetime = rests.column(LineRow.at, description="When it was viewed.")
    records: list[ShownRecord] = rests.many(
        _shown,
        order=(rests.asc("kind"), rests.asc("record_id")),
        limit=MOST_RECORDS,
        description="At most these records, by kind.",
    )
