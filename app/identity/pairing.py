"""Pairings: a practitioner lets a hospital's own system act for them, and takes it back."""

import re
from typing import Final
from uuid import UUID

from app.core.context import Context
from app.core.db import Session
from app.core.errors import NotFound
from app.core.ids import known_id
from app.identity import register_sql

_FACILITY: Final = re.compile(r"[0-9A-Z]{5}", re.ASCII)


async def pair(session: Session, *, facility_code: str, context: Context) -> UUID:
    """Pair the signed-in practitioner with the system of a facility.

    :raises NotFound: when they do not work there, or are signed in as somebody else
    :raises Conflict: when they are paired already
    """
    if not _FACILITY.fullmatch(facility_code):
        raise NotFound
    return await register_sql.pair(session, new_id=context.new_id(), facility_code=facility_code)


async def unpair(session: Session, *, pairing_id: str) -> UUID:
    """End a pairing of the signed-in practitioner; what the system opened by it is dead at the next request.

    :raises NotFound: when it is none of theirs, or has ended
    """
    return await register_sql.unpair(session, pairing_id=known_id(pairing_id))
