"""Results that were told alone and stand in a report (infra/decisions/0039-a-result-stands-once.md)."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.records.arrivals import TestReportArrival


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenIn:
    """What a report of this message takes in that rests in a record apart."""

    report: str  # keys within the visit
    apart: str
    lines: Sequence[tuple[str | None, str]]  # code and name of each line


@dataclass(frozen=True, slots=True, kw_only=True)
class Joins:
    """Results of a message that stand in reports."""

    joined: tuple[TestReportArrival, ...] = ()  # told alone, under the key of the report that rests
    taken_in: tuple[TakenIn, ...] = ()


NO_JOINS = Joins()
