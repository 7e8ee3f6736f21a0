"""Requests for correction: what a person asks a facility to put right, with the days that the law gives.

Source: Decree 356/2025/NĐ-CP Art. 5 (an answer in 2 working days, the correction in 10 days);
Decree 102/2025/NĐ-CP Art. 24.
A record counts as corrected when its facility has sent it anew, or taken it back, since.
"""

from datetime import date, datetime, timedelta
from enum import Enum
from typing import Any, Final

import strawberry
from sqlalchemy import ColumnElement, Date, Select, case, cast, exists, func, literal, select

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.core.clock import VIETNAM_TIME
from app.core.context import Context
from app.core.crypto import Place
from app.core.db import Session
from app.core.deeds import Told
from app.core.ids import known_id, known_id_if_any
from app.core.words import read_words
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.identity.sealing import sealed_place
from app.records import sql
from app.records.tables import RecordVersionRow
from app.sharing.tables import CorrectionRow

LONGEST: Final = 1_000
ANSWER_WORKING_DAYS, CORRECT_DAYS = 2, 10
_SATURDAY = 5


@strawberry.enum(description="How far a request for correction has come.")
class CorrectionState(Enum):
    """State of a request."""

    WAITING = strawberry.enum_value("WAITING", description="The facility has not sent the record anew yet.")
    OVERDUE = strawberry.enum_value("OVERDUE", description="It has not, and the days that the law gives are over.")
    CORRECTED = strawberry.enum_value("CORRECTED", description="The facility has sent it anew, or taken it back.")


def corrections(_book: RowRef, inputs: Inputs) -> Select[Any]:
    """Return what was asked for in the open book, with how far it has come."""
    c, v = CorrectionRow.__table__.alias(), RecordVersionRow.__table__.alias()
    was_sent_anew = exists(
        select(v.c.version).where(
            v.c.citizen_id == inputs.citizen,
            v.c.record_id == c.c.record_id,
            v.c.version > literal(1),
            v.c.filed_at > c.c.requested_at,
        )
    )
    today = cast(func.timezone(literal("Asia/Ho_Chi_Minh"), func.now()), Date)
    state = case(
        (was_sent_anew, literal("CORRECTED")), (c.c.correct_by < today, literal("OVERDUE")), else_=literal("WAITING")
    )
    return select(
        c.c.id,
        c.c.record_id,
        c.c.facility_code,
        c.c.words_sealed,
        c.c.requested_at,
        c.c.answer_by,
        c.c.correct_by,
        state.label("state"),
    ).where(c.c.citizen_id == inputs.citizen)


def _words(row: RowRef, _inputs: Inputs) -> ColumnElement[Any]:
    return sealed_place("auth.correction", "words_sealed", row.id, row.words_sealed)


@strawberry.type(description="A request that a facility corrects a record.")
class Correction:
    """A request. Source: Decree 356/2025/NĐ-CP Art. 5."""

    id: strawberry.ID = rests.column("id", description="Opaque id.")
    record_id: strawberry.ID = rests.column("record_id", description="The record that is wrong.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda c, f, _inputs: f.code == c.facility_code, description="Who is to correct it."
    )
    description: str | None = rests.sealed(_words, description="What is wrong, as it was written.")
    state: CorrectionState = rests.column("state", description="How far it has come.")
    requested_at: datetime = rests.column("requested_at", description="When it was asked for.")
    answer_by: date = rests.column("answer_by", description="By when the facility is to answer (2 working days).")
    correct_by: date = rests.column("correct_by", description="By when it is to be corrected (10 days).")


async def request(
    session: Session, *, citizen_id: str | None, record_id: str, description: str, context: Context, now: datetime
) -> Told:
    """Ask the facility of a record to correct it.

    :raises Invalid: for a description that is empty or too long
    :raises NotFound: for a record that is not in a book of theirs
    :raises Conflict: when enough was asked for of this record
    """
    words = read_words(description, name="description", longest=LONGEST)
    made, today = context.new_id(), now.astimezone(VIETNAM_TIME).date()
    place = Place(table="auth.correction", column="words_sealed", row_id=made)
    days = {"answer_by": working_days_after(today, ANSWER_WORKING_DAYS), "correct_by": today + timedelta(CORRECT_DAYS)}
    told = {
        "id": made,
        "record_id": known_id(record_id),
        "words_sealed": "\\x" + context.house.vault.sealer.seal(words.encode(), place=place).hex(),
        **days,
    }
    await sql.request_correction(session, citizen_id=known_id_if_any(citizen_id), told=told)
    return Told(kept={"correction_id": str(made), **{name: day.isoformat() for name, day in days.items()}})


def working_days_after(day: date, count: int) -> date:
    """Return the day that so many working days after another are over; holidays count as working days."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < _SATURDAY
    return day
