"""What stands beside an element is not lost for it, and what the book cannot show is told in the receipt."""

import base64
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from app.core.clock import VIETNAM_TIME
from app.ingestion.fhir import EntryUse, FhirMessage, read_message
from app.ingestion.verdict import Effect
from app.records import arrivals
from app.records.arrivals import PrescriptionItemArrival, VisitArrival
from app.records.clinical import AllergyArrival, Certainty, ConditionArrival, VaccinationArrival
from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json, coded, ref

Change = Callable[[dict[str, Json]], object]


def read(change: Change) -> FhirMessage:
    message = read_message(bundles.message(change=change))
    assert [one for one in message.problems if one.effect is Effect.REJECTS] == []
    return message


def visit_of(message: FhirMessage) -> VisitArrival:
    (visit,) = [unit.arrival for unit in message.units if unit.arrival is not None]
    return visit


def noted(message: FhirMessage) -> list[tuple[str, str | None]]:
    return [
        (str(one.code), one.path) for one in message.problems if one.code in {"CONTENT_NOT_SHOWN", "MOMENT_PARTIAL"}
    ]


def glucose_report(message: FhirMessage) -> arrivals.TestReportArrival:
    return next(one for one in visit_of(message).reports or () if one.service_name == "Định lượng Glucose")


def drug(message: FhirMessage) -> PrescriptionItemArrival:
    ((item,),) = [one.items for one in visit_of(message).prescriptions or ()]
    return item


def test_a_reaction_is_its_manifestations_and_its_description() -> None:
    reaction = {
        "manifestation": [{"text": "Nổi mề đay"}, coded("http://snomed.info/sct", "271807003", "Phát ban")],
        "description": "Ngay sau tiêm",
    }
    message = read(lambda all_: all_["allergy"].update(reaction=[reaction, {"manifestation": [{"text": "Khó thở"}]}]))
    (allergy,) = [one for unit in message.units for one in unit.clinical if isinstance(one, AllergyArrival)]

    assert [one.description for one in allergy.reactions] == ["Nổi mề đay; Phát ban; Ngay sau tiêm", "Khó thở"]


@pytest.mark.parametrize(
    ("told", "expected"),
    [("2027-02", date(2027, 2, 28)), ("2028", date(2028, 12, 31)), ("2027-02-03", date(2027, 2, 3))],
)
def test_a_vaccine_is_good_to_the_end_of_the_month_that_is_told(told: str, expected: date) -> None:
    message = read(lambda all_: all_["shot"].update(expirationDate=told))
    (dose,) = [one for unit in message.units for one in unit.clinical if isinstance(one, VaccinationArrival)]

    assert dose.expires_on == expected


DOSAGES: list[Json] = [
    {
        "text": "Sáng 1 viên",
        "route": {"text": "Uống"},
        "patientInstruction": "Sau ăn",
        "additionalInstruction": [{"text": "Không uống rượu"}],
    },
    {"text": "Tối 2 viên", "route": {"text": "Uống"}, "patientInstruction": "Sau ăn"},
]


def test_every_dosage_of_a_drug_is_told() -> None:
    message = read(lambda all_: all_["drug"].update(dosageInstruction=DOSAGES, note=[{"text": "Đủ 7 ngày"}]))
    item = drug(message)

    assert (item.dose, item.route_code) == ("Sáng 1 viên; Tối 2 viên", "Uống")
    assert item.instruction == "Sau ăn; Không uống rượu; Đủ 7 ngày"


def test_a_route_with_a_code_of_the_national_list_is_that_code() -> None:
    route = {"coding": [{"system": "http://snomed.info/sct", "code": "26643006", "display": "Oral"}], "text": "Uống"}
    national = {"coding": [*route["coding"], {"system": "urn:qd4750:ma-duong-dung", "code": "1.01"}], "text": "Uống"}

    for told, expected in ((route, "Uống"), (national, "1.01"), ({"coding": [{"code": "PO"}]}, "PO")):
        message = read(lambda all_, told=told: all_["drug"].update(dosageInstruction=[{"text": "x", "route": told}]))  # type: ignore[misc]
        assert drug(message).route_code == expected


def absent(**words: Any) -> Change:
    def change(all_: dict[str, Json]) -> None:
        del all_["glucose"]["valueQuantity"]
        all_["glucose"].update(words)

    return change


def test_why_there_is_no_result_stands_in_its_place() -> None:
    reason = coded("http://terminology.hl7.org/CodeSystem/data-absent-reason", "not-performed", "Mẫu bị vỡ")
    (result,) = glucose_report(read(absent(dataAbsentReason=reason))).results

    assert (result.value_text, result.value, result.unit) == ("Mẫu bị vỡ", None, None)


def test_a_component_tells_why_it_has_no_value_and_a_panel_does_not() -> None:
    reason = {"text": "Không đo được"}
    parts = [{"code": {"text": "Tâm thu"}, "valueInteger": 120}, {"code": {"text": "B"}, "dataAbsentReason": reason}]
    message = read(absent(component=parts, dataAbsentReason=reason))

    assert [(one.name, one.value_text) for one in glucose_report(message).results] == [
        ("Tâm thu", "120"),
        ("B", "Không đo được"),
    ]


def test_notes_of_results_stand_in_the_description() -> None:
    again = {**bundles.observation("2345-7", "Glucose lần 2", "5.9", "mmol/L"), "note": [{"text": "Mẫu tan huyết"}]}

    def change(all_: dict[str, Json]) -> None:
        all_["glucose"]["note"] = [{"text": "Đã làm lại"}]
        all_["again"] = again
        all_["report"]["result"] = [ref("glucose"), ref("again")]

    def alone(all_: dict[str, Json]) -> None:
        all_["glucose"]["note"] = [{"text": "Đã làm lại"}]
        del all_["report"]

    assert glucose_report(read(change)).description == "Glucose: Đã làm lại\nGlucose lần 2: Mẫu tan huyết"
    assert [one.description for one in visit_of(read(alone)).reports or () if one.key.startswith("obs:")] == [
        "Đã làm lại"
    ]


def test_a_conclusion_keeps_its_codes_in_words() -> None:
    codes = [{"text": "Bình thường"}, {"text": "Không cần làm lại"}]

    assert glucose_report(read(lambda all_: all_["report"].update(conclusionCode=codes))).conclusion == (
        "Bình thường; Không cần làm lại"
    )


def form(kind: str, text: str) -> Json:
    return {"contentType": kind, "data": base64.b64encode(text.encode()).decode()}


def test_forms_of_a_report_are_shown_as_text_or_told() -> None:
    forms = [form("application/pdf", "%PDF-"), form("text/plain; charset=utf-8", "Hai phổi sáng")]
    message = read(lambda all_: all_["picture"].update(presentedForm=forms))
    (picture,) = [one for one in visit_of(message).reports or () if one.service_name == "Chụp Xquang ngực thẳng"]

    assert picture.description == "Hai phổi sáng"
    ((code, path),) = noted(message)
    assert (code, str(path).endswith(".resource.presentedForm[0]")) == ("CONTENT_NOT_SHOWN", True)


def test_a_signal_that_is_not_shown_is_told() -> None:
    message = read(absent(valueSampledData={"origin": {"value": 0}, "period": 1, "dimensions": 1, "data": "1 2"}))

    assert glucose_report(message).results[0].value_text is None
    ((code, path),) = noted(message)
    assert (code, str(path).endswith(".valueSampledData")) == ("CONTENT_NOT_SHOWN", True)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("glucose", "effectiveDateTime"),
        ("report", "effectiveDateTime"),
        ("drug", "authoredOn"),
        ("procedure", "performedDateTime"),
    ],
)
@pytest.mark.parametrize(("told", "is_partial"), [("2026", True), ("2026-11", True), ("2026-11-20", False)])
def test_a_moment_of_which_the_day_is_not_known_is_told(name: str, path: str, told: str, is_partial: bool) -> None:  # noqa: FBT001
    message = read(lambda all_: all_[name].update({path: told}))

    found = [str(where).rpartition(".")[2] for code, where in noted(message) if code == "MOMENT_PARTIAL"]
    assert found == ([path] if is_partial else [])


def test_a_visit_of_which_the_day_is_not_known_is_told() -> None:
    message = read(lambda all_: all_["visit"].update(period={"start": "2026-11", "end": "2026-11-20"}))

    assert [str(path).rpartition(".resource.")[2] for _, path in noted(message)] == ["period.start"]


def test_a_time_of_birth_that_is_read_is_no_extension_that_is_passed_over() -> None:
    time = {
        "url": "http://hl7.org/fhir/StructureDefinition/patient-birthTime",
        "valueDateTime": "1985-03-12T05:00:00+07:00",
    }
    message = read(lambda all_: all_["patient"].update(_birthDate={"extension": [time]}))

    assert message.extensions == 0
    assert visit_of(message).person.born_at is not None


DISPOSITION = "dischargeDisposition"
DISEASE = "protocolApplied[0].targetDisease"
NOT_SHOWN: list[tuple[str, Json, list[str]]] = [
    ("procedure", {"outcome": {"text": "Thành công"}, "note": [{"text": "Chảy máu ít"}]}, ["note", "outcome"]),
    ("procedure", {"followUp": [{"text": "Cắt chỉ sau 7 ngày"}]}, ["followUp"]),
    ("long", {"abatementString": "Sau mổ"}, ["abatementString"]),
    ("long", {"stage": [{"summary": {"text": "Giai đoạn II"}}]}, ["stage[0].summary"]),
    ("allergy", {"reaction": [{"manifestation": [{"text": "Mề đay"}], "note": [{"text": "x"}]}]}, ["reaction[0].note"]),
    ("shot", {"isSubpotent": True}, ["isSubpotent"]),
    ("shot", {"isSubpotent": False}, []),
    ("procedure", {"occurrencePeriod": {"start": "2026-11-19"}}, ["occurrencePeriod"]),
    ("visit", {"reason": [{"value": [{"concept": {"text": "Ho"}}]}]}, ["reason"]),
    ("drug", {"reasonCode": [{"text": "Đau đầu"}]}, ["reasonCode"]),
    ("drug", {"reasonReference": [{"display": "Đau đầu"}]}, ["reasonReference"]),
    ("drug", {"reasonReference": [ref("main")]}, []),
    ("drug", {"substitution": {"allowedBoolean": False, "reason": {"text": "Dị ứng"}}}, ["substitution.reason"]),
    ("dispense", {"daysSupply": {"value": 5, "unit": "ngày"}}, ["daysSupply"]),
    ("allergy", {"onsetString": "Từ nhỏ", "lastOccurrence": "2021"}, ["onsetString"]),
    ("procedure", {"usedCode": [{"text": "Stent phủ thuốc"}]}, ["usedCode"]),
    ("shot", {"protocolApplied": [{"targetDisease": [{"text": "Cúm"}], "doseNumberPositiveInt": 1}]}, [DISEASE]),
    ("specimen", {"condition": [{"text": "Tan máu"}]}, ["condition"]),
    ("paper", {"relatesTo": [{"code": "replaces", "target": ref("binary")}]}, ["relatesTo"]),
    ("drug", {"dosageInstruction": [{"asNeededBoolean": True}]}, ["dosageInstruction[0].asNeededBoolean"]),
    ("drug", {"dosageInstruction": [{"text": "Khi đau", "asNeededBoolean": True}]}, []),
    ("dispense", {"note": [{"text": "Đã đổi biệt dược"}]}, ["note"]),
    ("glucose", {"method": {"text": "Test nhanh"}, "bodySite": {"text": "Tay"}}, ["bodySite", "method"]),
    ("main", {"note": [{"text": "Tái phát lần 3"}]}, ["note"]),
    ("revisit", {"patientInstruction": "Nhịn ăn sáng"}, ["patientInstruction"]),
    ("main", {"verificationStatus": coded("x", "provisional")}, ["verificationStatus"]),
    ("visit", {"type": [coded("http://snomed.info/sct", "410620009", "Khám trẻ khỏe")]}, ["type"]),
    ("visit", {"diagnosis": [{"condition": {"display": "Viêm họng"}}]}, ["diagnosis[0].condition.display"]),
    ("patient", {"deceasedBoolean": True}, ["deceasedBoolean"]),
    ("procedure", {"performedString": "Hôm qua"}, ["performedString"]),
    ("report", {"result": [{"display": "Glucose 5.6"}]}, ["result[0].display"]),
    ("paper", {"content": [{"attachment": {"contentType": "text/plain", "data": "!!!"}}]}, ["content[0].attachment"]),
    ("visit", {"hospitalization": {DISPOSITION: {"text": "Về với gia đình"}}}, [f"hospitalization.{DISPOSITION}"]),
    ("visit", {"hospitalization": {DISPOSITION: {"coding": [{"code": "home"}]}}}, []),
]  # fmt: skip


@pytest.mark.parametrize(("name", "told", "places"), NOT_SHOWN)
def test_what_no_field_of_the_book_holds_is_told(name: str, told: Json, places: list[str]) -> None:
    message = read(lambda all_: all_[name].update(told))

    assert [str(path).partition(".resource.")[2] for code, path in noted(message) if "SHOWN" in code] == places


def test_words_of_a_diagnosis_without_a_code_stand_with_those_of_the_first() -> None:
    message = read(lambda all_: all_["other"].update(code={"text": "Suy nhược sau sốt"}))

    assert visit_of(message).discharge_diagnosis == "Viêm họng cấp, không đặc hiệu; Suy nhược sau sốt"


def test_when_a_condition_had_gone_is_the_end_of_that_time() -> None:
    gone = {"start": "2024-01-01", "end": "2024-03-02"}
    message = read(lambda all_: all_["long"].update(abatementPeriod=gone))
    (found,) = [one for unit in message.units for one in unit.clinical if isinstance(one, ConditionArrival)]

    assert found.abated_at is not None
    assert found.abated_at.astimezone(VIETNAM_TIME).date() == date(2024, 3, 2)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        ({"low": {"value": 1}, "high": {"value": 2, "unit": "viên"}}, "1–2 viên"),
        ({"high": {"value": 2, "unit": "viên"}}, "≤2 viên"),
        ({"low": {"value": 1, "unit": "viên"}}, "≥1 viên"),
    ],
)
def test_a_dose_between_two_amounts_is_shown(ends: Json, expected: str) -> None:
    message = read(lambda all_: all_["drug"].update(dosageInstruction=[{"doseAndRate": [{"doseRange": ends}]}]))

    assert drug(message).dose == expected


def test_a_diagnosis_that_is_refuted_stands_by_itself_as_refuted() -> None:
    message = read(lambda all_: all_["other"].update(id="c-2", verificationStatus=coded("x", "refuted")))

    assert [one.code for one in visit_of(message).diagnoses] == ["J02.9"]
    assert ("Tăng huyết áp", Certainty.REFUTED) in [
        (one.name, one.certainty)
        for unit in message.units
        for one in unit.clinical
        if isinstance(one, ConditionArrival)
    ]


def test_a_state_in_words_alone_is_not_passed_over_silently() -> None:
    message = read(lambda all_: all_["allergy"].update(clinicalStatus={"text": "Đang có"}))

    assert [(str(one.code), str(one.path).rpartition(".")[2]) for one in message.problems] == [
        ("CODE_UNKNOWN", "clinicalStatus")
    ]


def test_a_result_that_is_not_in_the_message_is_told() -> None:
    message = read(lambda all_: all_["report"].update(result=[{"reference": "Observation/sent-before"}]))

    assert [str(one.code) for one in message.problems if one.effect is Effect.WARNS] == ["RESULT_APART"]


@pytest.mark.parametrize(
    ("name", "told", "path"),
    [
        ("drug", {"medicationCodeableConcept": {"coding": [{"system": "urn:x"}]}}, "medicationCodeableConcept.text"),
        ("drug", {"medicationCodeableConcept": None, "medicationReference": ref("none")}, "medicationReference"),
        ("shot", {"vaccineCode": {"coding": [{"system": "urn:x"}]}}, "vaccineCode.text"),
    ],
)  # fmt: skip
def test_what_has_no_name_is_not_filed(name: str, told: Json, path: str) -> None:
    message = read_message(bundles.message(change=lambda all_: all_[name].update(told)))

    rejected = [one for one in message.problems if one.effect is Effect.REJECTS]
    assert [str(one.path).partition(".resource.")[2] for one in rejected] == [path]
    index = rejected[0].entry
    assert [one.use for one in message.entries if one.index == index] == [EntryUse.REFUSED]


def test_what_is_read_twice_is_wrong_once() -> None:
    message = read_message(bundles.message(change=lambda all_: all_["glucose"]["valueQuantity"].update(value="5,6")))

    assert [str(one.code) for one in message.problems if one.effect is Effect.REJECTS] == ["ELEMENT_MALFORMED"]


def test_a_uuid_in_capitals_is_the_same() -> None:
    mark = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f1"
    body = bundles.message().decode().replace("urn:uuid:main", f"urn:uuid:{mark}")
    body = body.replace(f'"fullUrl": "urn:uuid:{mark}"', f'"fullUrl": "urn:uuid:{mark.upper()}"')

    assert mark.upper() in body
    assert [one.code for one in visit_of(read_message(body.encode())).diagnoses] == ["J02.9", "I10"]


def test_manifestations_as_r5_writes_them_are_shown_and_a_reaction_without_words_is_told() -> None:
    r5 = {"manifestation": [{"concept": {"text": "Phát ban da"}}, {"text": "Khó thở"}], "severity": "severe"}
    message = read(
        lambda all_: all_["allergy"].update(reaction=[r5, {"manifestation": [{"coding": [{}]}], "severity": "severe"}])
    )
    (allergy,) = [one for unit in message.units for one in unit.clinical if isinstance(one, AllergyArrival)]

    assert [one.description for one in allergy.reactions] == ["Phát ban da; Khó thở"]
    assert [str(path).partition(".resource.")[2] for _, path in noted(message)] == ["reaction[1]"]


def test_a_drug_that_has_no_name_is_called_by_what_it_is_made_of() -> None:
    def change(all_: dict[str, Json]) -> None:
        del all_["drug"]["medicationCodeableConcept"]
        made = [{"itemCodeableConcept": {"text": name}} for name in ("Amoxicillin", "Acid clavulanic")]
        all_["drug"]["contained"] = [{"resourceType": "Medication", "id": "m", "ingredient": made}]
        all_["drug"]["medicationReference"] = {"reference": "#m"}

    (drug,) = [one for made in visit_of(read(change)).prescriptions or () for one in made.items][:1]
    assert drug.drug_name == "Amoxicillin + Acid clavulanic"


def test_a_drug_without_any_name_is_refused() -> None:
    def change(all_: dict[str, Json]) -> None:
        del all_["drug"]["medicationCodeableConcept"]
        all_["drug"]["contained"] = [{"resourceType": "Medication", "id": "m"}]
        all_["drug"]["medicationReference"] = {"reference": "#m"}

    message = read_message(bundles.message(change=change))
    told = [(str(one.code), str(one.path)) for one in message.problems if one.effect is Effect.REJECTS]
    assert [(code, path.rpartition(".")[2]) for code, path in told] == [("ELEMENT_MISSING", "medication[x]")]


def test_what_a_composition_tells_in_words_alone_is_told() -> None:
    def section(**told: object) -> Json:
        return {"text": {"status": "generated", "div": "<div>Ra viện ổn định</div>"}, **told}

    def compose(all_: dict[str, Json]) -> None:
        all_["summary"] = {
            "resourceType": "Composition",
            "status": "final",
            "type": {"text": "Tóm tắt ra viện"},
            "subject": ref("patient"),
            "date": "2026-11-20",
            "author": [ref("doctor")],
            "title": "Tóm tắt",
            "section": [
                section(entry=[ref("glucose")]),
                section(emptyReason=coded("x", "nilknown")),
                section(section=[section()]),
            ],
        }

    shown = [str(path).partition(".resource.")[2] for code, path in noted(read(compose)) if "SHOWN" in code]
    assert shown == ["section[2].text", "section[2].section[0].text"]


CARD = {"subscriberId": "gd4010112345679"}


@pytest.mark.parametrize(
    ("told", "is_used"),
    [
        (CARD, True),
        ({**CARD, "relationship": coded("x", "self")}, True),
        ({**CARD, "relationship": coded("x", "child")}, False),
        ({**CARD, "subscriber": {"reference": "Patient/mother"}}, False),
        ({"subscriberId": "0112345679"}, False),  # ten digits are another insurer's as well
    ],
)
def test_b161_the_number_of_a_subscriber_who_is_somebody_else_names_nobody(told: Json, is_used: bool) -> None:  # noqa: FBT001
    def insure(all_: dict[str, Json]) -> None:
        about = {"resourceType": "Coverage", "status": "active", "payor": [{"display": "x"}]}
        all_["coverage"] = {**about, "beneficiary": ref("patient"), **told}

    person = visit_of(read(insure)).person
    assert ("GD4010112345679" in {card.number for card in person.insurance_cards}) is is_used
    assert len(person.insurance_cards) == 1 + is_used
