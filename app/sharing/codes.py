"""Share codes: made by a citizen, redeemed once by a practitioner.

Neither a code nor its PIN is stored. Both follow by HMAC from the server's key, the code's id (which stands for the
viewer and their idempotency key) and that key, so that a repeat of the same request shows them again.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from app.core.codes import BadCode, code_from, read_code, shown, spoken
from app.core.context import Context
from app.core.crypto import Vault
from app.core.db import Session
from app.core.deeds import Remembered, Told
from app.core.errors import Invalid, NotFound, RateLimited, Refused, Text
from app.core.ids import known_id, known_id_if_any
from app.core.qr import qr_svg
from app.sharing import hashing, printing, sql
from app.sharing.ids import some_records
from app.sharing.sql import Scope, Try

PIN_DIGITS = 6
LONGEST_WITHOUT_PIN = timedelta(hours=1)
LONGEST_REDEEMABLE = timedelta(days=7)
SHORTEST_ACCESS, LONGEST_ACCESS = timedelta(minutes=5), timedelta(days=365)
LONGEST_FACILITY_CODE = 20
LONGEST_PIN = 16
_VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")


def _secrets(vault: Vault, *, code_id: str, key: str, has_pin: bool) -> tuple[str, str | None]:
    code = code_from(vault.derivation.material("share-code", code_id, key))
    if not has_pin:
        return code, None
    number = int.from_bytes(vault.derivation.material("share-pin", code_id, key, length=16))
    return code, f"{number % 10**PIN_DIGITS:0{PIN_DIGITS}d}"


def _lookup(vault: Vault, code: str) -> bytes:
    return vault.index.of(code, kind="SHARE_CODE")


def _minutes(minutes: int, *, shortest: timedelta, longest: timedelta, name: str) -> int:
    if not shortest <= timedelta(minutes=min(max(minutes, 0), 10**6)) <= longest:
        low, high = int(shortest.total_seconds()) // 60, int(longest.total_seconds()) // 60
        raise Invalid(Text(f"{name} phải từ {low} đến {high} phút.", f"{name} must be {low} to {high} minutes."))
    return minutes


async def create(
    session: Session,
    *,
    key: str,
    citizen_id: str | None,
    scope: Scope,
    purpose: str,
    redeemable_minutes: int,
    access_minutes: int,
    with_pin: bool,
    context: Context,
) -> Told:
    """Make a share code of one's own book, or of a person's whom one represents.

    :raises Invalid: when a time is out of bounds, or the scope is none
    :raises NotFound: when the book is not theirs to share, or a record is not in it
    :raises StepUpRequired: without a fresh second factor
    :raises Conflict: when three codes are live, or sharing is frozen
    """
    _minutes(redeemable_minutes, shortest=timedelta(minutes=1), longest=LONGEST_REDEEMABLE, name="redeemableMinutes")
    _minutes(access_minutes, shortest=SHORTEST_ACCESS, longest=LONGEST_ACCESS, name="accessMinutes")
    target = known_id_if_any(citizen_id)
    records = some_records(scope)
    if records and not await sql.are_records(session, target=target, records=records):
        raise NotFound
    code_id = str(context.new_id())
    has_pin = with_pin or timedelta(minutes=redeemable_minutes) > LONGEST_WITHOUT_PIN
    code, pin = _secrets(context.house.vault, code_id=code_id, key=key, has_pin=has_pin)
    until = await sql.made_code(
        session,
        code_id=UUID(code_id),
        target=target,
        lookup=_lookup(context.house.vault, code),
        proof=await hashing.hashed(code + (pin or "")),
        has_pin=has_pin,
        purpose=purpose,
        scope=scope,
        redeemable_minutes=redeemable_minutes,
        access_minutes=access_minutes,
    )
    kept = {
        "code_id": code_id,
        "has_pin": has_pin,
        "redeemable_until": until.isoformat(),
        "printed_until": until.astimezone(_VIET_NAM).strftime("%H:%M %d/%m/%Y"),
    }
    return Told(kept=kept, secret=shown_again(key=key, kept=kept, context=context))


def shown_again(*, key: str, kept: Any, context: Context) -> dict[str, Any]:
    """Return what a code's maker is shown: the code in its four forms, and the PIN."""
    has_pin = kept["has_pin"]
    code, pin = _secrets(context.house.vault, code_id=kept["code_id"], key=key, has_pin=has_pin)
    return {
        "code": shown(code),
        "pin": pin,
        "qr_svg": qr_svg(shown(code)),
        "spoken": spoken(code),
        "slip": printing.slip_html(code, until=kept["printed_until"], has_pin=has_pin),
    }


async def cancel(session: Session, *, code_id: str) -> Told:
    """Cancel a code; one that was redeemed loses its grant.

    :raises NotFound: when it is not theirs
    """
    cancelled = known_id(code_id)
    grant_id = await sql.cancelled_code(session, code_id=cancelled)
    return Told(kept={"code_id": str(cancelled), "grant_id": None if grant_id is None else str(grant_id)})


async def count_try(session: Session, *, key: str, typed: str, facility_code: str, context: Context) -> Try | None:
    """Count a try before it is judged; nothing for what is no code at all, which is no guess.

    :raises NotFound: when the caller is no practitioner
    :raises RateLimited: when they failed too often; the code is not touched then
    """
    try:
        code = read_code(typed)
    except BadCode:
        return None
    tried = await sql.counted_try(
        session,
        try_id=context.new_id(),
        key=key,
        lookup=_lookup(context.house.vault, code),
        facility_code=facility_code[:LONGEST_FACILITY_CODE],
    )
    if tried.wait_seconds is not None:
        raise RateLimited(retry_after_seconds=tried.wait_seconds)
    return tried


async def prove(*, typed: str, pin: str | None, tried: Try | None) -> Try | None:
    """Check code and PIN; it is as slow where there is no such code, and holds no connection."""
    if tried is None:
        return None
    return replace(
        tried, is_proved=await hashing.is_proved(read_code(typed) + (pin or "")[:LONGEST_PIN], by=tried.proof)
    )


async def redeem(
    session: Session,
    *,
    key: str,
    facility_code: str,
    purpose: str,
    tried: Try | None,
    context: Context,
) -> Told | Remembered:
    """Redeem a code for a grant; whatever is wrong, it is refused alike after as long, and the try stays counted."""
    grant_id = None
    if tried is not None and tried.is_proved:
        grant_id = await sql.redeemed_grant(
            session, key=key, tried=tried, facility_code=facility_code, purpose=purpose, grant_id=context.new_id()
        )
    if grant_id is None:
        return Remembered(Refused())
    return Told(kept={"grant_id": str(grant_id)})
