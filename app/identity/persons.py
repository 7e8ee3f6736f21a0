"""From what an identity provider says of somebody to a person, by the claim map of the settings. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from app.core.providers import ClaimMap

_PERSONAL_ID: Final = re.compile(r"[0-9]{12}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MOST_NAME: Final = 255
_BIRTHS: Final = (
    re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})", re.ASCII),
    re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{2})-(?P<d>[0-9]{2})", re.ASCII),
    re.compile(r"(?P<d>[0-9]{2})/(?P<m>[0-9]{2})/(?P<y>[0-9]{4})", re.ASCII),
)
_YEAR: Final = re.compile(r"(?P<y>[0-9]{4})(?:-?00-?00)?", re.ASCII)
_UNPROVED: Final = 1


class Unclear(StrEnum):
    """Why claims name no person with a health book: for the log, and to choose the page."""

    ORGANISATION = "organisation"
    NO_PERSONAL_ID = "no_personal_id"
    NO_NAME = "no_name"
    BAD_BIRTH = "bad_birth"


class PersonUnclear(Exception):
    """The claims name no person with a health book."""

    def __init__(self, why: Unclear) -> None:
        self.why = why
        super().__init__(why.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who signs in, as the identity provider proofed them."""

    personal_id: str = field(repr=False)
    full_name: str = field(repr=False)
    birth_on: date = field(repr=False)
    birth_precision: str  # YEAR or DAY
    sex: str
    level: int


def read_person(claims: Mapping[str, object], claim_map: ClaimMap) -> Person:
    """Return the person that checked claims name.

    Sex, and without a birth claim the year of birth, are those of the personal id.

    :raises PersonUnclear: for an organisation, and when personal id, name or birth date are missing or malformed.
    Source: Decree 137/2015 Art. 13, Circular 07/2016/TT-BCA Art. 7 (the digits); Decree 69/2024 Art. 7 (the levels).
    """
    if claim_map.account_type is not None and _text(claims, claim_map.account_type) not in claim_map.person_types:
        raise PersonUnclear(Unclear.ORGANISATION)
    personal_id = _text(claims, claim_map.personal_id)
    if not _PERSONAL_ID.fullmatch(personal_id):
        raise PersonUnclear(Unclear.NO_PERSONAL_ID)
    full_name = unicodedata.normalize("NFC", " ".join(_text(claims, claim_map.full_name).split()))
    if not 0 < len(full_name) <= _MOST_NAME or _CONTROL.search(full_name):
        raise PersonUnclear(Unclear.NO_NAME)
    born = _text(claims, claim_map.birth_on) if claim_map.birth_on else ""
    birth_on, precision = _birth(born) if born else (date(_birth_year(personal_id), 1, 1), "YEAR")
    return Person(
        personal_id=personal_id,
        full_name=full_name,
        birth_on=birth_on,
        birth_precision=precision,
        sex=sex_of(personal_id),
        level=_level(claims, claim_map),
    )


def sex_of(personal_id: str) -> str:
    """Return the sex that a personal id tells. Source: Circular 07/2016/TT-BCA Art. 7."""
    return "FEMALE" if int(personal_id[3]) % 2 else "MALE"


def _level(claims: Mapping[str, object], claim_map: ClaimMap) -> int:
    said = _text(claims, claim_map.level) if claim_map.level else ""
    return claim_map.levels.get(said, _UNPROVED)


def _birth(said: str) -> tuple[date, str]:
    for form in _BIRTHS:
        match = form.fullmatch(said)
        if match is not None and match["m"] != "00":
            try:
                return date(int(match["y"]), int(match["m"]), int(match["d"])), "DAY"
            except ValueError:
                raise PersonUnclear(Unclear.BAD_BIRTH) from None
    year = _YEAR.fullmatch(said)
    if year is None or year["y"] == "0000":
        raise PersonUnclear(Unclear.BAD_BIRTH)
    return date(int(year["y"]), 1, 1), "YEAR"


def _birth_year(personal_id: str) -> int:
    return 1900 + 100 * (int(personal_id[3]) // 2) + int(personal_id[4:6])


def _text(claims: Mapping[str, object], name: str) -> str:
    """Return a claim as text; a number as its digits, for levels and types are sent as both."""
    value = claims.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
