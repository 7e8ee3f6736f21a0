"""The locks name exact files and no place."""

import re
import tomllib
from pathlib import Path

import pytest

from devkit import locks
from devkit.places import DEVELOPMENT_LOCK, ROOT, RUNTIME_LOCK

PIN = "a==1 \\\n    --hash=sha256:" + "0" * 64 + "\n"


def names_in(lock: Path) -> set[str]:
    return {found[1] for found in locks.PIN.finditer(lock.read_text(encoding="utf-8"))}


def test_locks_are_sound() -> None:
    assert locks.lock_problems() == []
    assert len(names_in(RUNTIME_LOCK)) > 30


def test_every_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["embedded"]]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=~! ]", requirement, maxsplit=1)[0] for requirement in requirements}

    assert names(runtime) <= names_in(RUNTIME_LOCK)
    assert names(project["dependency-groups"]["dev"]) <= names_in(DEVELOPMENT_LOCK)


@pytest.mark.parametrize(
    ("runtime", "development", "problem"),
    [
        ("--index-url https://mirror.example/simple\n" + PIN, PIN, "names a host"),
        ("b==2\n" + PIN, PIN, "neither a pin nor a hash"),
        (PIN, PIN.replace("a==1", "a==2"), "is 2 in"),
        (PIN, PIN.replace("a==1", "b==1"), "is missing in"),
    ],
)
def test_unsound_locks_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runtime: str, development: str, problem: str
) -> None:
    for name, text in {"RUNTIME_LOCK": runtime, "DEVELOPMENT_LOCK": development}.items():
        file = tmp_path / f"{name}.lock"
        file.write_text(text, encoding="utf-8")
        monkeypatch.setattr(locks, name, file)
    monkeypatch.setattr(locks, "BOOTSTRAP_LOCK", tmp_path / "RUNTIME_LOCK.lock")
    monkeypatch.setattr(locks, "ROOT", tmp_path)

    assert any(problem in sentence for sentence in locks.lock_problems())
