"""Sealed fields open in their own place only; blind indexes compare within one kind only."""

from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.crypto import (
    NONCE_BYTES,
    BlindIndex,
    FieldSealer,
    KeyFileError,
    Place,
    SealBroken,
    open_vault,
    read_key_file,
)

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
PLACE = Place(table="auth.identifier", column="sealed", row_id=UUID(int=1))
SEALER = FieldSealer({"k1": OLD})
MANY = 100_000


@given(plain=st.binary(max_size=200))
def test_what_was_sealed_opens_in_its_place(plain: bytes) -> None:
    sealed = SEALER.seal(plain, place=PLACE)
    assert SEALER.open(sealed, place=PLACE) == plain
    assert len(sealed) == 1 + len("k1") + NONCE_BYTES + len(plain) + 16


@pytest.mark.parametrize(
    "other",
    [
        Place(table="book.visit_insurance", column="sealed", row_id=UUID(int=1)),
        Place(table="auth.identifier", column="lookup", row_id=UUID(int=1)),
        Place(table="auth.identifier", column="sealed", row_id=UUID(int=2)),
        Place(table="auth.identifier|sealed", column="", row_id=UUID(int=1)),
    ],
)
def test_t18_what_was_sealed_does_not_open_elsewhere(other: Place) -> None:
    sealed = SEALER.seal(b"901185012345", place=PLACE)
    with pytest.raises(SealBroken):
        SEALER.open(sealed, place=other)


def test_t18_no_bit_can_be_changed() -> None:
    sealed = SEALER.seal(b"901185012345", place=PLACE)
    for position in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[position] ^= 1 << bit
            with pytest.raises(SealBroken):
                SEALER.open(bytes(changed), place=PLACE)


def test_t18_nothing_can_be_cut_or_added() -> None:
    sealed = SEALER.seal(b"901185012345", place=PLACE)
    for changed in (*(sealed[:end] for end in range(len(sealed))), sealed + b"\0", b"\0" + sealed, b"\xff" * 40):
        with pytest.raises(SealBroken):
            SEALER.open(changed, place=PLACE)


def test_a_broken_seal_tells_nothing_of_the_value() -> None:
    sealed = SEALER.seal(b"901185012345", place=PLACE)
    with pytest.raises(SealBroken) as caught:
        SEALER.open(sealed[:-1] + bytes([sealed[-1] ^ 1]), place=PLACE)
    assert str(caught.value) == ""


def test_t18_no_nonce_comes_twice() -> None:
    head = 1 + len("k1")
    nonces = {SEALER.seal(b"", place=PLACE)[head : head + NONCE_BYTES] for _ in range(MANY)}
    assert len(nonces) == MANY


def test_t18_equal_values_are_sealed_differently() -> None:
    assert len({SEALER.seal(b"901185012345", place=PLACE) for _ in range(100)}) == 100


def test_t20_a_new_key_seals_and_the_old_one_still_opens() -> None:
    sealed = SEALER.seal(b"x", place=PLACE)
    rotated = FieldSealer({"k2": NEW, "k1": OLD})
    assert rotated.open(sealed, place=PLACE) == b"x"
    again = rotated.seal(b"x", place=PLACE)
    assert again[1:3] == b"k2"
    assert rotated.open(again, place=PLACE) == b"x"
    for without in (FieldSealer({"k2": NEW}), FieldSealer({"k1": NEW})):
        with pytest.raises(SealBroken):
            without.open(sealed, place=PLACE)


def test_t20_who_runs_on_opens_what_a_process_with_a_newer_key_has_sealed(tmp_path: Path) -> None:
    """Else a worker that is restarted after the API takes a phone that was registered between for gone."""
    for name in ("sealing", "index", "mac"):
        (tmp_path / f"{name}.keys").write_text(f"k1:{OLD.hex()}\n", encoding="ascii")
    worker = open_vault(tmp_path).sealer
    (tmp_path / "sealing.keys").write_text(f"k2:{NEW.hex()}\nk1:{OLD.hex()}\n", encoding="ascii")
    sealed = open_vault(tmp_path).sealer.seal(b"x", place=PLACE)
    (tmp_path / "sealing.keys").rename(tmp_path / "kept")
    with pytest.raises(SealBroken):
        worker.open(sealed, place=PLACE)
    (tmp_path / "kept").rename(tmp_path / "sealing.keys")

    assert worker.open(sealed, place=PLACE) == b"x"
    assert worker.seal(b"x", place=PLACE)[1:3] == b"k1"


def test_t20_a_key_under_another_keys_name_opens_nothing() -> None:
    sealed = SEALER.seal(b"x", place=PLACE)
    renamed = bytes([2]) + b"k2" + sealed[3:]
    with pytest.raises(SealBroken):
        FieldSealer({"k1": OLD, "k2": OLD}).open(renamed, place=PLACE)


def test_t18_a_blind_index_compares_within_one_kind_and_key() -> None:
    index = BlindIndex({"k1": OLD})
    found = index.of("901185012345", kind="PERSONAL_ID")
    assert found == index.of("901185012345", kind="PERSONAL_ID")
    assert len(found) == 32
    others = {
        index.of("901185012345", kind="OLD_ID"),
        index.of("901185012345", kind="INSURANCE_NUMBER"),
        index.of("901185012346", kind="PERSONAL_ID"),
        index.of("901185012345", kind="PERSONAL_I"),
        index.of("D901185012345", kind="PERSONAL_I"),
        BlindIndex({"k1": NEW}).of("901185012345", kind="PERSONAL_ID"),
    }
    assert len(others) == 6
    assert found not in others


@pytest.mark.parametrize(
    "content",
    [
        "",
        "\n\n",
        "k1",
        "k1:",
        f"k1:{OLD.hex()[:-2]}",
        f"k1:{OLD.hex()}00",
        f"k1:{OLD.hex()[:-1]}g",
        f":{OLD.hex()}",
        f"k 1:{OLD.hex()}",
        f"k-1:{OLD.hex()}",
        f"k1:{OLD.hex()}\nk1:{NEW.hex()}",
        f"k1:{OLD.hex()}\nkhoá:{NEW.hex()}",
    ],
)
def test_a_malformed_key_file_is_refused_without_telling_its_content(tmp_path: Path, content: str) -> None:
    file = tmp_path / "sealing.keys"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(KeyFileError) as caught:
        read_key_file(file)
    assert str(caught.value).startswith("sealing.keys: ")
    assert OLD.hex()[:-2] not in str(caught.value)


def test_the_first_key_of_a_file_is_the_current_one(tmp_path: Path) -> None:
    file = tmp_path / "sealing.keys"
    file.write_text(f"k2:{NEW.hex()}\nk1:{OLD.hex()}\n", encoding="ascii")
    assert list(read_key_file(file).items()) == [("k2", NEW), ("k1", OLD)]


def test_a_vault_without_a_key_file_does_not_open(tmp_path: Path) -> None:
    (tmp_path / "sealing.keys").write_text(f"k1:{OLD.hex()}\n", encoding="ascii")
    with pytest.raises(KeyFileError, match=r"^index\.keys: cannot be read$"):
        open_vault(tmp_path)
