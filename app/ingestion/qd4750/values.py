"""Read single values: moments, days, births, numbers, codes and document numbers. Nothing is guessed."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Final
from unicodedata import combining, normalize

from app.core.clock import VIETNAM_TIME
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750.vni import is_vni
from app.records.arrivals import BirthPrecision, IdentifierKind

LONGEST_IDENTIFIER: Final = 15
LONGEST_NUMBER: Final = 40  # whatever its form; also bounds what is remembered of numbers
_FIRST_YEAR: Final = 1000
_DAY_LENGTH: Final = 8
_MOMENT_LENGTH: Final = 12

_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_WITH_COMMA: Final = re.compile(r"[0-9.,]*,[0-9.,]*")
_RESULT_NUMBER: Final = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?")
_RESULT_WITH_COMMA: Final = re.compile(r"-?[0-9]+,[0-9]+")
_IDENTIFIER: Final = re.compile(r"[0-9A-Za-z./_-]{1,15}")
_GROUPED: Final = re.compile(r"[0-9]{3,6}(?:[.-][0-9]{3,6}){1,3}")
_PASSPORT: Final = re.compile(r"[A-Z][0-9]{7}")
_FILLERS: Final = frozenset({"123456789", "987654321", "012345678901", "123456789012", "001234567890"})
_CARD: Final = re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{10}")
_MOST_MARKS: Final = 30
_LAST_MARK: Final = 0x1E94A
_MARKS: Final = frozenset(char for char in map(chr, range(0x300, _LAST_MARK + 1)) if combining(char))
_LONG_RUN: Final = re.compile(f"[{''.join(sorted(_MARKS))}]{{{_MOST_MARKS}}}")
_NEVER_IN_NAMES: Final = re.compile("[?¿\ufffd¡-©ª«-±²³µ-¹»-¾×÷Þßþ]")
FACILITY: Final = re.compile(r"[0-9A-Z]{5}")
VISIT_KIND: Final = re.compile(r"[0-9]{2}")
COST_GROUP: Final = re.compile(r"[0-9]{1,2}")
DISEASE: Final = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.?[0-9A-Z]{1,4})?[†*+]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """A birth date as far as it is known."""

    on: date
    precision: BirthPrecision
    at: datetime | None  # where the minute is known
    day_lost: bool  # the month was sent without the day: only the year is kept


def composed(text: str) -> str:
    """Return a text in NFC. A run of marks is cut up, since putting n of them in order takes n² steps.

    Source: UAX #15, stream-safe text format.
    """
    if text.isascii():
        return text
    if len(text) > _MOST_MARKS and not _MARKS.isdisjoint(text):
        text = _LONG_RUN.sub("\\g<0>\u034f", text)
    return normalize("NFC", text)


def moment(text: str) -> datetime | None:
    """Read `yyyymmddHHMM` of Viet Nam as an aware UTC time, or None."""
    return _moment(text) if len(text) == _MOMENT_LENGTH else None


@lru_cache(maxsize=4096)
def _moment(text: str) -> datetime | None:
    if not (text.isascii() and text.isdigit()):
        return None
    year = int(text[:4])
    if year < _FIRST_YEAR:
        return None
    try:
        local = datetime(year, int(text[4:6]), int(text[6:8]), int(text[8:10]), int(text[10:]), tzinfo=VIETNAM_TIME)
    except ValueError:
        return None
    return local.astimezone(UTC)


def day(text: str) -> date | None:
    """Read `yyyymmdd`, or None."""
    if len(text) != _DAY_LENGTH or not (text.isascii() and text.isdigit()) or int(text[:4]) < _FIRST_YEAR:
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def midnight(text: str) -> datetime | None:
    """Read `yyyymmdd` as the moment at which that day begins in Viet Nam, or None."""
    on = day(text)
    return None if on is None else datetime(on.year, on.month, on.day, tzinfo=VIETNAM_TIME).astimezone(UTC)


def birth(text: str) -> Birth | None:
    """Read a birth, `yyyymmddHHMM` or `yyyymmdd`; 0000 stands for an unknown time, or month and day."""
    if len(text) not in (_DAY_LENGTH, _MOMENT_LENGTH) or not (text.isascii() and text.isdigit()):
        return None
    year, month, day_of_month, time = int(text[:4]), text[4:6], text[6:8], text[8:] or "0000"
    if int(time[:2]) > 23 or int(time[2:]) > 59 or year < _FIRST_YEAR:  # noqa: PLR2004
        return None
    if day_of_month == "00":
        if int(month) > 12:  # noqa: PLR2004
            return None
        return Birth(on=date(year, 1, 1), precision=BirthPrecision.YEAR, at=None, day_lost=month != "00")
    on = day(text[:8])
    if on is None:
        return None
    at = None if time == "0000" else moment(text)
    return Birth(on=on, precision=BirthPrecision.DAY if at is None else BirthPrecision.MINUTE, at=at, day_lost=False)


def local_day(at: datetime) -> date:
    """Return the day in Viet Nam."""
    return at.astimezone(VIETNAM_TIME).date()


def moment_problem(text: str) -> ProblemCode | None:
    """Judge a moment that the book does not read; the annex allows a few of them to be a day."""
    return None if moment(text) or day(text) else ProblemCode.MOMENT_MALFORMED


def day_problem(text: str) -> ProblemCode | None:
    """Judge a day that the book does not read."""
    return None if day(text) else ProblemCode.DAY_MALFORMED


@lru_cache(maxsize=4096)
def number_problem(text: str) -> ProblemCode | None:
    """Judge a number of at most LONGEST_NUMBER characters by its form alone."""
    if _NUMBER.fullmatch(text):
        return None
    return ProblemCode.NUMBER_COMMA if _WITH_COMMA.fullmatch(text) else ProblemCode.NUMBER_MALFORMED


@dataclass(frozen=True, slots=True)
class Number:
    """A number, at most so large, rounded to so many decimals; zeros at the end are dropped."""

    value: Decimal
    rounded: bool


def number(text: str, *, whole_digits: int, decimals: int) -> Number | ProblemCode:
    """Read a number that is not negative, or tell why not."""
    if len(text) > LONGEST_NUMBER:
        return ProblemCode.NUMBER_MALFORMED
    return _number(text, whole_digits, decimals)


@lru_cache(maxsize=8192)
def _number(text: str, whole_digits: int, decimals: int) -> Number | ProblemCode:
    if problem := number_problem(text):
        return problem
    whole, _, fraction = text.partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if len(whole) > whole_digits:
        return ProblemCode.NUMBER_TOO_LARGE
    value = Decimal(f"{whole or '0'}.{fraction}" if fraction else whole or "0")
    if len(fraction) <= decimals:
        return Number(value, rounded=False)
    value = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return Number(value, rounded=True) if value < 10**whole_digits else ProblemCode.NUMBER_TOO_LARGE


def result_number(text: str) -> Decimal | None:
    """Read a result that is a plain number; its digits are kept as they were reported."""
    return Decimal(text) if _RESULT_NUMBER.fullmatch(text) else None


def has_decimal_comma(text: str) -> bool:
    """Tell a result that would be a plain number but for its comma."""
    return _RESULT_WITH_COMMA.fullmatch(text) is not None


def several(text: str | None) -> tuple[str, ...]:
    """Split a `;` list, keeping the order, without empty parts and repetitions."""
    if not text:
        return ()
    return tuple(dict.fromkeys(part for part in map(str.strip, text.split(";")) if part))


def parallel(text: str | None) -> list[str]:
    """Split a `;` list that stands beside another, keeping the places of empty parts."""
    bare = (text or "").rstrip("; ")
    return [part.strip() for part in bare.split(";")] if bare else []


def identifier(text: str) -> tuple[str, IdentifierKind] | None:
    """Read a document number without what groups its digits, and tell what it is; None where it is no number at all.

    Neither sex nor birth year is compared: numbers are issued again after a correction.
    Source: Decree 137/2015 Art. 13; the gateway's check of SO_CCCD.
    """
    number_text = "".join(text.split())
    if not _IDENTIFIER.fullmatch(number_text):
        return None
    digits = re.sub(r"[.-]", "", number_text) if _GROUPED.fullmatch(number_text) else number_text
    if digits.isdigit() and len(digits) in (9, 12):
        kind = IdentifierKind.OLD_ID if len(digits) == 9 else IdentifierKind.PERSONAL_ID  # noqa: PLR2004
        return digits, kind
    if _PASSPORT.fullmatch(number_text):
        return number_text, IdentifierKind.PASSPORT
    return number_text, IdentifierKind.OTHER


def is_odd_number(identifier_text: str) -> bool:
    """Tell a number of digits alone that is no document's: a spreadsheet has taken its first zeros, or added `.0`."""
    is_document = identifier_text.isdigit() and len(identifier_text) in (9, 12)
    return not is_document and re.fullmatch(r"[0-9.-]+", identifier_text) is not None


def is_filler(identifier_text: str) -> bool:
    """Tell what software writes where a person showed no document: it would merge strangers into one."""
    bare = re.sub(r"[./_-]", "", identifier_text)
    return len(set(bare)) <= 1 or bare.isalpha() or bare in _FILLERS


def is_garbled(name: str) -> bool:
    """Tell a name whose letters were lost: `?` and U+FFFD stand for them, or signs of a font's own code.

    Letters of TCVN 3 (`NguyÔn V¨n ¸nh`) are signs of Latin-1 when taken for Unicode; those of VNI are its letters.
    Source: TCVN 5712:1993.
    """
    return _NEVER_IN_NAMES.search(name) is not None or is_vni(name)


def card_number(text: str) -> str:
    """Return a card's number without what groups its characters, in capitals, as the card prints it."""
    return re.sub(r"[\s.-]", "", text).upper()


def benefit_code(card: str) -> str | None:
    """Return the character of a long card number that tells the level of benefit. Source: Decision 1351/QD-BHXH."""
    return card[2] if len(card) == 15 and card[2] in "12345" else None  # noqa: PLR2004


def is_card(text: str) -> bool:
    """Tell the two forms of an insurance card's number: 15 characters or 10 digits."""
    return _CARD.fullmatch(text) is not None
