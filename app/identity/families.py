"""Families: representations that the service door registers, once somebody there has seen the papers."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.core.errors import Invalid, NotFound, Text
from app.identity import family_sql

FULL: Final = "FULL"


class RepresentationKind(StrEnum):
    """As what somebody acts for somebody else."""

    PARENT = "PARENT"
    GUARDIAN = "GUARDIAN"
    COURT = "COURT"
    MANDATE = "MANDATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPapers:
    """A representation whose papers were seen."""

    id: UUID
    dependant: str = field(repr=False)  # personal ids
    representative: str = field(repr=False)
    kind: RepresentationKind
    valid_from: date
    valid_until: date | None = None


async def register(session: Session, *, papers: SeenPapers, vault: Vault) -> bool:
    """Register a representation; false when there is one already.

    :raises NotFound: when one of the two has no book
    :raises Invalid: for a mandate, which the adult gives themselves, and when both are one person
    """
    if papers.kind is RepresentationKind.MANDATE or papers.dependant == papers.representative:
        raise Invalid
    people = [
        await family_sql.citizen_of(session, lookup=vault.index.of(number, kind="PERSONAL_ID"))
        for number in (papers.dependant, papers.representative)
    ]
    if None in people:
        raise NotFound(Text("Một trong hai người chưa có sổ.", "One of the two people has no book."))
    by_court = papers.kind is RepresentationKind.COURT
    told = {
        "id": papers.id,
        "dependant_id": people[0],
        "representative_id": people[1],
        "kind": papers.kind.value,
        "extent": FULL if by_court else None,
        "evidence": "COURT_DECISION" if by_court else "PAPER",
        "valid_from": papers.valid_from,
        "valid_until": papers.valid_until,
    }
    return await family_sql.register(session, told=told)
