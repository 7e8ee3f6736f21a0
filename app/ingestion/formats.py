"""Which language a message is in: what is JSON is FHIR, what is XML is the output data of Decision 4750."""

import codecs
from typing import Final

from app.core.errors import Text
from app.ingestion import fhir, qd4750, xml
from app.ingestion.catalogue import ProblemCode
from app.ingestion.fhir.words import FhirCode

Reading = qd4750.Message | fhir.FhirMessage
REFUSALS: Final = (xml.XmlRefused, fhir.FhirRefused)


def is_fhir(body: bytes | bytearray) -> bool:
    """Tell JSON by its first character; one behind a byte order mark is told so by who reads it."""
    return body[:64].removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"{"


def read_message(body: bytes) -> Reading:
    """Read a message; whatever is wrong with it stands in its problems."""
    return fhir.read_message(body) if is_fhir(body) else qd4750.read_message(body)


def check_outside(body: bytes) -> None:
    """Judge the document before it is kept.

    :raises XmlRefused: when it is XML that cannot be read
    :raises FhirRefused: when it is JSON that cannot be read, or no resource
    """
    if is_fhir(body):
        fhir.read_document(body)
    else:
        xml.check_outside(body)


Told = tuple[str, Text | None, int | None, str | None]


def told(refusal: xml.XmlRefused | fhir.FhirRefused) -> Told:
    """Return a refusal as plain words: reason, detail, limit, place."""
    place = refusal.place if isinstance(refusal, fhir.FhirRefused) else None
    return refusal.reason.value, refusal.detail, refusal.limit, place


def refusal(
    reason: str, detail: Text | None, limit: int | None, place: str | None
) -> xml.XmlRefused | fhir.FhirRefused:
    """Return the refusal that was told in words."""
    if reason in list(FhirCode):
        return fhir.FhirRefused(FhirCode(reason), place=place, detail=detail, limit=limit)
    return xml.XmlRefused(ProblemCode(reason), detail=detail, limit=limit)
