"""A resource of another person that one of ours refers to: it comes into its own person's book, or into none."""

import pytest

from app.ingestion.fhir import FhirMessage, read_message
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json, coded, ref

OTHER: Json = {
    "resourceType": "Patient",
    "id": "other",
    "identifier": [{"system": f"{bundles.SID}/cccd", "value": "001090054321"}],
    "name": [{"text": "Trần Văn Nam"}],
    "gender": "male",
    "birthDate": "1990-01-02",
}
TOLD = "ZQXMARK"


def read(name: str, subject: Json, change: Json) -> FhirMessage:
    """Read the sample visit, one resource of it changed and told of somebody else."""

    def move(all_: dict[str, Json]) -> None:
        all_["b"] = OTHER
        all_[name].update(change, subject=subject)
        all_[name].pop("encounter", None)
        all_[name].pop("context", None)

    return read_message(bundles.message(change=move))


def holders(message: FhirMessage) -> list[str]:
    """Return whose units hold what was marked."""
    return [unit.person.full_name if unit.person else "?" for unit in message.units if TOLD in repr(unit)]


PARTS: dict[str, tuple[str, Json]] = {
    "a result": ("glucose", {"valueQuantity": {"value": 5, "unit": TOLD}}),
    "a diagnosis": ("main", {"code": coded("http://hl7.org/fhir/sid/icd-10", "J02.9", TOLD)}),
    "what was dispensed": ("dispense", {"quantity": {"value": 15, "unit": TOLD}}),
}


@pytest.mark.parametrize(("name", "change"), PARTS.values(), ids=PARTS)
def test_b161_what_is_of_another_person_comes_into_their_book(name: str, change: Json) -> None:
    mine = read(name, ref("patient"), change)
    theirs = read(name, ref("b"), change)

    assert "Nguyễn Thị Hồng Ánh" in holders(mine) or name == "dispense"  # whose order tells the quantity itself
    assert "Nguyễn Thị Hồng Ánh" not in holders(theirs)
    assert holders(theirs) == ["Trần Văn Nam"]


def test_b161_a_result_of_somebody_who_is_not_in_the_message_is_in_no_book() -> None:
    message = read("glucose", {"reference": "Patient/somebody"}, {"valueQuantity": {"value": 5, "unit": TOLD}})

    assert "Nguyễn Thị Hồng Ánh" not in holders(message)
    assert [one.path for one in message.problems if one.code == "PATIENT_DIFFERS"]


def test_one_person_may_be_named_in_two_ways() -> None:
    def name(all_: dict[str, Json]) -> None:
        all_["patient"]["id"] = "p1"
        all_["glucose"].update(
            subject={"reference": "http://hospital.example/fhir/Patient/p1"},
            valueQuantity={"value": 5, "unit": TOLD},
        )

    assert holders(read_message(bundles.message(change=name))) == ["Nguyễn Thị Hồng Ánh"]
