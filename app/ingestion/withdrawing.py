"""A facility takes back what it sent in error: a whole visit, or one record of it.

A withdrawal is kept and worked off like any message, and has a receipt. It cancels every version that was made before
it; a version that the facility makes later stands again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from app.core.db import Session
from app.core.errors import Invalid, Text
from app.core.strict_json import NotStrictJson, read_object
from app.ingestion import sql
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
)
from app.records import filing, resending
from app.records.clinical import ClinicalKind

FORMAT: Final = "withdrawal"
VISIT: Final = "VISIT"
KINDS: Final = ("PRESCRIPTION", "TEST_REPORT", "DOCUMENT", *ClinicalKind)
LONGEST_ID, LONGEST_KEY, LONGEST_REASON = 100, 600, 500

_NOTHING_SHOWN: Final = Text(
    "không còn gì của hồ sơ này trong sổ để thu hồi.", "nothing of this visit is in the book to be withdrawn."
)
_NO_JSON: Final = Text("Nội dung phải là một đối tượng JSON (UTF-8).", "The body must be one JSON object (UTF-8).")
_UNKNOWN: Final = Text(
    "Chỉ nhận các trường facility, visit, record (kind, key), reason.",
    "Only facility, visit, record (kind, key) and reason are accepted.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a facility asks to be withdrawn."""

    facility_code: str | None  # must be the caller's own where it is told
    visit: str  # MA_LK
    kind: str
    key: str
    reason: str


def read_request(body: bytes) -> Request:
    """Read the body of `POST /ingest/withdrawals`.

    :raises Invalid: naming the field that is wrong
    """
    try:
        told = read_object(body)
    except NotStrictJson as error:
        raise Invalid(_NO_JSON) from error
    record = told.get("record")
    named = record if isinstance(record, dict) else {}
    if told.keys() - {"facility", "visit", "record", "reason"} or named.keys() - {"kind", "key"}:
        raise Invalid(_UNKNOWN)
    if record is not None and not isinstance(record, dict):
        raise _malformed("record", Text("một đối tượng có kind và key", "an object with kind and key"))
    visit = _text(told.get("visit"), field="visit", longest=LONGEST_ID)
    facility = told.get("facility")
    kind, key = VISIT, visit
    if isinstance(record, dict):
        kind = _text(named.get("kind"), field="record.kind", longest=LONGEST_ID)
        key = _text(named.get("key"), field="record.key", longest=LONGEST_KEY)
        if kind not in KINDS:
            listed = ", ".join(KINDS)
            raise _malformed("record.kind", Text(f"một trong {listed}", f"one of {listed}"))
    return Request(
        facility_code=None if facility is None else _text(facility, field="facility", longest=LONGEST_ID),
        visit=visit,
        kind=kind,
        key=key,
        reason=_text(told.get("reason"), field="reason", longest=LONGEST_REASON),
    )


async def process(
    session: Session, *, message_id: UUID, taken: sql.TakenMessage, body: bytes, new_id: Callable[[], UUID]
) -> MessageVerdict:
    """Withdraw what a kept message asks for; returns its receipt."""
    asked = read_request(body)
    citizen_id = await sql.prepare_withdrawal(
        session, message_id=message_id, visit=asked.visit, is_whole=asked.kind == VISIT
    )
    if citizen_id is None:
        return _nothing(asked)
    await sql.open_filing(session, message_id=message_id)
    made = f"{local_day(taken.received_at):%Y%m%d}"
    source = filing.Source(
        message_id=message_id,
        facility_code=taken.facility_code,
        source_version=local_day(taken.received_at).isoformat(),
        standard_version=FORMAT,
        made=made,
        received_at=taken.received_at,
    )
    withdrawal = filing.Withdrawal(visit_source_id=asked.visit, kind=asked.kind, key=asked.key, reason=asked.reason)
    if taken.follows:
        withdrawal, source = await resending.at_home(
            session, citizen_id=citizen_id, withdrawal=withdrawal, source=source
        )
    records = await filing.withdraw(session, citizen_id=citizen_id, withdrawal=withdrawal, source=source, new_id=new_id)
    if not records:
        return _nothing(asked)
    told = tuple(
        RecordVerdict(kind=record.kind, key=record.key, change=RecordChange(record.change.lower()))
        for record in records
    )
    return judged(visits=(VisitVerdict(visit=asked.visit, status=VisitStatus.FILED, records=told),), problems=())


def _nothing(asked: Request) -> MessageVerdict:
    remark = Problem(
        code="NOTHING_TO_WITHDRAW",
        effect=Effect.REJECTS,
        vi=_NOTHING_SHOWN.vi,
        en=_NOTHING_SHOWN.en,
        visit=asked.visit,
    )
    visit = VisitVerdict(visit=asked.visit, status=VisitStatus.REJECTED, problems=(remark,))
    return judged(visits=(visit,), problems=())


def _text(value: object, *, field: str, longest: int) -> str:
    if isinstance(value, str) and 0 < len(text := value.strip()) <= longest and text.isprintable():
        return text
    raise _malformed(field, Text(f"văn bản 1 đến {longest} ký tự", f"a text of 1 to {longest} printable characters"))


def _malformed(field: str, wanted: Text) -> Invalid:
    return Invalid(Text(f"`{field}` phải là {wanted.vi}.", f"`{field}` must be {wanted.en}."))
