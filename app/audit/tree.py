"""The Merkle tree: its hashes, and how it grows by its right edge alone.

Hashes rest in tiles of 256: tile `position` of level L holds the roots of 256 neighbouring subtrees of 256**L leaves
each. A full tile never changes. Source: RFC 9162 §2.1 (hashes), C2SP tlog-tiles (tiles).
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HASH_BYTES = 32
WIDTH = 256
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def subtree_root(hashes: bytes) -> bytes:
    """Return the root over hashes whose number is a power of two."""
    while len(hashes) > HASH_BYTES:
        pairs = range(0, len(hashes), 2 * HASH_BYTES)
        hashes = b"".join(hashlib.sha256(b"\x01" + hashes[at : at + 2 * HASH_BYTES]).digest() for at in pairs)
    return hashes


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Hashes of one level, as they rest."""

    level: int
    position: int
    hashes: bytes


class Edge:
    """The right edge of a tree: its size and the unfinished tile of each level, which is all that growing needs."""

    def __init__(self, *, size: int, tiles: Mapping[int, bytes]) -> None:
        self.size = size
        self._tiles = [bytearray(tiles.get(level, b"")) for level in range(edge_levels(size))]
        for level, hashes in enumerate(self._tiles):
            if len(hashes) != HASH_BYTES * (_entries(size, level) % WIDTH):
                message = f"the last tile of level {level} does not fit a tree of {size} leaves"
                raise ValueError(message)

    def grow(self, leaves: Iterable[bytes]) -> tuple[Tile, ...]:
        """Append leaves; returns the tiles that are new or longer than before."""
        changed: dict[tuple[int, int], bytes] = {}
        for leaf in leaves:
            self.size += 1
            self._append(leaf, changed)
        return tuple(
            Tile(level=level, position=position, hashes=hashes) for (level, position), hashes in sorted(changed.items())
        )

    def _append(self, leaf: bytes, changed: dict[tuple[int, int], bytes]) -> None:
        level, entry = 0, leaf
        while True:
            if level == len(self._tiles):
                self._tiles.append(bytearray())
            tile = self._tiles[level]
            tile += entry
            position = (_entries(self.size, level) - 1) // WIDTH
            changed[level, position] = bytes(tile)
            if len(tile) < WIDTH * HASH_BYTES:
                return
            entry = subtree_root(bytes(tile))
            tile.clear()
            level += 1

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        root: bytes | None = None
        for tile in self._tiles:
            end = len(tile)
            while end:
                entries = end // HASH_BYTES
                start = end - (entries & -entries) * HASH_BYTES
                block = subtree_root(bytes(tile[start:end]))
                root = block if root is None else node_hash(block, root)
                end = start
        return EMPTY_ROOT if root is None else root


def edge_levels(size: int) -> int:
    """Return how many levels of tiles a tree of `size` leaves has."""
    levels = 0
    while size:
        levels += 1
        size //= WIDTH
    return levels


def edge_places(size: int) -> tuple[tuple[int, int], ...]:
    """Return level and position of the unfinished tile of each level that has one."""
    return tuple(
        (level, _entries(size, level) // WIDTH) for level in range(edge_levels(size)) if _entries(size, level) % WIDTH
    )


def _entries(size: int, level: int) -> int:
    return int(size // WIDTH**level)
