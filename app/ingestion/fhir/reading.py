"""Read one FHIR R4 message: every entry is accounted for, and what is understood is sorted by person and visit."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from app.core.clock import VIETNAM_TIME
from app.ingestion.fhir import appointments, attachments, medicines, procedures, results, standalone, unshown
from app.ingestion.fhir.bundle import Bundle
from app.ingestion.fhir.checks import RECORDS, Looked, check_entry, class_of
from app.ingestion.fhir.document import FhirRefused, read_document
from app.ingestion.fhir.message import EntryUse, FhirMessage, Part
from app.ingestion.fhir.nodes import Node, codings, words_of
from app.ingestion.fhir.remarks import Remarks
from app.ingestion.fhir.sorting import Sorting
from app.ingestion.fhir.systems import identifiers
from app.ingestion.fhir.units import Unit, Who
from app.ingestion.fhir.uses import Use, use_of, use_of_contained
from app.ingestion.fhir.visit import ARRIVAL_USES, Named, is_coded, is_refuted
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.clinical import KINDS, AllergyArrival, ClinicalArrival, ConditionArrival
from app.records.coming import APPOINTMENT

BUNDLE_TYPES: Final = frozenset({"transaction", "batch", "message", "document", "collection"})
_FIRST_RESULTS: Final = 5
_LAST_RANK: Final = 10_000
_Stated = TypeVar("_Stated", AllergyArrival, ConditionArrival)
_OUT: Final = frozenset({EntryUse.HELD_BACK, EntryUse.WITHDRAWS, EntryUse.REFUSED, EntryUse.IGNORED})
_EXTENSION: Final = re.compile(rb'xtension"|\\u00')  # also where its name is written with an escaped letter
_FIRST: Final[Mapping[str, str]] = {"message": "MessageHeader", "document": "Composition"}


def read_message(body: bytes) -> FhirMessage:
    """Read a message; whatever is wrong with it stands in its problems."""
    remarks = Remarks()
    try:
        document = read_document(body)
    except FhirRefused as refusal:
        remarks.add(
            refusal.reason, Effect.REJECTS, entry=None, path=refusal.place, detail=refusal.detail, limit=refusal.limit
        )
        return _message(None, remarks=remarks)
    bundle = Bundle(document, remarks=remarks)
    _check_bundle(bundle)
    return _Reader(bundle, has_extensions=_EXTENSION.search(body) is not None).read()


def _message(bundle: Bundle | None, *, remarks: Remarks) -> FhirMessage:
    return FhirMessage(
        type=bundle.type if bundle else None,
        made=None,
        issued_on=None,
        units=(),
        entries=(),
        profiles=(),
        extensions=0,
        problems=remarks.problems(),
    )


def _check_bundle(bundle: Bundle) -> None:
    root = bundle.root
    if bundle.kind != "Bundle":
        if bundle.kind not in RECORDS | {"Patient"}:
            root.remark(FhirCode.RESOURCE_NOT_TAKEN, Effect.REJECTS)
        return
    if bundle.type is None:
        root.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "type")
    elif bundle.type not in BUNDLE_TYPES:
        root.remark(FhirCode.BUNDLE_TYPE, Effect.REJECTS, "type")
    for name, code in (("implicitRules", FhirCode.IMPLICIT_RULES), ("modifierExtension", FhirCode.MODIFIER_EXTENSION)):
        if root.has(name):
            root.remark(code, Effect.REJECTS, name)
    first = _FIRST.get(bundle.type or "")
    found = bundle.entries[0].resource if bundle.entries else None
    if first is not None and (found is None or found.kind != first):
        root.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, f"entry[0].resource.ofType({first})")


class _Reader:
    """Reads the entries of one message, the visits first and then what belongs to them."""

    def __init__(self, bundle: Bundle, *, has_extensions: bool) -> None:
        self.bundle = bundle
        self.remarks = bundle.remarks
        self.uses: dict[int | None, Use] = {}
        self.looked = Looked(has_extensions=has_extensions)
        self.made = bundle.root.moment("timestamp") if bundle.kind == "Bundle" else None
        for entry in bundle.entries:
            check_entry(entry, looked=self.looked)
            self.uses[entry.index] = use_of(entry)
        self.sorting = Sorting(bundle)
        self._in_reports: set[int] = set()
        self._named: set[int] = set()
        self._reports: dict[int, list[Node]] = {}
        self._contained: dict[int, Use] = {}
        self._dispenses: dict[int, Node] = {}
        self._look_back()
        self._hold_back()

    def read(self) -> FhirMessage:
        """Read everything, in an order in which nothing is read twice."""
        for kind, read in self._steps():
            for entry, resource in self.bundle.resources(kind):
                use = self.uses[entry.index]
                is_read = id(resource.value) in self._in_reports or entry.index in self.remarks.rejected
                if use.use is EntryUse.CONTEXT and kind in RECORDS and not is_read:
                    read(use, resource)
        self.sorting.finish()
        self.looked.note(self.bundle)
        made = self.made.at.astimezone(VIETNAM_TIME) if self.made else None
        units = tuple(unit.reading(self.bundle) for unit in self.sorting.units)
        rejected = self.remarks.rejected
        return FhirMessage(
            type=self.bundle.type,
            made=f"{made:%Y%m%d%H%M}" if made else None,
            issued_on=made.date() if made else None,
            units=units,
            entries=tuple(use.reading(refused=index in rejected) for index, use in self.uses.items()),
            profiles=tuple(self.looked.profiles)[:100],
            extensions=self.looked.extensions,
            problems=self.remarks.problems(),
        )

    def _steps(self) -> tuple[tuple[str, Callable[[Use, Node], None]], ...]:
        return (
            ("Encounter", self._encounter),
            ("DiagnosticReport", self._report),
            ("ImagingStudy", self._imaging),
            ("Observation", self._observation),
            ("MedicationRequest", self._drug),
            ("MedicationDispense", self._drug),
            ("Procedure", self._procedure),
            ("Immunization", self._immunization),
            ("Condition", self._condition),
            ("AllergyIntolerance", self._allergy),
            ("DocumentReference", self._document),
            ("Appointment", self._appointment),
        )

    def _look_back(self) -> None:
        """Note which reports speak of a study and which dispense of a request: they refer, not the other way round."""
        for _, report in self.bundle.resources("DiagnosticReport"):
            for reference in report.nodes("imagingStudy"):
                study = self.bundle.resolve(reference, kinds=("ImagingStudy",), of=report)
                if isinstance(study, Node):
                    self._reports.setdefault(id(study.value), []).append(report)
        for _, dispense in self.bundle.resources("MedicationDispense"):
            for reference in dispense.nodes("authorizingPrescription"):
                request = self.bundle.resolve(reference, kinds=("MedicationRequest",), of=dispense)
                if isinstance(request, Node):
                    self._dispenses.setdefault(id(request.value), dispense)

    def _hold_back(self) -> None:
        """Hold back what belongs to what is held back: all of a visit, and what was dispensed by a prescription."""
        for entry in self.bundle.entries:
            use, resource = self.uses[entry.index], entry.resource
            if resource is None or entry.is_delete or resource.kind not in RECORDS:
                continue
            for one in self._belongs_to(resource) if use.use is EntryUse.CONTEXT else ():
                above = self.uses.get(one.entry)
                if above is not None and above.use is EntryUse.HELD_BACK and above.resource == one.kind:
                    use.is_held_back(above.sensitive)
                    break

    def _belongs_to(self, resource: Node) -> list[Node]:
        found = [self.sorting.encounter_of(one) for one in (resource, *self._results_of(resource))]
        if resource.kind == "MedicationDispense":
            references = resource.nodes("authorizingPrescription")
            found += [self.bundle.resolve(one, kinds=("MedicationRequest",), of=resource) for one in references]
        if resource.kind == "Encounter":
            return []
        return [one for one in found if isinstance(one, Node)]

    def _is_refused(self, use: Use) -> bool:
        return use.entry.index in self.remarks.rejected

    def _is_out(self, node: Node) -> bool:
        """Tell whether a resource that another one refers to is not to be read with it."""
        use = self.uses.get(node.entry)
        whole = use.entry.resource if use is not None else None
        if whole is not None and whole.value is not node.value:
            use = self._contained.get(id(node.value)) or use_of_contained(node)
            self._contained[id(node.value)] = use
        elif node.entry in self.remarks.rejected:
            return True
        return use is not None and use.use in _OUT

    def _is_not_of(self, holder: Node, who: Who, node: Node) -> bool:
        """Tell whether a resource is not to be read with the one that refers to it: it is out, or another person's."""
        if self._is_out(node):
            return True
        use = self.uses.get(node.entry)
        is_contained = use is None or use.entry.resource is None or use.entry.resource.value is not node.value
        is_anothers = self.sorting.is_about_another(node, who, is_contained=is_contained)
        if is_anothers:
            holder.remark(FhirCode.PATIENT_DIFFERS, Effect.WARNS)
        return is_anothers

    def _source(self, resource: Node, *parts: str | None, who: Who) -> str:
        """Return a record's id at the facility: its business identifier, its own id, else what it says."""
        for _, value, identifier in identifiers(resource):
            system = identifier.code("system")
            return f"{system}|{value}" if system else value
        own = resource.code("id") or self.uses[resource.entry].entry.logical_id()
        return own or ":".join([part or "-" for part in parts] + [who.mark])

    def _encounter(self, use: Use, resource: Node) -> None:
        unit = self.sorting.of_encounter(resource)
        if unit is None or self._is_refused(use):
            return
        for one in unit.conditions:
            self._hold_back_arrival(one)
        skip = partial(self._is_not_of, resource, unit.who)
        named = [one for one in unit.conditions if not skip(one.condition)]
        unit.conditions = named
        use.becomes(unit, kind="VISIT", key=unit.source or "")
        for one in named:
            if is_coded(one.condition) or not codings(one.condition.node("code")):
                self._named.add(id(one.condition.value))
                self._part(one.condition, unit, kind="VISIT", key=unit.source or "")
                unshown.tell_of_diagnosis(one.condition)

    def _hold_back_arrival(self, named: Named) -> None:
        """Hold back a diagnosis on arrival that is of a class: the book keeps its words alone."""
        classes = [found for one in codings(named.condition.node("code")) if (found := class_of(one)) is not None]
        use = self.uses.get(named.condition.entry)
        if named.use in ARRIVAL_USES and classes and use is not None and use.use is EntryUse.CONTEXT:
            use.is_held_back(classes[0])

    def _part(self, node: Node, unit: Unit, *, kind: str, key: str, part: Part | None = None) -> None:
        use = self.uses.get(node.entry)
        if use is not None and use.use is EntryUse.CONTEXT and use.resource == node.kind:
            use.becomes(unit, kind=kind, key=key, part=part)

    def _report(self, use: Use, resource: Node) -> None:
        when = results.moment_of(resource)
        unit = self.sorting.of_record(resource, at=when.at if when else None, through=self._results_of(resource))
        if unit is None:
            return self._without_unit(use, resource, "effective[x]")
        skip = partial(self._is_not_of, resource, unit.who)
        found = results.report(resource, bundle=self.bundle, otherwise_at=unit.began_at, skip=skip)
        if found is not None and any(one.entry in self.remarks.rejected for one in found.observations):
            found = results.report(resource, bundle=self.bundle, otherwise_at=unit.began_at, skip=skip)
        if found is None or self._is_refused(use):
            return None
        key = found.arrival.key
        if key in unit.reports:
            key = f"{key}:{self._source(resource, str(len(unit.reports)), who=unit.who)}"
        unit.reports[key] = results.keyed(found.arrival, key)
        use.becomes(unit, kind="TEST_REPORT", key=key, part=results.part_of_itself(found.arrival))
        use.referred = found.referred
        for node in found.observations:
            self._in_reports.add(id(node.value))
            part = results.part_of_report(node, bundle=self.bundle, otherwise_at=found.arrival.resulted_at)
            self._part(node, unit, kind="TEST_REPORT", key=key, part=part)
        return None

    def _results_of(self, report: Node) -> list[Node]:
        """Return a report's first results: a report that names no visit belongs to theirs."""
        found = (
            self.bundle.resolve(one, kinds=("Observation",), of=report)
            for one in report.nodes("result")[:_FIRST_RESULTS]
        )
        return [one for one in found if isinstance(one, Node)]

    def _without_unit(self, use: Use, resource: Node, name: str) -> None:
        if not self._is_refused(use):
            resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, name)

    def _imaging(self, use: Use, resource: Node) -> None:
        unit = self.sorting.beside(resource)
        if unit is None:
            return
        reports = [one for one in self._reports.get(id(resource.value), ()) if not self._is_out(one)]
        started = resource.code("started")
        source = self._source(resource, "img", started, who=unit.who)
        arrival = standalone.imaging(resource, bundle=self.bundle, source=source, visit=unit.source, reports=reports)
        self._clinical(use, unit, arrival)

    def _observation(self, use: Use, resource: Node) -> None:
        when = results.moment_of(resource)
        unit = self.sorting.of_record(resource, at=when.at if when else None)
        at = when.at if when else unit.began_at if unit else None
        if unit is None or at is None:
            return self._without_unit(use, resource, "effective[x]")
        weight = results.weight_of(resource)
        if weight is not None and unit.encounter is not None:
            unit.weight_kg = weight
            return use.becomes(unit, kind="VISIT", key=unit.source or "")
        nodes = [resource, *self._members_within(resource, who=unit.who)]
        lines = [line for node in nodes for line in results.read_results(node)]
        if not lines:
            if resource.has("hasMember"):  # a panel: its members say what there is
                return None
            return use.is_ignored(FhirCode.NOTHING_STATED)
        if self._is_refused(use):
            return None
        category = results.category_of(resource)
        key = results.gathered_key(category, at)
        unit.observations.setdefault(key, (category, at, []))[-1].extend(nodes)
        part = results.part(resource, lines=lines, key=key, at=at, bundle=self.bundle)
        return use.becomes(unit, kind="TEST_REPORT", key=key, part=part)

    def _members_within(self, panel: Node, *, who: Who) -> list[Node]:
        """Return the members of a panel that it contains: others are entries of their own."""
        told = [one for one in panel.nodes("hasMember") if (one.text("reference") or "").startswith("#")]
        found = [self.bundle.resolve(one, kinds=("Observation",), of=panel) for one in told]
        return [one for one in found if isinstance(one, Node) and not self._is_not_of(panel, who, one)]

    def _drug(self, use: Use, resource: Node) -> None:
        if resource.kind == "MedicationDispense" and self._is_of_request(use, resource):
            return None
        when = resource.moment("authoredOn") or resource.moment("whenHandedOver") or resource.moment("whenPrepared")
        unit = self.sorting.of_record(resource, at=when.at if when else None)
        if unit is None:
            return self._without_unit(use, resource, "authoredOn")
        dispensed = self._dispenses.get(id(resource.value))
        if dispensed is not None and self.sorting.is_about_another(dispensed, unit.who):
            dispensed = None
        found = medicines.ordered(resource, bundle=self.bundle, otherwise_at=unit.began_at, dispensed=dispensed)
        if found is None or self._is_refused(use):
            return None
        unit.drugs.append(found)
        return use.becomes(unit, kind="PRESCRIPTION", key=found.key, part=found.part)

    def _is_of_request(self, use: Use, dispense: Node) -> bool:
        for reference in dispense.nodes("authorizingPrescription"):
            request = self.bundle.resolve(reference, kinds=("MedicationRequest",), of=dispense)
            if isinstance(request, Node):
                known = self.uses.get(request.entry)
                if known is None or known.unit is None or known.use is not EntryUse.RECORD:
                    continue
                if not self.sorting.is_about_another(dispense, self.sorting.units[known.unit].who):
                    use.use, use.unit, use.kind, use.key = known.use, known.unit, known.kind, known.key
                    if dispense.has("note"):
                        dispense.remark(FhirCode.CONTENT_NOT_SHOWN, Effect.NOTES, "note")
                    return True
        return False

    def _procedure(self, use: Use, resource: Node) -> None:
        period = resource.node("performedPeriod")
        when = resource.moment("performedDateTime") or (period.moment("start") if period else None)
        unit = self.sorting.of_record(resource, at=when.at if when else None)
        if unit is None:
            return self._without_unit(use, resource, "performed[x]")
        line = len(unit.services) + 1
        found = procedures.service(resource, bundle=self.bundle, line=line, otherwise_at=unit.began_at)
        if found is None or self._is_refused(use):
            return None
        unit.services.append(found)
        return use.becomes(unit, kind="VISIT", key=unit.source or "")

    def _immunization(self, use: Use, resource: Node) -> None:
        unit = self.sorting.beside(resource)
        if unit is None:
            return
        vaccine = words_of(resource.node("vaccineCode"))
        parts = (vaccine, resource.code("occurrenceDateTime"), resource.code("lotNumber"))
        source = self._source(resource, *parts, who=unit.who)
        arrival = standalone.vaccination(resource, bundle=self.bundle, source=source, visit=unit.source)
        self._clinical(use, unit, arrival)

    def _condition(self, use: Use, resource: Node) -> None:
        unit = None if id(resource.value) in self._named else self.sorting.beside(resource)
        if unit is None:
            return None
        is_diagnosis = is_coded(resource) and _is_of_visit(resource) and not is_refuted(resource)
        if unit.encounter is not None and is_diagnosis:
            unit.conditions.append(Named(condition=resource, use=None, rank=_LAST_RANK))
            unshown.tell_of_diagnosis(resource)
            return use.becomes(unit, kind="VISIT", key=unit.source or "")
        source = self._source(resource, words_of(resource.node("code")), resource.code("onsetDateTime"), who=unit.who)
        arrival = standalone.condition(
            resource, bundle=self.bundle, source=source, visit=unit.source, otherwise_at=self._otherwise(unit)
        )
        return self._clinical(use, unit, _dated(arrival, resource, unit))

    def _allergy(self, use: Use, resource: Node) -> None:
        unit = self.sorting.beside(resource)
        if unit is None:
            return
        source = self._source(resource, words_of(resource.node("code")), who=unit.who)
        arrival = standalone.allergy(
            resource, bundle=self.bundle, source=source, visit=unit.source, otherwise_at=self._otherwise(unit)
        )
        self._clinical(use, unit, _dated(arrival, resource, unit))

    def _otherwise(self, unit: Unit) -> datetime:
        """Return when something was recorded that tells no moment: with its visit, else when the message was made."""
        return unit.began_at or (self.made.at if self.made else standalone.NOT_TOLD)

    def _clinical(self, use: Use, unit: Unit, arrival: ClinicalArrival | None) -> None:
        if arrival is None or self._is_refused(use):
            return
        unit.clinical.append(arrival)
        use.becomes(unit, kind=KINDS[type(arrival)], key=arrival.source_id)

    def _document(self, use: Use, resource: Node) -> None:
        when = resource.moment("date")
        unit = self.sorting.of_record(resource, at=when.at if when else None)
        if unit is None:
            return self._without_unit(use, resource, "date")
        source = self._source(resource, resource.code("date"), words_of(resource.node("type")), who=unit.who)
        found = attachments.attachment(resource, bundle=self.bundle, source=source, otherwise_at=unit.began_at)
        if found is None or self._is_refused(use):
            return None
        unit.documents.append(found)
        for node in attachments.binary_of(resource, self.bundle):
            self._part(node, unit, kind="DOCUMENT", key=found.key)
        return use.becomes(unit, kind="DOCUMENT", key=found.key)

    def _appointment(self, use: Use, resource: Node) -> None:
        unit = self.sorting.beside(resource)
        if unit is None:
            return
        source = self._source(resource, "app", resource.code("start"), who=unit.who)
        found = appointments.appointment(resource, bundle=self.bundle, source=source)
        if found is not None and not self._is_refused(use):
            unit.appointments.append(found)
            use.becomes(unit, kind=APPOINTMENT, key=found.source_id)


def _is_of_visit(condition: Node) -> bool:
    return any(one.code == "encounter-diagnosis" for node in condition.nodes("category") for one in codings(node))


def _dated(arrival: _Stated | None, resource: Node, unit: Unit) -> _Stated | None:
    """Note a statement whose moment is that of its message alone: sent again later, it says the same."""
    if arrival is None or resource.has("recordedDate") or arrival.onset_at is not None or unit.began_at is not None:
        return arrival
    return replace(arrival, recorded_is_told=False)
