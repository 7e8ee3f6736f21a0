"""What a facility is told about a message: problems that name place and reason, and the receipt."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import Text
from app.sharing.scope import SensitiveClass


class Effect(StrEnum):
    """What a problem does to the visit (or, without a visit, to the message)."""

    REJECTS = "REJECTS"  # cannot be understood: send a corrected message
    QUARANTINES = "QUARANTINES"  # understood, but not safe to file: kept, not shown
    WARNS = "WARNS"  # filed; please correct at the next resend
    NOTES = "NOTES"  # nothing to correct: tells what was done with something that was sent


class VisitStatus(StrEnum):
    """What became of one visit of a message."""

    FILED = "filed"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


class MessageStatus(StrEnum):
    """What became of a message."""

    RECEIVED = "received"
    FILED = "filed"
    PARTLY = "partly"  # some of its visits
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


class RecordChange(StrEnum):
    """What a message did to one record."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    HELD_BACK = "held_back"
    WITHDRAWN = "withdrawn"  # the corrected message no longer holds it, or the facility took it back
    OUTDATED = "outdated"  # a newer version is shown; this one is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One remark. Texts never repeat a value: it may be personal data."""

    code: str
    effect: Effect
    vi: str
    en: str
    visit: str | None = None  # MA_LK
    table: str | None = None  # XML1 … XML15, or None for the envelope
    line: int | None = None  # 1-based position in the table; of the visit in the message where `table` is None
    field: str | None = None
    entry: int | None = None  # FHIR: place in Bundle.entry, from 0
    path: str | None = None  # FHIR: the element, as FHIRPath writes it


class SignatureState(StrEnum):
    """What is known of CHUKYDONVI: its form is in no public text, so it is kept with the bytes and not judged."""

    ABSENT = "absent"
    NOT_VERIFIED = "not_verified"


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVerdict:
    """What became of one record of a visit."""

    kind: str  # VISIT, PRESCRIPTION, TEST_REPORT, DOCUMENT; or the table that was held back
    key: str  # the visit's id, or the record's key within the visit
    change: RecordChange
    sensitive: SensitiveClass | None = None  # why it was held back


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitVerdict:
    """What became of one visit, with every remark about it."""

    visit: str | None
    status: VisitStatus
    records: tuple[RecordVerdict, ...] = ()
    problems: tuple[Problem, ...] = ()
    tables_kept: tuple[str, ...] = ()  # kept with the message, not shown in the book yet


class EntryOutcome(StrEnum):
    """What became of one entry of a FHIR Bundle."""

    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"
    OUTDATED = "outdated"
    WITHDRAWN = "withdrawn"
    HELD_BACK = "held_back"
    USED = "used"  # it says something about other entries: the person, who did it, where
    IGNORED = "ignored"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    ACCEPTED = "accepted"  # of a dry run: it would be filed


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryVerdict:
    """What became of one entry of a FHIR Bundle; none is left out."""

    index: int  # from 0
    resource: str
    outcome: EntryOutcome
    visit: str | None = None
    kind: str | None = None  # of the record that it became, or is a part of
    key: str | None = None
    reason: str | None = None
    why: Text | None = None  # the reason in words
    sensitive: SensitiveClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleVerdict:
    """What is told of a FHIR message besides its visits."""

    type: str | None
    entries: tuple[EntryVerdict, ...]
    profiles: tuple[str, ...]
    extensions: int  # that were passed over


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageVerdict:
    """What became of a message: its visits in their order, and the remarks about the envelope."""

    status: MessageStatus
    visits: tuple[VisitVerdict, ...]
    problems: tuple[Problem, ...]
    signature: SignatureState | None = None  # None where nothing was read
    bundle: BundleVerdict | None = None


def visit_status(problems: Iterable[Problem]) -> VisitStatus:
    """Tell what the strongest of the problems does to a visit."""
    effects = {problem.effect for problem in problems}
    if Effect.REJECTS in effects:
        return VisitStatus.REJECTED
    return VisitStatus.QUARANTINED if Effect.QUARANTINES in effects else VisitStatus.FILED


def message_status(*, visits: Iterable[VisitStatus], problems: Iterable[Problem]) -> MessageStatus:
    """Tell what a message comes to: a problem of the envelope weighs on all of its visits.

    `partly` means that some visits are filed and some are not; where none is, a quarantine outweighs.
    """
    envelope = visit_status(problems)
    if envelope is not VisitStatus.FILED:
        return MessageStatus(envelope.value)
    statuses = set(visits)
    if statuses <= {VisitStatus.FILED}:
        return MessageStatus.FILED
    if VisitStatus.FILED in statuses:
        return MessageStatus.PARTLY
    quarantined = VisitStatus.QUARANTINED in statuses
    return MessageStatus.QUARANTINED if quarantined else MessageStatus.REJECTED


def judged(
    *, visits: tuple[VisitVerdict, ...], problems: tuple[Problem, ...], signature: SignatureState | None = None
) -> MessageVerdict:
    """Put the verdict of a message together."""
    status = message_status(visits=(visit.status for visit in visits), problems=problems)
    return MessageVerdict(status=status, visits=visits, problems=problems, signature=signature)


def problem_body(problem: Problem) -> dict[str, Any]:
    """Return a problem as it stands in a receipt; what does not apply is left out."""
    place = {
        "visit": problem.visit,
        "table": problem.table,
        "line": problem.line,
        "field": problem.field,
        "entry": problem.entry,
        "path": problem.path,
    }
    return {
        "code": problem.code,
        "effect": problem.effect.value,
        **{name: value for name, value in place.items() if value is not None},
        "vi": problem.vi,
        "en": problem.en,
    }


def verdict_body(verdict: MessageVerdict) -> dict[str, Any]:
    """Return a verdict as JSON values: what is kept with the message, and shown in its receipt."""
    signature = {} if verdict.signature is None else {"signature": verdict.signature.value}
    return {
        "status": verdict.status.value,
        **signature,
        "visits": [
            {
                "visit": visit.visit,
                "status": visit.status.value,
                "records": [_record_body(record) for record in visit.records],
                "tablesKept": list(visit.tables_kept),
                "problems": [problem_body(problem) for problem in visit.problems],
            }
            for visit in verdict.visits
        ],
        **({} if verdict.bundle is None else _bundle_body(verdict.bundle)),
        "problems": [problem_body(problem) for problem in verdict.problems],
    }


def _bundle_body(bundle: BundleVerdict) -> dict[str, Any]:
    return {
        "bundle": bundle.type,
        "entries": [_entry_body(entry) for entry in bundle.entries],
        "profiles": list(bundle.profiles),
        "extensionsIgnored": bundle.extensions,
    }


def _entry_body(entry: EntryVerdict) -> dict[str, Any]:
    told = {
        "visit": entry.visit,
        "kind": entry.kind,
        "key": entry.key,
        "reason": entry.reason,
        "vi": None if entry.why is None else entry.why.vi,
        "en": None if entry.why is None else entry.why.en,
        "sensitive": None if entry.sensitive is None else entry.sensitive.value,
    }
    return {
        "entry": entry.index,
        "resource": entry.resource,
        "outcome": entry.outcome.value,
        **{name: value for name, value in told.items() if value is not None},
    }


def _record_body(record: RecordVerdict) -> dict[str, Any]:
    sensitive = {} if record.sensitive is None else {"sensitive": record.sensitive.value}
    return {"kind": record.kind, "key": record.key, "change": record.change.value, **sensitive}
