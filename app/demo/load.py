"""Push the demo's messages as the three hospitals would, and wait until every one is filed."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar
from uuid import UUID

from app.connector import HospitalClient
from app.demo.messages import DemoMessage, year_messages
from app.demo.people import DEFAULT_SEED, Citizen, citizen
from app.demo.standing import standing_messages

CONCURRENCY = 8
CHUNK = 50
"""So many citizens' messages are in memory at once."""
CONCLUSION_SECONDS = 600.0
"""How long one message may stay undecided while all others are worked through."""

_NOTE = "NOTES"  # an effect that corrects nothing

Item = TypeVar("Item")
Outcome = TypeVar("Outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadProblem:
    """Something that a receipt complains about."""

    facility_code: str
    message_id: UUID
    code: str
    vi: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What became of the demo's messages."""

    messages: int
    visits: int
    filed: int
    partly: int
    quarantined: int
    rejected: int
    problems: tuple[LoadProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sent:
    facility_code: str
    message_id: UUID


async def load(
    client_for: Callable[[str], HospitalClient],
    *,
    citizens: int,
    today: date,
    progress: Callable[[int, int], None],
    seed: int = DEFAULT_SEED,
) -> LoadReport:
    """Push a year of messages about citizens 1 to `citizens` and wait for their receipts.

    `progress` gets the concluded messages and all messages; the latter is an estimate until the last CHUNK of
    citizens. A second run on the same day changes nothing, since the same bytes give the same receipts; on a
    later day visits are sent again with their later dates and replace the earlier.

    :raises ConnectorError: when a hospital's call fails for good
    """
    done, made, visits = 0, 0, 0
    statuses: Counter[str] = Counter()
    problems: list[LoadProblem] = []

    async def push(message: DemoMessage) -> _Sent:
        kept = await client_for(message.facility_code).send(message.body)
        return _Sent(facility_code=message.facility_code, message_id=UUID(str(kept["messageId"])))

    async def conclude(sent: _Sent) -> None:
        nonlocal done
        receipt = await client_for(sent.facility_code).wait(sent.message_id, CONCLUSION_SECONDS)
        statuses[str(receipt["status"])] += 1
        problems.extend(_problems(sent, receipt))
        done += 1
        progress(done, made + made * (citizens - last) // last)

    for first in range(1, citizens + 1, CHUNK):
        last = min(first + CHUNK - 1, citizens)
        people = tuple(citizen(number, seed=seed) for number in range(first, last + 1))
        messages = await asyncio.to_thread(demo_messages, people, today=today, seed=seed)
        made += len(messages)
        visits += sum(len(message.visit_ids) for message in messages)
        await _at_once(conclude, await _at_once(push, messages))
    return LoadReport(
        messages=made,
        visits=visits,
        filed=statuses["filed"],
        partly=statuses["partly"],
        quarantined=statuses["quarantined"],
        rejected=statuses["rejected"],
        problems=tuple(problems),
    )


def demo_messages(people: Sequence[Citizen], *, today: date, seed: int = DEFAULT_SEED) -> tuple[DemoMessage, ...]:
    """Return all messages about these people: a year of visits, then what stands beside them."""
    return (*year_messages(people, today=today, seed=seed), *standing_messages(people, today=today))


async def _at_once(work: Callable[[Item], Awaitable[Outcome]], items: Sequence[Item]) -> tuple[Outcome, ...]:
    """Work through the items, CONCURRENCY at a time; outcomes stand in the order of the items."""
    outcomes: dict[int, Outcome] = {}
    waiting = iter(enumerate(items))

    async def take() -> None:
        for position, item in waiting:
            outcomes[position] = await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(take())
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures
    return tuple(outcomes[position] for position in range(len(items)))


def _problems(sent: _Sent, receipt: dict[str, Any]) -> list[LoadProblem]:
    listed = [*receipt.get("problems", ())]
    for visit in receipt.get("visits", ()):
        listed.extend(visit.get("problems", ()))
    return [
        LoadProblem(
            facility_code=sent.facility_code,
            message_id=sent.message_id,
            code=str(problem["code"]),
            vi=str(problem["vi"]),
            en=str(problem["en"]),
        )
        for problem in listed
        if problem.get("effect") != _NOTE
    ]
