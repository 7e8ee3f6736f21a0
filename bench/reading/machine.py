"""Cores, processor time and memory of this machine's processes (Linux)."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SERVER_CORE, DATABASE_CORE = 0, 1
"""One core for the server; the other for PostgreSQL and whoever sends the load."""


def require() -> None:
    """Refuse a machine on which nothing can be measured."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        raise SystemExit("bench: needs Linux and two cores")


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Start what is started here on one core: a child keeps the cores of its parent."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {sorted(before)[core]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def tree_of(root: int) -> list[int]:
    """Return a process and all below it."""
    children: dict[int, list[int]] = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(process.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def cpu_seconds(pids: list[int]) -> float:
    """Return what these processes have used so far, all their threads, and children of theirs that have ended."""
    total = 0
    for pid in pids:
        total += _of_ended_children(pid)
        for thread in Path("/proc", str(pid), "task").glob("*"):
            try:
                total += int((thread / "schedstat").read_text().split()[0])
            except (OSError, IndexError):
                continue
    return total / 1e9


def _of_ended_children(pid: int) -> int:
    try:
        fields = Path("/proc", str(pid), "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[13]) + int(fields[14])) * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def resident_mb(pids: list[int]) -> float:
    """Return the resident memory of these processes."""
    pages = 0
    for pid in pids:
        pages += int(Path("/proc", str(pid), "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def size() -> str:
    """Return what is worth knowing of this machine, in one sentence."""
    model = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GiB, Python {platform.python_version()}"
