"""The room's SQL: what files a record. The functions stand in sql/*.sql."""

from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

_FILE_ARRIVAL = text(
    "SELECT book.file_arrival(:citizen, CAST(:visit AS jsonb), CAST(:prescriptions AS jsonb), "
    "CAST(:reports AS jsonb), CAST(:provenance AS jsonb))"
)


async def file_arrival(
    session: Session, *, citizen_id: UUID, visit: str, prescriptions: str | None, reports: str | None, provenance: str
) -> list[dict[str, str]]:
    """File one visit with everything; returns its records as kind, key and change."""
    values = {
        "citizen": citizen_id,
        "visit": visit,
        "prescriptions": prescriptions,
        "reports": reports,
        "provenance": provenance,
    }
    records: list[dict[str, str]] = await session.scalar(_FILE_ARRIVAL, values)
    return records
