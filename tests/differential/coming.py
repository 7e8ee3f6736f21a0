"""What the contract wants of appointments."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from tests.differential.rows import Row
from tests.differential.shown import Shown, identity, instants, plain
from tests.people import now

if TYPE_CHECKING:
    from tests.differential.judge import Answers


def sections(answers: "Answers") -> Shown:
    """Return this section of a book."""
    rows = answers.viewing.shelf.records["appointment"]

    def appointments(**given: object) -> Shown:
        wanted = given.get("upcoming")
        kept = [row for row in rows if wanted is None or (_over(row) >= now()) == wanted]
        return answers.page(kept, "starts_at", lambda row: _appointment(answers, row), given)

    return {"appointments": appointments}


def _over(row: Row) -> datetime:
    over: datetime = row["starts_at"] + timedelta(days=1 if row["is_whole_day"] else 0)
    return over


def _appointment(answers: "Answers", row: Row) -> Shown:
    sealed = row["reason_sealed"]
    return {
        **identity(row, "id"),
        **plain(row, "origin", "state", "cancelled_by", "is_whole_day", "department_code", "room", "practitioner_name"),
        **instants(row, "starts_at", "ends_at", "booked_at", "changed_at"),
        **answers.hidden(row),
        "facility": answers.facility(row),
        "department": answers.name("department", row["department_code"]),
        "reason": answers.opened("care.appointment", "reason_sealed", row) if sealed else None,
    }
