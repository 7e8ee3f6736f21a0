"""Proofs that PostgreSQL makes of its tiles, judged by published proofs and by another implementation."""

from uuid import UUID

import pytest
from pymerkle import InmemoryTree

from app.audit.tree import leaf_hash
from app.core.settings import Settings
from tests.audit.sealers import Sealers
from tests.audit.test_tree import ENTRIES
from tests.audit.visitors import Visitors
from tests.people import Stand
from verify_access_log import consistency_roots, inclusion_root

# Proofs over the same eight entries, as Certificate Transparency publishes them: leaf or old size, size, path.
INCLUSION = (
    (0, 1, ()),
    (0, 8, (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    )),
    (5, 8, (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )),
    (2, 3, ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",)),
    (1, 5, (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    )),
)  # fmt: skip
CONSISTENCY = (
    (1, 1, ()),
    (1, 8, INCLUSION[1][2]),
    (6, 8, (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    )),
    (2, 5, (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    )),
)  # fmt: skip
BYSTANDERS = 1000  # leaves beside the eight entries: over two tiles of the lowest level, and one of the next


@pytest.fixture(scope="module")
def citizen(stand: Stand) -> UUID:
    return Visitors(stand).citizen()


@pytest.fixture(scope="module")
def leaves(settings: Settings, stand: Stand, citizen: UUID) -> list[bytes]:
    """Seal the published entries first, then others in two goes; return all entries in the tree's order."""
    assert settings == stand.settings
    entries = [*ENTRIES, *(f"bystander {n}".encode() for n in range(BYSTANDERS))]
    sealers = Sealers(stand)
    done = 0
    for until in (len(ENTRIES), len(ENTRIES) + 17, len(entries)):
        sealers.leave(citizen, [leaf_hash(entry) for entry in entries[done:until]], after=done)
        assert sealers.seal() == until - done
        done = until
    return entries


@pytest.fixture(scope="module")
def judge(leaves: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for entry in leaves:
        tree.append_entry(entry)
    return tree


def path(stand: Stand, proof: str, first: int, size: int) -> list[bytes] | None:
    found: list[bytes] | None = Sealers(stand).ask(
        lambda desk: desk.fetchval(f"SELECT audit.{proof}_path($1, $2)", first, size)
    )
    return found


@pytest.mark.usefixtures("leaves")
@pytest.mark.parametrize(("leaf", "size", "published"), INCLUSION)
def test_inclusion_proofs_are_the_published_ones(
    stand: Stand, leaf: int, size: int, published: tuple[str, ...]
) -> None:
    assert path(stand, "inclusion", leaf, size) == [bytes.fromhex(text) for text in published]


@pytest.mark.usefixtures("leaves")
@pytest.mark.parametrize(("old", "new", "published"), CONSISTENCY)
def test_consistency_proofs_are_the_published_ones(
    stand: Stand, old: int, new: int, published: tuple[str, ...]
) -> None:
    assert path(stand, "consistency", old, new) == [bytes.fromhex(text) for text in published]


SIZES = (1, 2, 255, 256, 257, 511, 512, 767, 1000, 1008)


@pytest.mark.parametrize("size", SIZES)
def test_inclusion_proofs_are_those_of_another_implementation(
    stand: Stand, judge: InmemoryTree, leaves: list[bytes], size: int
) -> None:
    for leaf in {0, size // 3, size // 2, size - 1}:
        ours = path(stand, "inclusion", leaf, size)
        assert ours is not None
        assert ours == judge.prove_inclusion(leaf + 1, size).path[1:]
        assert inclusion_root(leaf_hash(leaves[leaf]), leaf, size, ours) == judge.get_root(size)


@pytest.mark.parametrize("new", SIZES)
def test_consistency_proofs_lead_to_the_roots_of_another_implementation(
    stand: Stand, judge: InmemoryTree, new: int
) -> None:
    for old in (size for size in SIZES if size < new):
        ours = path(stand, "consistency", old, new)
        assert ours is not None
        roots = (judge.get_root(old), judge.get_root(new))
        assert consistency_roots(old, new, ours, roots[0]) == roots
        assert consistency_roots(old, new, [bytes(32), *ours[1:]], roots[0]) != roots


@pytest.mark.usefixtures("leaves")
@pytest.mark.parametrize(("proof", "first", "size"), [
    ("inclusion", -1, 8), ("inclusion", 8, 8), ("inclusion", 0, 1009), ("inclusion", 0, 0),
    ("consistency", 9, 8), ("consistency", -1, 8), ("consistency", 1, 1009),
])  # fmt: skip
def test_there_is_no_proof_of_what_is_not_there(stand: Stand, proof: str, first: int, size: int) -> None:
    assert path(stand, proof, first, size) is None


def test_the_sealed_heads_are_those_of_another_implementation(stand: Stand, judge: InmemoryTree) -> None:
    heads = stand.as_owner("SELECT size, root FROM audit.checkpoint ORDER BY size")
    assert [head.size for head in heads] == [8, 25, 1008]
    assert [head.root for head in heads] == [judge.get_root(head.size) for head in heads]
