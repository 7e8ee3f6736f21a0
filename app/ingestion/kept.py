"""The bytes of a kept message at rest: packed, for what hospitals write repeats itself, and sealed then.

ISA-L packs ten megabytes in 3 ms, where the standard library takes 25 of a core that others wait for, and either reads
what the other wrote (RFC 1950).
"""

from typing import Final
from uuid import UUID

from isal import isal_zlib

from app.core.crypto import FieldSealer, Place

_LEVEL: Final = 1
_PACKED: Final = b"\x78"
"""Begins what is packed (RFC 1950), and no message: those begin with a space, a byte order mark, < or {."""


def seal_message(body: bytes | bytearray, *, message_id: UUID, sealer: FieldSealer) -> bytearray:
    """Return what is kept of the bytes that came."""
    return sealer.seal_large(isal_zlib.compress(body, _LEVEL), place=_place(message_id))


def open_message(sealed: bytes, *, message_id: UUID, sealer: FieldSealer) -> bytes:
    """Return the bytes as they came; those of older releases were not packed.

    :raises SealBroken: when they were changed, or belong to another message
    """
    kept = sealer.open(sealed, place=_place(message_id))
    return isal_zlib.decompress(kept) if kept.startswith(_PACKED) else kept


def _place(message_id: UUID) -> Place:
    return Place(table="intake.message", column="body", row_id=message_id)
