"""The service door: help, exit codes (0 done, 1 refused or failed, 2 usage), JSON, and what a person is told."""

import os
import re
import socket
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import typer

from app import cli
from tests.commands.running import GOLDEN, GOOD, Sokhoe, bilingual, run

NOUNS = ("audit", "citizen", "family", "facility", "practitioners", "schedules", "quarantine", "demo", "codes", "keys")
VERBS = ("serve", "worker", "sealer", "migrate", "schema", "send", "check", "queue", "replay")
PROMISED = {
    *((verb,) for verb in VERBS),
    *(("facility", verb) for verb in ("add", "rotate-key", "suspend", "list", "change", "changes", "undo-change")),
    *(("audit", verb) for verb in ("verify", "questions", "answer")),
    ("practitioners", "import"),
    *(("citizen", verb) for verb in ("close", "reopen", "drop-factor", "reissue")),
    *(("family", verb) for verb in ("register", "claims", "approve", "refuse")),
    *(("quarantine", verb) for verb in ("list", "show")),
    *(("demo", verb) for verb in ("load", "token", "totp", "welcome")),
    *(("codes", verb) for verb in ("load", "list")),
    ("keys", "rotate"),
    ("restored",),
}
TOP: Any = typer.main.get_command(cli.app)
COMMANDS = [
    path
    for name, one in TOP.commands.items()
    for path in ((name,), *((name, below) for below in getattr(one, "commands", {})))
]


# ---- help


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_every_option_is_explained(sokhoe: Sokhoe, command: tuple[str, ...]) -> None:
    said = sokhoe(*command, "--help")

    assert f"sokhoe {' '.join(command)}" in said
    known = TOP
    for name in command:
        known = known.commands[name]
    assert known.help
    assert [one.name for one in known.params if not getattr(one, "help", None)] == []
    assert hasattr(known, "commands") or any("--json" in one.opts for one in known.params)


def test_no_promised_command_is_gone() -> None:
    assert set(COMMANDS) >= PROMISED


@pytest.mark.parametrize("arguments", [("--help",), ("codes", "--help")], ids=" ".join)
def test_the_program_itself_has_help(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)

    assert done.returncode == 0, done.stderr
    if arguments == ("--help",):
        assert all(re.search(rf"(?m)^\W*{name}\b", done.stdout) for name in (*NOUNS, *VERBS)), done.stdout


# ---- 2: usage


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("facility", "nonsense"),
        ("serve", "--port", "0"),
        ("serve", "--port", "x"),
        ("facility", "add"),
        ("facility", "add", "01901", "--name", "x", "--level", "HIGH"),
        ("facility", "add", "01901", "--name", "x", "--key", "a", "--make-key", "b"),
        ("facility", "rotate-key", "01901"),
        ("facility", "change", "01901", "--begins", "1/2/2026"),
        ("facility", "undo-change", "x"),
        ("send",),
        ("check", "nowhere.xml"),
        ("check", str(GOLDEN)),
        ("replay", "no-id"),
        ("quarantine", "show", "no-id"),
        ("quarantine", "list", "--status", "filed"),
        ("codes", "load", GOOD, "--system", "nonsense"),
        ("demo", "load", "--citizens", "1"),
        ("queue", "--nonsense"),
    ],
    ids=" ".join,
)
def test_usage_is_2(sokhoe: Sokhoe, arguments: tuple[str, ...]) -> None:
    assert "Usage: sokhoe" in sokhoe(*arguments, code=2)


def test_usage_of_the_program_itself_is_2() -> None:
    assert run("nonsense").returncode == 2


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    "who", ["nobody", "citizen", "doctor:0", "doctor", "citizen:0", "citizen:x", "citizen:-1", "facility:"]
)
def test_a_person_that_is_none_is_usage(sokhoe: Sokhoe, who: str) -> None:
    sokhoe("demo", "token", "--as", who, code=2)


# ---- 1: refused or failed, in both languages


@pytest.mark.parametrize(
    "arguments",
    [("facility", "list"), ("queue",), ("migrate",), ("serve",), ("worker",), ("demo", "welcome"), ("keys", "rotate")],
    ids=" ".join,
)
def test_missing_settings_are_named_with_what_to_do(sokhoe: Sokhoe, arguments: tuple[str, ...]) -> None:
    said = sokhoe(*arguments, code=1)

    bilingual(said)
    assert "SOKHOE_DATABASE_URL, SOKHOE_SECRETS_DIR" in said
    assert said.count("python3 dev.py run") == 2


def test_a_wrong_setting_is_named_without_its_value(sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOKHOE_DATABASE_URL", "postgresql://somebody:geheim@127.0.0.1/sokhoe")
    monkeypatch.setenv("SOKHOE_SECRETS_DIR", "/nowhere")

    said = sokhoe("facility", "list", code=1)

    bilingual(said)
    assert "SOKHOE_DATABASE_URL" in said
    assert "geheim" not in said


def test_a_missing_secret_is_named(sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SOKHOE_DATABASE_URL", "postgresql://127.0.0.1:1/sokhoe")
    monkeypatch.setenv("SOKHOE_SECRETS_DIR", str(tmp_path))

    for arguments, file in ((("facility", "list"), "migrator.password"), (("keys", "rotate"), "sealing.keys")):
        said = sokhoe(*arguments, code=1)
        bilingual(said)
        assert file in said


def test_a_database_that_does_not_answer_is_told(
    sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "migrator.password").write_text("x", encoding="ascii")
    monkeypatch.setenv("SOKHOE_DATABASE_URL", "postgresql://127.0.0.1:1/sokhoe")
    monkeypatch.setenv("SOKHOE_SECRETS_DIR", str(tmp_path))

    bilingual(sokhoe("facility", "list", code=1))


@pytest.mark.usefixtures("installed")
def test_demo_commands_run_in_demo_mode_only(sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOKHOE_DEMO", "false")

    for arguments in (("demo", "token", "--as", "citizen:1"), ("demo", "load")):
        said = sokhoe(*arguments, code=1)
        bilingual(said)
        assert said.count("SOKHOE_DEMO=true") == 2


def test_a_key_that_cannot_be_read_is_told(sokhoe: Sokhoe, tmp_path: Path) -> None:
    for arguments in (
        ("send", GOOD, "--url", "http://127.0.0.1:1", "--key", str(tmp_path / "none.jwk")),
        ("facility", "add", "01901", "--name", "x", "--key", str(tmp_path / "none.jwk")),
        ("facility", "add", "01901", "--name", "x", "--key", GOOD),
    ):
        bilingual(sokhoe(*arguments, code=1))


@pytest.mark.usefixtures("installed")
def test_what_a_database_refuses_is_told(sokhoe: Sokhoe) -> None:
    for arguments in (
        ("facility", "add", "1", "--name", "x"),
        ("facility", "suspend", "09999"),
        ("facility", "rotate-key", "09999", "--make-key", os.environ["SOKHOE_DATA"] + ".jwk"),
        ("replay", str(UUID(int=1))),
        ("quarantine", "show", str(UUID(int=1))),
        ("demo", "token", "--as", "citizen:1"),
    ):
        bilingual(sokhoe(*arguments, code=1))


@pytest.mark.usefixtures("installed")
def test_why_a_command_failed_is_told_as_json_too(sokhoe: Sokhoe) -> None:
    for arguments in (("facility", "suspend", "09999"), ("replay", str(UUID(int=1)))):
        said = sokhoe.json(*arguments, code=1)
        assert said["status"] == "failed"
        bilingual(f"{said['vi']}\n{said['en']}")


@pytest.mark.usefixtures("installed")
def test_a_key_file_is_never_overwritten_and_does_not_stay_when_nothing_was_registered(
    sokhoe: Sokhoe, tmp_path: Path
) -> None:
    kept, made, nowhere = tmp_path / "kept.jwk", tmp_path / "made.jwk", tmp_path / "no" / "made.jwk"
    kept.write_text("kept", encoding="ascii")

    for arguments in (("add", "01990", "--name", "x"), ("rotate-key", "01990")):
        for file in (kept, nowhere):
            said = sokhoe("facility", *arguments, "--make-key", str(file), code=1)
            bilingual(said)
            assert said.count(str(file)) == 2
    for refused in (("add", "9", "--name", "x"), ("rotate-key", "09999")):
        sokhoe("facility", *refused, "--make-key", str(made), code=1)

    assert kept.read_text(encoding="ascii") == "kept"
    assert not made.exists()


@pytest.mark.usefixtures("installed")
def test_a_port_in_use_is_told(sokhoe: Sokhoe) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = sokhoe("serve", "--port", str(port), code=1)
        told = sokhoe.json("serve", "--port", str(port), code=1)

    bilingual(said)
    assert said.count(f"{port} ") == 2
    assert str(port) in told["en"]
