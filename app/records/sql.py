"""The room's SQL: what files a record. The functions stand in sql/*.sql."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import orjson
from sqlalchemy import text

from app.core.db import Session, driver_of

_FILE_ARRIVAL = "SELECT book.file_arrival($1, $2, $3)"
_FILE_DELTA = "SELECT book.file_delta($1, $2, $3)"
_WITHDRAW = text("SELECT book.withdraw(:citizen, CAST(:asked AS jsonb), CAST(:provenance AS jsonb))")
_FILE_CLINICAL = "SELECT book.file_clinical($1, $2, $3)"
_FILE_APPOINTMENTS = text(
    "SELECT book.file_appointments(:citizen, CAST(:arrived AS jsonb), CAST(:provenance AS jsonb))"
)
_REPORT_REACTION = text("SELECT book.report_reaction(:citizen, CAST(:told AS jsonb))")
_WITHDRAW_CLINICAL = text("SELECT book.withdraw_clinical(:citizen, CAST(:asked AS jsonb), CAST(:provenance AS jsonb))")
_WITHDRAW_APPOINTMENT = text(
    "SELECT book.withdraw_appointment(:citizen, CAST(:asked AS jsonb), CAST(:provenance AS jsonb))"
)


async def file_arrival(session: Session, *, citizen_id: UUID, arrived: str, provenance: str) -> list[dict[str, str]]:
    """File one visit with everything; returns its records as kind, key and change."""
    driver = await driver_of(session)
    records: list[dict[str, str]] = await driver.fetchval(_FILE_ARRIVAL, citizen_id, arrived, provenance)
    return records


async def file_delta(session: Session, *, citizen_id: UUID, arrived: str, provenance: str) -> list[dict[str, str]]:
    """File what is told of one visit record by record; returns its records as kind, key and change."""
    driver = await driver_of(session)
    records: list[dict[str, str]] = await driver.fetchval(_FILE_DELTA, citizen_id, arrived, provenance)
    return records


async def drop_results(
    session: Session, *, citizen_id: UUID, visit: str, report: str, lines: str, provenance: str
) -> bool:
    """Take lines out of a report; tells whether any stood there."""
    driver = await driver_of(session)
    query = "SELECT book.drop_results($1, $2, $3, $4, $5)"
    dropped: bool = await driver.fetchval(query, citizen_id, visit, report, lines, provenance)
    return dropped


async def withdraw(session: Session, *, citizen_id: UUID, asked: str, provenance: str) -> list[dict[str, str]]:
    """Withdraw a visit or one record of it; returns what was removed as kind, key and change."""
    values = {"citizen": citizen_id, "asked": asked, "provenance": provenance}
    records: list[dict[str, str]] = await session.scalar(_WITHDRAW, values)
    return records


async def file_clinical(session: Session, *, citizen_id: UUID, arrived: str, provenance: str) -> list[dict[str, str]]:
    """File records that need no visit; returns them as kind, key and change."""
    driver = await driver_of(session)
    records: list[dict[str, str]] = await driver.fetchval(_FILE_CLINICAL, citizen_id, arrived, provenance)
    return records


async def withdraw_clinical(session: Session, *, citizen_id: UUID, asked: str, provenance: str) -> list[dict[str, str]]:
    """Withdraw one of them; returns what was removed as kind, key and change."""
    values = {"citizen": citizen_id, "asked": asked, "provenance": provenance}
    records: list[dict[str, str]] = await session.scalar(_WITHDRAW_CLINICAL, values)
    return records


async def file_appointments(
    session: Session, *, citizen_id: UUID, arrived: str, provenance: str
) -> list[dict[str, str]]:
    """File appointments that were sent by themselves; returns them as kind, key and change."""
    values = {"citizen": citizen_id, "arrived": arrived, "provenance": provenance}
    records: list[dict[str, str]] = await session.scalar(_FILE_APPOINTMENTS, values)
    return records


async def withdraw_appointment(
    session: Session, *, citizen_id: UUID, asked: str, provenance: str
) -> list[dict[str, str]]:
    """Withdraw one of them; returns what was called off as kind, key and change."""
    values = {"citizen": citizen_id, "asked": asked, "provenance": provenance}
    records: list[dict[str, str]] = await session.scalar(_WITHDRAW_APPOINTMENT, values)
    return records


async def report_reaction(session: Session, *, citizen_id: UUID | None, told: Mapping[str, object]) -> UUID:
    """Write a reaction that the signed-in citizen reports; returns its id."""
    values = {"citizen": citizen_id, "told": orjson.dumps(told).decode()}
    return UUID(str(await session.scalar(_REPORT_REACTION, values)))


async def request_correction(session: Session, *, citizen_id: UUID | None, told: Mapping[str, object]) -> None:
    """Write what the signed-in person asks to be corrected."""
    query = text("SELECT book.request_correction(:citizen, CAST(:told AS jsonb))")
    await session.execute(query, {"citizen": citizen_id, "told": orjson.dumps(told).decode()})


async def homes(
    session: Session, *, citizen_id: UUID, facility_code: str, message_id: UUID, asked: str, is_final: bool
) -> list[dict[str, str]]:
    """Return under which facility and id each record is to be filed: outcome, facility and source."""
    query = text("SELECT book.homes(:citizen, :facility, :message, CAST(:asked AS jsonb), :final)")
    values = {
        "citizen": citizen_id,
        "facility": facility_code,
        "message": message_id,
        "asked": asked,
        "final": is_final,
    }
    found: list[dict[str, str]] = await session.scalar(query, values)
    return found


async def part_resent(
    session: Session,
    *,
    citizen_id: UUID,
    kind: str,
    facility_code: str,
    source_id: str,
    messages: Sequence[UUID],
    provenance: str,
) -> None:
    """Take what only these messages brought out of a record, and forget the order of its versions."""
    query = text(
        "SELECT book.part_resent(:citizen, :kind, :facility, :source, CAST(:messages AS uuid[]), "
        "CAST(:provenance AS jsonb))"
    )
    values = {
        "citizen": citizen_id,
        "kind": kind,
        "facility": facility_code,
        "source": source_id,
        "messages": list(messages),
        "provenance": provenance,
    }
    await session.execute(query, values)


async def forget_order(session: Session, *, citizen_id: UUID, facility_code: str, source_id: str) -> None:
    """Forget the order of versions of one visit, in a book that is open for filing; what is hidden stays so."""
    query = text("SELECT book.forget_order(:citizen, :facility, :source)")
    await session.execute(query, {"citizen": citizen_id, "facility": facility_code, "source": source_id})


async def masked_records(session: Session, *, target: UUID | None, records: Sequence[UUID], hidden: bool) -> int:
    """Hide records of a book that the caller may change, or show them again; returns how many were not so before."""
    query = text("SELECT book.mask_records(:target, :records, :hidden)")
    return int(await session.scalar(query, {"target": target, "records": list(records), "hidden": hidden}) or 0)
