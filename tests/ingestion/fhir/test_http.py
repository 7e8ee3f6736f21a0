"""The FHIR door over the wire: Bundles in, receipts out, and what stands in the book."""

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from tests.conftest import Ground
from tests.ingestion import messages
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.door import FHIR, Door, Look, book, codes, of, outcomes
from tests.people import Stand

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.fixture
def look(ground: Ground, settings: Settings) -> Look:
    """Look at what rests, past every guard."""
    database = settings.database_url.rpartition("/")[2]

    def rows(query: str) -> list[dict[str, Any]]:
        told = ground.cluster.psql(f"SELECT coalesce(json_agg(t), '[]') FROM ({query}) t", database)
        found: list[dict[str, Any]] = json.loads(told, parse_float=str)
        return found

    return rows


@pytest.fixture
def door(http: httpx.Client, stand: Stand, look: Look) -> Door:
    return Door(http, stand, "01901", look)


def test_a_bundle_is_kept_and_filed_and_every_entry_told(door: Door) -> None:
    receipt = door.concluded(bundles.message())

    assert (receipt["status"], receipt["bundle"]) == ("filed", "transaction")
    assert [entry["entry"] for entry in receipt["entries"]] == list(range(len(bundles.everything())))
    told = outcomes(receipt)
    assert told["Encounter"] == told["MedicationRequest"] == told["Immunization"] == ["added"]
    assert told["Claim"] == ["ignored"]
    assert told["Patient"] == told["Practitioner"] == ["used"]
    (prescription,) = book(door, "prescription", "code, prescriber_certificate")
    assert prescription == (bundles.PRESCRIPTION, "001234/BYT-CCHN")
    assert book(door, "test_result", "name, value::text")[0] == ("Chụp Xquang ngực thẳng", None)
    assert ("Glucose", "5.60") in book(door, "test_result", "name, value::text")
    assert book(door, "visit", "weight_kg::text, kind_code") == [("72.50", "01")]
    assert [one[0] for one in book(door, "vaccination", "lot_number")] == ["AB12"]
    assert len(book(door, "allergy", "id")) == len(book(door, "imaging_study", "id")) == 1
    assert book(door, "document", "kind, title, note") == [("ATTACHMENT", "Giấy ra viện", "Tái khám")]


def test_b162_the_same_bytes_give_the_same_receipt_and_other_bytes_with_its_key_are_refused(door: Door) -> None:
    body = of("20001")
    first = door.push(body, **{"Idempotency-Key": "k1"})
    again = door.push(body, **{"Idempotency-Key": "k1"})
    other = door.push(of("20002"), **{"Idempotency-Key": "k1"})

    assert first.json()["messageId"] == again.json()["messageId"]
    assert (other.status_code, other.json()["issue"][0]["code"]) == (409, "conflict")
    assert first.headers["location"] == f"/ingest/messages/{first.json()['messageId']}"


def test_b162_a_resend_in_other_bytes_changes_nothing(door: Door) -> None:
    door.concluded(of("20003"))
    again = door.concluded(of("20003") + b"\n")

    assert again["status"] == "filed"
    assert {outcome for one in outcomes(again).values() for outcome in one} == {"unchanged", "used", "ignored"}


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_bundles_that_nobody_here_wrote_go_in_and_read_back(door: Door, path: Path) -> None:
    receipt = door.concluded(path.read_bytes())

    assert receipt["status"] == "filed"
    assert len(receipt["entries"]) == len(json.loads(path.read_bytes())["entry"])
    shown = shown_to_their_citizens(door)
    for entry in receipt["entries"]:
        if "kind" in entry:
            assert entry["outcome"] in {"added", "unchanged", "replaced"}
            assert (entry["kind"], entry["key"]) in shown
        else:
            assert entry["outcome"] in {"used", "ignored"}
            assert entry["outcome"] == "used" or all((entry["reason"], entry["vi"], entry["en"]))


_IDS = re.compile(r'"id":\s*"([^"]+)"')
SHOWN = {
    "VISIT": ("visit", "visits(first: 50) { nodes { id } }"),
    "TEST_REPORT": ("test_report", "testResults(first: 50) { nodes { id results { name valueText } } }"),
    "PRESCRIPTION": ("prescription", "prescriptions(first: 50) { nodes { id items { drugName } } }"),
    "DOCUMENT": ("document", "documents(first: 50) { nodes { id } }"),
    "VACCINATION": ("vaccination", "vaccinations(first: 50) { nodes { id sources { id } } }"),
    "CONDITION": ("condition", "conditions { statements { id } }"),
    "ALLERGY": ("allergy", "allergies { id } noKnownAllergies { id }"),
}


def shown_to_their_citizens(door: Door) -> set[tuple[str, str]]:
    """Return kind and key of everything that citizens read in their books."""
    found: set[tuple[str, str]] = set()
    tables = " UNION ".join(f"SELECT citizen_id FROM book.{table}" for table, _ in SHOWN.values())
    for citizen in (row["citizen_id"] for row in door.look(tables)):
        headers = {"Authorization": f"Bearer {door.stand.citizen_token(UUID(citizen))}"}
        for kind, (table, selection) in SHOWN.items():
            asked = {"query": f"{{ healthBook {{ {selection} }} }}"}
            answer = door.http.post("/graphql", json=asked, headers=headers)
            assert "errors" not in answer.json(), answer.text
            ids = set(_IDS.findall(answer.text))
            rows = book(door, f"{table} WHERE citizen_id = '{citizen}'", "source_id, id")
            found.update((kind, key) for key, row_id in rows if row_id in ids)
    return found


def test_a_dry_run_judges_and_keeps_nothing(door: Door) -> None:
    before = door.stand.as_owner("SELECT count(*) FROM intake.message")[0].count
    answer = door.push(of("20004"), path="/ingest/fhir?dryRun=true")

    assert (answer.status_code, answer.json()["dryRun"], answer.json()["status"]) == (200, True, "filed")
    assert set(outcomes(answer.json())["Encounter"]) == {"accepted"}
    assert door.stand.as_owner("SELECT count(*) FROM intake.message")[0].count == before


def test_one_entry_that_cannot_be_filed_stops_a_transaction_and_only_itself_in_a_batch(door: Door) -> None:
    def spoil(all_: dict[str, Json]) -> None:
        del all_["shot"]["vaccineCode"]

    stopped = door.concluded(of("20005", change=spoil))
    assert stopped["status"] == "rejected"
    assert "TRANSACTION_REFUSED" in codes(stopped)
    assert outcomes(stopped)["Encounter"] == ["rejected"]
    partly = door.concluded(of("20005", kind="batch", change=spoil))
    assert partly["status"] == "partly"
    assert (outcomes(partly)["Immunization"], outcomes(partly)["Encounter"]) == (["rejected"], ["added"])
    (problem,) = [one for one in partly["problems"] if one["effect"] == "REJECTS"]
    index = list(bundles.everything()).index("shot")
    assert (problem["entry"], problem["path"]) == (index, f"Bundle.entry[{index}].resource.vaccineCode")
    assert problem["vi"] != problem["en"]


@pytest.mark.parametrize("kind", ["message", "document", "collection"])
def test_other_bundles(door: Door, kind: str) -> None:
    first = {"message": "MessageHeader", "document": "Composition"}.get(kind, "Device")

    def lead(all_: dict[str, Json]) -> None:
        rest = dict(all_)
        all_.clear()
        all_.update({"first": {"resourceType": first}, **rest})

    receipt = door.concluded(of(f"2003{len(kind) % 10}", kind=kind, change=lead))
    assert (receipt["status"], receipt["bundle"]) == ("filed", kind)


def test_a_client_that_asks_for_fhir_is_answered_in_fhir(door: Door) -> None:
    kept = door.push(of("20006"), Accept=FHIR)
    assert (kept.status_code, kept.headers["content-type"]) == (202, FHIR)
    issue = kept.json()["issue"][0]
    assert (kept.json()["resourceType"], issue["severity"]) == ("OperationOutcome", "information")
    message_id = issue["diagnostics"]
    door.stand.process(message_id)

    answer = door.receipt(message_id, Accept=FHIR)
    assert (answer["resourceType"], answer["type"]) == ("Bundle", "transaction-response")
    statuses = [entry["response"]["status"] for entry in answer["entry"]]
    assert len(statuses) == len(bundles.everything())
    assert statuses[3] == "201 Created"
    refused = door.push(
        of("20007", change=lambda all_: all_["visit"].pop("status")),
        path="/ingest/fhir?dryRun=true",
        Prefer="return=OperationOutcome",
        **{"Accept-Language": "en"},
    )
    assert refused.json()["resourceType"] == "OperationOutcome"
    told = {issue["details"]["coding"][0]["code"]: issue for issue in refused.json()["issue"]}
    assert told["ELEMENT_MISSING"]["expression"] == ["Bundle.entry[3].resource.status"]
    assert told["ELEMENT_MISSING"]["severity"] == "error"


@pytest.mark.parametrize(
    ("body", "headers", "status", "kind"),
    [
        (b"{}", {}, 400, "invalid"),
        (b"<a/>", {}, 400, "invalid"),
        (b"{}", {"Content-Type": "application/xml"}, 415, "invalid"),
        (b"{}", {"Authorization": "Bearer " + "x" * 43}, 401, "login"),
        (b'{"resourceType":"Patient"}', {"Idempotency-Key": "k" * 256}, 400, "invalid"),
    ],
)
def test_errors_on_fhirs_paths_are_operation_outcomes(
    door: Door, body: bytes, headers: dict[str, str], status: int, kind: str
) -> None:
    answer = door.push(body, **headers)
    assert (answer.status_code, answer.headers["content-type"]) == (status, FHIR)
    assert (answer.json()["resourceType"], answer.json()["issue"][0]["code"]) == ("OperationOutcome", kind)


def test_json_at_the_door_for_xml_and_the_other_way_round(door: Door) -> None:
    at_xml = door.push(bundles.message(), path="/ingest/qd4750", **{"Content-Type": "application/xml"})
    assert (at_xml.status_code, at_xml.json()["code"]) == (400, "INVALID")
    assert door.push(messages.message()).status_code == 400


WRONG_PEOPLE: dict[str, tuple[Callable[[dict[str, Json]], object], str]] = {
    "name": (lambda all_: all_["patient"].update(name=[{"text": "Lê Thị Hoa"}]), "NAME_DIFFERS"),
    "birth": (lambda all_: all_["patient"].update(birthDate="1985-03-13"), "BIRTH_DIFFERS"),
    "nobody": (lambda all_: all_["patient"].update(identifier=[{"value": "7"}]), "IDENTIFIER_NONE"),
    "filler": (
        lambda all_: all_["patient"].update(identifier=[{"system": f"{bundles.SID}/cccd", "value": "000000000000"}]),
        "IDENTIFIER_PLACEHOLDER",
    ),
}


@pytest.mark.parametrize(("change", "code"), WRONG_PEOPLE.values(), ids=WRONG_PEOPLE)
def test_b161_a_person_who_is_not_sure_waits(
    door: Door, change: Callable[[dict[str, Json]], object], code: str
) -> None:
    door.concluded(of("20008", "patient", "visit", "main", "other", "hospital"))
    receipt = door.concluded(of("20008", "patient", "visit", "main", "other", "hospital", change=change))

    assert receipt["status"] == "quarantined"
    assert code in codes(receipt)
    assert outcomes(receipt)["Encounter"] == ["quarantined"]


def test_b163_another_facilitys_resources_are_refused(door: Door) -> None:
    ours, theirs = door, Door(door.http, door.stand, "79001", door.look)
    ours.concluded(of("20009"))
    deletes = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [
            {"request": {"method": "DELETE", "url": "Immunization/shot-20009"}},
            {"request": {"method": "DELETE", "url": f"Encounter?identifier={bundles.SID}/ma-lk|V20009"}},
        ],
    }
    receipt = theirs.concluded(bundles.encoded(deletes))

    assert (receipt["status"], [one["outcome"] for one in receipt["entries"]]) == ("rejected", ["rejected"] * 2)
    assert codes(receipt) == ["DELETE_UNKNOWN"] * 2
    claimed = theirs.concluded(of("20009"))
    assert (claimed["status"], "FACILITY_NOT_YOURS" in codes(claimed)) == ("rejected", True)
    assert len(door.look("SELECT FROM book.visit WHERE source_id = 'V20009'")) == 1


@pytest.mark.parametrize(("number", "at"), [("20010", "2099-01-01"), ("20011", "1850-01-01")])
def test_b163_b164_times_that_cannot_be_true_wait(door: Door, number: str, at: str) -> None:
    def at_that_time(all_: dict[str, Json]) -> None:
        all_["visit"]["period"] = {"start": at}

    receipt = door.concluded(of(number, "patient", "visit", "main", "other", "hospital", change=at_that_time))
    assert receipt["status"] == "quarantined"
    assert {"STARTED_IN_FUTURE", "BEFORE_1900", "BORN_AFTER_VISIT"} & set(codes(receipt))


def taken_back(door: Door, *urls: str) -> dict[str, Any]:
    entries = [{"request": {"method": "DELETE", "url": url}} for url in urls]
    return door.concluded(bundles.encoded({"resourceType": "Bundle", "type": "transaction", "entry": entries}))


def test_a_delete_takes_back_what_the_facility_sent(door: Door) -> None:
    def named(all_: dict[str, Json]) -> None:
        all_["visit"]["id"] = "enc-20012"

    door.concluded(of("20012", change=named))
    receipt = taken_back(door, "Immunization/shot-20012", "AllergyIntolerance/allergy-20012")
    assert [one["outcome"] for one in receipt["entries"]] == ["withdrawn", "withdrawn"]
    assert door.look("SELECT FROM book.vaccination WHERE source_id = 'shot-20012'") == []
    whole = taken_back(door, "Encounter/enc-20012")
    assert (whole["status"], whole["entries"][0]["outcome"]) == ("filed", "withdrawn")
    assert door.look("SELECT FROM book.visit WHERE source_id = 'V20012'") == []
    shown = "SELECT FROM book.{} r JOIN auth.filing f USING (citizen_id) WHERE f.source_id = 'V20012'"
    assert all(door.look(shown.format(one)) == [] for one in ("prescription", "test_report", "document"))
    assert taken_back(door, "Encounter/never-sent")["status"] == "rejected"


def test_entered_in_error_takes_back_and_a_part_of_a_record_does_not(door: Door) -> None:
    def named(all_: dict[str, Json]) -> None:
        all_["glucose"]["id"] = "glucose-20013"

    def in_error(all_: dict[str, Json]) -> None:
        all_["shot"]["status"] = "entered-in-error"
        del all_["shot"]["vaccineCode"]

    door.concluded(of("20013", change=named))
    receipt = door.concluded(of("20013", "patient", "shot", change=in_error))
    assert outcomes(receipt)["Immunization"] == ["withdrawn"]
    part = door.concluded(
        of(
            "20013",
            "patient",
            "glucose",
            kind="batch",
            change=lambda all_: all_["glucose"].update(status="entered-in-error", id="glucose-20013"),
        )
    )
    assert (outcomes(part)["Observation"], codes(part)) == (["rejected"], ["PART_OF_RECORD"])


def test_a_later_message_refers_to_what_was_sent_before(door: Door) -> None:
    def named(all_: dict[str, Json]) -> None:
        all_["patient"]["id"], all_["visit"]["id"] = "pat-20014", "enc-20014"

    door.concluded(of("20014", "patient", "visit", "main", "other", "hospital", change=named))
    later = {
        **bundles.everything()["report"],
        "subject": {"reference": "Patient/pat-20014"},
        "encounter": {"reference": "Encounter/enc-20014"},
        "result": [],
    }
    receipt = door.concluded(bundles.encoded(later))
    assert (receipt["status"], receipt["entries"][0]["outcome"], receipt["visits"][0]["visit"]) == (
        "filed",
        "added",
        "V20014",
    )
    unknown = door.concluded(bundles.encoded({**later, "subject": {"reference": "Patient/nobody"}}))
    assert (unknown["status"], codes(unknown)) == ("quarantined", ["PATIENT_NOT_KNOWN"])


def test_what_a_bundle_does_not_hold_stays(door: Door) -> None:
    door.concluded(of("20015"))
    receipt = door.concluded(of("20015", "patient", "visit", "main", "other", "hospital"))
    assert receipt["status"] == "filed"
    (found,) = door.look(
        "SELECT (SELECT count(*) FROM book.prescription p WHERE p.visit_id = v.id) AS drugs, "
        "(SELECT count(*) FROM book.test_report r WHERE r.visit_id = v.id) AS reports, v.weight_kg "
        "FROM book.visit v WHERE v.source_id = 'V20015'"
    )
    assert found == {"drugs": 1, "reports": 2, "weight_kg": "72.50"}


def state(door: Door, visit: str) -> list[dict[str, Any]]:
    """Return what is shown of a visit."""
    return door.look(
        "SELECT v.reason, v.kind_code, v.weight_kg, v.cost_total, "
        "ARRAY(SELECT d.code FROM book.visit_diagnosis d WHERE d.visit_id = v.id ORDER BY d.line) AS diagnoses, "
        "ARRAY(SELECT r.source_id || coalesce(r.conclusion, '') FROM book.test_report r WHERE r.visit_id = v.id "
        "ORDER BY 1) AS reports, "
        "ARRAY(SELECT p.source_id FROM book.prescription p WHERE p.visit_id = v.id ORDER BY 1) AS drugs "
        f"FROM book.visit v WHERE v.source_id = '{visit}'"
    )


@pytest.mark.parametrize("order", ["xml fhir xml fhir", "fhir xml fhir"])
def test_a_prescription_whose_code_one_door_alone_tells_stands_once(
    door: Door, ground: Ground, settings: Settings, order: str
) -> None:
    """It keeps its id, its code once told, and that it is masked, in whatever order the doors tell of it."""

    def at_nine(all_: dict[str, Json]) -> None:
        all_["drug"]["authoredOn"] = "2026-11-20T09:00:00+07:00"

    number = str(40011 + len(order))
    fhir, xml = of(number, change=at_nine), xml_of_the_same_visit(number)
    shown = []
    for name in order.split():
        is_xml = {"path": "/ingest/qd4750", "Content-Type": "application/xml"} if name == "xml" else {}
        assert door.concluded(xml if is_xml else fhir, **is_xml)["status"] == "filed"
        shown += door.look(
            "SELECT p.id, p.code, p.masked, ARRAY(SELECT i.drug_name FROM book.prescription_item i "
            "WHERE i.prescription_id = p.id) AS drugs FROM book.prescription p "
            f"JOIN book.visit v ON v.id = p.visit_id WHERE v.source_id = 'V{number}'"
        )
        ground.cluster.psql("UPDATE book.prescription SET masked = true", settings.database_url.rpartition("/")[2])
    assert (len(shown), len({one["id"] for one in shown})) == (len(order.split()), 1)
    assert {len(one["drugs"]) for one in shown} == {1}
    assert [one["code"] for one in shown if one["code"]] == [shown[-1]["code"]] * (len(shown) - order.startswith("xml"))
    assert [one["masked"] for one in shown] == [False] + [True] * (len(shown) - 1)


def test_b170_four_versions_of_one_visit_end_alike_in_all_24_orders(door: Door) -> None:
    def version(number: str, hour: int, *names: str, **changed: str) -> bytes:
        def change(all_: dict[str, Json]) -> None:
            all_["visit"]["reasonCode"][0]["text"] = f"lý do {hour}"
            if "report" in all_:
                all_["report"]["conclusion"] = f"kết luận {hour}"
            if changed:
                all_["visit"].update(status=changed["status"])

        made = f"2026-11-21T{hour:02}:00:00+07:00".encode()
        return of(number, *names, change=change).replace(b"2026-11-20T11:00:00+07:00", made)

    basic = ("patient", "visit", "main", "other", "hospital", "doctor")
    ends = set()
    for number, order in enumerate(itertools.permutations(range(4))):
        own = f"3{number:04}"
        versions = [
            version(own, 8, *basic, "drug"),
            version(own, 9, *basic, "report", "glucose", "order"),
            version(own, 10, *basic, "report", "glucose", "order"),
            version(own, 11, *basic),
        ]
        for one in order:
            assert door.concluded(versions[one])["status"] == "filed"
        ends.add(repr(state(door, f"V{own}")))
    assert len(ends) == 1
    assert "lý do 11" in next(iter(ends))
    assert "kết luận 10" in next(iter(ends))


def xml_of_the_same_visit(number: str, **changed: str) -> bytes:
    visit = {
        **messages.VISIT,
        "MA_LK": f"V{number}",
        "SO_CCCD": f"0011850{number}",
        "HO_TEN": "Nguyễn Thị Hồng Ánh",
        "NGAY_SINH": "198503120000",
        "GIOI_TINH": "2",
        "MA_THE_BHYT": "",
        "MA_DKBD": "",
        "GT_THE_TU": "",
        "GT_THE_DEN": "",
        **changed,
    }
    lines = {name: {**fields, "MA_LK": f"V{number}"} for name, fields in messages.LINES.items()}
    return messages.message(XML1=[visit], XML2=[lines["XML2"]], XML4=[lines["XML4"]])


def test_the_same_visit_by_both_doors_is_one_visit(door: Door) -> None:
    """In either order the visit is one, keeps what only XML tells (costs), and its records are not doubled."""

    def like_xml(all_: dict[str, Json]) -> None:
        all_["drug"]["authoredOn"] = "2026-11-20T09:00:00+07:00"
        del all_["drug"]["groupIdentifier"]

    shown = []
    for number, first in (("40001", "xml"), ("40002", "fhir")):
        fhir, xml = of(number, change=like_xml), xml_of_the_same_visit(number)
        bodies = {"xml": xml, "fhir": fhir}
        for name in sorted(bodies, key=[first].count, reverse=True):
            is_xml = {"path": "/ingest/qd4750", "Content-Type": "application/xml"} if name == "xml" else {}
            assert door.concluded(bodies[name], **is_xml)["status"] == "filed"
        rows = state(door, f"V{number}")
        assert len(rows) == 1
        shown.append(rows[0])
    assert [one["cost_total"] for one in shown] == ["150700.50"] * 2
    assert [one["drugs"] for one in shown] == [["rx:20261120:001234/BYT-CCHN"]] * 2
    assert shown[0]["diagnoses"] == shown[1]["diagnoses"] == ["J02.9", "I10"]
    assert shown[0] == shown[1]
