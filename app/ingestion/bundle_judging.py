"""What can be told of a FHIR message without a database: the verdict of a dry run, and the beginning of every other."""

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from app.core.errors import Text
from app.ingestion import catalogue
from app.ingestion.catalogue import ProblemCode
from app.ingestion.fhir import EntryReading, EntryUse, FhirMessage, Referred, UnitReading
from app.ingestion.fhir.remarks import and_more
from app.ingestion.fhir.words import FhirCode, describe
from app.ingestion.qd4750.plausibility import FUTURE_TOLERANCE, ORDER_TOLERANCE
from app.ingestion.qd4750.values import local_day
from app.ingestion.verdict import (
    BundleVerdict,
    Effect,
    EntryOutcome,
    EntryVerdict,
    MessageVerdict,
    Problem,
    VisitStatus,
    VisitVerdict,
    message_status,
    visit_status,
)
from app.records.arrivals import VisitArrival
from app.records.clinical import AllergyArrival, ClinicalArrival, ConditionArrival, ImagingArrival, VaccinationArrival

NOT_THIS_FACILITY: Final = "FACILITY_NOT_YOURS"
WAITS: Final[Mapping[str, Text]] = {
    "NO_IDENTIFIER": Text(
        "không có số nào nhận ra được người bệnh: chưa biết ghi vào sổ của ai.",
        "no number names the person: it is not known whose book this belongs to.",
    ),
    "NAME_DIFFERS": Text(
        "số giấy tờ này đã thuộc về người có họ tên khác; hãy kiểm tra Patient.name và Patient.identifier.",
        "this number belongs to a person of another name; check Patient.name and Patient.identifier.",
    ),
    "BIRTH_DIFFERS": Text(
        "số giấy tờ này đã thuộc về người có ngày sinh khác; hãy kiểm tra Patient.birthDate và Patient.identifier.",
        "this number belongs to a person of another birth date; check Patient.birthDate and Patient.identifier.",
    ),
    "IDENTIFIERS_DISAGREE": Text(
        "các số trong Patient.identifier thuộc về những người khác nhau.",
        "the numbers of Patient.identifier belong to different people.",
    ),
    "TWINS_UNCLEAR": Text(
        "có nhiều trẻ cùng mẹ, cùng giờ sinh và giới tính: chưa biết là trẻ nào.",
        "several children fit by mother, minute of birth and sex.",
    ),
    "VISIT_UNCLEAR": Text(
        "sổ đã có bản ghi tương tự từ trước khi đổi hệ thống: chưa rõ có phải cùng một bản ghi; hãy gửi đúng thời điểm "
        "như bản cũ, hoặc đúng mã cũ.",
        "the book has something like it from before the change of system, and it is not clear whether it is the same; "
        "send the moment as it was sent then, or the old id.",
    ),
    "CHANGE_UNDONE": Text(
        "việc đổi hệ thống đã được hủy: bản ghi này đứng dưới mã cũ.",
        "the change of system was undone: this record stands under its old id.",
    ),
    "VISIT_OF_ANOTHER_PERSON": Text(
        "lượt khám hoặc bản ghi này đã được ghi cho người khác; hãy thu hồi trước khi gửi lại.",
        "this visit or record was filed for another person; withdraw it before sending it again.",
    ),
}
_FIRST_YEAR: Final = 1900
_FIRST_MOMENT: Final = datetime(1899, 12, 31, 17, tzinfo=UTC)  # 1900 begins in Viet Nam
_WEIGHTS: Final = {EntryOutcome.REJECTED: VisitStatus.REJECTED, EntryOutcome.QUARANTINED: VisitStatus.QUARANTINED}
_OUTCOMES: Final = {
    EntryUse.CONTEXT: EntryOutcome.USED,
    EntryUse.IGNORED: EntryOutcome.IGNORED,
    EntryUse.HELD_BACK: EntryOutcome.HELD_BACK,
    EntryUse.REFUSED: EntryOutcome.REJECTED,
}


def judge_bundle(message: FhirMessage, *, facility_code: str | None, now: datetime) -> MessageVerdict:
    """Judge a message that was read, as far as it can be without knowing who is registered."""
    problems = message.problems
    if message.made is not None and message.made[:8] > f"{local_day(now):%Y%m%d}":
        problems += (problem(FhirCode.BUNDLE_MADE_LATER, Effect.WARNS, path="Bundle.timestamp"),)
    visits = tuple(_unit_verdict(unit, message=message, facility_code=facility_code, now=now) for unit in message.units)
    return concluded(message, visits=visits, problems=problems, outcomes={})


def concluded(
    message: FhirMessage,
    *,
    visits: tuple[VisitVerdict, ...],
    problems: tuple[Problem, ...],
    outcomes: Mapping[int, EntryOutcome],
    tells: bool = True,
) -> MessageVerdict:
    """Put the verdict together; of a transaction one entry that cannot be filed stops all.

    `outcomes` are what became of entries; of an entry that is not among them it is told what would. Without `tells` no
    entry is told of.
    """
    envelope = tuple(one for one in problems if one.entry is None)
    refused = [VisitStatus.REJECTED for entry in message.entries if entry.use is EntryUse.REFUSED]
    refused += [_WEIGHTS[outcome] for outcome in outcomes.values() if outcome in _WEIGHTS]
    statuses = [*(visit.status for visit in visits), *refused]
    if visit_status(envelope) is VisitStatus.FILED and message.is_all_or_nothing and _stops(statuses):
        effect = Effect.REJECTS if VisitStatus.REJECTED in statuses else Effect.QUARANTINES
        stop = problem(FhirCode.TRANSACTION_REFUSED, effect)
        problems, envelope = (*problems, stop), (*envelope, stop)
    overall = visit_status(envelope)
    if overall is not VisitStatus.FILED:
        visits = tuple(replace(visit, status=overall, records=()) for visit in visits)
    else:  # what was noted without any visit counts as filed
        statuses += [VisitStatus.FILED for entry in message.entries if _counts(entry, outcomes)]
    return MessageVerdict(
        status=message_status(visits=statuses, problems=envelope),
        visits=visits,
        problems=problems,
        bundle=BundleVerdict(
            type=message.type,
            entries=tuple(
                _entry_verdict(entry, visits=visits, overall=overall, outcomes=outcomes)
                for entry in (message.entries if tells else ())
            ),
            profiles=message.profiles,
            extensions=message.extensions,
        ),
    )


def problem(
    code: FhirCode,
    effect: Effect,
    *,
    entry: int | None = None,
    path: str | None = None,
    visit: str | None = None,
    limit: int | None = None,
) -> Problem:
    """Return a remark about a place of the message."""
    words = describe(code, limit=limit)
    vi, en = (f"{path}: {why}" if path else why[:1].upper() + why[1:] for why in (words.vi, words.en))
    return Problem(code=code, effect=effect, vi=vi, en=en, entry=entry, path=path, visit=visit)


def tell_apart(message: FhirMessage, *, problems: list[Problem], found: Container[tuple[int, Referred]]) -> None:
    """Tell only of those results that are not in a message which are not in its reports either."""
    problems[:] = [one for one in problems if one.code != FhirCode.RESULT_APART]
    referred = [(entry.index, one) for entry in message.entries for one in entry.referred]
    apart = [told for told in referred if told not in found]
    for index, one in apart[:1]:
        told = problem(FhirCode.RESULT_APART, Effect.WARNS, entry=index, path=one.path)
        problems.append(told if len(apart) == 1 else and_more(told, len(apart) - 1))


def waiting(verdict: VisitVerdict, *, reason: str, entry: int | None) -> VisitVerdict:
    """Return the verdict of a visit whose person is not known for sure."""
    text = WAITS[reason]
    remark = Problem(code=reason, effect=Effect.QUARANTINES, vi=text.vi, en=text.en, visit=verdict.visit, entry=entry)
    problems = (*verdict.problems, remark)
    return replace(verdict, status=visit_status(problems), problems=problems)


def made_on(message: FhirMessage, *, received_at: datetime) -> str:
    """Return when a message was made, as yyyymmddHHMM or yyyymmdd; never later than the day of its receipt."""
    received_on = f"{local_day(received_at):%Y%m%d}"
    return received_on if message.made is None or message.made[:8] > received_on else message.made


def _stops(statuses: Sequence[VisitStatus]) -> bool:
    return any(status is not VisitStatus.FILED for status in statuses)


def _counts(entry: EntryReading, outcomes: Mapping[int, EntryOutcome]) -> bool:
    """Tell an entry that was taken as it is meant, without a visit to tell of it."""
    if outcomes.get(entry.index) is EntryOutcome.WITHDRAWN:
        return True
    return entry.unit is None and entry.use in (EntryUse.CONTEXT, EntryUse.HELD_BACK) and entry.resource != "Patient"


def _entry_verdict(
    entry: EntryReading,
    *,
    visits: tuple[VisitVerdict, ...],
    overall: VisitStatus,
    outcomes: Mapping[int, EntryOutcome],
) -> EntryVerdict:
    visit = visits[entry.unit] if entry.unit is not None and entry.unit < len(visits) else None
    status = visit.status if visit is not None else overall
    outcome = _OUTCOMES.get(entry.use)
    if outcome is None:
        outcome = {
            VisitStatus.FILED: outcomes.get(entry.index, EntryOutcome.ACCEPTED),
            VisitStatus.QUARANTINED: EntryOutcome.QUARANTINED,
            VisitStatus.REJECTED: EntryOutcome.REJECTED,
        }[status]
    return EntryVerdict(
        index=entry.index,
        resource=entry.resource,
        outcome=outcome,
        visit=visit.visit if visit else None,
        kind=entry.kind,
        key=entry.key,
        reason=entry.reason,
        why=None if entry.reason is None else describe(FhirCode(entry.reason)),
        sensitive=entry.sensitive,
    )


def _unit_verdict(unit: UnitReading, *, message: FhirMessage, facility_code: str | None, now: datetime) -> VisitVerdict:
    """Judge one unit by itself; what is wrong with its Patient, its Encounter or the Bundle holds for all of it."""
    weighs = [one for one in message.problems if one.entry is None or one.entry in unit.told_by]
    encounter = unit.told_by[-1] if unit.is_whole and len(unit.told_by) > 1 else None
    remarks = [*_implausible(unit, entry=encounter, now=now)]
    if facility_code is not None and unit.facility_code not in {None, facility_code}:
        words = describe(FhirCode.BUNDLE_FACILITY_DIFFERS)
        remarks.append(
            Problem(
                code=NOT_THIS_FACILITY,
                effect=Effect.REJECTS,
                vi=words.vi,
                en=words.en,
                visit=unit.source_id,
                entry=encounter,
                path="Encounter.serviceProvider",
            )
        )
    status = visit_status((*weighs, *remarks))
    return VisitVerdict(visit=unit.source_id, status=status, problems=tuple(remarks))


def _implausible(unit: UnitReading, *, entry: int | None, now: datetime) -> Iterator[Problem]:
    """Yield what cannot be true; times that are wrong are kept back, not filed."""
    arrival = unit.arrival
    # The first day of the calendar stands for a birth that was not told or could not be read: that was said already.
    if unit.person is not None and unit.person.birth_on != date.min and unit.person.birth_on.year < _FIRST_YEAR:
        yield _remark(ProblemCode.BEFORE_1900, "Patient.birthDate", unit, unit.told_by[0] if unit.told_by else None)
    if unit.person is not None and (latest := _latest_day(unit)) is not None and unit.person.birth_on > latest:
        yield _remark(
            ProblemCode.BORN_AFTER_VISIT, "Patient.birthDate", unit, unit.told_by[0] if unit.told_by else None
        )
    if arrival is not None and unit.is_whole:
        if arrival.started_at > now + FUTURE_TOLERANCE:
            yield _remark(ProblemCode.STARTED_IN_FUTURE, "Encounter.period.start", unit, entry)
        if arrival.started_at < _FIRST_MOMENT:
            yield _remark(ProblemCode.BEFORE_1900, "Encounter.period.start", unit, entry)
        if arrival.ended_at is not None and arrival.ended_at < arrival.started_at - ORDER_TOLERANCE:
            yield _remark(ProblemCode.ENDED_BEFORE_STARTED, "Encounter.period.end", unit, entry)
    for path, at in _events(arrival, unit.clinical):
        if at.year != _NOT_TOLD and at > now + FUTURE_TOLERANCE:
            yield _remark(ProblemCode.EVENT_IN_FUTURE, path, unit, None)
        elif at < _FIRST_MOMENT:
            yield _remark(ProblemCode.BEFORE_1900, path, unit, None)
    yield from _implausible_coming(unit, now=now)


def _implausible_coming(unit: UnitReading, *, now: datetime) -> Iterator[Problem]:
    for one in unit.appointments:
        for path, told in (("Appointment.start", one.starts_at), ("Appointment.end", one.ends_at)):
            if told is not None and told > now + _FURTHEST:
                yield problem(FhirCode.APPOINTMENT_FAR_OFF, Effect.QUARANTINES, path=path, limit=_MOST_YEARS)
            elif told is not None and told < _FIRST_MOMENT:
                yield _remark(ProblemCode.BEFORE_1900, path, unit, None)


_NOT_TOLD: Final = 9999
_MOST_YEARS: Final = 10
_FURTHEST: Final = timedelta(days=366 * _MOST_YEARS)


def _latest_day(unit: UnitReading) -> date | None:
    arrival = unit.arrival
    return local_day(arrival.ended_at or arrival.started_at) if arrival is not None and unit.is_whole else None


def _events(arrival: VisitArrival | None, clinical: Iterable[ClinicalArrival]) -> Iterator[tuple[str, datetime]]:
    if arrival is not None:
        yield from (("MedicationRequest.authoredOn", one.ordered_at) for one in arrival.prescriptions or ())
        yield from (("DiagnosticReport.issued", one.resulted_at) for one in arrival.reports or ())
        yield from (("Procedure.performed[x]", one.performed_at or one.ordered_at) for one in arrival.services or ())
        papers = (document for paper in arrival.papers for document in paper.documents)
        yield from (("DocumentReference.date", document.dated_at) for document in papers)
    for one in clinical:
        match one:
            case VaccinationArrival(injected_at=at):
                yield "Immunization.occurrenceDateTime", at
            case ImagingArrival(started_at=at):
                yield "ImagingStudy.started", at
            case ConditionArrival(recorded_at=at):
                yield "Condition.recordedDate", at
            case AllergyArrival(recorded_at=at):
                yield "AllergyIntolerance.recordedDate", at


def _remark(code: ProblemCode, path: str, unit: UnitReading, entry: int | None) -> Problem:
    words = catalogue.describe(code)
    return Problem(
        code=code,
        effect=Effect.QUARANTINES,
        vi=f"{path}: {words.vi}",
        en=f"{path}: {words.en}",
        visit=unit.source_id,
        entry=entry,
        path=path,
    )
