"""What a request costs when there are ten times the citizens, each with as much as before.

    python3 dev.py bench growth [--citizens N] [--rounds N] [--seconds N] [--write]

Measures this API alone on N citizens and again on ten times as many: CPU of the server and of PostgreSQL for one
request, and the pages that PostgreSQL touches for it.
"""

import argparse
import asyncio
import json
import statistics
from collections.abc import Sequence

from app.core.db import Login, connect
from bench.reading import machine, report
from bench.reading.book import Book, Person, call_of, open_book
from bench.reading.questions import QUESTIONS, etags_of
from bench.reading.rounds import SATURATED, Table, load, prepare
from bench.reading.servers import OURS, running

TIMES = 10
SAMPLE = 20
METHOD = """\
{rounds} rounds of {seconds:g} s, {connections} connections, server on one core, PostgreSQL and load on another. Rows
lie in the order in which they arrived. First {small} citizens, then {large}; the ratio is to the first. Pages are
those that one call of the deployed function touches, the median of {sample} citizens."""


def main() -> None:
    """Measure twice."""
    parser = argparse.ArgumentParser(prog="dev.py bench growth", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--citizens", type=int, default=2000, help="at first; every tenth has a heavy book")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of one run")
    parser.add_argument("--write", action="store_true", help="update BENCHMARKS.md")
    chosen = parser.parse_args()
    machine.require()
    sizes = (chosen.citizens, chosen.citizens * TIMES)
    tables, pages = [], []
    with open_book() as book:
        filled = 0
        for size in sizes:
            book.fill(first=filled + 1, last=size)
            filled = size
            tables.append(_measured(book, rounds=chosen.rounds, seconds=chosen.seconds))
            pages.append(asyncio.run(_pages(book, book.heavy()[:SAMPLE])))
            print(f"{size:,} citizens measured", flush=True)
    method = METHOD.format(
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        connections=SATURATED,
        small=f"{sizes[0]:,}",
        large=f"{sizes[1]:,}",
        sample=SAMPLE,
    )
    report.show("Growth", method, _lines(tables, pages), write=chosen.write)


def _measured(book: Book, *, rounds: int, seconds: float) -> Table:
    table = Table()
    people = book.heavy()
    with running(OURS, book, None) as server:
        etags = etags_of(server, people)
        requests = {question.name: prepare(book, question, server, people, etags) for question in QUESTIONS}
        for number in range(rounds + 1):  # the first warms up
            for question in QUESTIONS:
                run = load(
                    book, question, server, requests=requests[question.name], connections=SATURATED, seconds=seconds
                )
                if number:
                    table.add(question.name, OURS, SATURATED, run)
    return table


async def _pages(book: Book, people: Sequence[Person]) -> dict[str, float]:
    """Return how many pages one call touches, by operation."""
    connection = await connect(book.settings, Login.API)
    found = {}
    try:
        for question in QUESTIONS[:3]:
            call = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {call_of(question.operation)}"
            counts = []
            for person in [people[0], *people]:  # the first call reads the catalogue too
                plan = json.loads(await connection.fetchval(call, person.token))
                counts.append(plan[0]["Plan"]["Shared Hit Blocks"] + plan[0]["Plan"]["Shared Read Blocks"])
            found[question.name] = statistics.median(counts[1:])
    finally:
        await connection.close()
    return found


def _lines(tables: Sequence[Table], pages: Sequence[dict[str, float]]) -> list[str]:
    lines = []
    for question in QUESTIONS:
        small, large = (
            [table.middle(question.name, OURS, SATURATED, figure) for figure in ("server_cpu_ms", "database_cpu_ms")]
            for table in tables
        )
        lines.append(
            f"{question.name}, CPU a request | {large[0]:.3f} ms server + {large[1]:.3f} ms PostgreSQL | "
            f"{sum(large) / sum(small):.2f} | {small[0]:.3f} + {small[1]:.3f} ms, wanted 1.15 at most"
        )
    lines += [
        f"{name}, pages touched | {pages[1][name]:.0f} | {pages[1][name] / pages[0][name]:.2f} | {pages[0][name]:.0f}"
        for name in pages[0]
    ]
    return lines


if __name__ == "__main__":
    main()
