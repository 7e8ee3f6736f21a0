"""Root fields of sharing: who looked into a book."""

from typing import Annotated

import strawberry

from app.audit.tables import LineRow
from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.sharing import questions
from app.sharing.access_log import AccessLogEntry, AccessQuestionReason, as_told, of_the_book_asked_for


@strawberry.type(description="A page of the visitors' book.")
class AccessLogConnection(rests.Connection[AccessLogEntry]):
    """Page of accessLog."""


ACCESS_LOG = rests.Root(name="access_log", opens="desk")


@strawberry.type
class SharingQuery:
    """What sharing answers."""

    @rests.connection(
        LineRow,
        on=of_the_book_asked_for,
        order=(rests.desc("n"),),
        max_first=50,
        root=ACCESS_LOG,
        description=(
            "The visitors' book of a health book, newest line first: one's own, or that of a person for whom one acts "
            "in everything. Another's is NOT_FOUND."
        ),
    )
    def access_log(
        self,
        citizen_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose book; one's own when it is left out.")
        ] = None,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
    ) -> AccessLogConnection | None: ...


@strawberry.input(description="Which line is questioned, and why.")
class QuestionAccessInput:
    """Input of questionAccess."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    entry_id: strawberry.ID = strawberry.field(description="Id of the line (AccessLogEntry.id).")
    reason: AccessQuestionReason = strawberry.field(description="Why it is questioned.")
    note: str | None = strawberry.field(
        default=None, description="The citizen's own words, at most 1000 characters; kept sealed."
    )


@strawberry.type(description="What questionAccess answers.")
class QuestionAccessPayload:
    """Payload of questionAccess."""

    entry: AccessLogEntry = rests.one(
        LineRow,
        on=as_told,
        description="The line, with the question and the day by which it must be answered.",
    )


async def _question(session: Session, *, asked: QuestionAccessInput, context: Context) -> Told:
    return await questions.question(
        session, line_id=asked.entry_id, reason=asked.reason.name, note=asked.note, context=context
    )


@strawberry.type
class SharingMutation:
    """What people do about who looked."""

    @rests.mutation(
        rests.action(does=_question),
        description=(
            "Question a line of the visitors' book: whoever is responsible must answer by a day that the answer names. "
            "A line is questioned once."
        ),
    )
    def question_access(self, input: QuestionAccessInput) -> QuestionAccessPayload: ...
