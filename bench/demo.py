"""How soon the demo answers when it is started again, and the memory that it holds while nobody asks anything.

    python3 dev.py bench demo [--citizens N] [--rounds N] [--port N]

Loads a demo of its own once, then starts it again `rounds` times. Memory is the Pss of `/proc/PID/smaps_rollup`, which
counts shared pages once; CPU is of everything that the command started.
"""

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from devkit.data_folder import DataFolder

ROOT = Path(__file__).parents[1]
PROGRAMS = ("API", "worker", "sealer", "identity provider")
COUNTED = ("API", "worker", "database")
LOADED = "Ctrl-C stops it."
IDLE_SECONDS = 10
GIVE_UP_SECONDS = 1800
KIB_OF_A_MEGABYTE = 1000 / 1.024
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Load once, then measure each start."""
    parser = argparse.ArgumentParser(prog="dev.py bench demo", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--citizens", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=8960)
    chosen = parser.parse_args()
    with folder() as data:
        options = ["--data", str(data), "--port", str(chosen.port), "--citizens", str(chosen.citizens)]
        with running(options) as demo:
            wait_loaded(demo)
        starts, costs, memory = [], [], []
        for _ in range(chosen.rounds):
            began = time.monotonic()
            with running(options) as demo:
                wait_ready(demo, f"http://127.0.0.1:{chosen.port}/readyz")
                starts.append(time.monotonic() - began)
                costs.append(cpu_seconds(demo.pid))
                wait_loaded(demo)
                time.sleep(IDLE_SECONDS)
                memory.append(megabytes(demo.pid, data))
    print(f"load of the machine when it ended: {os.getloadavg()[0]:.1f}")
    print(f"second start to ready, s | {statistics.median(starts):.1f} | | under 5 s")
    print(f"CPU of a second start, s | {statistics.median(costs):.1f} | |")
    for name in memory[0]:
        print(f"resident, {name}, MB | {statistics.median(one[name] for one in memory):.0f} | |")
    whole = statistics.median(sum(one[name] for name in COUNTED) for one in memory)
    print(f"resident memory of API, worker and database, MB | {whole:.0f} | | under 600 MB")


@contextmanager
def folder() -> Iterator[Path]:
    """Give a folder that the database's account can enter, and remove it."""
    made = Path(tempfile.mkdtemp(prefix="sokhoe-bench-"))
    made.chmod(0o755)
    try:
        yield made / "data"
    finally:
        shutil.rmtree(made)


@contextmanager
def running(options: list[str]) -> Iterator["subprocess.Popen[str]"]:
    """Run the demo, and stop it as Ctrl-C does."""
    command = [sys.executable, str(ROOT / "dev.py"), "run", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as demo:
        try:
            yield demo
        finally:
            demo.send_signal(signal.SIGINT)
            demo.communicate(timeout=GIVE_UP_SECONDS)


def wait_loaded(demo: "subprocess.Popen[str]") -> None:
    """Return when the demo has told that it is complete."""
    said = []
    assert demo.stdout is not None
    for line in demo.stdout:
        said.append(line)
        if LOADED in line:
            return
    raise SystemExit("The demo has ended:\n" + "".join(said))


def wait_ready(demo: "subprocess.Popen[str]", address: str) -> None:
    """Return when the API says that it is ready."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while demo.poll() is None:
        try:
            with direct.open(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
    raise SystemExit("The demo has ended.")


def families() -> Mapping[int, list[int]]:
    """Return every process's children."""
    found: dict[int, list[int]] = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(fields(place)[1])
        except OSError:
            continue
        found.setdefault(parent, []).append(int(place.name))
    return found


def fields(place: Path) -> list[str]:
    """Return what `stat` tells of a process after its name: state, parent, and so on."""
    return (place / "stat").read_text().rpartition(") ")[2].split()


def with_descendants(pid: int) -> list[int]:
    """Return a process and all that it started."""
    children, found = families(), [pid]
    for one in found:
        found += children.get(one, [])
    return found


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and all that it started, those that have ended too."""
    return sum(sum(map(int, fields(Path("/proc", str(one)))[11:15])) for one in with_descendants(pid)) / TICKS


def pss(pid: int) -> float:
    """Return a process's share of memory in MB."""
    lines = Path("/proc", str(pid), "smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / KIB_OF_A_MEGABYTE


def megabytes(pid: int, data: Path) -> Mapping[str, float]:
    """Return what each part holds; the database is what else the demo started."""
    told = DataFolder(path=data).read_running()
    assert told is not None
    parts = {name: with_descendants(child) for name, child in zip(PROGRAMS, told.children, strict=True)}
    ours = {one for part in parts.values() for one in part}
    parts["database"] = [one for one in with_descendants(pid) if one not in ours and one != pid]
    return {name: sum(pss(one) for one in part) for name, part in parts.items()}


if __name__ == "__main__":
    main()
