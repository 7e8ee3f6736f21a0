"""The room's SQL: messages, their processing and whom they are about. The functions stand in sql/*.sql."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session, driver_of, held_driver

_KEEP_MESSAGE = "SELECT id, received_at, status FROM intake.keep_message($1, $2, $3, $4, $5, $6, $7)"
_TAKE_MESSAGE = "SELECT facility_code, format, received_at, body, follows FROM intake.take_message($1)"
_MATCH_PERSON = "SELECT citizen, outcome FROM auth.match_person($1, $2, $3, $4, $5)"
_MATCH_AND_OPEN = """SELECT m.citizen, m.outcome, CASE WHEN m.citizen IS NOT NULL THEN auth.open_filing($1) END
FROM auth.match_person($1, $2, $3, $4, $5) m"""
_OPEN_FILING = "SELECT auth.open_filing($1)"
_CONCLUDE_MESSAGE = "SELECT intake.conclude_message($1, $2, $3)"
_CALLING_FACILITY = text("SELECT auth.calling_facility(:token)")


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """What a facility is told at once."""

    id: UUID
    received_at: datetime
    status: str


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message that this worker processes."""

    facility_code: str
    format: str
    received_at: datetime
    body: bytes  # sealed
    follows: bool = False  # its facility has changed its system, or taken over another one


@dataclass(frozen=True, slots=True)
class Receipt:
    """A message and what became of it; `verdict` is null until it is concluded, and in lists."""

    id: UUID
    received_at: datetime
    status: str
    concluded_at: datetime | None
    size_bytes: int
    verdict: dict[str, Any] | None = None
    withdrawn: dict[str, str] | None = None  # when visits that it brought were taken back since, by MA_LK


async def keep_message(
    session: Session,
    *,
    token: str,
    message_id: UUID,
    format_name: str,
    digest: bytes,
    size_bytes: int,
    idempotency_key: str | None,
    sealed: bytes | bytearray,
) -> KeptMessage:
    """Keep a message and enqueue its processing; the same bytes again give the first receipt."""
    driver = held_driver(session)  # one statement, which is its own transaction
    row = await driver.fetchrow(
        _KEEP_MESSAGE, token, message_id, format_name, digest, size_bytes, idempotency_key, sealed
    )
    return KeptMessage(*row)


async def receipt(session: Session, *, token: str, message_id: UUID) -> Receipt | None:
    """Return the caller's own message, or nothing."""
    query = text(
        "SELECT id, received_at, status, concluded_at, size_bytes, verdict, withdrawn FROM intake.receipt(:token, :id)"
    )
    row = (await session.execute(query, {"token": token, "id": message_id})).one_or_none()
    return None if row is None else Receipt(**row._asdict())


async def receipts(
    session: Session, *, token: str, since: datetime, after_id: UUID, status: str | None, page: int
) -> list[Receipt]:
    """Return a page of the caller's own messages, oldest first, after (since, after_id)."""
    query = text(
        "SELECT id, received_at, status, concluded_at, size_bytes "
        "FROM intake.receipts(:token, :since, :after_id, :status, :page)"
    )
    values = {"token": token, "since": since, "after_id": after_id, "status": status, "page": page}
    return [Receipt(**row._asdict()) for row in await session.execute(query, values)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a withdrawal is about, as the door can look it up."""

    visit: str
    kind: str
    key: str


async def keep_withdrawal(
    session: Session,
    *,
    token: str,
    message_id: UUID,
    digest: bytes,
    size_bytes: int,
    idempotency_key: str | None,
    sealed: bytes | bytearray,
    target: Target,
) -> KeptMessage:
    """Keep a withdrawal and enqueue it; NotFound when the caller filed no such visit or record."""
    query = text(
        "SELECT id, received_at, status FROM intake.keep_withdrawal"
        "(:token, :id, :digest, :size, :idempotency_key, :sealed, :visit, :kind, :key)"
    )
    values = {
        "token": token,
        "id": message_id,
        "digest": digest,
        "size": size_bytes,
        "idempotency_key": idempotency_key,
        "sealed": sealed,
        "visit": target.visit,
        "kind": target.kind,
        "key": target.key,
    }
    row = (await session.execute(query, values)).one()
    return KeptMessage(id=row.id, received_at=row.received_at, status=row.status)


async def calling_facility(session: Session, *, token: str) -> str:
    """Return the facility behind the token."""
    facility: str = await session.scalar(_CALLING_FACILITY, {"token": token})
    return facility


async def take_message(session: Session, *, message_id: UUID) -> TakenMessage | None:
    """Lock a message that is not concluded; nothing when it is, or when another worker has it."""
    driver = await driver_of(session)
    row = await driver.fetchrow(_TAKE_MESSAGE, message_id)
    return None if row is None else TakenMessage(*row)


async def waiting_message(session: Session, *, message_id: UUID) -> TakenMessage | None:
    """Return a message that is not concluded, without keeping others from it."""
    query = text("SELECT facility_code, format, received_at, body FROM intake.waiting_message(:id)")
    row = (await session.execute(query, {"id": message_id})).one_or_none()
    return None if row is None else TakenMessage(**row._asdict())


async def messages_in_hand(session: Session) -> list[UUID]:
    """Return the small messages that workers have in hand now, or had when they died."""
    query = text(
        "SELECT (convert_from(payload, 'UTF8')::jsonb->>'message_id')::uuid FROM jobs.pgqueuer "
        "WHERE status = 'picked' AND entrypoint = 'process_message'"
    )
    return list(await session.scalars(query))


async def defer_message(session: Session, *, message_id: UUID, facility_code: str, died: int) -> None:
    """Put a message into the slow queue; `died` tells how many readers died of it so far."""
    query = text("SELECT intake.defer_message(:id, :facility, :died)")
    await session.execute(query, {"id": message_id, "facility": facility_code, "died": died})


async def put_off_message(session: Session, *, message_id: UUID, facility_code: str, died: int, seconds: float) -> None:
    """Let a message of the slow queue wait for so many seconds, while others' go before it."""
    query = text("SELECT intake.put_off_message(:id, :facility, :died, :seconds)")
    values = {"id": message_id, "facility": facility_code, "died": died, "seconds": seconds}
    await session.execute(query, values)


async def match_person(
    session: Session,
    *,
    message_id: UUID,
    position: int,
    facility_code: str,
    visit_source_id: str,
    person: str,
    opens: bool,
) -> tuple[UUID | None, str]:
    """Find or register a person, and open the books at once if told so; returns the citizen, or nothing and why."""
    driver = await driver_of(session)
    statement = _MATCH_AND_OPEN if opens else _MATCH_PERSON
    citizen_id, outcome, *_ = await driver.fetchrow(
        statement, message_id, position, facility_code, visit_source_id, person
    )
    return citizen_id, outcome


async def wait_for(session: Session, *, message_id: UUID, lookups: list[bytes]) -> None:
    """Note the numbers for which a message waits: it is taken up again when they name somebody else."""
    driver = await driver_of(session)
    await driver.execute("SELECT intake.wait_for($1, $2)", message_id, lookups)


async def register_birth(
    session: Session, *, message_id: UUID, facility_code: str, visit_of: UUID | None, told: str
) -> UUID | None:
    """Register the child of a birth certificate; returns the new child, if there is one."""
    query = text("SELECT auth.register_birth(:message, :facility, :visit_of, CAST(:told AS jsonb))")
    values = {"message": message_id, "facility": facility_code, "visit_of": visit_of, "told": told}
    child: UUID | None = await session.scalar(query, values)
    return child


async def prepare_withdrawal(session: Session, *, message_id: UUID, visit: str, is_whole: bool) -> UUID | None:
    """Find in whose book a visit stands that is to be withdrawn; nothing when it stands in none any more."""
    query = text("SELECT auth.prepare_withdrawal(:message, :visit, :is_whole)")
    found: UUID | None = await session.scalar(query, {"message": message_id, "visit": visit, "is_whole": is_whole})
    return found


async def prepare_split(session: Session, *, message_id: UUID, citizen_id: UUID, visit: str, remark: str) -> None:
    """Open the way for a visit to leave a book; `remark` (JSON) goes to its facility when it was disowned."""
    query = text("SELECT auth.prepare_split(:message, :citizen, :visit, CAST(:remark AS jsonb))")
    values = {"message": message_id, "citizen": citizen_id, "visit": visit, "remark": remark}
    await session.execute(query, values)


async def restore_filed(
    session: Session, *, message_id: UUID, citizen_id: UUID, source_id: str, resent: list[UUID], remark: str
) -> None:
    """File again what a record was made of before an undone change; `remark` (JSON) goes to the other receipts."""
    query = text(
        "SELECT auth.restore_filed(:message, :citizen, :source, CAST(:resent AS uuid[]), CAST(:remark AS jsonb))"
    )
    values = {"message": message_id, "citizen": citizen_id, "source": source_id, "resent": resent, "remark": remark}
    await session.execute(query, values)


@dataclass(frozen=True, slots=True)
class CorrectionAsked:
    """What a person asks the caller to correct; `words` are sealed."""

    id: UUID
    kind: str
    visit: str | None
    key: str
    words: bytes
    requested_at: datetime
    answer_by: date
    correct_by: date


async def corrections(
    session: Session, *, token: str, since: datetime, after_id: UUID, page: int
) -> list[CorrectionAsked]:
    """Return a page of what people ask the calling facility to correct, oldest first."""
    query = text(
        "SELECT id, kind, visit, key, words, requested_at, answer_by, correct_by "
        "FROM auth.corrections_of(:token, :since, :after_id, :page)"
    )
    values = {"token": token, "since": since, "after_id": after_id, "page": page}
    return [CorrectionAsked(**row._asdict()) for row in await session.execute(query, values)]


async def open_filing(session: Session, *, message_id: UUID) -> None:
    """Open for writing the books that the message is about."""
    driver = await driver_of(session)
    await driver.fetchval(_OPEN_FILING, message_id)


async def conclude_message(session: Session, *, message_id: UUID, status: str, verdict: str) -> None:
    """Write what became of a message."""
    driver = await driver_of(session)
    await driver.fetchval(_CONCLUDE_MESSAGE, message_id, status, verdict)


async def replay_message(session: Session, *, message_id: UUID) -> bool:
    """Take up a message again that was not wholly filed; false when there is none."""
    replayed = await session.scalar(text("SELECT intake.replay_message(:id)"), {"id": message_id})
    return replayed is True


@dataclass(frozen=True, slots=True)
class UnfiledMessage:
    """A message that was not wholly filed."""

    id: UUID
    facility_code: str
    status: str
    received_at: datetime
    age_seconds: int
    size_bytes: int
    reasons: list[str]  # codes of what rejects or quarantines


@dataclass(frozen=True, slots=True)
class UnfiledBody:
    """The bytes of a message that was not wholly filed."""

    facility_code: str
    status: str
    received_at: datetime
    verdict: dict[str, Any]
    body: bytes  # sealed


async def unfiled_messages(
    session: Session,
    *,
    facility_code: str | None,
    status: str | None,
    reason: str | None,
    min_age: timedelta,
    page: int,
) -> list[UnfiledMessage]:
    """Return messages that were not wholly filed, the oldest first."""
    query = text(
        "SELECT id, facility_code, status, received_at, age_seconds, size_bytes, reasons "
        "FROM intake.unfiled_messages(:facility, :status, :reason, :min_age, :page)"
    )
    values = {"facility": facility_code, "status": status, "reason": reason, "min_age": min_age, "page": page}
    return [UnfiledMessage(**row._asdict()) for row in await session.execute(query, values)]


async def unfiled_message(session: Session, *, message_id: UUID) -> UnfiledBody | None:
    """Return the kept bytes of a message that was not wholly filed."""
    query = text("SELECT facility_code, status, received_at, verdict, body FROM intake.unfiled_message(:id)")
    row = (await session.execute(query, {"id": message_id})).one_or_none()
    return None if row is None else UnfiledBody(**row._asdict())


@dataclass(frozen=True, slots=True)
class ExportedBody:
    """The bytes of a message, for who wrote down why they take them."""

    facility_code: str
    format: str
    received_at: datetime
    body: bytes  # sealed


@dataclass(frozen=True, slots=True)
class Export:
    """Who took the bytes of a message."""

    operator: str
    reason: str
    exported_at: datetime


async def export_message(session: Session, *, message_id: UUID, operator: str, reason: str) -> ExportedBody | None:
    """Take the bytes of a message that was not wholly filed, and leave a trail."""
    query = text("SELECT facility_code, format, received_at, body FROM intake.export_message(:id, :operator, :reason)")
    values = {"id": message_id, "operator": operator, "reason": reason}
    row = (await session.execute(query, values)).one_or_none()
    return None if row is None else ExportedBody(**row._asdict())


async def exports(session: Session, *, message_id: UUID) -> list[Export]:
    """Return who took the bytes of a message, the latest first."""
    rows = await session.execute(
        text("SELECT operator, reason, exported_at FROM intake.exports(:id)"), {"id": message_id}
    )
    return [Export(**row._asdict()) for row in rows]


async def sent_resources(
    session: Session, *, message_id: UUID, lookups: list[bytes]
) -> list[tuple[bytes, UUID, str | None, str, str | None, int]]:
    """Return what resources of the message's facility became: lookup, citizen, visit, kind, key, parts."""
    driver = await driver_of(session)
    query = "SELECT lookup, citizen_id, visit_source_id, kind, key, parts FROM intake.sent_resources($1, $2)"
    return [tuple(row) for row in await driver.fetch(query, message_id, lookups)]


async def told_before(
    session: Session, *, message_id: UUID, citizen_id: UUID, visit: str
) -> list[tuple[bytes, str, str, int, list[bytes] | None]]:
    """Return which resources made the prescriptions and reports of a visit: lookup, kind, key, parts, lines."""
    driver = await driver_of(session)
    query = "SELECT lookup, kind, key, parts, lines FROM intake.told_before($1, $2, $3)"
    return [tuple(row) for row in await driver.fetch(query, message_id, citizen_id, visit)]


async def note_taken_back(session: Session, *, message_id: UUID, lookups: list[bytes], rank: str) -> None:
    """Remember what was taken back before it came."""
    driver = await driver_of(session)
    await driver.execute("SELECT intake.note_taken_back($1, $2, $3)", message_id, lookups, rank)


async def resting_reports(
    session: Session, *, citizen_id: UUID, facility_code: str, visit: str, keys: list[str]
) -> dict[str, list[tuple[str | None, str]]]:
    """Return those of some reports of a visit that rest, each with code and name of its lines."""
    if not keys:
        return {}
    driver = await driver_of(session)
    query = "SELECT book.resting_reports($1, $2, $3, $4)"
    found = await driver.fetchval(query, citizen_id, facility_code, visit, keys)
    return {key: [(code, name) for code, name in lines] for key, lines in found.items()}


async def note_resources(session: Session, *, message_id: UUID, told: str) -> dict[bytes, str]:
    """Remember what resources became; returns the names that were taken back before, with the withdrawal's rank."""
    driver = await driver_of(session)
    rows = await driver.fetch("SELECT lookup, rank FROM intake.note_resources($1, $2)", message_id, told)
    return {row["lookup"]: row["rank"] for row in rows}


async def match_sent_patient(
    session: Session, *, message_id: UUID, position: int, visit: str, lookups: list[bytes]
) -> UUID | None:
    """Record that a unit of a message is about the person behind a Patient that was sent before."""
    query = text("SELECT auth.match_sent_patient(:message, :position, :visit, CAST(:lookups AS bytea[]))")
    values = {"message": message_id, "position": position, "visit": visit, "lookups": lookups}
    found: UUID | None = await session.scalar(query, values)
    return found


async def stand_alone(
    session: Session, *, message_id: UUID, first_position: int, citizen_id: UUID, ids: list[str]
) -> frozenset[str]:
    """Record whose records these are that name no visit; returns those that stand with another person."""
    query = text("SELECT auth.stand_alone(:message, :first, :citizen, CAST(:ids AS text[]))")
    values = {"message": message_id, "first": first_position, "citizen": citizen_id, "ids": ids}
    taken: list[str] = await session.scalar(query, values)
    return frozenset(taken)


async def visit_of_day(session: Session, *, message_id: UUID, position: int, visit: str, beside: str | None) -> str:
    """Return the visit of a day in which records stand that name none, or `beside` where that is a visit of theirs."""
    driver = await driver_of(session)
    query = "SELECT auth.visit_of_day($1, $2, $3, $4)"
    found: str = await driver.fetchval(query, message_id, position, visit, beside)
    return found


async def prepare_taking_back(
    session: Session, *, message_id: UUID, position: int, visit: str, holder: UUID | None, is_whole: bool
) -> UUID | None:
    """Find in whose book a record stands that is taken back; nothing when it stands in none any more."""
    query = text("SELECT auth.prepare_taking_back(:message, :position, :visit, :holder, :is_whole)")
    values = {"message": message_id, "position": position, "visit": visit, "holder": holder, "is_whole": is_whole}
    found: UUID | None = await session.scalar(query, values)
    return found
