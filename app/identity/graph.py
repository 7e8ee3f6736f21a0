"""Root fields of identity."""

import strawberry

from app.compiler import declare as rests
from app.core.context import Context
from app.core.db import Session
from app.core.deeds import Told
from app.identity import ending
from app.identity.mapping import Viewer, viewer

DESK_ME = rests.Root(name="me", opens="desk", row=viewer)


@strawberry.type
class IdentityQuery:
    """What identity answers."""

    @rests.root(
        DESK_ME,
        description=(
            "The signed-in person: a Citizen, or a Practitioner at work. "
            "Use it first: it tells who the token stands for."
        ),
    )
    def me(self) -> Viewer: ...


@strawberry.input(description="Which session ends.")
class EndSessionInput:
    """Input of endSession."""

    idempotency_key: strawberry.ID = strawberry.field(
        description="A key of your choice for this one action, kept for 48 hours: sending it again does nothing twice."
    )
    session_id: strawberry.ID = strawberry.field(description="One of your own sessions.")


@strawberry.type(description="What endSession answers.")
class EndSessionPayload:
    """Payload of endSession."""

    session_id: strawberry.ID = rests.told("session_id", description="The session, which has ended.")


async def _end_session(session: Session, *, asked: EndSessionInput, context: Context) -> Told:  # noqa: ARG001
    return await ending.end_session(session, session_id=asked.session_id)


@strawberry.type
class IdentityMutation:
    """What people change about themselves."""

    @rests.mutation(
        rests.action(does=_end_session),
        description="End one of your own sessions, this one too. Its token is dead at the next request.",
    )
    def end_session(self, input: EndSessionInput) -> EndSessionPayload: ...
