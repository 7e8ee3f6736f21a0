"""What one reading gives: the envelope, and each visit as an arrival or as reasons why not."""

from dataclasses import dataclass
from datetime import date

from app.ingestion.verdict import Problem
from app.records.arrivals import VisitArrival


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitReading:
    """One visit. `arrival` is None after a problem that REJECTS, and for a check-in (XML0) alone."""

    source_id: str | None  # MA_LK, if it could be read
    arrival: VisitArrival | None
    problems: tuple[Problem, ...]
    tables_kept: tuple[str, ...]  # recognised, kept with the message, not part of the arrival


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message. After a problem that REJECTS the envelope, no visit has an arrival."""

    facility_code: str | None  # MACSKCB, if it is well-formed
    issued_on: date | None  # NGAYLAP
    made: str | None  # the same as it was sent, 8 or 12 digits, if it exists
    record_count: int | None  # SOLUONGHOSO, as the sender counted
    signature_present: bool  # CHUKYDONVI holds something; nothing is verified
    visits: tuple[VisitReading, ...]
    problems: tuple[Problem, ...]
