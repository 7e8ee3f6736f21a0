"""XML3: the technical services and supplies of a visit."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.lines import Line
from app.ingestion.verdict import Effect
from app.records.arrivals import ServiceArrival, TestCategory

_CATEGORIES: Final = {
    "1": TestCategory.LABORATORY,
    "2": TestCategory.IMAGING,
    "3": TestCategory.FUNCTIONAL,
}
_COST_GROUP: Final = Text("một hoặc hai chữ số", "one or two digits")


@dataclass(frozen=True, slots=True)
class Performed:
    """What XML3 says of a service that XML4 has results of."""

    name: str
    category: TestCategory


def services(lines: Iterable[Line]) -> tuple[ServiceArrival, ...]:
    """Read the lines in their order. A line with MA_VAT_TU or TEN_VAT_TU is a supply, used in MA_DICH_VU.

    Source: Decision 4750/QD-BYT, table 3.
    """
    return tuple(_service(line) for line in lines)


def by_code(lines: Iterable[Line]) -> dict[str, Performed]:
    """Return name and kind of each service by its code; a paraclinical line stands before another."""
    found: dict[str, Performed] = {}
    for line in lines:
        code = line.text("MA_DICH_VU")
        if code is None or _is_supply(line):
            continue
        category = _CATEGORIES.get(line.needed("MA_NHOM").lstrip("0"), TestCategory.OTHER)
        if code not in found or found[code].category is TestCategory.OTHER:
            found[code] = Performed(line.text("TEN_DICH_VU") or "", category)
    return found


def _is_supply(line: Line) -> bool:
    return bool(line.text("MA_VAT_TU") or line.text("TEN_VAT_TU"))


def _service(line: Line) -> ServiceArrival:
    supply = _is_supply(line)
    name = line.text("TEN_VAT_TU") or line.text("TEN_DICH_VU") or ""
    if not name:
        line.remark(ProblemCode.SERVICE_NAME_MISSING, Effect.REJECTS, "TEN_DICH_VU")
    return ServiceArrival(
        line=line.number,
        group_code=line.code("MA_NHOM", form=values.COST_GROUP, detail=_COST_GROUP),
        code=line.text("MA_VAT_TU") if supply else line.text("MA_DICH_VU"),
        name=name,
        unit=line.needed("DON_VI_TINH"),
        quantity=line.quantity("SO_LUONG"),
        unit_price=line.price("DON_GIA_BV"),
        amount=line.money("THANH_TIEN_BV"),
        insured_amount=line.money("THANH_TIEN_BH"),
        benefit_percent=line.percent("MUC_HUONG"),
        ordered_at=line.needed_moment("NGAY_YL"),
        performed_at=line.moment("NGAY_TH_YL"),
    )
