"""A report that refers to results of other messages shows them, in whatever order they come."""

import itertools
from typing import Any

import pytest

from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.door import Door, codes
from tests.ingestion.fhir.test_one_by_one import Sender, bundle_of, lines_of, report, sender

__all__ = ["sender"]
RESULTS = """{ healthBook { testResults { nodes {
  id serviceName category isMasked conclusion description results { line name value } } } } }"""
DAY = "2026-11-20"


def result(sender: Sender, name: str, value: str = "5.5", **members: Any) -> Json:
    observation = bundles.observation("1", name, value, "mmol/L")
    return sender.of_visit({**observation, "code": {"text": name}}, name, **members)


def referring(sender: Sender, *results: Json, name: str = "Biochemistry", **members: Any) -> Json:
    return report(sender, name, result=[{"reference": f"Observation/{one['id']}"} for one in results], **members)


def reports(sender: Sender) -> list[Json]:
    nodes: list[Json] = sender.asked(RESULTS)["healthBook"]["testResults"]["nodes"]
    return nodes


def shown(sender: Sender) -> list[tuple[str | None, list[str]]]:
    """Return each report's name with its lines."""
    told = [
        (one["serviceName"], [f"{line['name']} {line['value']}" for line in one["results"]]) for one in reports(sender)
    ]
    return sorted(told, key=lambda one: (one[0] or "", one[1]))


BOTH = [("Biochemistry", ["Glucose 5.5", "Urea 7"])]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_b170_a_report_shows_the_results_it_refers_to_in_any_order(sender: Sender, order: tuple[int, ...]) -> None:
    sender.send(sender.patient, sender.encounter)
    glucose, urea = result(sender, "Glucose"), result(sender, "Urea", "7")
    messages = (glucose, urea, referring(sender, glucose, urea))
    for turn in order:
        sender.send(messages[turn])

    (only,) = reports(sender)
    assert (only["serviceName"], only["conclusion"], only["category"]) == (
        "Biochemistry",
        "Kết luận Biochemistry",
        "LABORATORY",
    )
    assert sorted(f"{line['name']} {line['value']}" for line in only["results"]) == BOTH[0][1]
    sender.send(messages[2])
    assert shown(sender) == BOTH
    for one in messages:
        receipt = sender.send(one)
        assert [entry["outcome"] for entry in receipt["entries"]] == ["unchanged"]
        assert "RESULT_APART" not in codes(receipt)
    assert shown(sender) == BOTH


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_b170_of_each_result_the_newest_is_shown_in_any_order(sender: Sender, order: tuple[int, ...]) -> None:
    glucose, urea = result(sender, "Glucose", "5.1"), result(sender, "Urea", "7")
    sender.door.concluded(bundles.encoded(bundle_of(sender.patient, sender.encounter, at=f"{DAY}T09:40:00+07:00")))
    sender.door.concluded(bundles.encoded(bundle_of(urea, at=f"{DAY}T09:50:00+07:00")))
    messages = (
        bundle_of(glucose, at=f"{DAY}T10:00:00+07:00"),
        bundle_of(referring(sender, glucose, urea), at=f"{DAY}T11:00:00+07:00"),
        bundle_of(result(sender, "Glucose", "6.5"), at=f"{DAY}T12:00:00+07:00"),
        bundle_of(referring(sender, glucose, urea, conclusion="Sửa"), at=f"{DAY}T13:00:00+07:00"),
    )
    for turn in order:
        sender.door.concluded(bundles.encoded(messages[turn]))

    (only,) = reports(sender)
    assert (only["serviceName"], only["conclusion"]) == ("Biochemistry", "Sửa")
    assert sorted((line["name"], line["value"]) for line in only["results"]) == [("Glucose", "6.5"), ("Urea", "7")]


@pytest.mark.parametrize("way", ["identifier", "conditional", "url", "id"])
def test_a_result_is_found_by_every_name_it_has(sender: Sender, way: str) -> None:
    named = {"system": "http://lab.example/obs", "value": f"L-{sender.mark}"}
    glucose = result(sender, "Glucose", identifier=[named])
    sender.send(sender.patient, sender.encounter, glucose)
    reference: dict[str, Json] = {
        "identifier": {"type": "Observation", "identifier": named},
        "conditional": {"reference": f"Observation?identifier={named['system']}|{named['value']}"},
        "url": {"reference": f"http://his.example/Observation/{glucose['id']}/_history/3"},
        "id": {"reference": f"Observation/{glucose['id']}"},
    }
    receipt = sender.send(report(sender, "A", result=[reference[way]]))

    assert (receipt["status"], "RESULT_APART" in codes(receipt)) == ("filed", False)
    assert shown(sender) == [("A", ["Glucose 5.5"])]


def test_results_that_came_together_are_taken_in_by_what_refers_to_each(sender: Sender) -> None:
    glucose, urea, potassium = (result(sender, name) for name in ("Glucose", "Urea", "Kali"))
    sender.send(sender.patient, sender.encounter, glucose, urea, potassium)

    sender.send(referring(sender, potassium, glucose, name="A"))
    assert shown(sender) == [("A", ["Kali 5.5", "Glucose 5.5"]), ("laboratory", ["Urea 5.5"])]
    sender.send(referring(sender, urea, name="B"))
    assert [lines for _, lines in shown(sender)] == [["Kali 5.5", "Glucose 5.5"], ["Urea 5.5"]]
    assert sender.outcomes(referring(sender, potassium, glucose, name="A")) == ["unchanged"]


def test_what_a_report_holds_and_what_it_refers_to_stand_in_its_order(sender: Sender) -> None:
    first, second, third = (result(sender, name) for name in ("1st", "2nd", "3rd"))
    sender.send(sender.patient, sender.encounter, first, third)
    whole = referring(sender, first, second, third)

    assert sender.outcomes(whole, second) == ["added", "added"]
    assert shown(sender) == [("Biochemistry", ["1st 5.5", "2nd 5.5", "3rd 5.5"])]
    assert sender.outcomes(whole, second) == ["unchanged", "unchanged"]
    assert sender.outcomes(whole) == ["unchanged"]
    assert sender.outcomes(referring(sender, third, first)) == ["replaced"]
    assert shown(sender) == [("Biochemistry", ["3rd 5.5", "1st 5.5"])]


def test_a_report_that_refers_to_a_hidden_result_is_hidden(sender: Sender) -> None:
    glucose = result(sender, "Glucose")
    sender.send(sender.patient, sender.encounter, glucose)
    (alone,) = reports(sender)
    hide = "mutation($i: MaskRecordsInput!) { maskRecords(input: $i) { changed } }"
    sender.asked(hide, i={"idempotencyKey": sender.mark, "recordIds": [alone["id"]]})
    sender.send(referring(sender, glucose))

    assert [(one["serviceName"], one["isMasked"]) for one in reports(sender)] == [("Biochemistry", True)]


def test_a_result_that_comes_for_a_hidden_report_is_hidden(sender: Sender) -> None:
    glucose = result(sender, "Glucose")
    sender.send(sender.patient, sender.encounter, referring(sender, glucose))
    (alone,) = reports(sender)
    hide = "mutation($i: MaskRecordsInput!) { maskRecords(input: $i) { changed } }"
    sender.asked(hide, i={"idempotencyKey": sender.mark, "recordIds": [alone["id"]]})
    sender.send(glucose)

    assert [(one["isMasked"], len(one["results"])) for one in reports(sender)] == [(True, 1)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_report_without_a_visit_stands_where_its_results_do(sender: Sender, order: tuple[int, ...]) -> None:
    glucose = result(sender, "Glucose")
    whole = referring(sender, glucose, issued="2026-11-22T10:00:00+07:00")
    (glucose if order == (1, 0) else whole).pop("encounter")
    sender.send(sender.patient, sender.encounter)
    for turn in order:
        sender.send((glucose, whole)[turn])

    assert shown(sender) == [("Biochemistry", ["Glucose 5.5"])]
    assert len(sender.book()["visits"]["nodes"]) == 1
    assert sender.outcomes(whole) == ["unchanged"]


def test_results_of_no_visit_stand_with_their_report_of_another_day(sender: Sender) -> None:
    glucose, urea = result(sender, "Glucose"), result(sender, "Urea", "7")
    whole = referring(sender, glucose, urea, issued="2026-11-22T10:00:00+07:00")
    for one in (glucose, urea, whole):
        del one["encounter"]
    sender.send(sender.patient)
    for one in (glucose, whole, urea):
        sender.send(one)

    assert shown(sender) == BOTH
    assert len(sender.book()["visits"]["nodes"]) == 1


def test_b171_nobody_elses_result_is_taken_in(sender: Sender) -> None:
    other = Sender(sender.http, sender.stand)
    glucose = result(other, "Glucose")
    other.send(other.patient, other.encounter, glucose)
    sender.send(sender.patient, sender.encounter)

    for _ in range(2):
        receipt = sender.send(referring(sender, glucose))
        assert (receipt["status"], codes(receipt)) == ("filed", ["RESULT_APART"])
        assert shown(sender) == [("Biochemistry", ["Biochemistry None"])]
    assert lines_of(other) == [("Glucose", "5.5")]
    assert other.outcomes(glucose) == ["unchanged"]

    glucose = result(sender, "Glucose")
    sender.send(glucose)
    door = Door(sender.http, sender.stand, "79024", lambda _: [])
    away = {**referring(sender, glucose, name="B"), "encounter": None, "subject": {"reference": "urn:uuid:p"}}
    entries = [{"fullUrl": "urn:uuid:p", "resource": sender.patient}, {"resource": away}]
    message = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    assert "RESULT_APART" in codes(door.concluded(bundles.encoded(message)))
    assert ("B", ["B None"]) in shown(sender)


def test_a_result_of_another_visit_stays_there_and_the_sender_is_told(sender: Sender) -> None:
    glucose = result(sender, "Glucose")
    later = {
        **sender.encounter,
        "id": f"e2-{sender.mark}",
        "identifier": [{"system": f"{bundles.SID}/ma-lk", "value": f"W-{sender.mark}"}],
    }
    sender.send(sender.patient, sender.encounter, glucose, later)
    whole = {**referring(sender, glucose), "encounter": {"reference": f"Encounter/{later['id']}"}}

    assert codes(sender.send(whole)) == ["RESULT_APART"]
    assert lines_of(sender) == [("Biochemistry", None), ("Glucose", "5.5")]
    assert sender.outcomes(glucose) == ["unchanged"]
    assert len(reports(sender)) == 2


def test_a_result_stands_in_the_first_report_that_refers_to_it(sender: Sender) -> None:
    glucose = result(sender, "Glucose")
    sender.send(sender.patient, sender.encounter, glucose, referring(sender, name="A"))
    sender.send(referring(sender, glucose, name="A"))

    assert codes(sender.send(referring(sender, glucose, name="B"))) == ["RESULT_APART"]
    assert shown(sender) == [("A", ["Glucose 5.5"]), ("B", ["B None"])]


def test_what_was_taken_back_is_not_shown_by_a_reference(sender: Sender) -> None:
    glucose = result(sender, "Glucose")
    sender.send(sender.patient, sender.encounter, glucose)
    assert sender.outcomes({**glucose, "status": "entered-in-error"}) == ["withdrawn"]

    assert codes(sender.send(referring(sender, glucose))) == ["RESULT_APART"]
    assert shown(sender) == [("Biochemistry", ["Biochemistry None"])]
    assert sender.outcomes({**referring(sender, glucose), "status": "entered-in-error"}) == ["withdrawn"]
    assert sender.outcomes(glucose) == ["added"]
    assert lines_of(sender) == [("Glucose", "5.5")]


def test_notes_of_a_result_come_with_it(sender: Sender) -> None:
    glucose = result(sender, "Glucose", note=[{"text": "Mẫu tán huyết"}])
    sender.send(sender.patient, sender.encounter, glucose)
    whole = referring(sender, glucose, note=[{"text": "Đã kiểm tra"}])
    for expected in ("added", "unchanged", "unchanged"):
        assert sender.outcomes(whole)[0] in {expected, "replaced"}

    (only,) = reports(sender)
    assert only["description"] == "Đã kiểm tra\nGlucose: Mẫu tán huyết"


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_b170_a_report_that_holds_a_result_is_newer_than_one_told_before_it(
    sender: Sender, order: tuple[int, ...]
) -> None:
    glucose = result(sender, "Glucose", "5.1")
    sender.door.concluded(bundles.encoded(bundle_of(sender.patient, sender.encounter, at=f"{DAY}T09:40:00+07:00")))
    sender.door.concluded(bundles.encoded(bundle_of(glucose, at=f"{DAY}T09:50:00+07:00")))
    messages = (
        bundle_of(referring(sender, glucose), at=f"{DAY}T10:00:00+07:00"),
        bundle_of(result(sender, "Glucose", "6.5"), at=f"{DAY}T11:00:00+07:00"),
        bundle_of(referring(sender, glucose), result(sender, "Glucose", "7.5"), at=f"{DAY}T12:00:00+07:00"),
    )
    for turn in order:
        sender.door.concluded(bundles.encoded(messages[turn]))

    assert shown(sender) == [("Biochemistry", ["Glucose 7.5"])]


def test_a_result_that_is_known_by_another_name_than_its_report_calls_it_stands_once(sender: Sender) -> None:
    named = {"system": "http://lab.example/obs", "value": f"L-{sender.mark}"}
    glucose = result(sender, "Glucose")
    sender.send(sender.patient, sender.encounter, glucose)
    assert codes(sender.send(report(sender, "A", result=[{"identifier": named}]))) == ["RESULT_APART"]

    sender.send({**glucose, "identifier": [named]})
    assert shown(sender) == [("A", ["Glucose 5.5"])]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_b170_what_was_taken_back_does_not_come_into_a_report_that_waits(
    sender: Sender, order: tuple[int, ...]
) -> None:
    sender.door.concluded(bundles.encoded(bundle_of(sender.patient, sender.encounter, at="2026-11-17T09:00:00+07:00")))
    glucose = result(sender, "Glucose")
    messages = (
        bundle_of(referring(sender, glucose), at="2026-11-18T09:00:00+07:00"),
        bundle_of(glucose, at="2026-11-18T09:00:00+07:00"),
        bundle_of({**glucose, "status": "entered-in-error"}, at="2026-11-20T09:00:00+07:00"),
    )
    told = [sender.door.concluded(bundles.encoded(messages[turn]))["entries"][0]["outcome"] for turn in order]

    if order[-1] == 2:  # a report that shows it is to be sent again without it
        assert told[-1] == "rejected"
        sender.send(referring(sender))
    assert shown(sender) == [("Biochemistry", ["Biochemistry None"])]
    again = bundle_of(glucose, at="2026-11-21T09:00:00+07:00")
    assert sender.door.concluded(bundles.encoded(again))["status"] == "filed"
    assert ("Glucose", "5.5") in lines_of(sender)


def within(sender: Sender, **members: Any) -> Json:
    """Return a report that contains two results, the second with further members."""
    first = bundles.observation("1", "Glucose", "5.5", "mmol/L") | {"id": "a", "code": {"text": "Glucose"}}
    second = first | {"id": "b", "code": {"text": "Urea"}} | members
    return report(sender, "A", contained=[first, second], result=[{"reference": "#a"}, {"reference": "#b"}])


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"status": "preliminary"}, "NOT_FINAL"),
        ({"status": "registered"}, "NOT_FINAL"),
        (
            {
                "meta": {
                    "security": [
                        {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"},
                    ]
                }
            },
            "SENSITIVE_HELD_BACK",
        ),
        (
            {"valueQuantity": None, "valueCodeableConcept": bundles.coded("http://snomed.info/sct", "165816005")},
            "SENSITIVE_HELD_BACK",
        ),
        ({"status": "entered-in-error"}, None),
    ],
)
def test_what_a_report_contains_is_judged_as_what_stands_beside_it(
    sender: Sender, members: Json, code: str | None
) -> None:
    sender.send(sender.patient, sender.encounter)
    receipt = sender.send(within(sender, **members))

    assert codes(receipt) == ([code] if code else [])
    assert shown(sender) == [("A", ["Glucose 5.5"])]


def test_a_result_that_is_refused_does_not_stand_in_its_report(sender: Sender) -> None:
    glucose = result(sender, "Glucose")
    nameless = {**result(sender, "Urea"), "component": [{"valueQuantity": {"value": 7, "unit": "mmol/L"}}]}
    wordy = {**result(sender, "Kali"), "valueQuantity": {"value": "nhiều"}}
    sender.send(sender.patient, sender.encounter)
    outcomes = sender.outcomes(glucose, nameless, wordy, referring(sender, glucose, nameless, wordy))

    assert outcomes == ["added", "rejected", "rejected", "added"]
    assert shown(sender) == [("Biochemistry", ["Glucose 5.5"])]
