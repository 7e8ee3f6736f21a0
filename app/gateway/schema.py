"""The schema: the sum of what the rooms answer."""

from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.compiler.inputs import InputSpec
from app.core.errors import ErrorCode
from app.identity.graph import IdentityQuery
from app.identity.mapping import Citizen
from app.records.graph import RecordsQuery

ERROR_CODE_DESCRIPTIONS = {
    ErrorCode.UNAUTHENTICATED: "No live session: sign in again, or refresh the token.",
    ErrorCode.NOT_FOUND: "Absent, or not for this viewer: both look alike.",
    ErrorCode.STEP_UP_REQUIRED: "The action asks for a fresh second factor.",
    ErrorCode.REFUSED: "A rule says no; the reason is not told.",
    ErrorCode.INVALID: "The request is wrong; the message names the place.",
    ErrorCode.TOO_COMPLEX: "The operation would cost more than one request may.",
    ErrorCode.RATE_LIMITED: "Too many requests; `retryAfterSeconds` tells when to come back.",
    ErrorCode.CONFLICT: "The request contradicts an earlier one.",
    ErrorCode.UPGRADE_REQUIRED: "The app is older than the oldest supported version.",
    ErrorCode.UNAVAILABLE: "A part that is needed does not answer; nothing was changed. Try again soon.",
    ErrorCode.INTERNAL: "A defect on our side; give `requestId` to support.",
}

INPUTS = (
    InputSpec(name="citizen", pg_type="uuid"),
    InputSpec(name="viewer", pg_type="uuid"),
    InputSpec(name="sections", pg_type="integer"),
    InputSpec(name="language", pg_type="text"),
)


@strawberry.type(description="What can be asked.")
class Query(IdentityQuery, RecordsQuery):
    """The sum of the rooms' root fields."""


def _published_error_code() -> object:
    return strawberry.enum(
        ErrorCode, description="Closed list of `errors[].extensions.code`. Switch on it; the message is for people."
    )


@cache
def schema() -> strawberry.Schema:
    """Return the schema, made once."""
    return strawberry.Schema(
        query=Query,
        types=[Citizen, _published_error_code()],
        config=StrawberryConfig(disable_field_suggestions=True),
    )
