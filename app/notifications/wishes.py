"""What a person says about being told: on which phones, of what, when; and what they have read."""

from collections.abc import Sequence
from datetime import time
from uuid import UUID

import orjson

from app.core.crypto import Place, Vault
from app.core.db import Session
from app.core.deeds import Told
from app.core.errors import Invalid, NotFound, Text
from app.core.ids import known_id
from app.notifications import sql
from app.notifications.kinds import NoticeClass

MOST_PHONES = 10
LONGEST_ADDRESS = 4096
MOST_AT_ONCE = 200


async def register_device(
    session: Session,
    *,
    installation_id: str | None,
    token: str | None,
    platform: str | None,
    language: str,
    device_id: UUID,
    vault: Vault,
) -> Told:
    """Register the phone of the caller's session under its installation id, or the older token.

    :raises Invalid: when neither or both are given, or one is no such thing
    """
    given = [(kind, one) for kind, one in (("FID", installation_id), ("TOKEN", token)) if one is not None]
    if len(given) != 1 or not given[0][1].isascii() or not 0 < len(given[0][1]) <= LONGEST_ADDRESS:
        raise Invalid(
            Text(
                f"Cần đúng một trong `installationId` và `token`, dài nhất {LONGEST_ADDRESS} ký tự ASCII.",
                f"Exactly one of `installationId` and `token` is needed, at most {LONGEST_ADDRESS} ASCII characters.",
            )
        )
    kind, address = given[0]
    place = Place(table="notice.push_target", column="sealed", row_id=device_id)
    described = {
        "id": device_id,
        "kind": kind,
        "lookup": "\\x" + vault.index.of(address, kind=f"PUSH_{kind}").hex(),
        "sealed": "\\x" + vault.sealer.seal(address.encode(), place=place).hex(),
        "platform": platform,
        "language": language,
    }
    registered = await sql.register_target(session, described=orjson.dumps(described).decode(), most=MOST_PHONES)
    return Told(kept={"device_id": str(registered)})


async def remove_device(session: Session, *, device_id: str) -> Told:
    """Forget one of the caller's phones.

    :raises NotFound: when none of theirs has this id
    """
    if not await sql.remove_target(session, target_id=known_id(device_id)):
        raise NotFound
    return Told(kept={"device_id": device_id})


async def mark_read(session: Session, *, ids: Sequence[str] | None) -> Told:
    """Mark the caller's notices as read, all of them when no ids are given; others' ids do nothing.

    :raises Invalid: when more ids are given than one request may
    """
    if ids is not None and len(ids) > MOST_AT_ONCE:
        raise Invalid(
            Text(f"Nhiều nhất {MOST_AT_ONCE} thông báo mỗi lần.", f"At most {MOST_AT_ONCE} notices at a time.")
        )
    known = [found for one in ids or () if (found := _id_or_none(one)) is not None]
    return Told(kept={"marked": await sql.mark_read(session, ids=known, everything=ids is None)})


async def prefer(
    session: Session, *, muted: Sequence[NoticeClass], is_quiet: bool, quiet_from: str, quiet_until: str
) -> Told:
    """Keep what the caller wishes to be told of by push, and when not.

    :raises Invalid: when emergencies are muted, or a time is none
    """
    if NoticeClass.EMERGENCY in muted:
        raise Invalid(
            Text(
                "Không thể tắt thông báo khẩn cấp: đó là quyền được biết ngay của bạn.",
                "Emergencies cannot be muted: to be told at once is your right.",
            )
        )
    wanted = {
        "muted": sorted({one.value for one in muted}),
        "is_quiet": is_quiet,
        "quiet_from": _time(quiet_from, "quietFrom"),
        "quiet_until": _time(quiet_until, "quietUntil"),
    }
    await sql.set_preferences(session, wanted=orjson.dumps(wanted).decode())
    return Told(kept={})


def _time(said: str, name: str) -> time:
    hour, _, minute = said.partition(":")
    if not (len(hour) == len(minute) == 2 and (hour + minute).isascii() and (hour + minute).isdigit()):  # noqa: PLR2004
        raise _no_time(name)
    try:
        return time(int(hour), int(minute))
    except ValueError:
        raise _no_time(name) from None


def _no_time(name: str) -> Invalid:
    return Invalid(Text(f"{name} phải có dạng HH:MM.", f"{name} must look like HH:MM."))


def _id_or_none(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None
