"""Appointments as a facility sends them by themselves (FHIR). Pure words, as in `clinical`.

Each has an id of its own at the facility; versions may come in any order, the one that was made last is shown. What a
re-examination paper or a visit tells becomes an appointment when it is filed, and does not stand here.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

APPOINTMENT: Final = "APPOINTMENT"
"""Kind of such a record on receipts, beside those of `ClinicalKind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AppointmentArrival:
    """When a citizen is to come. Source: FHIR R4 Appointment."""

    source_id: str
    is_live: bool  # False: cancelled, or entered in error; its times may be absent
    starts_at: datetime | None
    ends_at: datetime | None
    department_code: str | None  # MA_KHOA
    practitioner_name: str | None
    codes: tuple[str, ...]  # why and what for, as sent: they tell the sensitive class and are not shown
    words: str
