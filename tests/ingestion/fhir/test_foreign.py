"""Bundles in the shapes of other people's generators: each entry is accounted for in both languages, none is a 500."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import httpx
import pytest

from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.foreign import (
    batch,
    conditional,
    doubled_urls,
    ips,
    many,
    message_bundle,
    patient,
    result,
    synthea,
    visit,
)
from tests.people import Stand

FHIR = "application/fhir+json"
OUTCOMES = {
    *("added", "replaced", "unchanged", "outdated", "withdrawn", "held_back"),
    *("used", "ignored", "quarantined", "rejected"),
}


VALUES: tuple[Json, ...] = (
    {"valueString": "x" * 5_000},
    {"valueCodeableConcept": {"coding": [{}]}},
    {"valueSampledData": {"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2 3"}},
    {"valueRatio": {"numerator": {"value": 1}, "denominator": {"value": 128}}},
    {"valueRange": {"low": {"value": 1}}},
    {"valueBoolean": "true"},
    {"valueInteger": 2.5},
    {"valueTime": "25:61:00"},
    {"dataAbsentReason": {"text": "unknown"}},
    {"valueQuantity": {"value": 1}, "valueString": "both"},
)

SHAPES: dict[str, Callable[[], Json]] = {
    "synthea": synthea,
    "ips": ips,
    "message": message_bundle,
    "conditional": conditional,
    "oids": lambda: batch(
        patient(identifier=[{"system": "urn:oid:2.16.840.1.113883.2.1", "value": "X1"}, *patient()["identifier"]]),
        visit(identifier=[{"system": "urn:oid:1.2.3", "value": "V1"}]),
    ),
    "years": lambda: batch(
        patient(birthDate="1990"),
        visit(period={"start": "2026-10"}),
        {
            "resourceType": "Condition",
            "subject": {"reference": "urn:uuid:p"},
            "code": {"text": "x"},
            "onsetDateTime": "2001",
        },
        {
            "resourceType": "Immunization",
            "status": "completed",
            "patient": {"reference": "urn:uuid:p"},
            "vaccineCode": {"text": "BCG"},
            "occurrenceDateTime": "1990-05",
        },
        {
            "resourceType": "Immunization",
            "status": "completed",
            "patient": {"reference": "urn:uuid:p"},
            "vaccineCode": {"text": "BCG"},
            "occurrenceString": "as a child",
        },
    ),
    "offsets": lambda: batch(
        patient(),
        visit(period={"start": "2026-10-01T08:00-05:00", "end": "2026-10-01T23:59:60Z"}),
        result(effectiveDateTime="2026-10-01T24:00:00Z"),
        result(effectiveDateTime="2026-10-01T08:00:00"),
        result(effectiveDateTime="2026-10-01T08:00:00.123456789+14:00"),
    ),
    "decimals": lambda: batch(
        patient(), visit(), *(result(valueQuantity={"value": f"@{told}@", "unit": "x"}) for told in DECIMALS)
    ),
    "plain decimals": lambda: batch(
        patient(), visit(), *(result(valueQuantity={"value": f"@{told}@", "unit": "x"}) for told in PLAIN)
    ),
    "primitives": lambda: batch(
        patient(_gender={"extension": [{"url": "http://x", "valueCode": "x"}]}, gender=None),
        visit(_status={"id": "1"}, _class=None),
        result(
            _effectiveDateTime={"extension": [{"url": "http://x", "valueCode": "unknown"}]}, note=[None, {"text": "x"}]
        ),
    ),
    "doubled urls": doubled_urls,
    "unknown kind": lambda: batch(patient(), visit(), {"resourceType": "Spaceship", "id": "x"}, {"id": "no kind"}),
    "two hundred": lambda: many(200),
    "two thousand": lambda: many(2_000),
    "null entry": lambda: {**batch(patient()), "entry": [None, {}, {"resource": None}, *batch(patient())["entry"]]},
    "no entries": lambda: {"resourceType": "Bundle", "type": "transaction"},
    "strange types": lambda: batch(patient(name="x"), visit(period=[]), result(valueQuantity="5", component={})),
    "values of every type": lambda: batch(
        patient(),
        visit(),
        *({**{k: v for k, v in result().items() if k != "valueQuantity"}, **value} for value in VALUES),
    ),
    "circles": lambda: batch(
        patient(link=[{"other": {"reference": "urn:uuid:p"}, "type": "seealso"}]),
        visit(partOf={"reference": "urn:uuid:v"}),
        result(hasMember=[{"reference": "urn:uuid:r2"}], derivedFrom=[{"reference": "urn:uuid:r2"}]),
    ),
    "verbs": lambda: {
        **batch(patient(), kind="batch"),
        "entry": [
            {"request": {"method": "GET", "url": "Patient?name=x"}},
            {"request": {"method": "HEAD", "url": "Patient/1"}},
            {"request": {"method": "PATCH", "url": "Patient/1"}, "resource": {"resourceType": "Binary"}},
            {"request": {"method": "DELETE", "url": "Observation/none"}},
            {"request": {"method": "DELETE", "url": "Observation?code=x"}},
            {"request": {"method": "post", "url": "Patient"}, "resource": patient()},
            {"resource": patient()},
        ],
    },
}
PLAIN: tuple[str, ...] = ("1.00", "1E3", "1e-7", "-0.0", "1234567890123456789.0123456789")
DECIMALS: tuple[str, ...] = (*PLAIN, "123456789012345678901234567890.123456789", "1E999", "0.1E-40")


class Door:
    """A facility's way in over the wire."""

    def __init__(self, http: httpx.Client, stand: Stand) -> None:
        self.http, self.stand = http, stand
        self.headers = {"Authorization": f"Bearer {stand.facility('01901')}", "Content-Type": FHIR}

    def push(self, body: bytes, **headers: str) -> httpx.Response:
        return self.http.post("/ingest/fhir", content=body, headers={**self.headers, **headers}, timeout=60)

    def receipt(self, body: bytes) -> Json:
        answer = self.push(body)
        assert answer.status_code == 202, answer.text
        self.stand.process(answer.json()["messageId"])
        where = f"/ingest/messages/{answer.json()['messageId']}"
        found: Json = self.http.get(where, headers=self.headers).json()
        outcome = self.http.get(where, headers={**self.headers, "Accept": FHIR})
        assert outcome.status_code == 200
        assert outcome.json()["resourceType"] in {"Bundle", "OperationOutcome"}
        return found


@pytest.fixture
def door(http: httpx.Client, stand: Stand) -> Door:
    return Door(http, stand)


def assert_accounted(receipt: Json, document: Json) -> None:
    """Assert that every entry has an outcome, and every remark a place and two texts."""
    assert receipt["status"] in {"filed", "partly", "quarantined", "rejected"}
    entries = receipt.get("entries", [])
    if receipt["status"] in {"filed", "partly"}:
        assert [one["entry"] for one in entries] == list(range(len(document.get("entry", []))))
    assert {one["outcome"] for one in entries} <= OUTCOMES
    problems = [*receipt["problems"], *(one for each in receipt["visits"] for one in each["problems"])]
    for one in problems:
        assert one["vi"], one
        assert one["en"], one
        assert one["code"] == one["code"].upper(), one
    for one in entries:
        if one["outcome"] == "ignored":
            assert all((one["reason"], one["vi"], one["en"])), one
        if one["outcome"] in {"rejected", "quarantined"}:
            assert problems, one


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("kind", [None, "batch", "collection"])
def test_every_shape_has_a_receipt_that_accounts_for_it(door: Door, name: str, kind: str | None) -> None:
    document = SHAPES[name]()
    if kind is not None:
        document["type"] = kind
    answer = door.push(bundles.encoded(document))
    if answer.status_code != 202:  # a number that cannot be written: told at once, with its place
        assert name == "decimals"
        assert "valueQuantity.value" in answer.json()["issue"][0]["details"]["text"]
        return
    receipt = door.receipt(bundles.encoded(document))
    assert_accounted(receipt, document)


def test_synthea_is_filed_and_what_a_book_does_not_show_is_acknowledged(door: Door) -> None:
    receipt = door.receipt(bundles.encoded(synthea()))
    assert receipt["status"] == "filed", receipt
    told: dict[str, set[str]] = {}
    for one in receipt["entries"]:
        told.setdefault(one["resource"], set()).add(one["outcome"])
    assert told["Observation"] == told["MedicationRequest"] == {"added"}
    for kind in ("Claim", "ExplanationOfBenefit", "CarePlan", "CareTeam", "Device", "Provenance"):
        assert told[kind] <= {"ignored", "used"}, kind


@pytest.mark.parametrize("kind", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_other_encodings_are_refused_in_words(door: Door, kind: str) -> None:
    text = json.dumps(batch(patient(), visit()), ensure_ascii=False)
    body = text.encode(kind, errors="replace")
    answer = door.push(body)
    assert answer.status_code in {202, 400, 415, 422}, answer.text
    if answer.status_code == 202:
        door.stand.process(answer.json()["messageId"])
        found = door.http.get(f"/ingest/messages/{answer.json()['messageId']}", headers=door.headers).json()
        # Letters that an encoding has not are question marks by then: such a name names nobody.
        assert found["status"] in {"filed", "rejected", "quarantined" if kind == "latin-1" else "filed"}, found
        if found["status"] == "rejected":
            assert all(one["vi"] and one["en"] for one in found["problems"])
    else:
        assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType": "Bundle", "type": "batch", "type": "transaction", "entry": []}',
        '{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"id": "x", "id": "y"}}]}',
        '{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"resourceType": "Patient", "a": NaN}}]}',
        '{"resourceType": "Bundle", "type": "batch", "entry": [{"resource": {"a": "\\ud800"}}]}',
        '{"resourceType": "Bundle", "type": "batch", "entry": {"resource": {}}}',
        '{"resourceType": "Bundle", "type": ["batch"], "entry": "x"}',
        '{"resourceType": ["Bundle"]}',
        '{"resourceType": "Bundle", "type": "batch", "timestamp": 5, "entry": [5, "x", [], true]}',
        "[]",
        "null",
        '"x"',
        "5",
        "{}",
        "",
        "not json",
        '{"resourceType": "Bundle"',
        '{"resourceType": "Patient"}',
        '{"resourceType": "OperationOutcome"}',
        '{"resourceType": "Bundle", "type": "searchset", "entry": []}',
        '{"resourceType": "Bundle", "type": "history"}',
    ],
)
def test_what_is_no_bundle_is_told_so_in_both_languages(door: Door, text: str) -> None:
    answer = door.push(text.encode())
    if answer.status_code != 202:
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.json()["resourceType"] == "OperationOutcome", answer.text
        return
    door.stand.process(answer.json()["messageId"])
    found = door.http.get(f"/ingest/messages/{answer.json()['messageId']}", headers=door.headers).json()
    assert found["status"] in {"rejected", "quarantined", "partly"}, found
    assert found["problems"], found
    assert all(one["vi"] and one["en"] for one in found["problems"])


MUTATED = [batch(patient(), visit(), result()), synthea()]
WRONG: tuple[object, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    "",
    " ",
    "x" * 300,
    [],
    {},
    [None],
    [[]],
    {"a": 1},
    "\u202e",
    "2026-13-45",
)


@pytest.mark.parametrize("document", range(len(MUTATED)))
def test_one_element_of_another_type_is_never_a_defect(door: Door, document: int) -> None:
    """Change each element in turn to something else, and read it as a dry run."""
    base = MUTATED[document]
    places = [path for path in _paths(base) if len(path) > 1]
    for place, path in enumerate(places[:: max(1, len(places) // 90)]):
        changed = deepcopy(base)
        holder: Any = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = WRONG[place % len(WRONG)]
        answer = door.http.post(
            "/ingest/fhir?dryRun=true", content=bundles.encoded(changed), headers=door.headers, timeout=60
        )
        assert answer.status_code < 500, (path, WRONG[place % len(WRONG)], answer.text)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += _paths(inner, (*path, key))
    return found
