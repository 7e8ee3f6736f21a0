"""A facility sends again, under new ids, what is in the book: after a change of system, or for a predecessor.

Source: infra/decisions/0022-a-hospital-changes-its-system.md
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from app.core.db import Session
from app.records import sql
from app.records.arrivals import VisitArrival
from app.records.clinical import AllergyArrival, ClinicalArrival, ClinicalKind, ImagingArrival
from app.records.filing import Source, Withdrawal, concept_of
from app.records.papers import AttachmentArrival, DocumentArrival

VISIT, DOCUMENT = "VISIT", "DOCUMENT"


class Outcome(StrEnum):
    """What a record that a facility sends is to the book."""

    OWN = "OWN"  # itself
    SAME = "SAME"  # a new version of one that rests under another id
    UNCLEAR = "UNCLEAR"  # it may be one that rests, or not
    UNDONE = "UNDONE"  # it was one that rests by a change which was undone


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Under which facility and id a record is to be filed."""

    outcome: Outcome
    facility_code: str
    source_id: str

    @property
    def waits(self) -> bool:
        """Tell whether it is not to be filed."""
        return self.outcome in (Outcome.UNCLEAR, Outcome.UNDONE)


async def home_of_visit(
    session: Session, *, citizen_id: UUID, arrival: VisitArrival, source: Source, is_final: bool = True
) -> Home:
    """Return where a visit is to be filed, in a book that is open; what is not final is not written down."""
    asked = {"kind": VISIT, "source_id": arrival.source_id, "at": arrival.started_at}
    return (await _homes(session, citizen_id=citizen_id, asked=[asked], source=source, is_final=is_final))[0]


async def homes_of_clinical(
    session: Session, *, citizen_id: UUID, arrivals: Sequence[ClinicalArrival], source: Source, is_final: bool = True
) -> list[Home | None]:
    """Return where imaging studies and allergies are to be filed; nothing for what is gathered by itself."""
    asked = [_asked(one) for one in arrivals]
    told = [one for one in asked if one is not None]
    found = iter(await _homes(session, citizen_id=citizen_id, asked=told, source=source, is_final=is_final))
    return [None if one is None else next(found) for one in asked]


async def homes_of_documents(
    session: Session, *, citizen_id: UUID, documents: Sequence[DocumentArrival], visit: Home, source: Source
) -> list[Home]:
    """Return where attachments of a visit, and nothing else, are to be filed."""
    asked = [
        {
            "kind": DOCUMENT,
            "source_id": one.key,
            "at": one.dated_at,
            "code": one.type_code,
            "title": one.title,
            "visit": visit.source_id,
            "visit_facility": visit.facility_code,
        }
        for one in documents
        if isinstance(one, AttachmentArrival)
    ]
    return await _homes(session, citizen_id=citizen_id, asked=asked, source=source, is_final=True)


async def at_home(
    session: Session, *, citizen_id: UUID, withdrawal: Withdrawal, source: Source
) -> tuple[Withdrawal, Source]:
    """Return a withdrawal under the ids under which its record rests."""
    asked = [{"kind": VISIT, "source_id": withdrawal.visit_source_id}]
    if withdrawal.kind in (DOCUMENT, *ClinicalKind):
        asked.append({"kind": withdrawal.kind, "source_id": withdrawal.key})
    visit, *records = await _homes(session, citizen_id=citizen_id, asked=asked, source=source, is_final=False)
    key = visit.source_id if withdrawal.kind == VISIT else records[0].source_id if records else withdrawal.key
    stands = records[0] if withdrawal.kind in tuple(ClinicalKind) else visit
    return (
        replace(withdrawal, visit_source_id=visit.source_id, key=key),
        replace(source, facility_code=stands.facility_code),
    )


async def part(
    session: Session, *, citizen_id: UUID, kind: str, source_id: str, messages: Sequence[UUID], source: Source
) -> None:
    """Take what messages of an undone change brought out of a record, so that those before them may be filed again."""
    provenance = source.provenance(rank=source.withdrawal_rank()) | {"message_id": str(source.message_id)}
    await sql.part_resent(
        session,
        citizen_id=citizen_id,
        kind=kind,
        facility_code=source.facility_code,
        source_id=source_id,
        messages=messages,
        provenance=orjson.dumps(provenance).decode(),
    )


def _asked(one: ClinicalArrival) -> dict[str, Any] | None:
    match one:
        case ImagingArrival():
            told = {"at": one.started_at, "uid": one.study_uid, "code": one.procedure_code}
            return {"kind": ClinicalKind.IMAGING, "source_id": one.source_id, **told}
        case AllergyArrival():
            concept = concept_of(one.coding, name=one.substance)
            said: dict[str, Any] = {"concept": concept, "is_none_known": one.is_none_known}
            return {"kind": ClinicalKind.ALLERGY, "source_id": one.source_id, **said}
    return None


async def _homes(
    session: Session, *, citizen_id: UUID, asked: Sequence[dict[str, Any]], source: Source, is_final: bool
) -> list[Home]:
    if not asked:
        return []
    found = await sql.homes(
        session,
        citizen_id=citizen_id,
        facility_code=source.facility_code,
        message_id=source.message_id,
        asked=orjson.dumps(asked).decode(),
        is_final=is_final,
    )
    return [
        Home(outcome=Outcome(one["outcome"]), facility_code=one["facility"], source_id=one["source"]) for one in found
    ]
