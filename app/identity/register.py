"""The register of practitioners as it comes: a CSV file goes in, checked certificates and every fault come out. Pure.

One line is one place of work of one certificate; a certificate with several places stands on several lines, which agree
in all else. Source: Law 15/2023/QH15 Art. 27 and 36; Decree 96/2023/ND-CP (the form of a licence's number).
"""

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import partial
from typing import Final

from app.core.errors import Text

COLUMNS: Final = (
    "certificate",
    "full_name",
    "personal_id",
    "valid_from",
    "valid_until",
    "facility_code",
    "place_from",
    "place_until",
    "suspended_on",
)
OPTIONAL: Final = frozenset({"personal_id", "valid_until", "place_until", "suspended_on"})
OF_THE_PLACE: Final = frozenset({"facility_code", "place_from", "place_until"})

CERTIFICATE: Final = re.compile(r"[0-9]{6,7}/[A-ZĐ]{2,5}-(?:CCHN|GPHN)")
_PERSONAL_ID: Final = re.compile(r"[0-9]{12}")
_FACILITY: Final = re.compile(r"[0-9A-Z]{5}")
_ISO: Final = re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})")
_VIETNAMESE: Final = re.compile(r"(?P<d>[0-9]{2})/(?P<m>[0-9]{2})/(?P<y>[0-9]{4})")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_NAME: Final = 255
_LICENCE: Final = "-GPHN"


class RegisterFault(StrEnum):
    """What can be wrong with a line of the register."""

    NOT_UTF8 = "NOT_UTF8"
    NOT_CSV = "NOT_CSV"
    COLUMN_MISSING = "COLUMN_MISSING"
    COLUMN_UNKNOWN = "COLUMN_UNKNOWN"
    FIELDS_TOO_MANY = "FIELDS_TOO_MANY"
    MISSING = "MISSING"
    CERTIFICATE_FORM = "CERTIFICATE_FORM"
    NAME_FORM = "NAME_FORM"
    PERSONAL_ID_FORM = "PERSONAL_ID_FORM"
    DATE_FORM = "DATE_FORM"
    FACILITY_FORM = "FACILITY_FORM"
    FACILITY_UNKNOWN = "FACILITY_UNKNOWN"
    ENDS_BEFORE_IT_BEGINS = "ENDS_BEFORE_IT_BEGINS"
    LICENCE_WITHOUT_END = "LICENCE_WITHOUT_END"
    OUTSIDE_CERTIFICATE = "OUTSIDE_CERTIFICATE"
    DIFFERS_FROM_LINE_BEFORE = "DIFFERS_FROM_LINE_BEFORE"
    PLACE_TWICE = "PLACE_TWICE"


TEXTS: Final[Mapping[RegisterFault, Text]] = {
    RegisterFault.NOT_UTF8: Text("Tệp không phải UTF-8.", "The file is not UTF-8."),
    RegisterFault.NOT_CSV: Text("Dòng này không đọc được như CSV.", "This line cannot be read as CSV."),
    RegisterFault.COLUMN_MISSING: Text("Thiếu cột này ở dòng tiêu đề.", "The header lacks this column."),
    RegisterFault.COLUMN_UNKNOWN: Text("Cột này không có trong quy cách.", "This column is not of the format."),
    RegisterFault.FIELDS_TOO_MANY: Text("Dòng có nhiều ô hơn tiêu đề.", "The line has more fields than the header."),
    RegisterFault.MISSING: Text("Thiếu giá trị.", "The value is missing."),
    RegisterFault.CERTIFICATE_FORM: Text(
        "Số chứng chỉ/giấy phép phải có dạng 001234/BYT-CCHN hoặc 001234/HCM-GPHN.",
        "A certificate is written like 001234/BYT-CCHN or 001234/HCM-GPHN.",
    ),
    RegisterFault.NAME_FORM: Text("Họ tên không hợp lệ.", "The name is not valid."),
    RegisterFault.PERSONAL_ID_FORM: Text("Số định danh phải có 12 chữ số.", "A personal id has 12 digits."),
    RegisterFault.DATE_FORM: Text(
        "Ngày phải có thật và viết 2026-11-22 hoặc 22/11/2026.",
        "A day must exist and is written 2026-11-22 or 22/11/2026.",
    ),
    RegisterFault.FACILITY_FORM: Text("Mã cơ sở phải gồm 5 ký tự 0-9, A-Z.", "A facility code is five of 0-9, A-Z."),
    RegisterFault.FACILITY_UNKNOWN: Text("Cơ sở này chưa được đăng ký.", "This facility is not registered."),
    RegisterFault.ENDS_BEFORE_IT_BEGINS: Text("Ngày hết hạn trước ngày bắt đầu.", "It ends before it begins."),
    RegisterFault.LICENCE_WITHOUT_END: Text(
        "Giấy phép hành nghề (GPHN) phải có ngày hết hạn.", "A licence (GPHN) must have its last day."
    ),
    RegisterFault.OUTSIDE_CERTIFICATE: Text(
        "Nơi hành nghề bắt đầu ngoài thời hạn của chứng chỉ.", "The place begins outside the certificate's days."
    ),
    RegisterFault.DIFFERS_FROM_LINE_BEFORE: Text(
        "Khác với dòng trước của cùng chứng chỉ.", "Differs from an earlier line of the same certificate."
    ),
    RegisterFault.PLACE_TWICE: Text("Nơi hành nghề này đã có ở dòng trước.", "This place stands on an earlier line."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterProblem:
    """A fault with its place; it never repeats what the file says of a person."""

    line: int
    field: str
    fault: RegisterFault

    def body(self) -> dict[str, object]:
        """Return the members of the report's JSON."""
        text = TEXTS[self.fault]
        return {"line": self.line, "field": self.field, "code": self.fault.value, "vi": text.vi, "en": text.en}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceEntry:
    """A place of work as it is registered."""

    facility_code: str
    valid_from: date
    valid_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PractitionerEntry:
    """A certificate as it is registered."""

    certificate: str
    full_name: str = field(repr=False)
    personal_id: str | None = field(repr=False)
    valid_from: date
    valid_until: date | None = None
    suspended_on: date | None = None
    places: tuple[PlaceEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """A file that was read. With problems, it is not to be stored."""

    lines: int
    entries: tuple[PractitionerEntry, ...]
    problems: tuple[RegisterProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    number: int
    values: Mapping[str, str]
    days: Mapping[str, date | None]
    has_more: bool


def read_register(body: bytes, *, facilities: Collection[str]) -> Register:
    """Read a file; `facilities` are the codes that are registered."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = body[: error.start].count(b"\n") + 1
        return _unreadable(RegisterProblem(line=line, field="", fault=RegisterFault.NOT_UTF8))
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        problems = list(_header_problems(header))
        lines = [
            _line(reader.line_num, header, cells)
            for cells in ([] if problems else reader)
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error:
        return _unreadable(RegisterProblem(line=reader.line_num, field="", fault=RegisterFault.NOT_CSV))
    problems += [problem for one in lines for problem in _problems(one, facilities)]
    by_certificate: dict[str, list[_Line]] = {}
    for one in lines:
        by_certificate.setdefault(one.values["certificate"], []).append(one)
    problems += [problem for own in by_certificate.values() for problem in _disagreements(own)]
    problems.sort(key=lambda problem: (problem.line, COLUMNS.index(problem.field) if problem.field in COLUMNS else -1))
    entries = () if problems else tuple(_entry(own) for own in by_certificate.values())
    return Register(lines=len(lines), entries=entries, problems=tuple(problems))


def _unreadable(problem: RegisterProblem) -> Register:
    return Register(lines=0, entries=(), problems=(problem,))


def _header_problems(header: Sequence[str]) -> Iterator[RegisterProblem]:
    for name in COLUMNS:
        if header.count(name) != 1:
            yield RegisterProblem(line=1, field=name, fault=RegisterFault.COLUMN_MISSING)
    for name in header:
        if name not in COLUMNS:
            yield RegisterProblem(line=1, field=name[:40], fault=RegisterFault.COLUMN_UNKNOWN)


def _line(number: int, header: Sequence[str], cells: Sequence[str]) -> _Line:
    padded = [*cells, *("" for _ in header)]
    values = {name: unicodedata.normalize("NFC", " ".join(padded[at].split())) for at, name in enumerate(header)}
    values["certificate"] = values["certificate"].upper()
    days = {name: _day(value) for name, value in values.items() if name.endswith(("_from", "_until", "_on"))}
    return _Line(number=number, values=values, days=days, has_more=len(cells) > len(header))


def _problems(line: _Line, facilities: Collection[str]) -> Iterator[RegisterProblem]:
    wrong = partial(RegisterProblem, line=line.number)
    if line.has_more:
        yield wrong(field="", fault=RegisterFault.FIELDS_TOO_MANY)
    for name, value in line.values.items():
        fault = _fault(name, value, facilities) if value else None if name in OPTIONAL else RegisterFault.MISSING
        if fault is not None:
            yield wrong(field=name, fault=fault)
    for begins, ends in (("valid_from", "valid_until"), ("place_from", "place_until")):
        first, last = line.days[begins], line.days[ends]
        if first is not None and last is not None and last < first:
            yield wrong(field=ends, fault=RegisterFault.ENDS_BEFORE_IT_BEGINS)
    if line.values["certificate"].endswith(_LICENCE) and not line.values["valid_until"]:
        yield wrong(field="valid_until", fault=RegisterFault.LICENCE_WITHOUT_END)
    begun, place = line.days["valid_from"], line.days["place_from"]
    if begun is not None and place is not None and not begun <= place <= (line.days["valid_until"] or date.max):
        yield wrong(field="place_from", fault=RegisterFault.OUTSIDE_CERTIFICATE)


def _fault(name: str, value: str, facilities: Collection[str]) -> RegisterFault | None:
    if name == "certificate":
        return None if CERTIFICATE.fullmatch(value) else RegisterFault.CERTIFICATE_FORM
    if name == "personal_id":
        return None if _PERSONAL_ID.fullmatch(value) and value.isascii() else RegisterFault.PERSONAL_ID_FORM
    if name == "full_name":
        return RegisterFault.NAME_FORM if len(value) > _MOST_NAME or _CONTROL.search(value) else None
    if name == "facility_code":
        known = RegisterFault.FACILITY_UNKNOWN if value not in facilities else None
        return known if _FACILITY.fullmatch(value) else RegisterFault.FACILITY_FORM
    return None if _day(value) is not None else RegisterFault.DATE_FORM


def _day(value: str) -> date | None:
    match = _ISO.fullmatch(value) or _VIETNAMESE.fullmatch(value)
    try:
        return None if match is None else date(int(match["y"]), int(match["m"]), int(match["d"]))
    except ValueError:
        return None


def _disagreements(own: Sequence[_Line]) -> Iterator[RegisterProblem]:
    """Find where lines of one certificate disagree, or say a place twice."""
    seen = set()
    for line in own:
        place = (line.values["facility_code"], line.days["place_from"])
        if place in seen:
            yield RegisterProblem(line=line.number, field="facility_code", fault=RegisterFault.PLACE_TWICE)
        seen.add(place)
        for name in COLUMNS:
            if name not in OF_THE_PLACE and line.values[name] != own[0].values[name]:
                yield RegisterProblem(line=line.number, field=name, fault=RegisterFault.DIFFERS_FROM_LINE_BEFORE)


def _entry(own: Sequence[_Line]) -> PractitionerEntry:
    first = own[0]
    return PractitionerEntry(
        certificate=first.values["certificate"],
        full_name=first.values["full_name"],
        personal_id=first.values["personal_id"] or None,
        valid_from=_known(first.days["valid_from"]),
        valid_until=first.days["valid_until"],
        suspended_on=first.days["suspended_on"],
        places=tuple(_place(line) for line in own),
    )


def _place(line: _Line) -> PlaceEntry:
    return PlaceEntry(
        facility_code=line.values["facility_code"],
        valid_from=_known(line.days["place_from"]),
        valid_until=line.days["place_until"],
    )


def _known(day: date | None) -> date:
    """Return a day that a line without faults has."""
    if day is None:
        raise AssertionError
    return day
