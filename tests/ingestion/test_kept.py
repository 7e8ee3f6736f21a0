"""The bytes of a kept message at rest: what one library packed another unpacks."""

import secrets
import zlib
from uuid import UUID

from app.core.crypto import FieldSealer, Place
from app.ingestion.kept import open_message, seal_message
from tests.ingestion import messages

MESSAGE_ID = UUID("01932d5e-0000-7000-8000-000000000001")
PLACE = Place(table="intake.message", column="body", row_id=MESSAGE_ID)
SEALER = FieldSealer({"one": secrets.token_bytes(32)})


def test_what_is_kept_is_packed_as_rfc_1950_says() -> None:
    body = messages.message()
    sealed = bytes(seal_message(body, message_id=MESSAGE_ID, sealer=SEALER))
    packed = SEALER.open(sealed, place=PLACE)
    assert zlib.decompress(packed) == body
    assert len(packed) < len(body)
    assert open_message(sealed, message_id=MESSAGE_ID, sealer=SEALER) == body


def test_what_earlier_releases_kept_opens() -> None:
    body = messages.message()
    for kept in (zlib.compress(body, 1), zlib.compress(body, 9), body):
        sealed = SEALER.seal(kept, place=PLACE)
        assert open_message(sealed, message_id=MESSAGE_ID, sealer=SEALER) == body


def test_what_does_not_shrink_is_kept_too() -> None:
    for body in (
        b"<a/>",
        b"<a>" + secrets.token_bytes(1_000_000).hex().encode() + b"</a>",
        b"{" + secrets.token_bytes(3_000_000),
    ):
        sealed = bytes(seal_message(body, message_id=MESSAGE_ID, sealer=SEALER))
        assert open_message(sealed, message_id=MESSAGE_ID, sealer=SEALER) == body
