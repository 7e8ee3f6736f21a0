"""A key file that is not this database's stops whatever would use it, before anything is made with it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.settings import Settings
from tests.commands.running import Sokhoe, bilingual, run
from tests.people import Stand

USE_KEYS = [("serve",), ("worker",), ("migrate",), ("citizen", "close", "--reason", "DEATH", "--personal-id", "0" * 12)]


def key() -> str:
    return secrets.token_hex(32)


@pytest.fixture
def folder(own_secrets: Path, settings: Settings) -> Iterator[Path]:
    """Return the secrets that a test may spoil; what the database notes of them is forgotten afterwards."""
    yield own_secrets
    Stand(settings).as_owner("DELETE FROM auth.key_mark WHERE key_id <> 'k1'")


@pytest.mark.parametrize("file", ["sealing.keys", "index.keys", "mac.keys"])
@pytest.mark.parametrize("command", USE_KEYS, ids=lambda command: command[0])
def test_another_installations_keys_are_refused(folder: Path, command: tuple[str, ...], file: str) -> None:
    (folder / file).write_text(f"k1:{key()}\n", encoding="ascii")

    done = run(*command)

    assert done.returncode == 1
    bilingual(done.stderr)
    assert done.stderr.count(f"{file} k1") == 4
    assert done.stderr.count(f"sokhoe keys forget {file} k1") == 2


def test_swapped_files_are_refused(sokhoe: Sokhoe, folder: Path) -> None:
    index, sealing = folder / "index.keys", folder / "sealing.keys"
    first, second = index.read_text(), sealing.read_text()
    index.write_text(second)
    sealing.write_text(first)

    bilingual(sokhoe("serve", code=1))


@pytest.mark.parametrize("file", ["index.keys", "mac.keys"])
def test_a_key_that_cannot_change_is_not_changed_by_a_line_before_it(sokhoe: Sokhoe, folder: Path, file: str) -> None:
    path = folder / file
    path.write_text(f"k2:{key()}\n{path.read_text()}", encoding="ascii")

    assert f"{file} k1" in sokhoe("worker", code=1)


@pytest.fixture
def rotated_and_lost(sokhoe: Sokhoe, folder: Path) -> None:
    """Let the database know a new sealing key whose line is gone again."""
    path = folder / "sealing.keys"
    before = path.read_text()
    sokhoe("keys", "rotate")
    sokhoe("migrate")
    path.write_text(before)


@pytest.mark.usefixtures("rotated_and_lost")
def test_a_rotated_key_is_taken_and_missed_from_then_on(sokhoe: Sokhoe) -> None:
    assert "sealing.keys k2" in sokhoe("serve", code=1)


@pytest.mark.usefixtures("rotated_and_lost")
def test_a_key_that_is_lost_is_given_up_by_name(sokhoe: Sokhoe) -> None:
    assert sokhoe.json("keys", "forget", "sealing.keys", "k2")["forgotten"] is True
    sokhoe("migrate")
    bilingual(sokhoe("keys", "forget", "sealing.keys", "k2", code=1))


def test_who_migrates_needs_no_key(sokhoe: Sokhoe, folder: Path) -> None:
    for path in folder.glob("*.keys"):
        path.unlink()

    sokhoe("migrate")


def test_a_database_that_was_filled_before_gets_its_marks(sokhoe: Sokhoe, folder: Path, settings: Settings) -> None:
    Stand(settings).as_owner("DELETE FROM auth.key_mark")

    sokhoe("migrate")

    (folder / "index.keys").write_text(f"k1:{key()}\n", encoding="ascii")
    assert "index.keys k1" in sokhoe("serve", code=1)


@pytest.mark.usefixtures("folder")
def test_the_sealers_key_is_not_changed_without_a_word(settings: Settings) -> None:
    kept = "sokhoe/visitors-book+00000000+AWtlcHQ="
    Stand(settings).as_owner(f"INSERT INTO audit.sealer_key VALUES ('{kept}', now())")
    try:
        done = run("sealer")
        assert done.returncode == 1
        bilingual(done.stderr)
        assert done.stderr.count("checkpoint.keys") == 2
        assert done.stderr.count("sokhoe sealer --new-key") == 2
    finally:
        Stand(settings).as_owner("DELETE FROM audit.sealer_key")
