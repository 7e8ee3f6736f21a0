"""Appointment: when a person is to come."""

import re
from collections.abc import Iterator
from typing import Final

from app.core.errors import Text
from app.ingestion.fhir import people
from app.ingestion.fhir.bundle import Bundle, Outside
from app.ingestion.fhir.nodes import Moment, Node, codings, words_of
from app.ingestion.fhir.systems import best_code
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records.clinical import MomentPrecision
from app.records.coming import AppointmentArrival

_ACTORS: Final = (
    "Location",  # first: whom an identifier without a type means is not guessed to be a person
    "Device",
    "HealthcareService",
    "Patient",
    "Practitioner",
    "PractitionerRole",
    "RelatedPerson",
)
_PATIENT: Final = re.compile(r"(?:^|/)Patient[/?]")
_CALLED_OFF: Final = frozenset({"cancelled", "entered-in-error"})
_REASONS: Final = ("serviceCategory", "serviceType", "specialty", "reasonCode")
_INSTANT: Final = Text(
    "một instant của FHIR, ví dụ 2026-12-01T08:00:00+07:00", "a FHIR instant, such as 2026-12-01T08:00:00+07:00"
)
_AFTER: Final = Text("thời điểm không trước start", "a moment that is not before start")
_ONE_PATIENT: Final = Text("một người bệnh duy nhất", "one patient only")


def patient_of(resource: Node, bundle: Bundle) -> Node | Outside | None:
    """Return the one patient who is to come: in the message, or by name; an appointment of several is rejected."""
    found: dict[object, Node | Outside] = {}
    for _, actor in _actors(resource, bundle):
        if isinstance(actor, Outside):
            if any(_PATIENT.search(name) for name in actor.names):
                found[actor.names] = actor
        elif actor.kind == "Patient":
            found[id(actor.value)] = actor
    if len(found) > 1:
        resource.malformed("participant", _ONE_PATIENT)
        return None
    return next(iter(found.values()), None)


def appointment(resource: Node, *, bundle: Bundle, source: str) -> AppointmentArrival | None:
    """Read an appointment. Source: FHIR R4 Appointment (app-2, app-3)."""
    is_live = resource.code("status") not in _CALLED_OFF
    start, end = _instant(resource, "start"), _instant(resource, "end")
    if is_live and start is None:
        if not resource.has("start"):
            resource.remark(FhirCode.ELEMENT_MISSING, Effect.REJECTS, "start")
        return None
    if start is not None and end is not None and end.at < start.at:
        resource.malformed("end", _AFTER)
        return None
    concepts = [one for name in _REASONS for one in resource.nodes(name)]
    concepts += [one for one in (resource.node("appointmentType"),) if one is not None]
    told = [words_of(one) for one in concepts]
    told += [resource.text(name) for name in ("description", "comment", "patientInstruction")]
    return AppointmentArrival(
        source_id=source,
        is_live=is_live,
        starts_at=start.at if start else None,
        ends_at=end.at if end else None,
        department_code=next((best_code(codings(one), "ma-khoa") for one in resource.nodes("serviceType")), None),
        practitioner_name=_practitioner(resource, bundle),
        codes=tuple(dict.fromkeys(coding.code for one in concepts for coding in codings(one))),
        words=" ".join(dict.fromkeys(words for words in told if words)),
    )


def _actors(resource: Node, bundle: Bundle) -> Iterator[tuple[Node, Node | Outside]]:
    for participant in resource.nodes("participant"):
        found = bundle.follow(participant, "actor", kinds=_ACTORS, of=resource)
        if found is not None:
            yield participant, found


def _practitioner(resource: Node, bundle: Bundle) -> str | None:
    for participant, actor in _actors(resource, bundle):
        if isinstance(actor, Node) and actor.kind in ("Practitioner", "PractitionerRole"):
            return people.who(bundle, participant, "actor", of=resource)[0]
    return None


def _instant(resource: Node, name: str) -> Moment | None:
    found = resource.moment(name)
    if found is not None and found.precision is not MomentPrecision.MINUTE:
        resource.malformed(name, _INSTANT)
        return None
    return found
