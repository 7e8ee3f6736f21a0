"""What the contract wants of the trend of one test."""

from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from tests.differential.rows import Row
from tests.differential.shown import Shown, instants, numbers, plain

if TYPE_CHECKING:
    from tests.differential.judge import Answers


def trend(answers: "Answers", given: Shown) -> list[Shown]:
    """Return the points of one test, the newest first."""
    units, shelf = answers.viewing.lists.units, answers.viewing.shelf
    asked = given["code"].upper()
    analytes = {rule["analyte"] for (code, _), rule in units.items() if code == asked}
    codes = {asked, *(code for (code, _), rule in units.items() if rule["analyte"] in analytes)}
    every = ((row, one) for one in shelf.records["test_report"] for row in shelf.lines_of("test_result", one["id"]))
    found = [(row, report) for row, report in every if row["code"] is not None and row["code"].upper() in codes]
    found.sort(key=lambda one: one[0]["line"])
    found.sort(key=lambda one: (one[0]["resulted_at"], one[1]["id"]), reverse=True)
    first = given.get("first")
    return [_point(answers, row, report) for row, report in found[: 50 if first is None else first]]


def _point(answers: "Answers", row: Row, report: Row) -> Shown:
    folded = (row["unit"] or "").replace("µ", "u").replace("μ", "u").replace(" ", "").lower()
    rule = answers.viewing.lists.units.get((row["code"].upper(), folded)) if row["value"] is not None else None
    comparable = None
    if rule is not None and row["unit"] is not None:
        exact = row["value"] * rule["factor"] + rule["shift"]
        rounded = exact.quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
        comparable = format(rounded, "f").rstrip("0").rstrip(".")
    return {
        "reportId": str(report["id"]),
        "facility": answers.facility(report),
        **plain(row, "line", "code", "name", "value_text", "unit", "reference_range"),
        **instants(row, "resulted_at"),
        **numbers(row, "value"),
        "comparableValue": comparable,
        "comparableUnit": rule["shown_unit"] if comparable is not None and rule else None,
        "laboratoryLevel": None,
    }
