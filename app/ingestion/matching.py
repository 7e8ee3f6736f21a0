"""From what a hospital wrote of a person to the person, or to the reason why the visit must wait.

Nobody is found by name, birth date or phone: only by a number, and only when name and birth date agree with it.
Source: Decree 102/2025 Art. 6 (the personal id is the health id); vietnam.md 3.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from app.core.clock import VIETNAM_TIME
from app.core.crypto import Place, Vault
from app.core.db import Session
from app.identity.names import name_key
from app.ingestion import sql
from app.records.arrivals import (
    BirthArrival,
    BirthPrecision,
    IdentifierKind,
    PersonArrival,
)

SOCIAL_INSURANCE_DIGITS = 10
INSURANCE_NUMBER = "INSURANCE_NUMBER"
_WAITS_FOR_NUMBERS: Final = frozenset({"NAME_DIFFERS", "BIRTH_DIFFERS", "IDENTIFIERS_DISAGREE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """Whom a visit is about; without a citizen, `outcome` is the reason why it waits."""

    citizen_id: UUID | None
    outcome: str


def numbers_of(person: PersonArrival) -> list[tuple[str, str]]:
    """Return the person's numbers as (kind, normalised value), the strongest first, each kind once."""
    numbers: dict[str, str] = {}
    if person.identifier is not None and person.identifier_kind is not None:
        value = person.identifier if person.identifier_kind is not IdentifierKind.OTHER else person.identifier.upper()
        numbers[person.identifier_kind.value] = value
    for card in person.insurance_cards:
        # The last ten characters are the social-insurance number, which outlives the card.
        numbers.setdefault(INSURANCE_NUMBER, card.number[-SOCIAL_INSURANCE_DIGITS:])
    return list(numbers.items())


async def match_person(
    session: Session,
    *,
    message_id: UUID,
    position: int,
    facility_code: str,
    visit_source_id: str,
    person: PersonArrival,
    vault: Vault,
    new_id: Callable[[], UUID],
    opens: bool = False,
) -> Match:
    """Find or register the person of one visit, and record whom the message is about.

    With `opens` the books that the message is about are opened as well: it is about nobody who is not matched yet.
    """
    told = described(person, vault=vault, new_id=new_id)
    citizen_id, outcome = await sql.match_person(
        session,
        message_id=message_id,
        position=position,
        facility_code=facility_code,
        visit_source_id=visit_source_id,
        person=orjson.dumps(told).decode(),
        opens=opens,
    )
    if outcome in _WAITS_FOR_NUMBERS:
        await sql.wait_for(session, message_id=message_id, lookups=lookups_of(told))
    return Match(citizen_id=citizen_id, outcome=outcome)


def described(person: PersonArrival, *, vault: Vault, new_id: Callable[[], UUID]) -> dict[str, Any]:
    """Return a person as `auth.match_person` takes one, under an id of their own for the case that they are new."""
    return {
        "id": new_id(),
        "born_at": person.born_at,
        "full_name": person.full_name,
        "name_key": name_key(person.full_name),
        "birth_on": person.birth_on,
        "birth_precision": person.birth_precision,
        "sex": person.sex,
        "ethnic_code": person.ethnic_code,
        "nationality_code": person.nationality_code,
        "occupation_code": person.occupation_code,
        "blood_group": person.blood_group,
        "identifiers": [
            _identifier(value, kind=kind, vault=vault, new_id=new_id) for kind, value in numbers_of(person)
        ],
    }


def lookups_of(told: dict[str, Any]) -> list[bytes]:
    """Return the blind indexes of the numbers of a person who was described."""
    return [bytes.fromhex(one["lookup"].removeprefix("\\x")) for one in told["identifiers"]]


def _identifier(value: str, *, kind: str, vault: Vault, new_id: Callable[[], UUID]) -> dict[str, Any]:
    row_id = new_id()
    place = Place(table="auth.identifier", column="sealed", row_id=row_id)
    return {
        "id": row_id,
        "kind": kind,
        "lookup": "\\x" + vault.index.of(value, kind=kind).hex(),
        "sealed": "\\x" + vault.sealer.seal(value.encode(), place=place).hex(),
    }


async def register_birth(
    session: Session,
    *,
    message_id: UUID,
    facility_code: str,
    visit_of: UUID | None,
    birth: BirthArrival,
    vault: Vault,
    new_id: Callable[[], UUID],
) -> None:
    """Register the child of a birth certificate; without a mother who is known, nothing happens."""
    mother, kind = birth.mother_identifier, birth.mother_identifier_kind
    told: dict[str, Any] = {
        "id": new_id(),
        "birth_id": new_id(),
        "full_name": birth.child_name,
        "name_key": None if birth.child_name is None else name_key(birth.child_name),
        "birth_on": birth.born_at.astimezone(VIETNAM_TIME).date(),
        "birth_precision": BirthPrecision.MINUTE,
        "born_at": birth.born_at,
        "sex": birth.sex,
        "certificate": birth.certificate,
    }
    if birth.temporary_card is not None:
        number = birth.temporary_card[-SOCIAL_INSURANCE_DIGITS:]
        told["card"] = _identifier(number, kind=INSURANCE_NUMBER, vault=vault, new_id=new_id)
    if mother is not None and kind is not None:
        told["mother"] = _identifier(mother, kind=kind.value, vault=vault, new_id=new_id)
    await sql.register_birth(
        session,
        message_id=message_id,
        facility_code=facility_code,
        visit_of=visit_of,
        told=orjson.dumps(told).decode(),
    )
