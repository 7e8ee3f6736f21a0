"""Where facilities rest, for the compiler."""

from enum import Enum

import strawberry

from app.compiler import declare as rests
from app.facilities.tables import FacilityRow


@strawberry.enum(description="Professional level of a facility (Law 15/2023, Art. 104).")
class FacilityLevel(Enum):
    """Three levels of care."""

    CENTRAL = strawberry.enum_value("CENTRAL", description="Specialised level: central and regional hospitals.")
    PROVINCIAL = strawberry.enum_value("PROVINCIAL", description="Basic level: provincial and city hospitals.")
    PRIMARY = strawberry.enum_value("PRIMARY", description="Initial level: commune stations and family doctors.")


NAMED = rests.Naming(list_name="facility", at="facility_code")
"""For a row with the code of a facility, which is always there."""


@strawberry.type(description="A place of care that sends records.")
class Facility:
    """A facility."""

    code: str = rests.column(
        FacilityRow.code, description="Five-character facility code (Decision 384/QD-BYT), for example 01901."
    )
    name: str = rests.column(FacilityRow.name, description="Name as registered, in Vietnamese.")
    level: FacilityLevel = rests.column(FacilityRow.level, description="Level of care.")
