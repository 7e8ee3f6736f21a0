"""Open the tables of a visit: FILEHOSO elements with base64, with XML as text, or with elements inside."""

import binascii
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from lxml import etree

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750.fields import SUMMARY, TABLES
from app.ingestion.remarks import MAX_LISTED, Remarks
from app.ingestion.verdict import Effect
from app.ingestion.xml import Element, XmlRefused, from_utf16, read_document, with_utf8_declared

MAX_INNER_TAGS: Final = 800_000
"""Of all tables of a message together; each document has the limits of `ingestion.xml` besides."""

MAX_TOLD: Final = 1_000
"""Problems of a message, after which each further visit lists only the first of each effect and counts the rest."""

_BOM: Final = "\ufeff"  # what .NET leaves at the front of a document that it hands over as text

_MENDS: Final = ((with_utf8_declared, ProblemCode.XML_SAYS_UTF16), (from_utf16, ProblemCode.XML_IS_UTF16))

Content = Sequence[Element]
"""One table as it was sent: its root, or its lines where they stand in the envelope without one."""


class Budget:
    """How much of a message may still be parsed, and how many of its problems told one by one."""

    def __init__(self) -> None:
        self._left = MAX_INNER_TAGS
        self._to_tell = MAX_TOLD

    @property
    def most_listed(self) -> int:
        """Return how many problems of one effect the next visit may list."""
        return MAX_LISTED if self._to_tell > 0 else 1

    def tell(self, problems: int) -> None:
        """Count what a visit lists."""
        self._to_tell -= problems

    @property
    def spent(self) -> bool:
        """Tell whether the message is larger than a message may be."""
        return self._left < 0

    def take(self, document: bytes) -> None:
        """Pay for a document."""
        self._left -= document.count(b"<")


def read_contents(visit: Element, *, remarks: Remarks, budget: Budget) -> dict[str, list[Content]]:
    """Return what a HOSO carries, by table; nothing stands for a table that is empty or cannot be read.

    A document that is refused REJECTS the visit, whatever its table.
    """
    contents: dict[str, list[Content]] = {}
    for file in visit:
        if file.tag != "FILEHOSO":
            warn_unknown(file, remarks=remarks)
            continue
        table = child_text(file, "LOAIHOSO")
        if table not in TABLES:
            remarks.add(ProblemCode.TABLE_UNKNOWN, Effect.WARNS, field="LOAIHOSO")
            continue
        content = _content(file, table=table, remarks=remarks, budget=budget)
        contents.setdefault(table, []).extend(() if content is None else (content,))
    return contents


def child_text(parent: Element, name: str) -> str:
    """Return the text of a child, without the spaces around it; empty where there is no such child."""
    return (parent.findtext(name) or "").strip()


def warn_unknown(element: Element, *, remarks: Remarks) -> None:
    """Warn of an element of the envelope that the standard does not have."""
    remarks.add(ProblemCode.FIELD_UNKNOWN, Effect.WARNS, field=etree.QName(element).localname)


def _content(file: Element, *, table: str, remarks: Remarks, budget: Budget) -> Content | None:
    for child in file:
        if child.tag not in ("LOAIHOSO", "NOIDUNGFILE"):
            warn_unknown(child, remarks=remarks)
    holders = file.findall("NOIDUNGFILE")
    if len(holders) > 1:
        remarks.add(ProblemCode.FIELD_TWICE, Effect.REJECTS, table=table, field="NOIDUNGFILE")
        return None
    if holders and len(holders[0]):
        return list(holders[0])
    text = (holders[0].text or "").strip().removeprefix(_BOM) if holders else ""
    if not text:
        effect = Effect.REJECTS if table == SUMMARY else Effect.WARNS
        remarks.add(ProblemCode.TABLE_EMPTY, effect, table=table)
        return None
    return _parsed(text, table=table, remarks=remarks, budget=budget)


def _parsed(text: str, *, table: str, remarks: Remarks, budget: Budget) -> Content | None:
    document = text.encode() if text.startswith("<") else _decoded(text)
    if document is None:
        remarks.add(ProblemCode.TABLE_BASE64, Effect.REJECTS, table=table)
        return None
    if budget.spent:
        return None
    for mend, code in _MENDS:
        mended = mend(document)
        if mended is not None:
            remarks.add(code, Effect.WARNS, table=table)
            document = mended
            break
    try:
        root = read_document(document)
    except XmlRefused as refusal:
        remarks.add(refusal.reason, Effect.REJECTS, table=table, detail=refusal.detail, limit=refusal.limit)
        return None
    budget.take(document)
    return [root]


def _decoded(text: str) -> bytes | None:
    if not text.isascii():
        return None
    for written in (text, "".join(text.split())):  # most write it in one line
        with suppress(binascii.Error):
            return binascii.a2b_base64(written, strict_mode=True)
    return None
