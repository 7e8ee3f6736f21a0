"""Where citizens rest, for the compiler."""

from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any

import strawberry
from sqlalchemy import ColumnElement, Date, Select, String, and_, case, func, literal, or_, select

from app.compiler import declare as rests
from app.compiler.inputs import Inputs
from app.compiler.rows import RowRef
from app.facilities.mapping import Facility
from app.facilities.tables import FacilityRow
from app.identity import family_mapping, ledger_mapping
from app.identity.family_mapping import Representation, RepresentationClaim
from app.identity.ledger_mapping import Consent, ConsentText, DisownedVisit, Identifier
from app.identity.ledger_tables import ConsentRow
from app.identity.sealing import sealed_place
from app.identity.tables import CitizenRow, IdentifierRow, PairingRow, PractitionerPlaceRow, PractitionerRow
from app.terminology.sql import label


@strawberry.enum(description="Sex as registered.")
class Sex(Enum):
    """Sex."""

    MALE = strawberry.enum_value("MALE", description="Male.")
    FEMALE = strawberry.enum_value("FEMALE", description="Female.")
    UNDETERMINED = strawberry.enum_value("UNDETERMINED", description="Not determined.")


def _private(place: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return what only the person and who stands for them may open, or null when a book is open for somebody else."""
    shown = func.coalesce(
        func.current_setting(literal("book.private"), literal(value=True), type_=String()), literal("")
    )
    return case((shown != literal("false"), place))


def _national_id(citizen_id: ColumnElement[Any]) -> ColumnElement[Any]:
    identifier = IdentifierRow.__table__.alias()
    return (
        select(sealed_place("auth.identifier", "sealed", identifier.c.id, identifier.c.sealed))
        .where(
            identifier.c.citizen_id == citizen_id,
            identifier.c.kind == literal("PERSONAL_ID"),
            identifier.c.valid_until.is_(None),
        )
        .order_by(identifier.c.valid_from.desc())  # who was given another one has both
        .limit(literal(1))
        .scalar_subquery()
    )


def viewer(_parent: RowRef, inputs: Inputs) -> Select[Any]:
    """Return the one row that tells as what somebody is signed in."""
    return select(
        case((inputs.practitioner.is_not(None), literal("PRACTITIONER")), else_=literal("CITIZEN")).label("role")
    )


@rests.kinds(
    by=lambda row, _inputs: row.role,
    types={
        "CITIZEN": rests.Kind(name="Citizen", row=CitizenRow, on=lambda _me, own, inputs: own.id == inputs.viewer),
        "PRACTITIONER": rests.Kind(
            name="Practitioner", row=PractitionerRow, on=lambda _me, own, inputs: own.id == inputs.practitioner
        ),
    },
)
@strawberry.interface(description="Who is signed in, and as what: a citizen, or a practitioner at work.")
class Viewer:
    """A signed-in person in one role; whoever is a doctor and a patient signs in as each."""

    id: strawberry.ID = rests.column("id", description="Opaque id of the person in this role.")
    full_name: str = rests.column("full_name", description="Full name with diacritics.")


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
        lambda row, _inputs: _private(sealed_place("auth.citizen", "phone_sealed", row.id, row.phone_sealed)),
        description="Phone number that the newest visit told; only its owner and their representative see it.",
    )
    address: str | None = rests.sealed(
        lambda row, _inputs: _private(sealed_place("auth.citizen", "address_sealed", row.id, row.address_sealed)),
        description="Address that the newest visit told; only its owner and their representative see it.",
    )
    ethnic_group: str | None = rests.expression(
        lambda row, inputs: label("ethnic-group", row.ethnic_code, inputs.language, or_itself=True),
        description="Ethnic group in words, or its code as it was sent.",
    )
    nationality: str | None = rests.expression(
        lambda row, inputs: label("nationality", row.nationality_code, inputs.language, or_itself=True),
        description="Nationality in words, or its code as it was sent.",
    )
    occupation: str | None = rests.expression(
        lambda row, inputs: label("occupation", row.occupation_code, inputs.language, or_itself=True),
        description="Occupation in words, or its code as it was sent.",
    )
    blood_group: str | None = rests.column(
        CitizenRow.blood_group, description="Blood group as the newest visit told it; no proof for a transfusion."
    )
    dependants: list[Representation] | None = family_mapping.dependants
    representatives: list[Representation] | None = family_mapping.representatives
    asked_to_represent: list[Representation] | None = family_mapping.asked_to_represent
    representation_claims: list[RepresentationClaim] | None = family_mapping.representation_claims
    identifiers: list[Identifier] | None = ledger_mapping.identifiers
    disowned_visits: list[DisownedVisit] | None = ledger_mapping.disowned_visits
    consent_texts: list[ConsentText] | None = ledger_mapping.consent_texts

    @rests.connection(
        ConsentRow,
        on=lambda me, row, _inputs: row.citizen_id == me.id,
        order=(rests.desc("given_at"), rests.desc("id")),
        guard=family_mapping.at_the_desk,
        max_first=50,
        description="The consent ledger, newest first: what holds and what was taken back. Under `me` only, else null.",
    )
    def consents(
        self,
        first: Annotated[int | None, rests.FIRST] = 20,
        after: Annotated[str | None, rests.AFTER] = None,
    ) -> rests.Connection[Consent] | None:
        """Page through the ledger."""
        raise NotImplementedError


def _today() -> ColumnElement[date]:
    return func.auth.today(type_=Date)


@strawberry.type(description="A place where a practitioner works.")
class PractitionerPlace:
    """A place of work."""

    facility: Facility = rests.one(
        FacilityRow, on=lambda place, f, _inputs: f.code == place.facility_code, description="Where."
    )
    valid_from: date = rests.column(PractitionerPlaceRow.valid_from, description="First day of work there.")
    valid_until: date | None = rests.column(
        PractitionerPlaceRow.valid_until, description="Last day of work there; null while no end is known."
    )


@strawberry.type(description="That a hospital's system may act for a practitioner.")
class Pairing:
    """A pairing."""

    id: strawberry.ID = rests.column(PairingRow.id, description="Opaque.")
    facility: Facility = rests.one(
        FacilityRow, on=lambda pairing, f, _inputs: f.code == pairing.facility_code, description="Whose system."
    )
    paired_at: datetime = rests.column(PairingRow.paired_at, description="Since when.")


@strawberry.type(
    description="Somebody who may practise medicine, signed in for work. Such a session opens no book of its own."
)
class Practitioner(Viewer):
    """A practitioner."""

    certificate: str = rests.column(
        PractitionerRow.certificate, description="Number of the practising certificate or licence: 001234/BYT-CCHN."
    )
    valid_until: date | None = rests.column(
        PractitionerRow.valid_until, description="Last day of the certificate; null when it has none."
    )
    places: list[PractitionerPlace] = rests.many(
        PractitionerPlaceRow,
        on=lambda practitioner, place, _inputs: and_(
            place.practitioner_id == practitioner.id,
            place.valid_from <= _today(),
            or_(place.valid_until.is_(None), place.valid_until >= _today()),
        ),
        order=(rests.asc("facility_code"), rests.asc("valid_from")),
        limit=50,
        description="Where this person works today.",
    )
    pairings: list[Pairing] = rests.many(
        PairingRow,
        on=lambda practitioner, pairing, _inputs: and_(
            pairing.practitioner_id == practitioner.id, pairing.ended_at.is_(None)
        ),
        order=(rests.asc("paired_at"), rests.asc("id")),
        limit=50,
        description="Hospitals' systems that may act for this person; the visitors' book names both.",
    )
