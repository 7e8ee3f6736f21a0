"""What one reading gives: units to be filed, each of one person and visit, and what became of every entry."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from app.ingestion.verdict import Problem
from app.records.arrivals import PersonArrival, VisitArrival
from app.records.clinical import ClinicalArrival
from app.records.coming import AppointmentArrival
from app.sharing.scope import SensitiveClass


class EntryUse(StrEnum):
    """What an entry of a message is to the book."""

    RECORD = "record"  # stands in the book, or is a part of what stands there
    CONTEXT = "used"  # says something about other entries: the person, who did it, where
    IGNORED = "ignored"
    HELD_BACK = "held_back"
    REFUSED = "rejected"
    WITHDRAWS = "withdraws"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one resource is of a prescription or report that several make, or a report by itself."""

    key: str  # of that record, whatever else of this message has it
    name: str  # of the drug or observation; a note of the report is led by it
    says: str  # what it is about: it is known by that where it has no name that lasts
    lines: int  # that it gives, where several make the record
    at: datetime
    sampled_at: datetime | None = None
    tells: tuple[tuple[str | None, str], ...] = ()  # of an observation: code and name of each line


@dataclass(frozen=True, slots=True, kw_only=True)
class Referred:
    """A result that a report refers to, and that is not in its message."""

    names: tuple[str, ...]  # under which its facility may have sent it before, or will later
    after: int  # lines of the report's own that stand before it
    path: str  # of the reference


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryReading:
    """One entry. `names` are those under which a later message may mean its resource."""

    index: int  # from 0; 0 for a resource that was sent alone
    resource: str  # its kind; of a DELETE that of its URL
    use: EntryUse
    unit: int | None = None
    kind: str | None = None  # of the record that it became, or is a part of
    key: str | None = None
    part: Part | None = None
    reason: str | None = None
    names: tuple[str, ...] = ()
    sensitive: SensitiveClass | None = None
    referred: tuple[Referred, ...] = ()  # of a report
    is_delete: bool = False  # a request to take a resource back, which names it by its URL


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReading:
    """Everything that a message says of one person and one visit, or of one person beside any visit.

    Where the Patient is not in the message, `person` is None and `patient` holds its names; where the Encounter is
    not, `visit` holds its names and `arrival` only what belongs to it.
    """

    source_id: str | None
    facility_code: str | None  # MA_CSKCB, as the Encounter tells it
    person: PersonArrival | None
    patient: tuple[str, ...]
    arrival: VisitArrival | None
    visit: tuple[str, ...]
    is_whole: bool  # the Encounter itself is in the message, or stands in for none
    clinical: tuple[ClinicalArrival, ...]
    appointments: tuple[AppointmentArrival, ...]
    is_of_day: bool  # stands in for the visit of records that name none
    mark: str  # ends the keys of what has no name: it tells the people of this message apart
    told_by: tuple[int, ...]  # the entries without which nothing of it can be filed: Patient and Encounter


@dataclass(frozen=True, slots=True, kw_only=True)
class FhirMessage:
    """One message. After a problem that REJECTS the Bundle itself, nothing is to be filed."""

    type: str | None
    made: str | None  # Bundle.timestamp as yyyymmddHHMM in Viet Nam
    issued_on: date | None
    units: tuple[UnitReading, ...]
    entries: tuple[EntryReading, ...]
    profiles: tuple[str, ...]  # meta.profile, each once; noted, not judged
    extensions: int
    problems: tuple[Problem, ...]

    @property
    def is_all_or_nothing(self) -> bool:
        """Tell whether one entry that cannot be filed stops all. Source: FHIR R4 http.html#transaction."""
        return self.type == "transaction"

    @property
    def is_about_one(self) -> bool:
        """Tell whether all of it is of one visit of a Patient who is told, and nothing else is filed or taken back."""
        if len(self.units) != 1 or any(one.use is EntryUse.WITHDRAWS for one in self.entries):
            return False
        only = self.units[0]
        return only.person is not None and not only.clinical and not only.appointments
