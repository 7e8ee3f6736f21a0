"""Read one HOSO: its tables must belong together, and to the facility that sends them."""

from collections.abc import Iterable, Mapping
from typing import Final

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750.births import MOST_CHILDREN, births
from app.ingestion.qd4750.content import Budget, Content, child_text, read_contents
from app.ingestion.qd4750.drugs import prescriptions
from app.ingestion.qd4750.fields import (
    BIRTHS,
    CHECK_IN,
    KNOWN,
    LINED,
    ONE_EACH_CHILD,
    SENSITIVE,
    SHOWN,
    SUMMARY,
    TABLES,
)
from app.ingestion.qd4750.lines import NO_MOMENT, Line, check_visit_id, read_lines
from app.ingestion.qd4750.message import VisitReading
from app.ingestion.qd4750.performed import by_code, services
from app.ingestion.qd4750.results import reports
from app.ingestion.qd4750.visit import visit
from app.ingestion.remarks import Remarks
from app.ingestion.verdict import Effect
from app.ingestion.xml import Element

_Lines = tuple[Line, ...] | None
_Contents = Mapping[str, list[Content]]

_LONGEST_VISIT_ID: Final = KNOWN[SUMMARY].rules["MA_LK"].longest


def read_visit(element: Element, *, position: int, facility_code: str | None, budget: Budget) -> VisitReading:
    """Read the visit at a 1-based position of the message, with every problem of every table."""
    remarks = Remarks(position=position, most_listed=budget.most_listed)
    contents = read_contents(element, remarks=remarks, budget=budget)
    kept = tuple(table for table in TABLES if contents.get(table) and table not in SHOWN)
    if set(contents) == {CHECK_IN} and contents[CHECK_IN]:
        return check_in(_roots(contents, CHECK_IN), position=position, facility_code=facility_code)
    summary = _summary(contents, remarks=remarks)
    if summary is not None:
        remarks.visit = _visit_id(summary)
        if facility_code and summary.text("MA_CSKCB") not in (facility_code, None):
            summary.remark(ProblemCode.FACILITY_DIFFERS, Effect.REJECTS, "MA_CSKCB")
    tables = {table: _lines(contents, table=table, remarks=remarks) for table in SHOWN[1:]}
    drugs, performed, results = (tables[table] for table in LINED)
    _check_belonging(contents, tables=tables, kept=kept, remarks=remarks)
    _note_kept(kept, remarks=remarks)
    arrival = None
    if summary is None:
        _only_remark(drugs=drugs, performed=performed, results=results)
    else:
        arrival = visit(
            summary,
            drugs=drugs,
            performed=performed,
            results=results,
            papers_sent=tables,
            births=births(_roots(contents, BIRTHS)) if BIRTHS in kept else (),
        )
    problems = remarks.problems()
    budget.tell(len(problems))
    return VisitReading(
        source_id=remarks.visit,
        arrival=None if remarks.rejects else arrival,
        problems=problems,
        tables_kept=kept,
    )


def check_in(roots: Iterable[Element], *, position: int, facility_code: str | None) -> VisitReading:
    """Read a check-in (XML0): nothing of it is shown, so it is only told whose it is and where it was.

    Source: Decision 4750/QD-BYT, table 0.
    """
    remarks = Remarks(position=position)
    identifiers: set[str] = set()
    for root in roots:
        for line in root.iter(KNOWN[CHECK_IN].path[-1]):
            identifiers.add(child_text(line, "MA_LK"))
            if facility_code and child_text(line, "MA_CSKCB") not in (facility_code, ""):
                remarks.add(ProblemCode.FACILITY_DIFFERS, Effect.REJECTS, table=CHECK_IN, field="MA_CSKCB")
    identifiers.discard("")
    if len(identifiers) == 1 and len(only := next(iter(identifiers))) <= _LONGEST_VISIT_ID:
        remarks.visit = only
    _note_kept((CHECK_IN,), remarks=remarks)
    return VisitReading(source_id=remarks.visit, arrival=None, problems=remarks.problems(), tables_kept=(CHECK_IN,))


def _summary(contents: _Contents, *, remarks: Remarks) -> Line | None:
    if SUMMARY not in contents:
        remarks.add(ProblemCode.TABLE_MISSING, Effect.REJECTS, table=SUMMARY)
    lines = _lines(contents, table=SUMMARY, remarks=remarks)
    if not lines:
        return None
    if len(lines) > 1:
        remarks.add(ProblemCode.TABLE_TWICE, Effect.REJECTS, table=SUMMARY)
    return lines[0]


def _visit_id(summary: Line) -> str | None:
    text = summary.text("MA_LK")
    return text if text and len(text) <= _LONGEST_VISIT_ID else None


def _lines(contents: _Contents, *, table: str, remarks: Remarks) -> _Lines:
    sent = contents.get(table)
    if not sent:
        return None
    if table in ONE_EACH_CHILD:
        papers = (read_lines(content, table=KNOWN[table], remarks=remarks) for content in sent[:MOST_CHILDREN])
        return tuple(line for lines in papers for line in lines)
    if len(sent) > 1:
        remarks.add(ProblemCode.TABLE_TWICE, Effect.REJECTS, table=table)
    return read_lines(sent[0], table=KNOWN[table], remarks=remarks)


def _roots(contents: _Contents, table: str) -> list[Element]:
    return [element for content in contents[table] for element in content]


def _check_belonging(
    contents: _Contents, *, tables: Mapping[str, _Lines], kept: Iterable[str], remarks: Remarks
) -> None:
    """Reject tables of another visit; those that are kept unread are asked for their MA_LK only."""
    if remarks.visit is None:
        return
    for lines in tables.values():
        check_visit_id(lines or (), visit=remarks.visit)
    for table in kept:
        for root in _roots(contents, table):
            if any((element.text or "").strip() not in ("", remarks.visit) for element in root.iter("MA_LK")):
                remarks.add(ProblemCode.VISIT_ID_DIFFERS, Effect.REJECTS, table=table, field="MA_LK")


def _note_kept(kept: Iterable[str], *, remarks: Remarks) -> None:
    for table in kept:
        code = ProblemCode.TABLE_HELD_BACK if table in SENSITIVE else ProblemCode.TABLE_KEPT_NOT_SHOWN
        remarks.add(code, Effect.NOTES, table=table)


def _only_remark(*, drugs: _Lines, performed: _Lines, results: _Lines) -> None:
    """Judge the values of the tables although there is no visit to put them in."""
    prescriptions(drugs or ())
    services(performed or ())
    reports(results or (), performed=by_code(performed or ()), otherwise_at=NO_MOMENT)
