"""Read the lines of a table: element names become fields, and each value is judged by the field's rule."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final

from lxml import etree

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.fields import Rule, Table
from app.ingestion.remarks import Remarks
from app.ingestion.verdict import Effect
from app.ingestion.xml import Element

MAX_LINES: Final = 10_000

NO_MOMENT: Final = datetime(1, 1, 1, tzinfo=UTC)
"""Stands where a needed moment could not be read; the visit is rejected then and makes no arrival."""
_ZERO: Final = Decimal(0)

_HAS_ELEMENTS_BELOW: Final = {steps: etree.XPath("boolean(" + "/".join("*" * (steps + 1)) + ")") for steps in (1, 2, 3)}
"""Tells whether a field holds elements, asked once of the element that stands so many steps above fields."""

_MONEY_DIGITS: Final = (13, 2)  # N(15,2)
_PRICE_DIGITS: Final = (12, 3)  # N(15,3)
_QUANTITY_DIGITS: Final = (10, 3)


class Line:
    """One line of a table: its fields as clean texts, read with the right to complain."""

    __slots__ = ("_remarks", "_values", "number", "table")

    def __init__(self, *, table: str, number: int, fields: dict[str, str], remarks: Remarks) -> None:
        self.table = table
        self.number = number
        self._values = fields
        self._remarks = remarks

    def text(self, field: str) -> str | None:
        """Return a text, or None where it was not sent."""
        return self._values.get(field)

    def needed(self, field: str) -> str:
        """Return a text that was already missed, if it is missing, when the line was read."""
        return self._values.get(field, "")

    def code(self, field: str, *, form: re.Pattern[str], detail: Text) -> str:
        """Return a code of a fixed form, with its leading zeros."""
        text = self._values.get(field, "")
        if text and not form.fullmatch(text):
            self.remark(ProblemCode.CODE_MALFORMED, Effect.REJECTS, field, detail=detail)
        return text

    def moment(self, field: str) -> datetime | None:
        """Return a moment in UTC, or None where it was not sent."""
        text = self._values.get(field)
        if text is None:
            return None
        at = values.moment(text)
        if at is None:
            self.remark(ProblemCode.MOMENT_MALFORMED, Effect.REJECTS, field)
        return at

    def needed_moment(self, field: str) -> datetime:
        """Return a moment in UTC."""
        return self.moment(field) or NO_MOMENT

    def day(self, field: str) -> date | None:
        """Return a day of 8 digits (the first 8 of 12), or None where none was sent; a malformed one is told."""
        text = self._values.get(field)
        if text is None:
            return None
        at = values.moment(text)
        found = values.local_day(at) if at else values.day(text)
        if found is None:
            self.remark(ProblemCode.DAY_MALFORMED, Effect.WARNS, field)
        return found

    def time(self, field: str, *, otherwise: datetime | None) -> datetime | None:
        """Return a moment, midnight of a day that came without a time, or `otherwise`; a malformed one is told."""
        text = self._values.get(field)
        if text is None:
            return otherwise
        at = values.moment(text) or values.midnight(text)
        if at is None:
            self.remark(ProblemCode.MOMENT_MALFORMED, Effect.WARNS, field)
        return at or otherwise

    def estimate(self, field: str, *, whole_digits: int, decimals: int) -> Decimal | None:
        """Return a number that is only shown; a malformed one is told and left out."""
        text = self._values.get(field)
        if text is None:
            return None
        read = values.number(text, whole_digits=whole_digits, decimals=decimals)
        if isinstance(read, ProblemCode):
            self.remark(read, Effect.WARNS, field, limit=whole_digits)
            return None
        return read.value

    def decimal(self, field: str, *, whole_digits: int, decimals: int) -> Decimal | None:
        """Return a number, or None where it was not sent."""
        text = self._values.get(field)
        if text is None:
            return None
        read = values.number(text, whole_digits=whole_digits, decimals=decimals)
        if isinstance(read, ProblemCode):
            self.remark(read, Effect.REJECTS, field, limit=whole_digits)
            return None
        if read.rounded:
            self.remark(ProblemCode.NUMBER_ROUNDED, Effect.WARNS, field, limit=decimals)
        return read.value

    def percent(self, field: str) -> Decimal | None:
        """Return a share of what insurance pays, in percent."""
        return self.estimate(field, whole_digits=3, decimals=2)

    def money(self, field: str) -> Decimal:
        """Return an amount in đồng."""
        whole, decimals = _MONEY_DIGITS
        return self.decimal(field, whole_digits=whole, decimals=decimals) or _ZERO

    def price(self, field: str) -> Decimal:
        """Return a price of one unit in đồng."""
        whole, decimals = _PRICE_DIGITS
        return self.decimal(field, whole_digits=whole, decimals=decimals) or _ZERO

    def quantity(self, field: str) -> Decimal:
        """Return a quantity, in the unit of the line."""
        whole, decimals = _QUANTITY_DIGITS
        return self.decimal(field, whole_digits=whole, decimals=decimals) or _ZERO

    def remark(
        self,
        code: ProblemCode,
        effect: Effect,
        field: str,
        *,
        detail: Text | None = None,
        limit: int | None = None,
    ) -> None:
        """Complain about a field of this line."""
        self._remarks.add(code, effect, table=self.table, line=self.number, field=field, detail=detail, limit=limit)


def read_lines(elements: Sequence[Element], *, table: Table, remarks: Remarks) -> tuple[Line, ...]:
    """Read the lines of a table from its root, its list or its bare lines.

    A content that is none of them, and a table of more than MAX_LINES, is rejected.
    """
    found = _find_lines(elements, table=table)
    if found is None:
        wanted = " / ".join(table.path)
        remarks.add(ProblemCode.TABLE_ROOT, Effect.REJECTS, table=table.name, detail=Text(wanted, wanted))
        return ()
    if len(found) > MAX_LINES:
        remarks.add(ProblemCode.TABLE_TOO_LONG, Effect.REJECTS, table=table.name, limit=MAX_LINES)
        return ()
    below = len(table.path) - table.path.index(elements[0].tag)
    nested = any(_HAS_ELEMENTS_BELOW[below](element) for element in elements)
    lines = tuple(
        _read_line(element, number=number, nested=nested, table=table, remarks=remarks)
        for number, element in enumerate(found, start=1)
    )
    _check_running_numbers(lines)
    return lines


def check_visit_id(lines: Iterable[Line], *, visit: str) -> None:
    """Reject lines that belong to another visit."""
    for line in lines:
        if line.needed("MA_LK") not in (visit, ""):
            line.remark(ProblemCode.VISIT_ID_DIFFERS, Effect.REJECTS, "MA_LK")


def _find_lines(elements: Sequence[Element], *, table: Table) -> Sequence[Element] | None:
    """Descend the path of the table, from wherever the content begins in it.

    None where an element on the way has another name: its lines would be lost, and an empty table means
    that what was sent earlier is to be removed.
    """
    if not elements or elements[0].tag not in table.path:
        return None
    *around, name = table.path[table.path.index(elements[0].tag) :]
    for step in around:
        if any(element.tag != step for element in elements):
            return None
        elements = [child for element in elements for child in element]
    return None if any(element.tag != name for element in elements) else elements


def _read_line(element: Element, *, number: int, nested: bool, table: Table, remarks: Remarks) -> Line:
    fields: dict[str, str] = {}
    line = Line(table=table.name, number=number, fields=fields, remarks=remarks)
    rule_of = table.rules.get
    for child in element:
        rule = rule_of(child.tag)
        if rule is None:
            _unknown(child, line=line)
            continue
        if nested and len(child):
            line.remark(ProblemCode.FIELD_NESTED, rule.misread, rule.name)
        text = child.text
        if text is None or not (text := text.strip()):
            continue
        if not text.isascii():
            text = values.composed(text)
        name = rule.name
        if name in fields:
            line.remark(ProblemCode.FIELD_TWICE, rule.misread, name)
            continue
        if len(text) > rule.longest:
            _too_long(text, line=line, rule=rule)
        elif (check := rule.check) is not None and (problem := check(text)) is not None:
            line.remark(problem, Effect.WARNS, name)
        fields[name] = text
    if missing := table.required.difference(fields):
        _remark_missing(line, missing=missing, table=table)
    return line


def _too_long(text: str, *, line: Line, rule: Rule) -> None:
    if len(text) > rule.utmost:
        line.remark(ProblemCode.FIELD_TOO_LONG, Effect.REJECTS, rule.name, limit=rule.utmost)
    else:
        line.remark(ProblemCode.FIELD_TOO_LONG, rule.too_long, rule.name, limit=rule.longest)


def _remark_missing(line: Line, *, missing: Iterable[str], table: Table) -> None:
    for field in sorted(missing):
        if field in table.needed:
            line.remark(ProblemCode.FIELD_MISSING, Effect.REJECTS, field)
        elif field in table.zero:
            line.remark(ProblemCode.FIELD_COUNTED_AS_ZERO, Effect.WARNS, field)
        else:
            line.remark(ProblemCode.FIELD_MISSING, Effect.WARNS, field)


def _check_running_numbers(lines: Iterable[Line]) -> None:
    seen: set[str] = set()
    for line in lines:
        running = line.text("STT")
        if running is None:
            continue
        if running in seen:
            line.remark(ProblemCode.LINE_NUMBER_TWICE, Effect.WARNS, "STT")
        seen.add(running)


def _unknown(element: Element, *, line: Line) -> None:
    line.remark(ProblemCode.FIELD_UNKNOWN, Effect.WARNS, etree.QName(element).localname)
