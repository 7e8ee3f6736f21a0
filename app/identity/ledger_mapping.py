"""Where consents and numbers rest, for the compiler: what `me` tells of them."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Text, and_, case, func, literal, or_, select
from sqlalchemy import Date as SqlDate

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.core.crypto import MASKED
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.identity.family_mapping import at_the_desk
from app.identity.ledger_tables import ConsentRow, ConsentTextRow, DisownedVisitRow, IdentifierJoinRow
from app.identity.sealing import sealed_place
from app.identity.tables import IdentifierRow

MOST = 50


@strawberry.enum(description="What somebody agrees to; each purpose by itself, and none of them for care.")
class ConsentPurpose(Enum):
    """Purposes."""

    NOTICES = strawberry.enum_value("NOTICES", description="Reminders on the phone.")
    STATISTICS = strawberry.enum_value("STATISTICS", description="Public health statistics in which nobody is known.")
    REPRESENTATION = strawberry.enum_value("REPRESENTATION", description="A mandate; it comes with askRepresentative.")
    SHARING = strawberry.enum_value(
        "SHARING", description="A share; it comes with createShareCode or approveShareRequest."
    )


@strawberry.enum(description="How a consent was confirmed.")
class ConsentConfirmation(Enum):
    """Ways to confirm."""

    SIGNED_IN = strawberry.enum_value("SIGNED_IN", description="By the person, signed in at level 2.")
    SECOND_FACTOR = strawberry.enum_value("SECOND_FACTOR", description="By the person, with a fresh second factor.")


@strawberry.enum(description="What a number is.")
class IdentifierKind(Enum):
    """Kinds of numbers."""

    PERSONAL_ID = strawberry.enum_value("PERSONAL_ID", description="12-digit personal id number.")
    OLD_ID = strawberry.enum_value("OLD_ID", description="Old identity card, 9 digits.")
    PASSPORT = strawberry.enum_value("PASSPORT", description="Passport: a letter and 7 digits.")
    INSURANCE_NUMBER = strawberry.enum_value(
        "INSURANCE_NUMBER", description="Social-insurance number: 10 digits, the end of an insurance card."
    )
    OTHER = strawberry.enum_value("OTHER", description="Another number, as a hospital sent it.")


def _in_force(row: RowRef) -> ColumnElement[bool]:
    today = func.auth.today(type_=SqlDate)
    return and_(row.valid_from <= today, or_(row.valid_until.is_(None), row.valid_until >= today))


def _in_language(row: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    return case((inputs.language == literal("en"), row.text_en), else_=row.text_vi)


@strawberry.type(description="A text to agree to or not; nothing is agreed before somebody says so.")
class ConsentText:
    """A text in force."""

    purpose: ConsentPurpose = rests.column(ConsentTextRow.purpose, description="For what.")
    version: int = rests.column(ConsentTextRow.version, description="Which wording; giveConsent names it.")
    text: str = rests.expression(_in_language, description="The text, word for word, in the viewer's language.")


def _text_as_read(row: RowRef, _inputs: Inputs) -> ColumnElement[Any]:
    wording = ConsentTextRow.__table__.alias()
    text = case((row.language == literal("en"), wording.c.text_en), else_=wording.c.text_vi)
    return select(text).where(wording.c.purpose == row.purpose, wording.c.version == row.version).scalar_subquery()


@strawberry.type(description="That somebody agreed: to what, for what, when and how. To be printed or kept as proof.")
class Consent:
    """A consent."""

    id: strawberry.ID = rests.column(ConsentRow.id, description="Opaque.")
    purpose: ConsentPurpose = rests.column(ConsentRow.purpose, description="For what.")
    version: int = rests.column(ConsentRow.version, description="Which wording.")
    text: str = rests.expression(_text_as_read, description="The text as it was read, word for word.")
    given_at: datetime = rests.column(ConsentRow.given_at, description="When it was given.")
    confirmed_by: ConsentConfirmation = rests.column(ConsentRow.confirmed_by, description="How it was confirmed.")
    withdrawn_at: datetime | None = rests.column(
        ConsentRow.withdrawn_at, description="When it was taken back; null while it holds."
    )
    about_id: strawberry.ID | None = rests.column(
        ConsentRow.about_id,
        description="The mandate, share code or grant that it is of, and ends with it; null for a purpose of its own.",
    )


def _join_of(row: RowRef, _inputs: Inputs) -> ColumnElement[Any]:
    join = IdentifierJoinRow.__table__.alias()
    return (
        select(join.c.id)
        .where(
            join.c.citizen_id == row.citizen_id, row.id == func.any(join.c.identifier_ids), join.c.undone_at.is_(None)
        )
        .limit(literal(1))
        .scalar_subquery()
    )


@strawberry.type(description="A number that names one at hospitals, with its history.")
class Identifier:
    """A number."""

    id: strawberry.ID = rests.column(IdentifierRow.id, description="Opaque.")
    kind: IdentifierKind = rests.column(IdentifierRow.kind, description="What it is.")
    masked: str = rests.sealed(
        lambda row, _inputs: sealed_place(f"{MASKED}auth.identifier", "sealed", row.id, row.sealed),
        description="The number, of which only the last four characters are told.",
    )
    valid_from: datetime = rests.column(IdentifierRow.valid_from, description="Since when it is known.")
    valid_until: datetime | None = rests.column(
        IdentifierRow.valid_until, description="When it was replaced or cancelled; null while it holds."
    )
    join_id: strawberry.ID | None = rests.expression(
        _join_of,
        description="The join by which it became one's own; undoJoin takes it. Null for all others.",
    )


consent_texts: Any = rests.many(
    ConsentTextRow,
    on=lambda _me, row, _inputs: _in_force(row),
    order=(rests.asc("purpose"), rests.desc("version")),
    limit=MOST,
    guard=at_the_desk,
    description="What can be agreed to today. Under `me` only, else null.",
)


identifiers: Any = rests.many(
    IdentifierRow,
    on=lambda me, row, _inputs: row.citizen_id == me.id,
    order=(rests.desc("valid_from"), rests.desc("id")),
    limit=MOST,
    guard=at_the_desk,
    description="One's numbers with their history, newest first. Under `me` only, else null.",
)


@strawberry.enum(description="What has become of a visit that is not one's own.")
class DisownedState(Enum):
    """States of a disowned visit."""

    TAKEN_OUT = strawberry.enum_value(
        "TAKEN_OUT", description="Out of the book, or about to be; its facility is told on the receipt."
    )
    SENT_FOR_ANOTHER = strawberry.enum_value(
        "SENT_FOR_ANOTHER", description="Its facility has sent it for somebody else: it is settled."
    )
    TAKEN_BACK = strawberry.enum_value("TAKEN_BACK", description="One said that it is one's own after all.")


@strawberry.type(description="A visit of which one said that it is not one's own.")
class DisownedVisit:
    """A disowned visit."""

    id: strawberry.ID = rests.column(DisownedVisitRow.id, description="Opaque; undoDisown takes it.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda row, f, _inputs: f.code == row.facility_code, description="Which facility sent it."
    )
    disowned_at: datetime = rests.column(DisownedVisitRow.disowned_at, description="When one said so.")
    undone_at: datetime | None = rests.column(
        DisownedVisitRow.undone_at, description="When one took it back; null while it stands."
    )
    state: DisownedState = rests.expression(
        lambda row, _inputs: func.auth.disowned_state(row.id, type_=Text), description="What has become of it."
    )


disowned_visits: Any = rests.many(
    DisownedVisitRow,
    on=lambda me, row, _inputs: row.citizen_id == me.id,
    order=(rests.desc("disowned_at"), rests.desc("id")),
    limit=MOST,
    guard=at_the_desk,
    description="Visits that one said are not one's own, newest first. Under `me` only, else null.",
)
