"""Sort what a message holds by person and visit."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from app.core.clock import VIETNAM_TIME
from app.identity.names import name_key
from app.ingestion.fhir.bundle import Bundle
from app.ingestion.fhir.medicines import Ordered, prescriptions
from app.ingestion.fhir.message import UnitReading
from app.ingestion.fhir.nodes import Node
from app.ingestion.fhir.results import gathered
from app.ingestion.fhir.visit import (
    NO_COSTS,
    OTHER_KIND,
    STANDARD_VERSION,
    Named,
    facility_of,
    visit,
)
from app.records.arrivals import BirthPrecision, PersonArrival, ServiceArrival, Sex, TestReportArrival, VisitArrival
from app.records.clinical import ClinicalArrival
from app.records.coming import AppointmentArrival
from app.records.papers import AttachmentArrival, DocumentKind, PapersArrival

_NOBODY = PersonArrival(
    full_name="",
    birth_on=date(1, 1, 1),
    birth_precision=BirthPrecision.YEAR,
    sex=Sex.UNDETERMINED,
    identifier=None,
    identifier_kind=None,
    patient_number="",
    insurance_cards=(),
    phone=None,
    address=None,
    ethnic_code=None,
    nationality_code=None,
    occupation_code=None,
    blood_group=None,
)


@dataclass(slots=True, kw_only=True)
class Who:
    """The person of a unit: read from the message, or known under names from before."""

    arrival: PersonArrival | None
    names: tuple[str, ...] = ()
    entry: int | None = None

    @property
    def mark(self) -> str:
        """What tells people of one message apart without saying who they are."""
        person = self.arrival
        told = "|".join(self.names)
        if person is not None:
            told = f"{name_key(person.full_name)}|{person.birth_on.isoformat()}|{person.patient_number}"
        return hashlib.sha256(told.encode()).hexdigest()[:12]


@dataclass(slots=True, kw_only=True)
class Unit:
    """What is gathered of one person and visit."""

    who: Who
    position: int = 0
    encounter: Node | None = None
    visit_names: tuple[str, ...] = ()
    on: date | None = None  # of records that name no visit
    began_at: datetime | None = None
    source: str | None = None
    conditions: list[Named] = field(default_factory=list)
    weight_kg: Decimal | None = None
    drugs: list[Ordered] = field(default_factory=list)
    reports: dict[str, TestReportArrival] = field(default_factory=dict)
    observations: dict[str, tuple[str, datetime, list[Node]]] = field(default_factory=dict)  # category, moment
    services: list[ServiceArrival] = field(default_factory=list)
    documents: list[AttachmentArrival] = field(default_factory=list)
    clinical: list[ClinicalArrival] = field(default_factory=list)
    appointments: list[AppointmentArrival] = field(default_factory=list)
    is_visit: bool = False

    def stand_at(self, at: datetime) -> None:
        """Let a visit that stands in for none begin with its first record."""
        if self.encounter is None and (self.began_at is None or at < self.began_at):
            self.began_at = at

    def reading(self, bundle: Bundle) -> UnitReading:
        """Return the unit as it is to be filed."""
        arrival = self._arrival(bundle) if self.is_visit else None
        return UnitReading(
            source_id=self.source if self.is_visit else None,
            facility_code=facility_of(bundle, self.encounter) if self.encounter else None,
            person=self.who.arrival,
            patient=self.who.names,
            arrival=arrival,
            visit=self.visit_names,
            is_whole=self.is_visit and not self.visit_names,
            is_of_day=self.on is not None,
            mark=self.who.mark,
            clinical=tuple(self.clinical),
            appointments=tuple(self.appointments),
            told_by=tuple(
                entry
                for entry in (self.who.entry, self.encounter.entry if self.encounter else None)
                if entry is not None
            ),
        )

    def _arrival(self, bundle: Bundle) -> VisitArrival:
        for key, (category, at, observations) in self.observations.items():
            self.reports[key] = gathered(observations, bundle=bundle, category=category, at=at)
        person = self.who.arrival or _NOBODY
        began_at = self.began_at or datetime(1900, 1, 1, tzinfo=VIETNAM_TIME)
        if self.encounter is not None:
            base = visit(
                self.encounter,
                bundle=bundle,
                source=self.source or "",
                person=person,
                started_at=began_at,
                conditions=self.conditions,
                weight_kg=self.weight_kg,
            )
        else:
            base = _stand_in(self.source or "", person=person, started_at=began_at)
        return replace(
            base,
            prescriptions=prescriptions(self.drugs) if self.drugs else None,
            reports=tuple(sorted(self.reports.values(), key=lambda one: (one.resulted_at, one.key))) or None,
            services=tuple(self.services) or None,
            papers=(
                (PapersArrival(kind=DocumentKind.ATTACHMENT, documents=tuple(self.documents)),)
                if self.documents
                else ()
            ),
        )


def _stand_in(source: str, *, person: PersonArrival, started_at: datetime) -> VisitArrival:
    """Return a visit of which only its day is known."""
    return VisitArrival(
        source_id=source,
        facility_code="",
        standard_version=STANDARD_VERSION,
        person=person,
        kind_code=OTHER_KIND,
        started_at=started_at,
        admitted_at=None,
        ended_at=None,
        reason=None,
        arrival_diagnosis=None,
        discharge_diagnosis=None,
        outcome_code=None,
        discharge_code=None,
        department_codes=(),
        treatment_days=None,
        treatment=None,
        advice=None,
        weight_kg=None,
        record_number=None,
        insurance_category_code=None,
        revisit_on=(),
        referred_from_code=None,
        referred_to_code=None,
        diagnoses=(),
        costs=NO_COSTS,
        services=None,
        prescriptions=None,
        reports=None,
        papers=(),
        births=(),
        kind_is_derived=True,
    )
