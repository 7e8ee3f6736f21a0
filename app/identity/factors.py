"""Second factors of people: enrolled, confirmed, shown again before an action.

A try is counted in a transaction of its own before it is judged, and judged by the database's time.
Source: RFC 6238; NIST SP 800-63B section 5.2.2; security.md B111 to B120, E.4.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from app.core.context import Context, run_step
from app.core.crypto import Place
from app.core.db import Session
from app.core.deeds import Remembered, Told
from app.core.errors import AppError, Conflict, RateLimited, Refused, Text
from app.core.ids import new_secret
from app.core.qr import qr_svg
from app.identity import factor_sql, totp
from app.identity.factor_sql import Try
from app.identity.step_up import StepUpAction

_NOTHING_TO_CONFIRM = Text(
    "Không có mã xác thực nào đang chờ xác nhận trong phiên này. Hãy bắt đầu lại bằng enrolTotp.",
    "No factor waits for confirmation in this session. Begin again with enrolTotp.",
)
_WRONG_CODE = Text("Mã không đúng hoặc đã được dùng.", "The code is wrong or was used.")
_LOCKED = Text("Nhập sai quá nhiều lần. Vui lòng thử lại sau.", "Too many wrong codes. Please try again later.")


async def enrol(session: Session, *, context: Context) -> Told:
    """Give the signed-in person a new factor, told once; it is of no use before `confirm`.

    :raises StepUpRequired: when the person has a factor and did not step up by it
    :raises SignInAgain: when it is the first and the session is not fresh
    """
    factor_id = context.new_id()
    secret = totp.secret_from(base64.urlsafe_b64decode(new_secret() + "="))
    sealed = context.house.vault.sealer.seal(secret, place=_place(factor_id))
    await factor_sql.begin_factor(session, factor_id=factor_id, sealed=sealed)
    uri = totp.otpauth_uri(secret, account=f"sokhoe-{factor_id.hex[-6:]}")
    told = {"secret": base64.b32encode(secret).decode("ascii"), "uri": uri, "qr": qr_svg(uri)}
    return Told(kept={"factor": str(factor_id)}, secret=told)


async def confirm(session: Session, *, code: str, context: Context) -> Told:
    """Let a new factor replace the one before, once its first code is right; tells the recovery codes.

    :raises Conflict: when this session has nothing to confirm
    :raises Refused: for a wrong code
    """
    pending = await factor_sql.pending_factor(session)
    if pending is None:
        raise Conflict(_NOTHING_TO_CONFIRM)
    secret = context.house.vault.sealer.open(pending.sealed, place=_place(pending.id))
    step = totp.matching_step(secret, code, seconds=pending.seconds)
    if step is None:
        raise Refused(_WRONG_CODE)
    kept, derive = {"factor": str(pending.id)}, context.house.vault.derivation.secret
    told = tell_recovery_codes(kept=kept, context=context)
    hashes = [totp.recovery_hash(kept["factor"], one, derive=derive) or b"" for one in told["recovery_codes"]]
    if not await factor_sql.confirm_factor(session, factor_id=pending.id, step=step, hashes=hashes):
        raise Conflict(_NOTHING_TO_CONFIRM)
    return Told(kept=kept, secret=told)


def tell_recovery_codes(*, kept: dict[str, Any], context: Context) -> dict[str, list[str]]:
    """Return the recovery codes of a factor: they follow from its id."""
    codes = totp.recovery_codes(str(kept["factor"]), derive=context.house.vault.derivation.secret)
    return {"recovery_codes": list(codes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a counted try was: until when the factor is fresh, or why not."""

    until: datetime | None = None
    refusal: AppError | None = None


async def judge(*, counted: Try, action: StepUpAction, code: str, context: Context) -> Judged:
    """Make this session's factor fresh for an action by a one-time or recovery code, which is used up by that.

    Refuses alike for a wrong code, a used one and a person without a factor.
    """
    if counted.wait_seconds is not None:
        return Judged(refusal=RateLimited(_LOCKED, retry_after_seconds=counted.wait_seconds))
    if counted.id is None or counted.sealed is None or counted.seconds is None:
        return Judged(refusal=Refused(_WRONG_CODE))
    vault = context.house.vault
    step, recovery = None, None
    if totp.is_code(code):
        secret = vault.sealer.open(counted.sealed, place=_place(counted.id))
        step = totp.matching_step(secret, code, seconds=counted.seconds)
    else:
        recovery = totp.recovery_hash(str(counted.id), code, derive=vault.derivation.secret)
    settle = partial(
        factor_sql.settle_try,
        token=context.token or "",
        proof_key=context.proof_key,
        factor_id=counted.id,
        step=step,
        recovery=recovery,
        action=action.value,
        life=timedelta(seconds=context.house.settings.step_up_seconds),
    )
    until = await run_step(context.house.porter, settle)
    return Judged(refusal=Refused(_WRONG_CODE)) if until is None else Judged(until=until)


def tell(judged: Judged, *, action: StepUpAction) -> Told | Remembered:
    """Tell what a try was."""
    if judged.until is None:
        return Remembered(judged.refusal or Refused(_WRONG_CODE))
    return Told(kept={"action": action.value, "until": judged.until.isoformat()})


def _place(factor_id: UUID) -> Place:
    return Place(table="auth.factor", column="sealed", row_id=factor_id)
