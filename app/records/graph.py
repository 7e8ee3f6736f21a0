"""Root fields of the health book, and what opens or changes one."""

from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Remembered, Told
from app.records import masking
from app.records.book import HealthBook
from app.records.sync import BookChanges, changes
from app.sharing import codes, grants
from app.sharing.enums import SensitiveClass
from app.sharing.inputs import WHOSE, EmergencyAccessInput, RedeemShareCodeInput, ShareScopeInput
from app.sharing.mapping import Grant
from app.sharing.sql import Try
from app.sharing.tables import BookRow, GrantRow


def _of_the_open_book(row: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    return row.citizen_id == inputs.citizen


BOOK = rests.Root(name="book", opens="book", row=BookRow, on=_of_the_open_book, is_there=True)
GRANTED = rests.Root(name="granted", opens="grant", row=BookRow, on=_of_the_open_book, is_there=True)
CHANGES = rests.Root(name="changes", opens="book", row=changes)
PREVIEW = rests.Root(name="preview", opens="preview", row=BookRow, on=_of_the_open_book, is_there=True)
_WHOSE_TO_READ = "Whose book; one's own when it is left out."


@strawberry.type
class RecordsQuery:
    """What the health book answers."""

    @rests.root(
        BOOK,
        description=(
            "A health book: one's own, or a dependant's by id. One book per operation. "
            "A book that the viewer may not open is NOT_FOUND."
        ),
    )
    def health_book(
        self,
        citizen_id: Annotated[strawberry.ID | None, strawberry.argument(description=_WHOSE_TO_READ)] = None,
    ) -> HealthBook | None: ...

    @rests.root(
        CHANGES,
        description=(
            "What changed in one's own book, or a dependant's, since a cursor: ids to read again, ids to throw away. "
            "Nothing is lost when hospitals send at the same time. A "
            "book that the viewer may not open (any more) is NOT_FOUND: throw its whole copy away. A cursor of another "
            "book or another viewer begins anew, with `isReset`."
        ),
    )
    def book_changes(
        self,
        citizen_id: Annotated[strawberry.ID | None, strawberry.argument(description=_WHOSE_TO_READ)] = None,
        since: Annotated[
            str | None,
            strawberry.argument(description="The `cursor` of the last answer; everything when it is left out."),
        ] = None,
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 1000.")] = 200,
    ) -> BookChanges: ...

    @rests.root(
        GRANTED,
        description=(
            "The book that a grant opens to a practitioner, as far as it does. Each reading is written into the "
            "citizen's visitors' book before it. A grant that opens nothing (any more) is NOT_FOUND."
        ),
    )
    def shared_health_book(
        self,
        grant_id: Annotated[strawberry.ID, strawberry.argument(description="One of the practitioner's own grants.")],
    ) -> HealthBook | None: ...

    @rests.root(
        PREVIEW,
        types={"scope": "jsonb"},
        description=(
            "One's own book as a doctor would see it with this scope: sections, days, facilities, records, sensitive "
            "classes and masks are judged as they will be then."
        ),
    )
    def preview_share(
        self,
        scope: Annotated[ShareScopeInput, strawberry.argument(description="What would be shared.")],
        citizen_id: Annotated[strawberry.ID | None, strawberry.argument(description=WHOSE)] = None,
    ) -> HealthBook | None: ...


def _grant_told(_payload: RowRef, grant: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    return grant.id == inputs.told("grant_id", "uuid")


@strawberry.type(description="What redeemShareCode answers: the grant, and the book that it opens.")
class RedeemShareCodePayload:
    """Payload of redeemShareCode."""

    grant: Grant = rests.one(GrantRow, on=_grant_told, description="The grant; keep its id to open the book again.")
    health_book: HealthBook | None = rests.opened(
        GRANTED, arguments={"grant_id": "grant_id"}, description="The book, read after the grant was given."
    )


@strawberry.type(description="What openEmergencyAccess answers.")
class EmergencyAccessPayload:
    """Payload of openEmergencyAccess."""

    grant: Grant = rests.one(GrantRow, on=_grant_told, description="The grant, for 24 hours.")
    health_book: HealthBook | None = rests.opened(
        GRANTED, arguments={"grant_id": "grant_id"}, description="The book, without what no emergency opens."
    )


@strawberry.input(description="What is hidden from everybody else.")
class MaskRecordsInput:
    """Input of maskRecords."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    record_ids: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="Visits (with all that belongs to them), any other records, appointments, what was withdrawn.",
    )
    classes: list[SensitiveClass] = strawberry.field(
        default_factory=list, description="Whole classes, those of records to come too."
    )
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=WHOSE)


@strawberry.input(description="What is shown to others again.")
class UnmaskRecordsInput(MaskRecordsInput):
    """Input of unmaskRecords."""


@strawberry.type(description="What maskRecords answers.")
class MaskRecordsPayload:
    """Payload of maskRecords."""

    changed: int = rests.told("changed", description="How many of the named records were not as asked before.")


@strawberry.type(description="What unmaskRecords answers.")
class UnmaskRecordsPayload(MaskRecordsPayload):
    """Payload of unmaskRecords."""


async def _count_try(session: Session, *, asked: RedeemShareCodeInput, context: Context) -> Try | None:
    return await codes.count_try(
        session, key=asked.idempotency_key, typed=asked.code, facility_code=asked.facility_code, context=context
    )


async def _prove(*, asked: RedeemShareCodeInput, first: Try | None, context: Context) -> Try | None:  # noqa: ARG001
    return await codes.prove(typed=asked.code, pin=asked.pin, tried=first)


async def _redeem(
    session: Session, *, asked: RedeemShareCodeInput, context: Context, first: Try | None
) -> Told | Remembered:
    return await codes.redeem(
        session,
        key=asked.idempotency_key,
        facility_code=asked.facility_code,
        purpose=asked.purpose.name,
        tried=first,
        context=context,
    )


async def _count_emergency(session: Session, *, asked: EmergencyAccessInput, context: Context) -> Try:
    return await grants.count_emergency(
        session,
        personal_id=asked.personal_id,
        key=asked.idempotency_key,
        facility_code=asked.facility_code,
        reason=asked.reason,
        context=context,
    )


async def _open_emergency(
    session: Session, *, asked: EmergencyAccessInput, context: Context, first: Try | None
) -> Told | Remembered:
    return await grants.open_emergency(
        session,
        personal_id=asked.personal_id,
        facility_code=asked.facility_code,
        reason=asked.reason,
        tried=first,
        context=context,
    )


async def _mask(session: Session, *, asked: MaskRecordsInput, context: Context) -> Told:  # noqa: ARG001
    return await _masked(session, asked=asked, hidden=True)


async def _unmask(session: Session, *, asked: UnmaskRecordsInput, context: Context) -> Told:  # noqa: ARG001
    return await _masked(session, asked=asked, hidden=False)


async def _masked(session: Session, *, asked: MaskRecordsInput, hidden: bool) -> Told:
    return await masking.mask(
        session,
        citizen_id=asked.citizen_id,
        record_ids=asked.record_ids,
        classes=[one.name for one in asked.classes],
        hidden=hidden,
    )


@strawberry.type
class RecordsMutation:
    """What people do with a book."""

    @rests.mutation(
        rests.action(first=_count_try, between=_prove, does=_redeem),
        description=(
            "Redeem a share code, as a practitioner. Unknown, expired, used and cancelled codes, wrong PINs and all "
            "other reasons are REFUSED alike; three wrong PINs end a code. RATE_LIMITED after 5 failures in 15 "
            "minutes, 10 in an hour, 20 in a day."
        ),
    )
    def redeem_share_code(self, input: RedeemShareCodeInput) -> RedeemShareCodePayload: ...

    @rests.mutation(
        rests.action(first=_count_emergency, does=_open_emergency),
        description=(
            "Open a book in an emergency, as a practitioner with a fresh second factor. The citizen is told at once "
            "and each access is reviewed. Never HIV, violence, or what the citizen hid."
        ),
    )
    def open_emergency_access(self, input: EmergencyAccessInput) -> EmergencyAccessPayload: ...

    @rests.mutation(
        rests.action(does=_mask),
        description="Hide records or classes from everybody else: they leave no trace in what others see.",
    )
    def mask_records(self, input: MaskRecordsInput) -> MaskRecordsPayload: ...

    @rests.mutation(
        rests.action(does=_unmask),
        description=(
            "Show hidden records or classes again, with all that belongs to them; needs a fresh second factor. "
            "CONFLICT for a record whose visit stays hidden."
        ),
    )
    def unmask_records(self, input: UnmaskRecordsInput) -> UnmaskRecordsPayload: ...
