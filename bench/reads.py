"""How fast books are read, beside the peers.

    python3 dev.py bench reads [--rounds N] [--seconds N] [--citizens N] [--write]

Fills a database that the product's own migrations made, starts this API, PostGraphile 5, mercurius and a tuned
Strawberry on one core and PostgreSQL with the load generator on another, checks that all four answer the same data,
and then measures them in turn. Ours runs with session lookup, policies and ETag; the peers with plain row-level
security and no login. Linux, two cores.
"""

import argparse
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from bench.reading import answers, machine, report
from bench.reading.book import DATABASE, Book, open_book
from bench.reading.questions import (
    BOUND_QUESTIONS,
    DISTURBED,
    OPERATIONS,
    OTHERS_QUESTIONS,
    PARENT,
    QUESTIONS,
    UNDISTURBED,
    WORST,
    Question,
    etags_of,
)
from bench.reading.rounds import BUSY, SATURATED, UNLOADED, Table, attack, load, pgbench, prepare
from bench.reading.servers import OUR_POOL, OURS, PEER_POOL, PEERS, POSTGRAPHILE, Server, installed_peers, running

COMPARED = 5
METHOD = """\
Server on one core; PostgreSQL and the load generator on another; loopback; every request for another citizen with a
heavy book (30 visits, 40 prescriptions x 3 drugs, 40 laboratory reports x 10 results, 50 functional tests); the same
indexes for everybody; PostgreSQL's shared memory in huge pages: {huge_pages}; {ours} connections to PostgreSQL for
ours, {peers} for each peer, with which each is fastest.
Ours: session lookup, row-level security, ETag. Peers: plain row-level security by one setting, registered documents, no
login. Figures are medians of {rounds} interleaved
rounds of {seconds:g} s, ratios medians of the rounds' own ratios. {citizens} citizens.
The 50-point trend is fifty functional tests with facility and value. A parent's and a practitioner's rows: masks and
classes judged (one visit in twenty is hidden), a line of the visitors' book flushed before each answer, that of a
practitioner in a transaction before the reading. The attacker asks for the whole of a heavy book 50 times a second.
Leaves a response: {leaves}."""


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(prog="dev.py bench reads", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2, help="of one run")
    parser.add_argument("--citizens", type=int, default=2000, help="every tenth has a heavy book")
    parser.add_argument("--only", choices=[OURS, *PEERS], action="append", help="measure only these servers")
    parser.add_argument("--write", action="store_true", help="update BENCHMARKS.md")
    chosen = parser.parse_args()
    machine.require()
    peers = installed_peers()
    with open_book() as book, ExitStack() as stack:
        book.fill(first=1, last=chosen.citizens)
        names = [name for name in (OURS, *PEERS) if name == OURS or not chosen.only or name in chosen.only]
        servers = [stack.enter_context(running(name, book, peers)) for name in names]
        people = book.heavy()
        leaves = answers.compare(servers, people[:COMPARED])
        print(f"{len(servers)} servers answer the same: {leaves}", flush=True)
        table = _measured(book, servers, rounds=chosen.rounds, seconds=chosen.seconds)
        memory = machine.resident_mb(machine.tree_of(servers[0].process.pid))
        huge_pages = book.cluster.psql("SHOW huge_pages_status", DATABASE).strip()
    lines = report.lines_of(table)
    lines.append(
        f"resident memory of the API after the run | {memory:.0f} MB | {memory / 150:.2f} | 150 MB wanted at most"
    )
    method = METHOD.format(
        huge_pages=huge_pages,
        ours=OUR_POOL,
        peers=PEER_POOL,
        rounds=chosen.rounds,
        seconds=chosen.seconds,
        citizens=f"{chosen.citizens:,}",
        leaves=", ".join(f"{operation} {count}" for operation, count in leaves.items()),
    )
    report.show("Reads beside the peers", method, lines, write=chosen.write)


def _measured(book: Book, servers: list[Server], *, rounds: int, seconds: float) -> Table:
    people = book.heavy()
    etags = etags_of(servers[0], people)
    asked: list[tuple[Question, Server]] = [
        (question, server) for question in QUESTIONS for server in servers if question.everybody or server.name == OURS
    ]
    requests = {(q.name, s.name): prepare(book, q, s, people, etags) for q, s in asked}
    table = Table()
    for question, server in asked:  # every plan, prepared statement and JIT warm
        load(
            book,
            question,
            server,
            requests=requests[question.name, server.name],
            connections=SATURATED,
            seconds=seconds,
        )
    for number in range(rounds):
        for question in QUESTIONS:
            for server in [server for one, server in asked if one is question]:
                run = load(
                    book, question, server, requests=requests[question.name, server.name], connections=SATURATED,
                    seconds=seconds,
                )  # fmt: skip
                table.add(question.name, server.name, SATURATED, run)
            if question.operation in OPERATIONS and not question.unchanged:
                called = pgbench(book, question.operation, people=len(people), seconds=max(1, round(seconds)))
                table.add(question.name, report.PGBENCH, SATURATED, called)
        for question, server in asked:
            run = load(
                book, question, server, requests=requests[question.name, server.name], connections=UNLOADED,
                seconds=max(1.0, seconds / 3),
            )  # fmt: skip
            table.add(question.name, server.name, UNLOADED, run)
        print(f"round {number + 1} of {rounds}", flush=True)
    beside = _Beside(book=book, servers=servers, requests=requests, seconds=seconds)
    _measure_bound(table, book, servers[0], rounds=rounds, seconds=seconds, beside=beside)
    _measure_attack(table, book, servers[0], rounds=rounds, seconds=seconds)
    _measure_others(table, book, servers[0], rounds=rounds, seconds=seconds, beside=beside)
    return table


@dataclass(frozen=True, slots=True, kw_only=True)
class _Beside:
    """What ours alone is asked is compared with PostGraphile of the same minute: machines do not stay as fast."""

    book: Book
    servers: list[Server]
    requests: dict[tuple[str, str], Path]
    seconds: float

    def add(self, table: Table, question: Question) -> None:
        """Ask PostGraphile, if it runs, what the question is compared with."""
        server = next((one for one in self.servers if one.name == POSTGRAPHILE), None)
        plain = next((one for one in QUESTIONS if one.name == question.compared), None)
        if server is None or plain is None:
            return
        made = self.requests[plain.name, server.name]
        run = load(self.book, plain, server, requests=made, connections=SATURATED, seconds=self.seconds)
        table.add(question.name, server.name, SATURATED, run)


def _measure_bound(table: Table, book: Book, server: Server, *, rounds: int, seconds: float, beside: _Beside) -> None:
    """Measure ours with proofs of possession, which are good once: each run has requests of its own."""
    people = book.heavy()
    bound = book.bound(people)
    for number in range(-1, rounds):  # the first one warms
        for question in BOUND_QUESTIONS:
            for connections, life in ((SATURATED, seconds), (UNLOADED, max(1.0, seconds / 3))):
                made = prepare(book, question, server, bound if question.bound else people, {}, seconds=life)
                run = load(book, question, server, requests=made, connections=connections, seconds=life)
                if number >= 0:
                    table.add(question.name, server.name, connections, run)
            if number >= 0:
                beside.add(table, question)
        print(f"bound, round {number + 1} of {rounds}", flush=True)


def _measure_attack(table: Table, book: Book, server: Server, *, rounds: int, seconds: float) -> None:
    """Measure everybody's home screen with and without somebody who asks for a whole book 50 times a second."""
    people = book.heavy()
    requests = prepare(book, UNDISTURBED, server, people[1:], {})
    worst = prepare(book, WORST, server, people[:1], {})
    for _ in range(rounds):
        for question in (UNDISTURBED, DISTURBED):
            with attack(server, requests=worst, seconds=seconds) if question is DISTURBED else nullcontext():
                run = load(book, question, server, requests=requests, connections=BUSY, seconds=seconds)
            table.add(question.name, server.name, BUSY, run)


def _measure_others(table: Table, book: Book, server: Server, *, rounds: int, seconds: float, beside: _Beside) -> None:
    """Measure who reads another's book: masks judged, a line of the visitors' book flushed before each answer."""
    parents, doctors = book.others()
    for number in range(-1, rounds):  # the first one warms
        for question in OTHERS_QUESTIONS:
            people = parents if question.reader == PARENT else doctors
            requests = prepare(book, question, server, people, {})
            for connections, life in ((SATURATED, seconds), (UNLOADED, max(1.0, seconds / 3))):
                run = load(book, question, server, requests=requests, connections=connections, seconds=life)
                if number >= 0:
                    table.add(question.name, server.name, connections, run)
            if number >= 0:
                beside.add(table, question)
        print(f"others, round {number + 1} of {rounds}", flush=True)


if __name__ == "__main__":
    main()
