"""Loads the code lists that ship with this release into the database."""

import json

from app.core.db import Session
from app.terminology.codes import SYSTEMS, CodeEntry, read_codes
from app.terminology.reuse import reuse_rules
from app.terminology.schedule import scheduled_doses
from app.terminology.sql import replace_entries, replace_rows
from app.terminology.units import test_units


async def load_all(session: Session) -> int:
    """Replace every list by the one that ships; returns the number of codes. Runs as `migrator`."""
    await replace_rows(session, table="scheduled_dose", rows=json.dumps(scheduled_doses()))
    await replace_rows(session, table="reuse_rule", rows=json.dumps(reuse_rules()))
    await replace_rows(session, table="test_unit", rows=json.dumps(test_units()))
    return sum([await load(session, system=system, entries=read_codes(system)) for system in SYSTEMS])


async def load(session: Session, *, system: str, entries: tuple[CodeEntry, ...]) -> int:
    """Replace one list; returns the number of its codes. Runs as `migrator`."""
    await replace_entries(session, system=system, entries=json.dumps([_columns(entry) for entry in entries]))
    return len(entries)


def _columns(entry: CodeEntry) -> dict[str, str | None]:
    return {
        "code": entry.code,
        "name_vi": entry.name_vi,
        "name_en": entry.name_en,
        "valid_from": entry.valid_from.isoformat(),
        "valid_until": None if entry.valid_until is None else entry.valid_until.isoformat(),
    }
