"""Mutations of consents, numbers and records that are somebody else's."""

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.identity import ledger
from app.identity.ledger_mapping import Consent, ConsentPurpose, DisownedVisit, Identifier, IdentifierKind
from app.identity.ledger_tables import ConsentRow, DisownedVisitRow
from app.identity.tables import IdentifierRow


@strawberry.input(description="What is agreed to.")
class GiveConsentInput:
    """Input of giveConsent."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    purpose: ConsentPurpose = strawberry.field(description="For what; one purpose at a time.")
    version: int = strawberry.field(description="Which wording was read: `me { consentTexts { version } }`.")


@strawberry.input(description="What is taken back.")
class WithdrawConsentInput:
    """Input of withdrawConsent."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    consent_id: strawberry.ID = strawberry.field(description="One of `me { consents }`.")


@strawberry.input(description="Which number is one's own.")
class JoinIdentifierInput:
    """Input of joinIdentifier."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    kind: IdentifierKind = strawberry.field(description="OLD_ID, PASSPORT or INSURANCE_NUMBER.")
    number: str = strawberry.field(description="The number, or the whole insurance card's.")


@strawberry.input(description="Which join is undone.")
class UndoJoinInput:
    """Input of undoJoin."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    join_id: strawberry.ID = strawberry.field(description="`me { identifiers { joinId } }`.")


@strawberry.input(description="Which record is not one's own.")
class DisownRecordInput:
    """Input of disownRecord."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    message_id: strawberry.ID = strawberry.field(
        description="The message that brought it: `provenance { messageId }` of the visit or record."
    )


@strawberry.input(description="Which visit is one's own after all.")
class UndoDisownInput:
    """Input of undoDisown."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    disowned_id: strawberry.ID = strawberry.field(description="One of `me { disownedVisits }`.")


_CONSENT = rests.one(
    ConsentRow,
    on=lambda _payload, row, inputs: row.id == inputs.told("consent_id", "uuid"),
    description="The consent as it is now.",
)


@strawberry.type(description="What giveConsent answers.")
class GiveConsentPayload:
    """Payload of giveConsent."""

    consent: Consent = _CONSENT


@strawberry.type(description="What withdrawConsent answers.")
class WithdrawConsentPayload:
    """Payload of withdrawConsent."""

    consent: Consent = _CONSENT


@strawberry.type(description="What joinIdentifier answers.")
class JoinIdentifierPayload:
    """Payload of joinIdentifier."""

    join_id: strawberry.ID = rests.told("join_id", description="The join; undoJoin takes it.")
    identifiers: list[Identifier] = rests.many(
        IdentifierRow,
        on=lambda _payload, row, inputs: row.citizen_id == inputs.viewer,
        order=(rests.desc("valid_from"), rests.desc("id")),
        limit=50,
        description="One's numbers as they are now. Visits that came by the number appear within a moment.",
    )


@strawberry.type(description="What undoJoin answers.")
class UndoJoinPayload:
    """Payload of undoJoin."""

    join_id: strawberry.ID = rests.told("join_id", description="The join, which is undone.")


@strawberry.type(description="What disownRecord answers.")
class DisownRecordPayload:
    """Payload of disownRecord."""

    visits: int = rests.told("visits", description="How many visits leave the book, within a moment.")


@strawberry.type(description="What undoDisown answers.")
class UndoDisownPayload:
    """Payload of undoDisown."""

    disowned_visit: DisownedVisit = rests.one(
        DisownedVisitRow,
        on=lambda _payload, row, inputs: row.id == inputs.told("disowned_id", "uuid"),
        description="The visit, which comes back into the book within a moment.",
    )


async def _give(session: Session, *, asked: GiveConsentInput, context: Context) -> Told:
    made = await ledger.give_consent(session, purpose=asked.purpose.name, version=asked.version, context=context)
    return Told(kept={"consent_id": str(made)})


async def _withdraw(session: Session, *, asked: WithdrawConsentInput, context: Context) -> Told:  # noqa: ARG001
    return Told(kept={"consent_id": str(await ledger.withdraw_consent(session, consent_id=asked.consent_id))})


async def _join(session: Session, *, asked: JoinIdentifierInput, context: Context) -> Told:
    made = await ledger.join_identifier(session, kind=asked.kind.name, number=asked.number, context=context)
    return Told(kept={"join_id": str(made)})


async def _undo(session: Session, *, asked: UndoJoinInput, context: Context) -> Told:
    return Told(kept={"join_id": str(await ledger.undo_join(session, join_id=asked.join_id, context=context))})


async def _disown(session: Session, *, asked: DisownRecordInput, context: Context) -> Told:
    return Told(kept={"visits": await ledger.disown(session, message_id=asked.message_id, context=context)})


async def _undo_disown(session: Session, *, asked: UndoDisownInput, context: Context) -> Told:  # noqa: ARG001
    return Told(kept={"disowned_id": str(await ledger.undo_disown(session, disowned_id=asked.disowned_id))})


@strawberry.type
class LedgerMutation:
    """What people change about consents, numbers and records that are not theirs."""

    @rests.mutation(rests.action(does=_give), description="Agree to one text, for one purpose.")
    def give_consent(self, input: GiveConsentInput) -> GiveConsentPayload: ...

    @rests.mutation(
        rests.action(does=_withdraw),
        description="Take a consent back, as easily as it was given. A mandate that it was of ends with it.",
    )
    def withdraw_consent(self, input: WithdrawConsentInput) -> WithdrawConsentPayload: ...

    @rests.mutation(
        rests.action(does=_join),
        description=(
            "Join an old number that hospitals know as somebody's of one's own name, birth date and sex: what they "
            "sent for it comes into this book. NOT_FOUND whatever differs. INVALID for a personal id: the "
            "message says what to do when it was issued again. "
            "Needs a fresh second factor for IDENTIFIERS."
        ),
    )
    def join_identifier(self, input: JoinIdentifierInput) -> JoinIdentifierPayload: ...

    @rests.mutation(
        rests.action(does=_undo),
        description="Undo a join: what came by it leaves the book. Needs a fresh second factor for IDENTIFIERS.",
    )
    def undo_join(self, input: UndoJoinInput) -> UndoJoinPayload: ...

    @rests.mutation(
        rests.action(does=_disown),
        description=(
            "Say that a record is not one's own: its visit leaves the book, is not filed for one again, and its "
            "facility is told on the receipt. Needs a fresh second factor for IDENTIFIERS."
        ),
    )
    def disown_record(self, input: DisownRecordInput) -> DisownRecordPayload: ...

    @rests.mutation(
        rests.action(does=_undo_disown),
        description=(
            "Say that a visit is one's own after all: it comes back into the book. CONFLICT once its facility has sent "
            "it for somebody else. Needs a fresh second factor for IDENTIFIERS."
        ),
    )
    def undo_disown(self, input: UndoDisownInput) -> UndoDisownPayload: ...
