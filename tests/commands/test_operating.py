"""What an operator meets: wrong settings, secrets, databases, told in both languages; the program's own manners."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.commands.running import ROOT, Sokhoe, bilingual
from tests.conftest import Ground
from tests.sockets import PATIENCE, free_port

PROGRAM = (sys.executable, "-c", "import sys; from app.cli import main; sys.exit(main())")
TOUCH_THE_DATABASE = [
    ("queue",),
    ("facility", "list"),
    ("audit", "verify"),
    ("migrate",),
    ("worker",),
    ("sealer",),
    ("serve",),
]


@pytest.fixture
def empty_database(ground: Ground, installed: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the environment name a database in which nothing was ever installed."""
    del installed
    name = f"empty_{uuid4().hex[:12]}"
    ground.cluster.create_database(name, template="template0")
    monkeypatch.setenv("SOKHOE_DATABASE_URL", f"postgresql://127.0.0.1:{ground.cluster.port}/{name}")
    yield
    ground.cluster.drop_database(name)


# ---- what is missing or wrong


@pytest.mark.usefixtures("empty_database")
@pytest.mark.parametrize("command", TOUCH_THE_DATABASE, ids=" ".join)
def test_an_empty_database_is_told_with_what_to_do(sokhoe: Sokhoe, command: tuple[str, ...]) -> None:
    said = sokhoe(*command, code=1).removeprefix("  migrations\n")  # how far it came

    bilingual(said)
    assert said.count("`sokhoe migrate`") == 2


@pytest.mark.parametrize("command", TOUCH_THE_DATABASE, ids=" ".join)
@pytest.mark.usefixtures("installed")
def test_a_database_that_is_not_there_is_told(
    sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SOKHOE_DATABASE_URL", os.environ["SOKHOE_DATABASE_URL"] + "_of_another_name")

    said = sokhoe(*command, code=1)

    bilingual(said)
    assert said.count("set-up.sh") == 2


@pytest.mark.parametrize("content", ["wrong", "", "mật khẩu"])
@pytest.mark.parametrize("command", TOUCH_THE_DATABASE, ids=" ".join)
def test_a_wrong_password_file_is_told(
    sokhoe: Sokhoe, own_secrets: Path, command: tuple[str, ...], content: str
) -> None:
    for path in own_secrets.glob("*.password"):
        path.write_text(content, encoding="utf-8")

    said = sokhoe(*command, code=1)

    bilingual(said)
    assert "password" in said


@pytest.mark.parametrize(
    "file", ["desk.password", "porter.password", "ingest.password", "sealing.keys", "index.keys", "mac.keys"]
)
def test_the_server_names_any_secret_that_it_misses(sokhoe: Sokhoe, own_secrets: Path, file: str) -> None:
    (own_secrets / file).unlink()

    said = sokhoe("serve", code=1)

    bilingual(said)
    assert said.count(file) == 2
    assert said.count(str(own_secrets)) >= 2


@pytest.mark.usefixtures("installed")
def test_a_port_of_the_metrics_that_is_in_use_is_told(sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("SOKHOE_METRICS_PORT", str(taken.getsockname()[1]))
        said = sokhoe("serve", code=1)

    bilingual(said)
    assert said.count("SOKHOE_METRICS_PORT") == 2


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("name", "value"), [("APPS", "[geheim"), ("DATABASE_URL", "postgresql://h:geheim/x"), ("API_POOL_SIZE", "geheim")]
)
def test_a_setting_that_cannot_be_read_is_named(
    sokhoe: Sokhoe, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"SOKHOE_{name}", value)

    said = sokhoe("queue", code=1)

    bilingual(said)
    assert said.count(f"SOKHOE_{name}") == 2
    assert "geheim" not in said


@pytest.mark.parametrize("content", ["[]", "{}", "{", '{"environment": 1}'])
def test_a_broken_note_of_a_demo_is_none(sokhoe: Sokhoe, content: str) -> None:
    folder = Path(os.environ["SOKHOE_DATA"])
    folder.mkdir()
    (folder / "running.json").write_text(content, encoding="utf-8")

    bilingual(sokhoe("queue", code=1))


def test_keys_that_cannot_be_written_are_as_they_were(
    sokhoe: Sokhoe, own_secrets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (own_secrets / "sealing.keys").read_bytes()

    def refuse(*_arguments: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("app.commands.keys._replace", refuse)
    said = sokhoe("keys", "rotate", code=1)

    bilingual(said)
    assert said.count("sealing.keys") == 2
    assert (own_secrets / "sealing.keys").read_bytes() == before


# ---- manners


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_a_closed_standard_stream_is_the_null_device(closed: tuple[int, ...]) -> None:
    close = "".join(f"os.close({number});" for number in closed)
    start = f"import os, sys; {close} os.execv(sys.executable, sys.argv[1:])"

    done = subprocess.run([sys.executable, "-c", start, *PROGRAM, "queue"], cwd=ROOT, capture_output=True, check=False)

    assert done.returncode == 0, done.stderr
    assert 1 in closed or done.stdout


def test_what_is_said_is_utf_8_whatever_the_locale_says() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "LC_ALL": "C"}

    done = subprocess.run([*PROGRAM, "--help"], cwd=ROOT, capture_output=True, check=False, env=environment)

    assert done.returncode == 0, done.stderr
    assert "Sổ Khỏe" in done.stdout.decode()


@pytest.mark.usefixtures("installed")
def test_a_log_that_nobody_takes_keeps_nobody_from_an_answer() -> None:
    port = free_port()
    reading, writing = os.pipe()
    os.close(reading)  # as a disk that is full: what is written comes back as an error
    with subprocess.Popen([*PROGRAM, "serve", "--port", str(port)], cwd=ROOT, stdout=writing) as server:
        os.close(writing)
        try:
            while server.poll() is None and not _answers(port):
                time.sleep(0.05)
            assert [httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=PATIENCE).status_code for _ in range(3)] == [
                200
            ] * 3
        finally:
            server.kill()


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
