"""Mutations of families."""

from datetime import date

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.identity import families
from app.identity.family_mapping import (
    Representation,
    RepresentationClaim,
    RepresentationExtent,
    RepresentationKind,
)
from app.identity.family_tables import RepresentationClaimRow, RepresentationRow


@strawberry.input(description="Whom to ask, for whom, and how far.")
class AskRepresentativeInput:
    """Input of askRepresentative."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    citizen_id: strawberry.ID | None = strawberry.field(
        default=None, description="The child who is to be represented too; oneself when it is left out."
    )
    personal_id: str = strawberry.field(description="12-digit personal id number of the person who is asked.")
    full_name: str = strawberry.field(description="That person's full name; it must agree when they accept.")
    kind: RepresentationKind = strawberry.field(description="MANDATE for oneself; PARENT or GUARDIAN for a child.")
    extent: RepresentationExtent | None = strawberry.field(
        default=None, description="For a mandate: FULL or SUMMARY. For a child its age says it: leave it out."
    )
    until: date | None = strawberry.field(
        default=None, description="Last day; a mandate without one lasts a year, a child's ends with age."
    )


@strawberry.input(description="Which representation.")
class AcceptRepresentationInput:
    """Input of acceptRepresentation."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    representation_id: strawberry.ID = strawberry.field(description="One of `me { askedToRepresent }`.")


@strawberry.input(description="Which representation.")
class EndRepresentationInput:
    """Input of endRepresentation."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    representation_id: strawberry.ID = strawberry.field(
        description="One's own: to lay down, to take back (a mandate), to withdraw or to decline."
    )


@strawberry.input(description="Whose parent or guardian one is.")
class ClaimRepresentationInput:
    """Input of claimRepresentation."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    personal_id: str = strawberry.field(description="The child's 12-digit personal id number.")
    full_name: str = strawberry.field(description="The child's full name, as the papers have it.")
    birth_date: date = strawberry.field(description="The child's date of birth.")
    kind: RepresentationKind = strawberry.field(description="PARENT or GUARDIAN.")


@strawberry.input(description="Which claim is taken back.")
class WithdrawClaimInput:
    """Input of withdrawClaim."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    claim_id: strawberry.ID = strawberry.field(description="One of `me { representationClaims }`.")


_CLAIM = rests.one(
    RepresentationClaimRow,
    on=lambda _payload, row, inputs: row.id == inputs.told("claim_id", "uuid"),
    description="The claim as it is now.",
)


@strawberry.type(description="What claimRepresentation answers.")
class ClaimRepresentationPayload:
    """Payload of claimRepresentation."""

    claim: RepresentationClaim = _CLAIM


@strawberry.type(description="What withdrawClaim answers.")
class WithdrawClaimPayload:
    """Payload of withdrawClaim."""

    claim: RepresentationClaim = _CLAIM


_REPRESENTATION = rests.one(
    RepresentationRow,
    on=lambda _payload, row, inputs: row.id == inputs.told("representation_id", "uuid"),
    description="The representation as it is now; null when it is not one's own to see any more.",
)


@strawberry.type(description="What askRepresentative answers.")
class AskRepresentativePayload:
    """Payload of askRepresentative."""

    representation: Representation | None = _REPRESENTATION


@strawberry.type(description="What acceptRepresentation answers.")
class AcceptRepresentationPayload:
    """Payload of acceptRepresentation."""

    representation: Representation | None = _REPRESENTATION


@strawberry.type(description="What endRepresentation answers.")
class EndRepresentationPayload:
    """Payload of endRepresentation."""

    representation: Representation | None = _REPRESENTATION


async def _ask(session: Session, *, asked: AskRepresentativeInput, context: Context) -> Told:
    wanted = families.RepresentativeAsked(
        citizen_id=asked.citizen_id,
        personal_id=asked.personal_id,
        full_name=asked.full_name,
        kind=families.RepresentationKind[asked.kind.name],
        extent=None if asked.extent is None else asked.extent.name,
        until=asked.until,
    )
    return Told(kept={"representation_id": str(await families.ask(session, asked=wanted, context=context))})


async def _accept(session: Session, *, asked: AcceptRepresentationInput, context: Context) -> Told:  # noqa: ARG001
    found = await families.accept(session, representation_id=asked.representation_id)
    return Told(kept={"representation_id": str(found)})


async def _end(session: Session, *, asked: EndRepresentationInput, context: Context) -> Told:  # noqa: ARG001
    found = await families.end(session, representation_id=asked.representation_id)
    return Told(kept={"representation_id": str(found)})


async def _claim(session: Session, *, asked: ClaimRepresentationInput, context: Context) -> Told:
    claimed = families.Claimed(
        personal_id=asked.personal_id,
        full_name=asked.full_name,
        born_on=asked.birth_date,
        kind=families.RepresentationKind[asked.kind.name],
    )
    return Told(kept={"claim_id": str(await families.claim(session, claimed=claimed, context=context))})


async def _withdraw_claim(session: Session, *, asked: WithdrawClaimInput, context: Context) -> Told:  # noqa: ARG001
    return Told(kept={"claim_id": str(await families.withdraw_claim(session, claim_id=asked.claim_id))})


@strawberry.type
class FamilyMutation:
    """What people change about who represents whom."""

    @rests.mutation(
        rests.action(does=_ask),
        description=(
            "Ask somebody to represent oneself, or one's child beside oneself. They have 14 days to accept; whether "
            "there is such a person is not told. Needs a fresh second factor for GUARDIANS."
        ),
    )
    def ask_representative(self, input: AskRepresentativeInput) -> AskRepresentativePayload: ...

    @rests.mutation(
        rests.action(does=_accept),
        description="Accept to represent somebody who asked. Needs a fresh second factor for GUARDIANS.",
    )
    def accept_representation(self, input: AcceptRepresentationInput) -> AcceptRepresentationPayload: ...

    @rests.mutation(
        rests.action(does=_end),
        description=(
            "End a representation at once: lay one's own down, take a mandate back, withdraw or decline. Nobody ends "
            "another representative's; the last one of a child under 14 stays. "
            "Needs a fresh second factor for GUARDIANS."
        ),
    )
    def end_representation(self, input: EndRepresentationInput) -> EndRepresentationPayload: ...

    @rests.mutation(
        rests.action(does=_claim),
        description=(
            "Say to be the parent or guardian of a child who has a book already. It opens nothing: take the papers "
            "and the claim's id to the service desk. Whether there is such a child is not told. At most five wait at "
            "a time. Needs a fresh second factor for GUARDIANS."
        ),
    )
    def claim_representation(self, input: ClaimRepresentationInput) -> ClaimRepresentationPayload: ...

    @rests.mutation(rests.action(does=_withdraw_claim), description="Take a claim back that waits.")
    def withdraw_claim(self, input: WithdrawClaimInput) -> WithdrawClaimPayload: ...
