"""Prescriptions and reports that are made of several resources, each of which may come in a message of its own.

By what they say they are one record: a day and a clinician, a category and a minute. But a resource that was never sent
before says nothing of those that were: it becomes a record beside theirs, and what is in the book stays in it. What was
sent before stays where it rests, by its name, or by what it says (infra/decisions/0036-what-comes-one-by-one.md).
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Final, TypeVar
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.ingestion import sql
from app.ingestion.fhir import EntryReading, EntryUse, Part
from app.ingestion.resources import lookup_of
from app.records.arrivals import PrescriptionArrival, TestReportArrival, VisitArrival

Place = tuple[str, str]
"""Kind and key of a record within its visit."""

_MADE_OF_PARTS: Final = frozenset({"MedicationRequest", "MedicationDispense", "Observation"})
_REPORT: Final = "DiagnosticReport"
_KINDS: Final = frozenset({"PRESCRIPTION", "TEST_REPORT"})
_PASSING: Final = "urn:uuid:"
_Record = TypeVar("_Record", PrescriptionArrival, TestReportArrival)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where records of a message are to stand, and which of them leave parts out that were there."""

    homes: Mapping[Place, Mapping[str, list[EntryReading]]]  # of a record that stands elsewhere: its parts, by key
    keys: Mapping[int, str]  # by the index of an entry
    left_out: tuple[EntryReading, ...]

    def placed(self, entry: EntryReading) -> EntryReading:
        """Return an entry with the key under which its record is to stand."""
        return replace(entry, key=self.keys.get(entry.index, entry.key))

    def arrived(self, visit: VisitArrival) -> VisitArrival:
        """Return a visit with its records under those keys."""
        if not self.homes:
            return visit
        drugs = [
            found
            for one in visit.prescriptions or ()
            for found in _at_home(one, self.homes.get(("PRESCRIPTION", one.key)), cut=_some_drugs)
        ]
        reports = [
            found
            for one in visit.reports or ()
            for found in _at_home(one, self.homes.get(("TEST_REPORT", one.key)), cut=_some_results)
        ]
        return replace(visit, prescriptions=tuple(drugs) or None, reports=tuple(reports) or None)


def names_of(entry: EntryReading, *, citizen_id: UUID, visit: str | None) -> tuple[str, ...]:
    """Return every name of a resource; a part without one that lasts is known by what it says, a report by that too."""
    if entry.part is None or (entry.resource != _REPORT and _lasting(entry.names)):
        return entry.names
    return (*entry.names, f"says:{citizen_id}:{visit}:{entry.kind}:{entry.part.key}:{entry.part.says}")


def _lasting(names: Iterable[str]) -> list[str]:
    return [name for name in names if not name.startswith(_PASSING)]


async def standing(
    session: Session, *, entries: Iterable[EntryReading], message_id: UUID, citizen_id: UUID, visit: str, vault: Vault
) -> Standing:
    """Find where the records of one visit are to stand, whose book must be open for filing."""
    groups = _groups(entries)
    rests = await sql.told_before(session, message_id=message_id, citizen_id=citizen_id, visit=visit) if groups else []
    homes: dict[Place, dict[str, list[EntryReading]]] = {}
    keys: dict[int, str] = {}
    left_out: list[EntryReading] = []
    for (kind, key), group in groups.items() if rests else ():
        makers = [entry for entry in group if entry.resource == _REPORT] or group
        own = next((entry.part.key for entry in makers if entry.part), key)
        told = {
            lookup: (its, parts)
            for lookup, of, its, parts in rests
            # what stands alone may have moved to another moment; of what was told with others that is not known
            if of == kind and (parts == 1 or makers is not group or f"{its}:".startswith(f"{own}:"))
        }
        names = [_lasting(names_of(entry, citizen_id=citizen_id, visit=visit)) for entry in makers]
        found = [[told[one] for name in some if (one := lookup_of(name, vault=vault)) in told] for some in names]
        if makers is not group:  # a name comes before what is said
            found = [places[:1] for places in found]
        known = [_first(dict(places), key=key) for places in found]
        new = _first({its: 0 for its in known if its}, key=key) or key
        first = next((some[0] for some in names if some), None)
        if new == key and key not in known and first and any(its == key for its, _ in told.values()):
            new = f"{key}:{hashlib.sha256(first.encode()).hexdigest()[:12]}"
        parts: dict[str, list[EntryReading]] = {}
        for entry, its in zip(makers, known, strict=True):
            parts.setdefault(its or new, []).append(entry)
        if makers is not group:
            parts = dict.fromkeys(parts, group)
        else:
            most = {its: of for places in found for its, of in sorted(places, key=itemgetter(1))}
            left_out += [some[0] for its, some in parts.items() if most.get(its, 0) > len(some)]
        if parts.keys() != {key}:
            homes[kind, key] = parts
            keys |= {entry.index: its for its, some in parts.items() for entry in some}
    return Standing(homes=homes, keys=keys, left_out=tuple(left_out))


def _first(places: Mapping[str, int], *, key: str) -> str | None:
    """Return where something stands that was told before: first under the key that it makes, then by its first name."""
    return key if key in places else next(iter(places), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cut:
    """Which lines of a record belong to parts that rest apart from the others."""

    parts: list[Part]
    lines: list[bool]
    names: frozenset[str]  # of all parts


def _at_home(
    record: _Record, homes: Mapping[str, list[EntryReading]] | None, *, cut: Callable[[_Record, _Cut], _Record]
) -> list[_Record]:
    """Return a record under the key where its parts rest; what rests apart is cut into as many records."""
    if not homes:
        return [record]
    if len(homes) == 1:
        return [replace(record, key=next(iter(homes)))]
    given = [entry for entries in homes.values() for entry in entries if entry.part]
    given.sort(key=lambda entry: (entry.resource == "MedicationDispense", entry.index))  # the order of the lines
    names = frozenset(entry.part.name for entry in given if entry.part)
    found = []
    for key, entries in homes.items():
        here = {entry.index for entry in entries}
        lines = [entry.index in here for entry in given for _ in range(entry.part.lines if entry.part else 0)]
        parts = [entry.part for entry in given if entry.part and entry.index in here]
        if parts:
            found.append(replace(cut(record, _Cut(parts=parts, lines=lines, names=names)), key=key))
    return found


def _some_drugs(record: PrescriptionArrival, cut: _Cut) -> PrescriptionArrival:
    items = [item for item, stays in zip(record.items, cut.lines, strict=True) if stays]
    return replace(
        record,
        ordered_at=min(part.at for part in cut.parts),
        items=tuple(replace(item, line=line) for line, item in enumerate(items, start=1)),
    )


def _some_results(record: TestReportArrival, cut: _Cut) -> TestReportArrival:
    results = [result for result, stays in zip(record.results, cut.lines, strict=True) if stays]
    return replace(
        record,
        resulted_at=cut.parts[0].at,
        sampled_at=next((part.sampled_at for part in cut.parts if part.sampled_at), None),
        description=_notes(record.description, cut),
        results=tuple(replace(result, line=line) for line, result in enumerate(results, start=1)),
    )


def _notes(description: str | None, cut: _Cut) -> str | None:
    """Return the notes of some parts: each begins with the name of its own, which a part alone does not repeat."""
    own, kept = {part.name for part in cut.parts}, []
    is_own = False
    for line in (description or "").split("\n"):
        name = next((name for name in cut.names if line.startswith(f"{name}: ")), None)
        is_own = is_own if name is None else name in own
        if is_own:
            kept.append(line if name is None or len(cut.parts) > 1 else line.removeprefix(f"{name}: "))
    return "\n".join(kept) or None


def _groups(entries: Iterable[EntryReading]) -> dict[Place, list[EntryReading]]:
    groups: dict[Place, list[EntryReading]] = {}
    for entry in entries:
        if entry.use is EntryUse.RECORD and entry.kind in _KINDS and entry.key is not None:
            groups.setdefault((str(entry.kind), entry.key), []).append(entry)
    return {
        place: group
        for place, group in groups.items()
        if all(one.resource in _MADE_OF_PARTS for one in group)
        or sum(one.resource == _REPORT and one.part is not None for one in group) == 1
    }
