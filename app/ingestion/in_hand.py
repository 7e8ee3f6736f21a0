"""A FHIR message in hand: what is known of it while it is filed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.ingestion import resources, whose
from app.ingestion.fhir import EntryReading, EntryUse, FhirMessage, Referred, UnitReading
from app.ingestion.fhir.visit import STANDARD_VERSION
from app.ingestion.verdict import EntryOutcome, MessageVerdict, Problem, VisitVerdict
from app.records import filing

TEST_REPORT: Final = "TEST_REPORT"
_DAY: Final = "day:yyyymmdd:"


@dataclass(slots=True, kw_only=True)
class Bundle:
    """A message in hand, and what became of its parts so far."""

    session: Session
    message_id: UUID
    facility_code: str
    source: filing.Source
    vault: Vault
    new_id: Callable[[], UUID]
    message: FhirMessage  # as it was read
    units: list[UnitReading]  # as it is filed
    entries: list[EntryReading]  # each at its index
    of_unit: Mapping[int, Sequence[int]]  # indexes of entries, by the place of their unit
    verdicts: list[VisitVerdict]
    problems: list[Problem]
    sent: resources.Sent
    citizens: dict[int, UUID]
    taken: set[tuple[str, str]]
    outcomes: dict[int, EntryOutcome]
    follows: bool  # the facility may send again what rests under other ids
    alone: int = 0
    found: dict[tuple[int, Referred], Sequence[bytes]] = field(default_factory=dict)
    """Results that reports refer to, which rest: blind indexes of all their names."""
    to_come: set[tuple[int, Referred]] = field(default_factory=set)  # which may come later
    early: list[EntryReading] = field(default_factory=list)  # takes back what has not come

    def note_person(self, position: int, citizen_id: UUID) -> UnitReading:
        """Note whose a unit is, and return it: what has no name in it is known by that from now on."""
        self.citizens[position] = citizen_id
        self.units[position], changed = whose.known_by(
            self.units[position],
            self.entries_of(position),
            facility_code=self.facility_code,
            citizen_id=citizen_id,
        )
        self.put(changed)
        return self.units[position]

    def entries_of(self, position: int) -> list[EntryReading]:
        """Return what is read of one unit."""
        return [self.entries[index] for index in self.of_unit.get(position, ())]

    def put(self, changed: Iterable[EntryReading]) -> None:
        """Put entries in the place of those that they were."""
        for entry in changed:
            self.entries[entry.index] = entry

    def visit_of_results(self, position: int, *, day: str) -> str | None:
        """Return the one visit, not of that day, where all reports of a unit rest, or their results do."""
        visits: dict[str | None, set[str | None]] = {}
        for entry in self.entries_of(position):
            if entry.use is not EntryUse.RECORD:
                continue
            if entry.kind != TEST_REPORT:
                return None
            names = [entry.names, *(one.names for one in entry.referred)]
            known = [found.visit_source_id for one in names if (found := self.sent.find(one)) is not None]
            visits.setdefault(entry.key, set()).update(known)
        every = set[str | None]().union(*visits.values())
        (only,) = every if len(every) == 1 else (None,)
        return only if only and all(visits.values()) and only[: len(_DAY)] != day[: len(_DAY)] else None

    def note_beside(self, position: int) -> UnitReading:
        """Note that a unit that names no visit belongs to one that rests, of which it says nothing itself."""
        self.units[position] = replace(self.units[position], is_whole=False)
        return self.units[position]


def open_bundle(
    session: Session,
    *,
    message: FhirMessage,
    judged: MessageVerdict,
    source: filing.Source,
    vault: Vault,
    new_id: Callable[[], UUID],
    follows: bool,
) -> Bundle:
    """Take a message that was judged in hand."""
    of_unit: dict[int, list[int]] = {}
    for entry in message.entries:
        if entry.unit is not None:
            of_unit.setdefault(entry.unit, []).append(entry.index)
    return Bundle(
        session=session,
        message_id=source.message_id,
        facility_code=source.facility_code,
        source=replace(source, standard_version=STANDARD_VERSION),
        vault=vault,
        new_id=new_id,
        message=message,
        units=list(message.units),
        entries=list(message.entries),
        of_unit=of_unit,
        verdicts=list(judged.visits),
        problems=list(judged.problems),
        sent=resources.Sent(rows={}),
        citizens={},
        taken=set(),
        outcomes={},
        follows=follows,
    )
