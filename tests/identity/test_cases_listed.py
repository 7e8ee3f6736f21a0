"""Every case of proofs, factors, sessions and roles (B49 to B61, B111 to B130, B139, B140) is a test, by its number."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
CASES = (*range(49, 62), *range(111, 131), 139, 140)
_NAME = re.compile(r"(?:^|_)b(\d{2,3})(?=_)")


def told() -> dict[int, set[str]]:
    """Return the files that test each case: by a function's name, or by the id of one of its parameters."""
    where: dict[int, set[str]] = {}
    for folder in ("identity", "attacks", "gateway"):
        for path in sorted((TESTS / folder).glob("test_*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = []
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                    names.append(node.name)
                elif isinstance(node, ast.keyword) and node.arg == "id" and isinstance(node.value, ast.Constant):
                    names.append(str(node.value.value))
                for name in names:
                    for number in _NAME.findall(name):
                        where.setdefault(int(number), set()).add(path.name)
    return where


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_tested(case: int) -> None:
    assert told().get(case), "no test has this number"
