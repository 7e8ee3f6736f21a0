"""Secret files, and the roles that they open."""

import os
import re
import subprocess
from pathlib import Path

from devkit.credentials import KEY_FILES, LOGINS, make_secrets, prepare_database
from devkit.places import ROOT
from devkit.postgres import Cluster

PRODUCTION = tuple(login for login in LOGINS if login != "demo")


def who(cluster: Cluster, login: str, password: str, database: str) -> str:
    variables = {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(cluster.port),
        "PGPASSWORD": password,
        "PATH": os.defpath,
    }
    command: list[str | Path] = [cluster.binaries.program("psql"), "-XAt", "-U", login, "-d", database]
    command += ["-c", "SELECT current_user"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def test_secrets_are_private_and_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"

    made = make_secrets(folder)
    before = {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}
    again = make_secrets(folder)

    assert folder.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o400}
    assert set(before) == {f"{login}.password" for login in LOGINS} | set(KEY_FILES)
    assert len(made) == len(before)
    assert again == []
    assert before == {file.name: file.read_text(encoding="ascii") for file in folder.iterdir()}
    assert len(set(before.values())) == len(before)
    for name in KEY_FILES:
        assert re.fullmatch(r"[0-9a-z]+:[0-9a-f]{64}\n", before[name])


def test_each_login_opens_with_its_own_password(cluster: Cluster, tmp_path: Path) -> None:
    make_secrets(tmp_path)

    for _ in range(2):
        prepare_database(cluster, database="production", secrets_directory=tmp_path, logins=PRODUCTION)

    assert cluster.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'demo'", "production") == "0\n"
    passwords = {login: (tmp_path / f"{login}.password").read_text().strip() for login in PRODUCTION}
    assert [who(cluster, login, passwords[login], "production") for login in PRODUCTION] == list(PRODUCTION)
    assert who(cluster, "api", passwords["desk"], "production") == ""


def test_set_up_script_does_the_same_for_any_server(cluster: Cluster, tmp_path: Path) -> None:
    cluster.create_database("elsewhere")
    make_secrets(tmp_path, logins=PRODUCTION)
    variables = {
        "PATH": f"{cluster.binaries.program('psql').parent}:{os.environ['PATH']}",
        "PGHOST": str(cluster.socket_dir),
        "PGPORT": str(cluster.port),
        "PGPASSWORD": cluster.superuser_password,
        "POSTGRES_DB": "elsewhere",
        "SOKHOE_SECRETS_DIR": str(tmp_path),
    }
    script = ROOT / "infra" / "postgres" / "set-up.sh"

    done = subprocess.run([script], env=variables, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    password = (tmp_path / "api.password").read_text().strip()
    assert who(cluster, "api", password, "elsewhere") == "api"
    (tmp_path / "desk.password").unlink()
    failed = subprocess.run([script], env=variables, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "desk.password cannot be read" in failed.stderr
