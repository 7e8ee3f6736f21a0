"""Trusted operations: the documents that released apps send, by id.

`graphql/trusted.json` is append-only: apps live for years in stores. An entry names its document, the day since
which it is served and, once it is known, the day of its sunset. The id is the SHA-256 of the document's text.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path

from graphql import DocumentNode, GraphQLError, OperationType, get_operation_ast, parse

from app.core.errors import NotInstallable, Text

GRACE = timedelta(days=90)
"""How long after its sunset a document is still answered, and after its successor a function is still kept."""
FOLDER = Path(__file__).parent.parent.parent / "graphql"


UNKNOWN_DOCUMENT = Text(
    "Máy chủ không có truy vấn nào với documentId này. Hãy cập nhật ứng dụng; nếu bạn phát triển ứng dụng: documentId "
    "là sha256:<hex> của văn bản truy vấn, và văn bản phải có trong graphql/trusted.json của bản phát hành này.",
    "This server has no document with this documentId. Update the app; if you develop it: a documentId is sha256:<hex> "
    "of the document's text, and the text must stand in graphql/trusted.json of this release.",
)


class BadOperation(NotInstallable):
    """A document of the list cannot be served; the message names its file."""

    told = Text("Truy vấn đã phát hành không dùng được.", "A released operation cannot be served.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedOperation:
    """One document of the list."""

    id: str  # sha256:<hex>
    file: str  # below graphql/operations
    since: date
    sunset: date | None
    text: str

    @property
    def document(self) -> DocumentNode:
        """Return the parsed document."""
        return parse(self.text, no_location=True)

    @property
    def name(self) -> str:
        """Return the file's name without its folder: the operation's name."""
        return Path(self.file).stem

    @property
    def is_subscription(self) -> bool:
        """Tell whether the document is listened to (app.gateway.sockets) and not answered once."""
        try:
            operation = get_operation_ast(self.document)
        except GraphQLError:  # whoever compiles it says so
            return False
        return operation is not None and operation.operation is OperationType.SUBSCRIPTION

    @property
    def sunset_at(self) -> datetime | None:
        """Return the beginning of the sunset's day."""
        return None if self.sunset is None else datetime.combine(self.sunset, time(), tzinfo=UTC)

    def is_over(self, now: datetime) -> bool:
        """Tell whether the document is not served any more."""
        return self.sunset_at is not None and now >= self.sunset_at + GRACE


def document_id(text: str) -> str:
    """Return the id of a document's text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@cache
def trusted_operations() -> Mapping[str, TrustedOperation]:
    """Return the list by id.

    :raises BadOperation: naming the file whose text is missing, or does not have the id of its entry
    """
    listed = json.loads((FOLDER / "trusted.json").read_text(encoding="utf-8"))
    found = {}
    for entry in listed:
        place = f"graphql/operations/{entry['file']}"
        try:
            text = (FOLDER / "operations" / entry["file"]).read_text(encoding="utf-8")
        except OSError as error:
            raise BadOperation(f"{place} cannot be read: released documents stay") from error
        if document_id(text) != entry["id"]:
            raise BadOperation(f"{place} was changed: released documents never change, add a new one")
        found[entry["id"]] = TrustedOperation(
            id=entry["id"],
            file=entry["file"],
            since=date.fromisoformat(entry["since"]),
            sunset=None if entry["sunset"] is None else date.fromisoformat(entry["sunset"]),
            text=text,
        )
    return found
