"""Judge what was understood: times that cannot be true are kept back, not filed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750.values import local_day
from app.ingestion.qd4750.visit import ENDS_WITH_MEDICINE
from app.ingestion.remarks import Remarks
from app.ingestion.verdict import Effect, Problem
from app.records.arrivals import VisitArrival
from app.records.papers import ProgressArrival

FUTURE_TOLERANCE: Final = timedelta(days=1, minutes=-1)
"""An event a whole day ahead, told to the minute, is too far; clocks that differ by hours are not."""
ORDER_TOLERANCE: Final = timedelta(minutes=15)
"""How much the clocks of two systems of one hospital may differ."""
MEDICINE_TOLERANCE: Final = timedelta(days=180)
"""How far ahead the last day of medicine may lie."""
EARLIER_TOLERANCE: Final = timedelta(days=366)

_FIRST_MOMENT: Final = datetime(1899, 12, 31, 17, tzinfo=UTC)  # 1900 begins in Viet Nam
_FIRST_BIRTH_YEAR: Final = 1900

_Event = tuple[str, int | None, str, datetime]  # table, line, field, moment


def plausibility(arrival: VisitArrival, now: datetime) -> tuple[Problem, ...]:
    """Return what cannot be true of a visit that reached us at `now`, an aware time.

    Sex and birth year are not compared with the identifier: numbers are issued again after a correction.
    """
    remarks = Remarks()
    remarks.visit = arrival.source_id
    _judge_birth(arrival, remarks=remarks)
    _judge_stay(arrival, now=now, remarks=remarks)
    for event in _events(arrival):
        _judge_event(event, arrival=arrival, now=now, remarks=remarks)
    return remarks.problems()


def _judge_birth(arrival: VisitArrival, *, remarks: Remarks) -> None:
    born_on = arrival.person.birth_on
    if born_on.year < _FIRST_BIRTH_YEAR:
        remarks.add(ProblemCode.BEFORE_1900, Effect.QUARANTINES, table="XML1", field="NGAY_SINH")
    # A child may be born within the stay: only a birth after its end is none.
    if born_on > local_day(arrival.ended_at or arrival.started_at):
        remarks.add(ProblemCode.BORN_AFTER_VISIT, Effect.QUARANTINES, table="XML1", field="NGAY_SINH")


def _judge_stay(arrival: VisitArrival, *, now: datetime, remarks: Remarks) -> None:
    started_at, ended_at, admitted_at = arrival.started_at, arrival.ended_at, arrival.admitted_at
    if started_at > now + FUTURE_TOLERANCE:
        remarks.add(ProblemCode.STARTED_IN_FUTURE, Effect.QUARANTINES, table="XML1", field="NGAY_VAO")
    if started_at < _FIRST_MOMENT:
        remarks.add(ProblemCode.BEFORE_1900, Effect.QUARANTINES, table="XML1", field="NGAY_VAO")
    if ended_at:
        if ended_at < started_at - ORDER_TOLERANCE:
            remarks.add(ProblemCode.ENDED_BEFORE_STARTED, Effect.QUARANTINES, table="XML1", field="NGAY_RA")
        ahead = MEDICINE_TOLERANCE if arrival.kind_code in ENDS_WITH_MEDICINE else FUTURE_TOLERANCE
        if ended_at > now + ahead:
            days = max(ahead.days, 1)
            remarks.add(
                ProblemCode.ENDED_IN_FUTURE,
                Effect.QUARANTINES,
                table="XML1",
                field="NGAY_RA",
                detail=Text(f"quá {days} ngày", f"more than {days} days"),
            )
    if admitted_at and not (started_at - ORDER_TOLERANCE <= admitted_at <= (ended_at or admitted_at) + ORDER_TOLERANCE):
        remarks.add(ProblemCode.ADMITTED_OUTSIDE_VISIT, Effect.WARNS, table="XML1", field="NGAY_VAO_NOI_TRU")


def _events(arrival: VisitArrival) -> Iterator[_Event]:
    for prescription in arrival.prescriptions or ():
        yield "XML2", prescription.items[0].line, "NGAY_YL", prescription.ordered_at
    for service in arrival.services or ():
        yield "XML3", service.line, "NGAY_YL", service.ordered_at
        if service.performed_at:
            yield "XML3", service.line, "NGAY_TH_YL", service.performed_at
    for paper in arrival.papers:
        for document in paper.documents:
            if isinstance(document, ProgressArrival):
                for note in document.notes:
                    yield "XML5", note.line, "THOI_DIEM_DBLS", note.noted_at
    for report in arrival.reports or ():
        # A report without a time of its own stands at a time of the visit, which was judged.
        if report.resulted_at not in (arrival.started_at, arrival.ended_at):
            yield "XML4", report.results[0].line, "NGAY_KQ", report.resulted_at


def _judge_event(event: _Event, *, arrival: VisitArrival, now: datetime, remarks: Remarks) -> None:
    table, line, field, at = event
    if at > now + FUTURE_TOLERANCE:
        remarks.add(ProblemCode.EVENT_IN_FUTURE, Effect.QUARANTINES, table=table, line=line, field=field)
    if at < _FIRST_MOMENT:
        remarks.add(ProblemCode.BEFORE_1900, Effect.QUARANTINES, table=table, line=line, field=field)
    elif at < arrival.started_at - EARLIER_TOLERANCE:
        remarks.add(ProblemCode.EVENT_BEFORE_VISIT, Effect.WARNS, table=table, line=line, field=field)
