"""Families for tests: citizens of a chosen age and who represents them, with the product's own functions."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from app.core.crypto import Place
from app.core.ids import new_id
from app.identity.names import name_key
from tests.people import Stand, now

EVERYTHING, SUMMARY = 1023, 967


def today(stand: Stand) -> date:
    """Return the day that the database counts."""
    found: date = stand.as_owner("SELECT auth.today() AS day")[0].day
    return found


def years_ago(day: date, years: int, *, days: int = 0) -> date:
    """Return the birth date of somebody who is `years` old on `day`, or has been for some days."""
    try:
        birthday = day.replace(year=day.year - years)
    except ValueError:
        birthday = day.replace(year=day.year - years, day=28)
    return birthday - timedelta(days=days)


@dataclass(frozen=True, slots=True)
class Families:
    """Makes people and representations in a stand's database."""

    stand: Stand

    def citizen(self, full_name: str, *, born: date, number: str | None = None) -> UUID:
        """Register a citizen with a book and, if given, a personal id."""
        citizen = new_id(now=now())
        self.stand.as_owner(
            "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
            "VALUES (:id, :name, :key, :born, 'DAY', 'FEMALE', now())",
            id=citizen,
            name=full_name,
            key=name_key(full_name),
            born=born,
        )
        self.stand.as_owner("INSERT INTO auth.book (citizen_id, changed_at) VALUES (:id, now())", id=citizen)
        if number is not None:
            self.identifier(citizen, number)
        return citizen

    def identifier(self, citizen: UUID, number: str, *, kind: str = "PERSONAL_ID") -> UUID:
        """Give a citizen a number."""
        row = new_id(now=now())
        vault = self.stand.vault
        self.stand.as_owner(
            "INSERT INTO auth.identifier (id, citizen_id, kind, lookup, sealed, valid_from) "
            "VALUES (:id, :citizen, :kind, :lookup, :sealed, now())",
            id=row,
            citizen=citizen,
            kind=kind,
            lookup=vault.index.of(number, kind=kind),
            sealed=vault.sealer.seal(
                number.encode(), place=Place(table="auth.identifier", column="sealed", row_id=row)
            ),
        )
        return row

    def represent(self, dependant: UUID, representative: UUID, kind: str = "PARENT", **more: Any) -> UUID:
        """Let somebody represent somebody, from 2000 on."""
        row = new_id(now=now())
        extent = None if kind in {"PARENT", "GUARDIAN"} else more.get("extent", "FULL")
        self.stand.as_owner(
            "INSERT INTO auth.representation (id, dependant_id, representative_id, kind, extent, evidence, valid_from, "
            "valid_until, added_at, accepted_at) VALUES (:id, :dependant, :representative, :kind, :extent, 'PAPER', "
            ":since, :until, now(), now())",
            id=row,
            dependant=dependant,
            representative=representative,
            kind=kind,
            extent=extent,
            since=more.get("since", date(2000, 1, 1)),
            until=more.get("until"),
        )
        return row

    def born(self, citizen: UUID, day: date) -> None:
        """Let somebody have been born on another day."""
        self.stand.as_owner("UPDATE auth.citizen SET birth_on = :day WHERE id = :id", id=citizen, day=day)

    def rights(self, viewer: UUID, target: UUID) -> tuple[str, int, bool, bool] | None:
        """Return as what, how far, unmasked and sharing somebody stands for somebody today; nothing when not at all."""
        rows = self.stand.as_owner(
            "SELECT kind, sections, unmasked, may_share FROM auth.representation("
            "jsonb_populate_record(NULL::auth.session, jsonb_build_object('citizen_id', CAST(:me AS text))), :target)",
            me=str(viewer),
            target=target,
        )
        return tuple(rows[0])
