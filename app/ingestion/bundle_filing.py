"""From a FHIR message that was read to filed records, entry by entry; in the transaction that concludes the message."""

from dataclasses import replace
from typing import Final
from uuid import UUID

from app.ingestion import bundle_judging, judging, matching, resources, sql, waiting
from app.ingestion.fhir import EntryReading, EntryUse, FhirMessage, UnitReading
from app.ingestion.fhir.results import is_key_of_report
from app.ingestion.fhir.standalone import NOT_TOLD
from app.ingestion.fhir.words import FhirCode
from app.ingestion.in_hand import TEST_REPORT, Bundle
from app.ingestion.names_told import key_of, names_told
from app.ingestion.parts import REPORT, lasting
from app.ingestion.standing import standing
from app.ingestion.verdict import (
    Effect,
    EntryOutcome,
    MessageStatus,
    MessageVerdict,
    Problem,
    RecordChange,
    RecordVerdict,
    VisitStatus,
)
from app.ingestion.whose import is_nameless
from app.records import filing, resending
from app.records.arrivals import VisitArrival
from app.records.clinical import KINDS, AllergyArrival, ClinicalArrival, ConditionArrival, standalone_key
from app.records.coming import APPOINTMENT
from app.records.joins import Joins

VISIT: Final = "VISIT"
ERROR: Final = "entered-in-error"
PATIENT: Final = "Patient"
_ALONE_FROM: Final = 10_000  # places of auth.filing: units, records that stand alone, what is taken back
_BACK_FROM: Final = 20_000
_PARTS: Final = frozenset({"PRESCRIPTION", "TEST_REPORT", VISIT})
_OWN_RECORD: Final = {"Encounter": VISIT, "DiagnosticReport": TEST_REPORT}


async def file_bundle(work: Bundle, *, judged: MessageVerdict) -> MessageVerdict:
    """File what is not to wait, or all or nothing of a transaction, and tell what became of every entry."""
    if any(one.entry is None and one.effect in (Effect.REJECTS, Effect.QUARANTINES) for one in judged.problems):
        return judged
    await waiting.await_names(work)
    work.sent = await resources.sent_before(
        work.session, message_id=work.message_id, names=_asked(work.message), vault=work.vault
    )
    await waiting.forget_others(work)
    await waiting.begin_matching(work)
    for position, unit in enumerate(work.units):
        if work.verdicts[position].status is VisitStatus.FILED:
            await _match(work, position, unit)
    await waiting.note_waits(work)
    backs = await _prepare_backs(work)
    if work.follows and work.citizens:
        await sql.open_filing(work.session, message_id=work.message_id)
        await _find_homes(work)
    if work.message.is_all_or_nothing and _concluded(work, tells=False).status is not MessageStatus.FILED:
        await waiting.unmatch(work)
        return _concluded(work)
    if (work.citizens or backs) and not work.message.is_about_one:
        await sql.open_filing(work.session, message_id=work.message_id)
    for position, citizen_id in work.citizens.items():
        if work.verdicts[position].status is VisitStatus.FILED:
            await _file(work, position, citizen_id)
    for entry, row in backs:
        await _take_back(work, entry, row)
    await _remember(work)
    bundle_judging.tell_apart(work.message, problems=work.problems, found=work.found)
    return _concluded(work)


def _concluded(work: Bundle, *, tells: bool = True) -> MessageVerdict:
    visits, problems = tuple(work.verdicts), tuple(work.problems)
    message = replace(work.message, entries=tuple(work.entries))
    return bundle_judging.concluded(message, visits=visits, problems=problems, outcomes=work.outcomes, tells=tells)


async def _remember(work: Bundle) -> None:
    """Remember what resources became, and withdraw those that were taken back before they came."""
    told = names_told(work)
    for one, rank in await resources.note(work.session, message_id=work.message_id, told=told, vault=work.vault):
        await _take_back_at_once(work, one, rank=rank)
    await resources.note_taken_back(
        work.session,
        message_id=work.message_id,
        names=lasting(name for entry in work.early for name in entry.names),
        rank=work.source.withdrawal_rank(),
        vault=work.vault,
    )


def _asked(message: FhirMessage) -> set[str]:
    """Return every name that is to be looked up: of resources that are not here, and of what is taken back."""
    names = {name for unit in message.units for name in (*unit.patient, *unit.visit)}
    for entry in message.entries:
        names.update(lasting(name for one in entry.referred for name in one.names))
        names.update(lasting(entry.names) if entry.resource == PATIENT else ())
        if entry.kind == TEST_REPORT and entry.unit is not None and message.units[entry.unit].is_of_day:
            names.update(lasting(entry.names))
    return names | {name for entry in message.entries if entry.use is EntryUse.WITHDRAWS for name in entry.names}


async def _match(work: Bundle, position: int, unit: UnitReading) -> None:
    source = _visit_of(work, unit)
    first = next((_key(one) for one in _alone(unit) if not is_nameless(one[1], unit)), None)
    key = source or first or f"PERSON {work.message_id} {position}"
    if unit.visit and source is None:
        return _wait(work, position, FhirCode.VISIT_NOT_KNOWN)
    if unit.person is None:
        citizen_id = await resources.match_sent_patient(
            work.session, message_id=work.message_id, position=position, visit=key, names=unit.patient, vault=work.vault
        )
        if citizen_id is None:
            return _wait(work, position, FhirCode.PATIENT_NOT_KNOWN)
        unit = work.note_person(position, citizen_id)
    else:
        match = await matching.match_person(
            work.session,
            message_id=work.message_id,
            position=position,
            facility_code=work.facility_code,
            visit_source_id=key,
            person=unit.person,
            vault=work.vault,
            new_id=work.new_id,
            opens=work.message.is_about_one,
        )
        if match.citizen_id is None:
            entry = unit.told_by[0] if unit.told_by else None
            work.verdicts[position] = bundle_judging.waiting(work.verdicts[position], reason=match.outcome, entry=entry)
            return None
        unit = work.note_person(position, match.citizen_id)
    if unit.is_of_day and source is not None:
        beside = work.visit_of_results(position, day=source)
        source = await sql.visit_of_day(
            work.session, message_id=work.message_id, position=position, visit=source, beside=beside
        )
        if source == beside:
            unit = work.note_beside(position)
    if (unit.visit or unit.is_of_day) and source is not None:
        work.verdicts[position] = replace(work.verdicts[position], visit=source)
    return await _stand_alone(work, position, unit)


def _visit_of(work: Bundle, unit: UnitReading) -> str | None:
    """Return the visit that a unit belongs to: its own, or one that was sent before, by either door."""
    if unit.source_id is not None:
        return unit.source_id
    known = work.sent.find(unit.visit)
    if known is not None:
        return known.visit_source_id
    return next((visit for name in unit.visit if (visit := resources.visit_named(name)) is not None), None)


async def _stand_alone(work: Bundle, position: int, unit: UnitReading) -> None:
    alone = _alone(unit)
    ids = list(dict.fromkeys(_key(one) for one in alone))
    if not ids:
        return
    taken = await resources.stand_alone(
        work.session,
        message_id=work.message_id,
        first_position=_ALONE_FROM + work.alone,
        citizen_id=work.citizens[position],
        ids=ids,
    )
    work.alone += len(ids)
    work.taken.update(one for one in alone if _key(one) in taken)
    for entry in work.entries_of(position) if taken else ():
        if (entry.kind, entry.key) in work.taken:
            work.outcomes[entry.index] = EntryOutcome.QUARANTINED
            work.problems.append(_of_another(entry.index))


def _of_another(entry: int) -> Problem:
    text = bundle_judging.WAITS["VISIT_OF_ANOTHER_PERSON"]
    return Problem(code="VISIT_OF_ANOTHER_PERSON", effect=Effect.QUARANTINES, vi=text.vi, en=text.en, entry=entry)


def _alone(unit: UnitReading) -> list[tuple[str, str]]:
    """Return kind and id of what stands in a book by itself."""
    clinical = [(str(KINDS[type(one)]), one.source_id) for one in unit.clinical]
    return clinical + [(APPOINTMENT, one.source_id) for one in unit.appointments]


def _key(one: tuple[str, str]) -> str:
    return standalone_key(kind=one[0], source_id=one[1])


def _wait(work: Bundle, position: int, code: FhirCode) -> None:
    verdict = work.verdicts[position]
    entry = next((one.index for one in work.entries_of(position)), None)
    remark = bundle_judging.problem(code, Effect.QUARANTINES, entry=entry, visit=verdict.visit)
    work.verdicts[position] = replace(verdict, status=VisitStatus.QUARANTINED, problems=(*verdict.problems, remark))


async def _find_homes(work: Bundle) -> None:
    for position, citizen_id in work.citizens.items():
        if work.verdicts[position].status is VisitStatus.FILED:
            await _find_home(work, position, citizen_id)


async def _find_home(work: Bundle, position: int, citizen_id: UUID) -> None:
    """Let wait what may be a record that rests under another id, or not."""
    unit, verdict = work.units[position], work.verdicts[position]
    if unit.arrival is not None:
        arrival = replace(unit.arrival, source_id=verdict.visit or unit.arrival.source_id)
        home = await resending.home_of_visit(
            work.session, citizen_id=citizen_id, arrival=arrival, source=work.source, is_final=False
        )
        if home.waits:
            teller = unit.told_by[-1] if unit.told_by else None
            work.verdicts[position] = bundle_judging.waiting(
                verdict, reason=judging.WHY_IT_WAITS[home.outcome], entry=teller
            )
            return
    homes = await resending.homes_of_clinical(
        work.session, citizen_id=citizen_id, arrivals=unit.clinical, source=work.source, is_final=False
    )
    waiting = {
        (str(KINDS[type(one)]), one.source_id): judging.WHY_IT_WAITS[found.outcome]
        for one, found in zip(unit.clinical, homes, strict=True)
        if found is not None and found.waits
    }
    work.taken.update(waiting)
    for entry in work.entries_of(position) if waiting else ():
        reason = waiting.get((str(entry.kind), entry.key or ""))
        if reason is not None:
            work.outcomes[entry.index] = EntryOutcome.QUARANTINED
            work.problems.append(_record_waits(entry.index, reason=reason))


def _record_waits(entry: int, *, reason: str) -> Problem:
    text = bundle_judging.WAITS[reason]
    return Problem(code=reason, effect=Effect.QUARANTINES, vi=text.vi, en=text.en, entry=entry)


async def _file(work: Bundle, position: int, citizen_id: UUID) -> None:
    unit, verdict = work.units[position], work.verdicts[position]
    filed: list[filing.FiledRecord] = []
    renamed: dict[tuple[str, str], str] = {}
    if unit.arrival is not None:
        arrival = replace(unit.arrival, source_id=verdict.visit or unit.arrival.source_id)
        arrival, joins = await _beside(work, position, citizen_id, arrival=arrival)
        source = work.source
        if work.follows:
            arrival, source = await _at_home(work, citizen_id, arrival=arrival, renamed=renamed)
            if arrival.source_id != verdict.visit and verdict.visit is not None:
                verdict = judging.same_visit(verdict, known_as=arrival.source_id, field=None)
        filed += await filing.file_delta(
            work.session,
            citizen_id=citizen_id,
            arrival=arrival,
            joins=joins,
            is_whole=unit.is_whole,
            tells_person=unit.person is not None,
            source=source,
            vault=work.vault,
            new_id=work.new_id,
        )
    clinical = [_dated(work, one) for one in unit.clinical if (KINDS[type(one)], one.source_id) not in work.taken]
    filed += await _file_clinical(work, citizen_id, clinical=clinical, renamed=renamed)
    coming = [one for one in unit.appointments if (APPOINTMENT, one.source_id) not in work.taken]
    filed += await filing.file_appointments(
        work.session, citizen_id=citizen_id, arrivals=coming, source=work.source, new_id=work.new_id
    )
    changes = {(str(one.kind), one.key): one.change for one in filed}
    for entry in work.entries_of(position):
        if entry.use is EntryUse.RECORD:
            if (entry.kind, entry.key) in work.taken:
                continue
            key = key_of(entry, verdict)
            change = changes.get((str(entry.kind), renamed.get((str(entry.kind), key), key)), filing.Change.UNCHANGED)
            work.outcomes[entry.index] = EntryOutcome(change.lower())
    records = tuple(
        RecordVerdict(kind=str(one.kind), key=one.key, change=RecordChange(one.change.lower())) for one in filed
    )
    work.verdicts[position] = replace(verdict, records=(*records, *verdict.records))


async def _beside(
    work: Bundle, position: int, citizen_id: UUID, *, arrival: VisitArrival
) -> tuple[VisitArrival, Joins]:
    """Return a visit whose records stand beside those that other resources told, not in their place."""
    found = await standing(
        work.session,
        entries=work.entries_of(position),
        message_id=work.message_id,
        citizen_id=citizen_id,
        facility_code=work.facility_code,
        visit=arrival.source_id,
        sent=work.sent,
        vault=work.vault,
    )
    work.found |= found.found
    work.to_come |= found.to_come
    for entry in found.left_out:
        work.problems.append(bundle_judging.problem(FhirCode.PARTS_LEFT_OUT, Effect.WARNS, entry=entry.index))
    work.put(found.placed(work.entries[index]) for index in found.keys)
    return found.arrived(arrival)


async def _at_home(
    work: Bundle, citizen_id: UUID, *, arrival: VisitArrival, renamed: dict[tuple[str, str], str]
) -> tuple[VisitArrival, filing.Source]:
    """Return a visit with its attachments under the ids under which they rest."""
    home = await resending.home_of_visit(work.session, citizen_id=citizen_id, arrival=arrival, source=work.source)
    renamed[VISIT, arrival.source_id] = home.source_id
    papers = []
    for paper in arrival.papers:
        homes = await resending.homes_of_documents(
            work.session, citizen_id=citizen_id, documents=paper.documents, visit=home, source=work.source
        )
        pairs = list(zip(paper.documents, homes, strict=True))
        renamed.update({(resending.DOCUMENT, one.key): found.source_id for one, found in pairs})
        documents = tuple(replace(one, key=found.source_id) for one, found in pairs)
        papers.append(replace(paper, documents=documents))
    source = replace(work.source, facility_code=home.facility_code)
    return replace(arrival, source_id=home.source_id, papers=tuple(papers)), source


async def _file_clinical(
    work: Bundle, citizen_id: UUID, *, clinical: list[ClinicalArrival], renamed: dict[tuple[str, str], str]
) -> tuple[filing.FiledRecord, ...]:
    by_facility: dict[str, list[ClinicalArrival]] = {}
    homes: list[resending.Home | None] = [None] * len(clinical)
    if work.follows:
        homes = await resending.homes_of_clinical(
            work.session, citizen_id=citizen_id, arrivals=clinical, source=work.source
        )
    for one, home in zip(clinical, homes, strict=True):
        facility = work.facility_code if home is None else home.facility_code
        if home is not None and home.source_id != one.source_id:
            renamed[str(KINDS[type(one)]), one.source_id] = home.source_id
            by_facility.setdefault(facility, []).append(replace(one, source_id=home.source_id))
        else:
            by_facility.setdefault(facility, []).append(one)
    filed: list[filing.FiledRecord] = []
    for facility, arrivals in by_facility.items():
        filed += await filing.file_clinical(
            work.session,
            citizen_id=citizen_id,
            arrivals=arrivals,
            source=replace(work.source, facility_code=facility),
            new_id=work.new_id,
        )
    return tuple(filed)


def _dated(work: Bundle, one: ClinicalArrival) -> ClinicalArrival:
    """Return a statement that tells no moment as recorded when it was received."""
    if isinstance(one, ConditionArrival | AllergyArrival) and one.recorded_at == NOT_TOLD:
        return replace(one, recorded_at=work.source.received_at)
    return one


async def _prepare_backs(work: Bundle) -> list[tuple[EntryReading, resources.SentResource]]:
    """Find what entries take back, so that open_filing may open the books it stands in."""
    found = []
    for entry in work.entries:
        if entry.use is not EntryUse.WITHDRAWS or await waiting.drop_patient(work, entry):
            continue
        row = work.sent.find(entry.names) or resources.visit_to_take_back(entry)
        row = None if row is not None and row.parts == 0 else row  # a report waits for it: it has not come
        is_part = row is not None and _is_part(entry, row)
        citizen_id = None
        if row is not None and not is_part:
            citizen_id = await resources.prepare_taking_back(
                work.session, message_id=work.message_id, position=_BACK_FROM + entry.index, row=row
            )
        if row is not None and citizen_id is not None:
            found.append((entry, replace(row, citizen_id=citizen_id)))
            continue
        if not is_part:
            work.early.append(entry)
        code = FhirCode.PART_OF_RECORD if is_part else FhirCode.DELETE_UNKNOWN
        effect = Effect.REJECTS if is_part or entry.is_delete else Effect.NOTES
        work.problems.append(bundle_judging.problem(code, effect, entry=entry.index))
        work.outcomes[entry.index] = EntryOutcome.REJECTED if effect is Effect.REJECTS else EntryOutcome.IGNORED
    return found


def _is_part(entry: EntryReading, row: resources.SentResource | resources.Named) -> bool:
    if _OWN_RECORD.get(entry.resource) == row.kind:
        return False
    return row.kind in _PARTS and (row.parts > 1 or row.kind == VISIT)


async def _take_back(work: Bundle, entry: EntryReading, row: resources.SentResource) -> None:
    if row.citizen_id is None:
        return
    withdrawal = filing.Withdrawal(
        visit_source_id=row.visit_source_id or row.key or "", kind=row.kind, key=row.key or "", reason=ERROR
    )
    is_gone = await _withdraw(work, row.citizen_id, withdrawal, rank=work.source.withdrawal_rank())
    work.outcomes[entry.index] = EntryOutcome.WITHDRAWN if is_gone else EntryOutcome.UNCHANGED


async def _take_back_at_once(work: Bundle, one: resources.Named, *, rank: str) -> None:
    """Withdraw what was taken back before it came."""
    entry = work.entries[one.entry]
    if entry.use is not EntryUse.RECORD or not work.source.is_cancelled(rank):
        return
    if _is_alone_in_report(work, entry):
        if await filing.drop_results(
            work.session,
            citizen_id=one.citizen_id,
            visit=one.visit or "",
            report=one.key or "",
            lines=one.lines,
            source=work.source,
        ):
            work.outcomes[entry.index] = EntryOutcome.WITHDRAWN
        return
    if _is_part(entry, one):
        remark = bundle_judging.problem(FhirCode.PART_OF_RECORD, Effect.WARNS, entry=entry.index)
        work.problems.append(remark)
        return
    withdrawal = filing.Withdrawal(
        visit_source_id=one.visit or one.key or "", kind=one.kind, key=one.key or "", reason=ERROR
    )
    if await _withdraw(work, one.citizen_id, withdrawal, rank=rank):
        work.outcomes[entry.index] = EntryOutcome.WITHDRAWN


def _is_alone_in_report(work: Bundle, entry: EntryReading) -> bool:
    """Tell a result that came without the report in which it stands now."""
    if entry.resource != "Observation" or not is_key_of_report(entry.key or ""):
        return False
    return work.outcomes.get(entry.index) is EntryOutcome.REPLACED and not any(
        one.resource == REPORT and one.key == entry.key for one in work.entries
    )


async def _withdraw(work: Bundle, citizen_id: UUID, withdrawal: filing.Withdrawal, *, rank: str) -> bool:
    source = work.source
    if work.follows:
        withdrawal, source = await resending.at_home(
            work.session, citizen_id=citizen_id, withdrawal=withdrawal, source=source
        )
    filed = await filing.withdraw(
        work.session, citizen_id=citizen_id, withdrawal=withdrawal, source=source, new_id=work.new_id, rank=rank
    )
    return bool(filed)
