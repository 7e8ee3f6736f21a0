"""What a scope shows of a book, told again from the contract: it shares no code with the product's policies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from tests.differential.rows import CHILDREN, Row, Shelf
from tests.differential.shown import VIETNAM

CLASSES = ("HIV", "TUBERCULOSIS", "MENTAL_HEALTH", "SUBSTANCE_USE", "SEXUAL_HEALTH", "VIOLENCE")


@dataclass(frozen=True, slots=True)
class Kind:
    """Which sections show a table's rows, which column is their day, which name them, whose lines they are."""

    sections: frozenset[str]
    day: str | None = None
    ids: tuple[str, ...] = ()
    parent: tuple[str, str] | None = None


def _kind(*sections: str, day: str | None = None, ids: Sequence[str] = (), of: tuple[str, str] | None = None) -> Kind:
    return Kind(frozenset(sections), day, tuple(ids), of)


KINDS: Mapping[str, Kind] = {
    "visit": _kind("VISITS", day="started_at", ids=["id"]),
    "visit_diagnosis": _kind("VISITS", "CONDITIONS", day="recorded_at", ids=["visit_id"]),
    "visit_insurance": _kind("VISITS", "INSURANCE", day="shown_at", ids=["visit_id"]),
    "visit_service": _kind("VISITS", of=("visit", "visit_id")),
    "prescription": _kind("PRESCRIPTIONS", day="ordered_at", ids=["id", "visit_id"]),
    "prescription_item": _kind("PRESCRIPTIONS", of=("prescription", "prescription_id")),
    "test_report": _kind("TEST_RESULTS", day="resulted_at", ids=["id", "visit_id"]),
    "test_result": _kind("TEST_RESULTS", day="resulted_at", of=("test_report", "report_id")),
    "document": _kind("DOCUMENTS", day="dated_at", ids=["id", "visit_id"]),
    "progress_note": _kind("DOCUMENTS", day="noted_at", of=("document", "document_id")),
    "vital_signs": _kind("VISITS", "DOCUMENTS", day="measured_at", ids=["document_id", "visit_id"]),
    "withdrawal": _kind("VISITS", day="dated_at", ids=["id"]),
    "vaccination": _kind("VACCINATIONS", day="injected_at", ids=["id", "dose_id"]),
    "vaccination_reaction": _kind("VACCINATIONS", of=("vaccination", "vaccination_id")),
    "reported_reaction": _kind("VACCINATIONS", of=("vaccination", "dose_id")),
    "imaging_study": _kind("IMAGING", day="started_at", ids=["id"]),
    "condition": _kind("CONDITIONS", day="recorded_at", ids=["id"]),
    "allergy": _kind("ALLERGIES", ids=["id"]),
    "allergy_reaction": _kind("ALLERGIES", of=("allergy", "allergy_id")),
    "appointment": _kind("APPOINTMENTS", day="starts_at", ids=["id"]),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sees:
    """Somebody who sees a book by a scope (a `ShareScopeInput` as JSON), of which whole classes may be hidden."""

    scope: Mapping[str, Any]
    hidden: tuple[str, ...] = ()

    @property
    def sections(self) -> Sequence[str]:
        """Return the sections that are seen."""
        found: Sequence[str] = self.scope["sections"]
        return found

    @property
    def classes(self) -> list[str]:
        """Return the sensitive classes that are seen."""
        named = self.scope.get("sensitive", ())
        return [name for name in CLASSES if name in named and name not in self.hidden]

    @property
    def is_narrow(self) -> bool:
        """Tell whether days, facilities or records are named."""
        return any(self.scope.get(name) is not None for name in ("from", "to", "facilityCodes", "recordIds"))

    def told(self) -> dict[str, Any]:
        """Return what the book says of its own scope."""
        return {
            "sensitive": self.classes,
            "from": self.scope.get("from"),
            "to": self.scope.get("to"),
            "facilityCodes": _sorted(self.scope.get("facilityCodes")),
            "recordIds": _sorted(self.scope.get("recordIds")),
        }

    def sees(self, shelf: Shelf, table: str, row: Row) -> bool:
        """Tell whether a row is seen by itself."""
        kind = KINDS[table]
        if not kind.sections & set(self.sections) or row["masked"]:
            return False
        if any(row["sensitive"] >> bit & 1 and name not in self.classes for bit, name in enumerate(CLASSES)):
            return False
        if kind.day is not None and not self._is_of_the_days(row[kind.day]):
            return False
        if not self.is_narrow:
            return True
        if kind.parent is not None:
            table, key = kind.parent
            return any(one["id"] == row[key] and self.sees(shelf, table, one) for one in shelf.records[table])
        facilities, records = self.scope.get("facilityCodes"), self.scope.get("recordIds")
        return (facilities is None or row["facility_code"] in facilities) and (
            records is None or any(str(row[name]) in records for name in kind.ids)
        )

    def shelf(self, shelf: Shelf) -> Shelf:
        """Return what is seen of a book."""
        records = {
            table: [row for row in rows if self.sees(shelf, table, row)] if table in KINDS else rows
            for table, rows in shelf.records.items()
        }
        lines: dict[tuple[str, UUID], Sequence[Row]] = {
            (table, parent): [row for row in rows if self.sees(shelf, table, row)]
            for (table, parent), rows in shelf.lines.items()
        }
        return replace(shelf, records=records, lines=lines)

    def _is_of_the_days(self, moment: datetime) -> bool:
        first, last = (self.scope.get(name) for name in ("from", "to"))
        since = None if first is None else datetime.combine(date.fromisoformat(first), datetime.min.time(), VIETNAM)
        until = None if last is None else datetime.combine(date.fromisoformat(last), datetime.min.time(), VIETNAM)
        return (since is None or moment >= since) and (until is None or moment < until + timedelta(days=1))


def rows_of(shelf: Shelf, table: str) -> list[Row]:
    """Return every row of a table."""
    if table in CHILDREN:
        return [row for (name, _), rows in shelf.lines.items() if name == table for row in rows]
    return list(shelf.records[table])


def _sorted(listed: Sequence[str] | None) -> list[str] | None:
    return None if listed is None else sorted(set(listed))
