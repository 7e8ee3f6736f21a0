"""Vital signs in the text of a note: M pulse, T temperature, HA blood pressure, NT breathing, SP oxygen.

The text is written by hand, so nothing is guessed: a sign is taken only where its letters, a number and a
possible size stand together, and left out where a note tells it twice differently.
Source: Decision 4750/QD-BYT, XML5 DIEN_BIEN_LS.
"""

import re
from decimal import Decimal
from typing import Final

from app.records.papers import VitalSignsArrival

_GAP: Final = r"\s{0,3}(?::|=)?\s{0,3}"
_START: Final = r"(?<![^\W\d_])"  # no letter before
_ALONE: Final = r"(?!\s?[/–-]\s?[0-9])"  # no range, no ratio
_WHOLE: Final = r"(?P<value>[0-9]{1,3})(?![0-9.,]*[0-9])" + _ALONE
_PART: Final = r"(?P<value>[0-9]{2,3}(?:[.,][0-9]{1,2})?)(?![0-9])" + _ALONE

_PULSE: Final = re.compile(_START + r"(?:M|[Mm]ạch)" + _GAP + _WHOLE)
_TEMPERATURE: Final = re.compile(_START + r"(?:T|[Nn]hiệt độ|t°)" + _GAP + _PART)
_PRESSURE: Final = re.compile(
    _START + r"(?:HA|[Hh]uyết áp)" + _GAP + r"(?P<systolic>[0-9]{2,3})\s?/\s?(?P<diastolic>[0-9]{2,3})(?![0-9/])"
)
_BREATHING: Final = re.compile(_START + r"(?:NT|[Nn]hịp thở)" + _GAP + _WHOLE)
_OXYGEN: Final = re.compile(_START + r"(?:SP|SpO2|SPO2|SpO₂)" + _GAP + _PART)

_POSSIBLE: Final = {
    "pulse": (20, 300),
    "temperature": (30, 45),
    "systolic": (40, 300),
    "diastolic": (20, 200),
    "breathing": (4, 120),
    "oxygen": (30, 100),
}


def vital_signs(note: str) -> VitalSignsArrival | None:
    """Read the vital signs of a note; None where it tells none."""
    systolic, diastolic = _pressure(note)
    found = VitalSignsArrival(
        pulse_per_minute=_whole(_only(_PULSE, note, sign="pulse")),
        temperature_celsius=_only(_TEMPERATURE, note, sign="temperature"),
        systolic_mmhg=systolic,
        diastolic_mmhg=diastolic,
        breaths_per_minute=_whole(_only(_BREATHING, note, sign="breathing")),
        oxygen_saturation_percent=_only(_OXYGEN, note, sign="oxygen"),
    )
    told = (found.pulse_per_minute, found.temperature_celsius, systolic, found.breaths_per_minute)
    return found if (*told, found.oxygen_saturation_percent) != (None,) * 5 else None


def _only(pattern: re.Pattern[str], note: str, *, sign: str) -> Decimal | None:
    low, high = _POSSIBLE[sign]
    told = {Decimal(match["value"].replace(",", ".")) for match in pattern.finditer(note)}
    possible = {value for value in told if low <= value <= high}
    return possible.pop() if len(possible) == 1 else None


def _pressure(note: str) -> tuple[int, int] | tuple[None, None]:
    pairs = {(int(match["systolic"]), int(match["diastolic"])) for match in _PRESSURE.finditer(note)}
    possible = {
        (high, low)
        for high, low in pairs
        if _within(high, sign="systolic") and _within(low, sign="diastolic") and low < high
    }
    return possible.pop() if len(possible) == 1 else (None, None)


def _within(value: int, *, sign: str) -> bool:
    low, high = _POSSIBLE[sign]
    return low <= value <= high


def _whole(value: Decimal | None) -> int | None:
    return None if value is None else int(value)
