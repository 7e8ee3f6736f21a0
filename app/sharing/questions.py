"""Questions that citizens ask about lines of their visitors' book."""

import re
from uuid import UUID

from app.core.context import Context
from app.core.crypto import Place
from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import NotFound
from app.core.words import read_words
from app.sharing import log_sql

LINE = re.compile(r"([0-9a-f-]{36})\.([1-9][0-9]{0,17})\Z", re.ASCII)
LONGEST_NOTE = 1000


async def question(session: Session, *, line_id: str, reason: str, note: str | None, context: Context) -> Told:
    """Open a case about a line; the note is kept sealed.

    :raises NotFound: when the line is absent or another's
    :raises Conflict: when the line is questioned already
    """
    known = LINE.match(line_id)
    try:
        citizen_id = UUID(known[1]) if known else None
    except ValueError:
        citizen_id = None
    if known is None or citizen_id is None:
        raise NotFound
    words = read_words(note, name="note", longest=LONGEST_NOTE) if note and not note.isspace() else None
    question_id = context.new_id()
    place = Place(table="audit.question", column="note_sealed", row_id=question_id)
    await log_sql.question_line(
        session,
        question_id=question_id,
        citizen_id=citizen_id,
        n=int(known[2]),
        reason=reason,
        note_sealed=context.house.vault.sealer.seal(words.encode(), place=place) if words else None,
    )
    return Told(kept={"citizen_id": str(citizen_id), "n": int(known[2])})
