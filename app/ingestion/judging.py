"""What can be told of a message without a database: the verdict of a dry run, and the beginning of every other."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.core.errors import Text
from app.ingestion import qd4750
from app.ingestion.catalogue import ProblemCode, describe
from app.ingestion.qd4750.fields import SENSITIVE
from app.ingestion.qd4750.values import local_day
from app.ingestion.verdict import (
    Effect,
    MessageVerdict,
    Problem,
    RecordChange,
    RecordVerdict,
    SignatureState,
    VisitStatus,
    VisitVerdict,
    judged,
    visit_status,
)

WAITS: Mapping[str, Text] = {
    "NO_IDENTIFIER": Text(
        "không có số định danh hay số thẻ BHYT: chưa biết ghi vào sổ của ai. Trẻ sơ sinh được nhận ra khi hồ sơ của mẹ "
        "có giấy chứng sinh (XML9) ghi cùng giờ, phút sinh và giới tính.",
        "no identity number and no insurance card: it is not known whose book this belongs to. A newborn is found by "
        "the birth certificate (XML9) in the mother's visit, by minute of birth and sex.",
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
    "TWINS_UNCLEAR": Text(
        "có nhiều trẻ cùng mẹ, cùng giờ sinh và giới tính: chưa biết là trẻ nào; hãy ghi số thẻ tạm hoặc số định danh.",
        "several children fit by mother, minute of birth and sex; send the temporary card or the identity number.",
    ),
    "NOT_MINE": Text(
        "người có số giấy tờ này cho biết lượt khám không phải của họ; hãy kiểm tra lại và gửi cho đúng người bệnh.",
        "the person of this number says that the visit is not theirs; check the patient and send it for the right one.",
    ),
    "VISIT_UNCLEAR": Text(
        "sổ đã có lượt khám khác trong ngày này từ trước khi đổi hệ thống: chưa rõ có phải cùng một lượt hay không; "
        "hãy gửi đúng giờ vào như bản cũ, hoặc đúng mã cũ.",
        "the book has another visit of this day from before the change of system, and it is not clear whether this is "
        "the same one; send the moment at which it began as it was sent then, or the old id.",
    ),
    "CHANGE_UNDONE": Text(
        "việc đổi hệ thống đã được hủy: lượt khám này được ghi theo mã cũ.",
        "the change of system was undone: this visit stands under its old id.",
    ),
    "VISIT_OF_ANOTHER_PERSON": Text(
        "lượt khám này đã được ghi cho người khác; hãy thu hồi bản đã gửi trước khi gửi lại.",
        "this visit was filed for another person; withdraw what was sent before sending it again.",
    ),
}
_FIELDS = {
    "VISIT_UNCLEAR": "NGAY_VAO",
    "CHANGE_UNDONE": "MA_LK",
    "NAME_DIFFERS": "HO_TEN",
    "BIRTH_DIFFERS": "NGAY_SINH",
    "VISIT_OF_ANOTHER_PERSON": "MA_LK",
}
WHY_IT_WAITS: Mapping[str, str] = {"UNCLEAR": "VISIT_UNCLEAR", "UNDONE": "CHANGE_UNDONE"}
"""Reasons by what `app.records.resending` says of a record."""
NOT_THIS_FACILITY = Text(
    "MACSKCB không phải mã của cơ sở đã đăng nhập: không thể gửi thay cơ sở khác.",
    "MACSKCB is not the code of the facility that signed in: nobody may send for another facility.",
)


def judge(body: bytes, *, facility_code: str | None, now: datetime) -> MessageVerdict:
    """Tell what reading a message finds, without a database: the verdict of a dry run.

    Without `facility_code` it is not judged who sends.
    """
    return judge_reading(qd4750.read_message(body), facility_code=facility_code, now=now, received_at=now)


def judge_reading(
    message: qd4750.Message, *, facility_code: str | None, now: datetime, received_at: datetime
) -> MessageVerdict:
    """Judge a message that was read, as far as it can be without knowing who is registered."""
    problems = _envelope_problems(message, facility_code=facility_code, received_at=received_at)
    envelope = visit_status(problems)
    return judged(
        visits=tuple(_judged(visit, now=now, envelope=envelope) for visit in message.visits),
        problems=problems,
        signature=SignatureState.NOT_VERIFIED if message.signature_present else SignatureState.ABSENT,
    )


def unreadable(*, tries: int) -> MessageVerdict:
    """Return the verdict of a message at which the reader stopped again and again."""
    return judged(visits=(), problems=(problem(ProblemCode.READER_STOPPED, Effect.REJECTS, limit=tries),))


def problem(code: ProblemCode, effect: Effect, *, field: str | None = None, limit: int | None = None) -> Problem:
    """Return a remark about the envelope."""
    words = describe(code, limit=limit)
    place = f"{field}: " if field else ""
    return Problem(code=code, effect=effect, vi=f"{place}{words.vi}", en=f"{place}{words.en}", field=field)


def made_on(message: qd4750.Message, *, received_at: datetime) -> str:
    """Return when a message was made, as yyyymmdd or yyyymmddHHMM; never later than the day of its receipt."""
    received_on = f"{local_day(received_at):%Y%m%d}"
    if message.made is None or message.made[:8] > received_on:
        return received_on
    return message.made


def waiting(verdict: VisitVerdict, *, reason: str) -> VisitVerdict:
    """Return the verdict of a visit whose person is not known for sure."""
    text = WAITS[reason]
    remark = Problem(
        code=reason,
        effect=Effect.QUARANTINES,
        vi=text.vi,
        en=text.en,
        visit=verdict.visit,
        table="XML1",
        line=1,
        field=_FIELDS.get(reason, "SO_CCCD"),
    )
    problems = (*verdict.problems, remark)
    return replace(verdict, status=visit_status(problems), problems=problems)


def same_visit(verdict: VisitVerdict, *, known_as: str, field: str | None) -> VisitVerdict:
    """Return the verdict of a visit that is a new version of one that rests under another id."""
    vi = f"cùng một lượt khám với {known_as}: ghi thành bản mới của lượt đó."
    en = f"the same visit as {known_as}: filed as a new version of it."
    place = f"XML1, {field}: " if field else ""
    remark = Problem(
        code="SAME_VISIT",
        effect=Effect.NOTES,
        vi=f"{place}{vi}",
        en=f"{place}{en}",
        visit=verdict.visit,
        table="XML1" if field else None,
        line=1 if field else None,
        field=field,
    )
    return replace(verdict, problems=(*verdict.problems, remark))


def _envelope_problems(
    message: qd4750.Message, *, facility_code: str | None, received_at: datetime
) -> tuple[Problem, ...]:
    problems = message.problems
    if message.made is not None and made_on(message, received_at=received_at) != message.made:
        problems += (problem(ProblemCode.ENVELOPE_MADE_LATER, Effect.WARNS, field="NGAYLAP"),)
    if facility_code is None or message.facility_code in {None, facility_code}:
        return problems
    foreign = Problem(
        code="FACILITY_NOT_YOURS",
        effect=Effect.REJECTS,
        vi=NOT_THIS_FACILITY.vi,
        en=NOT_THIS_FACILITY.en,
        field="MACSKCB",
    )
    return (*problems, foreign)


def _judged(visit: qd4750.VisitReading, *, now: datetime, envelope: VisitStatus) -> VisitVerdict:
    """Judge one visit by itself; what is wrong with the envelope holds for each of its visits."""
    problems = visit.problems
    if visit.arrival is not None:
        problems += qd4750.plausibility(visit.arrival, now=now)
    held_back = tuple(
        RecordVerdict(kind=table, key=visit.source_id or "", change=RecordChange.HELD_BACK, sensitive=SENSITIVE[table])
        for table in visit.tables_kept
        if table in SENSITIVE
    )
    return VisitVerdict(
        visit=visit.source_id,
        status=visit_status(problems) if envelope is VisitStatus.FILED else envelope,
        records=held_back,
        problems=problems,
        tables_kept=visit.tables_kept,
    )
