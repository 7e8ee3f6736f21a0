"""The embedded PostgreSQL: one cluster in one directory, started by us.

The wheel's own launcher is not used: as root it makes accounts and opens other people's directories.
The module `homes` tells what stands in the directory.
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from devkit.binaries import Binaries
from devkit.homes import Home, PostgresError
from devkit.settings import SETTINGS, write_settings

SUPERUSER = "postgres"
SOCKET_PATH_BYTES = 103
"""What the shortest platform takes (macOS: 104 with the closing zero byte; Linux: 108)."""
SHORT_DIRECTORY = Path("/tmp")  # noqa: S108 — mkdtemp makes a private one in it
PREFIX = "sokhoe-"
START_SECONDS = 120
STALE_SECONDS = 15
"""How long the remains of a killed server may refuse a new one."""
STOP_SECONDS = 30
LOCK_FILE_PORT, LOCK_FILE_SOCKET = 3, 4
"""Lines of postmaster.pid, from 0."""
NO_PID = "4194305"
"""One more than Linux gives to any process."""
LOG_BYTES = 5_000_000
LOG_LINES_SHOWN = 12
TRANSIENT = ("postmaster.pid", "shared memory block", "in use", "could not create any TCP/IP sockets")
INITDB = (
    "--auth=scram-sha-256 --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 "
    f"--data-checksums --username={SUPERUSER}"
)


class Cluster:
    """One PostgreSQL cluster in `data_dir`, which is the cluster's alone. `settings` go before our own."""

    def __init__(
        self,
        data_dir: Path,
        *,
        binaries: Binaries | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._home = Home(data_dir)
        self._wheel = binaries or Binaries.of_this_python()
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._socket_dir = self.home / "run"

    @property
    def data_dir(self) -> Path:
        """Return the directory that was asked for."""
        return self._home.wanted

    @property
    def home(self) -> Path:
        """Return the directory that everything stands in; it need not be `data_dir`, see `homes`."""
        return self._home.path

    @property
    def pgdata(self) -> Path:
        """Return PostgreSQL's own data directory."""
        return self._home.pgdata

    @property
    def log(self) -> Path:
        """Return the server's log file."""
        return self.home / "server.log"

    @property
    def port(self) -> int:
        """Return the TCP port on 127.0.0.1. Known after `start`."""
        if not self._port:
            raise PostgresError("The cluster is not started.")
        return self._port

    @property
    def socket_dir(self) -> Path:
        """Return the directory of the unix socket. Known after `start`."""
        return self._socket_dir

    @cached_property
    def superuser_password(self) -> str:
        """Return the password of `postgres`. Known after `ensure`."""
        return (self.home / "superuser.password").read_text(encoding="ascii").strip()

    @cached_property
    def binaries(self) -> Binaries:
        """Return the programs, in a place where the server's account can run them."""
        return self._wheel.readable_by(self._home.account, copies=self.home / "binaries")

    # ---- the life of a cluster

    def ensure(self) -> None:
        """Make the cluster if there is none. Interrupted half-way, it begins again.

        :raises PostgresError: when the directory holds something else, or another major version.
        """
        if (self.pgdata / "PG_VERSION").exists():
            self._check_version()
            return
        self._home.make()
        account = self._home.account
        password_file = self.home / "superuser.password"
        password_file.unlink(missing_ok=True)
        password_file.touch(mode=0o600)
        password_file.write_text(secrets.token_urlsafe(32) + "\n", encoding="ascii")
        account.give(password_file)
        unfinished = self.home / "pgdata.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        account.give(unfinished)
        done = account.run(
            [self.binaries.program("initdb"), *INITDB.split(), f"--pwfile={password_file}", unfinished],
            env=self._environment(),
            cwd=self.home,
        )
        if done.returncode:
            raise PostgresError(f"initdb failed:\n{done.stdout}{done.stderr}")
        os.chown(password_file, os.geteuid(), os.getegid())
        password_file.chmod(0o400)
        unfinished.rename(self.pgdata)

    def start(self) -> None:
        """Start the server and wait until it answers; one that runs on this directory already is taken over.

        The remains of a killed server (its lock file, its last children) are waited for.

        :raises PostgresError: with the server's last words.
        """
        give_up_at = time.monotonic() + STALE_SECONDS
        while not (self._forget_zombie() and self._adopt()):
            left_behind = self._socket_dir_of_lock_file()
            last_words = self._launch()
            if last_words is None:
                self._drop(left_behind)
                return
            self._drop_socket_dir()
            transient = any(sign in last_words for sign in TRANSIENT)
            if not transient or time.monotonic() > give_up_at:
                raise PostgresError(f"PostgreSQL did not start. {self.log} ends with:\n{last_words}")
            time.sleep(0.25)

    def stop(self) -> None:
        """Stop the server the fast way: sessions are ended, everything committed is kept. Idempotent."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)  # PostgreSQL's "fast"
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)  # PostgreSQL's "immediate"
                self._process.wait()
            self._process = None
        elif self._forget_zombie() and self._pg_ctl("status").returncode == 0:
            done = self._pg_ctl("stop", "--mode=fast", "--wait", f"--timeout={STOP_SECONDS}")
            if done.returncode:
                raise PostgresError(f"PostgreSQL did not stop: {done.stderr or done.stdout}")
        self._port = 0
        self._drop_socket_dir()

    def kill(self) -> None:
        """Kill the postmaster with SIGKILL, as a power cut would; what stays is `start`'s to clean."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        else:
            pid = (self.pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0]
            self._pg_ctl("kill", "KILL", pid)
        self._port = 0

    def died(self) -> bool:
        """Tell whether the server that this object started has ended by itself."""
        return self._process is not None and self._process.poll() is not None

    def destroy(self) -> None:
        """Stop the server and remove the cluster, wherever its home is.

        :raises PostgresError: when the directory is not a cluster of ours.
        """
        if self.pgdata.exists():
            self.stop()
        self._home.remove()
        self.__dict__.pop("superuser_password", None)
        self.__dict__.pop("binaries", None)

    # ---- talking to it

    def psql(
        self,
        sql_or_file: str | Path,
        database: str = "postgres",
        *,
        variables: Mapping[str, str] | None = None,
    ) -> str:
        """Run SQL text, or a file of it, as superuser; return rows as lines, columns parted by `|`.

        Text is handed over by standard input, so that no process list shows it. The first error ends it.

        :raises PostgresError: with what psql said.
        """
        source, text = (str(sql_or_file), "") if isinstance(sql_or_file, Path) else ("-", sql_or_file)
        command = [str(self.binaries.program("psql")), "-XqAt", "--set=ON_ERROR_STOP=1", f"--file={source}"]
        command += [f"--set={name}={value}" for name, value in (variables or {}).items()]
        target = {
            "PGHOST": str(self.socket_dir),
            "PGPORT": str(self.port),
            "PGDATABASE": database,
            "PGUSER": SUPERUSER,
            "PGPASSWORD": self.superuser_password,
            "PGCLIENTENCODING": "UTF8",
            "PGOPTIONS": "-c client_min_messages=warning",
        }
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, input=text, env=self._environment() | target
        )
        if done.returncode:
            raise PostgresError(f"psql failed ({source}, database {database}):\n{done.stderr.strip()}")
        return done.stdout

    def create_database(self, name: str, template: str | None = None) -> None:
        """Make a database, a copy of `template` if one is named. Nobody may be connected to the template."""
        self.psql(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}";')

    def drop_database(self, name: str) -> None:
        """Remove a database if it is there; its sessions are ended."""
        self.psql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE);')

    def has_database(self, name: str) -> bool:
        """Tell whether a database of this name is there."""
        return name in self.psql("SELECT datname FROM pg_database").splitlines()

    # ---- how

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, "LC_ALL": "C", "HOME": str(self.home)}

    def _check_version(self) -> None:
        wanted = (self.pgdata / "PG_VERSION").read_text(encoding="ascii").strip()
        said = self._home.account.run([self.binaries.program("postgres"), "--version"], cwd=Path("/")).stdout
        if said.split()[-1].split(".")[0] != wanted:
            raise PostgresError(f"{self.pgdata} is of PostgreSQL {wanted}, the programs are {said.strip()}")

    def _pg_ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command: list[str | Path] = [self.binaries.program("pg_ctl"), f"--pgdata={self.pgdata}", *arguments]
        return self._home.account.run(command, env=self._environment(), cwd=self.home)

    def _lock_file(self) -> list[str]:
        """Return the lines of the server's lock file: process, data, start, port, socket …, state."""
        try:
            return (self.pgdata / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def _socket_dir_of_lock_file(self) -> Path:
        lines = self._lock_file()
        return (
            Path(lines[LOCK_FILE_SOCKET])
            if len(lines) > LOCK_FILE_SOCKET and lines[LOCK_FILE_SOCKET]
            else self.home / "run"
        )

    def _forget_zombie(self) -> bool:
        """Tell whether a lock file is there; in it, replace a dead pid that nobody has waited for.

        PostgreSQL takes a zombie for a living server. Where process 1 never waits for orphans (many
        containers), it would do so for ever. The rest of the file stays: by it PostgreSQL looks for
        living backends.
        """
        lines = self._lock_file()
        if not lines:
            return False
        try:
            status = Path("/proc", lines[0], "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return True
        if status.rpartition(") ")[2].startswith("Z"):
            file = os.open(self.pgdata / "postmaster.pid", os.O_WRONLY | os.O_NOFOLLOW | os.O_TRUNC)
            with os.fdopen(file, "w", encoding="utf-8") as lock_file:
                lock_file.write("\n".join([NO_PID, *lines[1:]]) + "\n")
        return True

    def _adopt(self) -> bool:
        """Take over a server that runs on this directory already: one whose starter was killed."""
        try:
            self._port, self._socket_dir = int(self._lock_file()[LOCK_FILE_PORT]), self._socket_dir_of_lock_file()
            if self.psql("SHOW data_directory").strip() == str(self.pgdata):
                return True
        except (IndexError, ValueError, PostgresError):
            pass
        self._port, self._socket_dir = 0, self.home / "run"
        return False

    def _launch(self) -> str | None:
        """Start once. Return nothing when it is ready, the end of its log when it is not."""
        port = _free_port()
        self._make_socket_dir(port)
        configuration = self.home / "postgresql.conf"
        place = {"port": str(port), "unix_socket_directories": f'"{self._socket_dir}"'}
        write_settings(configuration, {**SETTINGS, **self._settings, **place})
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.rename(self.log.with_suffix(".log.1"))
        log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        began = os.fstat(log).st_size
        command: list[str | Path] = [self.binaries.program("postgres"), "-D", self.pgdata]
        command += ["-c", f"config_file={configuration}"]
        try:
            process = self._home.account.spawn(command, env=self._environment(), cwd=self.pgdata, output=log)
        finally:
            os.close(log)
        give_up_at = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < give_up_at:
            lines = self._lock_file()
            if lines[:1] == [str(process.pid)] and lines[-1].strip() == "ready":
                self._process, self._port = process, port
                return None
            time.sleep(0.02)
        process.kill()
        process.wait()
        with self.log.open("rb") as said:
            said.seek(began)
            return "\n".join(said.read().decode(errors="replace").splitlines()[-LOG_LINES_SHOWN:])

    def _make_socket_dir(self, port: int) -> None:
        self._drop_socket_dir()
        directory = self.home / "run"
        if len(os.fsencode(directory / f".s.PGSQL.{port}")) > SOCKET_PATH_BYTES:
            directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORT_DIRECTORY))
        directory.mkdir(mode=0o700, exist_ok=True)
        self._home.account.give(directory)
        self._socket_dir = directory

    def _drop_socket_dir(self) -> None:
        self._drop(self._socket_dir)
        self._socket_dir = self.home / "run"

    def _drop(self, directory: Path) -> None:
        """Remove a socket's directory outside the home. Its name may come from a file of the server's."""
        if directory.parent != SHORT_DIRECTORY or not directory.name.startswith(PREFIX):
            return
        with contextlib.suppress(OSError):
            if directory.lstat().st_uid == self._home.account.uid:
                shutil.rmtree(directory)


@contextlib.contextmanager
def temporary_cluster(
    *, binaries: Binaries | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Cluster]:
    """Give a started cluster that is gone afterwards, in a directory that the server's account can reach."""
    parent = Path(tempfile.mkdtemp(prefix=PREFIX, dir=SHORT_DIRECTORY))
    parent.chmod(0o755)
    try:
        cluster = Cluster(parent / "pg", binaries=binaries, settings=settings)
        try:
            cluster.ensure()
            cluster.start()
            yield cluster
        finally:
            cluster.destroy()
    finally:
        shutil.rmtree(parent, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
