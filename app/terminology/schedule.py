"""The national schedule of vaccinations for children, as dated rows: `vaccine-schedule.csv`.

A row is in force for the children whose due day falls in its dates: a vaccine that came later is not asked of those who
were older then. `due_days` is the recommended age, `late_days` the age from which a dose counts as late (within the
month or the period that the text names; a month where it names none), `closes_days` the age from which it is no longer
given. Doses count from `counts_from_days` on, so that a birth dose is not the first of the five-in-one.
Source: Circulars 38/2017, 10/2024, 52/2025 and 13/2026/TT-BYT; how sure each row is stands in `certainty`.
"""

import csv
from importlib import resources
from typing import Any

NUMBERS = (
    "dose",
    "due_days",
    "late_days",
    "closes_days",
    "counts_from_days",
    "counts_until_days",
    "min_interval_days",
)


def scheduled_doses() -> tuple[dict[str, Any], ...]:
    """Return the rows that ship, as the columns of `code.scheduled_dose`."""
    source = resources.files(__package__) / "vaccine-schedule.csv"
    return tuple(_row(row) for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines()))


def _row(row: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {key: value or None for key, value in row.items()}
    numbers = {key: int(row[key]) if row[key] else None for key in NUMBERS}
    return {**told, **numbers, "antigens": row["antigens"].split(";")}
