"""Results that were told alone and stand in a report (infra/decisions/0039-a-result-stands-once.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.records.arrivals import TestReportArrival


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What a report of this message takes in that rests in a record apart."""

    report: str  # keys within the visit
    apart: str
    lines: Sequence[tuple[str | None, str]]  # code and name of each line
    is_referred: bool = False  # the report does not hold it: a result of its own is newer where it was told later


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """Where a result rests that a report only refers to."""

    key: str  # of the record, within the visit
    after: int  # lines of the report's own that stand before it
    lines: Sequence[int]  # its places there, from 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """Results that stand in reports."""

    joined: tuple[TestReportArrival, ...] = ()  # told alone, under the key of the report that rests
    awaited: Sequence[tuple[str | None, str]] = ()  # code and name of those of them that a report only refers to
    taken_in: tuple[TakenIn, ...] = ()
    referred: Mapping[str, Sequence[Rests]] = field(default_factory=dict)  # by the key of a report of this message


NO_JOINS = Joins()
