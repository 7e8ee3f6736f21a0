"""The visitors' book as its citizen reads it, for the compiler."""

from datetime import date, datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, Integer, Text, and_, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from app.audit import words
from app.audit.tables import LeafRow, LineRow, QuestionRow
from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.core.errors import Text as Words
from app.facilities.tables import FacilityRow
from app.identity.sealing import sealed_place
from app.sharing import scope
from app.sharing.enums import BookSection, SharePurpose
from app.sharing.mapping import names_of


@strawberry.enum(description="Who did something. The first three are people, the others are machines.")
class AccessActorKind(Enum):
    """Kinds of actors: app.audit.words.ActorKind."""

    OWNER = strawberry.enum_value("OWNER", description="The person whose book it is.")
    REPRESENTATIVE = strawberry.enum_value("REPRESENTATIVE", description="A parent, guardian or mandatary.")
    PRACTITIONER = strawberry.enum_value("PRACTITIONER", description="A doctor or another practitioner.")
    FACILITY_SYSTEM = strawberry.enum_value("FACILITY_SYSTEM", description="A facility's computer system.")
    SYSTEM = strawberry.enum_value("SYSTEM", description="This service by itself, for instance when a grant ends.")


@strawberry.enum(description="Whether somebody looked, or something was changed.")
class AccessCategory(Enum):
    """Categories: app.audit.words.Category."""

    VIEW = strawberry.enum_value("VIEW", description="Somebody viewed the book.")
    CHANGE = strawberry.enum_value("CHANGE", description="A right, a code, a factor or a mask was changed.")


@strawberry.enum(description="Why a citizen questions a line.")
class AccessQuestionReason(Enum):
    """Reasons: app.audit.words.QuestionReason."""

    UNKNOWN_PERSON = strawberry.enum_value("UNKNOWN_PERSON", description="The citizen does not know this person.")
    NO_VISIT = strawberry.enum_value("NO_VISIT", description="There was no visit or other occasion.")
    TOO_MUCH = strawberry.enum_value("TOO_MUCH", description="More was viewed than the purpose needs.")
    OTHER = strawberry.enum_value("OTHER", description="Another reason; the note may tell it.")


@strawberry.enum(description="How far a question about a line has come.")
class AccessQuestionState(Enum):
    """States: app.audit.words.QuestionState."""

    OPEN = strawberry.enum_value("OPEN", description="It waits for an answer.")
    JUSTIFIED = strawberry.enum_value("JUSTIFIED", description="The access was found to be justified.")
    NOT_JUSTIFIED = strawberry.enum_value("NOT_JUSTIFIED", description="The access was found not to be justified.")


def of_the_book_asked_for(_nothing: RowRef, line: RowRef, inputs: Inputs) -> ColumnElement[bool]:
    """Name the citizen whose log is asked for; PostgreSQL refuses another's."""
    asked = select(func.auth.visitors_book(inputs.argument("citizen_id"))).scalar_subquery()
    mine: ColumnElement[bool] = line.citizen_id == asked
    return mine


def as_told(_payload: RowRef, line: RowRef, inputs: Inputs) -> ColumnElement[bool]:
    """Name the line that a step told."""
    return and_(line.citizen_id == inputs.told("citizen_id", "uuid"), line.n == inputs.told("n", "bigint"))


def line_id(row: RowRef) -> ColumnElement[Any]:
    """Return a line's id: whose book, and its number."""
    return cast(row.citizen_id, Text).op("||")(literal(".")).op("||")(cast(row.n, Text))


def _in(inputs: Inputs, text: Words) -> ColumnElement[Any]:
    return case((inputs.language == literal("en"), literal(text.en)), else_=literal(text.vi))


def _told(row: RowRef, key: str) -> ColumnElement[Any]:
    return row.about.op("->>")(literal(key))


def _filled(template: ColumnElement[Any], **parts: ColumnElement[Any]) -> ColumnElement[Any]:
    for name, value in parts.items():
        template = func.replace(template, literal("{" + name + "}"), func.coalesce(value, literal("")))
    return template


def _facility_name(row: RowRef) -> ColumnElement[Any]:
    f = FacilityRow.__table__.alias()
    return select(f.c.name).where(f.c.code == row.facility_code).scalar_subquery()


def _actor(row: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    """Return who it was: the viewer is `You`; a person has a name."""
    kinds = [(row.actor_kind == literal(kind.value), _in(inputs, text)) for kind, text in words.WHO.items()]
    name = func.coalesce(row.actor_name, literal("?"))
    return case(
        (row.actor_id == inputs.viewer, _in(inputs, words.YOU)),
        else_=_filled(case(*kinds, else_=_in(inputs, words.WHO[words.ActorKind.SYSTEM])), name=name),
    )


def _is_citizens_side(row: RowRef) -> ColumnElement[bool]:
    sides = (words.ActorKind.OWNER, words.ActorKind.REPRESENTATIVE)
    found: ColumnElement[bool] = row.actor_kind.in_([literal(kind.value) for kind in sides])
    return found


def _sentence(row: RowRef, inputs: Inputs) -> ColumnElement[Any]:
    """Return the line in words: who, where, what, what for."""
    viewed = row.action == literal("BOOK_OPENED")
    what = case(
        (and_(viewed, _told(row, "kind") == literal("PREVIEW")), _in(inputs, words.IN_PREVIEW)),
        (and_(viewed, _told(row, "kind") == literal("EMERGENCY")), _in(inputs, words.IN_EMERGENCY)),
        (and_(row.action == literal("GRANT_GIVEN"), _is_citizens_side(row)), _in(inputs, words.GIVEN)),
        *((row.action == literal(action), _in(inputs, text)) for action, text in words.ACTIONS.items()),
        else_=_in(inputs, words.ANYTHING_ELSE),
    )
    purposes = [(_told(row, "purpose") == literal(name), _in(inputs, text)) for name, text in words.PURPOSES.items()]
    purpose = case(*purposes, else_=literal(""))
    place = case((row.facility_code.is_(None), literal("")), else_=_in(inputs, words.AT))
    facility = func.coalesce(_facility_name(row), row.facility_code)
    told = _filled(what, purpose=purpose)
    where = _filled(place, facility=facility)
    return _actor(row, inputs).op("||")(where).op("||")(literal(" ")).op("||")(told)


def _share_purpose(row: RowRef) -> ColumnElement[Any]:
    """Return what somebody reads for; a consent's line tells another purpose, which is none of these."""
    told = _told(row, "purpose")
    return case((told.in_([literal(one.name) for one in SharePurpose]), told))


def opened_sections(row: RowRef) -> ColumnElement[Any]:
    """Return the bits that the line's `about` tells, of the scope or by themselves."""
    told = func.coalesce(row.about.op("#>>")(literal("{scope,sections}")), _told(row, "sections"))
    return case((told.op("~")(literal("^[0-9]+$")), cast(told, Integer)))


def opened_facilities(row: RowRef) -> ColumnElement[Any]:
    """Return the list of facilities to which a view was narrowed; null: all."""
    told = func.coalesce(row.about.op("#>")(literal("{scope,facilities}")), row.about.op("->")(literal("facilities")))
    return case((func.jsonb_typeof(told) == literal("array"), told))


def _newest(name: str) -> ColumnElement[Any]:
    """Return the newest signed head's size or note."""
    head = func.audit.latest_checkpoint().table_valued("size", "note").alias()
    return select(head.c[name]).scalar_subquery()


def _nonce(row: RowRef) -> ColumnElement[Any]:
    line = LineRow.__table__.alias()
    mine = and_(line.c.citizen_id == row.citizen_id, line.c.n == row.n)
    return select(func.encode(line.c.nonce, literal("hex"))).where(mine).scalar_subquery()


@strawberry.type(
    description=(
        "What proves a line. SHA-256 of 0x00, nonce and body is the leaf; the body names the leaf of the line before; "
        "path leads from the leaf to the root that the checkpoint signs (RFC 9162, C2SP tlog-checkpoint). "
        "infra/verify_access_log.py checks it without trusting this server."
    )
)
class AccessProof:
    """Rests on the line's leaf."""

    body: str = rests.expression(
        lambda row, _inputs: func.audit.line_body(row.citizen_id, row.n),
        description="What was hashed, byte for byte: canonical JSON (RFC 8785).",
    )
    nonce: str = rests.expression(
        lambda row, _inputs: _nonce(row),
        description="32 random bytes in hexadecimal; only those who may read the line have it.",
    )
    leaf: str = rests.expression(
        lambda row, _inputs: func.encode(row.hash, literal("hex")), description="The line's leaf, in hexadecimal."
    )
    index: int | None = rests.expression(
        lambda row, _inputs: cast(row.leaf_index, Integer),
        description="The leaf's place in the tree, from 0; null for the second or so before it is sealed.",
    )
    size: int | None = rests.expression(
        lambda row, _inputs: case((row.leaf_index.is_not(None), cast(_newest("size"), Integer))),
        description="How many leaves the signed tree has.",
    )
    path: list[str] | None = rests.expression(
        lambda row, _inputs: func.audit.proof_path(row.leaf_index, type_=ARRAY(Text())),
        description="Sibling hashes from the leaf up, in hexadecimal.",
    )
    checkpoint: str | None = rests.expression(
        lambda row, _inputs: case((row.leaf_index.is_not(None), _newest("note"))),
        description="The signed head: origin, size, root, signature. Keep the newest; a later one must continue it.",
    )


@strawberry.type(description="A citizen's question about a line, and what became of it.")
class AccessQuestion:
    """A case."""

    id: strawberry.ID = rests.column(QuestionRow.id, description="Opaque id of the case.")
    reason: AccessQuestionReason = rests.column(QuestionRow.reason, description="Why it was asked.")
    note: str | None = rests.sealed(
        lambda row, _inputs: sealed_place("audit.question", "note_sealed", row.id, row.note_sealed),
        description="The citizen's own words.",
    )
    asked_at: datetime = rests.column(QuestionRow.asked_at, description="When it was asked.")
    due_on: date = rests.column(
        QuestionRow.due_on, description="Day by which it must be answered (Decree 356/2025, Art. 5)."
    )
    state: AccessQuestionState = rests.column(QuestionRow.state, description="How far it has come.")
    answered_at: datetime | None = rests.column(QuestionRow.answered_at, description="When it was answered.")
    answered_by: str | None = rests.column(QuestionRow.answered_by, description="Who answered.")


@strawberry.type(description="A line of the visitors' book: who viewed a health book, or changed a right, and when.")
class AccessLogEntry:
    """A line."""

    id: strawberry.ID = rests.expression(lambda row, _inputs: line_id(row), description="Opaque id of the line.")
    number: int = rests.expression(
        lambda row, _inputs: cast(row.n, Integer),
        description="Number of the line in this book, from 1 without a gap: a missing number is a missing line.",
    )
    at: datetime = rests.column(LineRow.at, description="When it was written, by the database's clock.")
    action: str = rests.column(
        LineRow.action, description="What was done, as a word of a growing list (BOOK_OPENED, GRANT_GIVEN …)."
    )
    category: AccessCategory = rests.column(LineRow.category, description="A view, or a change.")
    actor_kind: AccessActorKind = rests.column(
        LineRow.actor_kind, description="Who it was: tells people from machines."
    )
    actor: str = rests.expression(_actor, description="Who it was, in words of the viewer's language.")
    facility: str | None = rests.expression(
        lambda row, _inputs: func.coalesce(_facility_name(row), row.facility_code),
        description="Facility for which it was done.",
    )
    facility_code: str | None = rests.column(LineRow.facility_code, description="Its code.")
    purpose: SharePurpose | None = rests.expression(
        lambda row, _inputs: _share_purpose(row), description="What for, where it was told."
    )
    sections: list[BookSection] | None = rests.expression(
        lambda row, _inputs: case(
            (opened_sections(row).is_not(None), names_of(opened_sections(row), scope.BookSection))
        ),
        description="Sections that were open, or that a right opens.",
    )
    grant_id: strawberry.ID | None = rests.expression(
        lambda row, _inputs: _told(row, "grant"), description="The grant by which it was viewed, or that was changed."
    )
    operation: str | None = rests.expression(
        lambda row, _inputs: _told(row, "operation"), description="Name of the query that was answered."
    )
    sentence: str = rests.expression(_sentence, description="The whole line in words of the viewer's language.")
    question: AccessQuestion | None = rests.one(
        QuestionRow,
        on=lambda line, q, _inputs: and_(q.citizen_id == line.citizen_id, q.n == line.n),
        description="The citizen's question about this line.",
    )
    proof: AccessProof = rests.one(
        LeafRow,
        on=lambda line, leaf, _inputs: and_(leaf.citizen_id == line.citizen_id, leaf.n == line.n),
        description="What proves this line. Ask for it when the log is exported or checked, not on every screen.",
    )
