"""Which operations ask for a fresh second factor: this one table. PostgreSQL asks for it (auth.require_step_up).

Pure. Source: RFC 9470; contract.md; security.md B118.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class StepUpAction(StrEnum):
    """What a fresh second factor is good for: one of these, in one session, for five minutes."""

    SHARE = "SHARE"
    UNMASK = "UNMASK"
    EXPORT = "EXPORT"
    EMERGENCY = "EMERGENCY"
    GUARDIANS = "GUARDIANS"
    IDENTIFIERS = "IDENTIFIERS"
    FACTORS = "FACTORS"
    SESSIONS = "SESSIONS"


#: By operation. One that is not listed asks for no factor.
OPERATIONS: Final[Mapping[str, StepUpAction]] = MappingProxyType(
    {
        "createShareCode": StepUpAction.SHARE,
        "approveShareRequest": StepUpAction.SHARE,
        "freezeSharing": StepUpAction.SHARE,  # to lift it
        "unmaskRecords": StepUpAction.UNMASK,
        "openEmergencyAccess": StepUpAction.EMERGENCY,
        "askRepresentative": StepUpAction.GUARDIANS,
        "acceptRepresentation": StepUpAction.GUARDIANS,
        "endRepresentation": StepUpAction.GUARDIANS,
        "claimRepresentation": StepUpAction.GUARDIANS,
        "joinIdentifier": StepUpAction.IDENTIFIERS,
        "undoJoin": StepUpAction.IDENTIFIERS,
        "disownRecord": StepUpAction.IDENTIFIERS,
        "undoDisown": StepUpAction.IDENTIFIERS,
        "enrolTotp": StepUpAction.FACTORS,
        "endSession": StepUpAction.SESSIONS,
    }
)


def asked_by(action: StepUpAction) -> str:
    """Return the operations that ask for a factor for an action, for the schema's descriptions."""
    return ", ".join(name for name, wanted in OPERATIONS.items() if wanted is action)
