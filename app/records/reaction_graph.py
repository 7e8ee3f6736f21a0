"""The mutation by which citizens report reactions after vaccinations."""

from datetime import datetime

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.records import clinical, reactions
from app.records.clinical_enums import ReactionSeverity


@strawberry.input(description="What happened after which dose.")
class ReportVaccinationReactionInput:
    """Input of reportVaccinationReaction."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    citizen_id: strawberry.ID | None = strawberry.field(
        default=None, description="Whose dose it is, for a dependant; one's own when it is left out."
    )
    vaccination_id: strawberry.ID = strawberry.field(description="The dose, or one source of it.")
    description: str = strawberry.field(description="What happened, in 1 to 500 characters.")
    reacted_at: datetime | None = strawberry.field(default=None, description="When it was.")
    severity: ReactionSeverity | None = strawberry.field(default=None, description="How bad it was.")


@strawberry.type(description="What reportVaccinationReaction answers.")
class ReportVaccinationReactionPayload:
    """Payload of reportVaccinationReaction."""

    reaction_id: strawberry.ID = rests.told(
        "reaction_id", description="The report, which stands with the dose from now on."
    )


async def _report(session: Session, *, asked: ReportVaccinationReactionInput, context: Context) -> Told:
    told = reactions.ReactionReport(
        citizen_id=asked.citizen_id,
        vaccination_id=asked.vaccination_id,
        description=asked.description,
        reacted_at=asked.reacted_at,
        severity=None if asked.severity is None else clinical.ReactionSeverity[asked.severity.name],
    )
    return Told(kept={"reaction_id": str(await reactions.report(session, told=told, context=context))})


@strawberry.type
class ReactionMutation:
    """What citizens report."""

    @rests.mutation(
        rests.action(does=_report),
        description=(
            "Report a reaction after a vaccination, one's own or a dependant's. The facility's record stays as it is; "
            "after a severe reaction call 115 or go to the nearest facility first."
        ),
    )
    def report_vaccination_reaction(
        self, input: ReportVaccinationReactionInput
    ) -> ReportVaccinationReactionPayload: ...
