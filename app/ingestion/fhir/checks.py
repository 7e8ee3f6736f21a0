"""What holds for every resource, whatever its kind: modifiers that are not understood, nesting, labels, profiles."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.ingestion.fhir.bundle import Bundle, Entry
from app.ingestion.fhir.nodes import Node, codings
from app.ingestion.fhir.person import BIRTH_TIME
from app.ingestion.fhir.required import check_required
from app.ingestion.fhir.systems import best_code, is_icd_10
from app.ingestion.fhir.unshown import tell_not_shown
from app.ingestion.fhir.words import FhirCode
from app.ingestion.qd4750.values import DISEASE
from app.ingestion.verdict import Effect
from app.records.clinical import CodingArrival
from app.sharing.scope import SensitiveClass

CONTEXT: Final = frozenset(
    {
        "Binary",
        "Composition",
        "Coverage",
        "Device",
        "Endpoint",
        "Location",
        "Medication",
        "MessageHeader",
        "Organization",
        "Patient",
        "Practitioner",
        "PractitionerRole",
        "Provenance",
        "ServiceRequest",
        "Specimen",
    }
)
RECORDS: Final = frozenset(
    {
        "AllergyIntolerance",
        "Appointment",
        "Condition",
        "DiagnosticReport",
        "DocumentReference",
        "Encounter",
        "ImagingStudy",
        "Immunization",
        "MedicationDispense",
        "MedicationRequest",
        "Observation",
        "Procedure",
    }
)
READ: Final = CONTEXT | RECORDS
_RESTRICTED: Final = frozenset({"R", "V"})
_LABELS: Final[Mapping[str, SensitiveClass | None]] = {
    "HIV": SensitiveClass.HIV,
    "TB": SensitiveClass.TUBERCULOSIS,
    "TBOO": SensitiveClass.TUBERCULOSIS,
    **dict.fromkeys(
        (
            "ETH",
            "ETHUD",
            "PSY",
            "PSYTHPN",
            "SDV",
            "SEX",
            "SUD",
            "STD",
            "SPI",
            "BH",
            "COGN",
            "DVD",
            "EMOTDIS",
            "GDIS",
            "SICKLE",
        )
    ),
}
_CONFIDENTIALITY: Final = "v3-Confidentiality"
_CODES: Final[tuple[tuple[tuple[str, ...], SensitiveClass], ...]] = (
    (("B20", "B21", "B22", "B23", "B24", "Z21", "R75"), SensitiveClass.HIV),
    (("A15", "A16", "A17", "A18", "A19"), SensitiveClass.TUBERCULOSIS),
)
_LOINC: Final = "http://loinc.org"
_HIV_TESTS: Final = frozenset(
    {
        "29327-4",
        "5017-9",
        "5018-7",
        "5220-9",
        "5221-7",
        "7917-8",
        "7918-6",
        "20447-9",
        "25836-8",
        "30361-0",
        "31201-7",
        "32602-5",
        "48345-3",
        "51866-2",
        "56888-1",
        "57975-5",
        "68961-2",
        "69668-2",
        "75622-1",
        "80203-3",
        "80387-4",
        "89365-1",
        "89374-3",
    }
)
_SNOMED: Final = "http://snomed.info/sct"
_HIV_CONCEPTS: Final = frozenset({"86406008", "165816005", "62479008", "91947003", "91948008", "19030005", "186706006"})


class Looked:
    """What a look at all resources finds out besides their problems."""

    def __init__(self, *, has_extensions: bool) -> None:
        """`has_extensions` is false where no element of the message can be an extension."""
        self.has_extensions = has_extensions
        self.profiles: dict[str, None] = {}
        self.extensions = 0

    def note(self, bundle: Bundle) -> None:
        """Note how many extensions were passed over."""
        if self.extensions:
            bundle.remarks.add(FhirCode.EXTENSIONS_IGNORED, Effect.NOTES, entry=None, limit=self.extensions)


def check_entry(entry: Entry, *, looked: Looked) -> None:
    """Reject an entry whose resource R4 tells to reject, or that lacks what R4 requires."""
    resource = entry.resource
    if resource is None or entry.is_delete:
        return
    meta = resource.node("meta")
    looked.profiles.update(dict.fromkeys(meta.texts("profile") if meta else ()))
    if resource.has("implicitRules"):
        resource.remark(FhirCode.IMPLICIT_RULES, Effect.REJECTS, "implicitRules")
    for contained in resource.nodes("contained"):
        if contained.has("contained"):
            contained.remark(FhirCode.CONTAINED_NESTED, Effect.REJECTS, "contained")
    has_modifier, extensions = _extensions(resource.value) if looked.has_extensions else (False, 0)
    looked.extensions += extensions
    if has_modifier and resource.kind in READ:
        resource.remark(FhirCode.MODIFIER_EXTENSION, Effect.REJECTS, "modifierExtension")
    if resource.kind in READ and resource.code("status") != "entered-in-error":
        check_required(resource)
        tell_not_shown(resource)


def _extensions(value: dict[str, Any]) -> tuple[bool, int]:
    has_modifier, count = False, 0
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
            continue
        if not isinstance(item, dict):
            continue
        for name, below in item.items():
            if name == "extension" and isinstance(below, list):
                count += sum(not (isinstance(one, dict) and one.get("url") == BIRTH_TIME) for one in below)
            elif name == "modifierExtension" and below:
                has_modifier = True
            elif isinstance(below, dict | list):
                waiting.append(below)
    return has_modifier, count


def sensitivity(resource: Node) -> tuple[bool, SensitiveClass | None]:
    """Tell whether a resource is to be held back, and its class where that has a name.

    By its security labels, else by codes that the book does not keep: what the book keeps it classes itself.
    Source: FHIR R4 security-labels; Law on HIV/AIDS 2006 (2020) Art. 30.
    """
    for label in _security_labels(resource):
        code = (label.code("code") or "").upper()
        if code in _RESTRICTED and (label.code("system") or "").endswith(_CONFIDENTIALITY):
            return True, None
        if code in _LABELS:
            return True, _LABELS[code]
    kept = _kept(resource)
    for coding in _told(resource):
        found = class_of(coding)
        if found is not None and coding.code != kept:
            return True, found
    return False, None


def _security_labels(resource: Node) -> Iterator[Node]:
    if (meta := resource.node("meta")) is not None:
        yield from meta.nodes("security")
    if resource.kind == "DocumentReference":
        for concept in resource.nodes("securityLabel"):
            yield from concept.nodes("coding")


def class_of(coding: CodingArrival) -> SensitiveClass | None:
    """Return the class of which a code is, among those whose tables are held back (HIV, tuberculosis)."""
    plain = coding.code.replace(".", "").upper()
    if is_icd_10(coding.system):
        return next((sensitive for beginnings, sensitive in _CODES if plain.startswith(beginnings)), None)
    is_hiv = (coding.system, coding.code in _HIV_TESTS) == (_LOINC, True) or (
        coding.system == _SNOMED and coding.code in _HIV_CONCEPTS
    )
    return SensitiveClass.HIV if is_hiv else None


def _told(resource: Node) -> Iterator[CodingArrival]:
    for name in ("code", "valueCodeableConcept"):
        if isinstance(resource.value.get(name), dict):
            yield from codings(resource.node(name))
    for name in () if resource.kind == "Appointment" else ("reasonCode", "conclusionCode"):
        if isinstance(resource.value.get(name), list):
            yield from (coding for concept in resource.nodes(name) for coding in codings(concept))


def _kept(resource: Node) -> str | None:
    """Return the code that the book keeps: by it the book itself tells the class, as of what came by XML."""
    coding = codings(resource.node("code"))
    if resource.kind == "Condition":
        code = next((one.code for one in coding if is_icd_10(one.system)), "")
        return code if DISEASE.fullmatch(code) else None
    system = {"Observation": "ma-chi-so", "DiagnosticReport": "ma-dich-vu"}.get(resource.kind)
    return best_code(coding, system) if system else None
