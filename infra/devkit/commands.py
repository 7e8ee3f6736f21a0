"""The commands of dev.py. Exit codes: 0 done, 1 failed, 2 usage."""

import argparse
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from devkit import checks, demo, locks, testing
from devkit.console import Failed, say
from devkit.environment import ready_environment
from devkit.places import ROOT

DEFAULT_PORT = 8000
FEWEST_CITIZENS, MOST_CITIZENS = 4, 20_000
MOST_PORT = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: what it is for, and what it does with the rest of the line."""

    purpose: str
    do: Callable[[list[str]], int]


def dispatch(arguments: list[str]) -> int:
    """Run one command and return its exit code."""
    listing = "\n".join(f"  {name:8}{command.purpose}" for name, command in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="dev.py",
        description="Set up, run and check Sổ Khỏe.",
        epilog=f"commands:\n{listing}\n\nEach has its own --help.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    chosen = parser.parse_args(arguments[:1])
    try:
        return COMMANDS[chosen.command].do(arguments[1:])
    except Failed as problem:
        say()
        sys.stderr.write(f"{problem}\n")
        return 1
    except KeyboardInterrupt:
        return 1


def _run(arguments: list[str]) -> int:
    parser = _parser("run")
    parser.add_argument(
        "--port",
        type=_port,
        default=DEFAULT_PORT,
        help="port of the API (8000); the next one is the identity provider's",
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the data, kept between runs (SOKHOE_DATA)")
    parser.add_argument("--fresh", action="store_true", help="empty the folder first, if it is one of ours")
    parser.add_argument("--citizens", type=_amount, metavar="N", help="how many citizens the demo has")
    chosen = parser.parse_args(arguments)
    return demo.run(demo.Options(port=chosen.port, data=chosen.data, fresh=chosen.fresh, citizens=chosen.citizens))


def _test(arguments: list[str]) -> int:
    parser = _parser("test", usage="dev.py test [PYTEST ARGUMENT ...]")
    parser.epilog = (
        "Without arguments: every test, in as many processes as there are cores, and every check beside them. "
        "Arguments go to pytest, as in `dev.py test tests/sharing -x`; it is one process then, and no checks."
    )
    if arguments[:1] in (["-h"], ["--help"]):
        parser.parse_args(arguments)
    return testing.run_tests(arguments)


def _check(arguments: list[str]) -> int:
    parser = _parser("check")
    parser.add_argument(
        "name", nargs="*", type=_check_name, metavar="CHECK", help="only these: " + ", ".join(checks.names())
    )
    chosen = parser.parse_args(arguments)
    return checks.run_checks(chosen.name)


def _bench(arguments: list[str]) -> int:
    names = sorted(file.stem for file in (ROOT / "bench").glob("[a-z]*.py"))
    parser = _parser("bench", usage="dev.py bench NAME [ARGUMENT ...]")
    parser.add_argument("name", choices=names, metavar="NAME", help=", ".join(names) or "there is none yet")
    chosen = parser.parse_args(arguments[:1])
    environment = ready_environment(development=True)
    return _exit_code([environment.python, "-m", f"bench.{chosen.name}", *arguments[1:]])


def _schema(arguments: list[str]) -> int:
    parser = _parser("schema")
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    chosen = parser.parse_args(arguments)
    environment = ready_environment(development=False)
    return _exit_code([environment.program("sokhoe"), "schema", "--check" if chosen.check else "--write"])


def _lock(arguments: list[str]) -> int:
    parser = _parser("lock")
    parser.add_argument("--upgrade", action="store_true", help="take newer versions, at least a week old")
    return locks.write_locks(upgrade=parser.parse_args(arguments).upgrade)


def _parser(name: str, usage: str | None = None) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(prog=f"dev.py {name}", usage=usage, description=COMMANDS[name].purpose)


def _exit_code(command: list[str | Path]) -> int:
    variables = {**os.environ, "PYTHONPATH": str(ROOT / "infra")}
    done = subprocess.run([str(part) for part in command], check=False, cwd=ROOT, env=variables)
    return done.returncode if done.returncode >= 0 else 1


def _port(text: str) -> int:
    if not (text.isdecimal() and 0 < int(text) < MOST_PORT):
        raise argparse.ArgumentTypeError(f"{text} is no port from 1 to {MOST_PORT - 1}; the next one is used, too")
    return int(text)


def _check_name(text: str) -> str:
    if text not in checks.names():
        raise argparse.ArgumentTypeError(f"there is no check {text}")
    return text


def _amount(text: str) -> int:
    if not (text.isdecimal() and FEWEST_CITIZENS <= int(text) <= MOST_CITIZENS):
        raise argparse.ArgumentTypeError(f"{text} is no number from {FEWEST_CITIZENS} to {MOST_CITIZENS}")
    return int(text)


COMMANDS: Mapping[str, Command] = {
    "run": Command(purpose="the demo: database, API, worker, sealer, identity provider; until Ctrl-C", do=_run),
    "test": Command(purpose="every check and every test; with arguments, pytest alone", do=_test),
    "check": Command(purpose="format, lint, types, imports, migrations, contract, infra", do=_check),
    "bench": Command(purpose="measure again what the documents claim", do=_bench),
    "schema": Command(purpose="write graphql/schema.graphql from the code", do=_schema),
    "lock": Command(purpose="write the requirements locks from pyproject.toml", do=_lock),
    "sokhoe": Command(purpose="the product's own command, on the running demo if there is one", do=demo.sokhoe),
}
