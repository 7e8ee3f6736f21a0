"""Where vaccinations rest, for the compiler: one dose, told by one facility or several."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from sqlalchemy import (
    Boolean,
    Date,
    DateTime,
    Integer,
    Select,
    SmallInteger,
    Text,
    Uuid,
    and_,
    case,
    column,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.records.clinical_enums import (
    DueState,
    MomentPrecision,
    ReactionSeverity,
    ReactionTeller,
    VaccinationProgramme,
    VaccinationStatus,
)
from app.records.provenance import MOST_BESIDE, Provenance, visit_of
from app.records.tables import ReportedReactionRow, VaccinationReactionRow, VaccinationRow
from app.sharing.enums import SensitiveClass
from app.sharing.mapping import CLASSES, MASKED, tells_classes, tells_masked
from app.terminology.sql import label


def _targets(dose: RowRef, _inputs: Inputs) -> Select[Any]:
    told = func.unnest(dose.antigens).table_valued(column("code", Text()), with_ordinality="line")
    listed = told.render_derived(name="target")
    return select(listed.c.code, listed.c.line)


def _reactions(dose: RowRef, inputs: Inputs) -> Select[Any]:
    """Return what every facility that tells of this dose, and the citizen, say of reactions."""
    v = VaccinationRow.__table__.alias()
    told = VaccinationReactionRow.__table__.alias()
    reported = ReportedReactionRow.__table__.alias()
    by_facilities = select(
        literal("FACILITY").label("told_by"),
        v.c.facility_code.label("facility_code"),
        v.c.source_id.label("source_id"),
        told.c.description,
        told.c.reacted_at,
        told.c.severity,
        func.coalesce(told.c.reacted_at, v.c.injected_at).label("place"),
        told.c.line,
        null().cast(Uuid).label("id"),
    ).where(
        v.c.citizen_id == inputs.citizen,
        v.c.dose_id == dose.dose_id,
        told.c.citizen_id == inputs.citizen,
        told.c.vaccination_id == v.c.id,
    )
    by_citizen = select(
        literal("CITIZEN"),
        null().cast(Text),
        null().cast(Text),
        reported.c.description,
        reported.c.reacted_at,
        reported.c.severity,
        func.coalesce(reported.c.reacted_at, reported.c.reported_at),
        literal(0).cast(SmallInteger),
        reported.c.id,
    ).where(reported.c.citizen_id == inputs.citizen, reported.c.dose_id == dose.dose_id)
    every = union_all(by_facilities, by_citizen).subquery()
    return select(*every.c)


def _due_doses(_book: RowRef, inputs: Inputs) -> Select[Any]:
    doses = func.book.due_doses(inputs.citizen).table_valued(
        column("series", Text()),
        column("dose", Integer()),
        column("name_vi", Text()),
        column("name_en", Text()),
        column("antigens", ARRAY(Text())),
        column("due_on", Date()),
        column("late_from", Date()),
        column("closes_on", Date()),
        column("done_at", DateTime(timezone=True)),
        column("vaccination_id", Uuid()),
        column("state", Text()),
        column("source", Text()),
        column("is_confirmed", Boolean()),
        name="due",
    )
    return select(*doses.c)


@strawberry.type(description="A disease that a vaccine protects against.")
class VaccineTarget:
    """A target disease."""

    code: str = rests.column("code", description="Code, for example MEASLES.")
    name: str | None = rests.expression(
        lambda row, inputs: label("antigen", row.code, inputs.language), description="Name in the viewer's language."
    )


@strawberry.type(description="A reaction after a vaccination.")
class VaccineReaction:
    """A reaction."""

    told_by: ReactionTeller = rests.column("told_by", description="Who tells of it.")
    facility: Facility | None = rests.one(
        FacilityRow,
        on=lambda r, f, _inputs: f.code == r.facility_code,
        description="Which facility tells of it; null where the citizen does.",
    )
    description: str = rests.column("description", description="What happened, in words.")
    reacted_at: datetime | None = rests.column("reacted_at", description="When it was.")
    severity: ReactionSeverity | None = rests.column("severity", description="How bad it was.")


@strawberry.type(description="What one facility tells of a dose.")
class VaccinationSource:
    """A source of a dose."""

    id: strawberry.ID = rests.column(VaccinationRow.id, description="Opaque id of this facility's record.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda v, f, _inputs: f.code == v.facility_code, description="Who tells of the dose."
    )
    is_primary_source: bool = rests.column(
        VaccinationRow.is_primary_source, description="Whether it gave the dose itself, or tells what others did."
    )
    vaccine_name: str = rests.column(VaccinationRow.vaccine_name, description="Vaccine as it wrote it.")
    injected_at: datetime = rests.column(VaccinationRow.injected_at, description="Time of injection as it tells.")
    dose_number: int | None = rests.column(VaccinationRow.dose_number, description="Number of the dose as it counts.")
    lot_number: str | None = rests.column(VaccinationRow.lot_number, description="Lot.")
    provenance: Provenance = rests.embedded(description="Where this record comes from.")


@strawberry.type(description="One dose of a vaccine, whoever tells of it.")
class Vaccination:
    """A dose."""

    id: strawberry.ID = rests.column(
        VaccinationRow.id, description="Opaque id; another one when the record that is shown is withdrawn."
    )
    status: VaccinationStatus = rests.column(VaccinationRow.status, description="Whether it was given.")
    status_reason: str | None = rests.column(VaccinationRow.status_reason, description="Why it was not given.")
    vaccine_code: str | None = rests.column(VaccinationRow.vaccine_code, description="Code of the vaccine as sent.")
    vaccine_code_system: str | None = rests.column(
        VaccinationRow.vaccine_system, description="Its list: CVX, ATC, SNOMED_CT, or the address of another."
    )
    vaccine_name: str = rests.column(VaccinationRow.vaccine_name, description="Name of the vaccine as sent.")
    protects_against: list[VaccineTarget] = rests.many(
        _targets,
        order=(rests.asc("line"),),
        limit=MOST_BESIDE,
        description="Diseases that it protects against; empty where the code is not known here.",
    )
    injected_at: datetime = rests.column(VaccinationRow.injected_at, description="Time of injection.")
    injected_precision: MomentPrecision = rests.column(
        VaccinationRow.injected_precision, description="How much of that time is known."
    )
    dose_number: int | None = rests.column(
        VaccinationRow.dose_number, description="Number of the dose in its series; 0 for a dose at birth."
    )
    dose_text: str | None = rests.column(VaccinationRow.dose_text, description="The dose in words, as sent.")
    series_doses: int | None = rests.column(VaccinationRow.series_doses, description="Doses of the whole series.")
    lot_number: str | None = rests.column(VaccinationRow.lot_number, description="Lot.")
    manufacturer: str | None = rests.column(VaccinationRow.manufacturer, description="Manufacturer.")
    expires_on: date | None = rests.column(VaccinationRow.expires_on, description="Expiry of the vaccine.")
    site: str | None = rests.column(VaccinationRow.site, description="Place on the body, as sent.")
    route: str | None = rests.column(VaccinationRow.route, description="Route, as sent.")
    amount: Decimal | None = rests.column(VaccinationRow.amount, description="Amount that was given.")
    amount_unit: str | None = rests.column(VaccinationRow.amount_unit, description="Unit of the amount.")
    programme: VaccinationProgramme | None = rests.column(
        VaccinationRow.programme, description="Expanded programme, outbreak or service."
    )
    observed_until: datetime | None = rests.column(
        VaccinationRow.observed_until, description="End of the observation after the injection."
    )
    observation: str | None = rests.column(VaccinationRow.observation, description="What was observed, as written.")
    reactions: list[VaccineReaction] = rests.many(
        _reactions,
        order=tuple(rests.asc(key) for key in ("place", "told_by", "facility_code", "source_id", "line", "id")),
        limit=MOST_BESIDE,
        description="Reactions that facilities or the citizen tell of, the earliest first; at most 25.",
    )
    performer_name: str | None = rests.column(VaccinationRow.performer_name, description="Who gave it.")
    performer_certificate: str | None = rests.column(
        VaccinationRow.performer_certificate, description="Practising certificate of who gave it."
    )
    facility: Facility = rests.one(
        FacilityRow,
        on=lambda v, f, _inputs: f.code == v.facility_code,
        description="The facility whose record is shown.",
    )
    given_at: str | None = rests.column(
        VaccinationRow.given_at, description="Where it was given, where that is another place than the facility."
    )
    visit_id: strawberry.ID | None = rests.expression(
        visit_of, description="The visit it belongs to; null where none is known, or visits are out of scope."
    )
    note: str | None = rests.column(VaccinationRow.note, description="Note, as written.")
    sources: list[VaccinationSource] = rests.many(
        VaccinationRow,
        on=lambda v, s, inputs: and_(s.citizen_id == inputs.citizen, s.dose_id == v.dose_id),
        order=(rests.asc("facility_code"), rests.asc("source_id")),
        limit=MOST_BESIDE,
        description="Every facility's record of this dose, this one too. A source that is withdrawn leaves the others.",
    )
    provenance: Provenance = rests.embedded(description="Where the record that is shown comes from.")
    is_masked: bool | None = rests.expression(tells_masked, description=MASKED)
    sensitive_classes: list[SensitiveClass] | None = rests.expression(tells_classes, description=CLASSES)


@strawberry.type(description="One dose of the national schedule of vaccinations, for this child.")
class DueDose:
    """A dose that is due, late or done. Source: Circulars 10/2024, 52/2025 and 13/2026/TT-BYT."""

    series: str = rests.column("series", description="Series of doses, for example DTP.")
    dose: int = rests.column("dose", description="Number in its series.")
    name: str = rests.expression(
        lambda row, inputs: case((inputs.language == literal("en"), row.name_en), else_=row.name_vi),
        description="The dose in words, in the viewer's language.",
    )
    protects_against: list[VaccineTarget] = rests.many(
        _targets, order=(rests.asc("line"),), limit=MOST_BESIDE, description="Diseases that it protects against."
    )
    state: DueState = rests.column("state", description="Where it stands today (Viet Nam time).")
    due_on: date = rests.column("due_on", description="From when on it is to be given, by age and the dose before.")
    late_from: date = rests.column("late_from", description="From when on it is late.")
    closes_on: date | None = rests.column("closes_on", description="From when on it is no longer given, if ever.")
    done_at: datetime | None = rests.column("done_at", description="When it was given.")
    vaccination_id: strawberry.ID | None = rests.column("vaccination_id", description="The dose that fulfils it.")
    source: str = rests.column("source", description="The text that the rule comes from.")
    is_confirmed: bool = rests.column(
        "is_confirmed", description="Whether the rule was read in that text; else it is known at second hand."
    )


DUE_DOSES = _due_doses
