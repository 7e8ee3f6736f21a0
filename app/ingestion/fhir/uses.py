"""What each entry is to the book, before it is read: a record, what others need, or nothing of its concern."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from app.ingestion.fhir import results, standalone
from app.ingestion.fhir.bundle import Entry
from app.ingestion.fhir.checks import CONTEXT, RECORDS, sensitivity
from app.ingestion.fhir.message import EntryReading, EntryUse, Part, Referred
from app.ingestion.fhir.nodes import KIND, Node, codings
from app.ingestion.fhir.units import Unit
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.sharing.scope import SensitiveClass

_TAKEN_BACK: Final[Mapping[str, frozenset[str]]] = {
    "Encounter": frozenset({"cancelled"}),
    "MedicationRequest": frozenset({"cancelled", "revoked"}),
    "MedicationDispense": frozenset({"cancelled"}),
    "ImagingStudy": frozenset({"cancelled"}),
    "Observation": frozenset({"cancelled"}),
    "DiagnosticReport": frozenset({"cancelled"}),
}
_NOT_DONE: Final[Mapping[str, frozenset[str]]] = {
    "Appointment": frozenset({"proposed", "pending", "waitlist"}),
    "Encounter": frozenset({"planned"}),
    "MedicationRequest": frozenset({"draft"}),
    "MedicationDispense": frozenset({"preparation", "not-done", "declined", "cancelled"}),
    "Procedure": frozenset({"preparation", "not-done"}),
    "ImagingStudy": frozenset({"registered"}),
}
_PLANS: Final = frozenset({"proposal", "plan"})


@dataclass(slots=True, kw_only=True)
class Use:
    """What an entry turns out to be."""

    entry: Entry
    resource: str
    use: EntryUse
    unit: int | None = None
    kind: str | None = None
    key: str | None = None
    part: Part | None = None
    reason: str | None = None
    names: tuple[str, ...] = ()
    sensitive: SensitiveClass | None = None
    referred: tuple[Referred, ...] = ()

    def becomes(self, unit: Unit, *, kind: str, key: str, part: Part | None = None) -> None:
        """Note the record that the entry is, or is a part of."""
        self.use, self.unit, self.kind, self.key, self.part = EntryUse.RECORD, unit.position, kind, key, part

    def is_ignored(self, reason: FhirCode) -> None:
        """Note why the entry is not filed."""
        self.use, self.reason = EntryUse.IGNORED, reason

    def is_held_back(self, sensitive: SensitiveClass | None) -> None:
        """Note that the entry stays in the sealed message alone."""
        self.use, self.sensitive, self.reason = EntryUse.HELD_BACK, sensitive, FhirCode.SENSITIVE_HELD_BACK
        if self.entry.resource is not None:
            self.entry.resource.remark(FhirCode.SENSITIVE_HELD_BACK, Effect.NOTES)

    def reading(self, *, refused: bool) -> EntryReading:
        """Return what is told of the entry."""
        use = EntryUse.REFUSED if refused else self.use
        return EntryReading(
            index=self.entry.index or 0,
            resource=self.resource,
            use=use,
            unit=None if refused else self.unit,
            kind=None if refused else self.kind,
            key=None if refused else self.key,
            part=None if refused else self.part,
            reason=self.reason,
            names=self.names,
            sensitive=self.sensitive,
            referred=() if refused else self.referred,
            is_delete=self.entry.is_delete,
        )


def use_of(entry: Entry) -> Use:
    """Tell what an entry is, by its method, kind, status and labels. A record counts as context until it is read."""
    resource = entry.resource
    if entry.is_delete:
        url = unquote(entry.url or "")
        told = url.replace("?", "/").split("/", 1)[0]
        kind = told if KIND.fullmatch(told) else ""
        return Use(entry=entry, resource=kind, use=EntryUse.WITHDRAWS, names=(url,))
    kind = resource.kind if resource else ""
    use = Use(entry=entry, resource=kind, use=EntryUse.CONTEXT, names=tuple(dict.fromkeys(entry.names())))
    if entry.method in ("GET", "HEAD"):
        use.is_ignored(FhirCode.METHOD_IGNORED)
    elif resource is None:
        use.use = EntryUse.REFUSED
    elif kind not in CONTEXT and kind not in RECORDS:
        use.is_ignored(FhirCode.KIND_NOT_READ)
    elif kind in RECORDS:
        _classify(use, resource)
    return use


def use_of_contained(resource: Node) -> Use:
    """Tell what a resource within another one is, by its kind, status and labels; what is not read is told."""
    use = Use(entry=Entry(index=resource.entry, resource=resource), resource=resource.kind, use=EntryUse.CONTEXT)
    if resource.kind in RECORDS:
        _classify(use, resource)
    if use.use is EntryUse.IGNORED and use.reason is not None:
        resource.remark(FhirCode(use.reason), Effect.NOTES)
    return use


def _classify(use: Use, resource: Node) -> None:
    kind, status = resource.kind, resource.code("status")
    verification = {one.code for one in codings(resource.node("verificationStatus"))}
    in_error = status == "entered-in-error" and kind != "Appointment"  # which is called off, in its turn
    if in_error or "entered-in-error" in verification or status in _TAKEN_BACK.get(kind, ()):
        use.use = EntryUse.WITHDRAWS
        return
    held, sensitive = sensitivity(resource)
    if held:
        use.is_held_back(sensitive)
    elif kind in ("Observation", "DiagnosticReport") and results.is_not_yet(resource):
        use.is_ignored(FhirCode.NOT_FINAL)
    elif status in _NOT_DONE.get(kind, ()) or resource.code("intent") in _PLANS or resource.flag("doNotPerform"):
        use.is_ignored(FhirCode.NOT_DONE)
    elif standalone.states_nothing(resource):
        use.is_ignored(FhirCode.NOTHING_STATED)
