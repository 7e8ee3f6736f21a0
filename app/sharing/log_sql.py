"""What is asked of PostgreSQL about the visitors' book."""

from uuid import UUID

from sqlalchemy import text

from app.core.db import Session


async def question_line(
    session: Session, *, question_id: UUID, citizen_id: UUID, n: int, reason: str, note_sealed: bytes | None
) -> None:
    """Open a case about a line, as the signed-in person."""
    await session.execute(
        text("SELECT audit.question_line(:id, :citizen, :n, :reason, :note)"),
        {"id": question_id, "citizen": citizen_id, "n": n, "reason": reason, "note": note_sealed},
    )
