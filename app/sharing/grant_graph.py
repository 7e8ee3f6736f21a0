"""Root fields of codes, grants and requests, and what people change of them."""

from datetime import datetime
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, Select, and_, func, select

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Remembered, Told
from app.sharing import codes, grants
from app.sharing.enums import GrantState
from app.sharing.inputs import (
    ApproveShareRequestInput,
    CancelShareCodeInput,
    CreateShareCodeInput,
    FreezeSharingInput,
    RefuseShareRequestInput,
    RequestShareInput,
    RevokeGrantInput,
    as_json,
)
from app.sharing.mapping import BookScope, Grant, ShareCode, ShareRequest, grant_state, scope_in
from app.sharing.tables import GrantRow, ShareCodeRow, ShareRequestRow

MOST_LIVE_GRANTS = 200
STATE = strawberry.argument(description="Only grants in this state.")
DESK = rests.Root(name="sharing", opens="desk")


@strawberry.type
class GrantQuery:
    """What sharing answers."""

    @rests.connection(
        GrantRow,
        order=(rests.desc("starts_at"), rests.desc("id")),
        filters={"state": lambda row, state: grant_state(row) == state},
        max_first=50,
        root=DESK,
        description=(
            "Grants, the latest first: those of one's own book and of people for whom one acts in everything, or, "
            "for a practitioner, those that were given to them."
        ),
    )
    def grants(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        state: Annotated[GrantState | None, STATE] = None,
    ) -> rests.Connection[Grant]: ...

    @rests.connection(
        ShareCodeRow,
        order=(rests.desc("created_at"), rests.desc("id")),
        max_first=50,
        root=DESK,
        description=(
            "Share codes that were made for one's own book and for people for whom one acts in everything, "
            "latest first."
        ),
    )
    def share_codes(
        self, first: Annotated[int | None, rests.FIRST] = 20, after: Annotated[str | None, rests.AFTER] = None
    ) -> rests.Connection[ShareCode]: ...

    @rests.connection(
        ShareRequestRow,
        order=(rests.desc("asked_at"), rests.desc("id")),
        max_first=50,
        root=DESK,
        description="Requests of practitioners, the latest first; for a practitioner, their own.",
    )
    def share_requests(
        self, first: Annotated[int | None, rests.FIRST] = 20, after: Annotated[str | None, rests.AFTER] = None
    ) -> rests.Connection[ShareRequest]: ...


def _code_told(_payload: RowRef, code: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    return code.id == inputs.told("code_id", "uuid")


def _grant_told(_payload: RowRef, grant: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    return grant.id == inputs.told("grant_id", "uuid")


def _request_told(_payload: RowRef, request: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    return request.id == inputs.told("request_id", "uuid")


def _scope_of_code(_payload: RowRef, inputs: Inputs) -> Select[Any]:
    table = ShareCodeRow.__table__.alias()
    return scope_in(table.c.scope).where(table.c.id == inputs.told("code_id", "uuid"))


def _live_beside(_payload: RowRef, grant: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    code = ShareCodeRow.__table__.alias()
    whose = select(code.c.citizen_id).where(code.c.id == inputs.told("code_id", "uuid")).scalar_subquery()
    return and_(grant.citizen_id == whose, grant.revoked_at.is_(None), grant.ends_at > func.clock_timestamp())


@strawberry.type(description="A code that was just made. It is shown once: neither it nor its PIN is kept anywhere.")
class CreateShareCodePayload:
    """Payload of createShareCode."""

    code: str = rests.told("code", description="The code, as `K7QF-2M9D-XA`.")
    pin: str | None = rests.told("pin", description="The PIN, to be told apart from the code; null without one.")
    qr_svg: str = rests.told("qr_svg", description="An SVG element: a QR code of the code and nothing else.")
    spoken: list[str] = rests.told("spoken", description="How each of the ten symbols is read aloud in Vietnamese.")
    slip: str = rests.told("slip", description="An HTML page to print: code, QR and how it is read; no name, no PIN.")
    redeemable_until: datetime = rests.told("redeemable_until", description="Until when it may be redeemed.")
    scope: BookScope = rests.one(_scope_of_code, description="What it opens.")
    share_code: ShareCode = rests.one(ShareCodeRow, on=_code_told, description="The code's own entry.")
    live_grants: list[Grant] = rests.many(
        GrantRow,
        on=_live_beside,
        order=(rests.desc("starts_at"), rests.desc("id")),
        limit=MOST_LIVE_GRANTS,
        description="Grants of this book that are live already: a new code takes nothing from anybody.",
    )


@strawberry.type(description="What cancelShareCode answers.")
class CancelShareCodePayload:
    """Payload of cancelShareCode."""

    share_code: ShareCode = rests.one(
        ShareCodeRow, on=_code_told, description="The code; one that was redeemed before has lost its grant."
    )


@strawberry.type(description="What revokeGrant answers.")
class RevokeGrantPayload:
    """Payload of revokeGrant."""

    grant: Grant = rests.one(GrantRow, on=_grant_told, description="The grant, which opens nothing any more.")
    closed_sessions: int = rests.told("closed_sessions", description="How many live subscriptions were closed.")


@strawberry.type(description="What freezeSharing answers.")
class FreezeSharingPayload:
    """Payload of freezeSharing."""

    frozen: bool = rests.told("frozen", description="Whether sharing is frozen now.")
    cancelled_codes: int = rests.told("cancelled_codes", description="How many live codes were cancelled.")
    revoked_grants: int = rests.told("revoked_grants", description="How many live grants were revoked.")
    closed_sessions: int = rests.told("closed_sessions", description="How many live subscriptions were closed.")


@strawberry.type(description="What requestShare answers: the same whether or not anybody has that number.")
class RequestSharePayload:
    """Payload of requestShare."""

    request: ShareRequest = rests.one(ShareRequestRow, on=_request_told, description="The request.")


@strawberry.type(description="What approveShareRequest answers.")
class ApproveShareRequestPayload:
    """Payload of approveShareRequest."""

    request: ShareRequest = rests.one(ShareRequestRow, on=_request_told, description="The request, answered.")
    grant: Grant = rests.one(GrantRow, on=_grant_told, description="What was given.")


@strawberry.type(description="What refuseShareRequest answers.")
class RefuseShareRequestPayload:
    """Payload of refuseShareRequest."""

    request: ShareRequest = rests.one(ShareRequestRow, on=_request_told, description="The request, answered.")


async def _create(session: Session, *, asked: CreateShareCodeInput, context: Context) -> Told:
    return await codes.create(
        session,
        key=asked.idempotency_key,
        citizen_id=asked.citizen_id,
        scope=as_json(asked.scope),
        purpose=asked.purpose.name,
        redeemable_minutes=asked.redeemable_minutes,
        access_minutes=asked.access_minutes,
        with_pin=asked.with_pin,
        context=context,
    )


def _shown_again(*, asked: CreateShareCodeInput, kept: Any, context: Context) -> dict[str, Any]:
    return codes.shown_again(key=asked.idempotency_key, kept=kept, context=context)


async def _cancel(session: Session, *, asked: CancelShareCodeInput, context: Context) -> Told:  # noqa: ARG001
    return await codes.cancel(session, code_id=asked.share_code_id)


async def _revoke(session: Session, *, asked: RevokeGrantInput, context: Context) -> Told:  # noqa: ARG001
    return await grants.revoke(session, grant_id=asked.grant_id)


async def _freeze(session: Session, *, asked: FreezeSharingInput, context: Context) -> Told:  # noqa: ARG001
    return await grants.freeze(session, citizen_id=asked.citizen_id, frozen=asked.frozen)


async def _ask(session: Session, *, asked: RequestShareInput, context: Context) -> Told | Remembered:
    return await grants.ask(
        session,
        personal_id=asked.personal_id,
        facility_code=asked.facility_code,
        purpose=asked.purpose.name,
        scope=as_json(asked.scope),
        access_minutes=asked.access_minutes,
        context=context,
    )


async def _approve(session: Session, *, asked: ApproveShareRequestInput, context: Context) -> Told:
    return await grants.approve(
        session,
        request_id=asked.request_id,
        scope=None if asked.scope is None else as_json(asked.scope),
        access_minutes=asked.access_minutes,
        context=context,
    )


async def _refuse(session: Session, *, asked: RefuseShareRequestInput, context: Context) -> Told:  # noqa: ARG001
    return await grants.refuse(session, request_id=asked.request_id)


@strawberry.type
class GrantMutation:
    """What people change of sharing."""

    @rests.mutation(
        rests.action(does=_create, again=_shown_again),
        description=(
            "Make a share code for a doctor; needs a fresh second factor. At most three are live. Recorded as one's "
            "own request: what for, which part, how long."
        ),
    )
    def create_share_code(self, input: CreateShareCodeInput) -> CreateShareCodePayload: ...

    @rests.mutation(
        rests.action(does=_cancel),
        description="Cancel a share code. One that somebody redeemed in the meantime loses its grant.",
    )
    def cancel_share_code(self, input: CancelShareCodeInput) -> CancelShareCodePayload: ...

    @rests.mutation(
        rests.action(does=_revoke),
        description="Revoke a grant. It opens nothing from the next statement on; its live subscriptions are closed.",
    )
    def revoke_grant(self, input: RevokeGrantInput) -> RevokeGrantPayload: ...

    @rests.mutation(
        rests.action(does=_freeze),
        description="End all sharing of a book in one call: codes, grants and what may follow, until it is undone.",
    )
    def freeze_sharing(self, input: FreezeSharingInput) -> FreezeSharingPayload: ...

    @rests.mutation(
        rests.action(does=_ask),
        description="Ask a patient, as a practitioner, for a part of their book. The patient narrows and answers.",
    )
    def request_share(self, input: RequestShareInput) -> RequestSharePayload: ...

    @rests.mutation(
        rests.action(does=_approve),
        description="Give a practitioner what they asked for, or less; needs a fresh second factor.",
    )
    def approve_share_request(self, input: ApproveShareRequestInput) -> ApproveShareRequestPayload: ...

    @rests.mutation(rests.action(does=_refuse), description="Refuse a practitioner's request.")
    def refuse_share_request(self, input: RefuseShareRequestInput) -> RefuseShareRequestPayload: ...
