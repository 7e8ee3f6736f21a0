"""Loads the code lists that ship with this release into the database."""

import json

from app.core.db import Session
from app.terminology.codes import SYSTEMS, CodeEntry, read_codes
from app.terminology.sql import replace_entries


async def load_all(session: Session) -> int:
    """Replace every list by the one that ships; returns the number of codes. Runs as `migrator`."""
    count = 0
    for system in SYSTEMS:
        entries = read_codes(system)
        await replace_entries(session, system=system, entries=json.dumps([_columns(entry) for entry in entries]))
        count += len(entries)
    return count


def _columns(entry: CodeEntry) -> dict[str, str | None]:
    return {
        "code": entry.code,
        "name_vi": entry.name_vi,
        "name_en": entry.name_en,
        "valid_from": entry.valid_from.isoformat(),
        "valid_until": None if entry.valid_until is None else entry.valid_until.isoformat(),
    }
