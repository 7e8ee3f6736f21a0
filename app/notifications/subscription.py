"""The Subscription type: what a live connection is told."""

from collections.abc import AsyncIterator
from datetime import datetime
from enum import Enum
from typing import Annotated

import strawberry


@strawberry.enum(description="What changed.")
class BookEventKind(Enum):
    """Kinds of live events."""

    RECORDS_CHANGED = strawberry.enum_value(
        "RECORDS_CHANGED", description="Records were added, replaced, hidden or withdrawn: ask for bookChanges."
    )
    OPENED = strawberry.enum_value("OPENED", description="Somebody opened the book; `subjectId` is the grant.")
    GRANT_CHANGED = strawberry.enum_value(
        "GRANT_CHANGED", description="An access was given, is about to end, or ended; `subjectId` is the grant."
    )
    APPOINTMENT_CHANGED = strawberry.enum_value(
        "APPOINTMENT_CHANGED", description="An appointment was made, moved or cancelled; `subjectId` is it."
    )


@strawberry.type(description="Something that changed: ids only, ask for the rest.")
class BookEvent:
    """A live event."""

    cursor: str = strawberry.field(description="Opaque place of this event: pass it as `after` to go on from here.")
    kind: BookEventKind = strawberry.field(description="What changed.")
    subject_id: strawberry.ID | None = strawberry.field(description="What it is about, where that has an id.")
    at: datetime = strawberry.field(description="When it happened.")


@strawberry.type(description="What can be listened to, over WebSocket with graphql-transport-ws.")
class Subscription:
    """Live events."""

    @strawberry.subscription(  # type: ignore[untyped-decorator]  # as the library types it
        description=(
            "Changes of one's own book, a dependant's as far as you may see it, or the end of what a grant opens. "
            "Ends within a second of the session or the grant."
        )
    )
    def book_events(
        self,
        citizen_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose book; one's own when it is left out.")
        ] = None,
        grant_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="For practitioners: the grant that opens the book.")
        ] = None,
        after: Annotated[
            str | None,
            strawberry.argument(
                description="Cursor of the last event you have; what came just before it may come again."
            ),
        ] = None,
    ) -> AsyncIterator[BookEvent]:
        """Be listened to by app.gateway.sockets, which shows each event as the document asks for it."""
