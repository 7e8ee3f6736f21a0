"""The schema: the sum of what the rooms answer."""

from enum import Enum
from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig

from app.appointments.graph import AppointmentsMutation, AppointmentsQuery
from app.compiler.inputs import InputSpec
from app.facilities.graph import FacilitiesQuery
from app.gateway.scalars import SCALARS
from app.identity.factor_graph import FactorMutation, FactorQuery
from app.identity.family_graph import FamilyMutation
from app.identity.graph import IdentityQuery
from app.identity.ledger_graph import LedgerMutation
from app.identity.mapping import Citizen, Practitioner
from app.identity.practitioner_graph import PractitionerMutation
from app.notifications.graph import NotificationsMutation, NotificationsQuery
from app.notifications.subscription import Subscription
from app.records.correction_graph import CorrectionMutation
from app.records.documents import PAPERS
from app.records.graph import RecordsMutation, RecordsQuery
from app.records.reaction_graph import ReactionMutation
from app.sharing.grant_graph import GrantMutation, GrantQuery
from app.sharing.graph import SharingMutation, SharingQuery


@strawberry.enum(
    name="ErrorCode", description="Closed list of `errors[].extensions.code`. Switch on it; the message is for people."
)
class PublishedErrorCode(Enum):
    """The codes of app.core.errors, with what an app does about each."""

    UNAUTHENTICATED = strawberry.enum_value(
        "UNAUTHENTICATED", description="No live session: refresh the token, or sign in again."
    )
    NOT_FOUND = strawberry.enum_value("NOT_FOUND", description="Absent, or not for this viewer: both look alike.")
    STEP_UP_REQUIRED = strawberry.enum_value("STEP_UP_REQUIRED", description="A fresh second factor is needed.")
    REFUSED = strawberry.enum_value("REFUSED", description="A rule says no; the reason is not told.")
    INVALID = strawberry.enum_value("INVALID", description="The request is wrong; the message names the place.")
    TOO_COMPLEX = strawberry.enum_value(
        "TOO_COMPLEX", description="The operation would cost more than one request may."
    )
    RATE_LIMITED = strawberry.enum_value(
        "RATE_LIMITED", description="Too many requests; `retryAfterSeconds` tells when to come back."
    )
    CONFLICT = strawberry.enum_value("CONFLICT", description="The request contradicts an earlier one.")
    UPGRADE_REQUIRED = strawberry.enum_value(
        "UPGRADE_REQUIRED", description="The app is older than the oldest supported version."
    )
    UNAVAILABLE = strawberry.enum_value(
        "UNAVAILABLE",
        description="A part that is needed does not answer; nothing was changed. `retryAfterSeconds` tells when to "
        "come back.",
    )
    INTERNAL = strawberry.enum_value("INTERNAL", description="A defect on our side; give `requestId` to support.")


INPUTS = (
    InputSpec(name="citizen", pg_type="uuid"),
    InputSpec(name="viewer", pg_type="uuid"),
    InputSpec(name="practitioner", pg_type="uuid"),
    InputSpec(name="sections", pg_type="integer"),
    InputSpec(name="language", pg_type="text"),
    InputSpec(name="told", pg_type="jsonb"),
)


@strawberry.type(description="What can be asked.")
class Query(
    IdentityQuery,
    FactorQuery,
    RecordsQuery,
    GrantQuery,
    SharingQuery,
    AppointmentsQuery,
    NotificationsQuery,
    FacilitiesQuery,
):
    """The sum of the rooms' root fields."""


@strawberry.type(
    description="What can be changed. Fields run one after the other; the first refusal ends the operation."
)
class Mutation(
    FactorMutation,
    FamilyMutation,
    LedgerMutation,
    PractitionerMutation,
    ReactionMutation,
    CorrectionMutation,
    SharingMutation,
    AppointmentsMutation,
    GrantMutation,
    RecordsMutation,
    NotificationsMutation,
):
    """The sum of the rooms' mutations."""


@cache
def schema() -> strawberry.Schema:
    """Return the schema, made once."""
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Citizen, Practitioner, *PAPERS, PublishedErrorCode],
        config=StrawberryConfig(disable_field_suggestions=True, scalar_map=SCALARS),
    )
