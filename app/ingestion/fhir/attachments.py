"""DocumentReference with its Binary: a paper that a citizen was handed, of any kind.

What it looks like stays in the sealed message; the book tells that it exists, and its text where it is plain text.
No address is opened.
"""

import base64
import binascii
from datetime import datetime
from typing import Final

from app.ingestion.fhir import people
from app.ingestion.fhir.bundle import Bundle, Outside
from app.ingestion.fhir.nodes import LONGEST_TEXT, Node, codings, words_of
from app.ingestion.fhir.systems import identifiers
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.papers import AttachmentArrival

_PLAIN: Final = "text/plain"
_MOST_DATA: Final = 14_000_000  # no message is longer
_LONGEST_TITLE: Final = 1_000


def attachment(
    resource: Node, *, bundle: Bundle, source: str, otherwise_at: datetime | None
) -> AttachmentArrival | None:
    """Read a DocumentReference. Source: FHIR R4 DocumentReference, Binary."""
    when = resource.moment("date")
    context = resource.node("context")
    period = context.node("period") if context else None
    begun, ended = (period.moment("start"), period.moment("end")) if period else (None, None)
    at = when.at if when else begun.at if begun else otherwise_at
    if at is None:
        resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "date")
        return None
    form = next((one for content in resource.nodes("content") if (one := content.node("attachment"))), None)
    kind = resource.node("type")
    title = (form.text("title") if form else None) or resource.text("description") or words_of(kind)
    author, _ = people.first_of(bundle, resource, "author")
    content_type, size, text = _content(form, bundle, of=resource)
    if form is not None and text is None and (form.has("data") or form.has("url")):
        form.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES)
    for more in resource.nodes("content")[1:]:
        more.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES)
    numbers = [value for _, value, _ in identifiers(resource)]
    return AttachmentArrival(
        key=f"doc:{source}",
        dated_at=at,
        issued_on=when.on if when else None,
        number=numbers[0] if numbers else None,
        title=(title or content_type or "-")[:_LONGEST_TITLE],
        type_code=next((one.code for one in codings(kind)), None),
        started_at=begun.at if begun else at,
        ended_at=ended.at if ended else None,
        content_type=content_type,
        size_bytes=size,
        signer_name=author,
        note=text,
    )


def binary_of(resource: Node, bundle: Bundle) -> list[Node]:
    """Return the Binary resources of this message that a DocumentReference means."""
    found = []
    for content in resource.nodes("content"):
        form = content.node("attachment")
        if form is not None and (node := _binary(form, bundle, of=resource)) is not None:
            found.append(node)
    return found


def _binary(form: Node, bundle: Bundle, *, of: Node) -> Node | None:
    url = form.text("url", longest=2_000)
    if url is None:
        return None
    reference = Node({"reference": url}, step="url", entry=form.entry, remarks=form.remarks, above=form)
    found = bundle.resolve(reference, kinds=("Binary",), of=of)
    return None if isinstance(found, Outside) else found


def _content(form: Node | None, bundle: Bundle, *, of: Node) -> tuple[str | None, int | None, str | None]:
    if form is None:
        return None, None, None
    content_type, size = form.code("contentType"), form.whole("size")
    data = form.text("data", longest=_MOST_DATA)
    if data is None and (binary := _binary(form, bundle, of=of)) is not None:
        content_type = binary.code("contentType") or content_type
        data = binary.text("data", longest=_MOST_DATA)
    if data is None:
        return content_type, size, None
    try:
        content = base64.b64decode(data)
    except (binascii.Error, ValueError):
        return content_type, size, None
    is_plain = (content_type or "").lower().startswith(_PLAIN) and len(content) <= LONGEST_TEXT
    return content_type, len(content), _text(content) if is_plain else None


def _text(content: bytes) -> str | None:
    try:
        text = content.decode("utf-8").strip()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text or None
