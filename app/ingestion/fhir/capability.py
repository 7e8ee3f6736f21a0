"""What the FHIR door tells of itself, to clients that ask before they send."""

from typing import Any, Final

from app.core.outcomes import FHIR_JSON
from app.core.settings import RELEASE
from app.ingestion.fhir.checks import READ

_STATED_ON: Final = "2026-11-22"  # of this text; it changes with what is said here
_SERVICES: Final = "http://terminology.hl7.org/CodeSystem/restful-security-service"
_WORDS: Final = (
    "Bundles (transaction, batch, message, document, collection) or one resource, sent by POST to this address: kept "
    "first and answered by 202 with the place of a receipt, which accounts for every entry once it is filed. "
    "Nothing is read or searched here. `?dryRun=true` judges at once and keeps nothing."
)


def capability_statement(*, public_url: str) -> dict[str, Any]:
    """Return the CapabilityStatement of the door.

    Source: FHIR R4 capabilitystatement.html, http.html#capabilities.
    """
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": _STATED_ON,
        "kind": "instance",
        "software": {"name": "Sổ Khỏe", "version": RELEASE},
        "implementation": {"description": "Sổ Khỏe", "url": f"{public_url}/ingest/fhir"},
        "fhirVersion": "4.0.1",
        "format": [FHIR_JSON],
        "rest": [
            {
                "mode": "server",
                "documentation": _WORDS,
                "security": {
                    "cors": False,
                    "service": [{"coding": [{"system": _SERVICES, "code": "SMART-on-FHIR"}]}],
                    "description": "A bearer token of POST /auth/token (private_key_jwt, scope system/*.c).",
                },
                "resource": [{"type": kind} for kind in sorted(READ)],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
            }
        ],
    }
