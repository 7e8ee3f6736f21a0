"""How long a referral paper is good: rules as data with validity dates, since the law moves.

A working day is Monday to Friday. Public holidays are counted as working days, since their days off are decided
year by year: the day that is shown is never later than the law's, and may be earlier.
The diseases of annex III, whose papers are good for a year, are not in the list that ships: no readable copy of the
annex was found. Such a paper is shown with the common rule until its codes are added to `referral-validity.csv`.
Source: Circular 01/2025/TT-BYT Art. 8 and annex III; Civil Code 2015 Art. 147 (the first day is not counted).
"""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import resources

_ANY = "*"
_SATURDAY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferralRule:
    """How long papers about one disease are good, of those signed in a range of days."""

    disease_code: str  # the beginning of an ICD-10 code, or `*`
    working_days: int | None
    years: int | None
    valid_from: date
    valid_until: date | None  # the first day on which it is no longer in force

    def last_day(self, signed_on: date) -> date:
        """Return the last day on which a paper is good; the calendar's last one where it would lie beyond."""
        if self.years is not None:
            return _years_after(signed_on, self.years)
        on, left = signed_on, self.working_days or 0
        while left and on < date.max:
            on += timedelta(days=1)
            left -= on.weekday() < _SATURDAY
        return on


def last_day(*, signed_on: date, disease_code: str | None) -> date:
    """Return the last day of a paper, by the most exact rule that is in force on the day of signing."""
    fitting = [
        rule
        for rule in referral_rules()
        if rule.disease_code == _ANY or (disease_code or "").startswith(rule.disease_code)
    ]
    in_force = [
        rule
        for rule in fitting
        if rule.valid_from <= signed_on and (rule.valid_until is None or signed_on < rule.valid_until)
    ]
    chosen = max(in_force or fitting, key=lambda rule: (rule.disease_code != _ANY, len(rule.disease_code)))
    return chosen.last_day(signed_on)


@cache
def referral_rules() -> tuple[ReferralRule, ...]:
    """Return the rules that ship."""
    source = resources.files(__package__) / "referral-validity.csv"
    return tuple(
        ReferralRule(
            disease_code=row["disease_code"],
            working_days=int(row["working_days"]) if row["working_days"] else None,
            years=int(row["years"]) if row["years"] else None,
            valid_from=date.fromisoformat(row["valid_from"]),
            valid_until=date.fromisoformat(row["valid_until"]) if row["valid_until"] else None,
        )
        for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines())
    )


def _years_after(on: date, years: int) -> date:
    if on.year + years > date.max.year:
        return date.max
    try:
        return on.replace(year=on.year + years)
    except ValueError:  # 29 February
        return date(on.year + years, 2, 28)
