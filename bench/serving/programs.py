"""The product's own programs on a cluster of its own, as benches measure them; fsync and synchronous_commit are on."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from app.core.settings import Settings
from app.migrate import migrate
from devkit.credentials import make_secrets, prepare_database
from devkit.postgres import Cluster, temporary_cluster

PORT = int(os.environ.get("BENCH_PORT", "8931"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An installed product, and the process of each part: API, worker where it runs, PostgreSQL."""

    settings: Settings
    parts: dict[str, int]


@contextmanager
def served(*, with_worker: bool) -> Iterator[Served]:
    """Install a database and start the programs; stop everything at the end."""
    with tempfile.TemporaryDirectory() as folder, temporary_cluster() as cluster:
        secrets = Path(folder) / "secrets"
        make_secrets(secrets)
        prepare_database(cluster, database="bench", secrets_directory=secrets)
        settings = Settings(
            database_url=f"postgresql://127.0.0.1:{cluster.port}/bench",
            secrets_dir=secrets,
            demo=True,
            public_url=f"http://127.0.0.1:{PORT}",
        )
        asyncio.run(migrate(settings, progress=lambda _step: None))
        programs = {"API": ["serve", "--port", str(PORT)]} | ({"worker": ["worker"]} if with_worker else {})
        children = {name: _start(arguments, settings) for name, arguments in programs.items()}
        try:
            _wait_ready()
            parts = {name: child.pid for name, child in children.items()}
            yield Served(settings=settings, parts=parts | {"PostgreSQL": postmaster_pid(cluster)})
        finally:
            for child in children.values():
                child.terminate()
                child.wait(20)


def postmaster_pid(cluster: Cluster) -> int:
    """Return the process that all of PostgreSQL's are children of."""
    return int((cluster.pgdata / "postmaster.pid").read_text().splitlines()[0])


def cpu_seconds(of: dict[str, int]) -> dict[str, float]:
    """Return what each part has used so far: a process, its children, and theirs, the dead ones too."""
    tree: dict[int, list[tuple[int, float]]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                fields = (process / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            used = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
            tree.setdefault(int(fields[1]), []).append((int(process.name), used))
            tree.setdefault(-int(process.name), []).append((0, used))

    def sum_of(pid: int) -> float:
        return sum(used for _, used in tree.get(-pid, ())) + sum(sum_of(child) for child, _ in tree.get(pid, ()))

    return {part: sum_of(pid) for part, pid in of.items()}


def _start(arguments: list[str], settings: Settings) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "SOKHOE_DATABASE_URL": settings.database_url,
        "SOKHOE_SECRETS_DIR": str(settings.secrets_dir),
        "SOKHOE_DEMO": "true",
        "SOKHOE_PUBLIC_URL": settings.public_url,
    }
    command = [sys.executable, "-c", "from app.cli import main; main()", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def _wait_ready() -> None:
    for _ in range(300):
        try:
            if httpx.get(f"http://127.0.0.1:{PORT}/readyz", timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit("the server did not start")
