"""What the sealer and the auditor ask of PostgreSQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import asyncpg

from app.audit.tree import Edge, Tile, cut, edge_places

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsealed:
    """A leaf that has no place in the tree yet."""

    citizen_id: UUID
    n: int
    hash: bytes


async def begin_sealing(
    connection: Connection, *, verifier: str, stop_after: timedelta, lease: timedelta
) -> int | None:
    """Return the epoch of a sealer that begins; nothing while another is at work."""
    epoch: int | None = await connection.fetchval("SELECT audit.begin_sealing($1, $2, $3)", verifier, stop_after, lease)
    return epoch


async def take_turn(connection: Connection, *, epoch: int) -> int:
    """Hold the tree until the transaction ends; returns its size."""
    size: int = await connection.fetchval("SELECT audit.take_turn($1)", epoch)
    return size


async def unsealed(connection: Connection, *, most: int) -> list[Unsealed]:
    """Return committed leaves without a place, those of one citizen in their order."""
    rows = await connection.fetch(
        "SELECT citizen_id, n, hash FROM audit.leaf WHERE leaf_index IS NULL ORDER BY citizen_id, n LIMIT $1", most
    )
    return [Unsealed(citizen_id=row["citizen_id"], n=row["n"], hash=row["hash"]) for row in rows]


async def edge(connection: Connection, *, size: int) -> Edge:
    """Return the right edge of the tree."""
    return Edge(size=size, tiles=await _last_tiles(connection, size=size))


async def root_at(connection: Connection, *, size: int) -> bytes | None:
    """Return the root that the tree had when it was of that size; nothing when it never was."""
    try:
        return Edge(size=size, tiles=cut(await _last_tiles(connection, size=size), size=size)).root()
    except ValueError:  # a tile is too short
        return None


async def _last_tiles(connection: Connection, *, size: int) -> dict[int, bytes]:
    places = edge_places(size)
    rows = await connection.fetch(
        "SELECT t.level, t.hashes FROM audit.tile t "
        "JOIN unnest($1::int[], $2::bigint[]) e(level, position) ON t.level = e.level AND t.position = e.position",
        [level for level, _ in places],
        [position for _, position in places],
    )
    return {row["level"]: row["hashes"] for row in rows}


async def seal(
    connection: Connection,
    *,
    epoch: int,
    old_size: int,
    leaves: Sequence[Unsealed],
    tiles: Sequence[Tile],
    root: bytes,
    note: str,
) -> None:
    """Give leaves their places; without leaves, say that everything is sealed."""
    await connection.execute(
        "SELECT audit.seal($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        epoch,
        old_size,
        [leaf.citizen_id for leaf in leaves],
        [leaf.n for leaf in leaves],
        [tile.level for tile in tiles],
        [tile.position for tile in tiles],
        [tile.hashes for tile in tiles],
        root,
        note,
    )


async def latest_note(desk: asyncpg.Pool) -> str | None:
    """Return the newest signed head; nothing before the first line is sealed."""
    note: str | None = await desk.fetchval("SELECT note FROM audit.latest_checkpoint()")
    return note


async def verifiers(desk: "asyncpg.Pool | asyncpg.Connection[asyncpg.Record]") -> list[str]:
    """Return the public keys of sealers, the oldest first."""
    return [row[0] for row in await desk.fetch("SELECT audit.sealer_keys()")]


async def consistency_path(desk: asyncpg.Pool, *, old: int, new: int) -> list[bytes] | None:
    """Return the proof that one tree is the beginning of another; nothing when there is no such tree."""
    path: list[bytes] | None = await desk.fetchval("SELECT audit.consistency_path($1, $2)", old, new)
    return path
