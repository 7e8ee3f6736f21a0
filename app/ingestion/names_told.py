"""Under which names the resources of a message are known afterwards, and what each became."""

from collections import Counter
from dataclasses import replace
from typing import Final

from app.ingestion.fhir import EntryReading, EntryUse
from app.ingestion.fhir.results import is_key_of_report
from app.ingestion.in_hand import Bundle
from app.ingestion.parts import lasting, names_of
from app.ingestion.resources import Named
from app.ingestion.verdict import EntryOutcome, VisitVerdict

_SHOWN: Final = frozenset({EntryOutcome.ADDED, EntryOutcome.REPLACED, EntryOutcome.UNCHANGED})


def names_told(work: Bundle) -> list[Named]:
    """Return what every resource of a message that was filed became, under each of its names."""
    citizens = work.citizens
    counts = Counter((entry.unit, entry.kind, entry.key) for entry in work.entries)
    patients = {
        (unit.told_by or (0,))[0]: position  # a resource that was sent alone has no place in a Bundle
        for position, unit in enumerate(work.units)
        if unit.person is not None
    }
    told = []
    for entry in work.entries:
        position = entry.unit if entry.use is EntryUse.RECORD else patients.get(entry.index)
        if position is None or position not in citizens or work.outcomes.get(entry.index) is EntryOutcome.QUARANTINED:
            continue
        verdict = work.verdicts[position]
        is_patient = entry.use is not EntryUse.RECORD
        own = Named(
            entry=entry.index,
            names=names_of(entry, citizen_id=citizens[position], visit=verdict.visit),
            citizen_id=citizens[position],
            visit=None if is_patient else verdict.visit,
            kind="PATIENT" if is_patient else str(entry.kind),
            key=None if is_patient else key_of(entry, verdict),
            parts=max(counts[entry.unit, entry.kind, entry.key], 2 if _is_in_report(entry) else 1),
            lines=entry.part.tells if entry.part else (),
        )
        told += [own, *_referred(work, entry, own)]
    return told


def _referred(work: Bundle, entry: EntryReading, report: Named) -> list[Named]:
    """Return the results that a report refers to, which stand in it now or when they come."""
    if work.outcomes.get(entry.index) not in _SHOWN:
        return []
    parts = {one: 2 if (entry.index, one) in work.found else 0 for one in entry.referred}
    return [
        replace(
            report,
            names=tuple(lasting(one.names)),
            lookups=tuple(work.found.get((entry.index, one), ())),
            parts=parts[one],
            is_referred=True,
        )
        for one in entry.referred
        if parts[one] or (entry.index, one) in work.to_come
    ]


def key_of(entry: EntryReading, verdict: VisitVerdict) -> str:
    """Return the key of the record that an entry became."""
    return (verdict.visit or "") if entry.kind == "VISIT" else entry.key or ""


def _is_in_report(entry: EntryReading) -> bool:
    return entry.resource == "Observation" and is_key_of_report(entry.key or "")
