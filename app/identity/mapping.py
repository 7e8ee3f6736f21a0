"""Where citizens rest, for the compiler."""

from datetime import date
from enum import Enum
from typing import Any

import strawberry
from sqlalchemy import ColumnElement, LargeBinary, String, cast, func, literal, select

from app.compiler import declare as rests
from app.identity.tables import CitizenRow, IdentifierRow
from app.terminology.sql import label


@strawberry.enum(description="Sex as registered.")
class Sex(Enum):
    """Sex."""

    MALE = strawberry.enum_value("MALE", description="Male.")
    FEMALE = strawberry.enum_value("FEMALE", description="Female.")
    UNDETERMINED = strawberry.enum_value("UNDETERMINED", description="Not determined.")


def sealed_place(table: str, column: str, row_id: ColumnElement[Any], sealed: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return `table|column|row id|` and the sealed bytes, which is what the vault needs to open a value."""
    place = literal(f"{table}|{column}|").op("||")(cast(row_id, String)).op("||")(literal("|"))
    return func.convert_to(place, literal("UTF8"), type_=LargeBinary).op("||")(sealed)


def _national_id(citizen_id: ColumnElement[Any]) -> ColumnElement[Any]:
    identifier = IdentifierRow.__table__.alias()
    return (
        select(sealed_place("auth.identifier", "sealed", identifier.c.id, identifier.c.sealed))
        .where(
            identifier.c.citizen_id == citizen_id,
            identifier.c.kind == literal("PERSONAL_ID"),
            identifier.c.valid_until.is_(None),
        )
        .limit(literal(1))
        .scalar_subquery()
    )


@strawberry.interface(description="Who is signed in.")
class Viewer:
    """A signed-in person."""

    id: strawberry.ID = rests.column(CitizenRow.id, description="Opaque id of the person.")
    full_name: str = rests.column(CitizenRow.full_name, description="Full name with diacritics.")


@strawberry.type(description="A person who has a health book.")
class Citizen(Viewer):
    """A citizen."""

    birth_date: date = rests.column(
        CitizenRow.birth_on, description="Date of birth; 1 January where only the year is known (see birthDateIsExact)."
    )
    birth_date_is_exact: bool = rests.expression(
        lambda row, _inputs: row.birth_precision != literal("YEAR"),
        description="False where the registers know only the year of birth.",
    )
    sex: Sex = rests.column(CitizenRow.sex, description="Sex as registered.")
    national_id: str | None = rests.sealed(
        lambda row, _inputs: _national_id(row.id),
        description="12-digit personal id number; only its owner and their representative see it.",
    )
    phone: str | None = rests.sealed(
        lambda row, _inputs: sealed_place("auth.citizen", "phone_sealed", row.id, row.phone_sealed),
        description="Phone number that the newest visit told; only its owner and their representative see it.",
    )
    address: str | None = rests.sealed(
        lambda row, _inputs: sealed_place("auth.citizen", "address_sealed", row.id, row.address_sealed),
        description="Address that the newest visit told; only its owner and their representative see it.",
    )
    ethnic_group: str | None = rests.expression(
        lambda row, inputs: func.coalesce(label("ethnic-group", row.ethnic_code, inputs.language), row.ethnic_code),
        description="Ethnic group in words, or its code as it was sent.",
    )
    nationality: str | None = rests.expression(
        lambda row, inputs: func.coalesce(
            label("nationality", row.nationality_code, inputs.language), row.nationality_code
        ),
        description="Nationality in words, or its code as it was sent.",
    )
    occupation: str | None = rests.expression(
        lambda row, inputs: func.coalesce(
            label("occupation", row.occupation_code, inputs.language), row.occupation_code
        ),
        description="Occupation in words, or its code as it was sent.",
    )
    blood_group: str | None = rests.column(
        CitizenRow.blood_group, description="Blood group as the newest visit told it; no proof for a transfusion."
    )
