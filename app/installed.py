"""What is installed in a database, known by a fingerprint: a start with nothing to install costs one query."""

import hashlib
from collections.abc import Collection
from importlib.metadata import version
from pathlib import Path

from app.core.logins import Login, connect
from app.core.settings import Settings
from app.gateway.trusted import trusted_operations

ROOT = Path(__file__).parent.parent
FINGERPRINT = "everything"
COMPILERS = ("sqlalchemy", "strawberry-graphql", "graphql-core")
"""The packages that make SQL of operations: another version may make another text, which must be deployed."""


async def fingerprint_to_install(settings: Settings) -> str | None:
    """Return the fingerprint of this checkout; nothing where the database has just that installed."""
    connection = await connect(settings, Login.MIGRATOR)
    try:
        now = await connection.fetchval("SELECT now()")
        wanted = fingerprint(settings, over={known.id for known in trusted_operations().values() if known.is_over(now)})
        if await connection.fetchval("SELECT to_regclass('deploy.installed_file') IS NULL"):
            return wanted
        installed = await connection.fetchval("SELECT digest FROM deploy.installed_file WHERE path = $1", FINGERPRINT)
        return None if installed == wanted else wanted
    finally:
        await connection.close()


def fingerprint(settings: Settings, *, over: Collection[str] = ()) -> str:
    """Return the digest of all that `migrate` installs from this checkout, but for documents that are `over`."""
    digest = hashlib.sha256(b"demo" if settings.demo else b"")
    digest.update(" ".join([*sorted(over), *(version(package) for package in COMPILERS)]).encode())
    sources = [*(ROOT / "app").rglob("*"), *(ROOT / "migrations").rglob("*"), *(ROOT / "graphql").rglob("*")]
    for path in sorted(sources):
        if path.suffix in {".py", ".sql", ".csv", ".graphql", ".json"}:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(ROOT).as_posix()}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
