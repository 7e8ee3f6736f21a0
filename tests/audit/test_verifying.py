"""The auditor's check: whichever column of whichever row a superuser changes, the row is named (T16)."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.audit import verifying
from app.audit.checkpoints import Signer
from app.audit.lines import canonical
from app.audit.verifying import Known, Verdict
from app.core.db import Login
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.tries import run
from tests.audit.commanding import sokhoe
from tests.audit.sealers import Sealers
from tests.audit.visitors import Visitors
from tests.conftest import Ground
from tests.people import Stand

BYTES = "set_byte({c}, 0, get_byte({c}, 0) # 1)"
NUMBER = "{c} + 1000"
CHANGES = {
    "head": {"citizen_id": "{other}", "n": NUMBER, "hash": BYTES},
    "line": {
        "citizen_id": "{other}",
        "n": NUMBER,
        "previous": BYTES,
        "at": "at + interval '1 microsecond'",
        "action": "action || 'X'",
        "category": "category || 'X'",
        "actor_kind": "actor_kind || 'X'",
        "actor_id": "{other}",
        "actor_name": "coalesce(actor_name, '') || 'x'",
        "facility_code": "coalesce(facility_code, '') || 'x'",
        "about": """about || '{{"purpose": "OTHER"}}'""",
        "nonce": BYTES,
    },
    "leaf": {"citizen_id": "{other}", "n": NUMBER, "hash": BYTES, "leaf_index": "coalesce(leaf_index, 0) + 1000"},
    "tile": {"level": "level + 40", "position": "position + 40", "hashes": BYTES},
    "tree": {"size": "size + 1"},
    "checkpoint": {"size": NUMBER, "root": BYTES, "note": "overlay(note placing 'X' from 3 for 1)"},
}
OPERATIONAL = {
    "line": {"transaction"},  # good for the ten seconds of an announcement
    "tree": {"is_only", "epoch", "sealed_at", "stop_after"},  # whose turn it is, and since when
    "checkpoint": {"signed_at"},
}
COLUMNS = [(table, column) for table, columns in CHANGES.items() for column in columns]
NOBODY = UUID("01980000-0000-7000-8000-000000000000")


@dataclass(frozen=True, slots=True)
class Log:
    """A log of three citizens, sealed twice, with a line that is not sealed yet."""

    stand: Stand
    citizens: tuple[UUID, ...]
    kept: str  # the first signed head
    key: str


@pytest.fixture(scope="module")
def log(stand: Stand) -> Log:
    stand.facility()
    visitors, sealers = Visitors(stand), Sealers(stand)
    doctor = visitors.practitioner()
    citizens = tuple(visitors.citizen(name) for name in ("Lan", "Hoa", "Cúc"))
    for _ in range(2):
        for citizen in citizens:
            visitors.view(citizen, by=doctor, about={"purpose": "TREATMENT"})
            visitors.write(citizen, "GRANT_REVOKED", by=None)
        sealers.seal()
    visitors.write(citizens[0], "GRANT_GIVEN", by=doctor)
    kept = stand.as_owner("SELECT note FROM audit.checkpoint ORDER BY size LIMIT 1")[0].note
    return Log(stand, citizens, kept, sealers.signer.verifier)


async def verdict_of(connection: Any, log: Log, *, notes: tuple[str, ...] = ()) -> Verdict:
    known = Known(verifiers=(log.key,), notes=notes)
    return await verifying.verify(connection, known=known, progress=lambda _what, _count: None)


def tampered(
    ground: Ground, log: Log, *statements: str, notes: tuple[str, ...] = (), arguments: tuple[Any, ...] = ()
) -> Verdict:
    """Return the verdict over a log that a superuser changed; the change is undone."""

    async def work() -> Verdict:
        async with tries.as_superuser(ground, log.stand.settings) as connection:
            change = connection.transaction(isolation="repeatable_read")
            await change.start()
            await connection.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                await connection.execute(statement, *arguments)
            found = await verdict_of(connection, log, notes=notes)
            await change.rollback()
            return found

    return run(work)


def test_a_whole_log_is_sound_to_the_auditor(log: Log) -> None:
    async def work() -> Verdict:
        connection = await log.stand.connect(Login.AUDITOR)
        try:
            return await verdict_of(connection, log, notes=(log.kept,))
        finally:
            await connection.close()

    found = asyncio.run(work())
    assert (found.problems, found.lines, found.size, found.unsealed) == ([], 13, 12, 1)


def test_t16_every_column_is_tried_or_is_no_part_of_the_proof(ground: Ground, log: Log) -> None:
    rows = ground.cluster.psql(
        "SELECT table_name || '|' || column_name FROM information_schema.columns WHERE table_schema = 'audit' "
        "AND table_name NOT IN ('question', 'sealer_key')",
        log.stand.settings.database_url.rpartition("/")[2],
    )
    there = {tuple(row.split("|")) for row in rows.splitlines()}
    assert there == set(COLUMNS) | {(table, column) for table, known in OPERATIONAL.items() for column in known}


def names_of(table: str, row: Any) -> tuple[str, ...]:
    """Return how a row may be named, one of them at least."""
    match table:
        case "head":
            return (f"head of citizen {row['citizen_id']}",)
        case "line" | "leaf":
            whose = f"{row['n']} of citizen {row['citizen_id']}"
            return (f"line {whose}", f"leaf {whose}")
        case "tile":
            return (f"tile {row['position']} of level {row['level']}",)
        case "tree":
            return ("the tree says",)
        case _:
            return (f"checkpoint of size {row['size']}:", f"checkpoint of size {row['size'] + 1000}:")


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_t16_a_changed_column_of_any_row_names_the_row(ground: Ground, log: Log, table: str, column: str) -> None:
    change = CHANGES[table][column].format(c=column, other=f"'{NOBODY}'::uuid")
    rows = log.stand.as_owner(f"SELECT ctid::text AS place, t.* FROM audit.{table} t")

    assert rows
    for row in rows:
        found = tampered(ground, log, f"UPDATE audit.{table} SET {column} = {change} WHERE ctid = '{row.place}'")
        assert any(name in text for name in names_of(table, row._mapping) for text in found.problems), (
            row,
            found.problems,
        )


@pytest.mark.parametrize("table", ["head", "line", "leaf", "tile"])
def test_t16_a_deleted_row_is_named(ground: Ground, log: Log, table: str) -> None:
    for row in log.stand.as_owner(f"SELECT ctid::text AS place, t.* FROM audit.{table} t"):
        found = tampered(ground, log, f"DELETE FROM audit.{table} WHERE ctid = '{row.place}'")
        assert any(name in text for name in names_of(table, row._mapping) for text in found.problems), found.problems


def test_t16_a_deleted_line_is_named_even_when_its_leaf_goes_too(ground: Ground, log: Log) -> None:
    citizen = log.citizens[1]
    gone = " WHERE citizen_id = $1 AND n = 2"

    found = tampered(
        ground, log, f"DELETE FROM audit.line{gone}", f"DELETE FROM audit.leaf{gone}", arguments=(citizen,)
    )
    assert f"line 2 of citizen {citizen}: it is missing" in found.problems


def test_t16_two_lines_that_were_swapped_are_named(ground: Ground, log: Log) -> None:
    citizen = log.citizens[1]
    step = "UPDATE audit.{} SET n = {} WHERE citizen_id = $1 AND n = {}"

    for tables in (("line",), ("line", "leaf")):
        statements = [step.format(table, *move) for table in tables for move in ((-1, 1), (1, 2), (2, -1))]
        found = tampered(ground, log, *statements, arguments=(citizen,))
        assert any(f"line 1 of citizen {citizen}" in text for text in found.problems)
        assert any(f"line 2 of citizen {citizen}" in text for text in found.problems)


def cut_to(size: int) -> tuple[str, ...]:
    """Return how somebody with every right makes the log end earlier, without a trace in the database."""
    lines = """DELETE FROM audit.line l USING audit.leaf f
                WHERE f.citizen_id = l.citizen_id AND f.n = l.n AND coalesce(f.leaf_index, 999) >= {0}"""
    heads = """UPDATE audit.head h SET (n, hash) = (SELECT f.n, f.hash FROM audit.leaf f
                WHERE f.citizen_id = h.citizen_id ORDER BY f.n DESC LIMIT 1)"""
    return (
        lines.format(size),
        f"DELETE FROM audit.leaf WHERE coalesce(leaf_index, 999) >= {size}",
        heads,
        f"UPDATE audit.tile SET hashes = substr(hashes, 1, ({size} >> level) * 32)",
        "DELETE FROM audit.tile WHERE hashes = ''",
        f"DELETE FROM audit.checkpoint WHERE size > {size}",
        f"UPDATE audit.tree SET size = {size}",
    )


def test_t16_a_tail_that_was_cut_off_shows_against_a_head_that_was_kept(ground: Ground, log: Log) -> None:
    kept = log.stand.as_owner("SELECT note FROM audit.checkpoint ORDER BY size DESC LIMIT 1")[0].note

    assert tampered(ground, log, *cut_to(6)).problems == []  # the database alone cannot tell
    assert tampered(ground, log, *cut_to(6), notes=(kept,)).problems == [
        "checkpoint of size 12: the tree has 6 leaves; the rest was cut off"
    ]
    assert tampered(ground, log, *cut_to(6)[:4]).problems != []


def test_t16_a_log_written_anew_shows_against_a_head_that_was_kept(ground: Ground, log: Log) -> None:
    """Whoever has the sealer's key too makes a whole new log: only what was kept outside tells."""
    sealers = Sealers(log.stand)
    other = sealers.signer.sign(size=6, root=b"\x05" * 32)

    found = tampered(ground, log, notes=(other,))
    assert "two roots were signed for one size, 6" in found.problems


def test_t16_a_head_signed_by_another_key_is_named(ground: Ground, log: Log) -> None:
    name = log.key.partition("+")[0]
    forged = Signer(name=name, seed=b"\x01" * 32).sign(size=12, root=b"\x00" * 32)
    found = tampered(ground, log, "UPDATE audit.checkpoint SET note = $1 WHERE size = 12", arguments=(forged,))
    assert found.problems == ["checkpoint of size 12: signed by no known key"]


def test_t16_a_log_whose_heads_were_all_deleted_is_not_sound(ground: Ground, log: Log) -> None:
    """Whoever writes the log anew cannot sign it, but could leave no head to compare with."""
    assert tampered(ground, log, "DELETE FROM audit.checkpoint").problems == ["checkpoint of size 12: it is missing"]


def test_the_command_says_that_a_log_is_sound(settings: Settings, log: Log, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(log.kept, encoding="utf-8")

    code, told = sokhoe(settings, "audit", "verify", "--key", log.key, "--checkpoint", str(kept), "--json")
    assert (code, json.loads(told)["status"], json.loads(told)["lines"]) == (0, "sound", 13)


@pytest.fixture
def damaged(ground: Ground, log: Log) -> Iterator[UUID]:
    citizen = log.citizens[2]
    database = log.stand.settings.database_url.rpartition("/")[2]
    change = f"UPDATE audit.line SET action = 'NOTHING' WHERE citizen_id = '{citizen}' AND n = 3"
    ground.cluster.psql(change, database)
    yield citizen
    ground.cluster.psql(change.replace("NOTHING", "BOOK_OPENED"), database)


def test_the_command_names_the_line_that_was_changed(settings: Settings, damaged: UUID) -> None:
    code, told = sokhoe(settings, "audit", "verify")
    assert code == 1
    assert f"line 3 of citizen {damaged}: it was changed" in told


def test_canonical_json_of_the_judge_sorts_and_leaves_letters_alone() -> None:
    assert canonical({"b": [1, None, True], "a": 'ộ"\n'}) == '{"a":"ộ\\"\\n","b":[1,null,true]}'
