"""Each field that the gateway requires, left out and spoiled, one at a time; lengths; unknown elements."""

import json
from itertools import chain
from pathlib import Path

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import fields as facts
from app.ingestion.qd4750.fields import BOOK, KNOWN, LONGEST_TEXT, PAPERS, SHOWN, Use
from app.ingestion.verdict import Effect
from tests.ingestion.messages import EVERY, VISIT, changed
from tests.ingestion.qd4750.readings import only_arrival, only_visit, told

TABLES = json.loads(Path(facts.__file__).with_name("fields.json").read_text(encoding="utf-8"))["tables"]
FIELDS = [(table, field) for table in SHOWN for field in TABLES[table]["fields"]]
REQUIRED = [(table, field["name"]) for table, field in FIELDS if field["gateway_required"] == "yes"]
SPOILED = {
    "MA_LK": "LK khác",
    "NGAY_SINH": "12/03/1985",
    "GIOI_TINH": "4",
    "NGAY_VAO": "20261120",
    "NGAY_RA": "202613010000",
    "MA_LOAI_KCB": "1",
    "MA_CSKCB": "01902",
    "MA_BENH_CHINH": "viêm",
    "NGAY_YL": "202611202560",
    "MA_NHOM": "xn",
    "SO_LUONG": "1,5",
}
AMOUNTS = [
    (table, field) for table, uses in BOOK.items() for field in uses if field.startswith(("T_", "THANH", "DON_GIA"))
]


def test_the_tables_are_those_of_the_decision() -> None:
    counts = {name: len(table["fields"]) for name, table in TABLES.items()}

    assert counts == {
        "XML0": 26, "XML1": 66, "XML2": 39, "XML3": 47, "XML4": 12, "XML5": 9,
        "XML7": 26, "XML8": 22, "XML13": 39, "XML14": 22,
    }  # fmt: skip
    assert len(REQUIRED) == 146
    for table, uses in BOOK.items():
        assert set(uses) <= set(KNOWN[table].rules)
        assert set(EVERY[table]) == set(KNOWN[table].rules)


def test_a_full_message_has_no_problem() -> None:
    assert only_visit(changed("XML1")).problems == ()


@pytest.mark.parametrize(("table", "field"), REQUIRED)
@pytest.mark.parametrize("missing", ["", " \n", None])
def test_a_required_field_that_is_missing(table: str, field: str, missing: str | None) -> None:
    visit = only_visit(changed(table, **{field: missing}))

    use = BOOK[table].get(field)
    if use is Use.NEEDED:
        assert visit.arrival is None
        assert (ProblemCode.FIELD_MISSING, table, 1, field) in told(visit, Effect.REJECTS)
    else:
        code = ProblemCode.FIELD_COUNTED_AS_ZERO if use is Use.ZERO else ProblemCode.FIELD_MISSING
        assert visit.arrival is not None
        assert told(visit, Effect.WARNS) == [(code, table, 1, field)]


@pytest.mark.parametrize(
    ("table", "field"),
    [(table, field) for table, uses in BOOK.items() for field, use in uses.items() if use is Use.NEEDED],
)
def test_a_needed_field_that_is_malformed(table: str, field: str) -> None:
    spoiled = SPOILED.get(field, "x" * (LONGEST_TEXT + 1) if not field.startswith("T_") else "1.5.0")
    visit = only_visit(changed(table, **{field: spoiled}))

    assert visit.arrival is None
    assert {(told_table, told_field) for _, told_table, _, told_field in told(visit, Effect.REJECTS)} >= {
        (table, field) if (table, field) != ("XML1", "MA_LK") else ("XML2", "MA_LK")
    }


@pytest.mark.parametrize(("table", "field"), AMOUNTS)
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12000,50", ProblemCode.NUMBER_COMMA),
        ("1.200.000", ProblemCode.NUMBER_MALFORMED),
        ("1 200", ProblemCode.NUMBER_MALFORMED),
        ("-1", ProblemCode.NUMBER_MALFORMED),
        ("1e3", ProblemCode.NUMBER_MALFORMED),
        ("NaN", ProblemCode.NUMBER_MALFORMED),
        ("１２", ProblemCode.NUMBER_MALFORMED),
        ("12 đ", ProblemCode.NUMBER_MALFORMED),
        ("9" * 14, ProblemCode.NUMBER_TOO_LARGE),
        ("9" * 100_000, ProblemCode.NUMBER_MALFORMED),
    ],
)
def test_an_amount_that_is_no_number(table: str, field: str, text: str, code: ProblemCode) -> None:
    visit = only_visit(changed(table, **{field: text}))

    assert visit.arrival is None
    assert told(visit, Effect.REJECTS) == [(code, table, 1, field)]


NOT_READ = [
    (table, field)
    for table, field in FIELDS
    if field["name"] not in BOOK[table] and (field["type"] == "N" or field["name"].startswith(("NGAY_", "NAM_")))
]


@pytest.mark.parametrize(
    ("table", "field"), [(table, field["name"]) for table, field in NOT_READ if field["max"] != 50]
)
def test_a_malformed_field_that_the_book_does_not_read_only_warns(table: str, field: str) -> None:
    visit = only_visit(changed(table, **{field: "?"}))

    assert visit.arrival is not None
    (problem,) = told(visit, Effect.WARNS)
    assert problem[1:] == (table, 1, field)


WITH_A_FORM = {
    "MA_CSKCB", "MA_LOAI_KCB", "MA_BENH_CHINH", "MA_BENH_KT", "MA_LK", "SO_CCCD", "CAN_NANG", "MA_NOI_DI", "MA_NOI_DEN",
}  # fmt: skip
FREE = {
    "MA_BENH_YHCT", "MA_KHOA", "DIA_CHI", "TEN_THUOC", "DON_VI_TINH", "HAM_LUONG",
    "DANG_BAO_CHE", "LIEU_DUNG", "CACH_DUNG", "TEN_VAT_TU", "TEN_DICH_VU", "TEN_CHI_SO", "GIA_TRI",
    "DON_VI_DO",
}  # fmt: skip
NAMES_OF_PAPERS = {("XML13", "HO_TEN"), ("XML14", "HO_TEN")}  # compared with the visit's
TIMES = ("NGAY_", "NAM_", "GT_", "NGOAITRU_", "THOI_DIEM")
LIMITED = [
    (table, field["name"], field.get("gateway_max", field["max"]))
    for table, field in FIELDS
    if field["type"] == "S" and field["max"] and not field["name"].startswith(TIMES)
    and field["name"] not in WITH_A_FORM and (table, field["name"]) not in NAMES_OF_PAPERS
]  # fmt: skip


@pytest.mark.parametrize(("table", "field", "longest"), LIMITED)
def test_a_text_may_be_as_long_as_the_gateway_allows(table: str, field: str, longest: int) -> None:
    assert only_visit(changed(table, **{field: "Ầ" * longest})).problems == ()

    visit = only_visit(changed(table, **{field: "Ầ" * (longest + 1)}))
    (problem,) = visit.problems
    assert (problem.code, problem.table, problem.field) == (ProblemCode.FIELD_TOO_LONG, table, field)
    free = field not in BOOK[table] or field in FREE or table in PAPERS
    assert problem.effect is (Effect.WARNS if free else Effect.REJECTS)


def test_the_wider_lengths_of_the_gateway_are_known() -> None:
    wider = {
        (table, field["name"]): (field["max"], field["gateway_max"])
        for table, facts_of_table in TABLES.items()
        for field in facts_of_table["fields"]
        if "gateway_max" in field
    }

    assert wider[("XML4", "MA_DICH_VU")] == (15, 50)
    assert wider[("XML13", "MA_LK")] == (100, 250)
    assert wider[("XML1", "NHOM_MAU")] == (5, 10)
    assert wider[("XML1", "MA_DOITUONG_KCB")] == (4, 5)
    assert wider[("XML2", "MUC_HUONG")] == (3, 4)


def test_a_text_without_a_limit_has_a_limit() -> None:
    assert only_visit(changed("XML1", GHI_CHU="x" * 32_000)).problems == ()
    assert told(only_visit(changed("XML1", GHI_CHU="x" * 32_001)), Effect.WARNS)
    assert only_visit(changed("XML1", GHI_CHU="x" * (LONGEST_TEXT + 1))).arrival is None


@pytest.mark.parametrize("field", ["MA_THE_BHYT", "MA_DKBD", "GT_THE_TU", "GT_THE_DEN", "MA_BENH_YHCT", "MA_KHOA"])
def test_a_list_has_a_limit(field: str) -> None:
    rejected = []
    for text in ("A;" * 1_999 + "AA", "A;" * 2_000 + "A"):
        visit = only_visit(changed("XML1", **{field: text}))
        rejected.append((ProblemCode.FIELD_TOO_LONG, "XML1", 1, field) in told(visit, Effect.REJECTS))

    assert rejected == [False, True]


def test_a_clinician_is_part_of_a_key_and_has_a_strict_length() -> None:
    assert only_visit(changed("XML2", MA_BAC_SI="x" * 255)).arrival is not None
    assert only_visit(changed("XML2", MA_BAC_SI="x" * 256)).arrival is None


@pytest.mark.parametrize("table", SHOWN)
def test_an_unknown_element_warns_and_is_told_once(table: str) -> None:
    visit = only_visit(changed(table, CHIEU_CAO="165", ho_ten="x"))

    assert visit.arrival is not None
    assert told(visit, Effect.WARNS) == [
        (ProblemCode.FIELD_UNKNOWN, table, 1, "CHIEU_CAO"),
        (ProblemCode.FIELD_UNKNOWN, table, 1, "ho_ten"),
    ]


def test_every_problem_is_told_not_only_the_first() -> None:
    spoiled = {field: SPOILED[field] for field in ("NGAY_SINH", "GIOI_TINH", "NGAY_VAO", "NGAY_RA", "MA_LOAI_KCB")}
    visit = only_visit(changed("XML1", HO_TEN="", **spoiled))

    assert {field for _, _, _, field in told(visit, Effect.REJECTS)} == {"HO_TEN", *spoiled}


def test_texts_are_kept_as_they_were_written() -> None:
    script = "<script>alert(1)</script> =HYPERLINK(\"http://x\") & 'Ánh'"
    arrival = only_arrival(changed("XML1", HO_TEN=script, GHI_CHU=f"  {script}\n"))

    assert (arrival.person.full_name, arrival.advice) == (script, script)


def test_leading_zeros_are_kept() -> None:
    arrival = only_arrival(changed("XML1", MA_BN="000123", MA_DANTOC="01", MA_KHOA="K01;K0809"))

    assert arrival.person.patient_number == "000123"
    assert (arrival.kind_code, arrival.facility_code, arrival.person.ethnic_code) == ("01", "01901", "01")
    assert arrival.department_codes == ("K01", "K0809")


def test_the_example_line_has_every_field_of_the_decision() -> None:
    assert list(chain(VISIT)) == [field["name"] for field in TABLES["XML1"]["fields"]]
