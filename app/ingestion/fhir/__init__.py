"""FHIR R4 (4.0.1): bytes become arrivals. Pure: no database, no clock, no network.

Ladder: reading → uses, sorting → units → what is read (visit, medicines, results, services, standalone, attachments,
person) → bundle, checks → nodes → remarks → message, words. References are resolved within the message; what is not in
it is named, so that filing can ask what the facility sent before.
"""

from app.ingestion.fhir.document import MAX_MESSAGE_BYTES, FhirRefused, read_document
from app.ingestion.fhir.message import EntryReading, EntryUse, FhirMessage, Part, Referred, UnitReading
from app.ingestion.fhir.reading import read_message

__all__ = [
    "MAX_MESSAGE_BYTES",
    "EntryReading",
    "EntryUse",
    "FhirMessage",
    "FhirRefused",
    "Part",
    "Referred",
    "UnitReading",
    "read_document",
    "read_message",
]
