"""Where families rest, for the compiler: what `me` tells of who represents whom."""

from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Date, Text, and_, func, literal, literal_column, or_

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.identity.family_tables import RepresentationClaimRow, RepresentationRow
from app.identity.tables import CitizenRow

MOST = 50


@strawberry.enum(description="As what somebody acts for somebody else.")
class RepresentationKind(Enum):
    """Kinds of representation."""

    PARENT = strawberry.enum_value("PARENT", description="Father or mother of a child; ends by itself at 18.")
    GUARDIAN = strawberry.enum_value("GUARDIAN", description="Guardian of a child; ends by itself at 18.")
    COURT = strawberry.enum_value("COURT", description="Named by a court for somebody who cannot act for themselves.")
    MANDATE = strawberry.enum_value("MANDATE", description="Chosen by an adult, until a day.")


@strawberry.enum(description="What a representation rests on.")
class RepresentationEvidence(Enum):
    """Kinds of evidence."""

    BIRTH_CERTIFICATE = strawberry.enum_value(
        "BIRTH_CERTIFICATE", description="The hospital's birth certificate names the mother."
    )
    PAPER = strawberry.enum_value("PAPER", description="Somebody in charge has seen the papers.")
    COURT_DECISION = strawberry.enum_value("COURT_DECISION", description="A decision of a court.")
    REPRESENTATIVE = strawberry.enum_value("REPRESENTATIVE", description="Another representative of the child said so.")
    DEPENDANT = strawberry.enum_value("DEPENDANT", description="The adult who is represented said so.")


@strawberry.enum(description="How much of a book a representative sees. `healthBook { scope }` lists the sections.")
class RepresentationExtent(Enum):
    """Extents."""

    FULL = strawberry.enum_value("FULL", description="Every section.")
    SUMMARY = strawberry.enum_value("SUMMARY", description="All but test results, imaging and documents.")
    NONE = strawberry.enum_value("NONE", description="Nothing: not accepted, not begun, ended, or grown up.")


def at_the_desk(_inputs: Inputs) -> ColumnElement[bool]:
    """Say whether `me` is asked, and not the owner of a book that somebody opened."""
    return literal_column("current_user", Text) == literal("desk")


def extent_today(row: RowRef) -> ColumnElement[Any]:
    """Return what a representation is worth today."""
    return func.auth.extent_today(row.id, type_=Text)


@strawberry.type(description="A person of one's family: enough to know who it is.")
class FamilyMember:
    """A dependant or a representative."""

    id: strawberry.ID = rests.column(CitizenRow.id, description="Opaque id; opens a dependant's book.")
    full_name: str = rests.column(CitizenRow.full_name, description="Full name with diacritics.")


@strawberry.type(description="That somebody acts for somebody else, from a day to a day.")
class Representation:
    """A representation."""

    id: strawberry.ID = rests.column(RepresentationRow.id, description="Opaque.")
    kind: RepresentationKind = rests.column(RepresentationRow.kind, description="As what.")
    evidence: RepresentationEvidence = rests.column(RepresentationRow.evidence, description="What it rests on.")
    extent: RepresentationExtent = rests.expression(
        lambda row, _inputs: extent_today(row),
        description="How much the representative sees today; it narrows by itself at 14, 15 and 18 years.",
    )
    narrows_on: date | None = rests.expression(
        lambda row, _inputs: func.auth.narrows_on(row.id, type_=Date),
        description="The child's next birthday after which the representative sees or may do less.",
    )
    valid_from: date = rests.column(RepresentationRow.valid_from, description="First day.")
    valid_until: date | None = rests.column(
        RepresentationRow.valid_until, description="Last day; null when only age ends it."
    )
    is_accepted: bool = rests.expression(
        lambda row, _inputs: row.accepted_at.is_not(None),
        description="False while the representative has not answered; after 14 days nobody can answer any more.",
    )
    is_ended: bool = rests.expression(
        lambda row, _inputs: row.ended_at.is_not(None), description="Whether somebody ended it."
    )
    dependant: FamilyMember = rests.one(
        CitizenRow, on=lambda row, c, _inputs: c.id == row.dependant_id, description="Who is represented."
    )
    representative: FamilyMember | None = rests.one(
        CitizenRow,
        on=lambda row, c, _inputs: c.id == row.representative_id,
        description="Who represents; null while nobody has accepted.",
    )
    other_representatives: list[FamilyMember] = rests.many(
        CitizenRow,
        on=lambda row, c, _inputs: c.id == func.any(func.auth.representatives_of(row.id)),
        order=(rests.asc("full_name"), rests.asc("id")),
        limit=MOST,
        description="Who else represents the same person today. Nobody can end another's right.",
    )


def _is_live(row: RowRef) -> ColumnElement[bool]:
    return and_(row.ended_at.is_(None), extent_today(row) != literal("NONE"))


dependants: Any = rests.many(
    RepresentationRow,
    on=lambda me, row, _inputs: and_(row.representative_id == me.id, _is_live(row)),
    order=(rests.asc("added_at"), rests.asc("id")),
    limit=MOST,
    guard=at_the_desk,
    description="Whom one represents today; `healthBook(citizenId)` opens their book. Under `me` only, else null.",
)
representatives: Any = rests.many(
    RepresentationRow,
    on=lambda me, row, _inputs: and_(
        row.dependant_id == me.id, row.ended_at.is_(None), or_(row.accepted_at.is_(None), _is_live(row))
    ),
    order=(rests.asc("added_at"), rests.asc("id")),
    limit=MOST,
    guard=at_the_desk,
    description="Who represents oneself today, or was asked and has not answered. Under `me` only, else null.",
)
asked_to_represent: Any = rests.many(
    RepresentationRow,
    on=lambda _me, row, _inputs: row.id == func.any(func.auth.asked_of_me()),
    order=(rests.asc("added_at"), rests.asc("id")),
    limit=MOST,
    guard=at_the_desk,
    description="Who asks one to represent somebody; answer by acceptRepresentation or endRepresentation.",
)


@strawberry.enum(description="How far a claim has come.")
class ClaimState(Enum):
    """States of a claim."""

    OPEN = strawberry.enum_value("OPEN", description="Waits until the papers are shown at the service desk.")
    APPROVED = strawberry.enum_value("APPROVED", description="The papers were seen: the child is a dependant now.")
    REFUSED = strawberry.enum_value("REFUSED", description="The papers did not show it.")
    WITHDRAWN = strawberry.enum_value("WITHDRAWN", description="Taken back by the claimant.")


@strawberry.type(
    description="That one says to be a child's parent or guardian; it opens nothing before it is approved."
)
class RepresentationClaim:
    """A claim."""

    id: strawberry.ID = rests.column(
        RepresentationClaimRow.id, description="Opaque; it is asked for where the papers are shown."
    )
    kind: RepresentationKind = rests.column(RepresentationClaimRow.kind, description="As what.")
    state: ClaimState = rests.expression(
        lambda row, _inputs: func.coalesce(row.decision, literal("OPEN")), description="How far it has come."
    )
    claimed_at: datetime = rests.column(RepresentationClaimRow.claimed_at, description="When it was made.")
    decided_at: datetime | None = rests.column(
        RepresentationClaimRow.decided_at, description="When it was decided; null while it waits."
    )


representation_claims: Any = rests.many(
    RepresentationClaimRow,
    on=lambda me, row, _inputs: row.claimant_id == me.id,
    order=(rests.desc("claimed_at"), rests.desc("id")),
    limit=MOST,
    guard=at_the_desk,
    description="One's claims to be a child's parent or guardian, newest first. Under `me` only, else null.",
)
