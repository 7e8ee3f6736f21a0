"""`dev.py check`: every check runs, and every failure is shown."""

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from devkit.console import say
from devkit.credentials import ROLES_FILE
from devkit.environment import Environment, ready_environment
from devkit.locks import lock_problems
from devkit.places import ROOT

PATIENTLY = ("nice", "-n", "10")
"""Tests that run at the same time come first."""
SQUAWK_SETTINGS = ROOT / "infra" / "postgres" / "squawk.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one check. `said` is empty when it passed."""

    name: str
    seconds: float
    said: str


Check = Callable[[Environment], str]
"""Returns nothing when all is well, else what is wrong."""


def names() -> Sequence[str]:
    """Return the names of the checks."""
    return tuple(CHECKS)


def run_checks(wanted: Sequence[str]) -> int:
    """Run the checks of these names, or all; return the exit code."""
    began = time.monotonic()
    failures = failures_of(ready_environment(development=True), wanted or names())
    show_table(failures, seconds=time.monotonic() - began)
    return 1 if failures else 0


def failures_of(environment: Environment, wanted: Sequence[str]) -> list[Outcome]:
    """Run the checks of these names, say of each what became of it, and return those that failed."""
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        running = [pool.submit(_outcome, name, environment) for name in CHECKS if name in wanted]
        outcomes = []
        for done in as_completed(running):
            outcome = done.result()
            outcomes.append(outcome)
            told = f"  {'FAILED' if outcome.said else 'ok':7}check {outcome.name:11}{outcome.seconds:5.1f} s"
            if outcome.said:
                told += "\n    " + outcome.said.rstrip().replace("\n", "\n    ")
            say(told)
    return [outcome for outcome in outcomes if outcome.said]


def show_table(failures: Sequence[Outcome], *, seconds: float) -> None:
    """Say how it ended."""
    if failures:
        say("\nFailed:")
        for outcome in failures:
            say(f"  {outcome.name:11}{outcome.said.strip().splitlines()[-1][:90]}")
    else:
        say(f"\nEverything passed in {seconds:.0f} s.")


def _outcome(name: str, environment: Environment) -> Outcome:
    began = time.monotonic()
    try:
        said = CHECKS[name](environment)
    except OSError as problem:
        said = str(problem)
    return Outcome(name=name, seconds=time.monotonic() - began, said=said)


def _program(environment: Environment, name: str, *arguments: str | Path) -> str:
    """Run a program of the environment in the checkout; return what it said if it failed."""
    command = [*PATIENTLY, str(environment.program(name)), *map(str, arguments)]
    path = f"{environment.path / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    done = subprocess.run(
        command,
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
    )
    return "" if done.returncode == 0 else done.stdout.strip() or f"{name}: code {done.returncode}"


def _runs(name: str, *arguments: str) -> Check:
    def check(environment: Environment) -> str:
        return _program(environment, name, *arguments)

    return check


def _migrations(environment: Environment) -> str:
    """Lint the SQL that the migrations would send."""
    made = subprocess.run(
        [*PATIENTLY, environment.program("sokhoe"), "migrate", "--sql"],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if made.returncode or not made.stdout.strip():
        return f"`sokhoe migrate --sql` gave no SQL (code {made.returncode}):\n{made.stderr.strip()}"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "migrations.sql"
        file.write_text(_migrators_timeouts() + made.stdout, encoding="utf-8")
        return _program(environment, "squawk", "--config", SQUAWK_SETTINGS, "--reporter", "gcc", file)


def _migrators_timeouts() -> str:
    """Return the time-outs that the migrations run under: the login's own, or none."""
    roles = ROLES_FILE.read_text(encoding="utf-8")
    found = re.findall(r"(?m)^ALTER ROLE migrator (SET (?:lock|statement)_timeout = '\w+';)", roles)
    return "\n".join([*found, ""])


def _locks(environment: Environment) -> str:
    del environment
    return "\n".join(lock_problems())


CHECKS: dict[str, Check] = {
    "types": _runs("mypy"),
    "format": _runs("ruff", "format", "--check"),
    "lint": _runs("ruff", "check"),
    "imports": _runs("lint-imports"),
    "migrations": _migrations,
    "contract": _runs("sokhoe", "schema", "--check"),
    "dockerfile": _runs("hadolint", "infra/Dockerfile"),
    "compose": _runs("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "infra/compose.yaml"),
    "locks": _locks,
}
