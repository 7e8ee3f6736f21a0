"""dev.py's face: help, usage, exit codes, and what an old Python is told."""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from devkit.commands import COMMANDS

ROOT = Path(__file__).parents[2]


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "dev.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def old_python(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(sys, "version_info", (3, 9, 6))
    return module


def which(found: str | None) -> Callable[[str], str | None]:
    return lambda name: f"/somewhere/{name}" if name == found else None


def test_help_names_every_command() -> None:
    done = dev("--help")

    assert done.returncode == 0
    assert all(f"\n  {name} " in done.stdout for name in COMMANDS)


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"sokhoe"}))
def test_each_command_has_help(command: str) -> None:
    done = dev(command, "--help")

    assert done.returncode == 0
    assert COMMANDS[command].purpose in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("run", "--nonsense"),
        ("run", "--port", "x"),
        ("run", "--port", "70000"),
        ("run", "--citizens", "0"),
        ("check", "nonsense"),
        ("lock", "more"),
        ("bench", "nonsense"),
    ],
)
def test_usage_errors_are_2(arguments: tuple[str, ...]) -> None:
    done = dev(*arguments)

    assert done.returncode == 2
    assert "usage: dev.py" in done.stderr


@pytest.mark.parametrize("option", ["--port", "--citizens"])
@pytest.mark.parametrize("value", ["x", "0", "-1", "99999", ""])
def test_a_number_that_is_none_is_told_with_its_bounds(option: str, value: str) -> None:
    done = dev("run", f"{option}={value}")

    assert done.returncode == 2
    assert f"{value} is no " in done.stderr
    assert "_" not in done.stderr.splitlines()[-1]


def test_foreign_data_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine", encoding="utf-8")

    done = dev("run", "--fresh", "--data", str(tmp_path))

    assert done.returncode == 1
    assert "left alone" in done.stderr
    assert (tmp_path / "letter.txt").exists()


def test_old_python_hands_over_to_a_newer_one(old_python: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, list[str]]] = []

    def note(program: str, arguments: list[str]) -> None:
        calls.append((program, arguments))
        raise SystemExit(0)

    monkeypatch.setattr(shutil, "which", which("python3.12"))
    monkeypatch.setattr(os, "execv", note)
    monkeypatch.setattr(sys, "argv", ["dev.py", "run", "--fresh"])

    with pytest.raises(SystemExit):
        old_python.main()

    assert calls == [("/somewhere/python3.12", ["/somewhere/python3.12", "dev.py", "run", "--fresh"])]


def test_old_python_alone_is_told_what_to_do(
    old_python: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", which(None))

    assert old_python.main() == 1
    said = capsys.readouterr().err
    assert "needs Python 3.11 or newer" in said
    assert "is Python 3.9" in said


def test_ci_runs_everything() -> None:
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    assert script.read_text(encoding="utf-8").endswith("exec python3 dev.py test\n")
