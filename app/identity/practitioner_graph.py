"""Mutations of practitioners."""

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.identity import pairing
from app.identity.mapping import Pairing
from app.identity.tables import PairingRow


@strawberry.input(description="Whose system may act for the signed-in practitioner.")
class PairFacilityInput:
    """Input of pairFacility."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    facility_code: str = strawberry.field(description="Code of a facility where one works today.")


@strawberry.input(description="Which pairing ends.")
class UnpairFacilityInput:
    """Input of unpairFacility."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    pairing_id: strawberry.ID = strawberry.field(description="One of `me { pairings }`.")


@strawberry.type(description="What pairFacility answers.")
class PairFacilityPayload:
    """Payload of pairFacility."""

    pairing: Pairing = rests.one(
        PairingRow,
        on=lambda _payload, row, inputs: row.id == inputs.told("pairing_id", "uuid"),
        description="The pairing.",
    )


@strawberry.type(description="What unpairFacility answers.")
class UnpairFacilityPayload:
    """Payload of unpairFacility."""

    pairing_id: strawberry.ID = rests.told("pairing_id", description="The pairing, which has ended.")


async def _pair(session: Session, *, asked: PairFacilityInput, context: Context) -> Told:
    made = await pairing.pair(session, facility_code=asked.facility_code, context=context)
    return Told(kept={"pairing_id": str(made)})


async def _unpair(session: Session, *, asked: UnpairFacilityInput, context: Context) -> Told:  # noqa: ARG001
    return Told(kept={"pairing_id": str(await pairing.unpair(session, pairing_id=asked.pairing_id))})


@strawberry.type
class PractitionerMutation:
    """What practitioners change about themselves."""

    @rests.mutation(
        rests.action(does=_pair),
        description=(
            "Let the system of a facility where one works act for oneself: its `client_credentials` request then names "
            "the certificate as `practitioner`. The visitors' book names both."
        ),
    )
    def pair_facility(self, input: PairFacilityInput) -> PairFacilityPayload: ...

    @rests.mutation(
        rests.action(does=_unpair),
        description="End a pairing: what the system opened by it is dead at the next request.",
    )
    def unpair_facility(self, input: UnpairFacilityInput) -> UnpairFacilityPayload: ...
