"""Tiles of an older release are made anew by the migration, as the sealer would have made them."""

from importlib import util
from pathlib import Path
from types import ModuleType

import asyncpg
import pytest

from app.audit.tree import HASH_BYTES, Edge, leaf_hash
from app.core.db import Login
from tests.attacks import tries
from tests.people import Stand

OLD_WIDTH = 256
MIGRATION = Path(__file__).parents[2] / "migrations" / "versions" / "0032_tiles_of_every_level.py"


def migration() -> ModuleType:
    spec = util.spec_from_file_location("tiles", MIGRATION)
    assert spec is not None
    assert spec.loader is not None
    found = util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def old_tiles(leaves: list[bytes]) -> list[tuple[int, int, bytes]]:
    """Return the tiles as they were: roots of 256**level leaves, 256 in each."""
    found, level, entries = [], 0, leaves
    while entries:
        found += [
            (level, n // OLD_WIDTH, b"".join(entries[n : n + OLD_WIDTH])) for n in range(0, len(entries), OLD_WIDTH)
        ]
        level += 1
        whole = len(entries) // OLD_WIDTH
        edges = [Edge(size=0, tiles={}) for _ in range(whole)]
        for n, edge in enumerate(edges):
            edge.grow(entries[n * OLD_WIDTH : (n + 1) * OLD_WIDTH])
        entries = [edge.root() for edge in edges]
    return found


@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 255, 256, 600, 1024])
@pytest.mark.asyncio
async def test_the_tiles_are_those_of_a_tree_that_was_always_kept_so(stand: Stand, size: int) -> None:
    leaves = [leaf_hash(f"{n}".encode()) for n in range(size)]
    edge, wanted = Edge(size=0, tiles={}), {}
    for leaf in leaves:
        wanted.update({(tile.level, tile.position): tile.hashes for tile in edge.grow([leaf])})
    statement = migration()
    async with tries.as_login(stand, Login.MIGRATOR) as owner:
        undone = owner.transaction()
        await undone.start()
        await owner.execute("SET LOCAL ROLE auth_owner")
        await owner.executemany("INSERT INTO audit.tile VALUES ($1, $2, $3)", old_tiles(leaves))
        await owner.execute(statement.MOVED)
        await owner.execute(statement.NODES)
        rows: list[asyncpg.Record] = await owner.fetch("SELECT level, position, hashes FROM audit.tile")
        await undone.rollback()
    assert {(row["level"], row["position"]): row["hashes"] for row in rows} == wanted
    assert all(len(row["hashes"]) % HASH_BYTES == 0 for row in rows)
