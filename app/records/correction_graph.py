"""The mutation by which people ask for a correction."""

from datetime import date

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.records import corrections
from app.sharing.inputs import WHOSE


@strawberry.input(description="Which record is wrong, and what is wrong with it.")
class RequestCorrectionInput:
    """Input of requestCorrection."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    record_id: strawberry.ID = strawberry.field(description="The record: a visit, prescription, report, dose …")
    description: str = strawberry.field(description="What is wrong, in 1 to 1000 characters; its facility reads it.")
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=WHOSE)


@strawberry.type(description="What requestCorrection answers.")
class RequestCorrectionPayload:
    """Payload of requestCorrection."""

    correction_id: strawberry.ID = rests.told("correction_id", description="The request: HealthBook.corrections.")
    answer_by: date = rests.told("answer_by", description="By when the facility is to answer.")
    correct_by: date = rests.told("correct_by", description="By when it is to be corrected.")


async def _request(session: Session, *, asked: RequestCorrectionInput, context: Context) -> Told:
    return await corrections.request(
        session,
        citizen_id=asked.citizen_id,
        record_id=asked.record_id,
        description=asked.description,
        context=context,
        now=context.now,
    )


@strawberry.type
class CorrectionMutation:
    """What people ask to be corrected."""

    @rests.mutation(
        rests.action(does=_request),
        description=(
            "Ask the facility of a record to correct it, in one's own book or a dependant's. The record stays as it is "
            "until its facility sends it anew. CONFLICT when five requests of one record wait."
        ),
    )
    def request_correction(self, input: RequestCorrectionInput) -> RequestCorrectionPayload: ...
