"""Reads a facility's plan from JSON or CSV and says what is wrong with it, by line or place, in both languages. Pure.

Both forms give the same raw fields to one judge. A CSV file has one line for each rule of a schedule; what tells of
the schedule itself stands in its first line, and may be repeated.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any, Final, TypeVar

from app.appointments.schedules import MINUTES_OF_A_DAY, BookingTerms, Hours, Plan, Schedule, ScheduleProblem
from app.core.errors import Text
from app.core.strict_json import NotStrictJson, read_object

MOST_SCHEDULES: Final = 500
MOST_RULES: Final = 400
MOST_DAYS: Final = 370
MOST_CAPACITY: Final = 1000
MOST_DIGITS: Final = 9
LONGEST: Final = 120
COLUMNS: Final = (
    "schedule",
    "department",
    "room",
    "practitioner",
    "practitioner_name",
    "capacity",
    "slot_minutes",
    "valid_from",
    "valid_until",
    "holidays",
    "sensitive",
    "day",
    "from",
    "to",
)
_DAYS: Final = {"MON": 0, "TUE": 1, "WED": 2, "THU": 3, "FRI": 4, "SAT": 5, "SUN": 6} | {
    "T2": 0, "T3": 1, "T4": 2, "T5": 3, "T6": 4, "T7": 5, "CN": 6
}  # fmt: skip
_YES, _NO = frozenset({"yes", "true", "1", "có", "x"}), frozenset({"no", "false", "0", "không", ""})
_CODE: Final = re.compile(r"[\w.\-/]{1,64}")
_DEPARTMENT: Final = re.compile(r"K\d{2}(\.\d{1,2})?")
_CLOCK: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

Value = TypeVar("Value")


@dataclass(slots=True)
class _Judge:
    """Collects problems; a field that is wrong reads as its fallback, and then nothing is published."""

    problems: list[ScheduleProblem] = field(default_factory=list)

    def complain(self, place: str, vi: str, en: str) -> None:
        self.problems.append(ScheduleProblem(place=place, text=Text(vi, en)))

    def text(self, raw: object, place: str, *, needed: bool = False) -> str | None:
        if raw is None or raw == "":
            if needed:
                self.complain(place, "bắt buộc phải có.", "must be given.")
            return None
        if not isinstance(raw, str) or len(raw) > LONGEST or not raw.isprintable():
            self.complain(
                place, f"phải là chữ, dài tối đa {LONGEST} ký tự.", f"must be text of {LONGEST} characters at most."
            )
            return None
        return unicodedata.normalize("NFC", raw).strip() or None

    def matching(self, raw: object, place: str, pattern: re.Pattern[str], example: str) -> str:
        found = self.text(raw, place, needed=True)
        if found is not None and not pattern.fullmatch(found):
            self.complain(
                place, f"không đúng dạng, ví dụ {example}.", f"has another form than, for example, {example}."
            )
        return found or ""

    def number(self, raw: object, place: str, *, least: int, most: int) -> int:
        text = str(raw).strip() if isinstance(raw, int | str) and not isinstance(raw, bool) else ""
        if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS and least <= int(text) <= most):
            self.complain(
                place, f"phải là số nguyên từ {least} đến {most}.", f"must be a whole number from {least} to {most}."
            )
            return least
        return int(text)

    def flag(self, raw: object, place: str) -> bool:
        text = str(raw).strip().lower() if isinstance(raw, bool | str) else "" if raw is None else "?"
        if text not in _YES | _NO:
            self.complain(place, "phải là yes hoặc no.", "must be yes or no.")
        return text in _YES

    def day(self, raw: object, place: str) -> date:
        try:
            return date.fromisoformat(raw) if isinstance(raw, str) else date.fromisoformat("")
        except ValueError:
            self.complain(place, "phải là một ngày dạng 2026-12-31.", "must be a day like 2026-12-31.")
            return date.min

    def hours(self, since: object, until: object, place: str) -> Hours | None:
        found = []
        for raw, name in ((since, "from"), (until, "to")):
            if not isinstance(raw, str) or not _CLOCK.fullmatch(raw):
                self.complain(f"{place}{name}", "phải là giờ dạng 07:30.", "must be a time like 07:30.")
                return None
            found.append(time.fromisoformat(raw))
        if found[0] >= found[1]:
            self.complain(f"{place}to", "phải sau giờ bắt đầu.", "must be later than `from`.")
            return None
        return Hours(since=found[0], until=found[1])


@dataclass(slots=True)
class _Rules:
    """The hours of one schedule as they are gathered."""

    weekly: dict[int, tuple[Hours, ...]] = field(default_factory=dict)
    exceptions: dict[date, tuple[Hours, ...]] = field(default_factory=dict)

    def add(self, judge: _Judge, place: str, key: int | date, hours: Hours | None) -> None:
        known = self.weekly.get(key, ()) if isinstance(key, int) else self.exceptions.get(key, ())
        if hours is not None and any(one.since < hours.until and hours.since < one.until for one in known):
            judge.complain(
                place, "trùng giờ với một dòng khác của cùng lịch.", "overlaps other hours of this schedule."
            )
        added = known if hours is None else (*known, hours)
        if isinstance(key, int):
            self.weekly[key] = added
        else:
            self.exceptions[key] = added


def read_json(body: bytes) -> Plan:
    """Read `{"schedules": […], "terms": {…}}`."""
    judge = _Judge()
    try:
        told = read_object(body)
    except NotStrictJson:
        judge.complain("", "nội dung phải là một đối tượng JSON (UTF-8).", "the body must be one JSON object (UTF-8).")
        return Plan(schedules=(), terms=None, problems=tuple(judge.problems))
    _only(judge, "", told, {"schedules", "terms"})
    listed = _list(judge, "schedules", told.get("schedules", []), most=MOST_SCHEDULES)
    schedules = [_of_json(judge, f"schedules[{place}].", one) for place, one in enumerate(listed)]
    _check_codes(judge, [(f"schedules[{place}].code", one.code) for place, one in enumerate(schedules)])
    terms = told.get("terms")
    return Plan(
        schedules=tuple(schedules),
        terms=None if terms is None else _terms(judge, terms),
        problems=tuple(judge.problems),
    )


def _terms(judge: _Judge, told: object) -> BookingTerms:
    names = {"leadMinutes": (0, 43_200), "cancelMinutes": (0, 43_200), "mostLive": (1, 50), "holdMinutes": (1, 10_080)}
    given: Mapping[str, object] = told if isinstance(told, dict) else {}
    _only(judge, "terms.", given, set(names))
    lead, cancel, live, hold = (
        judge.number(given.get(name), f"terms.{name}", least=least, most=most) for name, (least, most) in names.items()
    )
    return BookingTerms(lead_minutes=lead, cancel_minutes=cancel, most_live=live, hold_minutes=hold)


def _of_json(judge: _Judge, place: str, told: object) -> Schedule:
    given: Mapping[str, Any] = told if isinstance(told, dict) else {}
    names = {"code", "departmentCode", "room", "practitionerCertificate", "practitionerName", "capacity", "slotMinutes"}
    _only(
        judge,
        place,
        given,
        names | {"validFrom", "validUntil", "worksOnHolidays", "isSensitive", "weekly", "exceptions"},
    )
    rules = _Rules()
    for number, rule in enumerate(_list(judge, f"{place}weekly", given.get("weekly", []), most=MOST_RULES)):
        where = f"{place}weekly[{number}]."
        day = rule.get("day") if isinstance(rule, dict) else None
        if not isinstance(day, str) or day not in _DAYS:
            judge.complain(f"{where}day", "phải là MON … SUN hoặc T2 … CN.", "must be MON … SUN or T2 … CN.")
        else:
            rules.add(judge, where, _DAYS[day], judge.hours(rule.get("from"), rule.get("to"), where))
    for number, rule in enumerate(_list(judge, f"{place}exceptions", given.get("exceptions", []), most=MOST_RULES)):
        where = f"{place}exceptions[{number}]."
        on = judge.day(rule.get("on") if isinstance(rule, dict) else None, f"{where}on")
        rules.add(judge, where, on, None)
        for span in _list(
            judge, f"{where}hours", rule.get("hours", []) if isinstance(rule, dict) else [], most=MOST_RULES
        ):
            since, until = (span.get("from"), span.get("to")) if isinstance(span, dict) else (None, None)
            rules.add(judge, where, on, judge.hours(since, until, where))
    told_of = {column: given.get(name) for column, name in _NAMES.items()}
    return _schedule(judge, told_of, lambda column: f"{place}{_NAMES[column]}", rules)


_NAMES: Final = {
    "schedule": "code",
    "department": "departmentCode",
    "room": "room",
    "practitioner": "practitionerCertificate",
    "practitioner_name": "practitionerName",
    "capacity": "capacity",
    "slot_minutes": "slotMinutes",
    "valid_from": "validFrom",
    "valid_until": "validUntil",
    "holidays": "worksOnHolidays",
    "sensitive": "isSensitive",
}


def read_csv(body: bytes) -> Plan:
    """Read a table of COLUMNS; `day` is MON … SUN, T2 … CN, or the date of an exception (no hours: closed)."""
    judge = _Judge()
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig")), strict=True))
    except (UnicodeDecodeError, csv.Error):
        judge.complain("", "tệp phải là CSV mã UTF-8.", "the file must be CSV in UTF-8.")
        return Plan(schedules=(), terms=None, problems=tuple(judge.problems))
    if not lines or tuple(name.strip().lower() for name in lines[0]) != COLUMNS:
        judge.complain("line 1", f"các cột phải là {','.join(COLUMNS)}.", f"the columns must be {','.join(COLUMNS)}.")
        return Plan(schedules=(), terms=None, problems=tuple(judge.problems))
    heads: dict[str, tuple[int, dict[str, str]]] = {}
    rules: dict[str, _Rules] = {}
    for number, cells in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(COLUMNS):
            judge.complain(f"line {number}", f"phải có {len(COLUMNS)} cột.", f"must have {len(COLUMNS)} columns.")
            continue
        given = dict(zip(COLUMNS, (cell.strip() for cell in cells), strict=True))
        first, head = heads.setdefault(given["schedule"], (number, given))
        for column in _NAMES:
            if given[column] not in {"", head[column]}:
                judge.complain(
                    f"line {number}: {column}",
                    f"khác với dòng {first}.",
                    f"differs from line {first} of this schedule.",
                )
        _rule(judge, f"line {number}: ", given, rules.setdefault(given["schedule"], _Rules()))
    if len(heads) > MOST_SCHEDULES:
        judge.complain("", f"tối đa {MOST_SCHEDULES} lịch.", f"{MOST_SCHEDULES} schedules at most.")
    schedules = [_schedule(judge, head, _column_of(first), rules[code]) for code, (first, head) in heads.items()]
    return Plan(schedules=tuple(schedules), terms=None, problems=tuple(judge.problems))


def _column_of(line: int) -> Callable[[str], str]:
    return lambda column: f"line {line}: {column}"


def _rule(judge: _Judge, place: str, given: Mapping[str, str], rules: _Rules) -> None:
    day = given["day"].upper()
    if day in _DAYS:
        rules.add(judge, place.rstrip(": "), _DAYS[day], judge.hours(given["from"], given["to"], place))
        return
    on = judge.day(given["day"], f"{place}day")
    closed = not given["from"] and not given["to"]
    rules.add(judge, place.rstrip(": "), on, None if closed else judge.hours(given["from"], given["to"], place))


def _schedule(judge: _Judge, given: Mapping[str, Any], place: Callable[[str], str], rules: _Rules) -> Schedule:
    first, last = (judge.day(given[column], place(column)) for column in ("valid_from", "valid_until"))
    if last < first or last - first > timedelta(days=MOST_DAYS):
        judge.complain(
            place("valid_until"),
            f"phải sau ngày bắt đầu, cách tối đa {MOST_DAYS} ngày.",
            f"must follow the first day by {MOST_DAYS} days at most.",
        )
    department = judge.matching(given["department"], place("department"), _DEPARTMENT, "K01")
    minutes = judge.number(given["slot_minutes"], place("slot_minutes"), least=5, most=MINUTES_OF_A_DAY)
    spans = [one for hours in (*rules.weekly.values(), *rules.exceptions.values()) for one in hours]
    if any((one.until.hour - one.since.hour) * 60 + one.until.minute - one.since.minute < minutes for one in spans):
        judge.complain(
            place("slot_minutes"), "dài hơn một khoảng giờ của lịch.", "is longer than hours of this schedule."
        )
    return Schedule(
        code=judge.matching(given["schedule"], place("schedule"), _CODE, "K01-P101"),
        department_code=department,
        room=judge.text(given["room"], place("room")),
        practitioner_certificate=judge.text(given["practitioner"], place("practitioner")),
        practitioner_name=judge.text(given["practitioner_name"], place("practitioner_name")),
        capacity=judge.number(given["capacity"], place("capacity"), least=1, most=MOST_CAPACITY),
        slot_minutes=minutes,
        valid_from=first,
        valid_until=last,
        works_on_holidays=judge.flag(given["holidays"], place("holidays")),
        is_sensitive=judge.flag(given["sensitive"], place("sensitive")),
        weekly=rules.weekly,
        exceptions=rules.exceptions,
    )


def _list(judge: _Judge, place: str, raw: object, *, most: int) -> Sequence[Any]:
    if not isinstance(raw, list) or len(raw) > most:
        judge.complain(place, f"phải là danh sách tối đa {most} mục.", f"must be a list of {most} entries at most.")
        return []
    return raw


def _only(judge: _Judge, place: str, given: Mapping[str, object], names: set[str]) -> None:
    for name in sorted(given.keys() - names):
        judge.complain(f"{place}{name}"[:LONGEST], "không có trường này.", "is no field of ours.")


def _check_codes(judge: _Judge, codes: Sequence[tuple[str, str]]) -> None:
    seen: set[str] = set()
    for place, code in codes:
        if code in seen:
            judge.complain(place, "trùng với một lịch khác.", "is the code of another schedule.")
        seen.add(code)
