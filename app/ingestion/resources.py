"""What the resources that a facility sent before became: what a later message refers to, or takes back.

A name of a resource (its URL, its id, a business identifier) rests as a blind index only.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import orjson

from app.core.crypto import Vault
from app.core.db import Session
from app.ingestion import sql
from app.ingestion.fhir import EntryReading
from app.ingestion.fhir.systems import last_part

_INDEX: Final = "SENT_RESOURCE"
_VISIT_SYSTEMS: Final = frozenset({"ma-lk", "malk"})
_BY_IDENTIFIER: Final = "Encounter?identifier="
_LINE_INDEX: Final = "RESULT_LINE"
Line = tuple[str | None, str]
"""Code and name of a line of a report."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentResource:
    """What one resource became."""

    citizen_id: UUID | None
    visit_source_id: str | None
    kind: str  # PATIENT, or that of the record
    key: str | None
    parts: int  # how many resources the record was made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a resource of this message became, with its names."""

    entry: int  # its place in the message
    names: tuple[str, ...]
    citizen_id: UUID
    visit: str | None
    kind: str
    key: str | None
    parts: int  # 0: a report waits for it
    lines: tuple[Line, ...] = ()  # of a result
    is_referred: bool = False  # told by a report that refers to it
    lookups: tuple[bytes, ...] = ()  # blind indexes of other names


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was found, by name."""

    rows: Mapping[str, SentResource]

    def find(self, names: Iterable[str]) -> SentResource | None:
        """Return what the first known of the names became."""
        return next((self.rows[name] for name in names if name in self.rows), None)


async def sent_before(session: Session, *, message_id: UUID, names: set[str], vault: Vault) -> Sent:
    """Look up what the sender of a message sent before."""
    if not names:
        return Sent(rows={})
    by_lookup = {lookup_of(name, vault=vault): name for name in names}
    rows = await sql.sent_resources(session, message_id=message_id, lookups=list(by_lookup))
    return Sent(
        rows={
            by_lookup[lookup]: SentResource(
                citizen_id=citizen_id, visit_source_id=visit, kind=kind, key=key, parts=parts
            )
            for lookup, citizen_id, visit, kind, key, parts in rows
        }
    )


async def note(session: Session, *, message_id: UUID, told: Sequence[Named], vault: Vault) -> list[tuple[Named, str]]:
    """Remember what resources became, for later messages; returns those that were taken back before they came.

    With each stands the rank of its withdrawal.
    """
    rows = [
        {
            "lookup": f"\\x{lookup.hex()}",
            "citizen_id": str(one.citizen_id),
            "visit_source_id": one.visit,
            "kind": one.kind,
            "key": one.key,
            "parts": one.parts,
            "lines": ["\\x" + line_lookup(line, vault=vault).hex() for line in one.lines] or None,
        }
        for one in told
        for lookup in {*(lookup_of(name, vault=vault) for name in one.names), *one.lookups}
    ]
    if not rows:
        return []
    back = await sql.note_resources(session, message_id=message_id, told=orjson.dumps(rows).decode())
    if not back:
        return []
    own = [one for one in told if not one.is_referred]
    ranks = {one: [rank for name in one.names if (rank := back.get(lookup_of(name, vault=vault)))] for one in own}
    return [(one, max(found)) for one, found in ranks.items() if found]


async def note_taken_back(session: Session, *, message_id: UUID, names: Iterable[str], rank: str, vault: Vault) -> None:
    """Remember what was taken back before it came: made before that, it is withdrawn when it comes."""
    lookups = [lookup_of(name, vault=vault) for name in names]
    if lookups:
        await sql.note_taken_back(session, message_id=message_id, lookups=lookups, rank=rank)


async def match_sent_patient(
    session: Session, *, message_id: UUID, position: int, visit: str, names: Sequence[str], vault: Vault
) -> UUID | None:
    """Return the person behind a Patient that the facility sent before."""
    lookups = [lookup_of(name, vault=vault) for name in names]
    return await sql.match_sent_patient(session, message_id=message_id, position=position, visit=visit, lookups=lookups)


async def stand_alone(
    session: Session, *, message_id: UUID, first_position: int, citizen_id: UUID, ids: Sequence[str]
) -> frozenset[str]:
    """Note whose records these are that name no visit; returns those that stand in another person's book."""
    return await sql.stand_alone(
        session, message_id=message_id, first_position=first_position, citizen_id=citizen_id, ids=list(ids)
    )


async def prepare_taking_back(session: Session, *, message_id: UUID, position: int, row: SentResource) -> UUID | None:
    """Find in whose book a record stands that is taken back."""
    is_whole = row.kind == "VISIT"
    visit = row.visit_source_id or (row.key if is_whole else f"{row.kind} {row.key}") or ""
    return await sql.prepare_taking_back(
        session, message_id=message_id, position=position, visit=visit, holder=row.citizen_id, is_whole=is_whole
    )


def visit_named(name: str) -> str | None:
    """Return the visit that a conditional reference names by MA_LK, which is the same by every door."""
    if not name.startswith(_BY_IDENTIFIER):
        return None
    system, _, value = name.removeprefix(_BY_IDENTIFIER).rpartition("|")
    return value if value and last_part(system) in _VISIT_SYSTEMS else None


def visit_to_take_back(entry: EntryReading) -> SentResource | None:
    """Return the visit that an entry takes back by MA_LK, whichever door it came by."""
    visit = next((found for name in entry.names if (found := visit_named(name)) is not None), None)
    if visit is None:
        return None
    return SentResource(citizen_id=None, visit_source_id=visit, kind="VISIT", key=visit, parts=1)


def lookup_of(name: str, *, vault: Vault) -> bytes:
    """Return the blind index under which a name rests."""
    return vault.index.of(name, kind=_INDEX)


def line_lookup(line: Line, *, vault: Vault) -> bytes:
    """Return the blind index by which a line of a result is known."""
    code, name = line
    return vault.index.of(f"{code or ''}|{name}", kind=_LINE_INDEX)
