"""Trusted operations: the documents that released apps send, by id.

`graphql/trusted.json` is append-only: apps live for years in stores. An entry names its document, the day since
which it is served and, once it is known, the day of its sunset. The id is the SHA-256 of the document's text.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from graphql import DocumentNode, parse

FOLDER = Path(__file__).parent.parent.parent / "graphql"


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


def document_id(text: str) -> str:
    """Return the id of a document's text."""
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


@cache
def trusted_operations() -> Mapping[str, TrustedOperation]:
    """Return the list by id.

    :raises ValueError: naming the file whose text does not have the id of its entry
    """
    listed = json.loads((FOLDER / "trusted.json").read_text(encoding="utf-8"))
    found = {}
    for entry in listed:
        text = (FOLDER / "operations" / entry["file"]).read_text(encoding="utf-8")
        if document_id(text) != entry["id"]:
            message = f"graphql/operations/{entry['file']} was changed: released documents never change, add a new one"
            raise ValueError(message)
        found[entry["id"]] = TrustedOperation(
            id=entry["id"],
            file=entry["file"],
            since=date.fromisoformat(entry["since"]),
            sunset=None if entry["sunset"] is None else date.fromisoformat(entry["sunset"]),
            text=text,
        )
    return found
