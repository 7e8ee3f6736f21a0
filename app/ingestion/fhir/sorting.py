"""Whom and which visit a resource belongs to."""

from collections.abc import Sequence
from datetime import datetime

from app.core.clock import VIETNAM_TIME
from app.ingestion.fhir.appointments import patient_of
from app.ingestion.fhir.bundle import Bundle, Outside
from app.ingestion.fhir.nodes import Node
from app.ingestion.fhir.person import person
from app.ingestion.fhir.units import Unit, Who
from app.ingestion.fhir.visit import named_conditions, source_id, started_at
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect

_SUBJECTS = ("subject", "patient", "beneficiary")


class Sorting:
    """The units of a message, made as they are needed."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.units: list[Unit] = []
        self._by_key: dict[tuple[object, ...], Unit] = {}
        self._people: dict[int, Who] = {}
        self._outside: dict[tuple[str, ...], Who] = {}
        self._patients = [node for _, node in bundle.resources("Patient")]
        self._by_id = {f"Patient/{told}": one for one in self._patients if (told := one.code("id")) is not None}
        self._coverages: dict[int, list[Node]] = {}
        for _, coverage in bundle.resources("Coverage"):
            holder = bundle.follow(coverage, "beneficiary", kinds=("Patient",))
            if isinstance(holder, Node) and coverage.code("status") == "active":
                self._coverages.setdefault(id(holder.value), []).append(coverage)
        for patient in self._patients:  # every Patient is read, whether anything is said of it or not
            self._of_node(patient)

    def finish(self) -> None:
        """Let each Patient of whom nothing else is said have a unit too: later messages may refer to it."""
        named = {id(unit.who) for unit in self.units}
        for who in self._people.values():
            if id(who) not in named:
                self._new(("person", id(who)), Unit(who=who))

    def who_of(self, resource: Node, *, encounter: Node | None = None) -> Who | None:
        """Return whom a resource is about: as it says, else as its visit says, else the only Patient of the message."""
        for holder in (resource, encounter):
            found = None if holder is None else self._said_of(holder)
            if isinstance(found, Node):
                return self._of_node(found)
            if isinstance(found, Outside):
                return self._outside.setdefault(found.names, Who(arrival=None, names=found.names))
        if len(self._patients) == 1:
            return self._of_node(self._patients[0])
        resource.remark(FhirCode.PATIENT_NOT_KNOWN, Effect.REJECTS)
        return None

    def is_about_another(self, resource: Node, who: Who, *, is_contained: bool = False) -> bool:
        """Tell whether a resource says that it is about somebody else than the one that refers to it.

        What is contained has no life of its own: it is another's only where it names a Patient of the message.
        """
        found = self._said_of(resource)
        if isinstance(found, Node):
            return self._of_node(found) is not who
        if found is None or is_contained:
            return False
        known = (self._by_id[name] for name in found.names if name in self._by_id)
        return not (set(found.names) & set(who.names) or any(self._of_node(one) is who for one in known))

    def _said_of(self, resource: Node) -> Node | Outside | None:
        """Return whom a resource itself names."""
        return next((found for name in _SUBJECTS if (found := self._named(resource, name)) is not None), None)

    def _named(self, holder: Node, name: str) -> Node | Outside | None:
        if holder.kind == "Appointment":
            return patient_of(holder, self.bundle)
        return self.bundle.follow(holder, name, kinds=("Patient",))

    def _of_node(self, patient: Node) -> Who:
        known = self._people.get(id(patient.value))
        if known is None:
            coverages = tuple(self._coverages.get(id(patient.value), ()))
            known = Who(arrival=person(patient, coverages=coverages), entry=patient.entry)
            self._people[id(patient.value)] = known
        return known

    def of_encounter(self, encounter: Node) -> Unit | None:
        """Return the unit of a visit that is in the message."""
        key = ("visit", id(encounter.value))
        if key in self._by_key:
            return self._by_key[key]
        who = self.who_of(encounter)
        began_at = started_at(encounter)
        if who is None or began_at is None:
            return None
        minute = f"{began_at.astimezone(VIETNAM_TIME):%Y%m%d%H%M}"
        unit = self._new(key, Unit(who=who, encounter=encounter, is_visit=True, began_at=began_at))
        unit.source = source_id(encounter, fallback=f"enc:{minute}:{who.mark}")
        unit.conditions = named_conditions(self.bundle, encounter)
        return unit

    def encounter_of(self, resource: Node) -> Node | Outside | None:
        """Return the visit that a resource names."""
        return self.bundle.remarks.once(resource.value, self._encounter_of, resource)

    def _encounter_of(self, resource: Node) -> Node | Outside | None:
        inner = resource.node("context")  # of a DocumentReference it is an object that holds references
        listed = inner.nodes("encounter") if inner is not None and not inner.has("reference") else []
        if listed:
            return self.bundle.resolve(listed[0], kinds=("Encounter", "EpisodeOfCare"), of=resource)
        name = "encounter" if resource.has("encounter") else "context"
        found = self.bundle.follow(resource, name, kinds=("Encounter", "EpisodeOfCare"))
        return None if isinstance(found, Node) and found.kind != "Encounter" else found

    def of_record(self, resource: Node, *, at: datetime | None, through: Sequence[Node] = ()) -> Unit | None:
        """Return the unit of what belongs to a visit; without one it stands in a visit of its own for the day.

        `through` are resources whose visit is meant where the resource itself names none.
        """
        encounter = next((found for one in (resource, *through) if (found := self.encounter_of(one)) is not None), None)
        if isinstance(encounter, Node):
            return self._within(resource, encounter)
        who = self.who_of(resource)
        if who is None:
            return None
        if isinstance(encounter, Outside):
            key: tuple[object, ...] = ("outside", id(who), encounter.names)
            return self._by_key.get(key) or self._new(key, Unit(who=who, is_visit=True, visit_names=encounter.names))
        if at is None:
            return None
        on = at.astimezone(VIETNAM_TIME).date()
        key = ("day", id(who), on)
        unit = self._by_key.get(key) or self._new(
            key, Unit(who=who, is_visit=True, on=on, source=f"day:{on:%Y%m%d}:{who.mark}")
        )
        unit.stand_at(at)
        resource.remark(FhirCode.NO_VISIT_NAMED, Effect.NOTES, "encounter")
        return unit

    def beside(self, resource: Node) -> Unit | None:
        """Return the unit of a record that needs no visit: that of the visit it names, else of the person alone."""
        encounter = self.encounter_of(resource)
        if isinstance(encounter, Node):
            return self._within(resource, encounter)
        who = self.who_of(resource)
        if who is None:
            return None
        key = ("person", id(who))
        return self._by_key.get(key) or self._new(key, Unit(who=who))

    def _within(self, resource: Node, encounter: Node) -> Unit | None:
        unit = self.of_encounter(encounter)
        if unit is None:
            return None
        who = self.who_of(resource, encounter=encounter)
        if who is not unit.who:
            resource.remark(FhirCode.PATIENT_DIFFERS, Effect.REJECTS)
            return None
        return unit

    def _new(self, key: tuple[object, ...], unit: Unit) -> Unit:
        unit.position = len(self.units)
        self.units.append(unit)
        self._by_key[key] = unit
        return unit
