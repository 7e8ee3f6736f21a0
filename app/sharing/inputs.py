"""What sharing is asked, as it arrives."""

from datetime import date
from typing import Any

import strawberry

from app.compiler import declare as rests
from app.sharing.enums import BookSection, SensitiveClass, SharePurpose

WHOSE = "Whose book; one's own when it is left out. Somebody else's only with the right to share for them."


@strawberry.input(description="Which part of a book. Days, facilities and records narrow it only where they are named.")
class ShareScopeInput:
    """A scope."""

    sections: list[BookSection] = strawberry.field(description="The sections that are shown, one at least.")
    from_: date | None = strawberry.field(
        name="from", default=None, description="Only records of this day or later (Viet Nam time)."
    )
    to: date | None = strawberry.field(default=None, description="Only records of this day or earlier (Viet Nam time).")
    facility_codes: list[str] | None = strawberry.field(
        default=None, description="Only records of these facilities, at most 50."
    )
    sensitive: list[SensitiveClass] | None = strawberry.field(
        default_factory=list, description="Classes of sensitive records that are shown too; none unless named."
    )
    record_ids: list[strawberry.ID] | None = strawberry.field(
        default=None, description="Only these records, and what belongs to them when it is a visit; at most 200."
    )


def as_json(scope: ShareScopeInput) -> dict[str, Any]:
    """Return what `auth.scope_of` reads."""
    return {
        "sections": [section.name for section in scope.sections],
        "from": None if scope.from_ is None else scope.from_.isoformat(),
        "to": None if scope.to is None else scope.to.isoformat(),
        "facilityCodes": scope.facility_codes,
        "sensitive": [one.name for one in scope.sensitive or ()],
        "recordIds": scope.record_ids,
    }


@strawberry.input(description="What is shared by a code, what for and for how long.")
class CreateShareCodeInput:
    """Input of createShareCode."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    scope: ShareScopeInput = strawberry.field(description="What the code opens.")
    purpose: SharePurpose = strawberry.field(description="What it is shared for.")
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=WHOSE)
    redeemable_minutes: int = strawberry.field(
        default=15, description="How long the code may be redeemed: 1 to 10080 minutes; a PIN belongs to it beyond 60."
    )
    access_minutes: int = strawberry.field(
        default=1440, description="How long the book then stays open: 5 to 525600 minutes."
    )
    with_pin: bool = strawberry.field(default=False, description="Whether a PIN is asked for besides the code.")


@strawberry.input(description="Which code is cancelled.")
class CancelShareCodeInput:
    """Input of cancelShareCode."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    share_code_id: strawberry.ID = strawberry.field(description="The id of the code, not the code itself.")


@strawberry.input(description="A code as the patient told it, and where it is used.")
class RedeemShareCodeInput:
    """Input of redeemShareCode."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    code: str = strawberry.field(description="The ten symbols, in any case, with or without spaces and hyphens.")
    facility_code: str = strawberry.field(description="The facility at which the practitioner works now.")
    purpose: SharePurpose = strawberry.field(description="What the book is opened for; the citizen's purpose holds.")
    pin: str | None = strawberry.field(default=None, description="The PIN, where there is one.")


@strawberry.input(description="Which grant is revoked.")
class RevokeGrantInput:
    """Input of revokeGrant."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    grant_id: strawberry.ID = strawberry.field(description="A grant of one's own book.")


@strawberry.input(description="Whether all sharing stops.")
class FreezeSharingInput:
    """Input of freezeSharing."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    frozen: bool = strawberry.field(
        default=True, description="False lets sharing begin again and needs a fresh second factor."
    )
    citizen_id: strawberry.ID | None = strawberry.field(default=None, description=WHOSE)


@strawberry.input(description="What a practitioner asks a patient for.")
class RequestShareInput:
    """Input of requestShare."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    personal_id: str = strawberry.field(description="The patient's 12-digit personal id, as they told it.")
    facility_code: str = strawberry.field(description="The facility at which the practitioner works now.")
    purpose: SharePurpose = strawberry.field(description="What the book is to be opened for.")
    scope: ShareScopeInput = strawberry.field(description="What is asked for; no single records.")
    access_minutes: int = strawberry.field(default=1440, description="How long the book is to stay open.")


@strawberry.input(description="Which request is approved, and how far.")
class ApproveShareRequestInput:
    """Input of approveShareRequest."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    request_id: strawberry.ID = strawberry.field(description="The request.")
    scope: ShareScopeInput | None = strawberry.field(
        default=None, description="Less than what was asked for; all of it when it is left out."
    )
    access_minutes: int | None = strawberry.field(default=None, description="A shorter time than was asked for.")


@strawberry.input(description="Which request is refused.")
class RefuseShareRequestInput:
    """Input of refuseShareRequest."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    request_id: strawberry.ID = strawberry.field(description="The request.")


@strawberry.input(description="Whose book is opened in an emergency, where and why.")
class EmergencyAccessInput:
    """Input of openEmergencyAccess."""

    idempotency_key: strawberry.ID = strawberry.field(description=rests.KEY)
    personal_id: str = strawberry.field(description="The patient's 12-digit personal id.")
    facility_code: str = strawberry.field(description="The facility at which the practitioner works now.")
    reason: str = strawberry.field(description="Why nobody can be asked, 20 to 500 characters. The citizen reads it.")
