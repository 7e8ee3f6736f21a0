"""Root fields and mutations of sessions and second factors."""

from datetime import datetime
from typing import Any

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Remembered, Told
from app.identity import ending, factor_sql, factors
from app.identity.factor_mapping import OwnSession, PublishedAction, SecondFactor, own_factor, own_sessions
from app.identity.factor_sql import Try
from app.identity.factors import Judged
from app.identity.step_up import StepUpAction

MOST_SESSIONS = 100
SESSIONS = rests.Root(name="sessions", opens="desk")
FACTOR = rests.Root(name="secondFactor", opens="desk", row=own_factor)


@strawberry.type
class FactorQuery:
    """What is asked about sessions and the second factor."""

    @rests.rows(
        own_sessions,
        order=(rests.desc("began_at"), rests.desc("id")),
        limit=MOST_SESSIONS,
        root=SESSIONS,
        description="Where the signed-in person is signed in, newest first. End one with endSession.",
    )
    def sessions(self) -> list[OwnSession]: ...

    @rests.root(
        FACTOR,
        description=(
            "Whether the signed-in person has a second factor. Ask before an operation that wants stepUp, to offer "
            "enrolTotp instead of a code."
        ),
    )
    def second_factor(self) -> SecondFactor: ...


@strawberry.input(description="Which sessions end.")
class EndSessionInput:
    """Input of endSession."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    session_id: strawberry.ID | None = strawberry.field(
        default=None, description="One of your own sessions, this one too. Leave it out with `others`."
    )
    others: bool = strawberry.field(default=False, description="All your sessions but this one.")


@strawberry.type(description="What endSession answers.")
class EndSessionPayload:
    """Payload of endSession."""

    session_id: strawberry.ID | None = rests.told("session_id", description="The session that was named.")
    ended: int = rests.told("ended", description="How many sessions have ended.")


@strawberry.input(description="Which device gets which name.")
class RenameDeviceInput:
    """Input of renameDevice."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    session_id: strawberry.ID = strawberry.field(description="A session on the device: `sessions { id }`.")
    name: str = strawberry.field(description='How you will know it again, such as "Mẹ\'s phone"; cut at 60 characters.')


@strawberry.type(description="What renameDevice answers.")
class RenameDevicePayload:
    """Payload of renameDevice."""

    session_id: strawberry.ID = rests.told("session_id", description="The session that was named.")
    device_name: str = rests.told("device_name", description="The device's name as it is listed now.")


@strawberry.input(description="What enrolTotp needs.")
class EnrolTotpInput:
    """Input of enrolTotp."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)


@strawberry.type(description="What enrolTotp answers. It is told once: a repeat holds nulls, begin again instead.")
class EnrolTotpPayload:
    """Payload of enrolTotp."""

    secret: str | None = rests.told("secret", description="Secret in base 32, for typing into an authenticator.")
    otpauth_uri: str | None = rests.told("uri", description="The same as an otpauth:// address.")
    qr_svg: str | None = rests.told("qr", description="The same as a QR code, one SVG element.")


@strawberry.input(description="The first code of a new authenticator.")
class ConfirmTotpInput:
    """Input of confirmTotp."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    code: str = strawberry.field(description="Six digits that the authenticator shows now.")


@strawberry.type(description="What confirmTotp answers.")
class ConfirmTotpPayload:
    """Payload of confirmTotp."""

    recovery_codes: list[str] = rests.told(
        "recovery_codes", description="Ten codes, each good once in place of one of the authenticator. Keep them apart."
    )


@strawberry.input(description="A code, and what it is for.")
class StepUpInput:
    """Input of stepUp."""

    action: PublishedAction = strawberry.field(description="The action that is to come.")
    code: str = strawberry.field(description="Six digits of the authenticator, or a recovery code.")


@strawberry.type(description="What stepUp answers.")
class StepUpPayload:
    """Payload of stepUp."""

    action: PublishedAction = rests.told("action", description="What this session may do now.")
    until: datetime = rests.told("until", description="Until when.")


async def _end_session(session: Session, *, asked: EndSessionInput, context: Context) -> Told:  # noqa: ARG001
    return await ending.end_sessions(session, session_id=asked.session_id, others=asked.others)


async def _rename(session: Session, *, asked: RenameDeviceInput, context: Context) -> Told:  # noqa: ARG001
    return await ending.rename_device(session, session_id=asked.session_id, name=asked.name)


async def _enrol(session: Session, *, asked: EnrolTotpInput, context: Context) -> Told:  # noqa: ARG001
    return await factors.enrol(session, context=context)


async def _confirm(session: Session, *, asked: ConfirmTotpInput, context: Context) -> Told:
    return await factors.confirm(session, code=asked.code, context=context)


def _tell_again(*, asked: ConfirmTotpInput, kept: dict[str, Any], context: Context) -> dict[str, list[str]]:  # noqa: ARG001
    return factors.tell_recovery_codes(kept=kept, context=context)


async def _count(session: Session, *, asked: StepUpInput, context: Context) -> Try:  # noqa: ARG001
    return await factor_sql.count_try(session)


async def _judge(*, asked: StepUpInput, first: Try, context: Context) -> Judged:
    return await factors.judge(counted=first, action=StepUpAction(asked.action.value), code=asked.code, context=context)


async def _step_up(
    session: Session,  # noqa: ARG001
    *,
    asked: StepUpInput,
    context: Context,  # noqa: ARG001
    first: Judged,
) -> Told | Remembered:
    return factors.tell(first, action=StepUpAction(asked.action.value))


@strawberry.type
class FactorMutation:
    """What people change about their sessions and second factors."""

    @rests.mutation(
        rests.action(does=_end_session),
        description=(
            "End one of your own sessions, or all others. A token of an ended one is dead at the next request. "
            "Ending another one than this wants stepUp(SESSIONS), or a sign-in within the last 15 minutes."
        ),
    )
    def end_session(self, input: EndSessionInput) -> EndSessionPayload: ...

    @rests.mutation(
        rests.action(does=_rename),
        description=(
            "Give the phone of one of your own sessions a name, which `sessions` lists and a later sign-in on it does "
            "not change. NOT_FOUND for a session that is not yours, or that no app on a phone began."
        ),
    )
    def rename_device(self, input: RenameDeviceInput) -> RenameDevicePayload: ...

    @rests.mutation(
        rests.action(does=_enrol),
        description=(
            "Begin a second factor: one-time codes by time (RFC 6238). It counts after confirmTotp in the same session "
            "within 15 minutes. Who has one needs stepUp(FACTORS), a first one a sign-in within the last 15 minutes."
        ),
    )
    def enrol_totp(self, input: EnrolTotpInput) -> EnrolTotpPayload: ...

    @rests.mutation(
        rests.action(does=_confirm, again=_tell_again),
        description="Confirm the second factor of enrolTotp. One that it replaces ends, with all your other sessions.",
    )
    def confirm_totp(self, input: ConfirmTotpInput) -> ConfirmTotpPayload: ...

    @rests.mutation(
        rests.action(does=_step_up, first=_count, between=_judge),
        description=(
            "Show the second factor for one action: it is good in this session for five minutes. Five wrong codes lock "
            "it for 15 minutes (RATE_LIMITED), twenty in a day until the person signs in again (STEP_UP_REQUIRED here)."
        ),
    )
    def step_up(self, input: StepUpInput) -> StepUpPayload: ...
