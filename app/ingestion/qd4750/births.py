"""XML9: birth certificates tell which newborn belongs to which mother. They are kept and never shown.

The table's fields are public by name only, so it is read leniently: what cannot be read links nobody.
Source: letter 1245/BHXH-CNTT, table 9.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from app.ingestion.qd4750 import values
from app.ingestion.qd4750.content import child_text
from app.ingestion.qd4750.fields import KNOWN, SUMMARY
from app.ingestion.xml import Element
from app.records.arrivals import BirthArrival, BirthPrecision, Sex

_CERTIFICATE: Final = "DU_LIEU_GIAY_CHUNG_SINH"
_SEXES: Final = {"1": Sex.MALE, "2": Sex.FEMALE, "3": Sex.UNDETERMINED}
_LONGEST_NAME: Final = KNOWN[SUMMARY].rules["HO_TEN"].longest
_LONGEST_NUMBER: Final = 200
MOST_CHILDREN: Final = 10


def births(roots: Iterable[Element]) -> tuple[BirthArrival, ...]:
    """Read the children whose minute of birth is told, at most MOST_CHILDREN."""
    found = (_birth(element, place=place) for place, element in enumerate(_certificates(roots), start=1))
    return tuple(birth for birth in found if birth is not None)[:MOST_CHILDREN]


def _certificates(roots: Iterable[Element]) -> Iterator[Element]:
    for root in roots:
        yield from root.iter(_CERTIFICATE)


def _birth(element: Element, *, place: int) -> BirthArrival | None:
    born = values.birth(child_text(element, "NGAY_SINH_CON"))
    if born is None or born.precision is not BirthPrecision.MINUTE or born.at is None:
        return None
    number = "|".join(filter(None, (_text(element, "QUYEN_SO"), _text(element, "SO"))))
    card = values.card_number(child_text(element, "MA_THE_TAM"))
    name = _text(element, "HO_TEN_CON")
    mother = values.identifier(child_text(element, "SO_CCCD_NND")) or (None, None)
    known = mother[0] is not None and not values.is_filler(mother[0])
    return BirthArrival(
        certificate=number if 0 < len(number) <= _LONGEST_NUMBER else f"#{place}",
        child_name=None if name is None or values.is_garbled(name) else name,
        sex=_SEXES.get(child_text(element, "GIOI_TINH_CON"), Sex.UNDETERMINED),
        born_at=born.at,
        temporary_card=card if values.is_card(card) else None,
        mother_identifier=mother[0] if known else None,
        mother_identifier_kind=mother[1] if known else None,
    )


def _text(element: Element, name: str) -> str | None:
    text = values.composed(child_text(element, name))
    return text if 0 < len(text) <= _LONGEST_NAME else None
