"""Reads what rests of one citizen, by plain SQL behind every policy."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tests.attacks import tries

Row = Mapping[str, Any]
CHILDREN = {
    "visit_diagnosis": "visit_id",
    "visit_service": "visit_id",
    "visit_insurance": "visit_id",
    "prescription_item": "prescription_id",
    "test_result": "report_id",
    "progress_note": "document_id",
    "vital_signs": "document_id",
    "vaccination_reaction": "vaccination_id",
    "allergy_reaction": "allergy_id",
}
RECORDS = (
    "visit",
    "prescription",
    "test_report",
    "document",
    "withdrawal",
    "vaccination",
    "imaging_study",
    "condition",
    "allergy",
    "reported_reaction",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """What belongs to nobody: the newest names of codes, and facilities."""

    names: Mapping[tuple[str, str], Row]
    facilities: Mapping[str, Row]
    schedule: Sequence[Row]
    rules: Mapping[str, Row]
    units: Mapping[tuple[str, str], Row]
    consent_texts: Sequence[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """Everything of one citizen; lines stand by table and parent, in their order."""

    citizen: Row
    version: int
    numbers: Sequence[Row]
    joins: Sequence[Row]
    views: Sequence[Row]
    versions: Sequence[Row]
    records: Mapping[str, Sequence[Row]]
    lines: Mapping[tuple[str, UUID], Sequence[Row]]

    def lines_of(self, table: str, parent: UUID) -> Sequence[Row]:
        """Return a record's lines."""
        return self.lines.get((table, parent), ())

    @property
    def personal_ids(self) -> Sequence[Row]:
        """Return the personal id number, if there is one."""
        return [row for row in self.numbers if row["kind"] == "PERSONAL_ID" and row["valid_until"] is None]


async def read_lists(superuser: tries.Connection) -> Lists:
    """Read code lists and facilities."""
    entries = await superuser.fetch("SELECT * FROM code.entry ORDER BY valid_from")
    facilities = await superuser.fetch("SELECT * FROM directory.facility")
    return Lists(
        names={(row["system"], row["code"]): dict(row) for row in entries},
        facilities={row["code"]: dict(row) for row in facilities},
        units={(row["code"], row["unit"]): dict(row) for row in await superuser.fetch("SELECT * FROM code.test_unit")},
        consent_texts=[
            dict(row) for row in await superuser.fetch("SELECT * FROM auth.consent_text ORDER BY purpose, version DESC")
        ],
        rules={row["subject"]: dict(row) for row in await superuser.fetch("SELECT * FROM code.reuse_rule")},
        schedule=[dict(row) for row in await superuser.fetch("SELECT * FROM code.scheduled_dose")],
    )


async def read_shelf(superuser: tries.Connection, citizen: UUID) -> Shelf:
    """Read one citizen."""

    async def rows(table: str, column: str = "citizen_id") -> list[Row]:
        return [dict(row) for row in await superuser.fetch(f"SELECT * FROM {table} WHERE {column} = $1", citizen)]

    lines: dict[tuple[str, UUID], list[Row]] = {}
    for table, parent in CHILDREN.items():
        for row in sorted(await rows(f"book.{table}"), key=lambda row: row["line"]):
            lines.setdefault((table, row[parent]), []).append(row)
    (person,) = await rows("auth.citizen", "id")
    (book,) = await rows("auth.book")
    return Shelf(
        citizen=person,
        version=book["version"],
        numbers=await rows("auth.identifier"),
        joins=await rows("auth.identifier_join"),
        views=[
            {**row, "about": json.loads(row["about"])} for row in await rows("audit.line") if row["category"] == "VIEW"
        ],
        versions=await rows("book.record_version"),
        records={
            **{table: await rows(f"book.{table}") for table in RECORDS},
            "appointment": await rows("care.appointment"),
            "consent": await rows("auth.consent"),
        },
        lines=lines,
    )
