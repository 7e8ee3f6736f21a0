"""A FHIR message in hand: what is known of it while it is filed."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from uuid import UUID

from app.core.crypto import Vault
from app.core.db import Session
from app.ingestion import resources, whose
from app.ingestion.fhir import EntryReading, FhirMessage, UnitReading
from app.ingestion.fhir.visit import STANDARD_VERSION
from app.ingestion.verdict import EntryOutcome, MessageVerdict, Problem, VisitVerdict
from app.records import filing


@dataclass(slots=True, kw_only=True)
class Bundle:
    """A message in hand, and what became of its parts so far."""

    session: Session
    message_id: UUID
    facility_code: str
    source: filing.Source
    vault: Vault
    new_id: Callable[[], UUID]
    message: FhirMessage
    verdicts: list[VisitVerdict]
    problems: list[Problem]
    sent: resources.Sent
    citizens: dict[int, UUID]
    taken: set[tuple[str, str]]
    outcomes: dict[int, EntryOutcome]
    follows: bool  # the facility may send again what rests under other ids
    alone: int = 0
    early: list[EntryReading] = field(default_factory=list)  # takes back what has not come

    def note_person(self, position: int, citizen_id: UUID) -> UnitReading:
        """Note whose a unit is, and return it: what has no name in it is known by that from now on."""
        self.citizens[position] = citizen_id
        self.message = whose.known_by(
            self.message, position=position, facility_code=self.facility_code, citizen_id=citizen_id
        )
        return self.message.units[position]


def open_bundle(
    session: Session,
    *,
    message: FhirMessage,
    judged: MessageVerdict,
    source: filing.Source,
    vault: Vault,
    new_id: Callable[[], UUID],
    follows: bool,
) -> Bundle:
    """Take a message that was judged in hand."""
    return Bundle(
        session=session,
        message_id=source.message_id,
        facility_code=source.facility_code,
        source=replace(source, standard_version=STANDARD_VERSION),
        vault=vault,
        new_id=new_id,
        message=message,
        verdicts=list(judged.visits),
        problems=list(judged.problems),
        sent=resources.Sent(rows={}),
        citizens={},
        taken=set(),
        outcomes={},
        follows=follows,
    )
