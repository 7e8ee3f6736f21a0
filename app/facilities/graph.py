"""Root fields of facilities."""

from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, func, literal

from app.compiler import declare as rests
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow

DIRECTORY = rests.Root(name="directory", opens="desk")


def _plain(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a text in small letters without diacritics, unseen characters and extra blanks, as people type it."""
    bare = func.regexp_replace(
        func.pg_catalog.normalize(func.lower(text), literal("NFD")),
        literal("[\u0300-\u036f\u00ad\u200b-\u200f\u2060\ufeff]"),
        literal(""),
        literal("g"),
    )
    blank = func.regexp_replace(bare, literal("[\\s\u00a0]+"), literal(" "), literal("g"))
    return func.btrim(func.replace(blank, literal("đ"), literal("d")))


@strawberry.type
class FacilitiesQuery:
    """What the directory answers."""

    @rests.connection(
        FacilityRow,
        on=lambda _parent, facility, _inputs: facility.suspended_at.is_(None),
        order=(rests.asc("code"),),
        max_first=50,
        filters={
            "search": lambda facility, wanted: (
                (func.strpos(_plain(facility.name), _plain(wanted)) > literal(0))
                | (func.lower(facility.code) == _plain(wanted))
            )
        },
        root=DIRECTORY,
        description="Facilities that send records, by code.",
    )
    def facilities(
        self,
        search: Annotated[
            str | None,
            strawberry.argument(description="A part of the name, with or without diacritics, or the whole code."),
        ] = None,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
    ) -> rests.Connection[Facility] | None: ...
