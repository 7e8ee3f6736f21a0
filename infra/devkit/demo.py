"""`dev.py run`: from a bare checkout to a demo that answers, and down again in order."""

import json
import os
import shlex
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from devkit.binaries import Binaries
from devkit.console import Failed, say, step
from devkit.credentials import make_secrets, prepare_database
from devkit.data_folder import DataFolder, Running
from devkit.environment import Environment, ready_environment
from devkit.homes import PostgresError
from devkit.places import ROOT, demo_data_dir
from devkit.postgres import Cluster
from devkit.processes import WATCH_SECONDS, Child, Stopped, end_leftovers, hold_signals, run_to_end, stoppable

DATABASE = "sokhoe"
HOST = "127.0.0.1"
READY_SECONDS = 180
PORT_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the person chose; None is the product's own choice."""

    port: int
    data: Path | None
    fresh: bool
    citizens: int | None


def run(options: Options) -> int:
    """Start everything, stay until asked to end, and stop everything.

    :raises Failed: when something cannot start, or ends by itself.
    """
    folder = DataFolder(path=demo_data_dir(options.data))
    try:
        with stoppable():
            environment = ready_environment(development=False)
            with folder.claimed():
                end_leftovers(_children_of_last(folder), mark=str(environment.program("sokhoe")))
                _check_port(options.port)
                _check_port(options.port + 1)
                demo = Demo(folder, environment, options)
                try:
                    demo.start()
                    demo.watch()
                finally:
                    demo.stop()
    except Stopped:
        say("Stopped. The data is kept in " + str(folder.path))
    except PostgresError as problem:
        raise Failed(str(problem)) from problem
    return 0


class Demo:
    """PostgreSQL, the API, the worker, the sealer and the local identity provider on one data folder."""

    def __init__(self, folder: DataFolder, environment: Environment, options: Options) -> None:
        self._folder = folder
        self._environment = environment
        self._options = options
        self._url = f"http://{HOST}:{options.port}"
        self._provider_url = f"http://{HOST}:{options.port + 1}"
        self._cluster: Cluster | None = None
        self._children: list[Child] = []

    def start(self) -> None:
        """Bring everything up, in the order in which one needs the other."""
        say(f"Sổ Khỏe demo, data in {self._folder.path}")
        binaries = Binaries.of_environment(self._environment.path)
        if self._options.fresh:
            self._folder.empty(binaries)
        self._cluster = Cluster(self._folder.path / "postgres", binaries=binaries)
        with step("PostgreSQL"):
            self._cluster.ensure()
            self._cluster.stop()  # one that a killed demo left behind would not be ours to watch
            self._cluster.start()
            make_secrets(self._folder.secrets)
            prepare_database(self._cluster, database=DATABASE, secrets_directory=self._folder.secrets)
        with step("Database structure"):
            self._sokhoe("migrate", shown=False)
        self._folder.logs.mkdir(mode=0o750, exist_ok=True)
        with step("API, worker, sealer and identity provider"):
            self._spawn("api", "serve", "--host", HOST, "--port", str(self._options.port))
            self._spawn("worker", "worker")
            self._spawn("sealer", "sealer")
            provider_port = str(self._options.port + 1)
            account = ("--push-account", str(self._folder.secrets / "fcm.json"))
            self._spawn(
                "identity provider", "demo", "provider", "--port", provider_port, "--server", self._url, *account
            )
            self._folder.write_running(
                Running(
                    pid=os.getpid(),
                    url=self._url,
                    environment=self._settings(),
                    children=[child.pid for child in self._children],
                )
            )
            self._wait_ready("API", self._url + "/readyz")
            self._wait_ready("identity provider", self._provider_url + "/.well-known/openid-configuration")
        citizens = self._options.citizens
        amount = () if citizens is None else ("--citizens", str(citizens))
        self._sokhoe("demo", "load", "--url", self._url, *amount, shown=True)
        say()
        self._sokhoe("demo", "welcome", "--url", self._url, shown=True)
        if self._options.data is not None:
            say(f"\nIn other terminals, first: export SOKHOE_DATA={shlex.quote(str(self._folder.path))}")
        say("\nCtrl-C stops it.")

    def watch(self) -> None:
        """Stay until somebody stops the demo.

        :raises Failed: when a part of it has ended by itself.
        """
        while True:
            self._check()
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """Stop what runs: API, worker, sealer, provider, PostgreSQL. Signals are held until that is done."""
        hold_signals()
        say("\nStopping …")
        for child in self._children:
            child.stop()
        if self._cluster is not None and self._cluster.pgdata.exists():
            self._cluster.stop()
        self._folder.forget_running()

    def _check(self) -> None:
        for child in self._children:
            child.check()
        if self._cluster is not None and self._cluster.died():
            raise Failed(f"PostgreSQL has ended by itself; see {self._cluster.log}")

    def _settings(self) -> Mapping[str, str]:
        if self._cluster is None:
            raise Failed("The database is not started.")
        return {
            "SOKHOE_DATA": str(self._folder.path),
            "SOKHOE_DATABASE_URL": f"postgresql://{HOST}:{self._cluster.port}/{DATABASE}",
            "SOKHOE_SECRETS_DIR": str(self._folder.secrets),
            "SOKHOE_DEMO": "true",
            "SOKHOE_PUBLIC_URL": self._url,
            "SOKHOE_PROVIDER": json.dumps({"preset": "vneid", "issuer": self._provider_url, "client_id": "sokhoe"}),
            "SOKHOE_APPS": json.dumps([{"client_id": "sokhoe-demo", "loopback": True}]),
            "SOKHOE_PUSH_URL": f"{self._provider_url}/push/v1/projects/sokhoe-demo/messages:send",
            "SOKHOE_COMMIT": commit(),
        }

    def _variables(self) -> dict[str, str]:
        direct = {name: ",".join(filter(None, (os.environ.get(name), HOST))) for name in ("no_proxy", "NO_PROXY")}
        return {**os.environ, **direct, **self._settings(), "PYTHONUNBUFFERED": "1"}

    def _sokhoe(self, *arguments: str, shown: bool) -> None:
        run_to_end(
            [self._environment.program("sokhoe"), *arguments],
            env=self._variables(),
            shown=shown,
            watch=self._check,
        )

    def _spawn(self, name: str, *arguments: str) -> None:
        program = self._environment.program("sokhoe")
        log = self._folder.logs / f"{name.replace(' ', '-')}.log"
        self._children.append(Child(name, [program, *arguments], log=log, env=self._variables()))

    def _wait_ready(self, name: str, address: str) -> None:
        give_up_at = time.monotonic() + READY_SECONDS
        answer = "no answer"
        while time.monotonic() < give_up_at:
            self._check()
            ready, answer = _ask(address)
            if ready:
                return
            time.sleep(0.05)
        raise Failed(f"The {name} is not ready after {READY_SECONDS} s: {answer}. See {self._folder.logs}")


def sokhoe(arguments: list[str]) -> int:
    """Run the product's own command; a running demo is found by SOKHOE_DATA or the default folder.

    A variable that is set already stays as it is.
    """
    environment = ready_environment(development=False)
    folder = DataFolder(path=demo_data_dir())
    running = folder.read_running() if folder.is_running() else None
    found = running.environment if running else {}
    done = subprocess.run([environment.program("sokhoe"), *arguments], check=False, env={**found, **os.environ})
    return done.returncode if done.returncode >= 0 else 1


def commit() -> str:
    """Return the checkout's commit, or `unknown`."""
    command = ["git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "rev-parse", "--verify", "HEAD"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() if done.returncode == 0 else "unknown"


def _children_of_last(folder: DataFolder) -> tuple[int, ...]:
    last = folder.read_running()
    return tuple(last.children) if last else ()


def _check_port(port: int) -> None:
    """Make sure that a port can be had; one that an ending program still holds is waited for.

    Linux forgets a program's command line before it closes the sockets, so what `end_leftovers` ended may listen yet.
    """
    give_up_at = time.monotonic() + PORT_SECONDS
    while (problem := _port_problem(port)) is not None:
        if time.monotonic() > give_up_at:
            raise Failed(f"Port {port} cannot be used ({problem}). Choose another with --port.")
        time.sleep(0.05)


def _port_problem(port: int) -> str | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError as problem:
            raise Failed(f"{port} is no port.") from problem
        except OSError as problem:
            return problem.strerror
    return None


def _ask(url: str) -> tuple[bool, str]:
    """Ask this machine directly: a proxy of the environment would not find it."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=5) as answer:
            return True, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return False, refusal.read().decode(errors="replace")
    except OSError as problem:
        return False, str(problem)
