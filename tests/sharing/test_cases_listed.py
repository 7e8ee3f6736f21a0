"""Every case of the design that is about sharing has a test that bears its number."""

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMES = " ".join(
    name
    for file in TESTS.rglob("test_*.py")
    for name in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))
)
CASES = [*range(91, 111), *range(131, 146)]


@pytest.mark.parametrize("case", CASES)
def test_a_test_bears_the_number(case: int) -> None:
    assert re.search(rf"_b{case}(?!\d)", NAMES), f"no test is named after B{case}"
