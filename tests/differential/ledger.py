"""What the contract wants of one's own numbers and consents, and of receipts of views."""

from typing import TYPE_CHECKING
from uuid import UUID

from app.core.ids import new_id
from tests.attacks import tries
from tests.audit.visitors import Visitors
from tests.conftest import Ground
from tests.differential.rows import Row
from tests.differential.shown import Shown, identity, instants, plain
from tests.people import Stand, now

if TYPE_CHECKING:
    from tests.differential.judge import Answers

MOST = 50
SHOWS = {
    "VISITS": {"VISIT", "DOCUMENT"},
    "PRESCRIPTIONS": {"PRESCRIPTION"},
    "VACCINATIONS": {"VACCINATION"},
    "TEST_RESULTS": {"TEST_REPORT"},
    "IMAGING": {"TEST_REPORT", "IMAGING"},
    "DOCUMENTS": {"DOCUMENT"},
    "CONDITIONS": {"VISIT", "CONDITION"},
    "ALLERGIES": {"ALLERGY"},
    "INSURANCE": {"VISIT"},
    "APPOINTMENTS": set(),
}
"""The kinds of records of which a section tells something."""
BITS = {name: 1 << place for place, name in enumerate(SHOWS)}


def own(answers: "Answers") -> Shown:
    """Return what a citizen is told of themselves alone."""
    shelf, lists = answers.viewing.shelf, answers.viewing.lists
    numbers = sorted(shelf.numbers, key=lambda row: (row["valid_from"], row["id"]), reverse=True)
    return {
        "identifiers": [_number(answers, row) for row in numbers[:MOST]],
        "consentTexts": [
            {**plain(row, "purpose", "version"), "text": _worded(row, answers.viewing.language)}
            for row in lists.consent_texts
        ],
        "consents": lambda **given: answers.page(
            shelf.records["consent"], "given_at", lambda row: _consent(answers, row), given
        ),
    }


def _worded(row: Row, language: str) -> str:
    return str(row["text_en"] if language == "en" else row["text_vi"])


def _number(answers: "Answers", row: Row) -> Shown:
    joins = (one for one in answers.viewing.shelf.joins if row["id"] in one["identifier_ids"] and not one["undone_at"])
    told = answers.opened("auth.identifier", "sealed", row)
    return {
        **identity(row, "id"),
        **plain(row, "kind"),
        **instants(row, "valid_from", "valid_until"),
        "masked": "".join("•" for _ in told[:-4]) + told[-4:],
        "joinId": next((str(one["id"]) for one in joins), None),
    }


def _consent(answers: "Answers", row: Row) -> Shown:
    (read,) = (
        one
        for one in answers.viewing.lists.consent_texts
        if (one["purpose"], one["version"]) == (row["purpose"], row["version"])
    )
    return {
        **identity(row, "id"),
        **plain(row, "purpose", "version", "confirmed_by"),
        **instants(row, "given_at", "withdrawn_at"),
        "text": _worded(read, row["language"]),
        "aboutId": None if row["about_id"] is None else str(row["about_id"]),
    }


def receipts(answers: "Answers", asked: list[str]) -> list[Shown]:
    """Return the receipts of these lines, as far as they are views of this book."""
    shelf = answers.viewing.shelf
    views = sorted((row for row in shelf.views if _line_id(row) in asked), key=lambda row: row["n"])
    return [{"entryId": _line_id(row), **instants(row, "at"), "records": _records(answers, row)} for row in views[:20]]


def _line_id(row: Row) -> str:
    return f"{row['citizen_id']}.{row['n']}"


def _records(answers: "Answers", line: Row) -> list[Shown]:
    scope = {**line["about"], **line["about"].get("scope", {})}
    bits, facilities = scope.get("sections"), scope.get("facilities")
    kinds = {kind for name, ones in SHOWS.items() if bits is None or bits & BITS[name] for kind in ones}
    newest: dict[UUID, Row] = {}
    for row in sorted(answers.viewing.shelf.versions, key=lambda row: row["version"]):
        if row["version"] > 0 and row["filed_at"] <= line["at"]:
            newest[row["record_id"]] = row
    found = [
        row
        for row in newest.values()
        if row["change"] != "WITHDRAWN"
        and row["kind"] in kinds
        and (facilities is None or row["facility_code"] in facilities)
    ]
    found.sort(key=lambda row: (row["kind"], row["record_id"]))
    return [
        {**identity(row, "record_id"), **plain(row, "kind", "version", "facility_code"), **instants(row, "filed_at")}
        for row in found
    ]


def look_in(stand: Stand, citizen_id: UUID, facility: str) -> None:
    """Leave lines of views that showed everything, single sections, and one facility alone."""
    visitors = Visitors(stand)
    doctor = visitors.practitioner(facility=facility)
    for bits in (None, *BITS.values(), BITS["VISITS"] | BITS["IMAGING"]):
        visitors.view(citizen_id, by=doctor, about={} if bits is None else {"sections": bits})
    visitors.view(citizen_id, by=doctor, about={"scope": {"sections": 1023, "facilities": [facility]}})
    visitors.write(citizen_id, "GRANT_GIVEN", by=doctor)


async def agree(ground: Ground, stand: Stand, citizen_id: UUID, other_id: UUID) -> None:
    """Let the citizen agree and take it back, join a number, and change one."""
    async with tries.as_superuser(ground, stand.settings) as superuser:
        for place in range(9):
            purpose = ("NOTICES", "STATISTICS", "REPRESENTATION")[place % 3]
            await superuser.execute(
                "INSERT INTO auth.consent VALUES ($1, $2, $3, 1, $4, $5, $6::timestamptz, $2, $7, $8, $9)",
                *(new_id(now=now()), citizen_id, purpose, ("vi", "en")[place % 2]),
                new_id(now=now()) if place % 3 == 2 else None,
                now(),
                ("SIGNED_IN", "SECOND_FACTOR")[place % 2],
                None if place > 5 else now(),
                None if place > 5 else citizen_id,
            )
        await superuser.execute(
            "UPDATE auth.consent SET given_at = (SELECT min(given_at) FROM auth.consent WHERE citizen_id = $1) "
            "WHERE citizen_id = $1 AND purpose = 'NOTICES'",
            citizen_id,
        )
        for undone in (now(), None):
            await superuser.execute(
                "INSERT INTO auth.identifier_join SELECT $1, $2, $3, array_agg(id), '{}', now(), $4 "
                "FROM auth.identifier WHERE citizen_id = $2",
                *(new_id(now=now()), citizen_id, other_id, undone),
            )
