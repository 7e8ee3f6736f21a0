"""The SQL of the ledger: consents, joined numbers, disowned visits."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session


async def give_consent(session: Session, *, new_id: UUID, purpose: str, version: int, language: str) -> UUID:
    """Write down that the signed-in person agreed."""
    query = text("SELECT auth.give_consent(:id, :purpose, :version, :language)")
    values = {"id": new_id, "purpose": purpose, "version": version, "language": language}
    return UUID(str(await session.scalar(query, values)))


async def withdraw_consent(session: Session, *, consent_id: UUID) -> UUID:
    """Take a consent of the signed-in person back."""
    return UUID(str(await session.scalar(text("SELECT auth.withdraw_consent(:id)"), {"id": consent_id})))


async def join_identifier(session: Session, *, new_id: UUID, kind: str, lookup: bytes) -> UUID:
    """Join a number to the signed-in person."""
    query = text("SELECT auth.join_identifier(:id, :kind, :lookup)")
    return UUID(str(await session.scalar(query, {"id": new_id, "kind": kind, "lookup": lookup})))


async def undo_join(session: Session, *, join_id: UUID) -> list[dict[str, str]]:
    """Undo a join of the signed-in person; returns the visits that leave their book."""
    visits: Any = await session.scalar(text("SELECT visits FROM auth.undo_join(:id)"), {"id": join_id})
    return list(visits)


async def part_with_visit(
    session: Session, *, split_id: UUID, join_id: UUID, facility_code: str, visit: str, sealed: bytes
) -> None:
    """Let a visit leave the signed-in person's book after an undone join."""
    query = text("SELECT auth.part_with_visit(:id, :join, :facility, :visit, :sealed)")
    values = {"id": split_id, "join": join_id, "facility": facility_code, "visit": visit, "sealed": sealed}
    await session.execute(query, values)


async def visits_of_message(session: Session, *, message_id: UUID) -> list[dict[str, str]]:
    """Return the visits that a message brought into the signed-in person's book."""
    visits: Any = await session.scalar(text("SELECT auth.visits_of_message(:id)"), {"id": message_id})
    return list(visits)


async def disown_visit(session: Session, *, split_id: UUID, facility_code: str, visit: str, sealed: bytes) -> None:
    """Let a visit leave the signed-in person's book for good."""
    query = text("SELECT auth.disown_visit(:id, :facility, :visit, :sealed)")
    values = {"id": split_id, "facility": facility_code, "visit": visit, "sealed": sealed}
    await session.execute(query, values)


async def take_visit_back(session: Session, *, disowned_id: UUID) -> UUID:
    """Let a disowned visit come back into the signed-in person's book."""
    return UUID(str(await session.scalar(text("SELECT auth.take_visit_back(:id)"), {"id": disowned_id})))
