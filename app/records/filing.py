"""Files what arrived: a record once per source version, a corrected one in place of the old, whose version stays.

Everything runs in the caller's transaction, whose open_filing has opened the citizen's book.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from app.core.crypto import Place, Vault
from app.core.db import Session
from app.records import sql
from app.records.arrivals import (
    CostsArrival,
    InsuranceCardArrival,
    PrescriptionArrival,
    TestReportArrival,
    VisitArrival,
)

NewId = Callable[[], UUID]

_APART = {"person", "facility_code", "standard_version", "costs", "diagnoses", "services", "prescriptions", "reports"}
_VISIT_COLUMNS = tuple(field.name for field in fields(VisitArrival) if field.name not in _APART)
_CARD = "INSURANCE_CARD"
_COSTS = tuple(field.name for field in fields(CostsArrival) if field.name != "paid_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The message that brings a record."""

    message_id: UUID
    facility_code: str
    arrived_at: datetime  # what arrived before the message that was filed last is outdated
    source_version: str  # the day on which the facility made the message
    standard_version: str


class Change(StrEnum):
    """What a message did to one record."""

    ADDED = "ADDED"
    REPLACED = "REPLACED"
    UNCHANGED = "UNCHANGED"
    OUTDATED = "OUTDATED"  # a message that arrived later was filed before this one
    WITHDRAWN = "WITHDRAWN"  # a corrected message no longer holds it; its versions stay


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledRecord:
    """One record of a visit and what became of it."""

    kind: str  # VISIT, PRESCRIPTION, TEST_REPORT
    key: str  # the visit's id at the facility, or the record's key within the visit
    change: Change


async def file_visit(
    session: Session, *, citizen_id: UUID, arrival: VisitArrival, source: Source, vault: Vault, new_id: NewId
) -> tuple[FiledRecord, ...]:
    """File a visit with its prescriptions and reports; a table that was not sent leaves earlier records alone.

    Raises the book's version when anything changed. Idempotent by facility, visit and content.
    """
    records = await sql.file_arrival(
        session,
        citizen_id=citizen_id,
        visit=_text(_visit_columns(arrival, vault=vault, new_id=new_id)),
        prescriptions=_records_text(arrival.prescriptions, new_id=new_id),
        reports=_records_text(arrival.reports, new_id=new_id),
        provenance=_text(source),
    )
    return tuple(FiledRecord(kind=one["kind"], key=one["key"], change=Change(one["change"])) for one in records)


def _records_text(
    sent: tuple[PrescriptionArrival, ...] | tuple[TestReportArrival, ...] | None, *, new_id: NewId
) -> str | None:
    return None if sent is None else _text([_record_columns(record, new_id=new_id) for record in sent])


def _visit_columns(arrival: VisitArrival, *, vault: Vault, new_id: NewId) -> dict[str, Any]:
    columns = {name: getattr(arrival, name) for name in _VISIT_COLUMNS}
    costs = {f"cost_{name}": getattr(arrival.costs, name) for name in _COSTS}
    columns |= {**costs, "paid_at": arrival.costs.paid_at}
    columns["diagnoses"] = [
        {"line": line, "role": one.role, "code": one.code} for line, one in enumerate(arrival.diagnoses, start=1)
    ]
    # Everything else that is digested stands beside the digest: a bare number in it could be guessed.
    blind = [
        replace(card, number=vault.index.of(card.number, kind=_CARD).hex()) for card in arrival.person.insurance_cards
    ]
    digest = _digest({**columns, "insurance": blind})
    if arrival.services is not None:  # digested apart: when they are not sent, those that rest are not changed
        columns["services"] = arrival.services
        digest += _digest({"services": arrival.services})
    columns["insurance"] = [
        _card_columns(card, line=line, vault=vault, new_id=new_id)
        for line, card in enumerate(arrival.person.insurance_cards, start=1)
    ]
    return {**columns, "id": new_id(), "digest": "\\x" + digest}


def _card_columns(card: InsuranceCardArrival, *, line: int, vault: Vault, new_id: NewId) -> dict[str, Any]:
    row_id = new_id()
    place = Place(table="book.visit_insurance", column="number_sealed", row_id=row_id)
    return {
        "line": line,
        "id": row_id,
        "number_sealed": "\\x" + vault.sealer.seal(card.number.encode(), place=place).hex(),
        "registered_facility_code": card.registered_facility_code,
        "valid_from": card.valid_from,
        "valid_until": card.valid_until,
    }


def _record_columns(record: PrescriptionArrival | TestReportArrival, *, new_id: NewId) -> dict[str, Any]:
    columns = {field.name: getattr(record, field.name) for field in fields(record)}
    columns["source_id"] = columns.pop("key")
    return {**columns, "id": new_id(), "digest": "\\x" + _digest(columns)}


def _digest(content: Mapping[str, Any]) -> str:
    packed = orjson.dumps(content, default=_plain, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(packed).hexdigest()


def _text(content: object) -> str:
    return orjson.dumps(content, default=_plain).decode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError
