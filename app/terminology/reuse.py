"""How long an earlier test may stand in for a new one: `reuse-rules.csv`, dated rows of rules that are a draft.

`sure_hours` is the shortest validity that the draft names for a group of tests, `longest_hours` the longest; a test of
which it names one number alone has both equal. In between the doctor decides. Validity runs from the sample. The press
gives groups and four tests, not the list of techniques: which test is of which group is ours.
"""

import csv
from importlib import resources
from typing import Any


def reuse_rules() -> tuple[dict[str, Any], ...]:
    """Return the rows that ship, as the columns of `code.reuse_rule`."""
    source = resources.files(__package__) / "reuse-rules.csv"
    return tuple(_row(row) for row in csv.DictReader(source.read_text(encoding="utf-8").splitlines()))


def _row(row: dict[str, str]) -> dict[str, Any]:
    return {
        **{key: value or None for key, value in row.items()},
        "sure_hours": int(row["sure_hours"]),
        "longest_hours": int(row["longest_hours"]),
        "positives_only": row["positives_only"] == "true",
    }
