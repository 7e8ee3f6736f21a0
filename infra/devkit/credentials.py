"""The secret files of an installation: made once, readable only by the account that runs the product."""

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from devkit.console import Failed
from devkit.places import ROOT
from devkit.postgres import Cluster

LOGINS = ("api", "desk", "porter", "ingest", "worker", "sealer", "auditor", "migrator", "backup", "demo")
KEY_FILES = ("sealing.keys", "index.keys", "mac.keys", "client.keys", "checkpoint.keys")
KEY_BYTES = 32
ROLES_FILE = ROOT / "infra" / "postgres" / "roles.sql"


def make_secrets(directory: Path, *, logins: Iterable[str] = LOGINS) -> list[Path]:
    """Make what is missing: `LOGIN.password`, and key files of lines `key id:64 hex`, the current key first.

    What is there is never replaced: data is sealed with it. Returns what was made.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    wanted = {f"{login}.password": secrets.token_urlsafe(KEY_BYTES) for login in logins}
    wanted |= {name: f"k1:{secrets.token_hex(KEY_BYTES)}" for name in KEY_FILES}
    return [directory / name for name, text in wanted.items() if _make_once(directory / name, text)]


def prepare_database(
    cluster: Cluster, *, database: str, secrets_directory: Path, logins: Iterable[str] = LOGINS
) -> None:
    """Make the database, its roles and schemas, and give each login the password of its file. Idempotent.

    The login `demo` exists only if `logins` names it.
    """
    logins = tuple(logins)
    if not cluster.has_database(database):
        cluster.create_database(database, template="template0")
    cluster.psql(ROLES_FILE, database, variables={"demo": "on" if "demo" in logins else "off"})
    cluster.psql("".join(_set_password(login, secrets_directory) for login in logins), database)


def _set_password(login: str, directory: Path) -> str:
    try:
        password = (directory / f"{login}.password").read_text(encoding="ascii").strip()
    except PermissionError as problem:
        raise Failed(f"{problem.filename} belongs to another account: run as the one that made it.") from problem
    return f"ALTER ROLE {login} PASSWORD '{password}';\n"


def _make_once(path: Path, text: str) -> bool:
    """Write a file that appears whole or not at all; tell whether it was missing."""
    if path.exists():
        return False
    unfinished = path.with_name(path.name + ".new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "w") as file:
        file.write(text + "\n")
    unfinished.rename(path)
    return True
