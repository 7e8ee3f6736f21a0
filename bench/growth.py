"""What a request costs when there are ten times the citizens, each with as much as before.

    python3 dev.py bench growth [--citizens N] [--rounds N] [--seconds N] [--write]

Measures this API alone on N citizens and, in turn, on ten times as many: CPU of the server and of PostgreSQL for one
request, and the pages that PostgreSQL touches for it.
"""

import argparse
import asyncio
import json
import statistics
from collections.abc import Sequence
from contextlib import ExitStack

from app.core.logins import Login, connect
from bench.reading import machine, report
from bench.reading.book import Book, Person, call_of, open_book
from bench.reading.questions import QUESTIONS, etags_of
from bench.reading.rounds import SATURATED, Table, load, prepare
from bench.reading.servers import OURS, running

TIMES = 10
PORT = 8951
SAMPLE = 20
METHOD = """\
{rounds} interleaved rounds of {seconds:g} s, {connections} connections, server on one core, PostgreSQL and load on
another. Rows lie in the order in which they arrived. Two databases of one server, {small} and {large} citizens; the
ratio is to the first. Pages are those that one call of the deployed function touches, median of {sample} citizens."""


def main() -> None:
    """Measure both sizes in turn."""
    parser = argparse.ArgumentParser(prog="dev.py bench growth", description=__doc__.split("\n", 1)[0])
    parser.add_argument(
        "--citizens", type=int, default=2000, help="of the small database; every tenth has a heavy book"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of one run")
    parser.add_argument("--write", action="store_true", help="update BENCHMARKS.md")
    chosen = parser.parse_args()
    machine.require()
    with open_book() as large:
        large.fill(first=1, last=chosen.citizens)
        small, few = large.copied("small"), large.heavy()
        large.fill(first=chosen.citizens + 1, last=chosen.citizens * TIMES)
        books = ((small, few), (large, large.heavy()))
        tables = _measured(books, rounds=chosen.rounds, seconds=chosen.seconds)
        pages = [asyncio.run(_pages(book, people[:SAMPLE])) for book, people in books]
    method = METHOD.format(
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        connections=SATURATED,
        small=f"{chosen.citizens:,}",
        large=f"{chosen.citizens * TIMES:,}",
        sample=SAMPLE,
    )
    report.show("Growth", method, _lines(tables, pages), write=chosen.write)


def _measured(books: Sequence[tuple[Book, Sequence[Person]]], *, rounds: int, seconds: float) -> list[Table]:
    tables = [Table() for _ in books]
    with ExitStack() as stack:
        ready = []
        for number, (book, people) in enumerate(books):
            server = stack.enter_context(running(OURS, book, None, port=PORT + number))
            etags = etags_of(server, people)
            ready.append((book, server, {q.name: prepare(book, q, server, people, etags) for q in QUESTIONS}))
        for number in range(rounds + 1):  # the first warms up
            for question in QUESTIONS:
                for table, (book, server, requests) in zip(tables, ready, strict=True):
                    file = requests[question.name]
                    run = load(book, question, server, requests=file, connections=SATURATED, seconds=seconds)
                    if number:
                        table.add(question.name, OURS, SATURATED, run)
            print(f"round {number} of {rounds}", flush=True)
    return tables


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
