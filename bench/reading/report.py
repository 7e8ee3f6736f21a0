"""Results as lines `name | value | ratio | against`, and as a section of BENCHMARKS.md."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.reading.machine import size
from bench.reading.questions import BOUND_QUESTIONS, DISTURBED, OTHERS_QUESTIONS, PARENT, UNDISTURBED
from bench.reading.questions import QUESTIONS as PLAIN_QUESTIONS
from bench.reading.rounds import ATTACKS_A_SECOND, BUSY, SATURATED, UNLOADED, Table
from bench.reading.servers import OURS, PEERS
from devkit.places import ROOT

PAGE = ROOT / "BENCHMARKS.md"
PGBENCH = "pgbench"
HOME_SCREEN = "home screen"
QUESTIONS = (*PLAIN_QUESTIONS, *BOUND_QUESTIONS, *OTHERS_QUESTIONS)
BOUND = ("visits page, DPoP", "home screen, DPoP", "50-point trend, DPoP")
WANTED = {
    "PostGraphile": {
        "visits page": 3.0,
        HOME_SCREEN: 3.0,
        "50-point trend": 3.0,
        "a phone's day": 10.0,
        **dict.fromkeys(BOUND, 2.5),
        **{question.name: 1.5 if question.reader == PARENT else 1.2 for question in OTHERS_QUESTIONS},
    },
    "mercurius": {"visits page": 1.5, HOME_SCREEN: 1.5, "50-point trend": 1.5},
    "Strawberry, tuned": {"visits page": 10.0, HOME_SCREEN: 10.0, "50-point trend": 10.0},
    PGBENCH: {"visits page": 0.75, HOME_SCREEN: 0.75, "50-point trend": 0.75},
}


def lines_of(table: Table) -> list[str]:
    """Return one line per figure."""
    return [*_throughput(table), *_attack(table), *_costs(table), *_waits(table)]


def _attack(table: Table) -> list[str]:
    quiet, beside = (table.middle(question.name, OURS, BUSY, "p99_ms") for question in (UNDISTURBED, DISTURBED))
    name = f"home screen, {BUSY} connections, p99 beside {ATTACKS_A_SECOND} whole books/s"
    return [f"{name} | {beside:.2f} ms | {beside / quiet:.2f} | {quiet:.2f} ms without, wanted 2 at most"]


def _throughput(table: Table) -> list[str]:
    found = []
    for question in QUESTIONS:
        mine = table.middle(question.name, OURS, SATURATED, "per_second")
        for other in (*PEERS, PGBENCH):
            # A peer has no ETag: for it an unchanged screen is a screen. pgbench has no HTTP, so no 304 either.
            asked = question.name if question.everybody or question.compared else HOME_SCREEN
            if not table.has(asked, other, SATURATED) or (other == PGBENCH and not question.everybody):
                continue
            ratio = table.ratio((question.name, OURS), (asked, other))
            goal = WANTED[other].get(question.name)
            verdict = "" if goal is None else f", wanted {goal:g}" + ("" if ratio >= goal else " (missed)")
            found.append(
                f"{question.name}, {SATURATED} connections | {mine:.0f} requests/s | {ratio:.2f} | "
                f"{other}: {table.middle(asked, other, SATURATED, 'per_second'):.0f} requests/s{verdict}"
            )
    return found


def _costs(table: Table) -> list[str]:
    found = []
    for question in QUESTIONS:
        ours = _cpu(table, question.name, OURS)
        for name in (OURS, *PEERS) if question.everybody else (OURS,):
            if table.has(question.name, name, SATURATED):
                server, database = _cpu(table, question.name, name)
                found.append(
                    f"{question.name}, CPU a request, {name} | {server:.3f} ms server + {database:.3f} ms PostgreSQL | "
                    f"{server / ours[0]:.1f} server, {(server + database) / sum(ours):.1f} both | {OURS}"
                )
    return found


def _cpu(table: Table, question: str, server: str) -> tuple[float, float]:
    mine = table.middle(question, server, SATURATED, "server_cpu_ms")
    return mine, table.middle(question, server, SATURATED, "database_cpu_ms")


def _waits(table: Table) -> list[str]:
    found = []
    for question in QUESTIONS:
        for server in (OURS, *PEERS) if question.everybody else (OURS,):
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
