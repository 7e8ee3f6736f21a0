"""Where conditions and allergies rest, for the compiler."""

from datetime import datetime
from typing import Any

import strawberry
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.records.clinical_enums import (
    AllergyCategory,
    AllergyKind,
    AllergyState,
    Certainty,
    ConditionState,
    Criticality,
    MomentPrecision,
    ReactionSeverity,
)
from app.records.provenance import MOST_BESIDE, Provenance, visit_of
from app.records.tables import AllergyReactionRow, AllergyRow, ConditionRow, VisitDiagnosisRow
from app.sharing.enums import SensitiveClass
from app.sharing.mapping import CLASSES, MASKED, tells_classes, tells_masked
from app.terminology.sql import label

_REFUTED = literal("REFUTED")


def conditions(_book: RowRef, inputs: Inputs) -> Select[Any]:
    """Return diagnoses of visits and facilities' statements, gathered by concept; what is refuted counts nowhere."""
    d, c = VisitDiagnosisRow.__table__.alias(), ConditionRow.__table__.alias()
    of_visits = select(
        d.c.code.label("concept"),
        literal("ICD10").label("code_system"),
        d.c.code.label("code"),
        null().cast(Text).label("name"),
        d.c.recorded_at.label("recorded_at"),
        d.c.visit_id.label("visit_id"),
        case((d.c.role == literal("MAIN"), literal(1)), else_=literal(0)).label("main"),
        null().cast(Text).label("state"),
        null().cast(Uuid).label("id"),
    ).where(d.c.citizen_id == inputs.citizen, d.c.role != literal("TRADITIONAL"))
    stated = select(
        c.c.concept,
        c.c.code_system,
        func.coalesce(c.c.code, c.c.name),
        c.c.name,
        c.c.recorded_at,
        null().cast(Uuid),
        literal(0),
        c.c.state,
        c.c.id,
    ).where(c.c.citizen_id == inputs.citizen, c.c.certainty.is_distinct_from(_REFUTED))
    every = union_all(of_visits, stated).subquery()
    return select(
        every.c.concept,
        func.max(every.c.code_system).label("code_system"),
        _latest(every.c.code, every).label("code"),
        _latest(every.c.name, every).label("written_name"),
        func.min(every.c.recorded_at).label("first_recorded_at"),
        func.max(every.c.recorded_at).label("last_recorded_at"),
        cast(func.count(every.c.visit_id.distinct()), BigInteger).label("visit_count"),
        cast(func.sum(every.c.main), Integer).label("main_count"),
        _latest(every.c.state, every).label("state"),
    ).group_by(every.c.concept)


def _latest(column: ColumnElement[Any], every: Any) -> ColumnElement[Any]:
    told = func.array_agg(
        aggregate_order_by(column, every.c.recorded_at.desc(), every.c.id.desc().nulls_last()), type_=ARRAY(Text())
    ).filter(column.is_not(None))
    newest: ColumnElement[Any] = told[literal(1)]
    return newest


@strawberry.type(description="What one facility states of a condition, apart from the diagnoses of visits.")
class ConditionStatement:
    """A statement."""

    id: strawberry.ID = rests.column(ConditionRow.id, description="Opaque id.")
    visit_id: strawberry.ID | None = rests.expression(
        visit_of, description="The visit it belongs to; null where none is known, or visits are out of scope."
    )
    facility: Facility = rests.one(
        FacilityRow, on=lambda c, f, _inputs: f.code == c.facility_code, description="Who states it."
    )
    name: str = rests.column(ConditionRow.name, description="In words, as sent.")
    state: ConditionState | None = rests.column(ConditionRow.state, description="Whether it lasts.")
    certainty: Certainty | None = rests.column(ConditionRow.certainty, description="How sure it is.")
    severity: str | None = rests.column(ConditionRow.severity, description="How bad it is, as sent.")
    onset_at: datetime | None = rests.column(ConditionRow.onset_at, description="When it began.")
    onset_precision: MomentPrecision | None = rests.column(
        ConditionRow.onset_precision, description="How much of that time is known."
    )
    onset_text: str | None = rests.column(ConditionRow.onset_text, description="When it began, in words or as an age.")
    abated_at: datetime | None = rests.column(ConditionRow.abated_at, description="When it ended.")
    recorded_at: datetime = rests.column(ConditionRow.recorded_at, description="When it was recorded.")
    recorder_name: str | None = rests.column(ConditionRow.recorder_name, description="Who recorded it.")
    note: str | None = rests.column(ConditionRow.note, description="Note, as written.")
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.type(description="A disease or problem that facilities recorded, gathered over visits and statements.")
class HealthCondition:
    """A condition, gathered by code."""

    code: str = rests.column(
        "code", description="ICD-10 code as sent; else a code of another list; where there is none, the words as sent."
    )
    code_system: str | None = rests.column(
        "code_system", description="ICD10, SNOMED_CT, or the address of another list; null where there is no code."
    )
    name: str | None = rests.expression(
        lambda row, inputs: func.coalesce(
            case((row.code_system == literal("ICD10"), label("icd10", row.code, inputs.language))), row.written_name
        ),
        description="Name of an ICD-10 code in the viewer's language, else the words as sent.",
    )
    state: ConditionState | None = rests.column(
        "state", description="Whether it lasts, as the latest statement says; null where visits alone name it."
    )
    first_recorded_at: datetime = rests.column("first_recorded_at", description="First visit or statement.")
    last_recorded_at: datetime = rests.column("last_recorded_at", description="Latest visit or statement.")
    visit_count: int = rests.column("visit_count", description="How many visits name it.")
    is_main_somewhere: bool = rests.expression(
        lambda row, _inputs: row.main_count > literal(0), description="Whether it was ever the main diagnosis."
    )
    statements: list[ConditionStatement] = rests.many(
        ConditionRow,
        on=lambda h, c, inputs: and_(
            c.citizen_id == inputs.citizen, c.concept == h.concept, c.certainty.is_distinct_from(_REFUTED)
        ),
        order=(rests.desc("recorded_at"), rests.desc("id")),
        limit=MOST_BESIDE,
        description="What facilities state of it apart from visits, the newest first; at most 25.",
    )


@strawberry.type(description="A reaction to an allergen.")
class AllergyReaction:
    """A reaction."""

    description: str = rests.column(AllergyReactionRow.description, description="What happened, in words.")
    reacted_at: datetime | None = rests.column(AllergyReactionRow.reacted_at, description="When it was.")
    severity: ReactionSeverity | None = rests.column(AllergyReactionRow.severity, description="How bad it was.")


@strawberry.type(description="An allergy or intolerance, as one facility states it.")
class Allergy:
    """An allergy."""

    id: strawberry.ID = rests.column(AllergyRow.id, description="Opaque id.")
    visit_id: strawberry.ID | None = rests.expression(
        visit_of, description="The visit it belongs to; null where none is known, or visits are out of scope."
    )
    facility: Facility = rests.one(
        FacilityRow, on=lambda a, f, _inputs: f.code == a.facility_code, description="Who states it."
    )
    substance: str = rests.column(AllergyRow.substance, description="To what, in words as sent.")
    code: str | None = rests.column(AllergyRow.code, description="Code of the substance as sent.")
    code_system: str | None = rests.column(
        AllergyRow.code_system, description="Its list: SNOMED_CT, ATC, RXNORM, ICD10, or the address of another."
    )
    kind: AllergyKind | None = rests.column(AllergyRow.kind, description="Allergy or intolerance.")
    categories: list[AllergyCategory] = rests.column(AllergyRow.categories, description="Kinds of the substance.")
    criticality: Criticality | None = rests.column(AllergyRow.criticality, description="Danger of a new exposure.")
    state: AllergyState | None = rests.column(AllergyRow.state, description="Whether it lasts.")
    certainty: Certainty | None = rests.column(
        AllergyRow.certainty, description="How sure it is. What is REFUTED stays in the list, so that it is seen."
    )
    reactions: list[AllergyReaction] = rests.many(
        AllergyReactionRow,
        on=lambda a, r, inputs: and_(r.citizen_id == inputs.citizen, r.allergy_id == a.id),
        order=(rests.asc("line"),),
        limit=MOST_BESIDE,
        description="Reactions in the facility's order; at most 25.",
    )
    onset_at: datetime | None = rests.column(AllergyRow.onset_at, description="When it was first noticed.")
    onset_precision: MomentPrecision | None = rests.column(
        AllergyRow.onset_precision, description="How much of that time is known."
    )
    last_reacted_at: datetime | None = rests.column(AllergyRow.last_reacted_at, description="The latest reaction.")
    recorded_at: datetime = rests.column(AllergyRow.recorded_at, description="When it was recorded.")
    recorder_name: str | None = rests.column(AllergyRow.recorder_name, description="Who recorded it.")
    note: str | None = rests.column(AllergyRow.note, description="Note, as written.")
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


def _is_contradicted(row: RowRef, inputs: Inputs) -> ColumnElement[bool]:
    a = AllergyRow.__table__.alias()
    return exists(
        select(a.c.id).where(
            a.c.citizen_id == inputs.citizen,
            ~a.c.is_none_known,
            a.c.certainty.is_distinct_from(_REFUTED),
            a.c.state.is_distinct_from(literal("RESOLVED")),
            or_(
                func.cardinality(row.categories) == literal(0),
                func.cardinality(a.c.categories) == literal(0),
                a.c.categories.op("&&")(row.categories),
            ),
        )
    )


@strawberry.type(description="A facility's statement that no allergy is known. Without one, nothing is known at all.")
class NoKnownAllergy:
    """A statement, kept apart from allergies and from nothing recorded."""

    id: strawberry.ID = rests.column(AllergyRow.id, description="Opaque id.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda a, f, _inputs: f.code == a.facility_code, description="Who states it."
    )
    statement: str = rests.column(AllergyRow.substance, description="The statement in words, as sent.")
    categories: list[AllergyCategory] = rests.column(
        AllergyRow.categories, description="Of which kind of allergy none is known; empty for any."
    )
    is_contradicted: bool = rests.expression(
        _is_contradicted,
        description="Whether this book holds an allergy that the statement denies: trust that one.",
    )
    recorded_at: datetime = rests.column(AllergyRow.recorded_at, description="When it was stated.")
    provenance: Provenance = rests.embedded(description="Where this record comes from.")
