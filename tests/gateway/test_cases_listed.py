"""Every case of the GraphQL surface and of its headers (B171 to B201, B208 to B216) is a test, or says why not."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CASES = (*range(171, 202), *range(208, 217))
ELSEWHERE = {
    213: "TLS ends before the application: the cases are the ingress's, and stand with infra.",
}
_NAME = re.compile(r"b(\d{3})(?:_to_b(\d{3}))?(?=_|\b)", re.IGNORECASE)


def numbers_in(name: str) -> set[int]:
    """Return the cases that a name tells: `b194_b195`, `b192_to_b198`."""
    found: set[int] = set()
    for first, last in _NAME.findall(name.replace("test_", " ")):
        found |= set(range(int(first), int(last or first) + 1))
    return found


@cache
def cases_in(*folders: Path) -> dict[int, list[str]]:
    """Return where each case is tested: by a function's name, or by an id of a parametrized one."""
    where: dict[int, list[str]] = {}
    for path in sorted(path for folder in folders for path in folder.glob("**/test_*.py")):
        if path.name == Path(__file__).name:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = ""
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                name = node.name
            elif isinstance(node, ast.Dict):
                keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
                name = " ".join(key for key in keys if re.match(r"b\d{3}_", key))
            for number in numbers_in(name):
                where.setdefault(number, []).append(path.name)
    return where


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_tested_or_says_why_not(case: int) -> None:
    assert (case in cases_in(TESTS / "gateway")) != (case in ELSEWHERE), ELSEWHERE.get(case, "no test has this number")


def test_a_reason_is_a_sentence() -> None:
    assert all(len(reason) > 40 and reason.endswith(".") for reason in ELSEWHERE.values())
    assert numbers_in("test_b194_b195_x") == {194, 195}
    assert numbers_in("b192_to_b194_y b200_z") == {192, 193, 194, 200}
