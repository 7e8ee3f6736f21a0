"""Under which names the resources of a message are known afterwards, and what each became."""

from collections import Counter
from collections.abc import Mapping, Sequence
from uuid import UUID

from app.ingestion.fhir import EntryReading, EntryUse, FhirMessage
from app.ingestion.fhir.results import is_key_of_report
from app.ingestion.parts import names_of
from app.ingestion.resources import Named
from app.ingestion.verdict import EntryOutcome, VisitVerdict


def names_told(
    message: FhirMessage,
    *,
    citizens: Mapping[int, UUID],
    verdicts: Sequence[VisitVerdict],
    outcomes: Mapping[int, EntryOutcome],
) -> list[Named]:
    """Return what every resource of a message that was filed became, under each of its names."""
    counts = Counter((entry.unit, entry.kind, entry.key) for entry in message.entries)
    patients = {
        (unit.told_by or (0,))[0]: position  # a resource that was sent alone has no place in a Bundle
        for position, unit in enumerate(message.units)
        if unit.person is not None
    }
    told = []
    for entry in message.entries:
        position = entry.unit if entry.use is EntryUse.RECORD else patients.get(entry.index)
        if position is None or position not in citizens or outcomes.get(entry.index) is EntryOutcome.QUARANTINED:
            continue
        verdict = verdicts[position]
        is_patient = entry.use is not EntryUse.RECORD
        told.append(
            Named(
                entry=entry.index,
                names=names_of(entry, citizen_id=citizens[position], visit=verdict.visit),
                citizen_id=citizens[position],
                visit=None if is_patient else verdict.visit,
                kind="PATIENT" if is_patient else str(entry.kind),
                key=None if is_patient else key_of(entry, verdict),
                parts=max(counts[entry.unit, entry.kind, entry.key], 2 if _is_in_report(entry) else 1),
            )
        )
    return told


def key_of(entry: EntryReading, verdict: VisitVerdict) -> str:
    """Return the key of the record that an entry became."""
    return (verdict.visit or "") if entry.kind == "VISIT" else entry.key or ""


def _is_in_report(entry: EntryReading) -> bool:
    return entry.resource == "Observation" and is_key_of_report(entry.key or "")
