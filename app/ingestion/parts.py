"""Prescriptions and reports that are made of several resources, each of which may come in a message of its own.

By what they say they are one record: a day and a clinician, a category and a minute. But a resource that was never sent
before says nothing of those that were: it becomes a record beside theirs, and what is in the book stays in it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.ingestion import sql
from app.ingestion.fhir import EntryReading, EntryUse
from app.ingestion.resources import lookup_of
from app.records.arrivals import VisitArrival

Place = tuple[str, str]
"""Kind and key of a record within its visit."""

_MADE_OF_PARTS: Final = frozenset({"MedicationRequest", "MedicationDispense", "Observation"})
_KINDS: Final = frozenset({"PRESCRIPTION", "TEST_REPORT"})
_PASSING: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where records of a message are to stand, and which of them leave parts out that were there."""

    keys: Mapping[Place, str]
    left_out: tuple[EntryReading, ...]

    def placed(self, entry: EntryReading) -> EntryReading:
        """Return an entry with the key under which its record is to stand."""
        return replace(entry, key=self.keys.get((str(entry.kind), entry.key or ""), entry.key))

    def arrived(self, visit: VisitArrival) -> VisitArrival:
        """Return a visit with its records under those keys."""
        if not self.keys:
            return visit
        drugs = [
            replace(one, key=self.keys.get(("PRESCRIPTION", one.key), one.key)) for one in visit.prescriptions or ()
        ]
        reports = [replace(one, key=self.keys.get(("TEST_REPORT", one.key), one.key)) for one in visit.reports or ()]
        return replace(visit, prescriptions=tuple(drugs) or None, reports=tuple(reports) or None)


async def standing(
    session: Session, *, entries: Iterable[EntryReading], message_id: UUID, citizen_id: UUID, visit: str, vault: Vault
) -> Standing:
    """Find where the records of one visit are to stand, whose book must be open for filing.

    Resources without a name that lasts (an identifier, an id) cannot be told from those before, and take their place.
    """
    groups = _groups(entries)
    rests = await sql.told_before(session, message_id=message_id, citizen_id=citizen_id, visit=visit) if groups else []
    keys, left_out = {}, []
    for (kind, key), group in groups.items():
        names = [[name for name in entry.names if not name.startswith(_PASSING)] for entry in group]
        if not rests or not all(names):
            continue
        lookups = {lookup_of(name, vault=vault) for some in names for name in some}
        known = {
            (told, parts)
            for lookup, its, told, parts in rests
            if its == kind and lookup in lookups and f"{told}:".startswith(f"{key}:")
        }
        is_taken = any(its == kind and told == key for _, its, told, _ in rests)
        if not known and is_taken:
            keys[kind, key] = f"{key}:{hashlib.sha256(names[0][0].encode()).hexdigest()[:12]}"
        elif known and key not in {told for told, _ in known}:
            keys[kind, key] = min(told for told, _ in known)
        if any(parts > len(group) for told, parts in known if told == keys.get((kind, key), key)):
            left_out.append(group[0])
    return Standing(keys=keys, left_out=tuple(left_out))


def _groups(entries: Iterable[EntryReading]) -> dict[Place, list[EntryReading]]:
    groups: dict[Place, list[EntryReading]] = {}
    for entry in entries:
        if entry.use is EntryUse.RECORD and entry.kind in _KINDS and entry.key is not None:
            groups.setdefault((str(entry.kind), entry.key), []).append(entry)
    return {place: group for place, group in groups.items() if all(one.resource in _MADE_OF_PARTS for one in group)}
