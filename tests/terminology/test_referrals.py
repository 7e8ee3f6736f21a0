"""How long a referral is good: a rule with dates, and what a fuller list would say."""

from datetime import date

import pytest

from app.terminology.referrals import ReferralRule, last_day, referral_rules


def test_ten_working_days_after_the_day_of_signing() -> None:
    assert last_day(signed_on=date(2026, 11, 20), disease_code="J02.9") == date(2026, 12, 4)
    assert last_day(signed_on=date(2026, 11, 20), disease_code=None) == date(2026, 12, 4)


def test_public_holidays_are_counted_so_that_a_paper_is_never_shown_as_good_for_too_long() -> None:
    assert last_day(signed_on=date(2026, 12, 24), disease_code=None) == date(2027, 1, 7)  # 1 January is not left out


def test_a_paper_of_before_the_first_rule_follows_it() -> None:
    assert last_day(signed_on=date(2020, 1, 6), disease_code=None) == date(2020, 1, 20)


def test_a_year_of_a_leap_day() -> None:
    rule = ReferralRule(disease_code="C", working_days=None, years=1, valid_from=date(2025, 1, 1), valid_until=None)

    assert rule.last_day(date(2028, 2, 29)) == date(2029, 2, 28)
    assert rule.last_day(date(2026, 3, 1)) == date(2027, 3, 1)


@pytest.mark.parametrize(("working_days", "years"), [(10, None), (None, 1)])
def test_no_paper_is_good_for_longer_than_the_calendar(working_days: int | None, years: int | None) -> None:
    rule = ReferralRule(
        disease_code="*", working_days=working_days, years=years, valid_from=date(2025, 1, 1), valid_until=None
    )

    assert rule.last_day(date(9999, 12, 30)) == date.max


def test_what_ships_is_the_common_rule_alone() -> None:
    assert [(rule.disease_code, rule.working_days) for rule in referral_rules()] == [("*", 10)]
