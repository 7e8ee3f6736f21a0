"""Where what changed in a book rests, for an app that keeps a copy of it."""

from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import Boolean, ColumnElement, Integer, Select, Text, Uuid, case, cast, column, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.sharing.enums import BookSection

MOST_CHANGES = 1000


@strawberry.enum(description="Kind of a record.")
class RecordKind(Enum):
    """Kind of a record that a copy of a book keeps."""

    VISIT = strawberry.enum_value("VISIT", description="A visit with diagnoses, services, costs and insurance cards.")
    PRESCRIPTION = strawberry.enum_value("PRESCRIPTION", description="A prescription.")
    VACCINATION = strawberry.enum_value("VACCINATION", description="A dose of a vaccine, as it is shown.")
    TEST_REPORT = strawberry.enum_value("TEST_REPORT", description="A test report.")
    IMAGING = strawberry.enum_value("IMAGING", description="An imaging study.")
    DOCUMENT = strawberry.enum_value("DOCUMENT", description="A paper.")
    CONDITION = strawberry.enum_value("CONDITION", description="A statement of a condition, apart from visits.")
    ALLERGY = strawberry.enum_value("ALLERGY", description="An allergy, or the statement that none is known.")
    APPOINTMENT = strawberry.enum_value("APPOINTMENT", description="An appointment, cancelled ones too.")


_SECTIONS = {
    "VISIT": "VISITS",
    "PRESCRIPTION": "PRESCRIPTIONS",
    "VACCINATION": "VACCINATIONS",
    "TEST_REPORT": "TEST_RESULTS",
    "IMAGING": "IMAGING",
    "DOCUMENT": "DOCUMENTS",
    "CONDITION": "CONDITIONS",
    "ALLERGY": "ALLERGIES",
    "APPOINTMENT": "APPOINTMENTS",
}


def changes(_nothing: RowRef, inputs: Inputs) -> Select[Any]:
    """Return one row: a page of what changed since the cursor."""
    told = func.book.changes(inputs.citizen, inputs.argument("since"), inputs.argument("first")).table_valued(
        column("cursor", Text()),
        column("is_reset", Boolean()),
        column("has_more", Boolean()),
        column("entries", JSONB()),
        name="changes",
    )
    return select(*told.c)


def _entries(page: RowRef, *, gone: bool) -> Select[Any]:
    listed = func.jsonb_to_recordset(page.entries).table_valued(
        column("id", Uuid()), column("kind", Text()), column("version", Integer()), column("n", Integer())
    )
    entry = listed.render_derived(name="entry", with_types=True)
    is_gone = entry.c.version.is_(None)
    return select(entry.c.id, entry.c.kind, entry.c.version, entry.c.n).where(is_gone if gone else ~is_gone)


def _changed(page: RowRef, _inputs: Inputs) -> Select[Any]:
    return _entries(page, gone=False)


def _removed(page: RowRef, _inputs: Inputs) -> Select[Any]:
    return _entries(page, gone=True)


def _section(row: RowRef, _inputs: Inputs) -> ColumnElement[Any]:
    return cast(case(*((row.kind == literal(kind), literal(name)) for kind, name in _SECTIONS.items())), Text)


@strawberry.type(description="A record that is new, or another than before: read it again.")
class ChangedRecord:
    """A record that changed."""

    id: strawberry.ID = rests.column("id", description="Id of the record, as its section shows it.")
    kind: RecordKind = rests.column("kind", description="Kind of the record.")
    section: BookSection = rests.expression(_section, description="The section that shows it.")
    version: int = rests.column("version", description="Its version, from 1.")


@strawberry.type(description="A record that is not in the book any more, whatever the reason: throw the copy away.")
class Tombstone:
    """A record that is gone."""

    id: strawberry.ID = rests.column("id", description="Id that the record had. It may be one that was never shown.")
    kind: RecordKind = rests.column("kind", description="Kind that it had.")
    section: BookSection = rests.expression(_section, description="The section that showed it.")


@strawberry.type(description="What changed in a book since a cursor: what an app needs to keep its copy right.")
class BookChanges:
    """A page of changes."""

    cursor: str = rests.column(
        "cursor",
        description="Opaque; pass it as `since` next time, for the next page or the next day. It never expires.",
    )
    is_reset: bool = rests.column(
        "is_reset",
        description=(
            "True: these pages, to the last, list everything that this viewer sees; throw away what is not listed. So "
            "it is the first time, and always for a viewer who does not see the whole book: what is hidden from them "
            "leaves no trace."
        ),
    )
    has_more: bool = rests.column("has_more", description="Whether more pages follow: ask on with `cursor`.")
    records: list[ChangedRecord] = rests.many(
        _changed,
        order=(rests.asc("n"),),
        limit=MOST_CHANGES,
        description="What is new or changed. Now and then one is told again that did not change.",
    )
    tombstones: list[Tombstone] = rests.many(
        _removed, order=(rests.asc("n"),), limit=MOST_CHANGES, description="What is gone. They never say why."
    )
