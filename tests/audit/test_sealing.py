"""The sealer: every committed line once, in one tree, whoever is killed at whatever step."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from app.audit import checkpoints, sealing
from app.audit.tree import Edge
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.tries import run
from tests.audit.commanding import command, environment
from tests.audit.sealers import Sealers
from tests.audit.visitors import Visitors
from tests.people import Stand
from tests.sockets import PATIENCE

STEPS = 7  # of one round: BEGIN, turn, leaves, edge, seal, COMMIT, after it


@pytest.fixture(scope="module")
def visitors(stand: Stand) -> Visitors:
    stand.facility()
    return Visitors(stand)


@pytest.fixture(scope="module")
def sealers(stand: Stand) -> Sealers:
    return Sealers(stand)


@pytest.fixture
def citizen(visitors: Visitors) -> UUID:
    return visitors.citizen()


def tree_of(stand: Stand) -> tuple[int, bytes]:
    """Return size and root of the tree as the leaves make it, after checking that it is the signed one."""
    rows = stand.as_owner("SELECT hash, leaf_index FROM audit.leaf WHERE leaf_index IS NOT NULL ORDER BY leaf_index")
    assert [row.leaf_index for row in rows] == list(range(len(rows)))
    edge = Edge(size=0, tiles={})
    edge.grow(row.hash for row in rows)
    assert stand.as_owner("SELECT size FROM audit.tree")[0].size == edge.size
    heads = stand.as_owner("SELECT size, root FROM audit.checkpoint ORDER BY size DESC LIMIT 1")
    assert [tuple(head) for head in heads] == ([(edge.size, edge.root())] if rows else [])
    return edge.size, edge.root()


def test_committed_lines_are_sealed_once_in_the_order_of_each_citizen(
    visitors: Visitors, sealers: Sealers, citizen: UUID
) -> None:
    before, _ = tree_of(visitors.stand)
    for _ in range(3):
        visitors.write(citizen, "GRANT_GIVEN", by=None)

    assert sealers.seal() == 3
    assert sealers.seal() == 0
    assert [line.leaf_index for line in visitors.lines(citizen)] == [before, before + 1, before + 2]
    assert tree_of(visitors.stand)[0] == before + 3


def test_the_head_is_signed_by_the_sealers_key(visitors: Visitors, sealers: Sealers, citizen: UUID) -> None:
    visitors.write(citizen, "GRANT_GIVEN", by=None)
    sealers.seal()
    size, root = tree_of(visitors.stand)

    latest = sealers.ask(lambda desk: desk.fetchrow("SELECT size, note FROM audit.latest_checkpoint()"))
    keys = sealers.ask(lambda desk: desk.fetch("SELECT audit.sealer_keys()"))
    assert [key[0] for key in keys] == [sealers.signer.verifier]
    found = checkpoints.read(latest["note"], verifiers=(sealers.signer.verifier,))
    assert (found.size, found.root, latest["size"]) == (size, root, size)
    assert found.origin == "sokhoe/visitors-book"


def test_a_line_that_is_committed_late_is_not_left_out(visitors: Visitors, sealers: Sealers) -> None:
    early, late = visitors.citizen(), visitors.citizen()

    async def story() -> None:
        async with tries.as_role(visitors.stand, "auth_owner") as slow:
            await slow.execute("BEGIN")
            await slow.fetchval("SELECT audit.write_line($1, 'GRANT_GIVEN', NULL, '{}')", late)
            await asyncio.to_thread(visitors.write, early, "GRANT_GIVEN", by=None)
            assert await asyncio.to_thread(sealers.seal) == 1
            await slow.execute("COMMIT")
        assert await asyncio.to_thread(sealers.seal) == 1

    run(story)
    assert visitors.lines(late)[0].leaf_index == visitors.lines(early)[0].leaf_index + 1


def test_a_tree_of_several_tiles_is_whole(visitors: Visitors, sealers: Sealers, citizen: UUID) -> None:
    before, _ = tree_of(visitors.stand)
    hashes = [n.to_bytes(32) for n in range(sealing.MOST_AT_ONCE + 700)]
    sealers.leave(citizen, hashes)

    assert sealers.seal() == len(hashes)
    assert tree_of(visitors.stand)[0] == before + len(hashes)


def test_the_seal_tells_that_all_is_sealed_even_when_nothing_is_new(visitors: Visitors, sealers: Sealers) -> None:
    sealers.seal()
    visitors.stand.as_owner("UPDATE audit.tree SET sealed_at = now() - interval '1 hour'")

    assert sealers.seal() == 0
    rows = visitors.stand.as_owner("SELECT now() - sealed_at < interval '1 minute' AS fresh FROM audit.tree")
    assert rows[0].fresh


def test_a_sealer_waits_while_another_is_at_work_and_fences_it_off_when_it_is_silent(
    visitors: Visitors, sealers: Sealers, citizen: UUID
) -> None:
    async def story() -> str:
        async with sealers.connected() as first, sealers.connected() as second:
            epoch = await sealers.begin(first)
            assert epoch is not None
            await sealing.seal(first, epoch=epoch, signer=sealers.signer)
            assert await sealers.begin(second, lease=timedelta(hours=1)) is None
            later = await sealers.begin(second)
            assert later == epoch + 1
            await asyncio.to_thread(visitors.write, citizen, "GRANT_GIVEN", by=None)
            with pytest.raises(asyncpg.PostgresError) as refused:
                await sealing.seal(first, epoch=epoch, signer=sealers.signer)
            assert await sealing.seal(second, epoch=later, signer=sealers.signer) == 1
            return str(refused.value.sqlstate)

    assert run(story) == "SK409"
    tree_of(visitors.stand)


@pytest.mark.parametrize("step", range(1, STEPS + 1))
def test_a_sealer_that_is_killed_at_any_step_leaves_a_whole_tree(
    visitors: Visitors, sealers: Sealers, settings: Settings, citizen: UUID, step: int
) -> None:
    before, _ = tree_of(visitors.stand)
    visitors.write(citizen, "GRANT_GIVEN", by=None)
    visitors.write(citizen, "GRANT_REVOKED", by=None)

    killed = subprocess.run(
        [sys.executable, "-m", "tests.audit.mortal", str(step)],
        env=environment(settings, SOKHOE_SEAL_SECONDS="0.05"),
        check=False,
        timeout=PATIENCE,
    )
    assert killed.returncode == -signal.SIGKILL
    after, _ = tree_of(visitors.stand)
    assert after == (before + 2 if step == STEPS else before)

    sealers.seal()
    assert tree_of(visitors.stand)[0] == before + 2
    assert [line.leaf_index for line in visitors.lines(citizen)] == [before, before + 1]


def test_of_two_sealers_at_once_one_works_and_the_other_takes_over_when_it_dies(
    visitors: Visitors, settings: Settings, citizen: UUID, tmp_path: Path
) -> None:
    visitors.stand.as_owner("UPDATE audit.tree SET sealed_at = now() - interval '1 minute'")
    both = {tmp_path / name: _sealer(settings, log=tmp_path / name) for name in ("first", "second")}
    try:
        epoch = epoch_of(visitors.stand)
        _write_until(visitors, citizen, lambda: epoch_of(visitors.stand) > epoch)
        epoch = epoch_of(visitors.stand)
        _write_until(visitors, citizen, lambda: any(map(_has_sealed, both)))
        (at_work,) = (process for log, process in both.items() if _has_sealed(log))
        at_work.kill()
        _write_until(visitors, citizen, lambda: epoch_of(visitors.stand) > epoch)
        _write_until(visitors, citizen, lambda: visitors.lines(citizen)[-1].leaf_index is not None)
    finally:
        for process in both.values():
            process.terminate()
            process.wait(timeout=PATIENCE)
    assert all(log.read_bytes().count(b'"defect"') == 0 for log in both)
    assert sorted(process.returncode for process in both.values()) == [-signal.SIGKILL, 0]
    tree_of(visitors.stand)


def _sealer(settings: Settings, *, log: Path) -> "subprocess.Popen[bytes]":
    with log.open("wb") as told:
        return subprocess.Popen(
            command("sealer"),
            env=environment(settings, SOKHOE_SEAL_SECONDS="0.05"),
            cwd=log.parent,
            stdout=told,
            stderr=told,
        )


def _has_sealed(log: Path) -> bool:
    return b'"sealed"' in log.read_bytes()


def epoch_of(stand: Stand) -> int:
    epoch: int = stand.as_owner("SELECT epoch FROM audit.tree")[0].epoch
    return epoch


def _write_until(visitors: Visitors, citizen: UUID, is_done: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not is_done():
        assert time.monotonic() < give_up_at
        visitors.write(citizen, "GRANT_GIVEN", by=None)
        time.sleep(0.02)


WRONG: dict[str, dict[str, object]] = {
    "a tile that says something else": {"hashes": [b"\x01" * 32]},
    "a tile that is shorter": {"hashes": [b""]},
    "another head of the same size": {"citizens": [], "numbers": []},
    "a size that is not the tree's": {"old_size": 0},
    "a leaf that is sealed": {"numbers": [1]},
    "a leaf that is not there": {"numbers": [99]},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_the_sealers_login_cannot_change_what_is_sealed(
    visitors: Visitors, sealers: Sealers, citizen: UUID, wrong: str
) -> None:
    visitors.write(citizen, "GRANT_GIVEN", by=None)
    sealers.seal()
    visitors.write(citizen, "GRANT_GIVEN", by=None)
    size, root = tree_of(visitors.stand)
    tile = visitors.stand.as_owner("SELECT max(position) AS position FROM audit.tile WHERE level = 0")[0]
    told: dict[str, object] = {
        "old_size": size,
        "citizens": [citizen],
        "numbers": [2],
        "hashes": [b"\x00" * 32 * 257],
        **WRONG[wrong],
    }

    async def attack() -> str:
        async with sealers.connected() as connection:
            epoch = await sealers.begin(connection)
            return await tries.sqlstate_of(
                connection,
                "SELECT audit.seal($1, $2, $3, $4, ARRAY[0], $5, $6, $7, 'note')",
                epoch,
                told["old_size"],
                told["citizens"],
                told["numbers"],
                [tile.position],
                told["hashes"],
                root,
            )

    assert run(attack) in ({"no error"} if not told["citizens"] else {"40001"})
    assert tree_of(visitors.stand) == (size, root)


@pytest.mark.parametrize("statement", [
    "UPDATE audit.leaf SET leaf_index = 0", "DELETE FROM audit.leaf", "UPDATE audit.tile SET hashes = ''",
    "DELETE FROM audit.checkpoint", "INSERT INTO audit.tile VALUES (0, 0, '')", "SELECT 1 FROM audit.line",
    "UPDATE audit.tree SET size = 0", "SELECT audit.write_line(NULL, '', NULL, '{}')",
])  # fmt: skip
def test_the_sealers_login_can_do_nothing_but_seal(sealers: Sealers, statement: str) -> None:
    async def attack() -> str:
        async with sealers.connected() as connection:
            return await tries.sqlstate_of(connection, statement)

    assert run(attack) == tries.DENIED
