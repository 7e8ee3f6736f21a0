"""`dev.py test`: the tests in as many processes as there are cores, and beside them every check.

Each process has a PostgreSQL server of its own and takes one file after the other, those marked `long` first; a new
test file needs nothing but to be there.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

from devkit import checks
from devkit.console import say
from devkit.environment import Environment, ready_environment
from devkit.places import ROOT

MOST_PROCESSES = 8
SLOWEST_SHOWN = 25
EVERYTHING = f"--dist=loadfile --no-loadscope-reorder --durations={SLOWEST_SHOWN} --durations-min=1"


def run_tests(pytest_arguments: Sequence[str]) -> int:
    """Run every test and every check; or pytest alone when it is given arguments. Return the exit code."""
    environment = ready_environment(development=True)
    if pytest_arguments:
        return 1 if _pytest(environment, pytest_arguments) else 0
    began = time.monotonic()
    failures: list[checks.Outcome] = []
    beside = threading.Thread(target=lambda: failures.extend(checks.failures_of(environment, checks.names())))
    beside.start()
    processes = min(os.cpu_count() or 1, MOST_PROCESSES)
    say(f"Tests, in {processes} processes")
    code = _pytest_in_lines(environment, [f"--numprocesses={processes}", *EVERYTHING.split()])
    seconds = time.monotonic() - began
    beside.join()
    if code:
        failures.append(checks.Outcome(name="tests", seconds=seconds, said=f"pytest: code {code}"))
    checks.show_table(failures, seconds=time.monotonic() - began)
    return 1 if failures else 0


def _pytest(environment: Environment, arguments: Sequence[str]) -> int:
    return subprocess.run([environment.program("pytest"), *arguments], check=False, cwd=ROOT).returncode


def _pytest_in_lines(environment: Environment, arguments: Sequence[str]) -> int:
    """Run pytest and show whole lines of it only: what a check says stands between them, never in them."""
    command = [str(environment.program("pytest")), f"--color={'yes' if sys.stdout.isatty() else 'no'}", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT) as tests:
        assert tests.stdout is not None  # noqa: S101 — for the type checker
        while True:
            try:
                for line in tests.stdout:
                    say(line, end="")
                return tests.wait()
            except KeyboardInterrupt:
                say("\nStopping: the tests put away what they started.")
