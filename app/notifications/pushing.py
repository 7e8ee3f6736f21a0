"""Sends notices to their persons' phones: at least once each, the same id every time, checked again before they go."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

import orjson

from app.core.context import run_step
from app.core.crypto import Place, SealBroken, Vault
from app.core.db import Engine
from app.core.defects import report_defect
from app.core.errors import Unavailable
from app.core.ids import new_jitter
from app.core.logs import log
from app.notifications import sql
from app.notifications.fcm import SEND_SECONDS, Message, Outcome, Pusher, Result, is_ours
from app.notifications.kinds import NoticeClass
from app.notifications.messages import push_words
from app.notifications.sql import Reached

HOLD = timedelta(seconds=SEND_SECONDS + 5)
"""So long after a worker died, or could not write what became of them, notices are taken by another."""
TARGET = ("notice.push_target", "sealed")
_BROKEN = Result(outcome=Outcome.GONE, reason="SealBroken")


async def take(*, engine: Engine, most: int) -> list[Reached]:
    """Take notices that are due in hand, and return the phones that they have to reach. `send` sends them."""
    return await run_step(engine, partial(sql.take_pushes, most=most, hold=HOLD))


async def send(reached: Sequence[Reached], *, engine: Engine, vault: Vault, pusher: Pusher) -> int:
    """Send to phones that were taken; returns how many still wait: their notices are due again."""
    found = [(one, _message(one, vault=vault)) for one in reached]
    messages = [message for _, message in found if message is not None]
    results = iter(await pusher.send(messages) if messages else [])
    ended = [(one, _BROKEN if message is None else next(results)) for one, message in found]
    for reason in {result.reason for _, result in ended if is_ours(result.reason)}:
        log.error("the push service refuses our credentials", reason=reason)
    by_notice = groupby(sorted(ended, key=_notice_of), key=_notice_of)
    await _settle([_settled(notice_id, list(of_it)) for notice_id, of_it in by_notice], engine=engine)
    return sum(result.outcome is Outcome.WAITING for _, result in ended)


async def _settle(settled: Sequence[dict[str, Any]], *, engine: Engine) -> None:
    """Write what became of notices; where that fails, of each alone: one must not make the others ring again."""
    try:
        await run_step(engine, partial(sql.settle_pushes, settled=orjson.dumps(settled, default=str).decode()))
    except Unavailable:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is of one of them, it is not of the others
        report_defect(error, request_id="settle")
        for one in settled if len(settled) > 1 else ():
            await _settle([one], engine=engine)


def _notice_of(ended: tuple[Reached, Result]) -> UUID:
    return ended[0].notice_id


def _settled(notice_id: UUID, ended: Sequence[tuple[Reached, Result]]) -> dict[str, Any]:
    """Return what became of a notice on each phone, and in how many seconds that phone is tried again."""
    targets = [
        {
            "target": one.target_id,
            "state": result.outcome,
            "reason": result.reason,
            "registered_at": one.registered_at,
            "later": _later(one, result) if result.outcome is Outcome.WAITING else None,
        }
        for one, result in ended
    ]
    return {"notice": notice_id, "targets": targets}


def _later(one: Reached, result: Result) -> float:
    own = backoff(one.attempts, jitter=new_jitter())
    return max(own, result.retry_after or own).total_seconds()


def _message(one: Reached, *, vault: Vault) -> Message | None:
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
        notice_id=one.notice_id,
        thread=one.thread,
        urgent=of is NoticeClass.EMERGENCY,
        until=one.until,
        worth=one.worth,
    )


def backoff(attempts: int, *, jitter: float) -> timedelta:
    """Return how long to wait after so many tries: 10 seconds, doubled twice at most, give or take a quarter.

    So a service that is well again has everything within a minute. `jitter` lies between 0 and 1.
    """
    seconds = 10 * 2 ** min(attempts, 2)
    return timedelta(seconds=seconds * (0.75 + jitter / 2))
