"""Values at the end of what can be kept: a message that the door took is always concluded."""

import httpx
import pytest

from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.door import Door, of
from tests.people import Stand

NO_END = "9999-12-31T23:59:59Z"
FAR = {"value": 9_000_000_000, "unit": "ngày"}
MANY = 10**12

CHANGES: dict[str, tuple[str, Json]] = {
    "result": ("report", {"issued": NO_END}),
    "observation": ("weight", {"effectiveDateTime": NO_END}),
    "expiry": ("shot", {"expirationDate": NO_END}),
    "end of a visit": ("visit", {"period": {"start": bundles.AT, "end": NO_END}}),
    "start of a visit": ("visit", {"period": {"start": NO_END}}),
    "order": ("drug", {"authoredOn": NO_END}),
    "paper": ("paper", {"date": NO_END}),
    "birth": ("patient", {"birthDate": "9999-12-31"}),
    "dose": ("shot", {"protocolApplied": [{"doseNumberPositiveInt": 40_000}]}),
    "series": ("shot", {"protocolApplied": [{"doseNumberPositiveInt": 1, "seriesDosesPositiveInt": MANY}]}),
    "pictures": ("study", {"numberOfInstances": MANY}),
    "series of pictures": ("study", {"numberOfSeries": MANY}),
    "stay": ("visit", {"length": FAR}),
    "size": ("paper", {"content": [{"attachment": {"contentType": "application/pdf", "size": 10**25}}]}),
    "quantity": ("dispense", {"quantity": {"value": MANY, "unit": "Viên"}}),
    "ordered": ("drug", {"dispenseRequest": {"quantity": {"value": MANY, "unit": "Viên"}}}),
    "amount": ("shot", {"doseQuantity": {"value": 10**33, "unit": "ml"}}),
    "integer": ("glucose", {"valueInteger": MANY}),
    "text": ("glucose", {"valueString": "0." + "9" * 20_000}),
    "value": ("glucose", {"valueQuantity": {"value": 10**33, "unit": "g"}}),
}


@pytest.fixture
def door(http: httpx.Client, stand: Stand) -> Door:
    return Door(http, stand, bundles.FACILITY, lambda _query: [])


@pytest.mark.parametrize(("place", "name"), list(enumerate(CHANGES)), ids=list(CHANGES))
def test_b157_what_no_column_holds_is_told_and_the_message_is_concluded(door: Door, place: int, name: str) -> None:
    where, told = CHANGES[name]

    def change(all_: dict[str, Json]) -> None:
        if where == "glucose":
            del all_[where]["valueQuantity"]
        if name == "ordered":
            del all_["dispense"]
        all_[where].update(told)

    receipt = door.concluded(of(f"{70_100 + place}", change=change))

    assert receipt["status"] in {"filed", "partly", "quarantined", "rejected"}
    assert receipt["entries"]


def test_a_stay_is_told_in_days_or_not_at_all(door: Door) -> None:
    receipt = door.concluded(of("70990", change=lambda all_: all_["visit"].update(length={"value": 90, "unit": "min"})))

    places = [str(one["path"]) for one in receipt["visits"][0]["problems"] + receipt["problems"]]
    assert any(path.endswith(".length") for path in places), places
