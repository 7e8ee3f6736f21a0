"""Families: representations are asked, accepted and ended here, or registered by the service door from papers."""

import re
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final
from uuid import UUID

from app.core.context import Context
from app.core.crypto import Place, Vault
from app.core.db import Session
from app.core.errors import Invalid, NotFound, Text
from app.core.words import words
from app.identity import family_sql
from app.identity.names import name_key

FULL: Final = "FULL"
NOBODY: Final = UUID(int=0)
PERSONAL_ID: Final = re.compile(r"[0-9]{12}", re.ASCII)
_NO_NUMBER: Final = Text("Số định danh phải có 12 chữ số.", "A personal id has 12 digits.")
_NO_BOOK: Final = Text(
    "Một trong hai người chưa có sổ, hoặc tài khoản đã đóng.", "One of the two people has no book, or is closed."
)
_ONE_PERSON: Final = Text("Hai số định danh là của cùng một người.", "Both personal ids are one person's.")
_NO_MANDATE: Final = Text(
    "Ủy quyền do chính người lớn trao trong ứng dụng (askRepresentative), không đăng ký tại đây.",
    "A mandate is given by the adult themselves in the app (askRepresentative), not registered here.",
)
_NOT_CLAIMED: Final = Text(
    "Chỉ có thể đề nghị với tư cách cha mẹ (PARENT) hoặc người giám hộ (GUARDIAN) của trẻ.",
    "Only a child's PARENT or GUARDIAN is claimed.",
)


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
    paper: str | None = field(default=None, repr=False)  # which one: sealed


@dataclass(frozen=True, slots=True, kw_only=True)
class RepresentativeAsked:
    """Somebody asks somebody, known by personal id and name, to represent them or their child beside them."""

    citizen_id: str | None  # the child; none: oneself
    personal_id: str = field(repr=False)
    full_name: str = field(repr=False)
    kind: RepresentationKind
    extent: str | None
    until: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Whose parent or guardian somebody says to be."""

    personal_id: str = field(repr=False)
    full_name: str = field(repr=False)
    born_on: date
    kind: RepresentationKind


async def ask(session: Session, *, asked: RepresentativeAsked, context: Context) -> UUID:
    """Ask a representative; whether there is such a person is not told.

    :raises NotFound: when the child is not one whose book the asker may share
    :raises Invalid: for a mandate of a child, a parent of oneself, or a mandate without its extent
    :raises Conflict: when that person was asked already, or there are too many
    :raises StepUpRequired: without a fresh second factor
    """
    told = {
        "id": context.new_id(),
        "kind": asked.kind.value,
        "extent": asked.extent,
        "valid_until": asked.until,
        "language": context.language,
        "representative_lookup": "\\x" + lookup_of(asked.personal_id, vault=context.house.vault).hex(),
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
    if papers.kind is RepresentationKind.MANDATE:
        raise Invalid(_NO_MANDATE)
    if papers.dependant == papers.representative:
        raise Invalid(_ONE_PERSON)
    people = [
        await family_sql.open_citizen_of(session, lookup=lookup_of(number, vault=vault))
        for number in (papers.dependant, papers.representative)
    ]
    if None in people:
        raise NotFound(_NO_BOOK)
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
        "paper_sealed": _sealed(papers.paper, representation_id=papers.id, vault=vault),
    }
    return await family_sql.register(session, told=told)


async def claim(session: Session, *, claimed: Claimed, context: Context) -> UUID:
    """Say to be a child's parent or guardian; whether there is such a child is not told.

    :raises Invalid: for another kind, or a number that is none
    :raises Conflict: when it is claimed already, or too many are waiting
    :raises StepUpRequired: without a fresh second factor
    """
    if claimed.kind not in {RepresentationKind.PARENT, RepresentationKind.GUARDIAN}:
        raise Invalid(_NOT_CLAIMED)
    told = {
        "id": context.new_id(),
        "kind": claimed.kind.value,
        "dependant_lookup": "\\x" + lookup_of(claimed.personal_id, vault=context.house.vault).hex(),
        "dependant_key": name_key(claimed.full_name),
        "dependant_born_on": claimed.born_on,
    }
    return await family_sql.claim(session, told=told)


async def withdraw_claim(session: Session, *, claim_id: str) -> UUID:
    """Take a claim back that waits.

    :raises NotFound: when it is none of theirs, or was decided
    """
    return await family_sql.withdraw_claim(session, claim_id=id_of(claim_id) or NOBODY)


async def approve_claim(session: Session, *, claim_id: UUID, papers: SeenPapers, vault: Vault) -> UUID:
    """Let a claim count whose papers were seen; returns the representation.

    :raises NotFound: when the claim does not wait, or there is no such child
    :raises Invalid: when the papers name others than the claim
    :raises Conflict: when that person represents the child already
    """
    told = {
        "id": papers.id,
        "evidence": "PAPER",
        "valid_from": papers.valid_from,
        "paper_sealed": _sealed(papers.paper, representation_id=papers.id, vault=vault),
    }
    return await family_sql.approve_claim(
        session,
        claim_id=claim_id,
        told=told,
        dependant=lookup_of(papers.dependant, vault=vault),
        claimant=lookup_of(papers.representative, vault=vault),
    )


def lookup_of(number: str, *, vault: Vault) -> bytes:
    """Return the blind index of a personal id, which people write in groups and copy with what nobody sees.

    :raises Invalid: when it is none
    """
    said = "".join(words(number).split())
    if not PERSONAL_ID.fullmatch(said):
        raise Invalid(_NO_NUMBER)
    return vault.index.of(said, kind="PERSONAL_ID")


def _sealed(paper: str | None, *, representation_id: UUID, vault: Vault) -> str | None:
    if paper is None:
        return None
    place = Place(table="auth.representation", column="paper_sealed", row_id=representation_id)
    return "\\x" + vault.sealer.seal(paper.encode(), place=place).hex()
