"""The SQL of closed accounts. The functions stand in sql/8_closures.sql."""

import json
from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session

_AS_OWNER = text("SET LOCAL ROLE auth_owner")


async def close(session: Session, *, told: Mapping[str, str]) -> int:
    """Close an account; returns how many sessions ended. For the service door.

    :raises Conflict: when it is closed already
    """
    await session.execute(_AS_OWNER)
    query = text("SELECT auth.close_citizen(CAST(:told AS jsonb))")
    return int(await session.scalar(query, {"told": json.dumps(told)}) or 0)


async def reopen(session: Session, *, citizen_id: UUID) -> None:
    """Open an account again. For the service door.

    :raises Conflict: when it was not closed so
    """
    await session.execute(_AS_OWNER)
    await session.execute(text("SELECT auth.reopen_citizen(:id)"), {"id": citizen_id})


async def drop_factor(session: Session, *, citizen_id: UUID) -> bool:
    """Take somebody's second factor; false when they have none. For the service door."""
    await session.execute(_AS_OWNER)
    return bool(await session.scalar(text("SELECT auth.drop_factor(:id)"), {"id": citizen_id}))
