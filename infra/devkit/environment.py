"""The Python environment: made from a lock with hashes, once; afterwards a glance at a stamp."""

import contextlib
import fcntl
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from devkit.console import Failed, step
from devkit.index import IndexSettings, NotFetched, Pin, fetch_wheel
from devkit.places import DEVELOPMENT_LOCK, ROOT, RUNTIME_LOCK, environment_dirs

BOOTSTRAP_LOCK = Path(__file__).with_name("bootstrap.lock")
OLDEST_UV = (0, 5)
NO_NETWORK = """\
The Python packages could not be installed.
{problem}

They come from the package index that pip would use. If this machine reaches it through a proxy or
a mirror, set HTTPS_PROXY, or PIP_INDEX_URL (and PIP_CERT for a certificate of one's own). On a small
image without certificates, install the package ca-certificates. Then run the same command again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A Python environment with the packages of a lock and this checkout."""

    path: Path

    @property
    def python(self) -> Path:
        """Return the environment's interpreter."""
        return self.path / "bin" / "python"

    def program(self, name: str) -> Path:
        """Return the path of a program that a package brought."""
        return self.path / "bin" / name


def ready_environment(*, development: bool) -> Environment:
    """Return the environment, made or brought up to date if need be.

    The packages for running are enough for `run`; one that has those for developing too serves as well.

    :raises Failed: with what to do.
    """
    locks = (DEVELOPMENT_LOCK,) if development else (RUNTIME_LOCK, DEVELOPMENT_LOCK)
    for path in environment_dirs():
        if any(_stamp_of(path) == _wanted_stamp(path, lock) for lock in locks):
            return Environment(path=path)
    path = _writable_dir()
    with _alone():
        if any(_stamp_of(path) == _wanted_stamp(path, lock) for lock in locks):
            return Environment(path=path)
        # A development environment stays one when only `run` is asked for.
        lock = DEVELOPMENT_LOCK if _stamp_of(path).get("name") == DEVELOPMENT_LOCK.name else locks[0]
        with step(f"Python environment from {lock.name}"):
            _make(path, lock)
    return Environment(path=path)


def find_uv(environment: Path) -> Path:
    """Return uv: the one on the path if it is recent, else the pinned one, fetched into the environment.

    :raises NotFetched: when it cannot be had.
    """
    own = environment / "bin" / "uv"
    installed = shutil.which("uv")
    for candidate in (own, Path(installed) if installed else own):
        if candidate.exists() and _uv_version(candidate) >= OLDEST_UV:
            return candidate
    pin = Pin.read(BOOTSTRAP_LOCK)
    wheel = fetch_wheel(pin, IndexSettings.read())
    with zipfile.ZipFile(io.BytesIO(wheel)) as files:
        program = files.read(f"{pin.name}-{pin.version}.data/scripts/uv")
    unfinished = own.with_name("uv.new")
    unfinished.write_bytes(program)
    unfinished.chmod(0o755)
    unfinished.rename(own)
    return own


def uv_variables() -> dict[str, str]:
    """Return the variables for uv: pip's settings, which uv does not read by itself, in uv's words."""
    settings = IndexSettings.read()
    variables = dict(os.environ)
    variables.setdefault("UV_SYSTEM_CERTS", "true")
    variables["UV_PYTHON_DOWNLOADS"] = "never"
    if settings.url and not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"} & variables.keys():
        variables["UV_DEFAULT_INDEX"] = settings.url
    if settings.find_links:
        variables.setdefault("UV_FIND_LINKS", ",".join(settings.find_links))
    if settings.offline:
        variables["UV_NO_INDEX"] = "true"
    if settings.certificates:
        variables.setdefault("SSL_CERT_FILE", settings.certificates)
    if not os.access(Path.home(), os.W_OK):
        variables.setdefault("UV_NO_CACHE", "true")
    return variables


def _wanted_stamp(path: Path, lock: Path) -> Mapping[str, str]:
    return {
        "name": lock.name,
        "lock": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "checkout": str(ROOT),
        "python": os.path.realpath(path / "bin" / "python"),
    }


def _stamp_of(path: Path) -> Mapping[str, str]:
    try:
        if not os.access(path / "bin" / "python", os.X_OK):
            return {}
        stamp = json.loads((path / "sokhoe-stamp.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in stamp.items()} if isinstance(stamp, dict) else {}


def _writable_dir() -> Path:
    inside, outside = environment_dirs()
    for path in (inside, outside):
        with contextlib.suppress(OSError):
            path.mkdir(parents=True, exist_ok=True)
            if os.access(path, os.W_OK | os.X_OK):
                return path
    raise Failed(f"Neither {inside} nor {outside} can be written: the Python environment has no place.")


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Let only one process at a time make the environment. The lock is on the folder: no file is left."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _make(path: Path, lock: Path) -> None:
    stamp = path / "sokhoe-stamp.json"
    old = _stamp_of(path)
    wanted = _wanted_stamp(path, lock)
    stamp.unlink(missing_ok=True)
    if any(old.get(part) != wanted[part] for part in ("checkout", "python")):
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=False, prompt="sokhoe").create(path)
    problems = []
    for install in (_install_with_uv, _install_with_pip):
        problem = install(path, lock)
        if problem is None:
            break
        problems.append(problem)
    else:
        raise Failed(NO_NETWORK.format(problem="\n".join(problems)))
    _install_checkout(path)
    stamp.write_text(json.dumps(_wanted_stamp(path, lock), indent=1), encoding="utf-8")


def _install_with_uv(path: Path, lock: Path) -> str | None:
    try:
        uv = find_uv(path)
    except NotFetched as problem:
        return str(problem)
    command: list[str | Path] = [uv, "pip", "sync", "--require-hashes", "--quiet", "--compile-bytecode"]
    command += ["--only-binary", ":all:", "--python", path / "bin" / "python"]
    return _run([*command, lock], uv_variables())


def _install_with_pip(path: Path, lock: Path) -> str | None:
    """Install with the pip of the starting Python, which knows settings that we do not read."""
    if importlib.util.find_spec("pip") is None:
        return "This Python has no pip to try instead."
    command: list[str | Path] = [sys.executable, "-m", "pip", "--python", path / "bin" / "python"]
    command += ["--disable-pip-version-check", "--retries", "1"]
    command += ["install", "--quiet", "--require-hashes", "--only-binary", ":all:", "--requirement", lock]
    return _run(command, dict(os.environ))


def _run(command: list[str | Path], variables: Mapping[str, str]) -> str | None:
    """Run in an empty folder, so that no setting of the checkout counts; return what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(part) for part in command],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env=variables,
        )
    if done.returncode == 0:
        return None
    return "\n".join(done.stdout.strip().splitlines()[-12:])


def _install_checkout(path: Path) -> None:
    """Let the environment import `app` from this checkout, and give it the program `sokhoe`.

    No build tool is needed for that. `/bin/sh` starts the program: a path in `#!` may hold no blanks.
    """
    site = next(path.glob("lib/python3*/site-packages"))
    (site / "sokhoe.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    program = path / "bin" / "sokhoe"
    program.write_text(
        "#!/bin/sh\n"
        f'\'\'\'exec\' "{path / "bin" / "python"}" "$0" "$@"\n'
        "' '''\n"
        "import sys\n\n"
        "from app.cli import main\n\n"
        "sys.exit(main())\n",
        encoding="utf-8",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _uv_version(program: Path) -> tuple[int, ...]:
    try:
        said = subprocess.run([program, "--version"], check=False, capture_output=True, text=True).stdout
    except OSError:
        return (0,)
    found = re.search(r"(\d+)\.(\d+)", said)
    return tuple(int(number) for number in found.groups()) if found else (0,)
