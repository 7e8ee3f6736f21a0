"""Where sessions of a person rest, and what is published of second factors."""

from datetime import datetime
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import Select, func, select

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.identity.step_up import StepUpAction, asked_by


def _action(action: StepUpAction, words: str) -> Any:
    operations = asked_by(action)
    asked = f" Asked for by: {operations}." if operations else " No operation asks for it yet."
    return strawberry.enum_value(action.value, description=words + asked)


@strawberry.enum(
    name="StepUpAction",
    description=(
        "What a fresh second factor is good for. An operation that is listed here answers STEP_UP_REQUIRED "
        "without one: call stepUp with the action and send the operation again."
    ),
)
class PublishedAction(Enum):
    """StepUpAction, as it is published."""

    SHARE = _action(StepUpAction.SHARE, "Let somebody else see the book.")
    UNMASK = _action(StepUpAction.UNMASK, "Show hidden records again.")
    EXPORT = _action(StepUpAction.EXPORT, "Take a copy of the book away.")
    EMERGENCY = _action(StepUpAction.EMERGENCY, "Open a book in an emergency, as a practitioner.")
    GUARDIANS = _action(StepUpAction.GUARDIANS, "Change who acts for whom.")
    IDENTIFIERS = _action(StepUpAction.IDENTIFIERS, "Join or part numbers that name one person.")
    FACTORS = _action(StepUpAction.FACTORS, "Replace the second factor; a first one wants a fresh sign-in instead.")
    SESSIONS = _action(
        StepUpAction.SESSIONS, "End another session than this one; not needed within 15 minutes of signing in."
    )


def own_sessions(_parent: RowRef, _inputs: Inputs) -> Select[Any]:
    """Return the sessions of whoever is signed in."""
    found = func.auth.my_sessions().table_valued(
        "id", "name", "platform", "as_practitioner", "is_this_one", "began_at", "seen_at", "until", name="own"
    )
    return select(found)


@strawberry.type(description="An app in which one is signed in.")
class OwnSession:
    """A session of the viewer."""

    id: strawberry.ID = rests.column("id", description="Opaque id, for endSession.")
    device_name: str | None = rests.column("name", description="What the app called its phone at sign-in.")
    platform: str | None = rests.column("platform", description="Platform of the header Sokhoe-App at sign-in.")
    as_practitioner: bool = rests.column("as_practitioner", description="Signed in as a practitioner at work.")
    is_this_one: bool = rests.column("is_this_one", description="The session that asks.")
    began_at: datetime = rests.column("began_at", description="When it was signed in.")
    last_seen_at: datetime | None = rests.column(
        "seen_at", description="When it was last used, to the minute; null when that is not known."
    )
    ends_at: datetime = rests.column("until", description="When it ends by itself, unless it is used before.")


def own_factor(_parent: RowRef, _inputs: Inputs) -> Select[Any]:
    """Return the one row that tells of the second factor of whoever is signed in."""
    found = func.auth.my_factor().table_valued(
        "is_enrolled", "enrolled_at", "locked_until", "is_off", "recovery_codes_left", name="factor"
    )
    return select(found)


@strawberry.type(description="The second factor of the person who is signed in, in whichever role.")
class SecondFactor:
    """Whether stepUp can be asked, and what stands in its way."""

    is_enrolled: bool = rests.column(
        "is_enrolled", description="Whether there is one. If not, begin with enrolTotp within 15 minutes of signing in."
    )
    enrolled_at: datetime | None = rests.column("enrolled_at", description="When it was confirmed; null without one.")
    locked_until: datetime | None = rests.column(
        "locked_until", description="Until when no code is taken, after five wrong ones in a row; null when it is open."
    )
    is_off: bool = rests.column(
        "is_off", description="After twenty wrong codes in a day: codes are taken again after signing in anew."
    )
    recovery_codes_left: int = rests.column(
        "recovery_codes_left", description="How many recovery codes are unused. enrolTotp again makes ten new ones."
    )
