"""From a kept message to filed records and a receipt.

One message is one transaction: it is filed and concluded together, or not at all, and taken again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

import orjson

from app.core.crypto import Vault
from app.core.db import Session
from app.core.ids import new_id
from app.ingestion import bundle_filing, bundle_judging, in_hand, judging, matching, qd4750, splitting, sql, withdrawing
from app.ingestion.fhir import FhirMessage
from app.ingestion.formats import Reading
from app.ingestion.kept import open_message
from app.ingestion.readers import Reader, ReaderStopped, read_here
from app.ingestion.verdict import (
    MessageVerdict,
    RecordChange,
    RecordVerdict,
    VisitStatus,
    VisitVerdict,
    judged,
    verdict_body,
    visit_status,
)
from app.records import filing, resending

_NOT_READ: Final = {withdrawing.FORMAT: withdrawing.process, splitting.FORMAT: splitting.process}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """A message in hand."""

    session: Session
    message_id: UUID
    facility_code: str
    source: filing.Source
    vault: Vault
    new_id: Callable[[], UUID]
    follows: bool  # the facility may send again what rests under other ids


async def process_message(
    session: Session,
    *,
    message_id: UUID,
    vault: Vault,
    now: datetime,
    read: Reader = read_here,
    found: Reading | ReaderStopped | None = None,
) -> str | None:
    """File one message and conclude it; returns its status, or nothing when there is nothing to do.

    `found` is what reading it has given, where that was done before.

    :raises SealBroken: when the kept bytes do not open; the message stays as it is
    """
    taken = await sql.take_message(session, message_id=message_id)
    if taken is None:
        return None
    if process := _NOT_READ.get(taken.format):
        body = open_message(taken.body, message_id=message_id, sealer=vault.sealer)
        ids = partial(new_id, now=now)
        verdict = await process(session, message_id=message_id, taken=taken, body=body, new_id=ids)
    else:
        if found is None:
            found = await _read(taken, message_id=message_id, vault=vault, read=read)
        verdict = await _verdict(session, message_id=message_id, taken=taken, found=found, vault=vault, now=now)
    text = orjson.dumps(verdict_body(verdict)).decode()
    await sql.conclude_message(session, message_id=message_id, status=verdict.status, verdict=text)
    return verdict.status


async def _read(taken: sql.TakenMessage, *, message_id: UUID, vault: Vault, read: Reader) -> Reading | ReaderStopped:
    try:
        return await read(open_message(taken.body, message_id=message_id, sealer=vault.sealer))
    except ReaderStopped as stopped:
        return stopped


async def _verdict(
    session: Session,
    *,
    message_id: UUID,
    taken: sql.TakenMessage,
    found: Reading | ReaderStopped,
    vault: Vault,
    now: datetime,
) -> MessageVerdict:
    if isinstance(found, ReaderStopped):
        return judging.unreadable(tries=found.tries)
    if isinstance(found, FhirMessage):
        return await _file_bundle(session, message_id, taken=taken, message=found, vault=vault, now=now)
    message = found
    verdict = judging.judge_reading(message, facility_code=taken.facility_code, now=now, received_at=taken.received_at)
    if visit_status(verdict.problems) is not VisitStatus.FILED:
        return verdict
    source = filing.Source(
        message_id=message_id,
        facility_code=taken.facility_code,
        source_version="" if message.issued_on is None else message.issued_on.isoformat(),
        standard_version="",
        made=judging.made_on(message, received_at=taken.received_at),
        received_at=taken.received_at,
    )
    work = _Work(
        session=session,
        message_id=message_id,
        facility_code=taken.facility_code,
        source=source,
        vault=vault,
        new_id=partial(new_id, now=now),
        follows=taken.follows,
    )
    visits = await _file(work, message=message, visits=verdict.visits)
    return judged(visits=visits, problems=verdict.problems, signature=verdict.signature)


async def _file_bundle(
    session: Session, message_id: UUID, *, taken: sql.TakenMessage, message: FhirMessage, vault: Vault, now: datetime
) -> MessageVerdict:
    judged_so_far = bundle_judging.judge_bundle(message, facility_code=taken.facility_code, now=now)
    source = filing.Source(
        message_id=message_id,
        facility_code=taken.facility_code,
        source_version="" if message.issued_on is None else message.issued_on.isoformat(),
        standard_version="",
        made=bundle_judging.made_on(message, received_at=taken.received_at),
        received_at=taken.received_at,
    )
    work = in_hand.open_bundle(
        session,
        message=message,
        judged=judged_so_far,
        source=source,
        vault=vault,
        new_id=partial(new_id, now=now),
        follows=taken.follows,
    )
    return await bundle_filing.file_bundle(work, judged=judged_so_far)


async def _file(work: _Work, *, message: qd4750.Message, visits: tuple[VisitVerdict, ...]) -> tuple[VisitVerdict, ...]:
    verdicts = list(visits)
    matches: dict[int, UUID] = {}
    places = _in_order(message, visits=visits)
    opened = False
    for position in places:
        arrival = message.visits[position].arrival
        if arrival is None:
            continue
        opened = len(places) == 1 and not arrival.births
        match = await matching.match_person(
            work.session,
            message_id=work.message_id,
            position=position,
            facility_code=work.facility_code,
            visit_source_id=arrival.source_id,
            person=arrival.person,
            vault=work.vault,
            new_id=work.new_id,
            opens=opened,
        )
        if match.citizen_id is None:
            verdicts[position] = judging.waiting(verdicts[position], reason=match.outcome)
        else:
            matches[position] = match.citizen_id
        for birth in arrival.births:
            await matching.register_birth(
                work.session,
                message_id=work.message_id,
                facility_code=work.facility_code,
                visit_of=match.citizen_id,
                birth=birth,
                vault=work.vault,
                new_id=work.new_id,
            )
    if matches and not opened:
        await sql.open_filing(work.session, message_id=work.message_id)
    for position, citizen_id in sorted(matches.items()):
        verdicts[position] = await _file_visit(
            work, reading=message.visits[position], citizen_id=citizen_id, verdict=verdicts[position]
        )
    return tuple(verdicts)


def _in_order(message: qd4750.Message, *, visits: tuple[VisitVerdict, ...]) -> list[int]:
    """Return the places of the visits to be filed: a newborn without a number after its mother."""
    places = [place for place, verdict in enumerate(visits) if verdict.status is VisitStatus.FILED]

    def has_no_number(place: int) -> bool:
        arrival = message.visits[place].arrival
        return arrival is not None and not matching.numbers_of(arrival.person)

    return sorted(places, key=has_no_number)


async def _file_visit(
    work: _Work, *, reading: qd4750.VisitReading, citizen_id: UUID, verdict: VisitVerdict
) -> VisitVerdict:
    arrival = reading.arrival
    if arrival is None:
        return verdict
    source = replace(work.source, standard_version=arrival.standard_version)
    if work.follows:
        home = await resending.home_of_visit(work.session, citizen_id=citizen_id, arrival=arrival, source=source)
        if home.waits:
            return judging.waiting(verdict, reason=judging.WHY_IT_WAITS[home.outcome])
        if home.source_id != arrival.source_id:
            verdict = judging.same_visit(verdict, known_as=home.source_id, field="MA_LK")
        arrival = replace(arrival, source_id=home.source_id)
        source = replace(source, facility_code=home.facility_code)
    records = await filing.file_visit(
        work.session, citizen_id=citizen_id, arrival=arrival, source=source, vault=work.vault, new_id=work.new_id
    )
    return replace(verdict, records=(*_records(records), *verdict.records))


def _records(filed: tuple[filing.FiledRecord, ...]) -> tuple[RecordVerdict, ...]:
    return tuple(
        RecordVerdict(kind=record.kind, key=record.key, change=RecordChange(record.change.lower())) for record in filed
    )
