"""Field encryption and blind indexes.

A sealed field is AES-256-GCM with a random 96-bit nonce; its additional data is the table, the column and the id
of the row, so that a ciphertext moved to another row or column does not open. A blind index is HMAC-SHA-256 with a
key of its own per kind of identifier. A derived secret is an HMAC too: the server can make it again and never stores
it. No key is in the database.

Source: NIST SP 800-38D (GCM), RFC 2104 (HMAC).
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


class KeyFileError(Exception):
    """A key file is missing or malformed; the message names the file and line, never its content."""


class SealBroken(Exception):
    """A sealed value does not open: wrong row, wrong column, changed bytes or unknown key."""


def read_key_file(path: Path) -> dict[str, bytes]:
    """Return the keys of a file of `id:hex` lines in their order; the first is the current one.

    :raises KeyFileError: when the file is missing or a line is malformed.
    """
    try:
        lines = path.read_text(encoding="ascii").split()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path.name}: cannot be read"
        raise KeyFileError(message) from error
    keys: dict[str, bytes] = {}
    for number, line in enumerate(lines, start=1):
        key_id, _, text = line.partition(":")
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if not key_id.isalnum() or len(key) != KEY_BYTES or key_id in keys:
            message = f"{path.name}: line {number} is not `id:64 hexadecimal digits`"
            raise KeyFileError(message)
        keys[key_id] = key
    if not keys:
        message = f"{path.name}: holds no key"
        raise KeyFileError(message)
    return keys


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed value rests."""

    table: str  # schema.table
    column: str
    row_id: UUID

    def associated_data(self, *, key_id: str) -> bytes:
        """Return what binds a ciphertext to its place."""
        return f"{self.table}|{self.column}|{self.row_id}|{key_id}".encode()


MASKED: Final = "masked "
"""Stands before a place's table where only the end of a value is to be told."""
_TOLD: Final = 4


def masked(value: str) -> str:
    """Return a number of which only the last four characters are told."""
    return "•" * max(len(value) - _TOLD, 0) + value[-_TOLD:]


class FieldSealer:
    """Seals and opens single fields and whole messages."""

    def __init__(self, keys: Mapping[str, bytes], *, path: Path | None = None) -> None:
        """Seal with the first key. A key that is met and not known is looked for in the file: others may have it."""
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._current = next(iter(keys))
        self._path = path

    def seal(self, plain: bytes, *, place: Place) -> bytes:
        """Return `length of key id, key id, nonce, ciphertext and tag`."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        key_id = self._current
        cipher = self._ciphers[key_id].encrypt(nonce, plain, place.associated_data(key_id=key_id))
        return bytes([len(key_id)]) + key_id.encode("ascii") + nonce + cipher

    def seal_large(self, plain: bytes, *, place: Place) -> bytearray:
        """Return the same, written once: beside the plain bytes there is only one copy."""
        key_id = self._current
        head = bytes([len(key_id)]) + key_id.encode("ascii") + secrets.token_bytes(NONCE_BYTES)
        sealed = bytearray(len(head) + len(plain) + TAG_BYTES)
        sealed[: len(head)] = head
        with memoryview(sealed) as view:
            self._ciphers[key_id].encrypt_into(
                head[-NONCE_BYTES:], plain, place.associated_data(key_id=key_id), view[len(head) :]
            )
        return sealed

    def open(self, sealed: bytes, *, place: Place) -> bytes:
        """Return the plain bytes.

        :raises SealBroken: when the value does not belong to `place` or was changed.
        """
        try:
            end = 1 + sealed[0]
            key_id = sealed[1:end].decode("ascii")
            nonce, cipher = sealed[end : end + NONCE_BYTES], memoryview(sealed)[end + NONCE_BYTES :]
            return self._cipher(key_id).decrypt(nonce, cipher, place.associated_data(key_id=key_id))
        except (InvalidTag, KeyError, IndexError, UnicodeDecodeError, ValueError, KeyFileError) as error:
            raise SealBroken from error

    def _cipher(self, key_id: str) -> AESGCM:
        """Return what opens. After a rotation a process that runs on meets what one that was restarted has sealed."""
        if key_id not in self._ciphers and self._path is not None:
            found = read_key_file(self._path)
            self._ciphers = {name: AESGCM(key) for name, key in found.items()} | self._ciphers
        return self._ciphers[key_id]


class BlindIndex:
    """Equality over identifiers that nobody can list without the key."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._key = next(iter(keys.values()))
        self._key_of = lru_cache(maxsize=64)(self._kind_key)

    def of(self, value: str, *, kind: str) -> bytes:
        """Return 32 bytes, equal for equal values of one kind only."""
        return hmac.digest(self._key_of(kind), value.encode(), hashlib.sha256)

    def _kind_key(self, kind: str) -> bytes:
        return hmac.digest(self._key, b"blind-index|" + kind.encode(), hashlib.sha256)


class Derivation:
    """Secrets that follow from another secret: whoever has that one and not our key cannot make them."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._key = next(iter(keys.values()))

    def secret(self, purpose: str, *parts: str) -> str:
        """Return 256 bits as base64url text, the same for the same purpose and parts."""
        return base64.urlsafe_b64encode(self.material(purpose, *parts)).rstrip(b"=").decode("ascii")

    def material(self, purpose: str, *parts: str, length: int = KEY_BYTES) -> bytes:
        """Return up to 32 bytes, the same for the same purpose and parts."""
        message = b"".join(len(part).to_bytes(4) + part for part in (text.encode() for text in (purpose, *parts)))
        return hmac.digest(self._key, message, hashlib.sha256)[:length]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """The keys of one process."""

    sealer: FieldSealer
    index: BlindIndex
    derivation: Derivation


def open_vault(secrets_dir: Path) -> Vault:
    """Read `sealing.keys`, `index.keys` and `mac.keys`.

    :raises KeyFileError: when one is missing or malformed.
    """
    sealing = secrets_dir / "sealing.keys"
    return Vault(
        sealer=FieldSealer(read_key_file(sealing), path=sealing),
        index=BlindIndex(read_key_file(secrets_dir / "index.keys")),
        derivation=Derivation(read_key_file(secrets_dir / "mac.keys")),
    )
