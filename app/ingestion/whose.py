"""What has no id and no identifier is known by what it says and by whose it is, however a message tells the person."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from uuid import UUID

from app.ingestion.fhir import EntryReading, UnitReading
from app.records.clinical import KINDS
from app.records.coming import APPOINTMENT
from app.records.resending import DOCUMENT

_KINDS: Final = frozenset({*map(str, KINDS.values()), APPOINTMENT, DOCUMENT})


def is_nameless(key: str, unit: UnitReading) -> bool:
    """Tell a record that is known by what it says alone."""
    return key.endswith(f":{unit.mark}")


def known_by(
    unit: UnitReading, entries: Iterable[EntryReading], *, facility_code: str, citizen_id: UUID
) -> tuple[UnitReading, list[EntryReading]]:
    """Return a unit, and those of its entries that change, with keys of this person at this facility."""
    mine = [entry for entry in entries if _is_nameless_record(entry, unit)]
    if not mine:
        return unit, []
    mark = hashlib.sha256(f"{facility_code}|{citizen_id}".encode()).hexdigest()[:12]

    def own(key: str) -> str:
        return key.removesuffix(unit.mark) + mark if is_nameless(key, unit) else key

    arrival = unit.arrival
    if arrival is not None:
        papers = (
            replace(paper, documents=tuple(replace(one, key=own(one.key)) for one in paper.documents))
            for paper in arrival.papers
        )
        arrival = replace(arrival, papers=tuple(papers))
    known = replace(
        unit,
        arrival=arrival,
        clinical=tuple(replace(one, source_id=own(one.source_id)) for one in unit.clinical),
        appointments=tuple(replace(one, source_id=own(one.source_id)) for one in unit.appointments),
    )
    return known, [replace(one, key=own(one.key or "")) for one in mine]


def _is_nameless_record(entry: EntryReading, unit: UnitReading) -> bool:
    return entry.kind in _KINDS and is_nameless(entry.key or "", unit)
