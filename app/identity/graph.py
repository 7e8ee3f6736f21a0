"""Root fields of identity."""

import strawberry

from app.compiler import declare as rests
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
