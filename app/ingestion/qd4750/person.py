"""XML1: whom a visit is about."""

from datetime import date, datetime
from itertools import zip_longest
from typing import Final

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.lines import NO_MOMENT, Line
from app.ingestion.qd4750.values import LONGEST_IDENTIFIER, Birth
from app.ingestion.verdict import Effect
from app.records.arrivals import BirthPrecision, IdentifierKind, InsuranceCardArrival, PersonArrival, Sex

NEWBORN_DAYS: Final = 28
_VIET_NAM: Final = "000"  # Circular 07/2016/TT-BCA, annex 2

_SEXES: Final = {"1": Sex.MALE, "2": Sex.FEMALE, "3": Sex.UNDETERMINED}
_SEX: Final = Text("1 (nam), 2 (nữ) hoặc 3 (chưa xác định)", "1 (male), 2 (female) or 3 (undetermined)")
_FACILITY: Final = Text("5 ký tự gồm chữ số và chữ cái in hoa", "5 characters, digits and capital letters")
_UNKNOWN_BIRTH: Final = Birth(on=date(1, 1, 1), precision=BirthPrecision.YEAR, at=None, day_lost=False)


def person(line: Line, *, started_at: datetime) -> PersonArrival:
    """Read the person, and ask for a quarantine where nothing tells who it is.

    Source: Decision 4750/QD-BYT, table 1, fields 3 to 20.
    """
    birth = _birth(line)
    newborn = _is_newborn(birth, started_at=started_at)
    if newborn and birth.precision is BirthPrecision.DAY:
        line.remark(ProblemCode.NEWBORN_TIME_MISSING, Effect.WARNS, "NGAY_SINH")
    if values.is_garbled(line.needed("HO_TEN")):
        line.remark(ProblemCode.NAME_GARBLED, Effect.QUARANTINES, "HO_TEN")
    cards = _cards(line)
    number, kind = _identifier(line, is_known_otherwise=newborn or bool(cards))
    if not (newborn or line.text("SO_CCCD") or cards):
        line.remark(ProblemCode.IDENTIFIER_NONE, Effect.QUARANTINES, "SO_CCCD")
    return PersonArrival(
        full_name=line.needed("HO_TEN"),
        birth_on=birth.on,
        birth_precision=birth.precision,
        born_at=birth.at,
        sex=_sex(line),
        identifier=number,
        identifier_kind=kind,
        patient_number=line.needed("MA_BN"),
        insurance_cards=cards,
        phone=line.text("DIEN_THOAI"),
        address=line.text("DIA_CHI"),
        ethnic_code=line.text("MA_DANTOC"),
        nationality_code=line.text("MA_QUOCTICH"),
        occupation_code=line.text("MA_NGHE_NGHIEP"),
        blood_group=line.text("NHOM_MAU"),
    )


def _birth(line: Line) -> Birth:
    text = line.text("NGAY_SINH")
    if text is None:
        return _UNKNOWN_BIRTH
    birth = values.birth(text)
    if birth is None:
        line.remark(ProblemCode.BIRTH_MALFORMED, Effect.REJECTS, "NGAY_SINH")
        return _UNKNOWN_BIRTH
    if birth.day_lost:
        line.remark(ProblemCode.BIRTH_PARTIAL, Effect.WARNS, "NGAY_SINH")
    return birth


def _is_newborn(birth: Birth, *, started_at: datetime) -> bool:
    if birth.precision is BirthPrecision.YEAR or started_at == NO_MOMENT:
        return False
    return 0 <= (values.local_day(started_at) - birth.on).days <= NEWBORN_DAYS


def _sex(line: Line) -> Sex:
    text = line.text("GIOI_TINH")
    if text and text not in _SEXES:
        line.remark(ProblemCode.CODE_MALFORMED, Effect.REJECTS, "GIOI_TINH", detail=_SEX)
    return _SEXES.get(text or "", Sex.UNDETERMINED)


def _identifier(line: Line, *, is_known_otherwise: bool) -> tuple[str, IdentifierKind] | tuple[None, None]:
    """Read the document's number. What is none would name a book that its person never reaches: it names nobody."""
    text = line.text("SO_CCCD")
    if text is None:
        return None, None
    read = values.identifier(text)
    if read is None:
        line.remark(ProblemCode.IDENTIFIER_MALFORMED, Effect.REJECTS, "SO_CCCD", limit=LONGEST_IDENTIFIER)
        return None, None
    if values.is_filler(read[0]):
        line.remark(ProblemCode.IDENTIFIER_PLACEHOLDER, Effect.QUARANTINES, "SO_CCCD")
        return None, None
    if values.is_odd_number(read[0]):
        is_of_viet_nam = line.text("MA_QUOCTICH") in (None, _VIET_NAM)  # elsewhere passports are digits alone
        waits = is_of_viet_nam and not is_known_otherwise
        line.remark(ProblemCode.IDENTIFIER_UNUSUAL, Effect.QUARANTINES if waits else Effect.WARNS, "SO_CCCD")
        return (None, None) if is_of_viet_nam else read
    return read


def _cards(line: Line) -> tuple[InsuranceCardArrival, ...]:
    """Read the cards with what stands beside them; a card that is none is passed over with a warning."""
    numbers = values.parallel(line.text("MA_THE_BHYT"))
    beside = [_beside(line, field=field, count=len(numbers)) for field in ("MA_DKBD", "GT_THE_TU", "GT_THE_DEN")]
    exempt_from, five_years_on = line.day("NGAY_MIEN_CCT"), line.day("NAM_NAM_LIEN_TUC")
    cards = []
    for sent, facility, valid_from, valid_until in zip_longest(numbers, *beside):
        if not sent:
            continue
        number = values.card_number(sent)
        if not values.is_card(number):
            line.remark(ProblemCode.CARD_MALFORMED, Effect.WARNS, "MA_THE_BHYT")
            continue
        cards.append(
            InsuranceCardArrival(
                number=number,
                registered_facility_code=_card_facility(line, facility),
                valid_from=_card_day(line, valid_from, field="GT_THE_TU"),
                valid_until=_card_day(line, valid_until, field="GT_THE_DEN"),
                benefit_code=values.benefit_code(number),
                exempt_from=exempt_from,
                five_years_on=five_years_on,
            )
        )
    return tuple(cards)


def _beside(line: Line, *, field: str, count: int) -> list[str]:
    text = line.text(field) or ""
    parts = values.parallel(text)
    if parts and not len(parts) <= count <= text.count(";") + 1:  # what ends with `;` may mean an empty place, or none
        line.remark(ProblemCode.CARD_LISTS_DIFFER, Effect.WARNS, field)
    return parts[:count]


def _card_facility(line: Line, text: str | None) -> str | None:
    if not text or values.FACILITY.fullmatch(text):
        return text or None
    line.remark(ProblemCode.CODE_MALFORMED, Effect.WARNS, "MA_DKBD", detail=_FACILITY)
    return None


def _card_day(line: Line, text: str | None, *, field: str) -> date | None:
    if not text:
        return None
    found = values.day(text)
    if found is None:
        line.remark(ProblemCode.DAY_MALFORMED, Effect.WARNS, field)
    return found
