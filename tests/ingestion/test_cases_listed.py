"""Every case of the hospitals' door (B146 to B166, B169, B170) is a test, or says why not."""

import pytest

from tests.gateway.test_cases_listed import TESTS, cases_in

FOLDERS = ("ingestion", "records", "identity", "core")
CASES = (*range(146, 167), 169, 170)
ELSEWHERE: dict[int, str] = {}


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_tested_or_says_why_not(case: int) -> None:
    told = cases_in(*(TESTS / folder for folder in FOLDERS))
    assert (case in told) != (case in ELSEWHERE), ELSEWHERE.get(case, "no test has this number")


def test_a_reason_is_a_sentence() -> None:
    assert all(len(reason) > 40 and reason.endswith(".") for reason in ELSEWHERE.values())
