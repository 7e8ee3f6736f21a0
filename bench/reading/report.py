"""Results as lines `name | value | ratio | against`, and as a section of BENCHMARKS.md."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.reading.machine import size
from bench.reading.questions import QUESTIONS
from bench.reading.rounds import SATURATED, UNLOADED, Table
from bench.reading.servers import OURS, PEERS
from devkit.places import ROOT

PAGE = ROOT / "BENCHMARKS.md"
PGBENCH = "pgbench"
WANTED = {
    "PostGraphile": {"visits page": 3.0, "home screen": 3.0, "50-point trend": 3.0, "a phone's day": 10.0},
    "mercurius": {"visits page": 1.5, "home screen": 1.5, "50-point trend": 1.5},
    "Strawberry, tuned": {"visits page": 10.0, "home screen": 10.0, "50-point trend": 10.0},
    PGBENCH: {"visits page": 0.75, "home screen": 0.75, "50-point trend": 0.75},
}


def lines_of(table: Table) -> list[str]:
    """Return one line per figure."""
    return [*_throughput(table), *_costs(table), *_waits(table)]


def _throughput(table: Table) -> list[str]:
    found = []
    for question in QUESTIONS:
        mine = table.middle(question.name, OURS, SATURATED, "per_second")
        for other in (*PEERS, PGBENCH):
            asked = question.name if table.has(question.name, other, SATURATED) else "home screen"
            if not table.has(asked, other, SATURATED) or (other == PGBENCH and asked != question.name):
                continue
            pairs = list(
                zip(table.runs[question.name, OURS, SATURATED], table.runs[asked, other, SATURATED], strict=True)
            )
            ratios = sorted(ours.per_second / theirs.per_second for ours, theirs in pairs)
            ratio = ratios[len(ratios) // 2] if len(ratios) % 2 else sum(ratios[len(ratios) // 2 - 1 :][:2]) / 2
            theirs = table.middle(asked, other, SATURATED, "per_second")
            goal = WANTED[other].get(question.name)
            verdict = "" if goal is None else f", wanted {goal:g}" + ("" if ratio >= goal else " (missed)")
            found.append(
                f"{question.name}, {SATURATED} connections | {mine:.0f} requests/s | {ratio:.2f} | "
                f"{other}: {theirs:.0f} requests/s{verdict}"
            )
    return found


def _costs(table: Table) -> list[str]:
    found = []
    for question in QUESTIONS:
        for server in (OURS, *PEERS):
            if table.has(question.name, server, SATURATED):
                mine, database = (
                    table.middle(question.name, server, SATURATED, figure)
                    for figure in ("server_cpu_ms", "database_cpu_ms")
                )
                ratio = table.ratio(question.name, server, OURS, "server_cpu_ms")
                whole = (mine + database) / sum(
                    table.middle(question.name, OURS, SATURATED, figure)
                    for figure in ("server_cpu_ms", "database_cpu_ms")
                )
                found.append(
                    f"{question.name}, CPU a request, {server} | {mine:.3f} ms server + {database:.3f} ms PostgreSQL | "
                    f"{ratio:.1f} server, {whole:.1f} both | {OURS}"
                )
    return found


def _waits(table: Table) -> list[str]:
    found = []
    for question in QUESTIONS:
        for server in (OURS, *PEERS):
            for connections in (UNLOADED, SATURATED):
                if table.has(question.name, server, connections):
                    middle, slow = (table.middle(question.name, server, connections, p) for p in ("p50_ms", "p99_ms"))
                    name = f"{question.name}, p50 / p99, {connections} at once, {server}"
                    found.append(f"{name} | {middle:.2f} / {slow:.2f} ms | {slow / middle:.1f} | its p50")
    return found


def show(title: str, method: str, lines: Sequence[str], *, write: bool) -> None:
    """Print the lines; write them into their section of BENCHMARKS.md when that is wanted."""
    print(f"\n{title}\n" + "\n".join(lines))
    if not write:
        return
    today = datetime.now(UTC).date()
    section = (
        f"<!-- {title} -->\n## {title}\n\n{method}\nMeasured on {today} on {size()}.\n\n"
        "| name | value | ratio | against |\n|---|---|---|---|\n"
        + "".join(f"| {line} |\n" for line in lines)
        + f"<!-- end of {title} -->\n"
    )
    text = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "# Benchmarks\n"
    marks = re.compile(rf"<!-- {re.escape(title)} -->.*<!-- end of {re.escape(title)} -->\n", re.DOTALL)
    text = marks.sub(lambda _old: section, text) if marks.search(text) else f"{text}\n{section}"
    PAGE.write_text(text, encoding="utf-8")
    print(f"written to {PAGE.name}")
