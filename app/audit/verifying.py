"""Checks the whole visitors' book: every chain, the tree, its tiles, its signed heads. Names the row that is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.audit import checkpoints
from app.audit.checkpoints import BadCheckpoint, Checkpoint
from app.audit.lines import leaf_of
from app.audit.sql import Connection
from app.audit.tree import HASH_BYTES, WIDTH, Edge

NOTHING = bytes(HASH_BYTES)
TELL_EVERY = 20_000
MOST_PROBLEMS = 100

Progress = Callable[[str, int], None]

_CHAINS = """
SELECT f.citizen_id AS leaf_citizen, f.n AS leaf_n, f.hash, l.* FROM audit.leaf f
  FULL JOIN audit.line l ON l.citizen_id = f.citizen_id AND l.n = f.n
 ORDER BY coalesce(f.citizen_id, l.citizen_id), coalesce(f.n, l.n)"""
_HEADS = "SELECT citizen_id, n, hash FROM audit.head ORDER BY citizen_id"
_LEAVES = "SELECT citizen_id, n, hash, leaf_index FROM audit.leaf WHERE leaf_index IS NOT NULL ORDER BY leaf_index"
_TILES = "SELECT level, position, hashes FROM audit.tile"
_CHECKPOINTS = "SELECT size, root, note FROM audit.checkpoint ORDER BY size"


@dataclass(slots=True, kw_only=True)
class Verdict:
    """What was found: nothing is wrong when `problems` is empty."""

    lines: int = 0
    unsealed: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)

    def wrong(self, text: str) -> None:
        """Note a problem, up to a hundred."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the auditor holds outside the database: public keys, and heads that were kept."""

    verifiers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


async def verify(connection: Connection, *, known: Known, progress: Progress) -> Verdict:
    """Check everything in one snapshot.

    Without `known.verifiers` the keys are those that the database names, which its superuser could have changed.
    """
    verdict = Verdict()
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        await _verify_chains(connection, verdict, progress)
        await _verify_tree(connection, verdict, known, progress)
    return verdict


async def _verify_chains(connection: Connection, verdict: Verdict, progress: Progress) -> None:
    heads = {row["citizen_id"]: row async for row in connection.cursor(_HEADS)}
    ends: dict[Any, tuple[int, bytes]] = {}
    async for row in connection.cursor(_CHAINS):
        verdict.lines += 1
        if verdict.lines % TELL_EVERY == 0:
            progress("lines", verdict.lines)
        citizen, n = row["leaf_citizen"] or row["citizen_id"], row["leaf_n"] or row["n"]
        name = f"line {n} of citizen {citizen}"
        before, previous = ends.get(citizen, (0, NOTHING))
        if row["leaf_n"] is None:
            verdict.wrong(f"{name}: its leaf is missing")
        if n != before + 1:
            verdict.wrong(f"line {before + 1} of citizen {citizen}: it is missing")
            previous = row["previous"] if row["n"] is not None else NOTHING
        if row["n"] is None:
            verdict.wrong(f"{name}: what it says is missing")
        elif row["leaf_n"] is not None and leaf_of(row) != row["hash"]:
            verdict.wrong(f"{name}: it was changed")
        elif row["previous"] != previous:
            verdict.wrong(f"{name}: it does not follow line {n - 1}")
        ends[citizen] = (n, row["hash"] or NOTHING)
    for citizen in heads.keys() | ends.keys():
        head = heads.get(citizen)
        if head is None or (head["n"], head["hash"]) != ends.get(citizen, (0, NOTHING)):
            verdict.wrong(f"head of citizen {citizen}: it is not the end of the chain")


async def _verify_tree(connection: Connection, verdict: Verdict, known: Known, progress: Progress) -> None:
    tree = _Tree(connection=connection, verdict=verdict, signed=await _checkpoints(connection, verdict, known))
    tree.tiles = {(row["level"], row["position"]): row["hashes"] async for row in connection.cursor(_TILES)}
    async for row in connection.cursor(_LEAVES):
        name = f"leaf {row['n']} of citizen {row['citizen_id']}"
        if not await tree.reach(row["leaf_index"]):
            verdict.wrong(f"{name}: it has place {row['leaf_index']}, where nothing was sealed")
            break
        if tree.sealed() != row["hash"]:
            verdict.wrong(f"{name}: it is not what was sealed at place {tree.edge.size}")
        tree.grow(row["hash"])
        if tree.edge.size % TELL_EVERY == 0:
            progress("leaves", tree.edge.size)
    else:
        while tree.sealed() is not None:
            await tree.miss()
    tree.compare()
    size = await connection.fetchval("SELECT size FROM audit.tree")
    if size != tree.edge.size:
        verdict.wrong(f"the tree says that it has {size} leaves, and has {tree.edge.size}")
    is_signed = await connection.fetchval(
        "SELECT EXISTS (SELECT FROM audit.checkpoint WHERE size = $1)", tree.edge.size
    )
    if tree.edge.size > 0 and not is_signed:
        verdict.wrong(f"checkpoint of size {tree.edge.size}: it is missing")
    verdict.size = tree.edge.size
    verdict.unsealed = await connection.fetchval("SELECT count(*) FROM audit.leaf WHERE leaf_index IS NULL")


@dataclass(slots=True, kw_only=True)
class _Tree:
    """The tree as the leaves make it, beside the tiles and heads as they rest."""

    connection: Connection
    verdict: Verdict
    signed: dict[int, bytes]
    tiles: dict[tuple[int, int], bytes] = field(default_factory=dict)
    edge: Edge = field(default_factory=lambda: Edge(size=0, tiles={}))
    made: dict[tuple[int, int], bytes] = field(default_factory=dict)

    def sealed(self) -> bytes | None:
        """Return what the tiles have at the next place."""
        at = self.edge.size % WIDTH * HASH_BYTES
        return self.tiles.get((0, self.edge.size // WIDTH), b"")[at : at + HASH_BYTES] or None

    def grow(self, leaf: bytes) -> None:
        """Append a leaf, and compare the signed head of that size."""
        self.made.update({(tile.level, tile.position): tile.hashes for tile in self.edge.grow([leaf])})
        signed = self.signed.get(self.edge.size)
        if signed is not None and signed != self.edge.root():
            self.verdict.wrong(f"checkpoint of size {self.edge.size}: its root is not that of the leaves")

    async def reach(self, place: int) -> bool:
        """Go on to a place, over leaves that are missing; false when nothing was sealed there."""
        while self.edge.size < place:
            if self.sealed() is None:
                return False
            await self.miss()
        return True

    async def miss(self) -> None:
        """Name the leaf that is not at the next place, and go on with what was sealed there."""
        leaf = self.sealed() or NOTHING
        row = await self.connection.fetchrow("SELECT citizen_id, n FROM audit.leaf WHERE hash = $1", leaf)
        name = "a leaf" if row is None else f"leaf {row['n']} of citizen {row['citizen_id']}"
        self.verdict.wrong(f"{name} is not at place {self.edge.size}, where it was sealed")
        self.grow(leaf)

    def compare(self) -> None:
        """Compare the tiles, and name the heads of a longer tree."""
        for level, position in sorted(self.made.keys() | self.tiles.keys()):
            if self.made.get((level, position)) != self.tiles.get((level, position)):
                self.verdict.wrong(f"tile {position} of level {level}: it is not made of the leaves")
        for size in (size for size in self.signed if size > self.edge.size):
            self.verdict.wrong(f"checkpoint of size {size}: the tree has {self.edge.size} leaves; the rest was cut off")


async def _checkpoints(connection: Connection, verdict: Verdict, known: Known) -> dict[int, bytes]:
    """Return the signed root by size, of the database and of what was kept outside."""
    keys = known.verifiers or tuple(row[0] for row in await connection.fetch("SELECT verifier FROM audit.sealer_key"))
    signed: dict[int, bytes] = {}
    async for row in connection.cursor(_CHECKPOINTS):
        found = _read(row["note"], keys, f"checkpoint of size {row['size']}", verdict)
        if found is not None and (found.size, found.root) != (row["size"], row["root"]):
            verdict.wrong(f"checkpoint of size {row['size']}: it is not the one that was signed")
        if found is not None:
            signed[found.size] = found.root
    for note in known.notes:
        found = _read(note, keys, "the checkpoint that was kept", verdict)
        if found is not None and signed.setdefault(found.size, found.root) != found.root:
            verdict.wrong(f"two roots were signed for one size, {found.size}")
    return signed


def _read(note: str, keys: tuple[str, ...], name: str, verdict: Verdict) -> Checkpoint | None:
    try:
        return checkpoints.read(note, verifiers=keys)
    except BadCheckpoint as error:
        verdict.wrong(f"{name}: {error}")
        return None
