"""Records that their owner hides from everybody else."""

from collections.abc import Sequence

from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import Invalid, Text
from app.core.ids import known_id, known_id_if_any
from app.records import sql
from app.sharing.sql import hidden_classes

MOST_RECORDS = 200


async def mask(
    session: Session, *, citizen_id: str | None, record_ids: Sequence[str], classes: Sequence[str], hidden: bool
) -> Told:
    """Hide records and classes, or show them again.

    :raises Invalid: when nothing is named, or too much
    :raises NotFound: when the book is not theirs, or a record is not in it
    :raises Conflict: when a record is shown again while its visit stays hidden
    :raises StepUpRequired: when something is shown again without a fresh second factor
    """
    if not (record_ids or classes) or len(record_ids) > MOST_RECORDS:
        raise Invalid(
            Text(
                f"Hãy nêu 1 đến {MOST_RECORDS} hồ sơ, hoặc các nhóm nhạy cảm.",
                f"Name 1 to {MOST_RECORDS} records, or classes.",
            )
        )
    target = known_id_if_any(citizen_id)
    changed = 0
    if record_ids:
        wanted = [known_id(one) for one in record_ids]
        changed = await sql.masked_records(session, target=target, records=wanted, hidden=hidden)
    if classes:
        await hidden_classes(session, target=target, classes=classes, hidden=hidden)
    return Told(kept={"changed": changed})
