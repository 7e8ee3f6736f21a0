"""Resources that come one by one: what was sent before stays, whatever a message of one resource does not hold."""

import base64
import itertools
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from app.ingestion.fhir import read_message
from app.ingestion.verdict import Effect
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.door import Door, codes
from tests.people import Stand

DRUGS, TESTS = ("Amoxicillin 500mg", "Omeprazol 20mg", "Paracetamol 500mg"), ("Creatinin", "Glucose", "Urê")
BOOK = """{ healthBook { prescriptions { nodes { items { drugName quantity } } }
  testResults { nodes { results { name value } conclusion description sampledAt } } } }"""
PLACE = "Bundle.entry[1].resource.valueQuantity.value"
_numbers = itertools.count(30_000)


class Sender:
    """A hospital's interface that sends whatever is written, of one person."""

    def __init__(self, http: httpx.Client, stand: Stand) -> None:
        self.http, self.stand = http, stand
        self.door = Door(http, stand, "01901", lambda _: [])
        number = next(_numbers)
        self.personal_id = f"0011850{number}"
        self.patient = bundles.patient() | {
            "identifier": [{"system": f"{bundles.SID}/cccd", "value": self.personal_id}],
            "birthDate": f"{date(1985, 1, 1) + timedelta(days=number - 30_000)}",
        }

    def send(self, *resources: Json) -> dict[str, Any]:
        """Send one message; the Patient goes with it."""
        named = {"patient": self.patient, **{f"r{number}": one for number, one in enumerate(resources)}}
        entries = [{"fullUrl": f"urn:uuid:{name}", "resource": one} for name, one in named.items()]
        return self.door.concluded(
            bundles.encoded(
                {"resourceType": "Bundle", "id": f"m{next(_numbers)}", "type": "collection", "entry": entries}
            )
        )

    def outcomes(self, *resources: Json) -> list[str]:
        """Send one message and return what became of each resource but the Patient."""
        return [entry["outcome"] for entry in self.send(*resources)["entries"][1:]]

    def book(self) -> Json:
        """Return what the person reads."""
        token = self.stand.citizen_token(self.stand.citizen_by(self.personal_id))
        answer = self.http.post("/graphql", json={"query": BOOK}, headers={"Authorization": f"Bearer {token}"})
        book: Json = answer.json()["data"]["healthBook"]
        return book

    def drugs(self) -> list[str]:
        """Return the drugs of all prescriptions."""
        return sorted(item["drugName"] for one in self.book()["prescriptions"]["nodes"] for item in one["items"])

    def tests(self) -> list[str]:
        """Return the results of all reports."""
        return sorted(line["name"] for one in self.book()["testResults"]["nodes"] for line in one["results"])


@pytest.fixture
def sender(http: httpx.Client, stand: Stand) -> Sender:
    return Sender(http, stand)


def drug(name: str, **members: object) -> Json:
    return {
        "resourceType": "MedicationRequest",
        "identifier": [{"system": "urn:his:rx", "value": name}],
        "status": "active",
        "intent": "order",
        "subject": bundles.ref("patient"),
        "authoredOn": "2026-10-01T09:00:00+07:00",
        "medicationCodeableConcept": {"text": name},
        **members,
    }


def result(name: str, *, at: str = "2026-10-01T09:00:00+07:00", **members: object) -> Json:
    found = bundles.observation("1", name, "5.5", "mmol/L")
    del found["encounter"]
    return found | {"identifier": [{"system": "urn:his:lis", "value": name}], "effectiveDateTime": at, **members}


@pytest.mark.parametrize("group", [{}, {"groupIdentifier": {"value": bundles.PRESCRIPTION}}], ids=["plain", "coded"])
def test_drugs_and_results_that_come_one_by_one_all_stay(sender: Sender, group: Json) -> None:
    for _ in range(2):
        for name in DRUGS:
            sender.send(drug(name, **group))
        for name in TESTS:
            sender.send(result(name))

    assert (sender.drugs(), sender.tests()) == ([*DRUGS], [*TESTS])
    assert [sender.outcomes(drug(name, **group)) for name in DRUGS] == [["unchanged"]] * 3


def test_each_is_corrected_and_taken_back_alone(sender: Sender) -> None:
    for one in (*map(drug, DRUGS), *map(result, TESTS)):
        assert sender.outcomes(one) == ["added"]
    dose = {"dispenseRequest": {"quantity": {"value": 15, "unit": "Viên"}}}

    assert sender.outcomes(drug(DRUGS[1], **dose)) == ["replaced"]
    assert sender.outcomes(drug(DRUGS[0], status="entered-in-error")) == ["withdrawn"]
    assert sender.outcomes(result(TESTS[2], status="entered-in-error")) == ["withdrawn"]

    assert (sender.drugs(), sender.tests()) == ([*DRUGS[1:]], [*TESTS[:2]])
    quantities = {i["quantity"] for one in sender.book()["prescriptions"]["nodes"] for i in one["items"]}
    assert quantities == {"15.000", "0.000"}


def test_a_second_prescription_of_the_day_does_not_take_the_first_ones_place(sender: Sender) -> None:
    assert sender.outcomes(drug(DRUGS[0]), drug(DRUGS[1])) == ["added"] * 2
    assert sender.outcomes(drug(DRUGS[2])) == ["added"]

    assert sender.drugs() == [*DRUGS]


def test_a_record_that_comes_with_fewer_parts_is_told(sender: Sender) -> None:
    sender.send(drug(DRUGS[0]), drug(DRUGS[1]))
    whole = sender.send(drug(DRUGS[0]), drug(DRUGS[1], note=[{"text": "Uống sau ăn"}]))
    part = sender.send(drug(DRUGS[0]))

    assert "PARTS_LEFT_OUT" not in codes(whole)
    assert (part["status"], codes(part)[-1]) == ("filed", "PARTS_LEFT_OUT")
    assert sender.drugs() == [DRUGS[0]]


def test_what_has_no_lasting_name_is_known_by_what_it_says(sender: Sender) -> None:
    nameless = [{key: value for key, value in drug(name).items() if key != "identifier"} for name in DRUGS[:2]]

    assert sender.outcomes(*nameless) == ["added"] * 2
    assert sender.outcomes(*nameless) == ["unchanged"] * 2
    assert sender.drugs() == [*DRUGS[:2]]


def nameless(resource: Json, **members: object) -> Json:
    return {key: value for key, value in resource.items() if key != "identifier"} | members


def test_what_has_no_lasting_name_and_comes_one_by_one_all_stays(sender: Sender) -> None:
    for _ in range(2):
        for name in DRUGS:
            sender.send(nameless(drug(name)))
        for name in TESTS:
            sender.send(nameless(result(name)))

    assert (sender.drugs(), sender.tests()) == ([*DRUGS], [*TESTS])
    corrected = nameless(result(TESTS[1]), valueQuantity={"value": 6.5, "unit": "mmol/L"})
    assert sender.outcomes(corrected) == ["replaced"]
    assert sender.outcomes(nameless(drug(DRUGS[0]))) == ["unchanged"]
    assert sender.tests() == [*TESTS]


@pytest.mark.parametrize("way", [lambda one: one, nameless], ids=["named", "nameless"])
def test_what_came_one_by_one_and_comes_together_stands_once(sender: Sender, way: Callable[[Json], Json]) -> None:
    drugs, tests = [way(drug(name)) for name in DRUGS], [way(result(name)) for name in TESTS]
    for one in (*drugs, *tests):
        sender.send(one)

    assert sender.outcomes(*drugs, *tests) == ["unchanged"] * 6
    more = [{**one, "valueQuantity": {"value": 7, "unit": "mmol/L"}} for one in tests[1:]]
    together = sender.send(tests[0], *more, way(result("Kali")), *drugs, way(drug("Vitamin C")))

    assert [entry["outcome"] for entry in together["entries"][1:]] == [
        *["replaced"] * 4,  # the new one stands with the first
        *["replaced", "unchanged", "unchanged", "replaced"],
    ]
    assert "PARTS_LEFT_OUT" not in codes(together)
    assert sender.tests() == ["Creatinin", "Glucose", "Kali", "Urê"]
    assert sender.drugs() == [*DRUGS, "Vitamin C"]
    found = {line["name"]: line["value"] for one in sender.book()["testResults"]["nodes"] for line in one["results"]}
    assert found == {"Creatinin": "5.5", "Glucose": "7", "Urê": "7", "Kali": "5.5"}


def test_notes_and_samples_stay_with_what_they_are_of(sender: Sender) -> None:
    at, later = "2026-10-01T08:00:00+07:00", "2026-10-01T08:30:00+07:00"
    issued = {"issued": "2026-10-01T09:00:00+07:00"}
    tests = [
        result("Glucose", at=at, note=[{"text": "Mẫu tan huyết\nlàm lại"}], **issued),
        result("Urê", at=later, note=[{"text": "Đã pha loãng"}], **issued),
        result("Kali", at=later, **issued),
    ]
    for one in tests:
        sender.send(one)

    assert sender.outcomes(*tests) == ["unchanged"] * 3
    reports = sender.book()["testResults"]["nodes"]
    assert {one["results"][0]["name"]: (one["sampledAt"], one["description"]) for one in reports} == {
        "Glucose": ("2026-10-01T01:00:00Z", "Mẫu tan huyết\nlàm lại"),
        "Urê": ("2026-10-01T01:30:00Z", "Đã pha loãng"),
        "Kali": ("2026-10-01T01:30:00Z", None),
    }


def test_results_of_one_minute_all_stand(sender: Sender) -> None:
    moments = ("2026-10-01T09:00:00+07:00", "2026-10-01T09:00:30+07:00", "2026-10-01T02:00:59.5Z")

    sender.send(*(result(name, at=at) for name, at in zip(TESTS, moments, strict=True)))
    assert sender.tests() == [*TESTS]


def test_a_report_with_its_pages_as_pdf(sender: Sender) -> None:
    pages = base64.b64encode(b"%PDF-1.7" + bytes(1_000_000)).decode()
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": "Giải phẫu bệnh"},
        "subject": bundles.ref("patient"),
        "issued": bundles.ISSUED,
        "conclusion": "Lành tính",
        "presentedForm": [{"contentType": "application/pdf", "data": pages}],
    }

    assert sender.outcomes(report) == ["added"]
    (found,) = sender.book()["testResults"]["nodes"]
    assert found["conclusion"] == "Lành tính"


def test_a_number_of_too_many_digits_is_refused_with_its_resource_alone(sender: Sender) -> None:
    numbers = {"Glucose": "123456789012345678901234567890.123456789", "Urê": "1234567890123456789012345678901234"}
    told = [result(name) | {"valueQuantity": {"value": f"@{value}@"}} for name, value in numbers.items()]
    receipt = sender.send(*told)

    assert [one["outcome"] for one in receipt["entries"] if one["resource"] == "Observation"] == ["rejected", "added"]
    problems = [*receipt["problems"], *(one for visit in receipt["visits"] for one in visit["problems"])]
    assert [one["path"] for one in problems if one["code"] == "ELEMENT_MALFORMED"] == [PLACE]
    assert sender.tests() == ["Urê"]


@pytest.mark.parametrize(
    ("resource", "substitution", "problem"),
    [
        (drug(DRUGS[0]), {"allowedBoolean": True}, None),
        (drug(DRUGS[0]), {"reason": {"text": "x"}}, "ELEMENT_MISSING"),
        (drug(DRUGS[0]), [{"allowedBoolean": True}], "ELEMENT_MALFORMED"),
    ],
)
def test_substitution_is_one_object(resource: Json, substitution: object, problem: str | None) -> None:
    # Source: FHIR R4 MedicationRequest.substitution 0..1; half of HL7's own examples have it.
    sent = resource | {
        "substitution": substitution,
        "subject": {"reference": "#p"},
        "contained": [bundles.patient() | {"id": "p"}],
    }
    message = read_message(bundles.encoded(sent))

    assert [one.code for one in message.problems if one.effect is Effect.REJECTS] == ([problem] if problem else [])
