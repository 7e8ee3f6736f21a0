"""SQL of second factors and of sessions that their person ends. The functions stand in sql/*.sql."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import LargeBinary, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY

from app.core.db import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """A counted try of a factor, or how long the factor is locked; `seconds` is the database's time."""

    id: UUID | None
    sealed: bytes | None = field(repr=False)
    seconds: float | None
    wait_seconds: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingFactor:
    """A factor that waits for its first code."""

    id: UUID
    sealed: bytes = field(repr=False)
    seconds: float


async def begin_factor(session: Session, *, factor_id: UUID, sealed: bytes) -> None:
    """Keep a new factor until it is confirmed.

    :raises StepUpRequired: when the person has one and did not step up by it
    :raises SignInAgain: when it is the first and the session is not fresh
    """
    query = text("SELECT auth.begin_factor(:factor_id, :sealed)")
    await session.execute(query, {"factor_id": factor_id, "sealed": sealed})


async def pending_factor(session: Session) -> PendingFactor | None:
    """Return the factor that this session enrolled and did not confirm yet."""
    row = (await session.execute(text("SELECT id, sealed, seconds FROM auth.pending_factor()"))).one()
    return None if row.id is None else PendingFactor(**row._asdict())


async def confirm_factor(session: Session, *, factor_id: UUID, step: int, hashes: Sequence[bytes]) -> bool:
    """Let a factor replace the one before; false when it is not there any more."""
    query = text("SELECT auth.confirm_factor(:factor_id, :step, :hashes)").bindparams(
        bindparam("hashes", type_=ARRAY(LargeBinary))
    )
    return bool(await session.scalar(query, {"factor_id": factor_id, "step": step, "hashes": list(hashes)}))


async def count_try(session: Session) -> Try:
    """Count a try before it is judged.

    :raises SignInAgain: when the factor is off
    """
    row = (await session.execute(text("SELECT id, sealed, seconds, wait_seconds FROM auth.count_try()"))).one()
    return Try(**row._asdict())


async def settle_try(
    session: Session,
    *,
    token: str,
    proof_key: bytes | None,
    factor_id: UUID,
    step: int | None,
    recovery: bytes | None,
    action: str,
    life: timedelta,
) -> datetime | None:
    """Say, as `porter`, what a counted try of a session was; until when its factor is fresh, or nothing."""
    query = text("SELECT auth.settle_try(:token, :proof_key, :factor_id, :step, :recovery, :action, :life)")
    values = {
        "token": token,
        "proof_key": proof_key,
        "factor_id": factor_id,
        "step": step,
        "recovery": recovery,
        "action": action,
        "life": life,
    }
    found: datetime | None = await session.scalar(query, values)
    return found


async def end_own_session(session: Session, *, session_id: UUID) -> bool:
    """End a session of the signed-in person; false when it is none of theirs.

    :raises StepUpRequired: when it is another one than this, and this one is neither fresh nor stepped up
    """
    return bool(await session.scalar(text("SELECT auth.end_own_session(:id)"), {"id": session_id}))


async def end_other_sessions(session: Session) -> int:
    """End all sessions of the signed-in person but this one; returns how many.

    :raises StepUpRequired: as above
    """
    return int(await session.scalar(text("SELECT auth.end_other_sessions()")) or 0)


async def name_device(session: Session, *, session_id: UUID, name: str) -> bool:
    """Name the device of a session of the signed-in person; false when there is none."""
    query = text("SELECT auth.name_device(:id, :name)")
    return bool(await session.scalar(query, {"id": session_id, "name": name}))
