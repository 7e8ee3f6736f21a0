"""Root fields of identity."""

import strawberry

from app.compiler import declare as rests
from app.identity.mapping import Viewer
from app.identity.tables import CitizenRow

DESK_ME = rests.Root(name="me", opens="desk", row=CitizenRow, on=lambda row, inputs: row.id == inputs.viewer)


@strawberry.type
class IdentityQuery:
    """What identity answers."""

    @rests.root(DESK_ME, description="The signed-in person. Use it first: it tells who the token stands for.")
    def me(self) -> Viewer: ...
