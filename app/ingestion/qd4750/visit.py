"""XML1: the visit itself, with diagnoses and costs."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.drugs import prescriptions
from app.ingestion.qd4750.lines import Line
from app.ingestion.qd4750.papers import Stay, papers
from app.ingestion.qd4750.performed import by_code, services
from app.ingestion.qd4750.person import person
from app.ingestion.qd4750.results import reports
from app.ingestion.verdict import Effect
from app.records.arrivals import BirthArrival, CostsArrival, DiagnosisArrival, DiagnosisRole, VisitArrival

STANDARD_VERSION: Final = "4750/QD-BYT"
ENDS_WITH_MEDICINE: Final = frozenset({"02", "05", "07", "08"})
"""Forms of care whose NGAY_RA may be the last day of medicine, weeks ahead. Source: XML1 NGAY_RA."""

_FACILITY: Final = Text("5 ký tự gồm chữ số và chữ cái in hoa", "5 characters, digits and capital letters")
_VISIT_KIND: Final = Text("2 chữ số, giữ số 0 ở đầu, ví dụ 01", "2 digits with the leading zero, such as 01")
_DISEASE: Final = Text(
    "đúng một mã ICD-10, ví dụ J18.9; các bệnh kèm theo ghi ở MA_BENH_KT",
    "exactly one ICD-10 code, such as J18.9; accompanying diseases stand in MA_BENH_KT",
)
_DISEASES: Final = Text(
    "các mã ICD-10 ngăn cách bằng “;”, ví dụ I10;E11.9", "ICD-10 codes joined by “;”, such as I10;E11.9"
)
_OUTCOMES: Final = Text("1 đến 8", "1 to 8")
_DISCHARGES: Final = Text("1 đến 5", "1 to 5")
_DAYS_DIGITS: Final = 4
_WEIGHT_DIGITS: Final = (3, 2)


def visit(
    summary: Line,
    *,
    drugs: tuple[Line, ...] | None,
    performed: tuple[Line, ...] | None,
    results: tuple[Line, ...] | None,
    papers_sent: Mapping[str, tuple[Line, ...] | None],
    births: tuple[BirthArrival, ...],
) -> VisitArrival:
    """Read a visit from its XML1 and the lines of its other tables; None is a table that was not sent.

    What could not be read is remarked, and a stand-in taken for it: after a REJECTS the arrival is worthless.
    Source: Decision 4750/QD-BYT, tables 1 to 5, 7, 8, 13 and 14.
    """
    started_at = summary.needed_moment("NGAY_VAO")
    ended_at = summary.moment("NGAY_RA")
    kind_code = summary.code("MA_LOAI_KCB", form=values.VISIT_KIND, detail=_VISIT_KIND)
    concluded_at = started_at if kind_code in ENDS_WITH_MEDICINE else ended_at or started_at
    return VisitArrival(
        source_id=summary.needed("MA_LK"),
        facility_code=summary.code("MA_CSKCB", form=values.FACILITY, detail=_FACILITY),
        standard_version=STANDARD_VERSION,
        person=person(summary, started_at=started_at),
        kind_code=kind_code,
        started_at=started_at,
        admitted_at=summary.moment("NGAY_VAO_NOI_TRU"),
        ended_at=ended_at,
        reason=_reason(summary),
        arrival_diagnosis=summary.text("CHAN_DOAN_VAO"),
        discharge_diagnosis=summary.text("CHAN_DOAN_RV"),
        outcome_code=_listed(summary, field="KET_QUA_DTRI", codes="12345678", detail=_OUTCOMES),
        discharge_code=_listed(summary, field="MA_LOAI_RV", codes="12345", detail=_DISCHARGES),
        department_codes=values.several(summary.text("MA_KHOA")),
        treatment_days=_treatment_days(summary),
        treatment=summary.text("PP_DIEU_TRI"),
        advice=summary.text("GHI_CHU"),
        weight_kg=_weight(summary),
        record_number=summary.text("MA_HSBA"),
        insurance_category_code=summary.text("MA_DOITUONG_KCB"),
        revisit_on=_revisits(summary),
        referred_from_code=_facility(summary, "MA_NOI_DI"),
        referred_to_code=_facility(summary, "MA_NOI_DEN"),
        diagnoses=_diagnoses(summary),
        costs=_costs(summary),
        services=None if performed is None else services(performed),
        prescriptions=None if drugs is None else prescriptions(drugs),
        reports=(
            None if results is None else reports(results, performed=by_code(performed or ()), otherwise_at=concluded_at)
        ),
        papers=papers(
            summary,
            tables=papers_sent,
            stay=Stay(started_at=started_at, ended_at=ended_at, concluded_at=concluded_at),
        ),
        births=births,
    )


def _reason(summary: Line) -> str | None:
    """Return why somebody came, and why they were admitted where that is said in other words."""
    told = (summary.text("LY_DO_VV"), summary.text("LY_DO_VNT"))
    return "; ".join(dict.fromkeys(text for text in told if text)) or None


def _revisits(summary: Line) -> tuple[date, ...]:
    """Read the days of re-examination, some with a time; of anything else the day at its front, with a warning."""
    texts = values.several(summary.text("NGAY_TAI_KHAM"))
    found = [values.day(text[:8]) for text in texts]
    if any(values.moment_problem(text) for text in texts):
        summary.remark(ProblemCode.DAY_MALFORMED, Effect.WARNS, "NGAY_TAI_KHAM")
    return tuple(sorted({on for on in found if on is not None}))


def _facility(summary: Line, field: str) -> str | None:
    text = summary.text(field)
    if text and not values.FACILITY.fullmatch(text):
        summary.remark(ProblemCode.CODE_UNKNOWN, Effect.WARNS, field, detail=_FACILITY)
    return text


def _listed(summary: Line, *, field: str, codes: str, detail: Text) -> str | None:
    text = summary.text(field)
    if text and text not in tuple(codes):
        summary.remark(ProblemCode.CODE_UNKNOWN, Effect.WARNS, field, detail=detail)
    return text


def _treatment_days(summary: Line) -> int | None:
    days = summary.decimal("SO_NGAY_DTRI", whole_digits=_DAYS_DIGITS, decimals=0)
    return None if days is None else int(days)


def _weight(summary: Line) -> Decimal | None:
    whole, decimals = _WEIGHT_DIGITS
    return summary.decimal("CAN_NANG", whole_digits=whole, decimals=decimals) or None  # 0 is not weighed


def _diagnoses(summary: Line) -> tuple[DiagnosisArrival, ...]:
    main = summary.code("MA_BENH_CHINH", form=values.DISEASE, detail=_DISEASE)
    accompanying = values.several(summary.text("MA_BENH_KT"))
    if not all(values.DISEASE.fullmatch(code) for code in accompanying):
        summary.remark(ProblemCode.CODE_MALFORMED, Effect.REJECTS, "MA_BENH_KT", detail=_DISEASES)
    coded = (
        (DiagnosisRole.MAIN, (main,)),
        (DiagnosisRole.ACCOMPANYING, tuple(code for code in accompanying if code != main)),
        (DiagnosisRole.TRADITIONAL, values.several(summary.text("MA_BENH_YHCT"))),
    )
    return tuple(DiagnosisArrival(role=role, code=code) for role, codes in coded for code in codes)


def _costs(summary: Line) -> CostsArrival:
    return CostsArrival(
        total=summary.money("T_TONGCHI_BV"),
        drugs=summary.money("T_THUOC"),
        supplies=summary.money("T_VTYT"),
        within_insurance=summary.money("T_TONGCHI_BH"),
        paid_by_fund=summary.money("T_BHTT"),
        copayment=summary.money("T_BNCCT"),
        self_paid=summary.money("T_BNTT"),
        paid_by_others=summary.money("T_NGUONKHAC"),
        paid_at=summary.moment("NGAY_TTOAN"),
    )
