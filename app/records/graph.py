"""Root fields of the health book."""

from typing import Annotated

import strawberry

from app.compiler import declare as rests
from app.records.book import HealthBook
from app.sharing.tables import BookRow

BOOK = rests.Root(name="book", opens="book", row=BookRow, on=lambda row, inputs: row.citizen_id == inputs.citizen)


@strawberry.type
class RecordsQuery:
    """What the health book answers."""

    @rests.root(
        BOOK,
        description=(
            "A health book: one's own, or a dependant's by id. One book per operation. "
            "A book that the viewer may not open is NOT_FOUND."
        ),
    )
    def health_book(
        self,
        citizen_id: Annotated[
            strawberry.ID | None, strawberry.argument(description="Whose book; one's own when it is left out.")
        ] = None,
    ) -> HealthBook | None: ...
