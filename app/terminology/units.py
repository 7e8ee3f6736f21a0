"""Units of tests and the exact conversions between them: `test-units.csv`.

A code of a test (a laboratory's abbreviation, a national code or LOINC) and a unit lead to an analyte, the unit that
it is shown in, and how to get there. Only scale, molar mass and the NGSP-IFCC equation count as exact: `basis` tells.
"""

import csv
from importlib import resources


def test_units() -> tuple[dict[str, str], ...]:
    """Return the rows that ship, as the columns of `code.test_unit`."""
    source = resources.files(__package__) / "test-units.csv"
    return tuple(csv.DictReader(source.read_text(encoding="utf-8").splitlines()))
