"""The room's SQL: what files a record. The functions stand in sql/*.sql."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

_FILE_VISIT = text(
    "SELECT visit, change FROM book.file_visit(:citizen, CAST(:arrived AS jsonb), CAST(:provenance AS jsonb))"
)
_FILE_RECORDS = {
    kind: text(f"SELECT book.{function}(:citizen, :visit, CAST(:arrived AS jsonb), CAST(:provenance AS jsonb))")
    for kind, function in (("PRESCRIPTION", "file_prescriptions"), ("TEST_REPORT", "file_reports"))
}


@dataclass(frozen=True, slots=True)
class FiledVisit:
    """The visit's id in the book, and ADDED, REPLACED or UNCHANGED."""

    visit: UUID
    change: str


async def file_visit(session: Session, *, citizen_id: UUID, arrived: str, provenance: str) -> FiledVisit:
    """File the visit itself."""
    row = (
        await session.execute(_FILE_VISIT, {"citizen": citizen_id, "arrived": arrived, "provenance": provenance})
    ).one()
    return FiledVisit(visit=row.visit, change=row.change)


async def file_records(
    session: Session, *, kind: str, citizen_id: UUID, visit_id: UUID, arrived: str, provenance: str
) -> dict[str, str]:
    """File the visit's records of one kind; returns each key's ADDED, REPLACED, UNCHANGED or WITHDRAWN."""
    values = {"citizen": citizen_id, "visit": visit_id, "arrived": arrived, "provenance": provenance}
    changes: dict[str, str] = await session.scalar(_FILE_RECORDS[kind], values)
    return changes


async def note_book_changed(session: Session, *, citizen_id: UUID) -> None:
    """Raise the book's version."""
    await session.execute(text("SELECT auth.book_changed(:citizen)"), {"citizen": citizen_id})
