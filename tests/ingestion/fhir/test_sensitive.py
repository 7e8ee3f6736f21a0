"""What is sensitive by FHIR is of its class, or held back, as by XML; who may not see a class does not (T7, T23)."""

import itertools
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from app.ingestion.fhir import EntryUse, read_message
from app.sharing.scope import SensitiveClass
from tests.attacks.crowd import Member, message
from tests.conftest import Ground
from tests.identity.families import Families
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.people import Stand, now
from tests.sharing.sharing import OWN, PREVIEW, SHARED, WHOLE, Clinic

Look = Callable[[UUID, str], set[int]]
Change = Callable[[dict[str, Json]], object]
_NUMBERS = itertools.count(42_000)
ICD = "http://hl7.org/fhir/sid/icd-10"
HIV = SensitiveClass.HIV.bit
KIND = {"main": "Condition", "long": "Condition", "glucose": "Observation", "drug": "MedicationRequest"}


@pytest.fixture
def clinic(stand: Stand, http: httpx.Client) -> Clinic:
    return Clinic(stand, http)


def sent(clinic: Clinic, change: Change) -> tuple[UUID, dict[str, Any]]:
    """File a changed visit of a person of its own; returns the citizen and the receipt."""
    number = str(next(_NUMBERS))

    def own(all_: dict[str, Json]) -> None:
        all_["patient"]["identifier"] = [{"system": f"{bundles.SID}/cccd", "value": f"0011850{number}"}]
        all_["visit"]["identifier"][0]["value"] = f"V{number}"
        all_["study"]["identifier"][0]["value"] = f"urn:oid:1.2.840.99.{number}"
        for name, resource in all_.items():
            if "id" in resource:
                resource["id"] = f"{name}-{number}"
        change(all_)

    headers = {"Authorization": f"Bearer {clinic.stand.facility()}", "Content-Type": "application/fhir+json"}
    answer = clinic.http.post("/ingest/fhir", content=bundles.message(change=own), headers=headers)
    clinic.stand.process(answer.json()["messageId"])
    receipt: dict[str, Any] = clinic.http.get(f"/ingest/messages/{answer.json()['messageId']}", headers=headers).json()
    assert receipt["status"] == "filed", json.dumps(receipt["problems"])
    return clinic.stand.citizen_by(f"0011850{number}"), receipt


@pytest.fixture
def look(ground: Ground, settings: Settings) -> Look:
    """Return the classes of a person's records of a table, past every guard."""
    database = settings.database_url.rpartition("/")[2]

    def classes(citizen: UUID, table: str) -> set[int]:
        query = f"SELECT DISTINCT sensitive FROM book.{table} WHERE citizen_id = '{citizen}'"
        return {int(line) for line in ground.cluster.psql(query, database).split()}

    return classes


def coded_as(name: str, code: str) -> Change:
    return lambda all_: all_[name]["code"].update(bundles.coded(ICD, code, "Bệnh đã biết"))


@pytest.mark.parametrize("code", ["B20", "B20.1", "B21.0", "B22", "B23.8", "B24", "Z21"])
def test_a_visit_is_of_its_diagnosis_class_as_by_xml(clinic: Clinic, look: Look, code: str) -> None:
    by_fhir, _ = sent(clinic, coded_as("main", code))
    member = Member(number=next(_NUMBERS) - 41_000, fields={"MA_BENH_CHINH": code, "CHAN_DOAN_RV": "Bệnh đã biết"})
    assert clinic.stand.file(message(member), token=clinic.stand.facility()) == "filed"
    by_xml = clinic.stand.citizen_by(member.personal_id)

    for table in ("visit", "visit_diagnosis", "prescription", "prescription_item", "test_report", "test_result"):
        assert look(by_fhir, table) == look(by_xml, table) == {HIV}, table
    for table in ("document", "vaccination", "imaging_study", "condition"):  # of that visit too
        assert look(by_fhir, table) == {HIV}, table


def test_a_condition_without_a_visit_is_of_its_class_alone(clinic: Clinic, look: Look) -> None:
    def apart(all_: dict[str, Json]) -> None:
        coded_as("long", "B24")(all_)
        del all_["long"]["encounter"]

    citizen, _ = sent(clinic, apart)

    assert look(citizen, "condition") == {HIV}
    assert look(citizen, "visit") == {0}


def test_a_test_of_hiv_is_of_its_class_whatever_it_is_called(clinic: Clinic, look: Look) -> None:
    def loinc(all_: dict[str, Json]) -> None:
        all_["glucose"]["code"] = bundles.coded("http://loinc.org", "75622-1", "Xét nghiệm miễn dịch")

    citizen, _ = sent(clinic, loinc)

    assert look(citizen, "test_result") == {0, HIV}
    assert look(citizen, "test_report") == {0, HIV}
    assert look(citizen, "visit") == {0}


@pytest.mark.parametrize("name", ["drug", "glucose", "main", "long"])
def test_what_is_labelled_is_held_back_as_xml6_is(clinic: Clinic, look: Look, name: str) -> None:
    citizen, receipt = sent(clinic, lambda all_: all_[name].update(meta={"security": [{"code": "HIV"}]}))

    held = [one for one in receipt["entries"] if one["outcome"] == "held_back"]
    assert next(one["resource"] for one in held if one["sensitive"] == "HIV") == KIND[name]
    assert all(one["reason"] == "SENSITIVE_HELD_BACK" for one in held)
    shown = {"drug": "prescription", "long": "condition"}
    if name in shown:
        assert look(citizen, shown[name]) == set()


@pytest.mark.parametrize(
    ("label", "sensitive"),
    [
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HIV"}, SensitiveClass.HIV),
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "R"}, None),
    ],
)
def test_a_document_has_labels_of_its_own(label: Json, sensitive: SensitiveClass | None) -> None:
    """Source: FHIR R4 DocumentReference.securityLabel."""
    message = read_message(
        bundles.message(change=lambda all_: all_["paper"].update(securityLabel=[{"coding": [label]}]))
    )
    held = [(one.resource, one.sensitive) for one in message.entries if one.use is EntryUse.HELD_BACK]
    assert ("DocumentReference", sensitive) in held
    assert "Giấy ra viện" not in repr(message.units)


BELONGS: dict[str, tuple[Change, set[str]]] = {
    "all of a labelled visit": (
        lambda all_: all_["visit"].update(meta={"security": [{"code": "HIV"}]}),
        {"Encounter", "Condition", "MedicationRequest", "MedicationDispense", "Immunization", "Observation",
         "DiagnosticReport", "DocumentReference", "ImagingStudy", "Procedure"},
    ),
    "what a labelled prescription gave": (
        lambda all_: all_["drug"].update(meta={"security": [{"code": "HIV"}]}),
        {"MedicationRequest", "MedicationDispense"},
    ),
    "a reason that the book does not keep": (
        lambda all_: all_["drug"].update(reasonCode=[bundles.coded(ICD, "B20")]),
        {"MedicationRequest", "MedicationDispense"},
    ),
    "a diagnosis on arrival": (
        lambda all_: (
            coded_as("other", "B20")(all_),
            all_["visit"]["diagnosis"][1].update(use=bundles.coded("http://terminology.hl7.org/x", "AD")),
        ),
        {"Condition"},
    ),
    "a result that says it": (
        lambda all_: all_["glucose"].update(
            valueQuantity=None, valueCodeableConcept=bundles.coded("http://snomed.info/sct", "165816005", "Dương tính")
        ),
        {"Observation"},
    ),
    "a code beside the one that is kept": (
        lambda all_: all_["glucose"]["code"].update(
            coding=[{"system": "urn:ma-chi-so", "code": "X1"}, {"system": "http://loinc.org", "code": "5220-9"}]
        ),
        {"Observation"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BELONGS)
def test_what_nothing_would_class_is_held_back(what: str) -> None:
    change, kinds = BELONGS[what]
    message_ = read_message(bundles.message(change=change))

    held = [one for one in message_.entries if one.use is EntryUse.HELD_BACK]

    assert {one.resource for one in held} == kinds
    assert {one.sensitive for one in held} == {SensitiveClass.HIV}
    assert not any(one.use is EntryUse.REFUSED for one in message_.entries)
    if "Encounter" in kinds:
        assert bundles.VISIT_ID not in repr(message_.units)


def nothing_shown(book: dict[str, Any]) -> bool:
    pages = [book[section] for section in ("visits", "prescriptions", "testResults", "documents")]
    return all(page is None or not page["nodes"] for page in pages) and not book["conditions"]


def test_t7_who_is_not_given_the_class_sees_nothing_of_it(clinic: Clinic) -> None:
    citizen, _ = sent(clinic, coded_as("main", "B20.1"))
    token, doctor = clinic.citizen(citizen), clinic.doctor()

    assert clinic.data(token, OWN)["visits"]["nodes"]
    assert nothing_shown(clinic.data(token, PREVIEW, scope=WHOLE))
    assert nothing_shown(clinic.data(doctor, SHARED, grant=clinic.grant(token, doctor)))
    chosen = {**WHOLE, "sensitive": ["HIV"]}
    assert clinic.data(token, PREVIEW, scope=chosen)["visits"]["nodes"]
    assert clinic.data(doctor, SHARED, grant=clinic.grant(token, doctor, scope=chosen))["visits"]["nodes"]


@pytest.mark.parametrize(("age", "sees"), [(14, True), (16, False)])
def test_a_parent_sees_it_until_the_child_is_fifteen(clinic: Clinic, age: int, sees: bool) -> None:  # noqa: FBT001 - a case
    citizen, _ = sent(clinic, coded_as("main", "B20.1"))
    families = Families(clinic.stand)
    parent = families.citizen("Nguyễn Thị Mẹ", born=now().date() - timedelta(days=14_000))
    born = now().date() - timedelta(days=366 * age)
    clinic.stand.as_owner("UPDATE auth.citizen SET birth_on = :born WHERE id = :id", born=born, id=citizen)
    families.represent(citizen, parent)

    book = clinic.data(clinic.citizen(parent), OWN, citizen=str(citizen))

    assert nothing_shown(book) is not sees
