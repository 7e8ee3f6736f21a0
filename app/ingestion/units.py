"""Units of results: the ways in which laboratories write them, and what is odd about one."""

import re
from functools import cache
from typing import Final

from app.core.errors import Text
from app.terminology.codes import read_codes

NO_UNIT: Final = Text("kết quả là số nhưng không có đơn vị.", "the result is a number without a unit.")
UNKNOWN_UNIT: Final = Text(
    "không phải đơn vị mà phòng xét nghiệm thường ghi: kết quả hiển thị như đã gửi, không vẽ được xu hướng.",
    "no unit that laboratories usually write: the result is shown as sent and stands in no trend.",
)
OTHER_UNIT: Final = Text(
    "khác đại lượng với đơn vị thường dùng của chỉ số này ({unit}).",
    "of another quantity than the usual unit of this index ({unit}).",
)
_ANNOTATION: Final = re.compile(r"\{[^{}]{0,40}\}")
_OF_THE_BODY: Final = frozenset({"mmhg", "mm[hg]", "cm", "kg", "kg/m2", "cel", "°c", "/min", "bpm", "beats/minute"})
_WITHOUT: Final = frozenset({"pH", "INR", "U-pH", "U-SG", "eGFR"})
_SAME: Final[dict[str, str]] = {
    "10^9/l": "g/l.",
    "x10^9/l": "g/l.",
    "k/ul": "g/l.",
    "10^3/ul": "g/l.",
    "10^12/l": "t/l",
    "x10^12/l": "t/l",
    "m/ul": "t/l",
    "10^6/ul": "t/l",
    "iu/l": "u/l",
    "ui/l": "u/l",
    "uiu/ml": "miu/l",
    "s": "giây",
    "sec": "giây",
    "giay": "giây",
    "mm/h": "mm/giờ",
    "mm/1h": "mm/giờ",
}
"""Other spellings of one unit. Counts of cells (giga) and grams share `G/L` and `g/L`: the capital letter tells."""
_CONVERTIBLE: Final = (
    frozenset({"mmol/l", "mg/dl", "g/l", "umol/l", "mg/l", "g/dl"}),
    frozenset({"ng/ml", "pg/ml", "ug/l", "ng/l", "nmol/l", "pmol/l", "ng/dl", "ug/dl"}),
    frozenset({"iu/ml", "miu/ml", "miu/l", "u/ml", "mu/l", "iu/l", "u/l", "ukat/l"}),
    frozenset({"g.", "g/l.", "t/l", "/ul"}),
    frozenset({"%", "mmol/mol", "l/l"}),
    frozenset({"giây", "%", "tỷ số"}),
    frozenset({"mg/l", "ug/ml", "ng/ml", "mg/dl"}),
    frozenset({"mg/mmol", "mg/g"}),
)
"""Units in which one and the same index is written."""


def odd_unit(unit: str | None, *, code: str | None, is_number: bool) -> Text | None:
    """Tell what is odd about the unit of a result, or nothing."""
    usual = _usual().get(code or "")
    if unit is None:
        needs = is_number and code not in _WITHOUT and (code is None or usual is not None or code not in _codes())
        return NO_UNIT if needs else None
    written = _plain(unit)
    if written not in _known():
        return UNKNOWN_UNIT
    if usual is None or written == _plain(usual) or any({written, _plain(usual)} <= same for same in _CONVERTIBLE):
        return None
    return Text(OTHER_UNIT.vi.format(unit=usual), OTHER_UNIT.en.format(unit=usual))


def _plain(unit: str) -> str:
    """Return a unit as its spellings have it in common."""
    text = "".join(unit.replace("µ", "u").replace("μ", "u").split())
    text = _ANNOTATION.sub("", text).replace("[iU]", "iU").replace("10*", "10^").rstrip("/")  # as UCUM writes them
    plain = "g/l." if text in {"G/L", "G/l"} else text.lower()
    return _SAME.get(plain, plain)


@cache
def _usual() -> dict[str, str]:
    return {entry.code: entry.unit for entry in read_codes("test-index") if entry.unit}


@cache
def _codes() -> frozenset[str]:
    return frozenset(entry.code for entry in read_codes("test-index"))


@cache
def _known() -> frozenset[str]:
    listed = {_plain(unit) for unit in _usual().values()}
    others = {"breaths/minute", "mosm/kg", "mg/24h", "ml/phút", "ml/min"}
    return frozenset(listed.union(_SAME.values(), *_CONVERTIBLE, _OF_THE_BODY, others))
