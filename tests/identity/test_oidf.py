"""The OpenID Foundation's tests of clients, by name: oidf.csv says for each where it stands here, or why it does not.

The names are those of the conformance suite of 2026-08-20: the basic relying party, its logout profile, and the final
FAPI 2.0 security profile.
"""

import csv
import hashlib
from pathlib import Path

import pytest

HERE = Path(__file__).parent
NAMES_DIGEST = "a03f7c90389f8d60bea8b4636a8d2f21e3e03f8e8f9796d62302ba5da882c0e5"
"""SHA-256 of the names, one a line, in the suite's order: a row cannot get lost."""

with (HERE / "oidf.csv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file))


def test_every_name_of_the_suite_has_its_row() -> None:
    names = "\n".join(row["name"] for row in ROWS)

    assert len(ROWS) == 62
    assert hashlib.sha256(names.encode()).hexdigest() == NAMES_DIGEST


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_row_names_a_test_that_is_there_or_a_reason(row: dict[str, str]) -> None:
    assert bool(row["test"]) != bool(row["reason"])
    if row["test"]:
        file, _, rest = row["test"].partition("::")
        function, _, case = rest.partition("[")
        text = (HERE / file).read_text(encoding="utf-8")
        assert f"def {function}(" in text
        assert f'"{case.removesuffix("]")}"' in text or not case
