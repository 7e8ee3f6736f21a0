"""From bytes to one FHIR resource as JSON values, or the reason why not. Numbers keep their digits.

Source: RFC 8259 (§8.1: no byte order mark); FHIR R4 (4.0.1) JSON; RFC 7493 (no name twice).
"""

import codecs
import json
import re
from decimal import Decimal
from typing import Any, Final

from app.core.errors import Invalid, Text
from app.ingestion.fhir.words import FhirCode, describe

MAX_MESSAGE_BYTES: Final = 10 * 1024 * 1024
MOST_DEPTH: Final = 64
MOST_OBJECTS: Final = 250_000
"""Objects and lists of one document; what they take in memory is some hundred times what they take in the message."""
MOST_ELEMENTS: Final = 500_000
MOST_DIGITS: Final = 1_000  # of a number; nodes.MOST_DIGITS holds for one that is read, and refuses its resource alone
MOST_ENTRIES: Final = 10_000
_MOST_EXPONENT: Final = 100
_UNSTORABLE: Final = re.compile(r"[\x00\ud800-\udfff]")
_ESCAPED: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
"""How a text that cannot be stored has to be written: raw, it is no UTF-8, or no JSON."""
_STEP: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_HOLDERS: Final = (dict, list)


class FhirRefused(Invalid):
    """The bytes are not one resource that can be read; the text names place and reason."""

    def __init__(
        self, reason: FhirCode, *, place: str | None = None, detail: Text | None = None, limit: int | None = None
    ) -> None:
        self.reason, self.reason_code = reason, reason.value
        self.place = place
        self.detail = detail
        self.limit = limit
        words = describe(reason, detail=detail, limit=limit)
        vi, en = (f"{place}: {why}" if place else why[:1].upper() + why[1:] for why in (words.vi, words.en))
        super().__init__(Text(vi, en))


class _Wrong:
    """Stands where a value cannot be held, until its place is known."""

    __slots__ = ("reason",)

    def __init__(self, reason: FhirCode) -> None:
        self.reason = reason


def read_document(body: bytes) -> dict[str, Any]:
    """Read one resource: UTF-8, no name twice, finite numbers (Decimal where they have a point), MOST_DEPTH levels.

    :raises FhirRefused: otherwise, before much memory is taken
    """
    if not body.strip():
        raise FhirRefused(FhirCode.JSON_EMPTY)
    # A comma or a bracket within a text counts too: the limits are far above what people send.
    if body.count(b"{") + body.count(b"[") > MOST_OBJECTS:
        raise FhirRefused(FhirCode.JSON_TOO_MANY, limit=MOST_OBJECTS)
    if body.count(b",") > MOST_ELEMENTS:
        raise FhirRefused(FhirCode.JSON_TOO_MANY, limit=MOST_ELEMENTS)
    text = _decoded(body)
    wrong: list[_Wrong] = []
    found = _parsed(text, wrong)
    if wrong or _ESCAPED.search(text):
        _check(found)
    _check_depth(found)
    if not isinstance(found, dict) or not isinstance(found.get("resourceType"), str):
        raise FhirRefused(FhirCode.NOT_A_RESOURCE)
    entries = found.get("entry")
    if found["resourceType"] == "Bundle" and isinstance(entries, list) and len(entries) > MOST_ENTRIES:
        raise FhirRefused(FhirCode.BUNDLE_TOO_MANY_ENTRIES, place="Bundle.entry", limit=MOST_ENTRIES)
    return found


def _decoded(body: bytes) -> str:
    if body.startswith(codecs.BOM_UTF8):
        raise FhirRefused(FhirCode.JSON_NOT_UTF8, limit=1)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FhirRefused(FhirCode.JSON_NOT_UTF8, limit=error.start + 1) from None


def _parsed(text: str, wrong: list[_Wrong]) -> Any:
    """Parse a text; each value that cannot be held is noted in `wrong`, too."""

    def is_wrong(reason: FhirCode) -> _Wrong:
        wrong.append(_Wrong(reason))
        return wrong[-1]

    def members_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        return members if len(members) == len(pairs) else _doubled(pairs, is_wrong(FhirCode.JSON_NAME_TWICE))

    def whole(digits: str) -> Any:
        return int(digits) if len(digits) <= MOST_DIGITS else is_wrong(FhirCode.JSON_NUMBER)

    def fraction(digits: str) -> Any:
        number = Decimal(digits) if len(digits) <= MOST_DIGITS else None
        is_held = number is not None and abs(number.adjusted()) <= _MOST_EXPONENT
        return number if is_held else is_wrong(FhirCode.JSON_NUMBER)

    try:
        return json.loads(
            text,
            object_pairs_hook=members_of,
            parse_int=whole,
            parse_float=fraction,
            parse_constant=lambda _name: is_wrong(FhirCode.JSON_NUMBER),
        )
    except json.JSONDecodeError as error:
        raise FhirRefused(FhirCode.JSON_MALFORMED, limit=error.pos + 1) from None
    except RecursionError:
        raise _too_deep(text) from None


def _doubled(pairs: list[tuple[str, Any]], wrong: _Wrong) -> dict[str, Any]:
    members = dict(pairs)
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            members[name] = wrong
        seen.add(name)
    return members


def _too_deep(text: str) -> FhirRefused:
    depth = 0
    for step in _STEP.finditer(text):
        mark = step[0]
        depth += (mark in "[{") - (mark in "]}")
        if depth > MOST_DEPTH:
            where = Text(f"tại ký tự thứ {step.start() + 1}", f"at character {step.start() + 1}")
            return FhirRefused(FhirCode.JSON_TOO_DEEP, limit=MOST_DEPTH, detail=where)
    return FhirRefused(FhirCode.JSON_TOO_DEEP, limit=MOST_DEPTH)


def _check_depth(found: Any) -> None:
    level: list[Any] = [found]
    for _ in range(MOST_DEPTH + 1):
        level = [
            below
            for item in level
            for below in (item.values() if type(item) is dict else item if type(item) is list else ())
            if type(below) in _HOLDERS
        ]
        if not level:
            return
    raise FhirRefused(FhirCode.JSON_TOO_DEEP, limit=MOST_DEPTH, place=_place(found, level[0]))


def _check(found: Any) -> None:
    """Find the place of what is wrong."""
    level: list[Any] = [found]
    while level:
        below: list[Any] = []
        for item in level:
            if type(item) is dict:
                if any(_UNSTORABLE.search(name) for name in item):
                    raise FhirRefused(FhirCode.JSON_TEXT, place=_place(found, item))
                below.extend(item.values())
            elif type(item) is list:
                below.extend(item)
            elif type(item) is str:
                if _UNSTORABLE.search(item):
                    raise FhirRefused(FhirCode.JSON_TEXT, place=_place(found, item))
            elif type(item) is _Wrong:
                limit = MOST_DIGITS if item.reason is FhirCode.JSON_NUMBER else None
                raise FhirRefused(item.reason, place=_place(found, item), limit=limit)
        level = below


def _place(found: Any, wanted: Any) -> str | None:
    """Return the path of a value that is in the document once, as FHIRPath writes it."""
    root = found.get("resourceType") if isinstance(found, dict) else None
    start = root if isinstance(root, str) and _NAME.fullmatch(root) else "$"
    waiting: list[tuple[Any, str]] = [(found, start)]
    while waiting:
        item, path = waiting.pop()
        if item is wanted:
            return path
        if isinstance(item, dict):
            waiting.extend((value, f"{path}.{name if _NAME.fullmatch(name) else '*'}") for name, value in item.items())
        elif isinstance(item, list):
            waiting.extend((value, f"{path}[{number}]") for number, value in enumerate(item))
    return None
