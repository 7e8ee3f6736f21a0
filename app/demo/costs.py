"""What a visit costs and who pays, to the đồng, so that every line and the summary add up.

Source: Decision 4750/QĐ-BYT, notes on XML1, XML2 and XML3; Law on Health Insurance, Article 22.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from app.demo.catalogue import SUPPLY_GROUP
from app.demo.visits import DemoVisit, DrugLine, ServiceLine

SMALL_VISIT = Decimal(351_000)
"""Below 15 % of the base salary (2,340,000 đồng) the fund pays all within its list."""

_ZERO = Decimal(0)
_WHOLE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """One line: its price at the hospital, what insurance looks at, and the three who pay."""

    ratio_percent: int  # TYLE_TT_BH
    benefit_percent: int  # MUC_HUONG
    total: Decimal  # THANH_TIEN_BV
    insured: Decimal  # THANH_TIEN_BH
    by_patient: Decimal  # T_BNTT: outside the list
    copayment: Decimal  # T_BNCCT
    by_fund: Decimal  # T_BHTT


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """A visit's lines in the order of its tables, and their sums."""

    drugs: tuple[Amounts, ...]
    services: tuple[Amounts, ...]
    drugs_total: Decimal
    supplies_total: Decimal
    total: Decimal
    insured: Decimal
    by_patient: Decimal
    copayment: Decimal
    by_fund: Decimal


def bill(visit: DemoVisit) -> Bill:
    """Return what every line of a visit costs and the sums for XML1."""
    benefit = _benefit_percent(visit)
    drugs = tuple(_line(_drug_price(line), benefit if line.drug.is_covered else 0) for line in visit.drugs)
    services = tuple(_line(_service_price(line), benefit) for line in visit.services)
    supplies = (
        amounts for line, amounts in zip(visit.services, services, strict=True) if line.service.group == SUPPLY_GROUP
    )
    every = (*drugs, *services)
    return Bill(
        drugs=drugs,
        services=services,
        drugs_total=_sum(amounts.total for amounts in drugs),
        supplies_total=_sum(amounts.total for amounts in supplies),
        total=_sum(amounts.total for amounts in every),
        insured=_sum(amounts.insured for amounts in every),
        by_patient=_sum(amounts.by_patient for amounts in every),
        copayment=_sum(amounts.copayment for amounts in every),
        by_fund=_sum(amounts.by_fund for amounts in every),
    )


def _benefit_percent(visit: DemoVisit) -> int:
    if not visit.benefit_percent:
        return 0
    within = [_drug_price(line) for line in visit.drugs if line.drug.is_covered]
    within.extend(_service_price(line) for line in visit.services)
    is_free = visit.facility.level == "PRIMARY" or _sum(within) < SMALL_VISIT
    return _WHOLE if is_free else visit.benefit_percent


def _drug_price(line: DrugLine) -> Decimal:
    return Decimal(line.drug.price * line.quantity)


def _service_price(line: ServiceLine) -> Decimal:
    return Decimal(line.service.price * line.quantity)


def _line(price: Decimal, benefit_percent: int) -> Amounts:
    insured = price if benefit_percent else _ZERO
    by_fund = insured * benefit_percent / _WHOLE
    return Amounts(
        ratio_percent=_WHOLE if benefit_percent else 0,
        benefit_percent=benefit_percent,
        total=price,
        insured=insured,
        by_patient=price - insured,
        copayment=insured - by_fund,
        by_fund=by_fund,
    )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, start=_ZERO)
