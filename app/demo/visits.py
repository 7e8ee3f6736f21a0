"""The words of the demo's care: what happened at a visit, before any hospital wrote it down.

Moments are aware, in Viet Nam's time, since a hospital's clock writes the messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

from app.demo.catalogue import Drug, Index, Service
from app.demo.people import Citizen, Facility, Practitioner

VIETNAM = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugLine:
    """One drug that was ordered."""

    drug: Drug
    quantity: int
    dose: str
    how: str
    ordered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One index of a report."""

    index: Index
    code: str
    value: str  # a number with a point, or words
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLine:
    """One service, bed or supply that was used; a report if it has measures or a conclusion."""

    service: Service
    quantity: int
    ordered_at: datetime
    performed_at: datetime
    resulted_at: datetime | None
    measures: tuple[Measure, ...] = ()
    description: str | None = None
    conclusion: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoVisit:
    """One visit of one citizen at one facility."""

    number: int  # running number in the citizen's year; makes the visit's id
    citizen: Citizen
    facility: Facility
    doctor: Practitioner
    reader: Practitioner
    kind: str
    department: str
    category: str  # MA_DOITUONG_KCB
    referred_from: str | None
    arrived_at: datetime
    admitted_at: datetime | None
    closed_at: datetime  # when the patient paid and left
    medicine_days: int
    nights: int
    reason: str
    arrival_diagnosis: str
    discharge_diagnosis: str
    main_code: str
    other_codes: tuple[str, ...]
    outcome: int
    treatment: str
    advice: str
    weight_kg: str  # two decimals
    revisit_on: date | None
    benefit_percent: int  # what the fund pays of costs within its list; 0 without insurance
    drugs: tuple[DrugLine, ...]
    services: tuple[ServiceLine, ...]
    referred_to: str | None = None

    @property
    def patient_number(self) -> str:
        """The facility's own number of the person."""
        return f"{self.facility.code[:2]}{self.citizen.number:08d}"

    @property
    def id(self) -> str:
        """MA_LK: a visit keeps it on another day of loading, so that a reload corrects and never doubles."""
        return f"{self.facility.code}_{self.patient_number}_{self.number:03d}"

    def reports(self) -> Iterator[ServiceLine]:
        """Yield the services that have a result."""
        return (line for line in self.services if line.measures or line.conclusion)
