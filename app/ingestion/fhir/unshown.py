"""What R4 lets a facility say and no field of the book holds: the receipt tells it, and it stays in the message.

Only words and values that a person could miss are listed: not money, logistics or what another resource tells.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.ingestion.fhir.nodes import Node, codings
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect

_NOWHERE: Final[Mapping[str, tuple[str, ...]]] = {
    "AllergyIntolerance": (
        "onsetAge",
        "onsetRange",
        "onsetString",
        "reaction.exposureRoute",
        "reaction.note",
        "reaction.substance",
    ),
    "Appointment": (
        "reasonCode",
        "description",
        "comment",
        "patientInstruction",
        "cancelationReason",
        "reasonReference",
        "supportingInformation",
    ),
    "Condition": (
        "abatementAge",
        "abatementRange",
        "abatementString",
        "bodySite",
        "evidence.code",
        "evidence.detail",
        "stage.summary",
    ),
    "DiagnosticReport": ("media",),
    "DocumentReference": ("relatesTo",),
    "Encounter": (
        "hospitalization.admitSource",
        "hospitalization.destination",
        "hospitalization.dietPreference",
        "hospitalization.origin",
        "hospitalization.reAdmission",
        "hospitalization.specialArrangement",
        "reasonReference",
    ),
    "ImagingStudy": ("reasonCode", "reasonReference", "series.description"),
    "Immunization": (
        "isSubpotent",
        "protocolApplied.series",
        "protocolApplied.seriesDosesString",
        "protocolApplied.targetDisease",
        "reasonCode",
        "reasonReference",
        "subpotentReason",
    ),
    "MedicationDispense": ("daysSupply", "statusReasonCodeableConcept", "substitution.reason", "substitution.type"),
    "MedicationRequest": (
        "courseOfTherapyType",
        "dispenseRequest.expectedSupplyDuration",
        "dispenseRequest.initialFill",
        "dispenseRequest.numberOfRepeatsAllowed",
        "dispenseRequest.validityPeriod",
        "reasonCode",
        "reasonReference",
        "statusReason",
        "substitution.allowedCodeableConcept",
        "substitution.reason",
    ),
    "Observation": (
        "bodySite",
        "component.referenceRange.age",
        "component.valueSampledData",
        "focus",
        "method",
        "referenceRange.age",
        "valueSampledData",
    ),
    "Patient": ("deceasedBoolean", "deceasedDateTime"),
    "Procedure": (
        "bodySite",
        "complication",
        "complicationDetail",
        "focalDevice",
        "followUp",
        "note",
        "outcome",
        "performedAge",
        "performedRange",
        "performedString",
        "reasonCode",
        "reasonReference",
        "statusReason",
        "usedCode",
        "usedReference",
    ),
    "ServiceRequest": ("note", "patientInstruction"),
    "Specimen": ("condition", "note"),
}
_OF_R5: Final[Mapping[str, tuple[str, ...]]] = {
    "Encounter": ("admission", "reason"),
    "Immunization": ("reason",),
    "MedicationRequest": ("reason",),
    "Procedure": ("occurrenceAge", "occurrenceDateTime", "occurrencePeriod", "occurrenceString", "reason"),
}
"""What R5 calls otherwise: senders who write both have been met, and R4 passes over what it does not know."""
_OF_A_DOSE: Final = (
    "asNeededBoolean",
    "asNeededCodeableConcept",
    "doseAndRate.rateQuantity",
    "doseAndRate.rateRange",
    "doseAndRate.rateRatio",
    "maxDosePerAdministration",
    "maxDosePerLifetime",
    "maxDosePerPeriod",
    "method",
    "site",
    "timing.event",
    "timing.repeat.boundsDuration",
    "timing.repeat.boundsPeriod",
    "timing.repeat.boundsRange",
    "timing.repeat.dayOfWeek",
    "timing.repeat.timeOfDay",
    "timing.repeat.when",
)
"""Of a dose that is not told in words too."""
_OF_A_DIAGNOSIS: Final = ("note", "onsetAge", "onsetDateTime", "onsetPeriod", "onsetRange", "onsetString", "severity")
"""Of a Condition that is a diagnosis of its visit: the book keeps its code and its words."""
_NOT_SURE: Final = frozenset({"unconfirmed", "provisional", "differential"})
_PARTIAL: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")
_MOMENTS: Final[Mapping[str, tuple[str, ...]]] = {
    "DiagnosticReport": ("effectiveDateTime",),
    "Encounter": ("period.start", "period.end"),
    "MedicationDispense": ("whenHandedOver", "whenPrepared"),
    "MedicationRequest": ("authoredOn",),
    "Observation": ("effectiveDateTime",),
    "Procedure": ("performedDateTime",),
}
"""Moments of which the book keeps no precision."""


def tell_not_shown(resource: Node) -> None:
    """Tell of what has no field, and of moments that are shown as if all of them were known."""
    _tell(resource, resource.value, (*_NOWHERE.get(resource.kind, ()), *_OF_R5.get(resource.kind, ())))
    doses = resource.value.get("dosageInstruction")
    for number, dose in enumerate(doses if isinstance(doses, list) else ()):
        if isinstance(dose, dict) and not dose.get("text"):
            _tell(resource, dose, _OF_A_DOSE, within=f"dosageInstruction[{number}].")
    if resource.kind == "Composition":
        for place in _told_in_words_alone(resource.value, within=""):
            resource.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, place)
    for path in _MOMENTS.get(resource.kind, ()):
        for place, told in _found(resource.value, path.split(".")):
            if isinstance(told, str) and _PARTIAL.fullmatch(told.strip()):
                resource.remark(FhirCode.MOMENT_PARTIAL, Effect.WARNS, place)


def tell_of_diagnosis(condition: Node) -> None:
    """Tell of what is said of a diagnosis beyond what it is."""
    _tell(condition, condition.value, _OF_A_DIAGNOSIS)
    if any(one.code in _NOT_SURE for one in codings(condition.node("verificationStatus"))):
        condition.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "verificationStatus")


def _told_in_words_alone(value: dict[str, Any], *, within: str) -> Iterator[str]:
    """Yield the sections of a Composition whose text no entry tells again: a note, or a summary of a stay."""
    sections = value.get("section")
    for number, section in enumerate(sections if isinstance(sections, list) else ()):
        if not isinstance(section, dict):
            continue
        place = f"{within}section[{number}]"
        text = section.get("text")
        if isinstance(text, dict) and text.get("div") and not (section.get("entry") or section.get("emptyReason")):
            yield f"{place}.text"
        yield from _told_in_words_alone(section, within=f"{place}.")


def _tell(resource: Node, value: dict[str, Any], paths: tuple[str, ...], *, within: str = "") -> None:
    for path in paths:
        for place, told in _found(value, path.split(".")):
            if told not in (None, False, "", [], {}) and not _is_another_resource(told):
                resource.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, f"{within}{place}")


def _is_another_resource(told: object) -> bool:
    """Tell whether nothing but references stands here: what they refer to is read by itself."""
    each = told if isinstance(told, list) else [told]
    return all(isinstance(one, dict) and ("reference" in one or "identifier" in one) for one in each)


def _found(value: dict[str, Any], steps: list[str]) -> Iterator[tuple[str, object]]:
    """Yield what stands at a path, with its place; lists on the way are walked through."""
    name, *below = steps
    told = value.get(name)
    if not below or told is None:
        yield name, told
        return
    for number, one in enumerate(told if isinstance(told, list) else [told]):
        place = f"{name}[{number}]" if isinstance(told, list) else name
        if isinstance(one, dict):
            yield from ((f"{place}.{rest}", found) for rest, found in _found(one, below))
