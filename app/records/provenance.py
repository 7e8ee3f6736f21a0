"""What every record tells of itself, for the compiler."""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, DateTime, Integer, Select, Text, Uuid, column, func, select

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.records.tables import VisitRow

MOST_LINES = 500  # a record's lines are shown whole: no visit has more
MOST_BESIDE = 25  # what stands beside a vaccination, a condition or an allergy
MOST_SENDINGS = 5  # a hospital changes its system once in ten years


def _sources(record: RowRef, inputs: Inputs) -> Select[Any]:
    told = func.book.sources_of(inputs.citizen, record.id).table_valued(
        column("place", Integer()),
        column("facility_code", Text()),
        column("source_id", Text()),
        column("message_id", Uuid()),
        column("at", DateTime(timezone=True)),
        name="told",
    )
    return select(*told.c)


@strawberry.type(
    description="A facility's sending of a record: the first one, or one again after a change of its system."
)
class RecordSource:
    """A source."""

    facility: Facility | None = rests.one(
        FacilityRow, on=lambda s, f, _inputs: f.code == s.facility_code, description="Who sent it."
    )
    source_id: str | None = rests.column(
        "source_id", description="Its id there; null for the first sending of a record that was sent once."
    )
    message_id: strawberry.ID = rests.column("message_id", description="The message that brought it first.")
    at: datetime = rests.column("at", description="When that was filed.")


@strawberry.type(description="Where a record comes from.")
class Provenance:
    """Provenance of a record."""

    version: int = rests.column("version", description="1 when first filed; grows with every correction.")
    filed_at: datetime = rests.column("filed_at", description="When this version was filed.")
    standard_version: str = rests.column(
        "standard_version", description="Standard that the message followed, for example 4750/QD-BYT."
    )
    source_version: str = rests.column(
        "source_version", description="Day on which the facility made the message, as it was sent."
    )
    message_id: strawberry.ID = rests.column(
        "message_id", description="The message that brought this version; the facility knows it by the same id."
    )
    sources: list[RecordSource] = rests.many(
        _sources,
        order=(rests.asc("place"),),
        limit=MOST_SENDINGS,
        description="Who sent this record, the first one first, at most five: more than one after a hospital changed "
        "its system, or was taken over. Without the first for a viewer who does not see the whole book.",
    )


def visit_of(row: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    """Return the id of the visit that a record names by its facility's own id, where that is known and may be seen."""
    visit = VisitRow.__table__.alias()
    return (
        select(visit.c.id)
        .where(
            visit.c.citizen_id == inputs.citizen,
            visit.c.facility_code == row.facility_code,
            visit.c.source_id == row.visit_source_id,
        )
        .scalar_subquery()
    )
