"""The room's SQL: clients and their sessions. The functions stand in sql/*.sql."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from app.core.db import Session


async def client_keys(session: Session, *, client_id: str) -> list[dict[str, Any]]:
    """Return the public keys (JWK) of a facility's system; none for an unknown or suspended one."""
    return list(await session.scalars(text("SELECT auth.client_keys(:client_id)"), {"client_id": client_id}))


async def open_client_session(
    session: Session,
    *,
    client_id: str,
    assertion_id: str,
    assertion_expires_at: datetime,
    session_id: UUID,
    token: str,
    life: timedelta,
) -> bool:
    """Open the session of a facility's system; false when the assertion was used before."""
    query = text(
        "SELECT auth.open_client_session(:client_id, :assertion_id, :assertion_expires_at, :session_id, :token, :life)"
    )
    values = {
        "client_id": client_id,
        "assertion_id": assertion_id,
        "assertion_expires_at": assertion_expires_at,
        "session_id": session_id,
        "token": token,
        "life": life,
    }
    return await session.scalar(query, values) is True
