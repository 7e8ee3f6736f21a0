"""The health book itself: its sections, for the compiler."""

from datetime import date
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, Date, DateTime, Interval, Select, Text, and_, case, cast, func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on

from app.appointments.mapping import Appointment, AppointmentOrder
from app.appointments.tables import AppointmentRow
from app.audit.tables import LineRow
from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.places import Guard
from app.compiler.rows import RowRef
from app.identity.mapping import Citizen
from app.identity.tables import CitizenRow
from app.records import receipts
from app.records.conditions import Allergy, HealthCondition, NoKnownAllergy, conditions
from app.records.corrections import Correction, corrections
from app.records.documents import Document
from app.records.enums import DocumentKind, TestCategory
from app.records.imaging import ImagingStudy
from app.records.mapping import InsuranceCard, Prescription, TestReport, Visit, Withdrawal
from app.records.reuse import CoverageGap, ReuseAdvice, advices, gaps
from app.records.tables import (
    AllergyRow,
    DocumentRow,
    ImagingStudyRow,
    PrescriptionRow,
    TestReportRow,
    VaccinationRow,
    VisitInsuranceRow,
    VisitRow,
    WithdrawalRow,
)
from app.records.trends import TestPoint, trend
from app.records.vaccinations import DUE_DOSES, DueDose, Vaccination
from app.sharing.mapping import BookScope, open_scope, sees_all
from app.sharing.scope import EVERY_SECTION, BookSection

FROM = strawberry.argument(name="from", description="Only records of this day or later (Viet Nam time).")
TO = strawberry.argument(name="to", description="Only records of this day or earlier (Viet Nam time).")
FACILITY_CODE = strawberry.argument(description="Only records of this facility.")


def _in_scope(section: BookSection) -> Guard:
    return lambda inputs: inputs.sections.op("&")(literal(section.bit)) != literal(0)


def _midnight(day: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the moment at which a day begins in Viet Nam."""
    return func.timezone(literal("Asia/Ho_Chi_Minh"), cast(cast(day, Date), DateTime))


def _is_to_come(appointment: RowRef) -> ColumnElement[bool]:
    a_day_ago = func.now() - cast(literal("1 day"), Interval)
    found: ColumnElement[bool] = appointment.starts_at >= case((appointment.is_whole_day, a_day_ago), else_=func.now())
    return found


def _cards(_book: RowRef, inputs: Inputs) -> Select[Any]:
    i = VisitInsuranceRow.__table__.alias()
    return (
        select(
            i.c.id,
            i.c.line,
            i.c.number_sealed,
            i.c.registered_facility_code,
            i.c.valid_from,
            i.c.valid_until,
            i.c.benefit_code,
            i.c.benefit_percent,
            i.c.exempt_from,
            i.c.five_years_on,
            i.c.shown_at.label("last_shown_at"),
        )
        .where(i.c.citizen_id == inputs.citizen)
        .ext(distinct_on(i.c.lookup))
        .order_by(i.c.lookup, i.c.shown_at.desc(), i.c.visit_id.desc(), i.c.line)
    )


@strawberry.type(description="A citizen's health book, as the viewer may see it.")
class HealthBook:
    """A book. A section outside the viewer's scope is null; a section without records is an empty list."""

    version: str = rests.expression(
        lambda row, _inputs: case((sees_all(), cast(row.version, Text)), else_=literal("0")),
        description=(
            "Grows with every change; equal versions mean equal books. Always 0 for who does not see every record: it "
            "would tell of changes to those."
        ),
    )
    scope: BookScope = rests.one(open_scope, description="What the viewer may see of this book.")
    owner: Citizen = rests.one(
        CitizenRow, on=lambda _book, c, inputs: c.id == inputs.citizen, description="Whose book it is."
    )

    coverage: list[CoverageGap] | None = rests.many(
        gaps,
        order=(rests.desc("about_on"), rests.asc("kind"), rests.asc("facility_code"), rests.asc("visit_id")),
        limit=100,
        guard=lambda inputs: and_(inputs.sections == literal(EVERY_SECTION), sees_all()),
        description="What this book lacks: care of which its facility has sent nothing, results that have not come. "
        "Null for a viewer who does not see every record: to them the book always looks incomplete.",
    )

    @rests.connection(
        VisitRow,
        on=lambda _book, v, inputs: v.citizen_id == inputs.citizen,
        order=(rests.desc("started_at"), rests.desc("id")),
        filters={
            "from_": lambda v, day: v.started_at >= _midnight(day),
            "to": lambda v, day: v.started_at < _midnight(day + literal(1)),
            "facility_code": lambda v, code: v.facility_code == code,
        },
        guard=_in_scope(BookSection.VISITS),
        max_first=50,
        description="Visits, newest first.",
    )
    def visits(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        from_: Annotated[date | None, FROM] = None,
        to: Annotated[date | None, TO] = None,
        facility_code: Annotated[str | None, FACILITY_CODE] = None,
    ) -> rests.Connection[Visit] | None: ...

    @rests.connection(
        PrescriptionRow,
        on=lambda _book, p, inputs: p.citizen_id == inputs.citizen,
        order=(rests.desc("ordered_at"), rests.desc("id")),
        filters={"active": lambda p, wanted: func.book.is_running(p.citizen_id, p.id, p.ordered_at) == wanted},
        guard=_in_scope(BookSection.PRESCRIPTIONS),
        max_first=50,
        description="Prescriptions, newest first.",
    )
    def prescriptions(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        active: Annotated[
            bool | None,
            strawberry.argument(
                description="True: only those whose drugs last until today or longer; false: only the others. One that "
                "names no days counts for thirty."
            ),
        ] = None,
    ) -> rests.Connection[Prescription] | None: ...

    @rests.connection(
        TestReportRow,
        on=lambda _book, r, inputs: r.citizen_id == inputs.citizen,
        order=(rests.desc("resulted_at"), rests.desc("id")),
        filters={
            "from_": lambda r, day: r.resulted_at >= _midnight(day),
            "to": lambda r, day: r.resulted_at < _midnight(day + literal(1)),
            "category": lambda r, category: r.category == category,
        },
        guard=_in_scope(BookSection.TEST_RESULTS),
        max_first=50,
        description="Test reports of laboratory, imaging and functional tests, newest first.",
    )
    def test_results(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        from_: Annotated[date | None, FROM] = None,
        to: Annotated[date | None, TO] = None,
        category: Annotated[TestCategory | None, strawberry.argument(description="Only tests of this kind.")] = None,
    ) -> rests.Connection[TestReport] | None: ...

    @rests.rows(
        trend,
        order=(rests.desc("resulted_at"), rests.desc("report_id"), rests.asc("line")),
        max_first=500,
        guard=_in_scope(BookSection.TEST_RESULTS),
        description="The results of one test across facilities, newest first, in one unit where that is exact.",
    )
    def test_trend(
        self,
        code: Annotated[str, strawberry.argument(description="Index code as a facility sent it, or a LOINC code.")],
        first: Annotated[int | None, strawberry.argument(description="How many, 1 to 500.")] = 50,
    ) -> list[TestPoint] | None: ...

    @rests.rows(
        advices,
        order=(rests.asc("place"),),
        limit=50,
        guard=_in_scope(BookSection.TEST_RESULTS),
        description="For each ordered code, whether an earlier result may stand in for it: by analyte, time of the "
        "sample, validity and level of the laboratory. At most 50 codes are answered. Judged at the moment of asking.",
    )
    def reuse_advice(
        self,
        codes: Annotated[
            list[str],
            strawberry.argument(description="Codes that are about to be ordered: index, LOINC or service codes."),
        ],
        facility_code: Annotated[
            str | None,
            strawberry.argument(
                description="Where they would be made: its laboratory's level is compared. Not compared when left out."
            ),
        ] = None,
    ) -> list[ReuseAdvice] | None: ...

    @rests.connection(
        VaccinationRow,
        on=lambda _book, v, inputs: and_(v.citizen_id == inputs.citizen, v.id == v.dose_id),
        order=(rests.desc("injected_at"), rests.desc("id")),
        guard=_in_scope(BookSection.VACCINATIONS),
        max_first=50,
        description="Doses of vaccines, newest first; one that several facilities tell of stands once.",
    )
    def vaccinations(
        self, first: Annotated[int | None, rests.FIRST] = 50, after: Annotated[str | None, rests.AFTER] = None
    ) -> rests.Connection[Vaccination] | None: ...

    vaccination_schedule: list[DueDose] | None = rests.many(
        DUE_DOSES,
        order=(rests.asc("due_on"), rests.asc("series"), rests.asc("dose")),
        limit=100,
        guard=_in_scope(BookSection.VACCINATIONS),
        description="The national schedule for this child: done, due, late, by the doses that this viewer sees. Empty "
        "for an adult, and where the day of birth is not known.",
    )
    imaging: list[ImagingStudy] | None = rests.many(
        ImagingStudyRow,
        on=lambda _book, s, inputs: s.citizen_id == inputs.citizen,
        order=(rests.desc("started_at"), rests.desc("id")),
        limit=500,
        guard=_in_scope(BookSection.IMAGING),
        description="Imaging studies, newest first; at most 500.",
    )
    conditions: list[HealthCondition] | None = rests.many(
        conditions,
        order=(rests.desc("last_recorded_at"), rests.asc("concept")),
        limit=500,
        guard=_in_scope(BookSection.CONDITIONS),
        description="Diseases and problems that visits and facilities name, latest first.",
    )
    allergies: list[Allergy] | None = rests.many(
        AllergyRow,
        on=lambda _book, a, inputs: and_(a.citizen_id == inputs.citizen, ~a.is_none_known),
        order=(rests.desc("recorded_at"), rests.desc("id")),
        limit=500,
        guard=_in_scope(BookSection.ALLERGIES),
        description="Allergies and intolerances, newest first. An empty list does not mean that there is none: "
        "`noKnownAllergies` holds who states that.",
    )
    no_known_allergies: list[NoKnownAllergy] | None = rests.many(
        AllergyRow,
        on=lambda _book, a, inputs: and_(a.citizen_id == inputs.citizen, a.is_none_known),
        order=(rests.desc("recorded_at"), rests.desc("id")),
        limit=500,
        guard=_in_scope(BookSection.ALLERGIES),
        description="Statements of facilities that no allergy is known, newest first.",
    )

    corrections: list[Correction] | None = rests.many(
        corrections,
        order=(rests.desc("requested_at"), rests.desc("id")),
        limit=200,
        guard=lambda inputs: inputs.sections == literal(EVERY_SECTION),
        description="Requests for correction, newest first; only its owner and who represents them see them. Null for "
        "a viewer who does not see the whole book.",
    )

    @rests.connection(
        DocumentRow,
        on=lambda _book, d, inputs: d.citizen_id == inputs.citizen,
        order=(rests.desc("dated_at"), rests.desc("id")),
        filters={"kind": lambda d, kind: d.kind == kind},
        guard=_in_scope(BookSection.DOCUMENTS),
        max_first=50,
        description="Discharge, referral and other papers, newest first.",
    )
    def documents(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        kind: Annotated[DocumentKind | None, strawberry.argument(description="Only papers of this kind.")] = None,
    ) -> rests.Connection[Document] | None: ...

    @rests.connection(
        AppointmentRow,
        on=lambda _book, a, inputs: a.citizen_id == inputs.citizen,
        order=(rests.desc("starts_at"), rests.desc("id")),
        orders={
            "LATEST_FIRST": (rests.desc("starts_at"), rests.desc("id")),
            "SOONEST_FIRST": (rests.asc("starts_at"), rests.asc("id")),
        },
        filters={"upcoming": lambda a, wanted: _is_to_come(a) == wanted},
        guard=_in_scope(BookSection.APPOINTMENTS),
        max_first=50,
        description="Appointments, booked and told by papers, cancelled ones too, the latest first.",
    )
    def appointments(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
        upcoming: Annotated[
            bool | None,
            strawberry.argument(
                description="True: only those to come; false: only those of the past. One of which only the day is "
                "known is to come until that day ends."
            ),
        ] = None,
        order: Annotated[
            AppointmentOrder | None, strawberry.argument(description="LATEST_FIRST when it is left out.")
        ] = None,
    ) -> rests.Connection[Appointment] | None: ...

    insurance: list[InsuranceCard] | None = rests.many(
        _cards,
        order=(rests.desc("last_shown_at"), rests.asc("line")),
        limit=50,
        guard=_in_scope(BookSection.INSURANCE),
        description="Insurance cards that visits showed, the one shown last first.",
    )

    @rests.rows(
        LineRow,
        on=receipts.asked_for,
        order=(rests.asc("n"),),
        limit=20,
        guard=lambda inputs: inputs.sections == literal(EVERY_SECTION),
        description=(
            "What single views by others can have shown, up to 20 at once. Lines that are none of this book's views "
            "are left out. Null for a viewer who does not see the whole book."
        ),
    )
    def access_receipts(
        self,
        entry_ids: Annotated[
            list[strawberry.ID], strawberry.argument(description="Lines of the visitors' book (AccessLogEntry.id).")
        ],
    ) -> list[receipts.AccessReceipt] | None: ...

    withdrawals: list[Withdrawal] | None = rests.many(
        WithdrawalRow,
        on=lambda _book, w, inputs: w.citizen_id == inputs.citizen,
        order=(rests.desc("withdrawn_at"), rests.desc("id")),
        limit=200,
        guard=_in_scope(BookSection.VISITS),
        description="What facilities took back because they had sent it in error, newest first.",
    )
