"""From a kept message to filed records and a receipt.

One message is one transaction: it is filed and concluded together, or not at all, and taken again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

import orjson

from app.core.crypto import Place, Vault
from app.core.db import Session
from app.core.errors import Text
from app.core.ids import new_id
from app.ingestion import matching, qd4750, sql
from app.ingestion.verdict import (
    Effect,
    MessageVerdict,
    Problem,
    RecordChange,
    RecordVerdict,
    VisitStatus,
    VisitVerdict,
    judged,
    verdict_body,
    visit_status,
)
from app.records import filing

WAITS: Mapping[str, Text] = {
    "NO_IDENTIFIER": Text(
        "không có số định danh hay số thẻ BHYT: chưa biết ghi vào sổ của ai.",
        "no identity number and no insurance card: it is not known whose book this belongs to.",
    ),
    "NAME_DIFFERS": Text(
        "số giấy tờ này đã thuộc về người có họ tên khác; hãy kiểm tra HO_TEN và SO_CCCD.",
        "this number belongs to a person of another name; check HO_TEN and SO_CCCD.",
    ),
    "BIRTH_DIFFERS": Text(
        "số giấy tờ này đã thuộc về người có ngày sinh khác; hãy kiểm tra NGAY_SINH và SO_CCCD.",
        "this number belongs to a person of another birth date; check NGAY_SINH and SO_CCCD.",
    ),
    "IDENTIFIERS_DISAGREE": Text(
        "SO_CCCD và MA_THE_BHYT thuộc về hai người khác nhau; hãy kiểm tra cả hai.",
        "SO_CCCD and MA_THE_BHYT belong to two different people; check both.",
    ),
    "VISIT_OF_ANOTHER_PERSON": Text(
        "lượt khám này đã được ghi cho người khác; hãy thu hồi bản đã gửi trước khi gửi lại.",
        "this visit was filed for another person; withdraw what was sent before sending it again.",
    ),
}
_FIELDS = {"NAME_DIFFERS": "HO_TEN", "BIRTH_DIFFERS": "NGAY_SINH", "VISIT_OF_ANOTHER_PERSON": "MA_LK"}
NOT_THIS_FACILITY = Text(
    "MACSKCB không phải mã của cơ sở đã đăng nhập: không thể gửi thay cơ sở khác.",
    "MACSKCB is not the code of the facility that signed in: nobody may send for another facility.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A message in hand."""

    session: Session
    message_id: UUID
    received_at: datetime
    facility_code: str
    source_version: str
    vault: Vault
    new_id: Callable[[], UUID]


def judge(body: bytes, *, facility_code: str | None, now: datetime) -> MessageVerdict:
    """Tell what reading a message finds, without a database: the verdict of a dry run.

    Without `facility_code` it is not judged who sends.
    """
    message = qd4750.read_message(body)
    problems = _envelope_problems(message, facility_code=facility_code)
    visits = tuple(_read(visit, now=now, envelope=visit_status(problems)) for visit in message.visits)
    return judged(visits=visits, problems=problems)


async def process_message(session: Session, *, message_id: UUID, vault: Vault, now: datetime) -> str | None:
    """File one message and conclude it; returns its status, or nothing when there is nothing to do.

    :raises SealBroken: when the kept bytes do not open; the message stays as it is
    """
    taken = await sql.take_message(session, message_id=message_id)
    if taken is None:
        return None
    place = Place(table="intake.message", column="body", row_id=message_id)
    message = qd4750.read_message(vault.sealer.open(taken.body, place=place))
    problems = _envelope_problems(message, facility_code=taken.facility_code)
    work = _Work(
        session=session,
        message_id=message_id,
        received_at=taken.received_at,
        facility_code=taken.facility_code,
        source_version="" if message.issued_on is None else message.issued_on.isoformat(),
        vault=vault,
        new_id=partial(new_id, now=now),
    )
    visits = tuple(_read(visit, now=now, envelope=visit_status(problems)) for visit in message.visits)
    visits = await _file(work, message=message, visits=visits)
    verdict = judged(visits=visits, problems=problems)
    text = orjson.dumps(verdict_body(verdict)).decode()
    await sql.conclude_message(session, message_id=message_id, status=verdict.status, verdict=text)
    return verdict.status


def _envelope_problems(message: qd4750.Message, *, facility_code: str | None) -> tuple[Problem, ...]:
    if facility_code is None or message.facility_code in {None, facility_code}:
        return message.problems
    foreign = Problem(
        code="FACILITY_NOT_YOURS",
        effect=Effect.REJECTS,
        vi=NOT_THIS_FACILITY.vi,
        en=NOT_THIS_FACILITY.en,
        field="MACSKCB",
    )
    return (*message.problems, foreign)


def _read(visit: qd4750.VisitReading, *, now: datetime, envelope: VisitStatus) -> VisitVerdict:
    """Judge one visit by itself; what is wrong with the envelope holds for each of its visits."""
    problems = visit.problems
    if visit.arrival is not None:
        problems += qd4750.plausibility(visit.arrival, now=now)
    return VisitVerdict(
        visit=visit.source_id,
        status=visit_status(problems) if envelope is VisitStatus.FILED else envelope,
        problems=problems,
        tables_kept=visit.tables_kept,
    )


async def _file(work: _Work, *, message: qd4750.Message, visits: tuple[VisitVerdict, ...]) -> tuple[VisitVerdict, ...]:
    matches: dict[int, UUID] = {}
    verdicts = list(visits)
    for position, (reading, verdict) in enumerate(zip(message.visits, visits, strict=True)):
        if verdict.status is not VisitStatus.FILED or reading.arrival is None:
            continue
        match = await matching.match_person(
            work.session,
            message_id=work.message_id,
            position=position,
            facility_code=work.facility_code,
            visit_source_id=reading.arrival.source_id,
            person=reading.arrival.person,
            vault=work.vault,
            new_id=work.new_id,
        )
        if match.citizen_id is None:
            verdicts[position] = _waiting(verdict, reason=match.outcome)
        else:
            matches[position] = match.citizen_id
    if matches:
        await sql.open_filing(work.session, message_id=work.message_id)
    for position, citizen_id in matches.items():
        arrival = message.visits[position].arrival
        if arrival is not None:
            source = filing.Source(
                message_id=work.message_id,
                arrived_at=work.received_at,
                facility_code=work.facility_code,
                source_version=work.source_version,
                standard_version=arrival.standard_version,
            )
            records = await filing.file_visit(
                work.session,
                citizen_id=citizen_id,
                arrival=arrival,
                source=source,
                vault=work.vault,
                new_id=work.new_id,
            )
            verdicts[position] = replace(verdicts[position], records=_records(records))
    return tuple(verdicts)


def _waiting(verdict: VisitVerdict, *, reason: str) -> VisitVerdict:
    text = WAITS[reason]
    problem = Problem(
        code=reason,
        effect=Effect.QUARANTINES,
        vi=text.vi,
        en=text.en,
        visit=verdict.visit,
        table="XML1",
        line=1,
        field=_FIELDS.get(reason, "SO_CCCD"),
    )
    problems = (*verdict.problems, problem)
    return replace(verdict, status=visit_status(problems), problems=problems)


def _records(filed: tuple[filing.FiledRecord, ...]) -> tuple[RecordVerdict, ...]:
    return tuple(
        RecordVerdict(kind=record.kind, key=record.key, change=RecordChange(record.change.lower())) for record in filed
    )
