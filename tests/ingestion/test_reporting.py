"""A vendor's test batch is scored, and told what is missing, which codes are unknown and which units are odd."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.commands.batch import report_text
from app.ingestion import bundle_judging, fhir, judging, qd4750, reporting
from app.ingestion.units import NO_UNIT, UNKNOWN_UNIT, odd_unit
from tests.ingestion import messages
from tests.ingestion.fhir import bundles

NOW = datetime(2026, 11, 22, 3, tzinfo=UTC)
EVERYTHING = messages.message(**{name: [line] for name, line in messages.EVERY.items()})


def report(*bodies: bytes) -> dict[str, Any]:
    found = []
    for number, body in enumerate(bodies):
        message = qd4750.read_message(body)
        verdict = judging.judge_reading(message, facility_code=None, now=NOW, received_at=NOW)
        found.append(reporting.message_report(f"{number}.xml", message=message, verdict=verdict))
    return reporting.batch_body(found)


def test_a_complete_visit_has_every_point() -> None:
    found = report(EVERYTHING)
    assert (found["score"], found["missing"], found["wanted"]) == (100, [], [])
    assert (found["unknownCodes"], found["oddUnits"]) == ([], [])


def test_what_is_missing_is_told_by_table_and_field() -> None:
    found = report(messages.changed("XML1", DIA_CHI=None, DIEN_THOAI=None))
    assert {"table": "XML1", "field": "DIA_CHI", "visits": 1} in found["missing"]
    assert {"table": "XML1", "field": "DIEN_THOAI", "visits": 1} in found["wanted"]
    assert {"table": "XML8", "visits": 1} in found["wanted"]
    assert {"table": "XML1", "field": "DIA_CHI", "visits": 1} not in found["wanted"]
    assert found["score"] == 100 - 3 - 1 - 1


def test_unknown_codes_are_told_with_their_list() -> None:
    found = report(messages.changed("XML1", MA_LOAI_KCB="77"), messages.changed("XML4", MA_CHI_SO="BC-1"))
    told = {(one["field"], one["code"], one["list"]) for one in found["unknownCodes"]}
    assert told == {("MA_LOAI_KCB", "77", "visit-kind"), ("MA_CHI_SO", "BC-1", "test-index")}
    assert found["score"] < report(messages.message())["score"]


def test_a_department_with_a_sub_code_is_known() -> None:
    assert report(messages.changed("XML1", MA_KHOA="K16.1;K0809"))["unknownCodes"] == []


@pytest.mark.parametrize(("unit", "reason"), [("con", UNKNOWN_UNIT), ("", NO_UNIT)])
def test_odd_units_are_told_with_their_reason(unit: str, reason: object) -> None:
    found = report(messages.changed("XML4", MA_CHI_SO="WBC", DON_VI_DO=unit))
    [odd] = found["oddUnits"]
    assert (odd["index"], odd["unit"], odd["vi"]) == ("WBC", unit, getattr(reason, "vi", None))


@pytest.mark.parametrize(
    ("code", "unit", "odd"),
    [
        ("WBC", "G/L", False),
        ("WBC", "10^9/L", False),
        ("WBC", "10*9/L", False),
        ("6690-2", "10*3/uL", False),
        ("98979-8", "mL/min/{1.73_m2}", False),
        ("8867-4", "{beats}/min", False),
        ("39156-5", "kg/m2", False),
        ("1742-6", "[iU]/L", False),
        ("8310-5", "con", True),
        ("WBC", "K/uL", False),
        ("WBC", "mmol/L", True),
        ("GLU", "mmol/L", False),
        ("GLU", "mg/dL", False),
        ("GLU", "U/L", True),
        ("CRE", "µmol/L", False),
        ("CRE", "μmol/L", False),
        ("HGB", "g/L", False),
        ("HGB", "G/L", True),
        ("HbA1c", "%", False),
        ("1000201", "G/L", False),
        (None, "mmol/L", False),
        ("GLU", "mmol", True),
    ],
)
def test_units(code: str | None, unit: str, *, odd: bool) -> None:
    assert (odd_unit(unit, code=code, is_number=True) is not None) is odd


@pytest.mark.parametrize(("code", "odd"), [("pH", False), ("HBsAg", False), ("GLU", True), (None, True)])
def test_a_number_without_a_unit(code: str | None, *, odd: bool) -> None:
    assert (odd_unit(None, code=code, is_number=True) is not None) is odd
    assert odd_unit(None, code=code, is_number=False) is None


def test_rejected_and_quarantined_visits_weigh() -> None:
    rejected = messages.changed("XML1", NGAY_VAO="yesterday")
    quarantined = messages.changed("XML1", SO_CCCD="", MA_THE_BHYT="")
    found = report(EVERYTHING, rejected, quarantined)
    assert [one["score"] for one in found["files"]][:2] == [100, 0]
    assert 0 < found["files"][2]["score"] <= 40
    assert found["score"] == sum(one["score"] for one in found["files"]) // 3


def test_a_rejected_envelope_has_no_points() -> None:
    assert report(b"<a/>")["score"] == 0
    assert report(EVERYTHING.replace(b"<MACSKCB>01901", b"<MACSKCB>0190"))["score"] == 0


def test_each_table_has_its_number_and_its_grade() -> None:
    found = report(EVERYTHING, messages.changed("XML4", MA_CHI_SO="WBC", DON_VI_DO="con"))
    tables = {one["table"]: one for one in found["tables"]}
    assert {"XML1", "XML2", "XML3", "XML4", "XML8"} <= tables.keys()
    assert (tables["XML2"]["score"], tables["XML2"]["grade"], tables["XML2"]["visits"]) == (100, "A", 2)
    assert (tables["XML4"]["oddUnits"], tables["XML4"]["grade"]) == (1, "B" if tables["XML4"]["score"] < 90 else "A")
    assert tables["XML4"]["score"] < 100
    assert (tables["XML8"]["visits"], tables["XML8"]["wanted"]) == (1, 1)
    rejected = report(messages.changed("XML1", NGAY_VAO="yesterday"))
    assert {one["grade"] for one in rejected["tables"]} == {rejected["grade"]} == {"D"}


@pytest.mark.parametrize(
    ("score", "letter"), [(100, "A"), (90, "A"), (89, "B"), (75, "B"), (74, "C"), (49, "D"), (0, "D")]
)
def test_grades(score: int, letter: str) -> None:
    assert reporting.grade(score) == letter


def of_bundle(body: bytes) -> dict[str, Any]:
    message = fhir.read_message(body)
    verdict = bundle_judging.judge_bundle(message, facility_code=None, now=NOW)
    return reporting.batch_body([reporting.bundle_report("one.json", message=message, verdict=verdict)])


def test_a_bundle_is_scored_by_its_resources() -> None:
    whole = of_bundle(bundles.message())
    assert (whole["score"], whole["missing"], whole["wanted"]) == (100, [], [])
    assert {"Patient", "Encounter", "DiagnosticReport", "Observation"} <= {one["table"] for one in whole["tables"]}

    def spoil(all_: dict[str, Any]) -> None:
        del all_["patient"]["telecom"]
        del all_["glucose"]["status"]
        all_["weight"]["valueQuantity"]["unit"] = "con"

    found = of_bundle(bundles.message(kind="batch", change=spoil))
    assert {"table": "Observation", "field": "status", "visits": 1} in found["missing"]
    assert {"table": "Patient", "field": "telecom", "visits": 1} in found["wanted"]
    assert 0 < found["score"] < 100
    text = report_text(found)
    assert "Observation status" in text
    assert "Từng bảng / Each table" in text
    assert "Hồng Ánh" not in str(found) + text


def test_a_report_holds_no_value_of_a_person() -> None:
    text = str(report(EVERYTHING, messages.changed("XML1", MA_DANTOC="777")))
    for secret in ("Hồng Ánh", "001185012345", "GD4010112345678", "0912345678", "Quán Sứ", "11.8"):
        assert secret not in text


def test_the_text_is_in_both_languages_and_tells_the_rule() -> None:
    text = report_text(report(messages.changed("XML4", DON_VI_DO="con"), b"<a/>"))
    assert "ĐIỂM CỦA LÔ / SCORE OF THE BATCH" in text
    assert "no unit that laboratories usually write" in text
    assert "không phải đơn vị" in text
    assert reporting.HOW.vi in text
    assert reporting.HOW.en in text
