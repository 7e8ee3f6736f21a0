"""Registers facilities and the keys of their systems. Run by the service door, as `migrator`."""

import re
from collections.abc import Mapping
from datetime import date, datetime
from uuid import UUID

from app.core.db import Session
from app.core.errors import Conflict, Invalid, NotFound, Text
from app.facilities import sql
from app.facilities.sql import ChangeEntry, FacilityEntry

CODE = re.compile(r"[0-9A-Z]{5}")
IMAGES_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*")
_HIGHEST_LEVEL = 5
_BLOCK_BYTES = 64  # of SHA-256


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


async def register_images(session: Session, *, code: str, base_url: str, key: str, now: datetime) -> None:
    """Register where a facility serves images by DICOMweb and the key that signs links; replaces an older one.

    :raises Invalid: for an address that is no plain https one
    :raises NotFound: when the facility is not registered
    """
    if not IMAGES_URL.fullmatch(base_url):
        raise Invalid(
            Text("Địa chỉ DICOMweb phải có dạng https://máy/đường-dẫn.", "A DICOMweb address is https://host/path.")
        )
    if await sql.facility(session, code=code) is None:
        raise NotFound(Text(f"Chưa đăng ký cơ sở {code}.", f"The facility {code} is not registered."))
    block = key.encode().ljust(_BLOCK_BYTES, b"\0")
    await sql.replace_image_store(
        session,
        code=code,
        base_url=base_url,
        inner_pad=bytes(byte ^ 0x36 for byte in block),
        outer_pad=bytes(byte ^ 0x5C for byte in block),
        now=now,
    )


async def register_laboratory(
    session: Session, *, code: str, level: int, valid_from: date, valid_until: date | None
) -> None:
    """Register the quality level of a facility's laboratory. Source: Decision 2429/QD-BYT.

    :raises Invalid: for a level that is not 1 to 5
    :raises NotFound: when the facility is not registered
    """
    if not 1 <= level <= _HIGHEST_LEVEL:
        raise Invalid(Text("Mức chất lượng xét nghiệm phải từ 1 đến 5.", "A laboratory's level is 1 to 5."))
    if await sql.facility(session, code=code) is None:
        raise NotFound(Text(f"Chưa đăng ký cơ sở {code}.", f"The facility {code} is not registered."))
    await sql.insert_laboratory_level(session, code=code, level=level, valid_from=valid_from, valid_until=valid_until)


async def declare_change(session: Session, *, entry: ChangeEntry, now: datetime) -> None:
    """Declare that a facility has a new system, or takes over another one's records, and sends them again.

    :raises Invalid: for days in the wrong order, or a kind that does not fit the facilities
    :raises NotFound: when a facility is not registered
    """
    if entry.resent_from > entry.begins_on or (entry.ends_on is not None and entry.ends_on < entry.begins_on):
        raise Invalid(Text("Các ngày không theo thứ tự.", "The days are not in order."))
    if (entry.kind == "SYSTEM") != (entry.code == entry.predecessor):
        raise Invalid(
            Text(
                "Đổi hệ thống là của chính cơ sở; sáp nhập và chi nhánh cần mã cơ sở trước.",
                "A change of system is a facility's own; a merger or a branch names the facility before.",
            )
        )
    for code in (entry.code, entry.predecessor):
        if await sql.facility(session, code=code) is None:
            raise NotFound(Text(f"Chưa đăng ký cơ sở {code}.", f"The facility {code} is not registered."))
    await sql.insert_change(session, entry=entry, now=now)


async def undo_change(session: Session, *, change_id: UUID) -> list[sql.ResentRecord]:
    """Undo a change; returns the records that are to be put back as they were, by a split each.

    :raises NotFound: when there is no such change, or it was undone
    """
    return await sql.undo_change(session, change_id=change_id)
