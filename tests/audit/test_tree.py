"""The tree and its signed heads, judged by published hashes and by another implementation."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import settings as drawing
from hypothesis import strategies as st
from pymerkle import InmemoryTree

from app.audit import checkpoints
from app.audit.checkpoints import BadCheckpoint, Signer
from app.audit.tree import EMPTY_ROOT, HASH_BYTES, WIDTH, Edge, edge_places, leaf_hash

# The entries and roots of Certificate Transparency's own test data (google/certificate-transparency, merkle_tree_test).
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
SIGNER = Signer(name="sokhoe.test/log", seed=b"\x07" * 32)


def empty() -> Edge:
    return Edge(size=0, tiles={})


def test_the_roots_are_those_that_certificate_transparency_publishes() -> None:
    edge = empty()
    assert edge.root() == EMPTY_ROOT == hashlib.sha256().digest()

    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        edge.grow([leaf_hash(entry)])
        assert edge.root().hex() == root


@drawing(max_examples=30, deadline=None)
@given(cuts=st.lists(st.integers(min_value=0, max_value=400), min_size=1, max_size=6))
def test_a_tree_grown_in_parts_from_its_tiles_is_the_tree_of_another_implementation(cuts: list[int]) -> None:
    judge, size = InmemoryTree(algorithm="sha256"), 0
    tiles: dict[tuple[int, int], bytes] = {}
    for count in cuts:
        entries = [f"{size}|{n}".encode() for n in range(count)]
        edge = Edge(size=size, tiles={level: tiles[level, position] for level, position in edge_places(size)})
        for tile in edge.grow(leaf_hash(entry) for entry in entries):
            earlier = tiles.get((tile.level, tile.position), b"")
            assert tile.hashes.startswith(earlier)
            tiles[tile.level, tile.position] = tile.hashes
        for entry in entries:
            judge.append_entry(entry)
        size += count
        assert edge.size == size
        assert edge.root() == (judge.get_root() if size else EMPTY_ROOT)
    assert all(len(hashes) <= WIDTH * HASH_BYTES for hashes in tiles.values())


def test_an_edge_that_does_not_fit_its_size_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        Edge(size=3, tiles={0: b"\x00" * 64})


def test_a_checkpoint_is_a_signed_note() -> None:
    root = leaf_hash(b"one")
    note = SIGNER.sign(size=1, root=root)

    head, signature = note.split("\n\n")
    assert head.split("\n") == ["sokhoe.test/log", "1", base64.b64encode(root).decode()]
    assert signature.startswith("— sokhoe.test/log ")
    assert signature.endswith("\n")
    found = checkpoints.read(note, verifiers=(SIGNER.verifier,))
    assert (found.origin, found.size, found.root) == ("sokhoe.test/log", 1, root)


@pytest.mark.parametrize("place", range(0, 150, 7))
def test_a_checkpoint_of_which_one_byte_was_changed_is_refused(place: int) -> None:
    note = SIGNER.sign(size=41, root=leaf_hash(b"one"))
    changed = note[:place] + ("X" if note[place] != "X" else "Y") + note[place + 1 :]

    with pytest.raises(BadCheckpoint):
        checkpoints.read(changed, verifiers=(SIGNER.verifier,))


def test_a_checkpoint_of_another_key_is_refused() -> None:
    note = SIGNER.sign(size=41, root=leaf_hash(b"one"))
    other = Signer(name="sokhoe.test/log", seed=b"\x08" * 32)

    with pytest.raises(BadCheckpoint, match="no known key"):
        checkpoints.read(note, verifiers=(other.verifier,))
    assert checkpoints.read(note, verifiers=(other.verifier, SIGNER.verifier)).size == 41


def test_the_public_key_is_that_of_the_published_example() -> None:
    """The key pair of Go's package sumdb/note, which C2SP signed-note describes."""
    seed = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]

    verifier = Signer(name="PeterNeumann", seed=seed).verifier
    assert verifier == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_public_key_whose_id_is_wrong_is_refused() -> None:
    name, _, key = SIGNER.verifier.split("+", 2)
    with pytest.raises(BadCheckpoint, match="public key"):
        checkpoints.read(SIGNER.sign(size=1, root=leaf_hash(b"")), verifiers=(f"{name}+00000000+{key}",))
