"""A report on a vendor's test batch: what is missing, which codes are unknown, which units are odd; scores and grades.

Pure, and about messages that were read and judged (`judging.judge_reading`, `bundle_judging.judge_bundle`). It holds
codes, names of fields and elements, ids of visits and counts: no value of a person. A table is one of Decision
4750/QĐ-BYT, or a resource of FHIR.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from app.core.errors import Text
from app.ingestion import qd4750
from app.ingestion.catalogue import ProblemCode
from app.ingestion.fhir import FhirMessage
from app.ingestion.fhir.words import FhirCode
from app.ingestion.units import odd_unit
from app.ingestion.verdict import Effect, MessageVerdict, Problem, VisitStatus, VisitVerdict
from app.records.arrivals import TestResultArrival, VisitArrival
from app.terminology.codes import read_codes

FULL: Final = 100
_MOST_QUARANTINED: Final = 40
_REQUIRED_EACH, _REQUIRED_MOST = 3, 30
_WANTED_EACH, _WANTED_MOST = 1, 10
_WARNING_EACH, _WARNING_MOST = 2, 20
_CODES_MOST, _UNITS_MOST = 20, 20
HOW: Final = Text(
    "Mỗi hồ sơ bắt đầu với 100 điểm. Bị từ chối: 0 điểm; bị giữ lại: nhiều nhất 40. Trừ 3 điểm cho mỗi trường "
    "bắt buộc bị thiếu (nhiều nhất 30), 1 cho mỗi thông tin mà sổ sức khỏe cần nhưng không có (nhiều nhất 10), 2 cho "
    "mỗi cảnh báo khác (nhiều nhất 20), đến 20 theo tỷ lệ mã không biết và đến 20 theo tỷ lệ kết quả có đơn vị lạ. "
    "Điểm của thông điệp là trung bình các hồ sơ, điểm của cả lô là trung bình các thông điệp. Mỗi bảng được chấm theo "
    "cùng cách, trung bình các hồ sơ có bảng đó hoặc cần bảng đó. A: từ 90; B: từ 75; C: từ 50; D: dưới 50.",
    "A visit begins with 100 points. Rejected: 0; quarantined: at most 40. Each missing required field costs 3 "
    "(at most 30), each thing that the health book wants and does not get 1 (at most 10), each other warning 2 "
    "(at most 20), unknown codes up to 20 by their share, results of odd units up to 20 by their share. A message has "
    "the mean of its visits, the batch the mean of its messages. A table is scored by the same rule, as the mean of "
    "the visits that hold it or need it. A: 90 and more; B: 75; C: 50; D: less.",
)
GRADES: Final = ((90, "A"), (75, "B"), (50, "C"), (0, "D"))

_INDEX_DIGITS: Final = 7  # Decision 1227/QĐ-BYT of 2025
_MISSING: Final[frozenset[str]] = frozenset(
    {ProblemCode.FIELD_MISSING, ProblemCode.FIELD_COUNTED_AS_ZERO, ProblemCode.TABLE_MISSING, FhirCode.ELEMENT_MISSING}
)
_TOLD_APART: Final = _MISSING | {ProblemCode.CODE_UNKNOWN}
"""What is scored by itself, and not as a warning."""
_RESOURCE: Final = re.compile(r"Bundle\.entry\[\d+\]\.resource\.?")
_INDEX: Final = re.compile(r"\[\d+\]")
_WANTED: Final[Sequence[tuple[str, str, Callable[[VisitArrival], object]]]] = (
    ("XML1", "SO_CCCD", lambda visit: visit.person.identifier),
    ("XML1", "DIEN_THOAI", lambda visit: visit.person.phone),
    ("XML1", "DIA_CHI", lambda visit: visit.person.address),
    ("XML1", "MA_DANTOC", lambda visit: visit.person.ethnic_code),
    ("XML1", "MA_QUOCTICH", lambda visit: visit.person.nationality_code),
    ("XML1", "LY_DO_VV", lambda visit: visit.reason),
    ("XML1", "CHAN_DOAN_RV", lambda visit: visit.discharge_diagnosis),
    ("XML1", "GHI_CHU", lambda visit: visit.advice),
    ("XML2", "", lambda visit: visit.prescriptions is not None),
    ("XML4", "", lambda visit: visit.reports is not None),
    ("XML4", "MA_CHI_SO", lambda visit: all(one.code or not one.value_text for one in _results(visit))),
    ("XML8", "", lambda visit: any(paper.kind == "RECORD_SUMMARY" for paper in visit.papers)),
)
"""What the four groups of information need. Source: Decision 31/QĐ-BYT of 2026, Art. 2; Decision 2733/QĐ-BYT (XML8)."""


_IN_FHIR: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("XML1", "SO_CCCD"): ("Patient", "identifier"),
    ("XML1", "DIEN_THOAI"): ("Patient", "telecom"),
    ("XML1", "DIA_CHI"): ("Patient", "address"),
    ("XML1", "LY_DO_VV"): ("Encounter", "reasonCode"),
    ("XML1", "MA_LOAI_KCB"): ("Encounter", "type"),
    ("XML1", "MA_DOITUONG_KCB"): ("Encounter", "type"),
    ("XML1", "KET_QUA_DTRI"): ("Encounter", "hospitalization"),
    ("XML1", "MA_LOAI_RV"): ("Encounter", "hospitalization"),
    ("XML1", "MA_KHOA"): ("Encounter", "serviceType"),
    ("XML2", ""): ("MedicationRequest", ""),
    ("XML2", "DUONG_DUNG"): ("MedicationRequest", "dosageInstruction.route"),
    ("XML4", ""): ("DiagnosticReport", ""),
}
"""Where FHIR says what a table says; of what it has no place for nothing is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeUsed:
    """A code that a visit carries, and the list that it should be of."""

    system: str
    table: str
    field: str
    code: str


@dataclass(slots=True, kw_only=True)
class VisitReport:
    """One visit: what is wrong with it, and its score."""

    visit: str | None
    status: VisitStatus
    missing: tuple[tuple[str, str], ...] = ()  # required: table and field
    wanted: tuple[tuple[str, str], ...] = ()  # not required, but the health book shows it
    unknown_codes: tuple[CodeUsed, ...] = ()
    odd_units: tuple[tuple[str, str, Text], ...] = ()  # index, unit as sent, why
    warned: tuple[str, ...] = ()  # of others: the table of each
    sent: frozenset[str] = frozenset()  # tables
    coded: Counter[str] = field(default_factory=Counter)  # codes by table
    results: int = 0
    results_table: str = "XML4"

    @property
    def score(self) -> int:
        """Return 0 to 100; `HOW` tells by what rule."""
        return self._score(lambda _table: True)

    def tables(self) -> frozenset[str]:
        """Return the tables that the visit holds, or needs."""
        named = {table for table, _ in (*self.missing, *self.wanted)} | {one.table for one in self.unknown_codes}
        return self.sent | named | frozenset(self.warned) - {""}

    def score_of(self, table: str) -> int:
        """Return the score of one of its tables."""
        return self._score(lambda one: one == table)

    def _score(self, counts: Callable[[str], bool]) -> int:
        if self.status is VisitStatus.REJECTED:
            return 0
        unknown = sum(counts(one.table) for one in self.unknown_codes)
        codes = sum(number for table, number in self.coded.items() if counts(table))
        odd = len(self.odd_units) if counts(self.results_table) else 0
        lost = (
            min(_REQUIRED_EACH * sum(counts(table) for table, _ in self.missing), _REQUIRED_MOST)
            + min(_WANTED_EACH * sum(counts(table) for table, _ in self.wanted), _WANTED_MOST)
            + min(_WARNING_EACH * sum(counts(table) for table in self.warned), _WARNING_MOST)
            + _CODES_MOST * unknown / max(codes, 1)
            + _UNITS_MOST * odd / max(self.results, 1)
        )
        most = _MOST_QUARANTINED if self.status is VisitStatus.QUARANTINED else FULL
        return min(most, max(0, int(FULL - lost)))


@dataclass(slots=True, kw_only=True)
class MessageReport:
    """One message; `refused` where it could not even be taken."""

    file: str
    status: str
    visits: list[VisitReport] = field(default_factory=list)
    refused: Text | None = None

    @property
    def score(self) -> int:
        """Return the mean of its visits; 0 where there is none."""
        return sum(visit.score for visit in self.visits) // len(self.visits) if self.visits else 0


def message_report(file: str, *, message: qd4750.Message, verdict: MessageVerdict) -> MessageReport:
    """Report on one message that was read and judged."""
    visits = [
        _visit_report(judged, arrival=reading.arrival)
        for judged, reading in zip(verdict.visits, message.visits, strict=True)
    ]
    if verdict.status == VisitStatus.REJECTED.value:
        for visit in visits:
            visit.status = VisitStatus.REJECTED
    return MessageReport(file=file, status=verdict.status.value, visits=visits)


def bundle_report(file: str, *, message: FhirMessage, verdict: MessageVerdict) -> MessageReport:
    """Report on one Bundle or resource that was read and judged: each person's visit, with what was remarked of it."""
    kinds = {one.index: one.resource for one in message.entries}
    problems = [
        replace(one, path=_RESOURCE.sub(f"{kinds.get(one.entry or 0)}.", one.path or "")) for one in verdict.problems
    ]
    visits = []
    for position, (judged, unit) in enumerate(zip(verdict.visits, message.units, strict=True)):
        own = {position} if position else {0, None}  # what is of no visit, for it was refused, is told once
        entries = {one.index for one in message.entries if one.unit in own} | set(unit.told_by)
        of_it = tuple(one for one in problems if one.entry in entries)
        report = _visit_report(replace(judged, problems=(*judged.problems, *of_it)), arrival=unit.arrival, is_fhir=True)
        report.sent |= {one.resource for one in message.entries if one.unit == position or one.index in unit.told_by}
        visits.append(report)
    if verdict.status == VisitStatus.REJECTED.value:
        for visit in visits:
            visit.status = VisitStatus.REJECTED
    return MessageReport(file=file, status=verdict.status.value, visits=visits)


def _visit_report(judged: VisitVerdict, *, arrival: VisitArrival | None, is_fhir: bool = False) -> VisitReport:
    noticed = [problem for problem in judged.problems if problem.effect is not Effect.NOTES]
    missing = {_place_of(one) for one in noticed if one.code in _MISSING}
    warned = {
        (one.code, *_place_of(one)) for one in noticed if one.effect is Effect.WARNS and one.code not in _TOLD_APART
    }
    report = VisitReport(
        visit=judged.visit,
        status=judged.status,
        missing=tuple(sorted(missing)),
        warned=tuple(table for _, table, _ in sorted(warned)),
        sent=frozenset(table for table, _ in map(_place_of, noticed) if table),
    )
    if arrival is not None:
        _look_at(arrival, report, is_fhir=is_fhir)
    return report


def _look_at(arrival: VisitArrival, report: VisitReport, *, is_fhir: bool) -> None:
    """Report on what a visit carries: what the book wants besides, its codes, its units."""
    wanted = (_named((table, name), is_fhir=is_fhir) for table, name, has in _WANTED if not has(arrival))
    report.wanted = tuple(one for one in wanted if one is not None and one not in report.missing)
    used = [one for one in (_renamed(code, is_fhir=is_fhir) for code in _codes(arrival)) if one is not None]
    report.coded = Counter(one.table for one in used)
    report.unknown_codes = tuple(one for one in used if not _is_known(one))
    results = [result for result in _results(arrival) if result.value_text]
    report.results = len(results)
    odd = ((result, odd_unit(result.unit, code=result.code, is_number=result.value is not None)) for result in results)
    report.odd_units = tuple((result.code or result.name, result.unit or "", why) for result, why in odd if why)
    if is_fhir:
        report.results_table = "Observation"
        return
    lists = {"XML2": arrival.prescriptions, "XML3": arrival.services, "XML4": arrival.reports}
    report.sent |= {"XML1"} | {table for table, lines in lists.items() if lines}


def _place_of(problem: Problem) -> tuple[str, str]:
    """Return table and field, or resource and element, without the number of the line."""
    if problem.path is None:
        return problem.table or "", problem.field or ""
    kind, _, element = _INDEX.sub("", problem.path).partition(".")
    return kind, element


def _named(place: tuple[str, str], *, is_fhir: bool) -> tuple[str, str] | None:
    return _IN_FHIR.get(place) if is_fhir else place


def _renamed(used: CodeUsed, *, is_fhir: bool) -> CodeUsed | None:
    place = _named((used.table, used.field), is_fhir=is_fhir)
    return None if place is None else replace(used, table=place[0], field=place[1])


def _results(arrival: VisitArrival) -> Iterator[TestResultArrival]:
    return (result for report in arrival.reports or () for result in report.results)


def _codes(arrival: VisitArrival) -> Iterator[CodeUsed]:
    person = arrival.person
    of_summary: Mapping[str, tuple[str, Iterable[str | None]]] = {
        "MA_LOAI_KCB": ("visit-kind", [arrival.kind_code]),
        "MA_DOITUONG_KCB": ("insurance-category", [arrival.insurance_category_code]),
        "KET_QUA_DTRI": ("visit-outcome", [arrival.outcome_code]),
        "MA_LOAI_RV": ("discharge-kind", [arrival.discharge_code]),
        "MA_DANTOC": ("ethnic-group", [person.ethnic_code]),
        "MA_KHOA": ("department", arrival.department_codes),
    }
    for name, (system, codes) in of_summary.items():
        yield from (CodeUsed(system=system, table="XML1", field=name, code=code) for code in codes if code)
    for prescription in arrival.prescriptions or ():
        for item in prescription.items:
            if item.route_code:
                yield CodeUsed(system="route", table="XML2", field="DUONG_DUNG", code=item.route_code)
    for service in arrival.services or ():
        yield CodeUsed(system="cost-group", table="XML3", field="MA_NHOM", code=service.group_code)
    for report in arrival.reports or ():
        for result in report.results:
            if result.code:
                yield CodeUsed(system="test-index", table="XML4", field="MA_CHI_SO", code=result.code)


def _is_known(used: CodeUsed) -> bool:
    """Tell whether a code is of its list, or of a form that the lists of this release only know by example."""
    code, known = used.code, _known(used.system)
    if used.system == "test-index":
        return code in known or (len(code) == _INDEX_DIGITS and code.isdigit())
    if used.system == "department":
        return code[:3] in known
    return code in known


@cache
def _known(system: str) -> frozenset[str]:
    return frozenset(entry.code for entry in read_codes(system))


def batch_body(reports: Sequence[MessageReport]) -> dict[str, Any]:
    """Return the report on a batch as JSON values."""
    visits = [visit for report in reports for visit in report.visits]
    missing = Counter(one for visit in visits for one in visit.missing)
    wanted = Counter(one for visit in visits for one in visit.wanted)
    codes = Counter(one for visit in visits for one in visit.unknown_codes)
    units = Counter(one for visit in visits for one in visit.odd_units)
    score = sum(report.score for report in reports) // len(reports) if reports else 0
    return {
        "score": score,
        "grade": grade(score),
        "scoring": {"vi": HOW.vi, "en": HOW.en},
        "messages": len(reports),
        "visits": len(visits),
        "tables": _tables(visits),
        "files": [_message_body(report) for report in reports],
        "missing": [_place(*place) | {"visits": count} for place, count in missing.most_common()],
        "wanted": [_place(*place) | {"visits": count} for place, count in wanted.most_common()],
        "unknownCodes": [
            {"table": one.table, "field": one.field, "code": one.code, "list": one.system, "times": count}
            for one, count in codes.most_common()
        ],
        "oddUnits": [
            {"index": index, "unit": unit, "vi": why.vi, "en": why.en, "times": count}
            for (index, unit, why), count in units.most_common()
        ],
    }


def grade(score: int) -> str:
    """Return A to D."""
    return next(name for least, name in GRADES if score >= least)


def _tables(visits: Sequence[VisitReport]) -> list[dict[str, Any]]:
    found = []
    for table in sorted({table for visit in visits for table in visit.tables()}, key=lambda one: (len(one), one)):
        holding = [visit for visit in visits if table in visit.tables()]
        score = sum(visit.score_of(table) for visit in holding) // len(holding)
        told = {
            "missing": sum(one == table for visit in holding for one, _ in visit.missing),
            "wanted": sum(one == table for visit in holding for one, _ in visit.wanted),
            "warnings": sum(one == table for visit in holding for one in visit.warned),
            "unknownCodes": sum(one.table == table for visit in holding for one in visit.unknown_codes),
            "oddUnits": sum(len(visit.odd_units) for visit in holding if visit.results_table == table),
        }
        found.append({"table": table, "visits": len(holding), "score": score, "grade": grade(score), **told})
    return found


def _message_body(report: MessageReport) -> dict[str, Any]:
    refused = {} if report.refused is None else {"vi": report.refused.vi, "en": report.refused.en}
    return {
        "file": report.file,
        "status": report.status,
        "score": report.score,
        "grade": grade(report.score),
        **refused,
        "visits": [
            {"visit": visit.visit, "status": visit.status.value, "score": visit.score} for visit in report.visits
        ],
    }


def _place(table: str, name: str) -> dict[str, Any]:
    return {"table": table, "field": name} if name else {"table": table}
