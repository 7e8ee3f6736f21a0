"""A citizen reports a reaction after a vaccination, their own or a dependant's. Source: Circular 13/2026/TT-BYT."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from app.core.context import Context
from app.core.db import Session
from app.core.ids import known_id, known_id_if_any
from app.core.words import read_words
from app.records import sql
from app.records.clinical import ReactionSeverity

LONGEST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactionReport:
    """What happened after which dose."""

    citizen_id: str | None  # whose; none: one's own
    vaccination_id: str
    description: str = field(repr=False)
    reacted_at: datetime | None
    severity: ReactionSeverity | None


async def report(session: Session, *, told: ReactionReport, context: Context) -> UUID:
    """Write down a reaction; returns its id. The facility's record is not changed.

    :raises Invalid: for a description that is empty or too long, and for a time that cannot be
    :raises NotFound: for a dose that is not in a book of theirs
    :raises Conflict: when enough was reported of this dose
    """
    description = read_words(told.description, name="description", longest=LONGEST)
    return await sql.report_reaction(
        session,
        citizen_id=known_id_if_any(told.citizen_id),
        told={
            "id": context.new_id(),
            "vaccination_id": known_id(told.vaccination_id),
            "description": description,
            "reacted_at": told.reacted_at,
            "severity": told.severity,
        },
    )
