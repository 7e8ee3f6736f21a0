"""What every record tells of itself, for the compiler."""

from datetime import datetime

import strawberry

from app.compiler import declare as rests

MOST_LINES = 500  # a record's lines are shown whole: no visit has more


@strawberry.type(description="Where a record comes from.")
class Provenance:
    """Provenance of a record."""

    version: int = rests.column("version", description="1 when first filed; grows with every correction.")
    filed_at: datetime = rests.column("filed_at", description="When this version was filed.")
    standard_version: str = rests.column(
        "standard_version", description="Standard that the message followed, for example 4750/QD-BYT."
    )
    source_version: str = rests.column(
        "source_version", description="Day on which the facility made the message, as it was sent."
    )
    message_id: strawberry.ID = rests.column(
        "message_id", description="The message that brought this version; the facility knows it by the same id."
    )
