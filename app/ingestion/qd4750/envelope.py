"""Read a message: the envelope GIAMDINHHS with its visits, or a check-in that travels alone."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Final

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.content import MAX_INNER_TAGS, Budget, child_text, warn_unknown
from app.ingestion.qd4750.fields import CHECK_IN, KNOWN
from app.ingestion.qd4750.message import Message, VisitReading
from app.ingestion.qd4750.reading import check_in, read_visit
from app.ingestion.remarks import Remarks
from app.ingestion.verdict import Effect
from app.ingestion.xml import Element, XmlRefused, read_document

MAX_VISITS: Final = 2_000

_ROOT: Final = "GIAMDINHHS"
_KNOWN: Final = {
    _ROOT: ("THONGTINDONVI", "THONGTINHOSO", "CHUKYDONVI"),
    "THONGTINDONVI": ("MACSKCB",),
    "THONGTINHOSO": ("NGAYLAP", "SOLUONGHOSO", "DANHSACHHOSO"),
    "DANHSACHHOSO": ("HOSO",),
}
_FACILITY: Final = Text("5 ký tự gồm chữ số và chữ cái in hoa", "5 characters, digits and capital letters")
_DAY: Final = Text("ngày có thật, 8 chữ số yyyymmdd", "an existing day of 8 digits yyyymmdd")
_COUNT: Final = Text("số nguyên", "a whole number")
_MOMENT_LENGTH: Final = 12
_COUNT_DIGITS: Final = 6


def read_message(body: bytes) -> Message:
    """Read a message. Whatever is wrong with it becomes problems; nothing is raised for its content.

    Source: letter 1245/BHXH-CNTT (envelope); Decision 4750/QD-BYT (tables).
    """
    remarks = Remarks()
    try:
        root = read_document(body)
    except XmlRefused as refusal:
        remarks.add(refusal.reason, Effect.REJECTS, detail=refusal.detail, limit=refusal.limit)
        return _nothing(remarks)
    if root.tag == KNOWN[CHECK_IN].path[0]:
        return _check_ins(root, remarks=remarks)
    if root.tag != _ROOT:
        remarks.add(ProblemCode.ENVELOPE_ROOT, Effect.REJECTS)
        return _nothing(remarks)
    return _envelope(root, remarks=remarks)


def _nothing(remarks: Remarks) -> Message:
    return Message(
        facility_code=None,
        issued_on=None,
        made=None,
        record_count=None,
        signature_present=False,
        visits=(),
        problems=remarks.problems(),
    )


def _envelope(root: Element, *, remarks: Remarks) -> Message:
    _warn_of_unknown(root, remarks=remarks)
    facility_code = _facility_code(root, remarks=remarks)
    issued_on = _issued_on(root, remarks=remarks)
    elements = root.findall("THONGTINHOSO/DANHSACHHOSO/HOSO")
    record_count = _record_count(root, actual=len(elements), remarks=remarks)
    if not elements:
        remarks.add(ProblemCode.ENVELOPE_EMPTY, Effect.REJECTS)
    if len(elements) > MAX_VISITS:
        remarks.add(ProblemCode.ENVELOPE_TOO_MANY_VISITS, Effect.REJECTS, limit=MAX_VISITS)
        elements = []
    budget = Budget()
    visits = [
        read_visit(element, position=position, facility_code=facility_code, budget=budget)
        for position, element in enumerate(elements, start=1)
    ]
    if budget.spent:
        remarks.add(ProblemCode.ENVELOPE_TOO_LARGE, Effect.REJECTS, limit=MAX_INNER_TAGS)
    return Message(
        facility_code=facility_code,
        issued_on=issued_on,
        made=child_text(root, "THONGTINHOSO/NGAYLAP") if issued_on else None,
        record_count=record_count,
        signature_present=_is_signed(root),
        visits=_settled(visits, rejected=remarks.rejects),
        problems=remarks.problems(),
    )


def _check_ins(root: Element, *, remarks: Remarks) -> Message:
    """Read a message that is one XML0: each line is a visit that has begun."""
    lines = root.findall("/".join(KNOWN[CHECK_IN].path[1:]))
    facilities = {child_text(line, "MA_CSKCB") for line in lines}
    facility_code = facilities.pop() if len(facilities) == 1 else None
    if facility_code is None or not values.FACILITY.fullmatch(facility_code):
        facility_code = None
        remarks.add(ProblemCode.CODE_MALFORMED, Effect.REJECTS, table=CHECK_IN, field="MA_CSKCB", detail=_FACILITY)
    return Message(
        facility_code=facility_code,
        issued_on=None,
        made=None,
        record_count=None,
        signature_present=_is_signed(root),
        visits=tuple(
            check_in((line,), position=position, facility_code=facility_code)
            for position, line in enumerate(lines[:MAX_VISITS], start=1)
        ),
        problems=remarks.problems(),
    )


def _warn_of_unknown(root: Element, *, remarks: Remarks) -> None:
    known = [(root, _KNOWN[_ROOT])]
    known += [(element, _KNOWN[element.tag]) for element in root if element.tag in _KNOWN]
    known += [(element, _KNOWN["DANHSACHHOSO"]) for element in root.iterfind("THONGTINHOSO/DANHSACHHOSO")]
    for parent, names in known:
        for child in parent:
            if child.tag not in names:
                warn_unknown(child, remarks=remarks)


def _facility_code(root: Element, *, remarks: Remarks) -> str | None:
    found = root.findall("THONGTINDONVI/MACSKCB")
    text = (found[0].text or "").strip() if found else ""
    if not text:
        remarks.add(ProblemCode.ENVELOPE_FIELD_MISSING, Effect.REJECTS, field="MACSKCB")
        return None
    if len(found) > 1:
        remarks.add(ProblemCode.FIELD_TWICE, Effect.REJECTS, field="MACSKCB")
    if not values.FACILITY.fullmatch(text):
        remarks.add(ProblemCode.ENVELOPE_FIELD_MALFORMED, Effect.REJECTS, field="MACSKCB", detail=_FACILITY)
        return None
    return text


def _issued_on(root: Element, *, remarks: Remarks) -> date | None:
    text = child_text(root, "THONGTINHOSO/NGAYLAP")
    if not text:
        remarks.add(ProblemCode.ENVELOPE_FIELD_MISSING, Effect.WARNS, field="NGAYLAP")
        return None
    at = values.moment(text) if len(text) == _MOMENT_LENGTH else None
    on = values.local_day(at) if at else values.day(text)
    if on is None:
        remarks.add(ProblemCode.ENVELOPE_FIELD_MALFORMED, Effect.WARNS, field="NGAYLAP", detail=_DAY)
    return on


def _record_count(root: Element, *, actual: int, remarks: Remarks) -> int | None:
    text = child_text(root, "THONGTINHOSO/SOLUONGHOSO")
    if not text:
        remarks.add(ProblemCode.ENVELOPE_FIELD_MISSING, Effect.WARNS, field="SOLUONGHOSO")
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= _COUNT_DIGITS):
        remarks.add(ProblemCode.ENVELOPE_FIELD_MALFORMED, Effect.WARNS, field="SOLUONGHOSO", detail=_COUNT)
        return None
    if int(text) != actual:
        remarks.add(ProblemCode.ENVELOPE_COUNT_DIFFERS, Effect.WARNS, field="SOLUONGHOSO", limit=actual)
    return int(text)


def _is_signed(root: Element) -> bool:
    signature = root.find("CHUKYDONVI")
    return signature is not None and bool(len(signature) or (signature.text or "").strip())


def _settled(visits: list[VisitReading], *, rejected: bool) -> tuple[VisitReading, ...]:
    """Reject visits that share one MA_LK; take every arrival back where the envelope is rejected."""
    counts = Counter(reading.source_id for reading in visits if reading.tables_kept != (CHECK_IN,))
    settled = (
        _twice(reading) if reading.source_id and counts[reading.source_id] > 1 else reading for reading in visits
    )
    return tuple(replace(reading, arrival=None) if rejected else reading for reading in settled)


def _twice(reading: VisitReading) -> VisitReading:
    remarks = Remarks()
    remarks.visit = reading.source_id
    remarks.add(ProblemCode.VISIT_TWICE, Effect.REJECTS, table="XML1", field="MA_LK")
    return replace(reading, arrival=None, problems=(*reading.problems, *remarks.problems()))
