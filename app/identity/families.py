"""Families: representations are asked, accepted and ended here, or registered by the service door from papers."""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.core.context import Context
from app.core.crypto import Vault
from app.core.db import Session
from app.core.errors import Invalid, NotFound, Text
from app.identity import family_sql
from app.identity.names import name_key

FULL: Final = "FULL"
NOBODY: Final = UUID(int=0)
PERSONAL_ID: Final = re.compile(r"[0-9]{12}", re.ASCII)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentativeAsked:
    """Somebody asks somebody, known by personal id and name, to represent them or their child beside them."""

    citizen_id: str | None  # the child; none: oneself
    personal_id: str = field(repr=False)
    full_name: str = field(repr=False)
    kind: RepresentationKind
    extent: str | None
    until: date | None


async def ask(session: Session, *, asked: RepresentativeAsked, context: Context) -> UUID:
    """Ask a representative; whether there is such a person is not told.

    :raises NotFound: when the child is not one whose book the asker may share
    :raises Invalid: for a mandate of a child, a parent of oneself, or a mandate without its extent
    :raises Conflict: when that person was asked already, or there are too many
    :raises StepUpRequired: without a fresh second factor
    """
    number = asked.personal_id.strip()
    if not PERSONAL_ID.fullmatch(number):
        raise Invalid(Text("Số định danh phải có 12 chữ số.", "A personal id has 12 digits."))
    told = {
        "id": context.new_id(),
        "kind": asked.kind.value,
        "extent": asked.extent,
        "valid_until": asked.until,
        "language": context.language,
        "representative_lookup": "\\x" + context.house.vault.index.of(number, kind="PERSONAL_ID").hex(),
        "representative_key": name_key(asked.full_name),
    }
    return await family_sql.ask(session, citizen_id=id_of(asked.citizen_id), told=told)


async def accept(session: Session, *, representation_id: str) -> UUID:
    """Accept to represent somebody.

    :raises NotFound: when nobody asked this person, or too long ago
    :raises StepUpRequired: without a fresh second factor
    """
    return await family_sql.accept(session, representation_id=id_of(representation_id) or NOBODY)


async def end(session: Session, *, representation_id: str) -> UUID:
    """End one's own part of a representation.

    :raises NotFound: when it is another one's to end
    :raises Conflict: for the last representative of a young child
    :raises StepUpRequired: without a fresh second factor
    """
    return await family_sql.end(session, representation_id=id_of(representation_id) or NOBODY)


def id_of(said: str | None) -> UUID | None:
    """Return an id; one that cannot be an id is nobody's."""
    if said is None:
        return None
    try:
        return UUID(said)
    except ValueError:
        return NOBODY


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
