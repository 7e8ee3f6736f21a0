"""Practitioners: the register of certificates and places is stored here, again and again without harm."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

import orjson

from app.core.crypto import Vault
from app.core.db import Session
from app.identity import register_sql
from app.identity.names import name_key
from app.identity.register import PractitionerEntry
from app.identity.register_sql import Stored

AT_ONCE: Final = 1_000


async def store(
    session: Session,
    *,
    entries: Sequence[PractitionerEntry],
    vault: Vault,
    now: datetime,
    new_id: Callable[[], UUID],
) -> Stored:
    """Store certificates and their places; a place that an entry does not name any more ends today.

    Whose name or personal id changed is signed out: the certificate may have become another person's.
    """
    stored = Stored(added=0, changed=0)
    waiting = iter(entries)
    while some := list(islice(waiting, AT_ONCE)):
        rows = [_row(entry, vault=vault, now=now, new_id=new_id) for entry in some]
        stored += await register_sql.put(session, practitioners=orjson.dumps(rows).decode())
    return stored


def _row(entry: PractitionerEntry, *, vault: Vault, now: datetime, new_id: Callable[[], UUID]) -> dict[str, object]:
    number = entry.personal_id
    return {
        "id": new_id(),
        "certificate": entry.certificate,
        "full_name": entry.full_name,
        "name_key": name_key(entry.full_name),
        "person_lookup": None if number is None else "\\x" + vault.index.of(number, kind="PERSONAL_ID").hex(),
        "valid_from": entry.valid_from,
        "valid_until": entry.valid_until,
        "suspended_on": entry.suspended_on,
        "registered_at": now,
        "places": list(_places(entry)),
    }


def _places(entry: PractitionerEntry) -> Iterator[dict[str, object]]:
    for place in entry.places:
        yield {
            "facility_code": place.facility_code,
            "valid_from": place.valid_from,
            "valid_until": place.valid_until,
        }
