"""The grouping of drugs and results, services and supplies, and what a missing table means."""

from datetime import UTC, datetime
from decimal import Decimal
from itertools import permutations

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.verdict import Effect
from app.records import arrivals
from tests.ingestion.messages import DRUG, RESULT, SERVICE, VISIT, Fields, changed, message
from tests.ingestion.qd4750.readings import only_arrival, only_visit, told


def drug(number: int, *, at: str = "202611200900", by: str = "001234/BYT-CCHN") -> Fields:
    return {**DRUG, "STT": str(number), "TEN_THUOC": f"Thuốc {number}", "NGAY_YL": at, "MA_BAC_SI": by}


def result(number: int, **changes: str) -> Fields:
    return {**RESULT, "STT": str(number), "TEN_CHI_SO": f"Chỉ số {number}", **changes}


@pytest.mark.parametrize(("table", "name"), [("XML2", "prescriptions"), ("XML3", "services"), ("XML4", "reports")])
def test_a_table_that_is_not_sent_is_not_an_empty_one(table: str, name: str) -> None:
    assert getattr(only_arrival(message(XML1=[VISIT])), name) is None
    assert getattr(only_arrival(message(XML1=[VISIT], **{table: []})), name) == ()


def test_drugs_are_grouped_by_day_and_clinician() -> None:
    lines = [
        drug(1, at="202611202330"),
        drug(2, at="202611210005"),
        drug(3, at="202611200700"),
        drug(4, at="202611200700", by="002/HCM-CCHN;003/HCM-CCHN"),
        drug(5, by=""),
    ]
    prescriptions = only_arrival(message(XML1=[VISIT], XML2=lines)).prescriptions or ()

    assert [(one.key, [item.line for item in one.items]) for one in prescriptions] == [
        ("rx:20261120:001234/BYT-CCHN", [1, 3]),
        ("rx:20261120:002/HCM-CCHN;003/HCM-CCHN", [4]),
        ("rx:20261120:-", [5]),
        ("rx:20261121:001234/BYT-CCHN", [2]),
    ]
    assert prescriptions[0].ordered_at == datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    assert (prescriptions[1].prescriber_certificate, prescriptions[2].prescriber_certificate) == (
        "002/HCM-CCHN;003/HCM-CCHN",
        None,
    )


def test_b170_the_order_of_lines_does_not_change_the_keys() -> None:
    lines = [drug(1), drug(2, at="202611210900"), drug(3, by="x"), drug(4)]
    keys = {
        tuple(one.key for one in only_arrival(message(XML1=[VISIT], XML2=list(order))).prescriptions or ())
        for order in permutations(lines)
    }

    assert len(keys) == 1


def test_a_quantity_may_have_three_decimals() -> None:
    visit = only_visit(changed("XML2", SO_LUONG="0.2805", HAM_LUONG="", CACH_DUNG=""))

    assert visit.arrival is not None
    assert visit.arrival.prescriptions is not None
    item = visit.arrival.prescriptions[0].items[0]
    assert (item.quantity, item.strength, item.instruction) == (Decimal("0.281"), None, None)
    assert told(visit, Effect.WARNS) == [
        (ProblemCode.FIELD_MISSING, "XML2", 1, "HAM_LUONG"),
        (ProblemCode.NUMBER_ROUNDED, "XML2", 1, "SO_LUONG"),
    ]


def test_services_and_supplies() -> None:
    supply = {
        **SERVICE,
        "STT": "2",
        "MA_VAT_TU": "N03.02",
        "TEN_VAT_TU": "Kim",
        "TEN_DICH_VU": "",
        "MA_NHOM": "10",
    }
    both = {**SERVICE, "STT": "3", "MA_VAT_TU": "N03.03", "MA_NHOM": "10"}
    services = only_arrival(message(XML1=[VISIT], XML3=[SERVICE, supply, both])).services or ()

    assert [(one.code, one.name, one.group_code) for one in services] == [
        ("22.0120.1370", SERVICE["TEN_DICH_VU"], "1"),
        ("N03.02", "Kim", "10"),
        ("N03.03", SERVICE["TEN_DICH_VU"], "10"),
    ]


def test_a_service_without_any_name_rejects() -> None:
    visit = only_visit(changed("XML3", TEN_DICH_VU=""))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.SERVICE_NAME_MISSING, "XML3", 1, "TEN_DICH_VU")]


def test_results_are_grouped_by_service_and_moment() -> None:
    lines = [
        result(1),
        result(2, MA_DICH_VU="23.0075", NGAY_KQ="202611200915"),
        result(3),
        result(4, NGAY_KQ="202611201000"),
        result(5, MA_DICH_VU="", NGAY_KQ="202611200915"),
    ]
    reports = only_arrival(message(XML1=[VISIT], XML4=lines)).reports or ()

    assert [(report.key, [one.line for one in report.results]) for report in reports] == [
        ("test:-:202611200915", [5]),
        ("test:23.0075:202611200915", [2]),
        ("test:22.0120.1370:202611200925", [1, 3]),
        ("test:22.0120.1370:202611201000", [4]),
    ]


@pytest.mark.parametrize(
    ("group", "category"),
    [
        ("1", arrivals.TestCategory.LABORATORY),
        ("01", arrivals.TestCategory.LABORATORY),
        ("2", arrivals.TestCategory.IMAGING),
        ("3", arrivals.TestCategory.FUNCTIONAL),
        ("8", arrivals.TestCategory.OTHER),
    ],
)
def test_a_report_takes_kind_and_name_from_its_service(group: str, category: arrivals.TestCategory) -> None:
    (report,) = only_arrival(changed("XML3", MA_NHOM=group)).reports or ()

    assert (report.category, report.service_name) == (category, SERVICE["TEN_DICH_VU"])


def test_a_paraclinical_line_names_the_service_before_another() -> None:
    used = {**SERVICE, "STT": "1", "MA_VAT_TU": "N03", "TEN_VAT_TU": "Kim", "MA_NHOM": "10"}
    other = {**SERVICE, "STT": "2", "MA_NHOM": "19", "TEN_DICH_VU": "Khác"}
    right = {**SERVICE, "STT": "3", "MA_NHOM": "2", "TEN_DICH_VU": "Siêu âm"}
    (report,) = only_arrival(message(XML1=[VISIT], XML3=[used, other, right], XML4=[RESULT])).reports or ()

    assert (report.category, report.service_name) == (arrivals.TestCategory.IMAGING, "Siêu âm")


def test_without_its_service_a_report_with_values_is_a_laboratory_s() -> None:
    lines = [result(1), result(2, MA_DICH_VU="9", GIA_TRI="", NGAY_KQ="", KET_LUAN="Bình thường")]
    laboratory, other = only_arrival(message(XML1=[VISIT], XML4=lines)).reports or ()

    assert (laboratory.category, laboratory.service_name) == (arrivals.TestCategory.LABORATORY, None)
    assert other.category is arrivals.TestCategory.OTHER


@pytest.mark.parametrize(
    ("kind", "at"),
    [
        ("01", datetime(2026, 11, 20, 3, 30, tzinfo=UTC)),
        ("03", datetime(2026, 11, 20, 3, 30, tzinfo=UTC)),
        ("05", datetime(2026, 11, 20, 1, 15, tzinfo=UTC)),  # NGAY_RA is the last day of medicine
    ],
)
def test_a_result_without_a_time_stands_at_the_visit(kind: str, at: datetime) -> None:
    line = result(1, GIA_TRI="", NGAY_KQ="", KET_LUAN="Nhịp xoang")
    (report,) = only_arrival(message(XML1=[{**VISIT, "MA_LOAI_KCB": kind}], XML4=[line])).reports or ()

    assert (report.key, report.resulted_at) == ("test:22.0120.1370:-", at)


def test_a_value_needs_its_time() -> None:
    visit = only_visit(changed("XML4", NGAY_KQ=""))

    assert visit.arrival is None
    assert told(visit, Effect.REJECTS) == [(ProblemCode.RESULT_TIME_MISSING, "XML4", 1, "NGAY_KQ")]


def test_values_are_kept_as_sent_and_as_numbers_where_plain() -> None:
    texts = ["11.80", "5,6", "< 0.5", "Âm tính", "-1.5", "1e3"]
    visit = only_visit(message(XML1=[VISIT], XML4=[result(number, GIA_TRI=text) for number, text in enumerate(texts)]))

    assert visit.arrival is not None
    assert visit.arrival.reports is not None
    read = visit.arrival.reports[0].results
    assert [one.value_text for one in read] == texts
    assert [one.value for one in read] == [Decimal("11.80"), None, None, None, Decimal("-1.5"), None]
    assert told(visit, Effect.WARNS) == [(ProblemCode.RESULT_COMMA, "XML4", 2, "GIA_TRI")]


def test_texts_of_a_report_are_joined_and_led_by_their_index() -> None:
    same = [result(1, KET_LUAN="Bình thường"), result(2, KET_LUAN="Bình thường"), result(3)]
    (report,) = only_arrival(message(XML1=[VISIT], XML4=same)).reports or ()
    assert (report.conclusion, report.description) == ("Bình thường", None)

    differing = [
        result(1, KET_LUAN="Dương tính"),
        result(2),
        result(3, KET_LUAN="Nhạy cảm", MA_BS_DOC_KQ="9/BYT-CCHN"),
    ]
    (report,) = only_arrival(message(XML1=[VISIT], XML4=differing)).reports or ()
    assert report.conclusion == "Chỉ số 1: Dương tính\nChỉ số 3: Nhạy cảm"
    assert report.reader_certificate == "004567/HNO-CCHN;9/BYT-CCHN"


def test_lines_are_positions_whatever_stt_says() -> None:
    lines = [{**drug(7)}, {**drug(7)}, {**drug(0), "STT": "x"}]
    visit = only_visit(message(XML1=[VISIT], XML2=lines))

    assert visit.arrival is not None
    assert visit.arrival.prescriptions is not None
    assert [item.line for item in visit.arrival.prescriptions[0].items] == [1, 2, 3]
    assert told(visit, Effect.WARNS) == [
        (ProblemCode.LINE_NUMBER_TWICE, "XML2", 2, "STT"),
        (ProblemCode.NUMBER_MALFORMED, "XML2", 3, "STT"),
    ]


def test_each_bad_line_is_told() -> None:
    lines = [drug(1, at="x"), drug(2), drug(3, at="20261120")]
    visit = only_visit(message(XML1=[VISIT], XML2=lines))

    assert told(visit, Effect.REJECTS) == [
        (ProblemCode.MOMENT_MALFORMED, "XML2", 1, "NGAY_YL"),
        (ProblemCode.MOMENT_MALFORMED, "XML2", 3, "NGAY_YL"),
    ]
