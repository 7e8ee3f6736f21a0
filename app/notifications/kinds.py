"""What may happen that people are told of: each kind's class, its subject, and how long a push is worth sending."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class NoticeClass(StrEnum):
    """What a person may mute as a whole; emergencies cannot be muted and break through quiet hours."""

    EMERGENCY = "EMERGENCY"
    SECURITY = "SECURITY"
    SHARING = "SHARING"
    FAMILY = "FAMILY"
    RECORDS = "RECORDS"
    APPOINTMENTS = "APPOINTMENTS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How one kind of event is told.

    `subject` is the member of the event's `about` that names what it is about: notices of one subject and class
    replace one another on the phone. `dependants` says whether representatives are told of it too.
    """

    of: NoticeClass
    subject: str | None = None
    dependants: bool = True
    worth: timedelta = timedelta(hours=24)

    @property
    def is_urgent(self) -> bool:
        """Tell whether it breaks through quiet hours."""
        return self.of is NoticeClass.EMERGENCY


def _security(subject: str) -> Rule:
    return Rule(of=NoticeClass.SECURITY, subject=subject, dependants=False)


def _sharing(subject: str) -> Rule:
    return Rule(of=NoticeClass.SHARING, subject=subject)


def _appointment(worth: timedelta = timedelta(hours=24)) -> Rule:
    return Rule(of=NoticeClass.APPOINTMENTS, subject="appointmentId", worth=worth)


_FAMILY = Rule(of=NoticeClass.FAMILY, subject="representation", dependants=False)

RULES: Mapping[str, Rule] = {
    "EMERGENCY_OPENED": Rule(of=NoticeClass.EMERGENCY, subject="grant"),
    "DEVICE_ADDED": _security("device"),
    "SESSION_REUSED": _security("session"),
    "SESSION_ENDED": _security("session"),
    "FACTOR_CHANGED": _security("factor"),
    "FACTOR_LOCKED": _security("factor"),
    "CODE_REDEEMED": _sharing("grant"),
    "CODE_REFUSED": _sharing("code"),
    "GRANT_ENDING": _sharing("grant"),
    "GRANT_ENDED": _sharing("grant"),
    "SHARE_REQUESTED": _sharing("request"),
    "BOOK_OPENED": _sharing("grant"),
    "GUARDIAN_ADDED": _FAMILY,
    "GUARDIAN_ENDED": _FAMILY,
    "GUARDIAN_BIRTHDAY": _FAMILY,
    "RESULT_READY": Rule(of=NoticeClass.RECORDS, subject="visit"),
    "RECORD_DISOWNED": Rule(of=NoticeClass.RECORDS, subject="split"),
    "APPOINTMENT_BOOKED": _appointment(),
    "APPOINTMENT_CHANGED": _appointment(),
    "APPOINTMENT_CANCELLED": _appointment(),
    "APPOINTMENT_DUE": _appointment(timedelta(hours=12)),
    "WAITLIST_OFFERED": Rule(of=NoticeClass.APPOINTMENTS, subject="offerId", worth=timedelta(hours=2)),
}
"""Every kind that may happen. A kind that does not stand here is told in general words, and logged as a defect."""

OTHER = Rule(of=NoticeClass.SECURITY)


def rule_of(kind: str) -> Rule:
    """Return how a kind is told."""
    return RULES.get(kind, OTHER)
