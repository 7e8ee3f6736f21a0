"""Registers facilities and the keys of their systems. Run by the service door, as `migrator`."""

import re
from collections.abc import Mapping
from datetime import datetime

from app.core.db import Session
from app.core.errors import Conflict, Invalid, NotFound, Text
from app.facilities import sql
from app.facilities.sql import FacilityEntry

CODE = re.compile(r"[0-9A-Z]{5}")


async def register(session: Session, *, entry: FacilityEntry, now: datetime) -> bool:
    """Register a facility; false when it is registered already with the same name and level.

    :raises Conflict: when the code belongs to a facility of another name or level
    :raises Invalid: when the code is not five characters of 0-9 and A-Z
    """
    if not CODE.fullmatch(entry.code):
        raise Invalid(Text("Mã cơ sở phải gồm 5 ký tự 0-9, A-Z.", "A facility code is five characters of 0-9 and A-Z."))
    known = await sql.facility(session, code=entry.code)
    if known is not None:
        if (known.name, known.level) != (entry.name, entry.level):
            raise Conflict(
                Text(f"Mã {entry.code} đã thuộc cơ sở khác.", f"The code {entry.code} belongs to another facility.")
            )
        return False
    await sql.insert_facility(session, entry=entry, now=now)
    return True


async def add_key(session: Session, *, code: str, jwk: Mapping[str, str], now: datetime) -> None:
    """Register a public key of a facility's system.

    :raises NotFound: when the facility is not registered
    """
    if await sql.facility(session, code=code) is None:
        raise NotFound(Text(f"Chưa đăng ký cơ sở {code}.", f"The facility {code} is not registered."))
    await sql.insert_key(session, code=code, jwk=jwk, now=now)


async def revoke_other_keys(session: Session, *, code: str, kid: str, now: datetime) -> int:
    """Revoke every live key of a facility but one; returns how many."""
    return await sql.revoke_keys(session, code=code, but=kid, now=now)


async def suspend(session: Session, *, code: str, now: datetime) -> None:
    """Suspend a facility: its tokens stop at the next request.

    :raises NotFound: when the facility is not registered
    """
    if not await sql.suspend_facility(session, code=code, now=now):
        raise NotFound(Text(f"Chưa đăng ký cơ sở {code}.", f"The facility {code} is not registered."))
