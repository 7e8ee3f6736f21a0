"""Vital signs in notes written by hand: what is clear is taken, nothing is guessed."""

from decimal import Decimal

import pytest

from app.ingestion.qd4750.vital_signs import vital_signs

Told = tuple[object, ...]


def told(note: str) -> Told | None:
    found = vital_signs(note)
    if found is None:
        return None
    return (
        found.pulse_per_minute,
        found.temperature_celsius,
        found.systolic_mmhg,
        found.diastolic_mmhg,
        found.breaths_per_minute,
        found.oxygen_saturation_percent,
    )


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        ("M: 88 l/p; T: 38,5°C; HA: 120/80 mmHg; NT: 20 l/p; SP: 98%", (88, Decimal("38.5"), 120, 80, 20, Decimal(98))),
        ("M 88 T 37 HA 120/80 NT 20 SP 98", (88, Decimal(37), 120, 80, 20, Decimal(98))),
        ("M=104,T=36.8,HA=90/60,NT=26,SP=97", (104, Decimal("36.8"), 90, 60, 26, Decimal(97))),
        ("Mạch 72 lần/phút, nhiệt độ 37°C, huyết áp 130/85, nhịp thở 18, SpO2 99%", (72, 37, 130, 85, 18, 99)),
        ("BN tỉnh. HA:160/95mmHg", (None, None, 160, 95, None, None)),
        ("M: 88 l/p lúc 8h; 10h M: 88", (88, None, None, None, None, None)),
        ("M: 88 l/p lúc 8h; 10h M: 96; T: 37", (None, Decimal(37), None, None, None, None)),  # told twice
        ("M: 880; T: 370; HA: 80/120; NT: 0; SP: 198", None),  # not possible
        ("T3 phải đau, đốt sống T12, thứ T 5, BMT 40, HAM 90, NT3", None),
        ("Điều trị ngày T2; M/C 40; tỷ lệ M 1/2", None),
        ("Không sốt, không ho", None),
        ("", None),
        ("T: 38.55 độ", (None, Decimal("38.55"), None, None, None, None)),
        ("M: 80-90 l/p, T: 37 - 38; NT 18/20", None),
    ],
)
def test_a_note(note: str, expected: Told | None) -> None:
    assert told(note) == expected


def test_a_long_note_is_read_in_time() -> None:
    assert told("M M: T T= HA 1/ " * 6_000 + "M: 70") == (70, None, None, None, None, None)
