"""Prescriptions and reports that are made of several resources, each of which may come in a message of its own.

By what they say they are one record: a day and a clinician, a category and a minute. But a resource that was never sent
before says nothing of those that were: it becomes a record beside theirs, and what is in the book stays in it. What was
sent before stays where it rests, by its name, or by what it says (infra/decisions/0036-what-comes-one-by-one.md).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from uuid import UUID

from app.ingestion.fhir import EntryReading, Part, Referred
from app.ingestion.fhir.results import is_key_of_report
from app.records.arrivals import PrescriptionArrival, TestReportArrival, VisitArrival
from app.records.joins import Joins, Rests, TakenIn

Place = tuple[str, str]
"""Kind and key of a record within its visit."""

REPORT: Final = "DiagnosticReport"
_PASSING: Final = "urn:uuid:"
_Record = TypeVar("_Record", PrescriptionArrival, TestReportArrival)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where records of a message are to stand, and which of them leave parts out that were there."""

    homes: Mapping[Place, Mapping[str, list[EntryReading]]]  # of a record that stands elsewhere: its parts, by key
    keys: Mapping[int, str]  # by the index of an entry
    left_out: tuple[EntryReading, ...]
    reports: frozenset[str] = frozenset()  # reports that rest, in which observations that came alone stand
    taken_in: tuple[TakenIn, ...] = ()
    awaited: tuple[tuple[str | None, str], ...] = ()  # lines of results that came alone, for which a report waits
    referred: Mapping[str, Sequence[Rests]] = field(default_factory=dict)  # by the key of a report of this message
    found: Mapping[tuple[int, Referred], Sequence[bytes]] = field(default_factory=dict)
    """What a report refers to and rests, by the report's index: blind indexes of all its names."""
    to_come: frozenset[tuple[int, Referred]] = frozenset()  # it may come later

    def placed(self, entry: EntryReading) -> EntryReading:
        """Return an entry with the key under which its record is to stand."""
        return replace(entry, key=self.keys.get(entry.index, entry.key))

    def arrived(self, visit: VisitArrival) -> tuple[VisitArrival, Joins]:
        """Return a visit with its records under those keys, and the results that stand in reports."""
        joins = Joins(taken_in=self.taken_in, referred=self.referred)
        if not self.homes:
            return visit, joins
        drugs = [
            found
            for one in visit.prescriptions or ()
            for found in _at_home(one, self.homes.get(("PRESCRIPTION", one.key)), cut=_some_drugs)
        ]
        reports: list[TestReportArrival] = []
        joined: list[TestReportArrival] = []
        for one in visit.reports or ():
            for found in _at_home(one, self.homes.get(("TEST_REPORT", one.key)), cut=_some_results):
                is_joined = found.key in self.reports and not is_key_of_report(one.key)
                (joined if is_joined else reports).append(found)
        placed = replace(visit, prescriptions=tuple(drugs) or None, reports=tuple(reports) or None)
        return placed, replace(joins, joined=tuple(joined), awaited=self.awaited)


def names_of(entry: EntryReading, *, citizen_id: UUID, visit: str | None) -> tuple[str, ...]:
    """Return every name of a resource; a part without one that lasts is known by what it says, a report by that too."""
    if entry.part is None or (entry.resource != REPORT and lasting(entry.names)):
        return entry.names
    return (*entry.names, f"says:{citizen_id}:{visit}:{entry.kind}:{entry.part.key}:{entry.part.says}")


def lasting(names: Iterable[str]) -> list[str]:
    """Return the names that mean the same resource in a later message."""
    return [name for name in names if not name.startswith(_PASSING)]


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
