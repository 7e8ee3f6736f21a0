"""Seals what was written: appends leaves to the tree and signs its new head."""

from app.audit import sql
from app.audit.checkpoints import Signer
from app.audit.kept import KeptHead

MOST_AT_ONCE = 4096


async def seal(connection: sql.Connection, *, epoch: int, signer: Signer, kept: KeptHead | None = None) -> int:
    """Seal up to `MOST_AT_ONCE` lines in one transaction; returns how many. The new head is kept once it is committed.

    Committed lines only, and each once: whoever is killed at any step, or fenced off by a newer sealer, sealed nothing.

    :raises OSError: when the head cannot be kept; it is committed
    :raises asyncpg.PostgresError: SK409 when another sealer has taken over
    """
    async with connection.transaction():
        size = await sql.take_turn(connection, epoch=epoch)
        leaves = await sql.unsealed(connection, most=MOST_AT_ONCE)
        edge = await sql.edge(connection, size=size)
        tiles = edge.grow(leaf.hash for leaf in leaves)
        root = edge.root()
        note = signer.sign(size=edge.size, root=root) if leaves else ""
        await sql.seal(connection, epoch=epoch, old_size=size, leaves=leaves, tiles=tiles, root=root, note=note)
    if kept is not None and note:
        kept.keep(note)
    return len(leaves)
