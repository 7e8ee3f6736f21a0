"""The Python environment: made once, remade when something that it rests on has changed."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from devkit import environment
from devkit.console import Failed
from devkit.index import NotFetched
from devkit.places import ROOT


class Workshop:
    """An environment folder, two locks, and a note of what was made."""

    def __init__(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = tmp_path / ".venv"
        self.runtime, self.development = tmp_path / "requirements.lock", tmp_path / "requirements-dev.lock"
        self.runtime.write_text("a==1\n", encoding="utf-8")
        self.development.write_text("a==1\nb==1\n", encoding="utf-8")
        self.installed: list[str] = []
        monkeypatch.setattr(environment, "RUNTIME_LOCK", self.runtime)
        monkeypatch.setattr(environment, "DEVELOPMENT_LOCK", self.development)
        monkeypatch.setattr(environment, "environment_dirs", lambda: (self.folder, tmp_path / "outside"))
        monkeypatch.setattr(environment, "_install_with_uv", self._install)

    def _install(self, path: Path, lock: Path) -> None:
        assert (path / "bin" / "python").exists()
        self.installed.append(lock.name)

    def open(self, *, development: bool) -> environment.Environment:
        return environment.ready_environment(development=development)


@pytest.fixture
def workshop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    return Workshop(tmp_path, monkeypatch)


def test_what_is_told_of_making_it_stays_out_of_what_a_command_prints(
    workshop: Workshop, capsys: pytest.CaptureFixture[str]
) -> None:
    workshop.open(development=False)

    said = capsys.readouterr()
    assert said.out == ""
    assert "Python environment" in said.err


def test_second_time_installs_nothing(workshop: Workshop) -> None:
    first = workshop.open(development=False)
    second = workshop.open(development=False)

    assert first.path == second.path == workshop.folder
    assert workshop.installed == ["requirements.lock"]


def test_environment_for_developing_serves_for_running(workshop: Workshop) -> None:
    workshop.open(development=True)
    workshop.open(development=False)

    assert workshop.installed == ["requirements-dev.lock"]


def test_changed_lock_is_installed(workshop: Workshop) -> None:
    workshop.open(development=True)
    workshop.development.write_text("a==2\nb==1\n", encoding="utf-8")

    workshop.open(development=False)

    assert workshop.installed == ["requirements-dev.lock"] * 2


def test_moved_checkout_makes_it_anew(workshop: Workshop) -> None:
    workshop.open(development=False)
    stamp = workshop.folder / "sokhoe-stamp.json"
    said = json.loads(stamp.read_text(encoding="utf-8"))
    stamp.write_text(json.dumps(said | {"checkout": "/elsewhere"}), encoding="utf-8")
    (workshop.folder / "old").touch()

    workshop.open(development=False)

    assert len(workshop.installed) == 2
    assert not (workshop.folder / "old").exists()


def test_checkout_is_importable_and_has_its_program(workshop: Workshop) -> None:
    made = workshop.open(development=False)

    [path_file] = workshop.folder.glob("lib/python3*/site-packages/sokhoe.pth")
    assert path_file.read_text(encoding="utf-8").strip() == str(ROOT)
    program = made.program("sokhoe").read_text(encoding="utf-8")
    assert program.startswith("#!/bin/sh\n")
    assert str(made.python) in program


def test_read_only_checkout_puts_it_outside(workshop: Workshop, tmp_path: Path) -> None:
    workshop.folder.write_text("no folder can be here", encoding="utf-8")

    assert workshop.open(development=False).path == tmp_path / "outside"


def test_no_network_is_explained(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> Path:
        raise NotFetched(f"no answer for {path.name}")

    monkeypatch.undo()
    monkeypatch.setattr(environment, "environment_dirs", lambda: (workshop.folder, workshop.folder))
    monkeypatch.setattr(environment, "find_uv", refuse)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pip" else sys)

    with pytest.raises(Failed, match=r"no answer for \.venv(?s:.*)PIP_INDEX_URL"):
        environment.ready_environment(development=False)
