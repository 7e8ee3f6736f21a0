"""A visit leaves a person's book: its owner said that it is not theirs, or undid the join that brought it.

A split is kept and worked off like a message, but no facility sent it. What was shown goes from view with all its
versions kept; nothing of the split itself stays in the way of filing the visit again.
"""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import orjson

from app.core.db import Session
from app.core.errors import Text
from app.ingestion import sql
from app.ingestion.judging import WAITS
from app.ingestion.qd4750.values import local_day
from app.ingestion.verdict import (
    Effect,
    MessageVerdict,
    Problem,
    RecordChange,
    RecordVerdict,
    VisitStatus,
    VisitVerdict,
    judged,
    problem_body,
)
from app.records import filing, resending

FORMAT: Final = "split"
NOT_MINE: Final = "NOT_MINE"
CHANGE_UNDONE: Final = "CHANGE_UNDONE"
_REASONS: Final = {
    NOT_MINE: Text("Người có sổ cho biết không phải của mình.", "The owner says that it is not theirs."),
    "JOIN_UNDONE": Text("Đã bỏ ghép số giấy tờ.", "The number was parted again."),
}


async def process(
    session: Session, *, message_id: UUID, taken: sql.TakenMessage, body: bytes, new_id: Callable[[], UUID]
) -> MessageVerdict:
    """Take a visit out of a book, and tell its facility when it was disowned; returns what is kept with the split."""
    asked = orjson.loads(body)
    visit, citizen_id, why = str(asked["visit"]), UUID(asked["citizen"]), str(asked["reason"])
    remark = orjson.dumps(problem_body(_remark(visit))).decode()
    await sql.prepare_split(session, message_id=message_id, citizen_id=citizen_id, visit=visit, remark=remark)
    await sql.open_filing(session, message_id=message_id)
    if why == CHANGE_UNDONE:
        return await _undo(session, message_id=message_id, taken=taken, asked=asked)
    day = local_day(taken.received_at)
    source = filing.Source(
        message_id=message_id,
        facility_code=taken.facility_code,
        source_version=day.isoformat(),
        standard_version=FORMAT,
        made=f"{day:%Y%m%d}",
        received_at=taken.received_at,
    )
    reason = _REASONS[why].vi
    withdrawal = filing.Withdrawal(visit_source_id=visit, kind="VISIT", key=visit, reason=reason)
    records = await filing.withdraw(session, citizen_id=citizen_id, withdrawal=withdrawal, source=source, new_id=new_id)
    await filing.forget_order(session, citizen_id=citizen_id, facility_code=taken.facility_code, visit=visit)
    told = tuple(
        RecordVerdict(kind=record.kind, key=record.key, change=RecordChange(record.change.lower()))
        for record in records
    )
    return judged(visits=(VisitVerdict(visit=visit, status=VisitStatus.FILED, records=told),), problems=())


async def _undo(
    session: Session, *, message_id: UUID, taken: sql.TakenMessage, asked: dict[str, Any]
) -> MessageVerdict:
    """Put a record back as it was before a change of its facility's system that was undone."""
    citizen_id, visit, messages = UUID(asked["citizen"]), str(asked["visit"]), [UUID(one) for one in asked["messages"]]
    day = local_day(taken.received_at)
    source = filing.Source(
        message_id=message_id,
        facility_code=taken.facility_code,
        source_version=day.isoformat(),
        standard_version=FORMAT,
        made=f"{day:%Y%m%d}",
        received_at=taken.received_at,
    )
    kind, key = str(asked["kind"]), str(asked["source"])
    await resending.part(session, citizen_id=citizen_id, kind=kind, source_id=key, messages=messages, source=source)
    words = WAITS[CHANGE_UNDONE]
    remark = Problem(code=CHANGE_UNDONE, effect=Effect.QUARANTINES, vi=words.vi, en=words.en, visit=visit)
    await sql.restore_filed(
        session,
        message_id=message_id,
        citizen_id=citizen_id,
        source_id=visit,
        resent=messages,
        remark=orjson.dumps(problem_body(remark)).decode(),
    )
    return judged(visits=(VisitVerdict(visit=visit, status=VisitStatus.FILED),), problems=())


def _remark(visit: str) -> Problem:
    words = WAITS[NOT_MINE]
    return Problem(
        code=NOT_MINE,
        effect=Effect.QUARANTINES,
        vi=words.vi,
        en=words.en,
        visit=visit,
        table="XML1",
        line=1,
        field="SO_CCCD",
    )
