"""The trend of one test: across facilities and codes, in one unit where that is exact, and never otherwise."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any

import httpx
import pytest

from app.core.db import Login
from app.facilities import registry
from app.terminology.units import test_units as units_that_ship
from tests.attacks.crowd import Member
from tests.ingestion import messages
from tests.people import Stand
from tests.records.books import Book

TREND = (
    "query($code: String!, $first: Int) { healthBook { testTrend(code: $code, first: $first) { code value unit "
    "valueText comparableValue comparableUnit referenceRange laboratoryLevel facility { code } } } }"
)


class Lab(Book):
    """A book whose visits bring results."""

    def __init__(self, stand: Stand, http: httpx.Client) -> None:
        super().__init__(stand, http)
        self.stand = stand
        self.numbers = iter(range(1, 100))
        (known,) = stand.as_owner("SELECT source_id FROM auth.filing WHERE citizen_id = :id", id=self.citizen)
        self.member = Member(number=int(known.source_id.rpartition(".")[2]))

    def results(self, *results: tuple[str, str, str], at: str = "202611200900") -> None:
        """File one visit with results: code, value and unit of each."""
        tables = self.member.tables()
        visit = f"{self.visit}.{next(self.numbers)}"
        line = tables["XML4"][0]
        tables["XML4"] = [
            {**line, "MA_CHI_SO": code, "GIA_TRI": value, "DON_VI_DO": unit, "NGAY_KQ": at, "STT": str(place)}
            for place, (code, value, unit) in enumerate(results, start=1)
        ]
        sent = {name: [{**one, "MA_LK": visit} for one in lines] for name, lines in tables.items()}
        body = messages.envelope(messages.visit_xml(sent))
        token = self.stand.facility(messages.FACILITY)
        kept = self.stand.keep(body, token=token)
        assert self.stand.process(kept) in {"filed", "partly"}, self.stand.receipt(kept, token=token).verdict

    def trend(self, code: str, first: int | None = None) -> list[dict[str, Any]]:
        """Return the points."""
        found: list[dict[str, Any]] = self.post(TREND, code=code, first=first)["data"]["healthBook"]["testTrend"]
        return found


@pytest.fixture
def lab(stand: Stand, http: httpx.Client) -> Lab:
    return Lab(stand, http)


def points(found: Sequence[dict[str, Any]]) -> list[tuple[str | None, str | None, str | None]]:
    return [(one["value"], one["comparableValue"], one["comparableUnit"]) for one in found]


@pytest.mark.parametrize(
    ("code", "value", "unit", "comparable", "shown"),
    [
        ("GLU", "5.6", "mmol/L", "5.6", "mmol/L"),
        ("GLU", "100", "mg/dL", "5.5507", "mmol/L"),
        ("glu", "100", " MG/DL", "5.5507", "mmol/L"),
        ("CRE", "1.1", "mg/dL", "97.2419", "µmol/L"),
        ("CRE", "97", "umol/L", "97", "µmol/L"),
        ("HBA1C", "48", "mmol/mol", "6.543", "%"),
        ("HGB", "13.5", "g/dL", "135", "g/L"),
        ("WBC", "7.1", "10^3/µL", "7.1", "G/L"),
        ("GLU", "100", "mg%", None, None),  # known to nobody: it says its own unit
        ("QQQ", "1", "mg/dL", None, None),
    ],
)
def test_values_become_comparable_only_where_that_is_exact(
    lab: Lab, code: str, value: str, unit: str, comparable: str | None, shown: str | None
) -> None:
    lab.results((code, value, unit))
    (point,) = lab.trend(code)
    assert (point["comparableValue"], point["comparableUnit"]) == (comparable, shown)
    assert (point["value"], point["unit"], point["code"]) == (value, unit.strip(), code)


def test_one_test_has_many_codes_and_the_newest_comes_first(lab: Lab) -> None:
    lab.results(("GLU", "5.0", "mmol/L"), at="202611200900")
    lab.results(("14749-6", "6.0", "mmol/L"), at="202611200910")
    lab.results(("2345-7", "126", "mg/dL"), ("URE", "5", "mmol/L"), at="202611200920")
    expected = [("126", "6.9939", "mmol/L"), ("6.0", "6", "mmol/L"), ("5.0", "5", "mmol/L")]
    for code in ("GLU", "glu", "14749-6", "2345-7"):
        assert points(lab.trend(code)) == expected
    assert points(lab.trend("GLU", first=1)) == expected[:1]
    assert lab.trend("nothing") == []


def test_words_have_no_comparable_value(lab: Lab) -> None:
    lab.results(("GLU", "không đo được", "mmol/L"))
    assert points(lab.trend("GLU")) == [(None, None, None)]


def test_the_level_of_the_laboratory_is_that_of_the_day(lab: Lab, stand: Stand) -> None:
    lab.results(("GLU", "5.0", "mmol/L"), at="202611200900")

    def rated(level: int, since: str) -> None:
        day = date.fromisoformat(since)
        step = partial(
            registry.register_laboratory, code=messages.FACILITY, level=level, valid_from=day, valid_until=None
        )
        stand.run(Login.MIGRATOR, step)

    assert [one["laboratoryLevel"] for one in lab.trend("GLU")] == [None]
    rated(3, "2026-11-20")
    assert [one["laboratoryLevel"] for one in lab.trend("GLU")] == [3]
    rated(4, "2026-11-21")
    assert [one["laboratoryLevel"] for one in lab.trend("GLU")] == [3]


def test_every_conversion_that_ships_leads_to_one_unit_and_says_why() -> None:
    shown: dict[str, set[str]] = {}
    for row in units_that_ship():
        shown.setdefault(row["analyte"], set()).add(row["shown_unit"])
        assert row["basis"]
        assert row["code"] == row["code"].upper()
        assert row["unit"] == row["unit"].lower().replace("µ", "u").replace(" ", "")
    assert all(len(units) == 1 for units in shown.values())
