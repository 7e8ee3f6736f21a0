"""Where the prescriptions and reports of a message are to stand: where their parts rest that were told before."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import Final
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.ingestion import sql
from app.ingestion.fhir import EntryReading, EntryUse
from app.ingestion.fhir.results import is_key_of_report
from app.ingestion.parts import REPORT, Place, Standing, lasting, names_of
from app.ingestion.referring import Referring, Told
from app.ingestion.resources import Line, Sent, lookup_of
from app.records.joins import TakenIn

_MADE_OF_PARTS: Final = frozenset({"MedicationRequest", "MedicationDispense", "Observation"})
_KINDS: Final = frozenset({"PRESCRIPTION", "TEST_REPORT"})
_Places = list[tuple[str, int]]
"""Keys under which a resource rests, each with the number of its record's parts; that of its first name first."""


async def standing(
    session: Session,
    *,
    entries: Iterable[EntryReading],
    message_id: UUID,
    citizen_id: UUID,
    facility_code: str,
    visit: str,
    sent: Sent,
    vault: Vault,
) -> Standing:
    """Find where the records of one visit are to stand, whose book must be open for filing."""
    groups = _groups(entries)
    rests = await sql.told_before(session, message_id=message_id, citizen_id=citizen_id, visit=visit) if groups else []
    reports = [one for group in groups.values() for one in group if one.referred]
    if not rests and not reports:
        return Standing(homes={}, keys={}, left_out=())
    memory = _Memory(
        citizen_id=citizen_id,
        visit=visit,
        vault=vault,
        told={(kind, lookup): Told(key=key, parts=parts, lines=lines) for lookup, kind, key, parts, lines in rests},
    )
    inside = {entry.index: key for group in groups.values() for entry in group if (key := memory.report_of(entry))}
    asked = {told.key for entry in reports for one in entry.referred if (told := memory.result(lasting(one.names)))}
    known = await sql.resting_reports(
        session,
        citizen_id=citizen_id,
        facility_code=facility_code,
        visit=visit,
        keys=sorted({*inside.values(), *asked}),
    )
    stands = _Stands(memory=memory, inside={index: key for index, key in inside.items() if key in known})
    for (kind, key), group in groups.items():
        stands.place(kind, key, group)
    referring = Referring(
        vault=vault,
        told=memory.result,
        is_elsewhere=partial(_is_elsewhere, sent, of=(citizen_id, visit)),
        rests=known,
        lookups=memory.lookups() if reports else {},
    )
    for entry in reports:
        referring.take_in(entry, report=stands.keys.get(entry.index, entry.key or ""))
    return Standing(
        homes=stands.homes,
        keys=stands.keys,
        left_out=tuple(stands.left_out),
        reports=frozenset(stands.inside.values()),
        taken_in=(*stands.taken_in, *referring.taken_in),
        awaited=tuple(memory.awaited(groups, stands.inside)),
        referred=referring.referred,
        found=referring.found,
        to_come=frozenset(referring.awaited),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    """What resources of this visit became before."""

    citizen_id: UUID
    visit: str
    vault: Vault
    told: Mapping[tuple[str, bytes], Told]  # by kind and name

    def names_of(self, entry: EntryReading) -> list[str]:
        """Return the names under which a resource may be known."""
        return lasting(names_of(entry, citizen_id=self.citizen_id, visit=self.visit))

    def places(self, kind: str, entry: EntryReading) -> _Places:
        """Return where a resource rests."""
        return [(told.key, told.parts) for told in self._rows(kind, self.names_of(entry))]

    def result(self, names: Sequence[str]) -> Told | None:
        """Return what a result became that has these names."""
        return next(iter(self._rows("TEST_REPORT", names)), None)

    def lookups(self) -> dict[tuple[str, tuple[bytes, ...] | None], list[bytes]]:
        """Return all names of each result."""
        found: dict[tuple[str, tuple[bytes, ...] | None], list[bytes]] = {}
        for (_, lookup), told in self.told.items():
            found.setdefault(told.what, []).append(lookup)
        return found

    def _rows(self, kind: str, names: Sequence[str]) -> list[Told]:
        """Return what these names became, a report first: it may have taken a result in by one of its names."""
        lookups = ((kind, lookup_of(name, vault=self.vault)) for name in names)
        return sorted(
            (self.told[one] for one in lookups if one in self.told), key=lambda told: not is_key_of_report(told.key)
        )

    def awaited(self, groups: Mapping[Place, list[EntryReading]], inside: Mapping[int, str]) -> Iterator[Line]:
        """Yield the lines of results that come alone, for which a report waits."""
        for entry in (one for group in groups.values() for one in group if one.index in inside):
            if entry.part is not None and any(parts == 0 for _, parts in self.places("TEST_REPORT", entry)[:1]):
                yield from entry.part.tells

    def report_of(self, entry: EntryReading) -> str | None:
        """Return the report in which an observation rests, that comes alone now."""
        if entry.resource != "Observation" or entry.key is None or is_key_of_report(entry.key):
            return None
        return next((key for key, _ in self.places("TEST_REPORT", entry)[:1] if is_key_of_report(key)), None)

    def is_taken(self, kind: str, key: str) -> bool:
        """Tell whether something else rests under a key."""
        return any(of == kind and its.key == key for (of, _), its in self.told.items())


@dataclass(slots=True, kw_only=True)
class _Stands:
    """Where the records of a message stand, so far."""

    memory: _Memory
    inside: Mapping[int, str]  # the report that rests in which an entry stands
    homes: dict[Place, dict[str, list[EntryReading]]] = field(default_factory=dict)
    keys: dict[int, str] = field(default_factory=dict)
    left_out: list[EntryReading] = field(default_factory=list)
    taken_in: list[TakenIn] = field(default_factory=list)

    def place(self, kind: str, key: str, group: list[EntryReading]) -> None:
        """Find where one record stands, or its parts."""
        report = next((entry for entry in group if entry.resource == REPORT), None)
        if report is not None:
            stands = self._place_of_report(kind, key, report)
            parts = {stands: group}
            self._take_in(stands, group)
        else:
            parts = self._places_of_parts(kind, key, group)
        if parts.keys() != {key}:
            self.homes[kind, key] = parts
            self.keys |= {entry.index: its for its, some in parts.items() for entry in some}

    def _place_of_report(self, kind: str, key: str, report: EntryReading) -> str:
        """Return where a report rests; a name comes before what is said."""
        places = [one for one in self.memory.places(kind, report) if is_key_of_report(one[0])][:1]
        return _first(dict(places), key=key) or self._new_key(kind, key, [report], known=[])

    def _places_of_parts(self, kind: str, key: str, group: list[EntryReading]) -> dict[str, list[EntryReading]]:
        """Return the parts of a record by where they rest; those that are new stand with the first that is not."""
        alone = [entry for entry in group if entry.index not in self.inside]
        found = [self._possible(kind, entry, own=entry.part.key if entry.part else key) for entry in alone]
        known = [_first(dict(places), key=key) for places in found]
        new = self._new_key(kind, key, alone, known=known)
        parts: dict[str, list[EntryReading]] = {}
        for entry, its in zip(alone, known, strict=True):
            parts.setdefault(its or new, []).append(entry)
        most = {its: of for places in found for its, of in sorted(places, key=itemgetter(1))}
        self.left_out += [some[0] for its, some in parts.items() if most.get(its, 0) > len(some)]
        for entry in group:
            if entry.index in self.inside:
                parts.setdefault(self.inside[entry.index], []).append(entry)
                self._take_from(self.inside[entry.index], kind, entry)
        return parts

    def _take_from(self, report: str, kind: str, entry: EntryReading) -> None:
        """Note that a result for which a report waits rests apart under another name."""
        places = self.memory.places(kind, entry)
        if entry.part is not None and places[0][1] == 0:
            apart = dict.fromkeys(its for its, _ in places if not is_key_of_report(its))
            self.taken_in += [TakenIn(report=report, apart=its, lines=entry.part.tells) for its in apart]

    def _possible(self, kind: str, entry: EntryReading, *, own: str) -> _Places:
        """Return where a part may stand: what stood alone may have moved to another moment."""
        places = self.memory.places(kind, entry)
        return [
            (its, of)
            for its, of in places
            if not is_key_of_report(its) and (of == 1 or f"{its}:".startswith(f"{own}:"))
        ]

    def _new_key(self, kind: str, key: str, makers: Sequence[EntryReading], *, known: Sequence[str | None]) -> str:
        """Return the key of what was not told before: beside others that rest under the key that it makes."""
        new = _first({its: 0 for its in known if its}, key=key) or key
        first = next((names[0] for entry in makers if (names := self.memory.names_of(entry))), None)
        if new == key and key not in known and first and self.memory.is_taken(kind, key):
            return f"{key}:{hashlib.sha256(first.encode()).hexdigest()[:12]}"
        return new

    def _take_in(self, report: str, group: list[EntryReading]) -> None:
        """Note which results of a report rest in records apart."""
        for entry in group:
            if entry.resource != "Observation" or entry.part is None:
                continue
            apart = next((key for key, _ in self.memory.places("TEST_REPORT", entry)[:1]), report)
            if not is_key_of_report(apart):
                self.taken_in.append(TakenIn(report=report, apart=apart, lines=entry.part.tells))


def _first(places: Mapping[str, int], *, key: str) -> str | None:
    """Return where something stands that was told before: first under the key that it makes, then by its first name."""
    return key if key in places else next(iter(places), None)


def _is_elsewhere(sent: Sent, names: Sequence[str], *, of: tuple[UUID, str]) -> bool:
    """Tell a resource that became something in another book or visit; what is awaited there may come here."""
    found = sent.find(names)
    return found is not None and found.parts > 0 and (found.citizen_id, found.visit_source_id) != of


def _groups(entries: Iterable[EntryReading]) -> dict[Place, list[EntryReading]]:
    groups: dict[Place, list[EntryReading]] = {}
    for entry in entries:
        if entry.use is EntryUse.RECORD and entry.kind in _KINDS and entry.key is not None:
            groups.setdefault((str(entry.kind), entry.key), []).append(entry)
    return {
        place: group
        for place, group in groups.items()
        if all(one.resource in _MADE_OF_PARTS for one in group)
        or sum(one.resource == REPORT and one.part is not None for one in group) == 1
    }
