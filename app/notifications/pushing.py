"""Sends a notice to its person's phones: at least once each, the same id every time, checked again before it goes."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import structlog

from app.core.context import run_step
from app.core.crypto import Place, SealBroken, Vault
from app.core.db import Engine
from app.core.ids import new_jitter
from app.notifications import sql
from app.notifications.fcm import Message, Outcome, Pusher, Result, is_ours
from app.notifications.kinds import NoticeClass
from app.notifications.messages import push_words
from app.notifications.sql import Reached

log = structlog.get_logger()

HOLD = timedelta(seconds=60)
TARGET = ("notice.push_target", "sealed")
WORTH = timedelta(hours=24)


async def push(notice_id: UUID, *, engine: Engine, vault: Vault, pusher: Pusher) -> int:
    """Send one notice; returns how many phones it still has to reach. What waits is enqueued again."""
    reached = await run_step(engine, partial(sql.take_push, notice_id=notice_id, hold=HOLD))
    if not reached:
        return 0
    if reached[0].wait_seconds is not None:
        return await _settle(engine, notice_id, [], later=timedelta(seconds=reached[0].wait_seconds))
    messages = [_message(one, notice_id=notice_id, vault=vault) for one in reached]
    results = await pusher.send([one for one in messages if one is not None])
    by_target = {one.target_id: result for one, result in zip([m for m in messages if m], results, strict=True)}
    broken = Result(outcome=Outcome.GONE, reason="SealBroken")
    settled = [_settled(one, by_target.get(one.target_id or notice_id, broken)) for one in reached]
    for result in by_target.values():
        if is_ours(result.reason):
            log.error("the push service refuses our credentials", reason=result.reason)
    waits = [one for one in by_target.values() if one.outcome is Outcome.WAITING]
    asked = [one.retry_after for one in waits if one.retry_after is not None]
    pause = max([backoff(max(one.attempts for one in reached), jitter=new_jitter()), *asked])
    return await _settle(engine, notice_id, settled, later=pause if waits else None)


async def _settle(
    engine: Engine, notice_id: UUID, settled: Sequence[dict[str, Any]], *, later: timedelta | None
) -> int:
    step = partial(
        sql.settle_push, notice_id=notice_id, settled=orjson.dumps(list(settled), default=str).decode(), later=later
    )
    return await run_step(engine, step)


def _message(one: Reached, *, notice_id: UUID, vault: Vault) -> Message | None:
    if one.target_id is None:
        return None
    table, column = TARGET
    try:
        address = vault.sealer.open(one.sealed, place=Place(table=table, column=column, row_id=one.target_id)).decode()
    except SealBroken:
        return None
    of = NoticeClass(one.class_)
    return Message(
        target_id=one.target_id,
        kind=one.kind,
        address=address,
        words=push_words(of, language=one.language),
        notice_id=notice_id,
        thread=one.thread,
        urgent=of is NoticeClass.EMERGENCY,
        worth=WORTH,
    )


def _settled(one: Reached, result: Result) -> dict[str, Any]:
    return {
        "target": one.target_id,
        "state": result.outcome,
        "reason": result.reason,
        "registered_at": one.registered_at,
    }


def backoff(attempts: int, *, jitter: float) -> timedelta:
    """Return how long to wait after so many tries: 10 seconds, doubled each time up to an hour, give or take a quarter.

    `jitter` lies between 0 and 1.
    """
    seconds = min(10 * 2 ** min(attempts, 9), 3600)
    return timedelta(seconds=seconds * (0.75 + jitter / 2))
