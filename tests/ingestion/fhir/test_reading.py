"""What is read of FHIR R4: values as they were sent, references, statuses, and every entry accounted for."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.ingestion.fhir import EntryUse, FhirMessage, UnitReading, read_message
from app.ingestion.fhir.required import REQUIRED
from app.ingestion.fhir.words import FhirCode
from app.ingestion.verdict import Effect
from app.records import arrivals
from app.records.arrivals import BirthPrecision, IdentifierKind, Sex
from app.records.clinical import AllergyArrival, ConditionArrival, ImagingArrival, MomentPrecision, VaccinationArrival
from app.records.papers import AttachmentArrival
from app.sharing.scope import SensitiveClass
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json, ref

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
MANDATORY = [(kind, name) for kind, names in REQUIRED.items() for name in names if kind != "Coverage"]


def read(
    *names: str, kind: str = "transaction", change: Callable[[dict[str, Json]], object] | None = None
) -> FhirMessage:
    return read_message(bundles.message(*names, kind=kind, change=change))


def only_visit(message: FhirMessage) -> UnitReading:
    (unit,) = [unit for unit in message.units if unit.arrival is not None]
    return unit


def problems(message: FhirMessage, effect: Effect) -> list[tuple[str, int | None, str | None]]:
    return [(one.code, one.entry, one.path) for one in message.problems if one.effect is effect]


def test_a_visit_with_everything() -> None:
    message = read()
    unit = only_visit(message)
    visit = unit.arrival
    assert visit is not None
    assert unit.person is not None
    assert problems(message, Effect.REJECTS) == problems(message, Effect.QUARANTINES) == []
    assert (visit.source_id, visit.kind_code, unit.facility_code) == (bundles.VISIT_ID, "01", "01901")
    assert [(one.role, one.code) for one in visit.diagnoses] == [("MAIN", "J02.9"), ("ACCOMPANYING", "I10")]
    assert (visit.discharge_diagnosis, visit.reason) == ("Viêm họng cấp, không đặc hiệu", "Ho, sốt 3 ngày")
    assert visit.department_codes == ("K01",)
    (prescription,) = visit.prescriptions or ()
    assert (prescription.code, prescription.prescriber_certificate) == (bundles.PRESCRIPTION, "001234/BYT-CCHN")
    assert prescription.key == "rx:20261120:001234/BYT-CCHN:01901ABC1234-C"
    (item,) = prescription.items
    assert (item.drug_code, item.drug_name, item.quantity, item.unit) == (
        "40.48",
        "Paracetamol 500mg",
        Decimal(15),
        "Viên",
    )
    assert (item.dose, item.instruction) == ("1 viên/lần * 3 lần/ngày", "Uống sau ăn")
    picture, report = visit.reports or ()
    assert (picture.category, report.category) == (arrivals.TestCategory.IMAGING, arrivals.TestCategory.LABORATORY)
    assert report.key == "test:23.0075.1494:202611200940"
    assert [(one.code, one.value_text, one.unit) for one in report.results] == [("2345-7", "5.60", "mmol/L")]
    (service,) = visit.services or ()
    assert service.name == "Khí dung mũi họng"
    (papers,) = visit.papers
    (paper,) = papers.documents
    assert isinstance(paper, AttachmentArrival)
    assert (paper.title, paper.note, paper.size_bytes) == ("Giấy ra viện", "Tái khám", 10)


def test_the_person_of_a_patient() -> None:
    person = only_visit(read()).person
    assert person is not None
    assert (person.full_name, person.sex, person.birth_precision) == (
        "Nguyễn Thị Hồng Ánh",
        Sex.FEMALE,
        BirthPrecision.DAY,
    )
    assert (person.identifier, person.identifier_kind) == (bundles.PERSONAL_ID, IdentifierKind.PERSONAL_ID)
    assert (person.patient_number, person.phone) == ("BN0004521", "0912345678")
    assert [card.number for card in person.insurance_cards] == ["GD4010112345678"]


def test_records_that_need_no_visit() -> None:
    clinical = {type(one): one for unit in read().units for one in unit.clinical}
    condition = clinical[ConditionArrival]
    assert isinstance(condition, ConditionArrival)
    assert (condition.source_id, condition.onset_precision) == ("cond-1", MomentPrecision.MONTH)
    allergy = clinical[AllergyArrival]
    assert isinstance(allergy, AllergyArrival)
    assert [one.description for one in allergy.reactions] == ["Nổi mề đay"]
    shot = clinical[VaccinationArrival]
    assert isinstance(shot, VaccinationArrival)
    assert (shot.dose_number, shot.lot_number, shot.performer_name) == (1, "AB12", "Trần Văn Bình")
    assert [one.description for one in shot.reactions] == ["Sốt nhẹ"]
    study = clinical[ImagingArrival]
    assert isinstance(study, ImagingArrival)
    assert (study.study_uid, study.conclusion) == ("1.2.840.99.1", "Không thấy tổn thương")
    assert study.dicomweb_url == "https://pacs.example/dicom-web"


def test_every_entry_is_accounted_for() -> None:
    message = read()
    told = {entry.resource: (entry.use, entry.kind) for entry in message.entries}
    assert [entry.index for entry in message.entries] == list(range(len(bundles.everything())))
    assert told["Claim"] == (EntryUse.IGNORED, None)
    assert told["Practitioner"] == told["Specimen"] == (EntryUse.CONTEXT, None)
    assert told["MedicationDispense"] == (EntryUse.RECORD, "PRESCRIPTION")
    assert told["Binary"] == (EntryUse.RECORD, "DOCUMENT")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_bundles_that_nobody_here_wrote(path: Path) -> None:
    message = read_message(path.read_bytes())
    assert problems(message, Effect.REJECTS) == problems(message, Effect.QUARANTINES) == []
    assert [entry.index for entry in message.entries] == list(range(len(json.loads(path.read_bytes())["entry"])))
    assert all(entry.use is not EntryUse.IGNORED or entry.reason for entry in message.entries)
    assert {entry.resource for entry in message.entries if entry.use is EntryUse.IGNORED} <= {
        "MedicationStatement",
        "CarePlan",
        "CareTeam",
        "Claim",
        "ExplanationOfBenefit",
        "AllergyIntolerance",
        "Condition",
    }


@pytest.mark.parametrize(
    ("digits", "number"), [("72.50", "72.50"), ("0.0", "0.0"), ("1e2", "1E+2"), ("-3.10", "-3.10")]
)
def test_decimals_keep_their_digits(digits: str, number: str) -> None:
    body = bundles.message("patient", "visit", "main", "other", "glucose", "hospital").replace(b"5.60", digits.encode())
    visit = only_visit(read_message(body)).arrival
    assert visit is not None
    result = (visit.reports or ())[0].results[0]
    assert (result.value, str(result.value)) == (Decimal(number), number)
    assert result.value_text == f"{Decimal(digits):f}"


@pytest.mark.parametrize(
    ("birth", "precision", "on"),
    [
        ("1985", BirthPrecision.YEAR, "1985-01-01"),
        ("1985-03", BirthPrecision.YEAR, "1985-01-01"),
        ("2024-02-29", BirthPrecision.DAY, "2024-02-29"),
    ],
)
def test_partial_dates_of_birth(birth: str, precision: BirthPrecision, on: str) -> None:
    message = read(change=lambda all_: all_["patient"].update(birthDate=birth))
    person = only_visit(message).person
    assert person is not None
    assert (person.birth_precision, person.birth_on.isoformat()) == (precision, on)


@pytest.mark.parametrize("birth", ["2026-02-30", "0000", "12/03/1985", "1985-3-12", "2023-02-29"])
def test_b164_births_that_are_none(birth: str) -> None:
    message = read(change=lambda all_: all_["patient"].update(birthDate=birth))
    assert ("ELEMENT_MALFORMED", 0, "Bundle.entry[0].resource.birthDate") in problems(message, Effect.REJECTS)


def test_b164_zones_that_mean_the_same_moment() -> None:
    def started(at: str) -> Any:
        unit = only_visit(read(change=lambda all_: all_["visit"]["period"].update(start=at)))
        return unit.arrival and unit.arrival.started_at

    assert started("2026-11-20T08:15:00+07:00") == started("2026-11-20T01:15:00Z") == started("2026-11-20T08:15:00")


@pytest.mark.parametrize(("gender", "sex"), [("male", Sex.MALE), ("other", Sex.UNDETERMINED), ("M", Sex.UNDETERMINED)])
def test_genders(gender: str, sex: Sex) -> None:
    message = read(change=lambda all_: all_["patient"].update(gender=gender))
    person = only_visit(message).person
    assert person is not None
    assert person.sex is sex
    assert [one[0] for one in problems(message, Effect.WARNS)] == (["CODE_UNKNOWN"] if gender == "M" else [])


@pytest.mark.parametrize(("kind", "name"), MANDATORY, ids=[f"{kind}.{name}" for kind, name in MANDATORY])
def test_every_required_element_missing_one_at_a_time(kind: str, name: str) -> None:
    def drop(resources: dict[str, Json]) -> None:
        for resource in resources.values():
            if resource["resourceType"] == kind:
                for written in list(resource):
                    if written == name or (name.endswith("[x]") and written.startswith(name[:-3])):
                        del resource[written]

    message = read(change=drop)
    indices = [index for index, one in enumerate(bundles.everything().values()) if one["resourceType"] == kind]
    for index in indices:
        assert ("ELEMENT_MISSING", index, f"Bundle.entry[{index}].resource.{name}") in problems(message, Effect.REJECTS)
        assert message.entries[index].use is EntryUse.REFUSED


@pytest.mark.parametrize(
    "name", ["type", "entry[0].resource.ofType(MessageHeader)", "entry[0].resource.ofType(Composition)"]
)
def test_what_a_bundle_itself_requires(name: str) -> None:
    document = bundles.bundle(bundles.everything())
    if name == "type":
        del document["type"]
    else:
        document["type"] = "message" if "MessageHeader" in name else "document"
    assert ("ELEMENT_MISSING", None, f"Bundle.{name}") in problems(
        read_message(bundles.encoded(document)), Effect.REJECTS
    )


@pytest.mark.parametrize("name", ["method", "url"])
def test_what_an_entry_of_a_transaction_requires(name: str) -> None:
    document = bundles.bundle(bundles.everything())
    del document["entry"][3]["request"][name]
    told = problems(read_message(bundles.encoded(document)), Effect.REJECTS)
    assert ("ELEMENT_MISSING", 3, f"entry[3].request.{name}") in [
        (c, e, (p or "").removeprefix("Bundle.")) for c, e, p in told
    ]


REFERENCES: dict[str, Callable[[dict[str, Json]], object]] = {
    "fullUrl": lambda _all: None,
    "relative": lambda all_: (
        all_["patient"].update(id="p1"),
        all_["drug"].update(subject={"reference": "Patient/p1"}),
    ),
    "versioned": lambda all_: (
        all_["patient"].update(id="p1"),
        all_["drug"].update(subject={"reference": "Patient/p1/_history/3"}),
    ),
    "conditional": lambda all_: all_["drug"].update(
        subject={"reference": f"Patient?identifier={bundles.SID}/cccd|{bundles.PERSONAL_ID}"}
    ),
    "logical": lambda all_: all_["drug"].update(
        subject={"type": "Patient", "identifier": {"system": f"{bundles.SID}/cccd", "value": bundles.PERSONAL_ID}}
    ),
    "contained": lambda all_: all_["drug"].update(
        contained=[{"resourceType": "Medication", "id": "m", "code": all_["drug"].pop("medicationCodeableConcept")}],
        medicationReference={"reference": "#m"},
    ),
}


@pytest.mark.parametrize("change", REFERENCES.values(), ids=REFERENCES)
def test_references(change: Callable[[dict[str, Json]], object]) -> None:
    visit = only_visit(read(change=change)).arrival
    assert visit is not None
    assert [item.drug_name for one in visit.prescriptions or () for item in one.items] == ["Paracetamol 500mg"]


def test_b160_conditional_references_search_by_identifier_alone() -> None:
    message = read(change=lambda all_: all_["drug"].update(subject={"reference": "Patient?name=Ánh&birthdate=1985"}))
    assert "REFERENCE_UNRESOLVED" in [one[0] for one in problems(message, Effect.WARNS)]


def test_b160_circles_are_read_once() -> None:
    def circle(all_: dict[str, Json]) -> None:
        all_["glucose"]["hasMember"] = [ref("second")]
        all_["second"] = {**bundles.observation("2951-2", "Natri", "140", "mmol/L"), "hasMember": [ref("glucose")]}
        all_["visit"]["partOf"] = ref("visit")
        all_["main"]["evidence"] = [{"detail": [ref("main")]}]

    visit = only_visit(read(change=circle)).arrival
    assert visit is not None
    assert [one.name for report in visit.reports or () for one in report.results][-2:] == ["Glucose", "Natri"]


def test_b160_a_contained_resource_that_contains_another() -> None:
    nested = {"resourceType": "Medication", "id": "a", "contained": [{"resourceType": "Medication", "id": "b"}]}
    message = read(change=lambda all_: all_["drug"].update(contained=[nested]))
    assert "CONTAINED_NESTED" in [one[0] for one in problems(message, Effect.REJECTS)]


def test_b160_two_entries_of_one_full_url() -> None:
    document = bundles.bundle(bundles.everything())
    document["entry"][1]["fullUrl"] = document["entry"][0]["fullUrl"]
    told = problems(read_message(bundles.encoded(document)), Effect.REJECTS)
    assert ("FULL_URL_TWICE", None, "Bundle.entry[1].fullUrl") in told


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "put"])
def test_b160_methods_that_are_not_taken(method: str) -> None:
    document = bundles.bundle(bundles.everything())
    document["entry"][3]["request"]["method"] = method
    assert ("METHOD_REFUSED", 3) in [
        one[:2] for one in problems(read_message(bundles.encoded(document)), Effect.REJECTS)
    ]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: one.update(implicitRules="https://example.org/rules"), "IMPLICIT_RULES"),
        (lambda one: one.update(modifierExtension=[{"url": "u", "valueBoolean": True}]), "MODIFIER_EXTENSION"),
        (lambda one: one["dosageInstruction"][0].update(modifierExtension=[{"url": "u"}]), "MODIFIER_EXTENSION"),
        (lambda one: one.update(status="given"), "CODE_UNKNOWN"),
        (lambda one: one.update(medicationReference={"reference": "#x"}), "CHOICE_TWICE"),
        (lambda one: one.update(authoredOn=20261120), "ELEMENT_MALFORMED"),
        (lambda one: one.update(subject=[ref("patient")]), "ELEMENT_MALFORMED"),
        (lambda one: one.update(subject=ref("doctor")), "REFERENCE_WRONG_TYPE"),
    ],
)
def test_what_r4_tells_to_reject(change: Callable[[Json], object], code: str) -> None:
    message = read(change=lambda all_: change(all_["drug"]))
    assert code in [one[0] for one in problems(message, Effect.REJECTS)]
    refused = [entry.resource for entry in message.entries if entry.use is EntryUse.REFUSED]
    assert refused == ["MedicationRequest"]


def test_extensions_are_counted_and_passed_over_and_profiles_noted() -> None:
    def extend(all_: dict[str, Json]) -> None:
        all_["patient"]["extension"] = [{"url": "a", "extension": [{"url": "b"}, {"url": "c"}]}]
        all_["patient"]["_birthDate"] = {"extension": [{"url": "d"}]}
        all_["patient"]["meta"] = {"profile": ["http://fhir.hl7.org.vn/core/StructureDefinition/vn-core-patient"]}

    message = read(change=extend)
    assert message.profiles == ("http://fhir.hl7.org.vn/core/StructureDefinition/vn-core-patient",)
    assert message.extensions == 2
    assert ("EXTENSIONS_IGNORED", None) in [one[:2] for one in problems(message, Effect.NOTES)]


HELD: dict[str, tuple[Callable[[dict[str, Json]], object], SensitiveClass | None]] = {
    "label": (lambda all_: all_["drug"].update(meta={"security": [{"code": "HIV"}]}), SensitiveClass.HIV),
    "restricted": (
        lambda all_: all_["drug"].update(
            meta={"security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": "V"}]}
        ),
        None,
    ),
    "icd of another kind": (
        lambda all_: all_["drug"].update(reasonCode=[bundles.coded("http://hl7.org/fhir/sid/icd-10", "B20.0")]),
        SensitiveClass.HIV,
    ),
}


@pytest.mark.parametrize(("change", "sensitive"), HELD.values(), ids=HELD)
def test_sensitive_resources_are_held_back(
    change: Callable[[dict[str, Json]], object], sensitive: SensitiveClass | None
) -> None:
    message = read(change=change)
    held = [entry for entry in message.entries if entry.use is EntryUse.HELD_BACK]
    assert [one.resource for one in held] == ["MedicationRequest", "MedicationDispense"]
    assert {one.sensitive for one in held} == {sensitive}
    told = repr(message.units)
    assert "B20" not in told
    assert "Paracetamol" not in told


@pytest.mark.parametrize("status", ["registered", "preliminary", "partial"])
def test_results_that_are_not_final_do_not_stand_in_a_book(status: str) -> None:
    message = read(change=lambda all_: all_["report"].update(status=status))
    entry = next(one for one in message.entries if one.resource == "DiagnosticReport")
    assert (entry.use, entry.reason) == (EntryUse.IGNORED, "NOT_FINAL")


def test_an_observation_with_components() -> None:
    pressure = bundles.observation("85354-9", "Huyết áp", "1", "x")
    del pressure["valueQuantity"]
    pressure["component"] = [
        {"code": {"text": "Tâm thu"}, "valueQuantity": {"value": 120, "unit": "mmHg"}},
        {"code": {"text": "Tâm trương"}, "valueQuantity": {"value": 80, "unit": "mmHg"}},
    ]
    visit = only_visit(read(change=lambda all_: all_.update(pressure=pressure))).arrival
    assert visit is not None
    names = [(one.name, one.value_text) for report in visit.reports or () for one in report.results]
    assert ("Tâm thu", "120") in names
    assert ("Huyết áp", None) not in names


VALUES: list[tuple[str, Any, str | None, str | None]] = [
    ("valueString", "âm tính", "âm tính", None),
    ("valueString", "7.10", "7.10", "7.10"),
    ("valueInteger", 4, "4", "4"),
    ("valueBoolean", True, "true", None),
    ("valueCodeableConcept", {"text": "Dương tính"}, "Dương tính", None),
    ("valueRange", {"low": {"value": 1}, "high": {"value": 2}}, "1–2", None),
    ("valueRatio", {"numerator": {"value": 1}, "denominator": {"value": 80}}, "1:80", None),
    ("valueQuantity", {"value": 5, "comparator": "<", "unit": "U/L"}, "<5", None),
    ("valueDateTime", "2026-11-20", "2026-11-20", None),
]


@pytest.mark.parametrize(("name", "value", "text", "number"), VALUES)
def test_values_of_every_type(name: str, value: object, text: str | None, number: str | None) -> None:
    def replace(all_: dict[str, Json]) -> None:
        del all_["glucose"]["valueQuantity"]
        all_["glucose"][name] = value

    visit = only_visit(read(change=replace)).arrival
    assert visit is not None
    (result,) = (visit.reports or ())[-1].results
    assert result.value_text == text
    assert (None if result.value is None else str(result.value)) == number


def test_a_single_resource_and_what_it_refers_to() -> None:
    message = read_message(bundles.encoded({**bundles.everything()["drug"], "subject": {"reference": "Patient/p1"}}))
    (unit,) = message.units
    assert (unit.person, unit.patient, unit.visit) == (None, ("Patient/p1",), ("urn:uuid:visit",))
    assert [entry.use for entry in message.entries] == [EntryUse.RECORD]


def test_records_without_a_visit_stand_in_one_of_their_day() -> None:
    def without(all_: dict[str, Json]) -> None:
        del all_["glucose"]["encounter"]

    message = read("patient", "glucose", change=without)
    unit = only_visit(message)
    assert unit.arrival is not None
    assert (unit.arrival.kind_code, (unit.source_id or "")[:13]) == ("10", "day:20261120:")
    assert "NO_VISIT_NAMED" in [one[0] for one in problems(message, Effect.NOTES)]


def test_what_a_receipt_repeats_is_never_a_value() -> None:
    document = bundles.bundle(bundles.everything(), kind="batch")
    document["entry"][-1]["resource"]["resourceType"] = "Nguyễn Thị Hồng Ánh 001185012345"
    document["entry"].append({"request": {"method": "DELETE", "url": "0912345678"}})
    message = read_message(bundles.encoded(document))
    assert [entry.resource for entry in message.entries[-2:]] == ["", ""]
    told = " ".join(f"{one.vi} {one.en} {one.path}" for one in message.problems)
    assert not any(secret in told for secret in ("001185012345", "0912345678", "Ánh"))


@pytest.mark.parametrize("name", [b'"modifierExtension"', b'"modifier\\u0045xtension"', b'"\\u006dodifierExtension"'])
def test_a_modifier_is_found_however_its_name_is_written(name: bytes) -> None:
    body = bundles.message().replace(b'"lotNumber"', name + b': [{"url": "urn:x"}], "lotNumber"')
    assert FhirCode.MODIFIER_EXTENSION in {one.code for one in read_message(body).problems}


def test_b154_a_text_that_cannot_be_stored_is_refused_however_it_is_written() -> None:
    for escaped in (b"\\u0000", b"\\uD83D", b"\\udc00"):
        (problem,) = read_message(bundles.message().replace(b"AB12", b"AB12" + escaped)).problems
        assert (problem.code, problem.effect) == (FhirCode.JSON_TEXT, Effect.REJECTS)
        assert problem.path is not None
        assert problem.path.endswith("lotNumber")
    whole = read_message(bundles.message().replace(b"AB12", b"AB12\\ud83d\\ude00"))
    assert [one for one in whole.problems if one.effect is Effect.REJECTS] == []
