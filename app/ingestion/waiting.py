"""What a FHIR message waits for: Patients and Encounters that its facility has not sent yet, or tells otherwise.

A name of a resource is looked up as a blind index. When what it names comes, the message is taken up again by itself.
"""

import hashlib
from typing import Final

import orjson

from app.core.db import driver_of
from app.ingestion import bundle_judging, matching, resources, sql
from app.ingestion.fhir import EntryReading, EntryUse, UnitReading
from app.ingestion.fhir.words import FhirCode
from app.ingestion.in_hand import Bundle
from app.ingestion.parts import lasting
from app.ingestion.verdict import Effect, EntryOutcome

_NAMED: Final = frozenset({"Patient", "Encounter"})


async def await_names(work: Bundle) -> None:
    """Take turns with messages that tell or name the same Patients and Encounters, and wait for those not known."""
    entries = (one for one in work.entries if one.resource in _NAMED and one.use is not EntryUse.WITHDRAWS)
    told = {name for one in entries for name in lasting(one.names)}
    asked = {name for unit in work.units for name in lasting((*unit.patient, *unit.visit))}
    if told or asked:
        driver = await driver_of(work.session)
        lookups = [[resources.lookup_of(name, vault=work.vault) for name in names] for names in (told, asked)]
        await driver.execute("SELECT intake.await_names($1, $2, $3)", work.message_id, *lookups)


async def forget_others(work: Bundle) -> None:
    """Forget whom the names of a Patient meant before who is told as somebody else now."""
    for unit in work.units:
        names = _names(work, unit)
        if unit.person is None or work.sent.find(names) is None:
            continue
        told = matching.described(unit.person, vault=work.vault, new_id=work.new_id)
        lookups = {name: resources.lookup_of(name, vault=work.vault) for name in names}
        ids = [lookup for name, lookup in lookups.items() if not _is_number(name)]
        driver = await driver_of(work.session)
        await driver.execute(
            "SELECT auth.forget_patient($1, $2, $3, $4)",
            work.message_id,
            list(lookups.values()),
            ids,
            orjson.dumps(told).decode(),
        )


async def begin_matching(work: Bundle) -> None:
    """Note the point to which a transaction returns that is not filed."""
    if work.message.is_all_or_nothing:
        driver = await driver_of(work.session)
        await driver.execute("SAVEPOINT unmatched")


async def unmatch(work: Bundle) -> None:
    """Let a transaction that is not filed have registered nobody; for what it waits, it waits."""
    driver = await driver_of(work.session)
    await driver.execute("ROLLBACK TO SAVEPOINT unmatched")
    await note_waits(work)


async def note_waits(work: Bundle) -> None:
    """Wait for the numbers of people who could not be matched, until their Patients are told again."""
    for position, unit in enumerate(work.units):
        if unit.person is None or position in work.citizens:
            continue
        told = matching.described(unit.person, vault=work.vault, new_id=work.new_id)
        ids = [resources.lookup_of(name, vault=work.vault) for name in _names(work, unit) if not _is_number(name)]
        lookups = matching.lookups_of(told) + [hashlib.sha256(lookup).digest() for lookup in ids]
        await sql.wait_for(work.session, message_id=work.message_id, lookups=lookups)


def _names(work: Bundle, unit: UnitReading) -> list[str]:
    """Return the lasting names of a unit's Patient."""
    patient = work.entries[(unit.told_by or (0,))[0]]  # a resource that was sent alone has no place in a Bundle
    return lasting(patient.names) if patient.resource == "Patient" else []


def _is_number(name: str) -> bool:
    return name.startswith("Patient?identifier=")


async def drop_patient(work: Bundle, entry: EntryReading) -> bool:
    """Let the name of a Patient that is deleted mean nobody from now on; false where it meant nobody."""
    if entry.resource != "Patient":
        return False
    lookups = [resources.lookup_of(name, vault=work.vault) for name in entry.names]
    driver = await driver_of(work.session)
    if not await driver.fetchval("SELECT auth.drop_patient($1, $2)", work.message_id, lookups):
        return False
    work.outcomes[entry.index] = EntryOutcome.WITHDRAWN
    work.problems.append(bundle_judging.problem(FhirCode.PATIENT_RECORDS_STAY, Effect.NOTES, entry=entry.index))
    return True
