"""What R4 requires of each kind of resource that is read.

Source: FHIR R4 (4.0.1), the element tables with cardinality 1..1 and 1..*, and the required value sets of `status`.
"""

from collections.abc import Mapping
from typing import Final

from app.ingestion.fhir.nodes import Node
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect

_BACKBONES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "AllergyIntolerance": {"reaction": ("manifestation",)},
    "Appointment": {"participant": ("status",)},
    "Condition": {},
    "DiagnosticReport": {"media": ("link",)},
    "DocumentReference": {"content": ("attachment",), "relatesTo": ("code", "target")},
    "Encounter": {
        "diagnosis": ("condition",),
        "location": ("location",),
        "statusHistory": ("status", "period"),
        "classHistory": ("class", "period"),
    },
    "ImagingStudy": {"series": ("uid", "modality"), "series.instance": ("uid", "sopClass")},
    "Immunization": {"performer": ("actor",), "protocolApplied": ("doseNumber[x]",)},
    "MedicationDispense": {"performer": ("actor",), "substitution": ("wasSubstituted",)},
    "MedicationRequest": {"substitution": ("allowed[x]",)},
    "Observation": {"component": ("code",)},
    "Patient": {"communication": ("language",), "link": ("other", "type")},
    "Procedure": {"performer": ("actor",), "focalDevice": ("manipulated",)},
}
_SINGLE: Final = frozenset({"substitution"})  # an object where the others are lists
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {
    "AllergyIntolerance": ("patient",),
    "Appointment": ("status", "participant"),
    "Binary": ("contentType",),
    "Condition": ("subject",),
    "Coverage": ("status", "beneficiary", "payor"),
    "DiagnosticReport": ("status", "code"),
    "DocumentReference": ("status", "content"),
    "Encounter": ("status", "class"),
    "ImagingStudy": ("status", "subject"),
    "Immunization": ("status", "vaccineCode", "patient", "occurrence[x]"),
    "MedicationDispense": ("status", "medication[x]"),
    "MedicationRequest": ("status", "intent", "medication[x]", "subject"),
    "Observation": ("status", "code"),
    "Patient": ("name", "birthDate"),  # what a book needs; R4 itself asks for nothing
    "Procedure": ("status", "subject"),
    "ServiceRequest": ("status", "intent", "subject"),
    "Specimen": (),
}
CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "occurrence[x]": ("occurrenceDateTime", "occurrenceString"),
    "medication[x]": ("medicationCodeableConcept", "medicationReference"),
    "doseNumber[x]": ("doseNumberPositiveInt", "doseNumberString"),
    "allowed[x]": ("allowedBoolean", "allowedCodeableConcept"),
}
_EVENTS: Final = frozenset(
    {
        "preparation",
        "in-progress",
        "not-done",
        "on-hold",
        "stopped",
        "completed",
        "entered-in-error",
        "unknown",
        "cancelled",
        "declined",
    }
)
_REQUESTS: Final = frozenset(
    {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", "cancelled", "stopped"}
)
_RESULTS: Final = frozenset(
    {
        "registered",
        "partial",
        "preliminary",
        "final",
        "amended",
        "corrected",
        "appended",
        "cancelled",
        "entered-in-error",
        "unknown",
    }
)
STATUSES: Final[Mapping[str, frozenset[str]]] = {
    "Appointment": frozenset(
        {
            "proposed",
            "pending",
            "booked",
            "arrived",
            "fulfilled",
            "cancelled",
            "noshow",
            "entered-in-error",
            "checked-in",
            "waitlist",
        }
    ),
    "Coverage": frozenset({"active", "cancelled", "draft", "entered-in-error"}),
    "DiagnosticReport": _RESULTS,
    "DocumentReference": frozenset({"current", "superseded", "entered-in-error"}),
    "Encounter": frozenset(
        {
            "planned",
            "arrived",
            "triaged",
            "in-progress",
            "onleave",
            "finished",
            "cancelled",
            "entered-in-error",
            "unknown",
        }
    ),
    "ImagingStudy": frozenset({"registered", "available", "cancelled", "entered-in-error", "unknown"}),
    "Immunization": frozenset({"completed", "entered-in-error", "not-done"}),
    "MedicationDispense": _EVENTS,
    "MedicationRequest": _REQUESTS,
    "Observation": _RESULTS,
    "Procedure": _EVENTS,
    "ServiceRequest": _REQUESTS,
}


def check_required(resource: Node) -> None:
    """Reject the entry for each element that R4 requires and that is not there, and for a status that is none."""
    kind = resource.kind
    _check(resource, REQUIRED.get(kind, ()))
    for place, names in _BACKBONES.get(kind, {}).items():
        for part in _parts(resource, place):
            _check(part, names)
    allowed = STATUSES.get(kind)
    if allowed is not None and (status := resource.code("status")) and status not in allowed:
        resource.remark(FhirCode.CODE_UNKNOWN, Effect.REJECTS, "status")


def _parts(resource: Node, place: str) -> list[Node]:
    found = [resource]
    for name in place.split("."):
        if name in _SINGLE:
            found = [part for one in found if (part := one.node(name)) is not None]
        else:
            found = [part for one in found for part in one.nodes(name)]
    return found


def _check(node: Node, names: tuple[str, ...]) -> None:
    for name in names:
        written = CHOICES.get(name, (name,))
        if not any(node.has(one) for one in written):
            node.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, name)
        if len(written) > 1:
            node.choice(*written)
