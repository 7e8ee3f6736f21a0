"""The demo's data folder: whose it is, who uses it now, where the running demo is found.

.sokhoe             the mark: only a folder that has it is ever emptied
run.lock            held while a demo runs
running.json        process, address and variables of the running demo
postgres/           the cluster (or postgres.location, see `homes`)
secrets/            passwords and keys, 0700
logs/               api.log, worker.log, sealer.log, identity-provider.log, and those of the run before
"""

import contextlib
import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from devkit.binaries import Binaries
from devkit.console import Failed, step
from devkit.homes import PostgresError
from devkit.postgres import Cluster

MARK = ".sokhoe"
LOCK = "run.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What a running demo says about itself; `children` are its other processes."""

    pid: int
    url: str
    environment: Mapping[str, str]
    children: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFolder:
    """One folder of demo data."""

    path: Path

    @property
    def secrets(self) -> Path:
        """Return the folder of secret files."""
        return self.path / "secrets"

    @property
    def logs(self) -> Path:
        """Return the folder of logs."""
        return self.path / "logs"

    @contextlib.contextmanager
    def claimed(self) -> Iterator[None]:
        """Hold the folder for this process; made if need be.

        :raises Failed: when it is not a folder of ours, or a demo runs on it.
        """
        self._make()
        lock = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            running = self.read_running()
            where = f" at {running.url} (process {running.pid})" if running else ""
            raise Failed(
                f"A demo runs on {self.path} already{where}.\n"
                "Stop it with Ctrl-C where it runs, or choose another folder with --data DIR."
            ) from None
        try:
            yield
        finally:
            os.close(lock)

    def is_running(self) -> bool:
        """Tell whether a demo runs on this folder now."""
        try:
            lock = os.open(self.path / LOCK, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def empty(self, binaries: Binaries) -> None:
        """Remove everything in the claimed folder, the cluster too; `claimed` has checked the mark."""
        with step(f"Emptying {self.path}"):
            try:
                Cluster(self.path / "postgres", binaries=binaries).destroy()
            except PostgresError as problem:
                raise Failed(str(problem)) from problem
            for entry in self.path.iterdir():
                if entry.name in {MARK, LOCK}:
                    continue
                if entry.is_dir() and not entry.is_symlink():
                    shutil.rmtree(entry)
                else:
                    entry.unlink()

    def read_running(self) -> Running | None:
        """Return what the last demo wrote; it may be gone."""
        try:
            said = json.loads((self.path / "running.json").read_text(encoding="utf-8"))
            return Running(
                pid=int(said["pid"]),
                url=str(said["url"]),
                environment={str(name): str(value) for name, value in said["environment"].items()},
                children=tuple(int(pid) for pid in said["children"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write_running(self, running: Running) -> None:
        """Tell other processes where the demo is."""
        said = {
            "pid": running.pid,
            "url": running.url,
            "environment": dict(running.environment),
            "children": list(running.children),
        }
        unfinished = self.path / "running.json.new"
        unfinished.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")
        unfinished.chmod(0o600)
        unfinished.rename(self.path / "running.json")

    def forget_running(self) -> None:
        """Say that nothing runs any more."""
        (self.path / "running.json").unlink(missing_ok=True)

    def _make(self) -> None:
        try:
            if not self.path.exists():
                self.path.mkdir(parents=True)
                # Root's PostgreSQL runs under another account, which must get through; secrets/ is 0700.
                self.path.chmod(0o755 if os.geteuid() == 0 else 0o700)
            elif not (self.path / MARK).exists() and any(self.path.iterdir()):
                raise Failed(
                    f"{self.path} is not empty and not a data folder of Sổ Khỏe: it is left alone.\n"
                    "Choose another folder with --data DIR."
                )
            (self.path / MARK).write_text("Data of a Sổ Khỏe demo; `dev.py run --fresh` empties it.\n")
        except OSError as problem:
            raise Failed(f"{self.path} cannot be used ({problem.strerror}). Choose one with --data DIR.") from problem
