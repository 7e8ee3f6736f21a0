"""Resources that come in messages of their own, each naming what was sent before: nothing is lost, nothing doubled."""

import itertools
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json, coded
from tests.ingestion.fhir.door import Door, codes
from tests.people import Stand

BOOK = """{ healthBook { owner { fullName } visits { nodes {
  kindCode startedAt endedAt reason diagnoses { role code } insurance { cardNumber } } }
  testResults { nodes { serviceName conclusion results { name value } } } } }"""
_numbers = itertools.count(60_000)


class Sender:
    """A hospital's system that sends one resource at a time, each under its id."""

    def __init__(self, http: httpx.Client, stand: Stand) -> None:
        self.http, self.stand = http, stand
        self.door = Door(http, stand, "01901", lambda _: [])
        number = next(_numbers)
        self.mark = f"n{number}"
        self.personal_id = f"0011850{number}"
        self.patient = bundles.patient() | {
            "id": f"p-{self.mark}",
            "identifier": [
                {"system": f"{bundles.SID}/cccd", "value": self.personal_id},
                {"system": f"{bundles.SID}/bhyt", "value": f"GD40101000{number}"},
            ],
            "birthDate": f"{date(1985, 1, 1) + timedelta(days=number - 60_000)}",
        }
        self.encounter = {
            **bundles.encounter(),
            "id": f"e-{self.mark}",
            "identifier": [{"system": f"{bundles.SID}/ma-lk", "value": f"V-{self.mark}"}],
            "diagnosis": [],
            "subject": {"reference": f"Patient/p-{self.mark}"},
        }
        del self.encounter["serviceProvider"]

    def of_visit(self, resource: Json, name: str, **members: Any) -> Json:
        """Return a resource under its own id, that names the Patient and the Encounter of before."""
        told = {**resource, "id": f"{name}-{self.mark}", "subject": {"reference": f"Patient/p-{self.mark}"}, **members}
        return told | {"encounter": {"reference": f"Encounter/e-{self.mark}"}}

    def send(self, *resources: Json) -> dict[str, Any]:
        """Send one message."""
        entries = [
            {"fullUrl": f"http://his.example/{one['resourceType']}/{one['id']}", "resource": one} for one in resources
        ]
        return self.door.concluded(
            bundles.encoded(
                {"resourceType": "Bundle", "id": f"m{next(_numbers)}", "type": "collection", "entry": entries}
            )
        )

    def outcomes(self, *resources: Json) -> list[str]:
        """Send one message and return what became of each resource."""
        return [entry["outcome"] for entry in self.send(*resources)["entries"]]

    def asked(self, query: str, **variables: Any) -> Json:
        """Return what the person is answered."""
        token = self.stand.citizen_token(self.stand.citizen_by(self.personal_id), stepped_up=True)
        body = {"query": query, "variables": variables}
        answer = self.http.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"}).json()
        assert "errors" not in answer, answer
        told: Json = answer["data"]
        return told

    def book(self) -> Json:
        """Return what the person reads."""
        book: Json = self.asked(BOOK)["healthBook"]
        return book

    def visit(self) -> Json:
        """Return the only visit of the book."""
        (visit,) = self.book()["visits"]["nodes"]
        found: Json = visit
        return found


@pytest.fixture
def sender(http: httpx.Client, stand: Stand) -> Sender:
    return Sender(http, stand)


def test_a_visit_whose_patient_was_sent_before(sender: Sender) -> None:
    assert sender.outcomes(sender.patient) == ["used"]
    assert sender.outcomes(sender.encounter) == ["added"]
    glucose = sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o")
    assert sender.outcomes(glucose) == ["added"]

    visit = sender.visit()
    assert (visit["kindCode"], visit["startedAt"], visit["reason"]) == ("01", "2026-11-20T01:15:00Z", "Ho, sốt 3 ngày")
    assert sender.book()["owner"]["fullName"] == "Nguyễn Thị Hồng Ánh"
    assert [one["results"] for one in sender.book()["testResults"]["nodes"]] == [[{"name": "Glucose", "value": "5.5"}]]


def test_a_visit_is_corrected_without_its_patient(sender: Sender) -> None:
    sender.send(sender.patient, sender.encounter)
    sender.encounter["period"] = {"start": bundles.AT, "end": "2026-11-20T11:45:00+07:00"}
    diagnosis = sender.of_visit(
        bundles.condition("J20.9", "Viêm phế quản cấp"), "c", category=[coded("urn:x", "encounter-diagnosis")]
    )

    assert sender.outcomes(sender.encounter, diagnosis) == ["replaced", "replaced"]
    assert sender.outcomes(sender.encounter, diagnosis) == ["unchanged", "unchanged"]
    visit = sender.visit()
    assert visit["endedAt"] == "2026-11-20T04:45:00Z"
    assert visit["diagnoses"] == [{"role": "MAIN", "code": "J20.9"}]
    assert len(visit["insurance"]) == 1


def test_a_result_of_no_visit_whose_patient_was_sent_before(sender: Sender) -> None:
    sender.send(sender.patient)
    glucose = sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o")
    del glucose["encounter"]
    receipt = sender.send(glucose)

    assert [one["outcome"] for one in receipt["entries"]] == ["added"]
    assert "NO_VISIT_NAMED" in codes(receipt)
    assert len(sender.book()["testResults"]["nodes"]) == 1
    assert sender.visit()["kindCode"] == "10"


def test_resources_that_come_without_a_bundle(sender: Sender) -> None:
    glucose, urea = (
        sender.of_visit(bundles.observation("1", name, "5.5", "mmol/L"), "o") for name in ("Glucose", "Urê")
    )
    del glucose["id"], urea["id"]
    for one in (sender.patient, sender.encounter, glucose, urea):
        receipt = sender.door.concluded(bundles.encoded(one))
        assert (receipt["status"], receipt["entries"][0]["outcome"] in {"used", "added"}) == ("filed", True)

    reports = sender.book()["testResults"]["nodes"]
    assert sorted(line["name"] for one in reports for line in one["results"]) == ["Glucose", "Urê"]


def report(sender: Sender, name: str, **members: Any) -> Json:
    told = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "code": {"text": name},
        "issued": bundles.ISSUED,
        "conclusion": f"Kết luận {name}",
    }
    return sender.of_visit({**told, **members}, name)


def conclusions(sender: Sender) -> list[str]:
    return sorted(one["conclusion"] for one in sender.book()["testResults"]["nodes"])


def test_reports_of_one_minute_all_stand_in_any_order(sender: Sender) -> None:
    first, second, third = (report(sender, name) for name in ("A", "B", "C"))
    every = ["Kết luận A", "Kết luận B", "Kết luận C"]
    sender.send(sender.patient, sender.encounter)

    for one in (first, second):
        assert sender.outcomes(one) == ["added"]
    assert sender.outcomes(second, third, first) == ["unchanged", "added", "unchanged"]
    assert sender.outcomes(third, first, second) == ["unchanged"] * 3
    assert conclusions(sender) == every
    assert sender.outcomes({**second, "status": "entered-in-error"}) == ["withdrawn"]
    assert conclusions(sender) == [every[0], every[2]]


def test_a_report_under_a_new_id_is_known_by_what_it_says(sender: Sender) -> None:
    sender.send(sender.patient, sender.encounter)
    sender.send(report(sender, "A"), report(sender, "B"))

    again = {**report(sender, "A", conclusion="Sửa"), "id": f"new-{sender.mark}"}
    assert sender.outcomes(again) == ["replaced"]
    assert conclusions(sender) == ["Kết luận B", "Sửa"]


def test_two_reports_that_say_the_same_are_told_apart_by_their_names(sender: Sender) -> None:
    first, second = report(sender, "A"), {**report(sender, "A"), "id": f"z-{sender.mark}", "conclusion": "Lần hai"}
    sender.send(sender.patient, sender.encounter)

    assert sender.outcomes(first, second) == ["added", "added"]
    for order in ((second, first), (first, second), (second,), (first,)):
        assert set(sender.outcomes(*order)) == {"unchanged"}
    assert conclusions(sender) == ["Kết luận A", "Lần hai"]


def test_what_is_issued_again_later_takes_its_own_place(sender: Sender) -> None:
    later = {"issued": "2026-11-20T10:15:00+07:00"}
    glucose = sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o")
    drug = sender.of_visit(bundles.given()["drug"], "d", groupIdentifier=None, requester=None)
    picture = report(sender, "A")
    sender.send(sender.patient, sender.encounter, glucose, drug, picture)

    corrected = {**glucose, "valueQuantity": {"value": 6.5, "unit": "mmol/L"}, **later}
    amended = {**picture, "status": "amended", "conclusion": "Sửa", **later}
    assert sender.outcomes(corrected, amended) == ["replaced", "replaced"]
    assert sender.outcomes(corrected) == ["unchanged"]
    assert sender.outcomes({**drug, "authoredOn": "2026-11-19T09:00:00+07:00"}) == ["replaced"]

    reports = sender.book()["testResults"]["nodes"]
    assert sorted(line["value"] or "" for one in reports for line in one["results"]) == ["", "6.5"]
    assert [one["conclusion"] for one in reports if one["conclusion"]] == ["Sửa"]


def test_a_report_keeps_its_results_where_it_stands(sender: Sender) -> None:
    sender.send(sender.patient, sender.encounter, report(sender, "A"))
    glucose = sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o")
    whole = report(sender, "B", result=[{"reference": f"Observation/o-{sender.mark}"}])

    assert sender.outcomes(whole, glucose) == ["added", "added"]
    assert sender.outcomes(whole, glucose) == ["unchanged", "unchanged"]
    found = {one["serviceName"]: one["results"] for one in sender.book()["testResults"]["nodes"]}
    assert found["B"] == [{"name": "Glucose", "value": "5.5"}]


def lines_of(sender: Sender) -> list[tuple[str, str | None]]:
    reports = sender.book()["testResults"]["nodes"]
    return sorted((line["name"], line["value"]) for one in reports for line in one["results"])


def alone_and_in_a_report(sender: Sender) -> list[Json]:
    """Return three messages of one day: a result alone, its report with another, and the result corrected alone."""
    glucose, urea = (
        sender.of_visit(bundles.observation("1", name, "5.5", "mmol/L"), name) for name in ("Glucose", "Urea")
    )
    whole = report(
        sender, "Biochemistry", result=[{"reference": f"Observation/{one['id']}"} for one in (glucose, urea)]
    )
    early = {**glucose, "valueQuantity": {"value": 5.1, "unit": "mmol/L"}}
    late = {**glucose, "valueQuantity": {"value": 6.5, "unit": "mmol/L"}}
    return [
        bundle_of(early, at="2026-11-20T10:00:00+07:00"),
        bundle_of(whole, glucose, urea, at="2026-11-20T11:00:00+07:00"),
        bundle_of(late, at="2026-11-20T12:00:00+07:00"),
    ]


def bundle_of(*resources: Json, at: str) -> Json:
    entries = [
        {"fullUrl": f"http://his.example/{one['resourceType']}/{one['id']}", "resource": one} for one in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", "timestamp": at, "entry": entries}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_b170_a_result_alone_and_in_a_report_stands_once_in_any_order(sender: Sender, order: tuple[int, ...]) -> None:
    sender.door.concluded(bundles.encoded(bundle_of(sender.patient, sender.encounter, at=bundles.END)))
    messages = alone_and_in_a_report(sender)
    for turn in order:
        assert sender.door.concluded(bundles.encoded(messages[turn]))["status"] == "filed"

    assert lines_of(sender) == [("Glucose", "6.5"), ("Urea", "5.5")]
    (only,) = sender.book()["testResults"]["nodes"]
    assert (only["serviceName"], only["conclusion"]) == ("Biochemistry", "Kết luận Biochemistry")


def test_a_result_that_is_taken_into_a_report_leaves_the_others_where_they_stand(sender: Sender) -> None:
    glucose, urea = (
        sender.of_visit(bundles.observation("1", name, "5.5", "mmol/L"), name) for name in ("Glucose", "Urea")
    )
    sender.send(sender.patient, sender.encounter, glucose, urea)
    whole = report(sender, "Biochemistry", result=[{"reference": f"Observation/{glucose['id']}"}])

    assert sender.outcomes(whole, glucose) == ["added", "added"]
    assert lines_of(sender) == [("Glucose", "5.5"), ("Urea", "5.5")]
    assert sender.outcomes(urea) == ["replaced"]  # it stands alone now
    assert sender.outcomes(urea, glucose) == ["unchanged", "unchanged"]
    assert lines_of(sender) == [("Glucose", "5.5"), ("Urea", "5.5")]
    assert sender.outcomes({**glucose, "status": "entered-in-error"}) == ["rejected"]
    assert sender.outcomes({**whole, "status": "entered-in-error"}) == ["withdrawn"]
    assert sender.outcomes(glucose) == ["added"]
    assert lines_of(sender) == [("Glucose", "5.5"), ("Urea", "5.5")]


def test_a_report_that_takes_in_a_hidden_result_is_hidden(sender: Sender) -> None:
    glucose = sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o")
    sender.send(sender.patient, sender.encounter, glucose)
    (alone,) = sender.asked("{ healthBook { testResults { nodes { id } } } }")["healthBook"]["testResults"]["nodes"]
    hide = "mutation($i: MaskRecordsInput!) { maskRecords(input: $i) { changed } }"
    given = {"idempotencyKey": sender.mark, "recordIds": [alone["id"]]}
    assert sender.asked(hide, i=given)["maskRecords"]["changed"] == 1
    sender.send(report(sender, "A", result=[{"reference": f"Observation/{glucose['id']}"}]), glucose)

    shown = sender.asked("{ healthBook { testResults { nodes { serviceName isMasked } } } }")
    assert shown["healthBook"]["testResults"]["nodes"] == [{"serviceName": "A", "isMasked": True}]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_results_of_no_visit_stand_in_one_of_their_day_however_the_person_is_told(
    sender: Sender, order: tuple[int, ...]
) -> None:
    names = ("Glucose", "Urea", "Kali")
    glucose, urea, potassium = (
        sender.of_visit(bundles.observation("1", name, "5.5", "mmol/L"), name) for name in names
    )
    for one in (glucose, urea, potassium):
        del one["encounter"]
    numbered = f"Patient?identifier={bundles.SID}/cccd|{sender.personal_id}"
    sender.send(sender.patient)
    messages = ((sender.patient, glucose), (urea,), ({**potassium, "subject": {"reference": numbered}},))
    for turn in order:
        assert "added" in sender.outcomes(*messages[turn])

    assert sender.visit()["kindCode"] == "10"
    assert [name for name, _ in lines_of(sender)] == ["Glucose", "Kali", "Urea"]
    assert sender.outcomes(*messages[0]) == ["used", "unchanged"]


TAKEN_BACK: dict[str, Callable[[Sender], Json]] = {
    "result": lambda sender: sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o"),
    "report": lambda sender: report(sender, "A"),
    "visit": lambda sender: sender.encounter,
}


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("what", TAKEN_BACK)
def test_b170_what_was_taken_back_stays_away_in_any_order(sender: Sender, what: str, order: tuple[int, ...]) -> None:
    sender.door.concluded(bundles.encoded(bundle_of(sender.patient, at="2026-11-17T09:00:00+07:00")))
    told = TAKEN_BACK[what](sender)
    resources = [told] if what == "visit" else [sender.encounter, told]
    messages = (
        bundle_of(sender.encounter, at="2026-11-18T09:00:00+07:00"),
        bundle_of(*resources, at="2026-11-19T09:00:00+07:00"),
        bundle_of({**told, "status": "entered-in-error"}, at="2026-11-20T09:00:00+07:00"),
    )
    for turn in order:
        sender.door.concluded(bundles.encoded(messages[turn]))

    book = sender.book()
    assert book["testResults"]["nodes"] == []
    assert len(book["visits"]["nodes"]) == (0 if what == "visit" else 1)
    again = bundle_of(*resources, at="2026-11-21T09:00:00+07:00")
    assert sender.door.concluded(bundles.encoded(again))["entries"][-1]["outcome"] == "added"


NAMELESS = """{ healthBook { allergies { id } conditions { code }
  vaccinations { nodes { vaccineName } } } }"""


def _nameless(sender: Sender) -> list[Json]:
    """Return what lasts, without a name of its own."""
    patient = {"reference": f"http://his.example/Patient/p-{sender.mark}"}
    told = [bundles.lasting()["allergy"], bundles.lasting()["long"], bundles.given()["shot"]]
    changed = [
        {**one, **{name: patient for name in ("subject", "patient") if name in one}} for one in map(_without_id, told)
    ]
    return [{name: value for name, value in one.items() if name != "encounter"} for one in changed]


def _without_id(resource: Json) -> Json:
    return {name: value for name, value in resource.items() if name not in ("id", "identifier")}


def _entries(*resources: Json, mark: str) -> bytes:
    entries = [
        {"resource": one}
        | ({"fullUrl": f"http://his.example/Patient/p-{mark}"} if one["resourceType"] == "Patient" else {})
        for one in resources
    ]
    return bundles.encoded({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _counted(book: Json) -> list[int]:
    return [len(book["allergies"]), len(book["conditions"]), len(book["vaccinations"]["nodes"])]


def test_what_lasts_without_a_name_stands_once_however_the_person_is_told(sender: Sender) -> None:
    nameless = _nameless(sender)
    numbered = sender.patient["identifier"] + [{"type": coded("urn:x", "MR"), "value": "BN0001"}]
    renamed = {**sender.patient, "identifier": numbered, "name": [{"text": "Nguyễn Thị Hồng Anh"}]}
    told = [
        [entry["outcome"] for entry in sender.door.concluded(_entries(*one, mark=sender.mark))["entries"]]
        for one in ([sender.patient, *nameless], nameless, [renamed, *nameless])
    ]

    assert told == [["used", *["added"] * 3], ["unchanged"] * 3, ["used", *["unchanged"] * 3]]
    kept = sender.asked(NAMELESS)["healthBook"]
    assert _counted(kept) == [1, 1, 1]


def test_a_statement_without_a_date_says_the_same_when_it_is_sent_again(sender: Sender) -> None:
    asked = "{ healthBook { allergies { recordedAt } } }"
    allergy, condition, _ = _nameless(sender)
    undated = [
        {name: told for name, told in one.items() if name not in {"recordedDate", "onsetDateTime"}}
        for one in (allergy, condition)
    ]
    sender.send(sender.patient)
    told = [
        [
            entry["outcome"]
            for entry in sender.door.concluded(bundles.encoded(bundle_of_unnamed(undated, at)))["entries"]
        ]
        for at in ("2026-11-20T08:00:00+07:00", "2026-11-21T08:00:00+07:00", None)
    ]

    assert told == [["added", "added"], ["unchanged", "unchanged"], ["unchanged", "unchanged"]]
    (only,) = sender.asked(asked)["healthBook"]["allergies"]
    assert only == {"recordedAt": "2026-11-20T01:00:00Z"}


def bundle_of_unnamed(resources: list[Json], at: str | None) -> Json:
    message: Json = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}
    return message if at is None else message | {"timestamp": at}


def test_a_panel_alone_shows_the_members_that_it_contains(sender: Sender) -> None:
    member = bundles.observation("1", "Glucose", "5.5", "mmol/L") | {"id": "a"}
    panel: Json = {
        **sender.of_visit(member, "panel", contained=[member, member | {"id": "b", "status": "preliminary"}]),
        "hasMember": [{"reference": "#a"}, {"reference": "#b"}],
        "code": {"text": "Panel"},
    }
    del panel["valueQuantity"]
    sender.send(sender.patient, sender.encounter)

    assert sender.outcomes(panel) == ["added"]
    assert lines_of(sender) == [("Glucose", "5.5")]
    assert sender.outcomes(panel) == ["unchanged"]


def test_a_result_of_a_timing_stands_at_its_first_event(sender: Sender) -> None:
    glucose = sender.of_visit(bundles.observation("1", "Glucose", "5.5", "mmol/L"), "o")
    told = {name: value for name, value in glucose.items() if name not in {"effectiveDateTime", "issued"}}
    sender.send(sender.patient, sender.encounter)
    sender.send({**told, "effectiveTiming": {"event": ["2026-11-20T09:05:00+07:00", "2026-11-20T10:05:00+07:00"]}})

    asked = sender.asked("{ healthBook { testResults { nodes { resultedAt } } } }")["healthBook"]
    assert asked["testResults"]["nodes"] == [{"resultedAt": "2026-11-20T02:05:00Z"}]
