"""An event becomes notices: who is told, in which words, and when their phones may ring."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from app.core.clock import VIETNAM_TIME
from app.core.db import Session
from app.core.ids import new_id
from app.core.logs import log
from app.notifications import sql
from app.notifications.kinds import RULES, Rule, rule_of
from app.notifications.messages import LANGUAGES, words_of
from app.notifications.quiet import QuietHours
from app.notifications.sql import Recipient


async def tell_waiting(session: Session, *, most: int) -> int:
    """Tell the oldest events that wait; returns how many they were."""
    taken = await sql.take_events(session, most=most)
    if taken:
        await tell(session, event_ids=taken)
    return len(taken)


async def tell(session: Session, *, event_ids: Sequence[UUID], now: datetime | None = None) -> int:
    """Tell everybody whom events concern, once; returns how many notices are new.

    `now` is the database's when it is left out: the queue waits by that clock, and a worker's own may be wrong.
    """
    now = now or await sql.present(session)
    notices = []
    for recipient in await sql.events_to_tell(session, event_ids=event_ids):
        rule = rule_of(recipient.kind)
        if recipient.kind not in RULES:
            log.error("an event without words", kind=recipient.kind)
        if recipient.person != recipient.about_id and not rule.dependants:
            continue
        notices.append(_notice(recipient, rule=rule, now=now))
    return await sql.tell(session, notices=orjson.dumps(notices, default=str).decode()) if notices else 0


def _notice(recipient: Recipient, *, rule: Rule, now: datetime) -> dict[str, Any]:
    push_at = _push_at(recipient, rule=rule, now=now)
    words = {language: words_of(recipient.kind, facts=_facts(recipient), language=language) for language in LANGUAGES}
    return {
        "id": new_id(now=now),
        "event_id": recipient.event_id,
        "citizen_id": recipient.person,
        "about_id": recipient.about_id,
        "kind": recipient.kind,
        "class": rule.of,
        "thread": _thread(recipient, rule=rule),
        "about": recipient.about,
        **{f"title_{language}": said.title for language, said in words.items()},
        **{f"text_{language}": said.text for language, said in words.items()},
        "happened_at": recipient.happened_at,
        "push_at": push_at,
        "push_until": None if push_at is None else _push_until(recipient, rule=rule, push_at=push_at),
        "try_at": push_at,
    }


def _push_at(recipient: Recipient, *, rule: Rule, now: datetime) -> datetime | None:
    if rule.is_urgent:
        return now
    if rule.of in recipient.muted:
        return None
    if not recipient.is_quiet:
        return now
    return QuietHours(start=recipient.quiet_from, end=recipient.quiet_until).next_moment(now)


def _push_until(recipient: Recipient, *, rule: Rule, push_at: datetime) -> datetime:
    """Return until when it is of use on a phone: a reminder, until what it reminds of begins."""
    until = push_at + rule.worth
    if recipient.kind != "APPOINTMENT_DUE" or recipient.starts_at is None:
        return until
    return min(until, recipient.starts_at)


def _thread(recipient: Recipient, *, rule: Rule) -> str:
    subject = recipient.about.get(rule.subject or "", recipient.event_id)
    return f"{rule.of}:{subject}"


def _facts(recipient: Recipient) -> dict[str, str]:
    facts = {} if recipient.facility is None else {"facility": recipient.facility}
    if "reason" in recipient.about:
        facts["reason"] = str(recipient.about["reason"])
    if "on" in recipient.about:
        facts["day"] = f"{date.fromisoformat(recipient.about['on']):%d/%m/%Y}"
    if recipient.starts_at is not None:
        local = recipient.starts_at.astimezone(VIETNAM_TIME)
        facts |= {"day": f"{local:%d/%m/%Y}", "time": f"{local:%H:%M}"}
    return facts
