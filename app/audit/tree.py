"""The Merkle tree: its hashes, and how it grows by its right edge alone.

Hashes rest in tiles of 32: tile `position` of level L holds the roots of 32 neighbouring subtrees of 2**L leaves each,
so that every node of a proof is read and none is made again. A full tile never changes. Source: RFC 9162 §2.1.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

HASH_BYTES = 32
WIDTH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """Hashes of one level, as they rest."""

    level: int
    position: int
    hashes: bytes


class Edge:
    """The right edge of a tree: its size and the last tile of each level, which is all that growing needs."""

    def __init__(self, *, size: int, tiles: Mapping[int, bytes]) -> None:
        self.size = size
        self._tiles = [bytearray(tiles.get(level, b"")) for level in range(edge_levels(size))]
        for level, hashes in enumerate(self._tiles):
            if len(hashes) != _last_bytes(size, level):
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
            if len(tile) == WIDTH * HASH_BYTES:
                tile.clear()
            tile += entry
            entries = _entries(self.size, level)
            changed[level, (entries - 1) // WIDTH] = bytes(tile)
            if entries % 2:
                return
            entry = node_hash(bytes(tile[-2 * HASH_BYTES : -HASH_BYTES]), bytes(tile[-HASH_BYTES:]))
            level += 1

    def root(self) -> bytes:
        """Return the root of the whole tree."""
        root: bytes | None = None
        for level, tile in enumerate(self._tiles):
            if self.size >> level & 1:
                block = bytes(tile[-HASH_BYTES:])
                root = block if root is None else node_hash(block, root)
        return EMPTY_ROOT if root is None else root


def edge_levels(size: int) -> int:
    """Return how many levels of tiles a tree of `size` leaves has."""
    return size.bit_length()


def edge_places(size: int) -> tuple[tuple[int, int], ...]:
    """Return level and position of the last tile of each level."""
    return tuple((level, (_entries(size, level) - 1) // WIDTH) for level in range(edge_levels(size)))


def cut(tiles: Mapping[int, bytes], *, size: int) -> dict[int, bytes]:
    """Return the last tiles of a tree of `size` leaves as they were before it grew."""
    return {level: hashes[: _last_bytes(size, level)] for level, hashes in tiles.items()}


def _last_bytes(size: int, level: int) -> int:
    return HASH_BYTES * ((_entries(size, level) - 1) % WIDTH + 1)


def _entries(size: int, level: int) -> int:
    return size >> level
