"""Files what arrived: a record once per source version, a corrected one in place of the old, whose version stays.

Everything runs in the caller's transaction, whose open_filing has opened the citizen's book.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from app.core.crypto import Place, Vault
from app.core.db import Session
from app.identity.names import name_key
from app.records import sql
from app.records.arrivals import (
    CostsArrival,
    InsuranceCardArrival,
    PrescriptionArrival,
    Sex,
    TestReportArrival,
    VisitArrival,
)
from app.records.clinical import (
    KINDS,
    AllergyArrival,
    ClinicalArrival,
    ClinicalKind,
    CodingArrival,
    ConditionArrival,
    VaccinationArrival,
)
from app.records.coming import APPOINTMENT, AppointmentArrival
from app.records.joins import NO_JOINS, Joins
from app.records.papers import DocumentArrival
from app.terminology.systems import ICD10, system_word
from app.terminology.vaccines import antigens_of

NewId = Callable[[], UUID]

_APART = frozenset(
    {"person", "facility_code", "standard_version", "costs", "diagnoses", "services", "prescriptions", "reports"}
    | {"papers", "births", "kind_is_derived"}
)
_VISIT_COLUMNS = tuple(field.name for field in fields(VisitArrival) if field.name not in _APART)
_NOTHING: Mapping[str, object] = {}
_CARD = "INSURANCE_CARD"
_MADE_DIGITS = 12
_RECEIVED = "%Y%m%d%H%M%S%f"
_COSTS = tuple(field.name for field in fields(CostsArrival) if field.name != "paid_at")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The message that brings a record."""

    message_id: UUID
    facility_code: str
    source_version: str  # the day on which the facility made the message
    standard_version: str
    made: str  # the same as yyyymmdd, or with HHMM where the message told it; never later than the receipt
    received_at: datetime

    def rank(self, *, paid: bool) -> str:
        """Return a text that is greater for a newer version of one visit: made later, then paid, then received later.

        Source: infra/decisions/0012-versions-in-any-order.md
        """
        return f"{self.made.ljust(_MADE_DIGITS, '0')}{int(paid)}{self.received_at.astimezone(UTC):{_RECEIVED}}"

    def withdrawal_rank(self) -> str:
        """Return what book.cancels compares with a version's rank: its paid or not does not count."""
        return f"{self.made[:8].ljust(_MADE_DIGITS, '9')}9{self.received_at.astimezone(UTC):{_RECEIVED}}"

    def is_cancelled(self, withdrawal: str) -> bool:
        """Tell whether a withdrawal of that rank cancels what this message brings, as book.cancels does."""
        version = self.rank(paid=False)
        return (withdrawal[:8], withdrawal[13:]) > (version[:8], version[13:])

    def provenance(self, *, rank: str) -> dict[str, Any]:
        """Return what every record keeps of its message."""
        return {
            "message_id": self.message_id,
            "facility_code": self.facility_code,
            "source_version": self.source_version,
            "standard_version": self.standard_version,
            "rank": rank,
        }


class Change(StrEnum):
    """What a message did to one record."""

    ADDED = "ADDED"
    REPLACED = "REPLACED"
    UNCHANGED = "UNCHANGED"
    WITHDRAWN = "WITHDRAWN"  # a corrected message no longer holds it, or its facility took it back; its versions stay
    OUTDATED = "OUTDATED"  # a newer version is shown; this one is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledRecord:
    """One record of a visit and what became of it."""

    kind: str  # VISIT, PRESCRIPTION, TEST_REPORT, DOCUMENT, APPOINTMENT, or a ClinicalKind
    key: str  # the id of the visit or the clinical record at the facility, or the record's key within the visit
    change: Change


async def file_visit(
    session: Session, *, citizen_id: UUID, arrival: VisitArrival, source: Source, vault: Vault, new_id: NewId
) -> tuple[FiledRecord, ...]:
    """File a visit with its records; a table that was not sent leaves earlier records alone.

    Versions may come in any order: of each table the newest one is shown. Raises the book's version when anything
    that is shown changed. Idempotent by facility, visit and content.
    """
    rank = source.rank(paid=arrival.costs.paid_at is not None)
    arrived = {
        "visit": _visit_columns(arrival, vault=vault, new_id=new_id),
        "parts": _parts(arrival),
        "kinds": [paper.kind for paper in arrival.papers],
        "prescriptions": [_record_columns(one, new_id=new_id) for one in arrival.prescriptions or ()],
        "reports": [_record_columns(one, new_id=new_id) for one in arrival.reports or ()],
        **_description(arrival, citizen_id=citizen_id, rank=rank, vault=vault),
        "documents": [
            _record_columns(one, new_id=new_id, beside={"kind": paper.kind})
            for paper in arrival.papers
            for one in paper.documents
        ],
    }
    records = await sql.file_arrival(
        session, citizen_id=citizen_id, arrived=_text(arrived), provenance=_text(source.provenance(rank=rank))
    )
    return _filed(records)


async def file_delta(
    session: Session,
    *,
    citizen_id: UUID,
    arrival: VisitArrival,
    is_whole: bool,
    tells_person: bool,
    source: Source,
    vault: Vault,
    new_id: NewId,
    joins: Joins = NO_JOINS,
) -> tuple[FiledRecord, ...]:
    """File a visit that is told record by record: what it does not hold, or does not tell, stays as it rests.

    Without `is_whole` only its records are filed, under a visit that rests already; without `tells_person` the person
    was told before. Versions may come in any order, beside those of `file_visit` too: of each record the newest one is
    shown.
    """
    rank = source.rank(paid=False)
    arrived: dict[str, Any] = {
        "visit": _told_columns(arrival, vault=vault, new_id=new_id) if is_whole else {"source_id": arrival.source_id},
        "prescriptions": [_record_columns(one, new_id=new_id) for one in arrival.prescriptions or ()],
        "reports": [_record_columns(one, new_id=new_id) for one in arrival.reports or ()],
        "documents": [
            _record_columns(one, new_id=new_id, beside={"kind": paper.kind})
            for paper in arrival.papers
            for one in paper.documents
        ],
    }
    if is_whole and tells_person:
        arrived |= _description(arrival, citizen_id=citizen_id, rank=rank, vault=vault)
    elif is_whole:
        arrived |= {"person": {}, "told": {}}
    if arrival.services:
        arrived["services"] = arrival.services
    if joins.joined or joins.taken_in:
        awaited = {"awaited": joins.awaited}
        arrived["joins"] = [_record_columns(one, new_id=new_id, beside=awaited) for one in joins.joined]
        arrived["taken_in"] = joins.taken_in
    if joins.referred:
        arrived["referred"] = joins.referred
    records = await sql.file_delta(
        session, citizen_id=citizen_id, arrived=_text(arrived), provenance=_text(source.provenance(rank=rank))
    )
    return _filed(records)


def _told_columns(arrival: VisitArrival, *, vault: Vault, new_id: NewId) -> dict[str, Any]:
    """Return the columns that a visit tells, and as `defaults` what stands where it is new and does not tell."""
    columns = _visit_columns(replace(arrival, services=None), vault=vault, new_id=new_id)
    costs = {f"cost_{name}" for name in _COSTS} | {"paid_at"}
    defaults = {name: columns[name] for name in costs} | {"department_codes": (), "revisit_on": (), "kind_code": ""}
    told = {name: value for name, value in columns.items() if name not in costs and value not in (None, "", (), [])}
    if arrival.kind_is_derived:
        defaults["kind_code"] = told.pop("kind_code")
    return {**told, "defaults": defaults}


def _description(arrival: VisitArrival, *, citizen_id: UUID, rank: str, vault: Vault) -> dict[str, Any]:
    """Return what a visit tells of its person; each fact stays that of the newest visit that told it."""
    person = arrival.person
    facts = {
        "ethnic_code": person.ethnic_code,
        "nationality_code": person.nationality_code,
        "occupation_code": person.occupation_code,
        "blood_group": person.blood_group,
        "sex": None if person.sex is Sex.UNDETERMINED else person.sex.value,
        "full_name": person.full_name,
        "name_key": name_key(person.full_name),
    }
    told_at = f"{arrival.started_at.astimezone(UTC):%Y%m%d%H%M}{rank}"
    about: dict[str, str] = {column: value for column, value in facts.items() if value is not None}
    marks = dict(about)
    for column, plain in (("phone_sealed", person.phone), ("address_sealed", person.address)):
        if plain is not None:
            place = Place(table="auth.citizen", column=column, row_id=citizen_id)
            about[column] = "\\x" + vault.sealer.seal(plain.encode(), place=place).hex()
            marks[column] = vault.index.of(plain, kind=column).hex()
    told = {column: [told_at, mark] for column, mark in marks.items()}
    accented = not person.full_name.isascii()
    for column in ("full_name", "name_key"):  # a name without diacritics does not replace one that has them
        told[column][0] = f"{int(accented)}{told_at}"
    return {"person": about, "told": told}


async def file_clinical(
    session: Session, *, citizen_id: UUID, arrivals: Sequence[ClinicalArrival], source: Source, new_id: NewId
) -> tuple[FiledRecord, ...]:
    """File vaccinations, imaging studies, conditions and allergies, each by itself; told in the order of `arrivals`.

    Versions may come in any order, and before or after the visit that they name. What tells of one dose is gathered.
    Raises the book's version when anything that is shown changed. Idempotent by facility, kind, id and content.
    """
    if not arrivals:
        return ()
    records = await sql.file_clinical(
        session,
        citizen_id=citizen_id,
        arrived=_text([_clinical_columns(one, new_id=new_id) for one in arrivals]),
        provenance=_text(source.provenance(rank=source.rank(paid=False))),
    )
    return _filed(records)


async def file_appointments(
    session: Session, *, citizen_id: UUID, arrivals: Sequence[AppointmentArrival], source: Source, new_id: NewId
) -> tuple[FiledRecord, ...]:
    """Make, move and call off appointments that a facility sends by themselves; told in the order of `arrivals`.

    Versions may come in any order. Raises the book's version when anything changed. Idempotent by facility, id and
    content.
    """
    if not arrivals:
        return ()
    arrived = [{field.name: getattr(one, field.name) for field in fields(one)} | {"id": new_id()} for one in arrivals]
    records = await sql.file_appointments(
        session,
        citizen_id=citizen_id,
        arrived=_text(arrived),
        provenance=_text(source.provenance(rank=source.rank(paid=False))),
    )
    return _filed(records)


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawal:
    """What a facility takes back: a whole visit, or one record by the key that its receipt tells."""

    visit_source_id: str  # of what stands alone not looked at: its `key` is its id at the facility
    kind: str  # VISIT, PRESCRIPTION, TEST_REPORT, DOCUMENT, APPOINTMENT, or a ClinicalKind
    key: str
    reason: str


async def withdraw(
    session: Session,
    *,
    citizen_id: UUID,
    withdrawal: Withdrawal,
    source: Source,
    new_id: NewId,
    rank: str | None = None,
) -> tuple[FiledRecord, ...]:
    """Remove what was sent in error from view, and tell the citizen; empty when nothing of it was shown.

    `rank` is that of a withdrawal that came before what it withdraws.
    """
    rank = rank or source.withdrawal_rank()
    asked = {
        "id": new_id(),
        "source_id": withdrawal.visit_source_id,
        "kind": withdrawal.kind,
        "key": withdrawal.key,
        "reason": withdrawal.reason,
        "rank": rank,
    }
    alone = dict.fromkeys(ClinicalKind, sql.withdraw_clinical) | {APPOINTMENT: sql.withdraw_appointment}
    remove = alone.get(withdrawal.kind, sql.withdraw)
    records = await remove(
        session, citizen_id=citizen_id, asked=_text(asked), provenance=_text(source.provenance(rank=rank))
    )
    return _filed(records)


async def drop_results(
    session: Session,
    *,
    citizen_id: UUID,
    visit: str,
    report: str,
    lines: Sequence[tuple[str | None, str]],
    source: Source,
) -> bool:
    """Take a result that was taken back before it came out of the report that waited; tells whether it stood there."""
    provenance = _text(source.provenance(rank=source.withdrawal_rank()))
    return await sql.drop_results(
        session, citizen_id=citizen_id, visit=visit, report=report, lines=_text(lines), provenance=provenance
    )


async def forget_order(session: Session, *, citizen_id: UUID, facility_code: str, visit: str) -> None:
    """Forget which versions of a visit are the newest in a book that it left, so that it may come back."""
    await sql.forget_order(session, citizen_id=citizen_id, facility_code=facility_code, source_id=visit)


def _filed(records: list[dict[str, str]]) -> tuple[FiledRecord, ...]:
    return tuple(FiledRecord(kind=one["kind"], key=one["key"], change=Change(one["change"])) for one in records)


def _parts(arrival: VisitArrival) -> list[str]:
    """Return what the message says something of; each part has a newest version of its own."""
    parts = {
        "VISIT": True,
        "SERVICES": arrival.services is not None,
        "PRESCRIPTIONS": arrival.prescriptions is not None,
        "REPORTS": arrival.reports is not None,
    }
    return [*(part for part, sent in parts.items() if sent), *(paper.kind for paper in arrival.papers)]


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
        packed = _packed({"services": arrival.services})
        columns["services"] = orjson.Fragment(packed[len(b'{"services":') : -1])
        digest += hashlib.sha256(packed).hexdigest()
    benefit = _highest_benefit(arrival)
    columns["insurance"] = [
        {**_card_columns(card, line=line, vault=vault, new_id=new_id), "benefit_percent": benefit}
        for line, card in enumerate(arrival.person.insurance_cards, start=1)
    ]
    return {**columns, "id": new_id(), "digest": "\\x" + digest}


def _highest_benefit(arrival: VisitArrival) -> Decimal | None:
    """Return the share that insurance pays at a visit: the highest of its lines, as `book.highest_benefit`."""
    shares = [one.benefit_percent for one in arrival.services or ()]
    shares += [item.benefit_percent for one in arrival.prescriptions or () for item in one.items]
    return max((share for share in shares if share is not None), default=None)


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
        "lookup": "\\x" + vault.index.of(card.number, kind=_CARD).hex(),
        "benefit_code": card.benefit_code,
        "exempt_from": card.exempt_from,
        "five_years_on": card.five_years_on,
    }


def _record_columns(
    record: PrescriptionArrival | TestReportArrival | DocumentArrival,
    *,
    new_id: NewId,
    beside: Mapping[str, object] = _NOTHING,
) -> orjson.Fragment:
    columns = {name: getattr(record, name) for name in record.__dataclass_fields__}
    columns["source_id"] = columns.pop("key")
    packed = _packed(columns)
    more = _packed({"id": new_id(), "digest": "\\x" + hashlib.sha256(packed).hexdigest(), **beside})
    return orjson.Fragment(packed[:-1] + b"," + more[1:])  # one object of both: what was digested is not packed again


def _clinical_columns(arrival: ClinicalArrival, *, new_id: NewId) -> dict[str, Any]:
    columns = {name: getattr(arrival, name) for name in arrival.__dataclass_fields__}
    digest = _digest(columns if columns.pop("recorded_is_told", True) else {**columns, "recorded_at": None})
    match arrival:
        case VaccinationArrival(vaccine=vaccine, targets=targets):
            codings = [(one.system, one.code) for one in (*vaccine, *targets)]
            first = vaccine[0] if vaccine else None
            columns["antigens"] = antigens_of(codings, name=arrival.vaccine_name)
            columns["vaccine_system"] = None if first is None else system_word(first.system)
            columns["vaccine_code"] = None if first is None else first.code
        case ConditionArrival():
            columns |= _concept(arrival.coding, name=arrival.name)
        case AllergyArrival():
            columns |= _concept(arrival.coding, name=arrival.substance)
    return {**columns, "clinical": KINDS[type(arrival)], "id": new_id(), "digest": "\\x" + digest}


def _concept(coding: Sequence[CodingArrival], *, name: str) -> dict[str, str | None]:
    """Return by which code a concept is known, ICD-10 before others, and what its statements are gathered by."""
    known = sorted(coding, key=lambda one: system_word(one.system) != ICD10)
    if not known:
        return {"code_system": None, "code": None, "concept": " ".join(name.casefold().split())}
    system, code = system_word(known[0].system), known[0].code
    return {"code_system": system, "code": code, "concept": code if system == ICD10 else f"{system}|{code}"}


def concept_of(coding: Sequence[CodingArrival], *, name: str) -> str | None:
    """Return what statements of a condition or an allergy are gathered by."""
    return _concept(coding, name=name)["concept"]


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_packed(content)).hexdigest()


def _packed(content: Mapping[str, Any]) -> bytes:
    return orjson.dumps(content, default=_plain, option=orjson.OPT_SORT_KEYS)


def _text(content: object) -> str:
    return orjson.dumps(content, default=_plain).decode()


def _plain(value: object) -> str:
    if isinstance(value, Decimal | UUID):
        return str(value)
    raise TypeError
