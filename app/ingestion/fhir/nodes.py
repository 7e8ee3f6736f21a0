"""Walk through a resource: typed values with their place, strict in form, NFC in text. Nothing is guessed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final
from unicodedata import normalize

from app.core.clock import VIETNAM_TIME
from app.core.errors import Text
from app.ingestion.fhir.remarks import Remarks
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.clinical import CodingArrival, MomentPrecision

LONGEST_TEXT: Final = 100_000
LONGEST_CODE: Final = 250
LONGEST_ID: Final = 64
KIND: Final = re.compile(r"[A-Z][A-Za-z]{1,40}")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_DATE_TIME: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?(Z|[+-]\d{2}:\d{2})?")
_FIRST_YEAR: Final = 1000
_LEAP_SECOND: Final = 60
_LAST_SECOND: Final = 59
MOST_DIGITS: Final = 34
_MOST_WHOLE: Final = 10**MOST_DIGITS - 1
_MOST_EXPONENT: Final = 18
MOST_INTEGER: Final = 2**31 - 1
"""Of FHIR's integer, positiveInt and unsignedInt. Source: R4 datatypes."""
_LAST_MOMENT: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""No zone takes it past the last day of the calendar. Some write 9999-12-31T23:59:59Z for "no end"."""
_DECIMAL: Final = re.compile(r"-?\d+(?:\.\d+)?")

_STRING: Final = Text("một chuỗi", "a string")
_OBJECT: Final = Text("một đối tượng JSON", "a JSON object")
_LIST: Final = Text("một danh sách JSON không rỗng", "a JSON list that is not empty")
_BOOLEAN: Final = Text("true hoặc false", "true or false")
_NUMBER: Final = Text("một số JSON", "a JSON number")
_SHORT_NUMBER: Final = Text(
    f"một số có tối đa {MOST_DIGITS} chữ số, số mũ từ -{_MOST_EXPONENT} đến {_MOST_EXPONENT}",
    f"a number of at most {MOST_DIGITS} digits, its exponent from -{_MOST_EXPONENT} to {_MOST_EXPONENT}",
)
_MOMENT: Final = Text(
    "một dateTime của FHIR, ví dụ 2026-11-20T08:15:00+07:00, 2026-11-20, 2026-11 hoặc 2026",
    "a FHIR dateTime, such as 2026-11-20T08:15:00+07:00, 2026-11-20, 2026-11 or 2026",
)
_ZONE: Final = Text(
    "một dateTime có múi giờ; đã hiểu là giờ Việt Nam", "a dateTime with its time zone; taken as Viet Nam's time"
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment as far as it is known; the rest is the first of its month or day, midnight in Viet Nam."""

    at: datetime
    precision: MomentPrecision

    @property
    def on(self) -> date:
        """The day in Viet Nam."""
        return self.at.astimezone(VIETNAM_TIME).date()


@lru_cache(maxsize=500)
def moment_of(text: str) -> tuple[Moment | None, bool]:
    """Read a dateTime, date or instant; tells too whether its time zone is missing."""
    if match := _DATE.fullmatch(text):
        year, month, day = match.groups()
        precision = MomentPrecision.DAY if day else MomentPrecision.MONTH if month else MomentPrecision.YEAR
        local = _local(int(year), int(month or 1), int(day or 1))
        return (None if local is None else Moment(local, precision)), False
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        return None, False
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    seconds = int(second or 0)
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    if seconds == _LEAP_SECOND:
        seconds = _LAST_SECOND
    shift = _shift(zone)
    if shift is None:
        return None, False
    try:
        local = datetime(
            int(year), int(month), int(day), int(hour), int(minute), seconds, micro, tzinfo=timezone(shift)
        ).astimezone(UTC)
    except (ValueError, OverflowError):
        return None, False
    is_one = int(year) >= _FIRST_YEAR and local < _LAST_MOMENT
    return (Moment(local, MomentPrecision.MINUTE) if is_one else None), zone is None


def _shift(zone: str | None) -> timedelta | None:
    if zone is None:
        return timedelta(hours=7)
    if zone == "Z":
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if hours > 14 or minutes > 59:  # noqa: PLR2004 - FHIR's own bounds
        return None
    shift = timedelta(hours=hours, minutes=minutes)
    return -shift if zone[0] == "-" else shift


def _local(year: int, month: int, day: int) -> datetime | None:
    if year < _FIRST_YEAR:
        return None
    try:
        return datetime(year, month, day, tzinfo=VIETNAM_TIME).astimezone(UTC)
    except ValueError:
        return None


class Node:
    """A JSON object of a resource, its place in the message and where its problems are noted."""

    __slots__ = ("_above", "_kind", "_step", "entry", "remarks", "value")

    def __init__(
        self, value: dict[str, Any], *, step: str, entry: int | None, remarks: Remarks, above: "Node | None" = None
    ) -> None:
        self.value = value
        self.entry = entry
        self.remarks = remarks
        self._step = step
        self._above = above
        self._kind: str | None = None

    @property
    def path(self) -> str:
        """The place as FHIRPath writes it."""
        return self._step if self._above is None else f"{self._above.path}.{self._step}"

    @property
    def kind(self) -> str:
        """The type of a resource."""
        if self._kind is None:
            kind = self.value.get("resourceType")
            self._kind = kind if isinstance(kind, str) and KIND.fullmatch(kind) else ""
        return self._kind

    def has(self, name: str) -> bool:
        """Tell whether something stands there that is not empty."""
        return self.value.get(name) not in (None, "", [], {})

    def remark(
        self,
        code: FhirCode,
        effect: Effect,
        name: str | None = None,
        *,
        detail: Text | None = None,
        limit: int | None = None,
    ) -> None:
        """Note a problem of this object, or of one of its elements."""
        path = self.path if name is None else f"{self.path}.{name}"
        self.remarks.add(code, effect, entry=self.entry, path=path, detail=detail, limit=limit)

    def malformed(self, name: str, wanted: Text) -> None:
        """Reject the entry for the form of an element."""
        self.remark(FhirCode.ELEMENT_MALFORMED, Effect.REJECTS, name, detail=wanted)

    def text(self, name: str, *, longest: int = LONGEST_TEXT) -> str | None:
        """Return a string, NFC, without spaces around it; nothing where it is empty."""
        found = self.value.get(name)
        if found is None:
            return None
        if type(found) is not str:  # JSON has no other kind of string
            self.malformed(name, _STRING)
            return None
        text = found.strip()
        if len(text) > longest:
            self.remark(FhirCode.ELEMENT_TOO_LONG, Effect.REJECTS, name, limit=longest)
            return None
        return (text if text.isascii() else normalize("NFC", text)) or None

    def code(self, name: str) -> str | None:
        """Return a code, an id or a URI."""
        return self.text(name, longest=LONGEST_CODE)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of strings."""
        found = self.value.get(name)
        if found is None:
            return ()
        if not isinstance(found, list) or not all(isinstance(one, str | None) for one in found):
            self.malformed(name, _LIST)
            return ()
        return tuple(normalize("NFC", one.strip()) for one in found if one and one.strip())

    def flag(self, name: str) -> bool | None:
        """Return a boolean."""
        found = self.value.get(name)
        if found is None or isinstance(found, bool):
            return found
        self.malformed(name, _BOOLEAN)
        return None

    def number(self, name: str, *, most: int = _MOST_WHOLE) -> Decimal | None:
        """Return a number with its digits as they were sent; one beyond `most`, either way, is malformed."""
        found = self.value.get(name)
        if isinstance(found, Decimal):
            if len(found.as_tuple().digits) > MOST_DIGITS or abs(found.adjusted()) > _MOST_EXPONENT:
                self.malformed(name, _SHORT_NUMBER)
                return None
            if abs(found) > most:
                self.malformed(name, _up_to(most))
                return None
            return found
        whole = self.whole(name, most=most)
        return None if whole is None else Decimal(whole)

    def whole(self, name: str, *, most: int = MOST_INTEGER) -> int | None:
        """Return a whole number; one beyond `most`, either way, is malformed."""
        found: int | None = self.value.get(name)
        is_whole = isinstance(found, int) and not isinstance(found, bool)
        if found is None or (is_whole and abs(found) <= most):
            return found
        self.malformed(name, _up_to(most) if is_whole else _NUMBER)
        return None

    def moment(self, name: str) -> Moment | None:
        """Return a date, dateTime or instant."""
        text = self.code(name)
        if text is None:
            return None
        found, has_no_zone = moment_of(text)
        if found is None:
            self.malformed(name, _MOMENT)
        elif has_no_zone:
            self.remark(FhirCode.ELEMENT_MALFORMED, Effect.WARNS, name, detail=_ZONE)
        return found

    def first_moment(self, name: str) -> Moment | None:
        """Return the first of a list of dateTimes."""
        told = self.texts(name)
        return (
            Node({name: told[0]}, step=f"{name}[0]", entry=self.entry, remarks=self.remarks).moment(name)
            if told
            else None
        )

    def node(self, name: str) -> "Node | None":
        """Return an object."""
        found = self.value.get(name)
        if isinstance(found, dict):
            return Node(found, step=name, entry=self.entry, remarks=self.remarks, above=self) if found else None
        if found is not None:
            self.malformed(name, _OBJECT)
        return None

    def nodes(self, name: str) -> "list[Node]":
        """Return a list of objects."""
        found = self.value.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            self.malformed(name, _LIST)
            return []
        return list(self._items(name, found))

    def _items(self, name: str, found: list[Any]) -> "Iterator[Node]":
        for number, one in enumerate(found):
            step = f"{name}[{number}]"
            if isinstance(one, dict):
                if one:
                    yield Node(one, step=step, entry=self.entry, remarks=self.remarks, above=self)
            elif one is not None:
                self.malformed(step, _OBJECT)

    def choice(self, *names: str) -> str | None:
        """Return which of the types of one element stands here."""
        there = [name for name in names if self.has(name)]
        if len(there) > 1:
            self.remark(FhirCode.CHOICE_TWICE, Effect.REJECTS, there[1])
        return there[0] if there else None


def codings(concept: Node | None) -> tuple[CodingArrival, ...]:
    """Return the codes of a CodeableConcept as they were sent."""
    if concept is None:
        return ()
    return concept.remarks.once(concept.value, _codings, concept)


def _codings(concept: Node) -> tuple[CodingArrival, ...]:
    found = []
    for coding in concept.nodes("coding"):
        code = coding.code("code")
        if code is not None:
            system, display = coding.code("system"), coding.text("display")
            found.append(CodingArrival(system=system, code=code, display=display))
    return tuple(found)


def words_of(concept: Node | None) -> str | None:
    """Return a CodeableConcept in words: its text, else a display, else a code."""
    if concept is None:
        return None
    if text := concept.text("text"):
        return text
    for coding in concept.nodes("coding"):
        if display := coding.text("display"):
            return display
    return next((coding.code for coding in codings(concept)), None)


def notes_of(node: Node) -> str | None:
    """Return the annotations of a resource, a line each."""
    return "\n".join(text for note in node.nodes("note") if (text := note.text("text"))) or None


def number_text(number: Decimal) -> str:
    """Return a number's digits, without an exponent."""
    return f"{number:f}"


def plain_number(text: str) -> Decimal | None:
    """Return a text that is a plain number as one."""
    return Decimal(text) if len(text) <= MOST_DIGITS and _DECIMAL.fullmatch(text) else None


def _up_to(most: int) -> Text:
    if most == _MOST_WHOLE:
        return _SHORT_NUMBER
    return Text(f"một số từ -{most} đến {most}", f"a number from -{most} to {most}")
