"""What a visit costs adds up, and the fund pays what the law says."""

from dataclasses import replace
from decimal import Decimal

from app.demo.costs import SMALL_VISIT, bill
from app.demo.visits import DemoVisit
from tests.demo.year import visits


def find(*, insured: bool, small: bool) -> DemoVisit:
    for visit in visits():
        costs = bill(visit)
        is_small = sum(amounts.insured for amounts in (*costs.drugs, *costs.services)) < SMALL_VISIT
        if bool(visit.benefit_percent) == insured and is_small == small and visit.facility.level != "PRIMARY":
            return visit
    raise LookupError


def test_every_line_is_paid_by_somebody() -> None:
    for visit in visits():
        for amounts in (*bill(visit).drugs, *bill(visit).services):
            assert amounts.total == amounts.by_patient + amounts.copayment + amounts.by_fund
            assert amounts.insured == amounts.copayment + amounts.by_fund


def test_the_summary_is_the_sum_of_the_lines() -> None:
    for visit in visits():
        costs = bill(visit)
        lines = (*costs.drugs, *costs.services)
        assert costs.total == sum(amounts.total for amounts in lines)
        assert costs.insured == sum(amounts.insured for amounts in lines)
        assert costs.by_fund == costs.insured - costs.copayment
        assert costs.by_patient == costs.total - costs.insured


def test_every_amount_can_be_written_with_two_decimals() -> None:
    for visit in visits():
        costs = bill(visit)
        for amount in (costs.total, costs.insured, costs.by_patient, costs.copayment, costs.by_fund):
            assert amount == amount.quantize(Decimal("0.01"))


def test_the_fund_pays_by_the_card_beyond_a_small_visit() -> None:
    visit = next(one for one in visits() if one.benefit_percent == 80 and bill(one).insured >= SMALL_VISIT)

    costs = bill(visit)

    assert costs.copayment == costs.insured / 5


def test_the_fund_pays_all_of_a_small_visit_and_of_the_station() -> None:
    assert bill(find(insured=True, small=True)).copayment == 0
    station = [one for one in visits() if one.facility.level == "PRIMARY" and one.benefit_percent]
    assert station
    assert all(bill(one).copayment == 0 for one in station)


def test_without_insurance_the_patient_pays_all() -> None:
    costs = bill(find(insured=False, small=True))

    assert costs.by_patient == costs.total > 0
    assert costs.insured == costs.by_fund == 0


def test_a_drug_outside_the_list_is_the_patients() -> None:
    visit = next(one for one in visits() if one.benefit_percent and any(not d.drug.is_covered for d in one.drugs))

    outside = [a for line, a in zip(visit.drugs, bill(visit).drugs, strict=True) if not line.drug.is_covered]

    assert all(amounts.by_patient == amounts.total > 0 for amounts in outside)
    assert bill(replace(visit, drugs=())).by_patient == 0


def test_supplies_are_counted_apart() -> None:
    visit = next(one for one in visits() if any(line.service.group == "10" for line in one.services))

    supplies = sum(line.service.price * line.quantity for line in visit.services if line.service.group == "10")

    assert bill(visit).supplies_total == supplies > 0
