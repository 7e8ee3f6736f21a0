"""What the demo's hospitals can do and write: drugs, services, indices, report texts, episodes, programmes.

Drug and service codes have the shape of the national lists but are not checked against them; registration
numbers are made up. Prices are whole đồng.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from app.demo.files import document, rows
from app.records.arrivals import Sex

SUPPLY_GROUP = "10"
BED_GROUP = "15"
LABORATORY_GROUP = "1"
REPORTED_GROUPS = frozenset({"1", "2", "3"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Drug:
    """One drug as a hospital's pharmacy lists it."""

    key: str
    code: str  # MA_THUOC
    name: str
    strength: str
    form: str
    unit: str
    route: str  # DUONG_DUNG
    price: int
    registration: str
    is_covered: bool  # in the insurance list


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service, bed or supply."""

    key: str
    code: str
    name: str
    group: str  # MA_NHOM
    unit: str
    price: int
    machine: str  # `{facility}` stands for the facility's code
    index_keys: tuple[str, ...]  # in the order of the report


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """One laboratory index; `usual` bounds a healthy value by sex, None where the value is a text."""

    key: str
    name: str
    unit: str
    usual: Mapping[Sex, tuple[Decimal, Decimal]] | None
    decimals: int
    mass_unit: str | None
    mass_factor: Decimal | None  # value in mass_unit = value * mass_factor
    mass_decimals: int
    usual_text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugOrder:
    """A drug of an episode: `dose` is `1x3x5` (each, times a day, days) or `2=text` (quantity, words)."""

    drug: str
    dose: str
    how: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode:
    """One kind of visit. A service is `key`, `key:finding` or `key*times`."""

    key: str
    ages: tuple[int, int]
    sex: Sex | None
    weight: int  # among acute episodes; 0 if it never comes by chance
    where: str  # `any` or `hospital`
    kind: str
    department: str
    exam: str
    nights: int
    is_emergency: bool
    reason: str
    arrival: str
    discharge: str
    main: str
    others: tuple[str, ...]
    outcome: int
    treatment: str
    advice: str
    drugs: tuple[DrugOrder, ...]
    services: tuple[str, ...]
    findings: Mapping[str, tuple[str, ...] | tuple[Decimal, Decimal]]
    revisit_days: int

    def suits(self, *, age: int, sex: Sex) -> bool:
        """Tell whether such a person can have it."""
        return self.ages[0] <= age <= self.ages[1] and self.sex in {None, sex}


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """Care that comes back: a refill every so many days, a review with tests every so many refills."""

    key: str
    ages: tuple[int, int]
    share_percent: int
    refill: str
    review: str
    every_days: int
    review_every: int
    drift: Mapping[str, tuple[Decimal, Decimal]]  # index: value a year ago, value now


@cache
def drugs() -> Mapping[str, Drug]:
    """Return every drug by its key, in the order of the list."""
    return {
        row["key"]: Drug(
            key=row["key"],
            code=row["code"],
            name=row["name"],
            strength=row["strength"],
            form=row["form"],
            unit=row["unit"],
            route=row["route"],
            price=int(row["price"]),
            registration=row["registration"],
            is_covered=row["covered"] == "1",
        )
        for row in rows("drugs.csv")
    }


@cache
def services() -> Mapping[str, Service]:
    """Return every service by its key, in the order of the list."""
    return {
        row["key"]: Service(
            key=row["key"],
            code=row["code"],
            name=row["name"],
            group=row["group"],
            unit=row["unit"],
            price=int(row["price"]),
            machine=row["machine"],
            index_keys=tuple(row["indices"].split()),
        )
        for row in rows("services.csv")
    }


@cache
def indices() -> Mapping[str, Index]:
    """Return every laboratory index by its key, which is its code in most hospitals."""
    return {row["key"]: _index(row) for row in rows("indices.csv")}


@cache
def report_texts() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Return description and conclusion by service and finding."""
    return {
        service: {finding: (text[0], text[1]) for finding, text in findings.items()}
        for service, findings in document("imaging.json").items()
    }


@cache
def episodes() -> Mapping[str, Episode]:
    """Return every episode by its key."""
    return {key: _episode(key, row) for key, row in document("episodes.json").items()}


@cache
def programmes() -> Mapping[str, Programme]:
    """Return every programme by its key."""
    return {
        key: Programme(
            key=key,
            ages=(row["ages"][0], row["ages"][1]),
            share_percent=row["share"],
            refill=row["refill"],
            review=row["review"],
            every_days=row["every_days"],
            review_every=row["review_every"],
            drift={index: (Decimal(then), Decimal(now)) for index, (then, now) in row["drift"].items()},
        )
        for key, row in document("programmes.json").items()
    }


def _index(row: Mapping[str, str]) -> Index:
    usual = {
        Sex.MALE: (Decimal(row["male_low"]), Decimal(row["male_high"])),
        Sex.FEMALE: (Decimal(row["female_low"]), Decimal(row["female_high"])),
    } if row["male_low"] else None  # fmt: skip
    return Index(
        key=row["key"],
        name=row["name"],
        unit=row["unit"],
        usual=usual,
        decimals=int(row["decimals"] or 0),
        mass_unit=row["mass_unit"] or None,
        mass_factor=Decimal(row["mass_factor"]) if row["mass_factor"] else None,
        mass_decimals=int(row["mass_decimals"] or 0),
        usual_text=row["usual_text"],
    )


def _episode(key: str, row: Mapping[str, Any]) -> Episode:
    return Episode(
        key=key,
        ages=(row["ages"][0], row["ages"][1]),
        sex=Sex(row["sex"]) if row["sex"] else None,
        weight=row["weight"],
        where=row["where"],
        kind=row["kind"],
        department=row["department"],
        exam=row["exam"],
        nights=row["nights"],
        is_emergency=row["emergency"],
        reason=row["reason"],
        arrival=row["arrival"],
        discharge=row["discharge"],
        main=row["main"],
        others=tuple(row["others"]),
        outcome=row["outcome"],
        treatment=row["treatment"],
        advice=row["advice"],
        drugs=tuple(DrugOrder(**order) for order in row["drugs"]),
        services=tuple(row["services"]),
        findings={index: tuple(found) for index, found in row["findings"].items()},
        revisit_days=row["revisit_days"],
    )
