"""The rules of the house that no import graph sees."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
APP = ROOT / "app"
MOST_FILE_LINES = 450
MOST_FUNCTION_LINES = 60
MOST_SQL_LINES = 60
DRAWERS = {"service", "services", "repository", "manager", "utils", "helpers", "common", "base", "misc"}
CLOCK_AND_CHANCE = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("date", "today"),
    ("time", "time"),
    ("os", "environ"),
    ("os", "getenv"),
    ("os", "urandom"),
    ("uuid", "uuid4"),
    ("secrets", "token_urlsafe"),
    ("secrets", "token_bytes"),
    ("random", "random"),
}
DOORS = ("core/", "commands/", "main.py", "worker.py", "cli.py")

FILES = sorted(APP.rglob("*.py"))
BESIDE = sorted(path for folder in ("bench", "infra", "tests") for path in (ROOT / folder).rglob("*.py"))
"""Of the same length and names as the application; migrations that have run are never edited."""


def ids(path: Path) -> str:
    return path.relative_to(APP if path.is_relative_to(APP) else ROOT).as_posix()


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", [*FILES, *BESIDE], ids=ids)
def test_a_file_keeps_the_rules(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    where = ids(path)

    assert len(text.splitlines()) <= MOST_FILE_LINES, f"{where} is too long: split it by meaning"
    for function in functions(tree):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        assert lines <= MOST_FUNCTION_LINES, f"{where}: {function.name} has {lines} lines"
    assert not DRAWERS & {part.removesuffix(".py") for part in Path(where).parts}, f"{where} is a drawer, not a name"


@pytest.mark.parametrize("path", [path for path in FILES if ids(path) != "core/db.py"], ids=ids)
def test_nobody_commits_but_core_db(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            assert node.func.attr not in {"commit", "rollback", "begin_nested"}, f"{ids(path)}:{node.lineno}"


@pytest.mark.parametrize("path", [path for path in FILES if not ids(path).startswith(DOORS)], ids=ids)
def test_clock_chance_and_environment_are_read_by_the_doors_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in CLOCK_AND_CHANCE, f"{ids(path)}:{node.lineno}"


def test_b105_codes_and_secrets_do_not_come_from_random() -> None:
    """`random` stands in the demo's generator alone, where a seed makes the same people again."""
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        names = {
            alias.name
            for node in (ast.walk(ast.parse(text)) if "random" in text else ())
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert "random" not in names or ids(path).startswith("demo/"), ids(path)


def test_sql_files_are_short_and_say_who_owns_what_they_make() -> None:
    files = sorted(APP.glob("*/sql/*.sql"))
    assert len(files) > 15
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= MOST_SQL_LINES, f"{path} has {len(lines)} lines"
        assert lines[0] in {
            "-- owner: auth_owner",
            "-- owner: book_owner",
            "-- owner: book_reader",
            "-- owner: book_writer",
        }, path
        assert lines[1].startswith("-- "), f"{path}: say what it is for"


def test_the_contract_folder_holds_data_only() -> None:
    """A module there would shadow graphql-core."""
    assert not list((ROOT / "graphql").rglob("*.py"))


def test_a_pyproject_contract_names_every_room() -> None:
    rooms = {path.name for path in APP.iterdir() if (path / "__init__.py").exists()}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    staircase = text.split('name = "The staircase')[1].split("[[tool.importlinter")[0]
    assert all(f'"{room}"' in staircase for room in rooms)
