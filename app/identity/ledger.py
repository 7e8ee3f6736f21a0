"""What people agree to and take back, which numbers are theirs, and which records are not."""

import re
from typing import Final
from uuid import UUID

import orjson

from app.core.context import Context
from app.core.crypto import Place
from app.core.db import Session
from app.core.errors import Invalid, NotFound, Text
from app.core.ids import known_id
from app.core.words import words
from app.identity import ledger_sql, sql

FORMS: Final = {
    "OLD_ID": re.compile(r"[0-9]{9}", re.ASCII),
    "PASSPORT": re.compile(r"[A-Z][0-9]{7}", re.ASCII),
    "INSURANCE_NUMBER": re.compile(r"(?:[A-Z]{2}[0-9]{3})?[0-9]{10}", re.ASCII),
}
"""How a number is written, by kind; of an insurance card the last ten digits count."""
_INSURANCE_DIGITS: Final = 10
_NOT_HERE: Final = Text(
    "Số định danh được cấp lại không gắn ở đây được. Hãy mang giấy xác nhận có cả số cũ và số mới đến cơ sở y tế: cơ "
    "sở báo đơn vị vận hành Sổ Khỏe ghi nhận, rồi bạn đăng nhập lại.",
    "A personal id that was issued again is not joined here. Take the paper that names the old and the new number to a "
    "health facility: it has the operator of Sổ Khỏe record it. Then sign in again.",
)


async def give_consent(session: Session, *, purpose: str, version: int, context: Context) -> UUID:
    """Agree to a text.

    :raises Invalid: when no such text is in force
    :raises Conflict: when it is agreed already
    """
    return await ledger_sql.give_consent(
        session, new_id=context.new_id(), purpose=purpose, version=version, language=context.language
    )


async def withdraw_consent(session: Session, *, consent_id: str) -> UUID:
    """Take a consent back; a mandate that it was of ends with it.

    :raises NotFound: when it is none of theirs, or was taken back
    """
    return await ledger_sql.withdraw_consent(session, consent_id=known_id(consent_id))


async def join_identifier(session: Session, *, kind: str, number: str, context: Context) -> UUID:
    """Join a number that hospitals know as somebody's who is the same person.

    :raises Invalid: when the number is not written as its kind is, or is a personal id
    :raises NotFound: when there is no such number, or name, birth date or sex differ: whichever, it is not told
    :raises Conflict: when it is one's own already
    :raises StepUpRequired: without a fresh second factor
    """
    if kind == "PERSONAL_ID":
        raise Invalid(_NOT_HERE)
    said = "".join(words(number).split()).upper()  # a card prints its number in groups
    if kind not in FORMS or not FORMS[kind].fullmatch(said):
        raise Invalid(Text("Số giấy tờ viết không đúng quy cách.", "The number is not written as its kind is."))
    value = said[-_INSURANCE_DIGITS:] if kind == "INSURANCE_NUMBER" else said
    lookup = context.house.vault.index.of(value, kind=kind)
    return await ledger_sql.join_identifier(session, new_id=context.new_id(), kind=kind, lookup=lookup)


async def undo_join(session: Session, *, join_id: str, context: Context) -> UUID:
    """Undo a join: what came by it leaves the book.

    :raises NotFound: when it is none of theirs, or was undone
    :raises StepUpRequired: without a fresh second factor
    """
    wanted, me = known_id(join_id), await _me(session)
    for visit in await ledger_sql.undo_join(session, join_id=wanted):
        split_id = context.new_id()
        sealed = _sealed(split_id, citizen_id=me, visit=visit["visit"], reason="JOIN_UNDONE", context=context)
        await ledger_sql.part_with_visit(
            session,
            split_id=split_id,
            join_id=wanted,
            facility_code=visit["facility"],
            visit=visit["visit"],
            sealed=sealed,
        )
    return wanted


async def disown(session: Session, *, message_id: str, context: Context) -> int:
    """Say that what a message brought is not one's own; returns how many visits leave the book.

    :raises NotFound: when it brought nothing into this person's book
    :raises StepUpRequired: without a fresh second factor
    """
    me = await _me(session)
    visits = await ledger_sql.visits_of_message(session, message_id=known_id(message_id))
    for visit in visits:
        split_id = context.new_id()
        sealed = _sealed(split_id, citizen_id=me, visit=visit["visit"], reason="NOT_MINE", context=context)
        await ledger_sql.disown_visit(
            session, split_id=split_id, facility_code=visit["facility"], visit=visit["visit"], sealed=sealed
        )
    return len(visits)


async def undo_disown(session: Session, *, disowned_id: str) -> UUID:
    """Say that a visit is one's own after all: it comes back into the book by the queue.

    :raises NotFound: when they disowned no such visit, or took it back already
    :raises Conflict: when it is not out of the book yet, or its facility has sent it for somebody else
    :raises StepUpRequired: without a fresh second factor
    """
    return await ledger_sql.take_visit_back(session, disowned_id=known_id(disowned_id))


async def _me(session: Session) -> UUID:
    found = await sql.me(session)
    if found is None:
        raise NotFound
    return found


def _sealed(split_id: UUID, *, citizen_id: UUID, visit: str, reason: str, context: Context) -> bytes:
    """Return what the worker is told of a split, sealed as a message is."""
    body = orjson.dumps({"citizen": str(citizen_id), "visit": visit, "reason": reason})
    place = Place(table="intake.message", column="body", row_id=split_id)
    return context.house.vault.sealer.seal(body, place=place)
