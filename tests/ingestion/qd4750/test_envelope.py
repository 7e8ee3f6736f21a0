"""The envelope: who sends, how many visits, which tables; and what does not belong together."""

from datetime import date

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import envelope as envelope_rules
from app.ingestion.qd4750 import read_message
from app.ingestion.verdict import Effect
from tests.ingestion.messages import (
    DRUG,
    FACILITY,
    RESULT,
    VISIT,
    VISIT_ID,
    encoded,
    envelope,
    file_xml,
    message,
    table_xml,
    visit_xml,
)
from tests.ingestion.qd4750.readings import only_visit, told

SUMMARY = visit_xml({"XML1": [VISIT]})


def summary(visit: str) -> str:
    return visit_xml({"XML1": [{**VISIT, "MA_LK": visit}]})


def test_the_envelope_is_read() -> None:
    read = read_message(envelope(SUMMARY, signature="MEUCIQ=="))

    assert (read.facility_code, read.issued_on, read.record_count) == (FACILITY, date(2026, 11, 20), 1)
    assert read.signature_present
    assert read.problems == ()


def test_b166_a_signature_is_only_seen() -> None:
    xmldsig = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignatureValue>x</SignatureValue></Signature>'

    assert read_message(envelope(SUMMARY, signature=xmldsig)).signature_present
    assert not read_message(envelope(SUMMARY, signature=" \n ")).signature_present
    assert not read_message(envelope(SUMMARY).replace(b"<CHUKYDONVI></CHUKYDONVI>", b"")).signature_present


def test_several_visits_keep_their_order() -> None:
    read = read_message(envelope(summary("A"), summary("B"), summary("C")))

    assert [visit.source_id for visit in read.visits] == ["A", "B", "C"]
    assert all(visit.arrival for visit in read.visits)


def test_one_bad_visit_does_not_touch_the_others() -> None:
    bad = visit_xml({"XML1": [{**VISIT, "MA_LK": "B", "HO_TEN": ""}]})
    read = read_message(envelope(summary("A"), bad, "<HOSO/>"))

    assert [visit.arrival is not None for visit in read.visits] == [True, False, False]
    assert read.visits[2].problems[0].vi == ("hồ sơ thứ 3, XML1: hồ sơ không có bảng này; mọi hồ sơ đều phải có XML1.")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<GIAMDINH/>", ProblemCode.ENVELOPE_ROOT),
        (b"<giamdinhhs/>", ProblemCode.ENVELOPE_ROOT),
        (b'<GIAMDINHHS xmlns="urn:x"/>', ProblemCode.ENVELOPE_ROOT),
        (b"", ProblemCode.XML_EMPTY),
        (b"{}", ProblemCode.XML_NOT_XML),
        (envelope(), ProblemCode.ENVELOPE_EMPTY),
    ],
)
def test_what_is_no_message(body: bytes, code: ProblemCode) -> None:
    read = read_message(body)

    assert read.visits == ()
    assert told(read, Effect.REJECTS) == [(code, None, None, None)]


@pytest.mark.parametrize(
    ("facility", "code"),
    [
        ("", ProblemCode.ENVELOPE_FIELD_MISSING),
        ("1901", ProblemCode.ENVELOPE_FIELD_MALFORMED),
        ("01c51", ProblemCode.ENVELOPE_FIELD_MALFORMED),
        ("8930000000001", ProblemCode.ENVELOPE_FIELD_MALFORMED),
        ("０１９０１", ProblemCode.ENVELOPE_FIELD_MALFORMED),
    ],
)
def test_without_its_facility_nothing_of_a_message_is_accepted(facility: str, code: ProblemCode) -> None:
    read = read_message(envelope(SUMMARY, facility=facility))

    assert read.facility_code is None
    assert told(read, Effect.REJECTS) == [(code, None, None, "MACSKCB")]
    assert [visit.arrival for visit in read.visits] == [None]


def test_a_second_facility_is_not_guessed() -> None:
    body = envelope(SUMMARY).replace(b"</MACSKCB>", b"</MACSKCB><MACSKCB>79001</MACSKCB>")

    assert told(read_message(body), Effect.REJECTS) == [(ProblemCode.FIELD_TWICE, None, None, "MACSKCB")]


def test_b163_a_visit_of_another_facility_is_rejected() -> None:
    visit = only_visit(envelope(SUMMARY, facility="79001"))

    assert visit.arrival is None
    assert told(visit, Effect.REJECTS) == [(ProblemCode.FACILITY_DIFFERS, "XML1", 1, "MA_CSKCB")]


@pytest.mark.parametrize(
    ("count", "code"),
    [("2", ProblemCode.ENVELOPE_COUNT_DIFFERS), ("một", ProblemCode.ENVELOPE_FIELD_MALFORMED),
     ("9" * 5000, ProblemCode.ENVELOPE_FIELD_MALFORMED), (" ", ProblemCode.ENVELOPE_FIELD_MISSING)],
)  # fmt: skip
def test_a_wrong_count_warns(count: str, code: ProblemCode) -> None:
    read = read_message(envelope(SUMMARY, count=count))

    assert told(read, Effect.WARNS) == [(code, None, None, "SOLUONGHOSO")]
    assert read.visits[0].arrival is not None


@pytest.mark.parametrize(
    ("issued", "on", "codes"),
    [
        ("20261120", date(2026, 11, 20), []),
        ("202611202330", date(2026, 11, 20), []),
        ("20/11/2026", None, [ProblemCode.ENVELOPE_FIELD_MALFORMED]),
        ("", None, [ProblemCode.ENVELOPE_FIELD_MISSING]),
    ],
)
def test_the_day_of_issue(issued: str, on: date | None, codes: list[ProblemCode]) -> None:
    read = read_message(envelope(SUMMARY, issued=issued))

    assert read.issued_on == on
    assert [code for code, *_ in told(read, Effect.WARNS)] == codes


def test_unknown_elements_of_the_envelope_warn() -> None:
    body = (
        envelope(SUMMARY.replace("</FILEHOSO>", "<X1/></FILEHOSO>").replace("</HOSO>", "<X2/></HOSO>"))
        .replace(b"</MACSKCB>", b"</MACSKCB><TENCSKCB>x</TENCSKCB>")
        .replace(b"</DANHSACHHOSO>", b"<X3/></DANHSACHHOSO><X4/>")
        .replace(b"</GIAMDINHHS>", b"<X5/></GIAMDINHHS>")
    )
    read = read_message(body)

    assert {field for *_, field in told(read, Effect.WARNS)} == {"TENCSKCB", "X3", "X4", "X5"}
    assert {field for *_, field in told(read.visits[0], Effect.WARNS)} == {"X1", "X2"}
    assert read.visits[0].arrival is not None


def test_too_many_visits_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope_rules, "MAX_VISITS", 2)

    assert len(read_message(envelope(summary("A"), summary("B"))).visits) == 2
    read = read_message(envelope(summary("A"), summary("B"), summary("C")))
    assert read.visits == ()
    assert told(read, Effect.REJECTS) == [(ProblemCode.ENVELOPE_TOO_MANY_VISITS, None, None, None)]


def test_two_visits_with_one_id_are_both_rejected() -> None:
    read = read_message(envelope(summary("A"), summary("B"), summary("A")))

    assert [visit.arrival is not None for visit in read.visits] == [False, True, False]
    for visit in (read.visits[0], read.visits[2]):
        assert told(visit, Effect.REJECTS) == [(ProblemCode.VISIT_TWICE, "XML1", None, "MA_LK")]


@pytest.mark.parametrize("table", ["XML1", "XML2", "XML3", "XML4"])
def test_a_table_that_stands_twice_is_not_guessed(table: str) -> None:
    lines = {"XML1": VISIT, "XML2": DRUG, "XML4": RESULT}.get(table, {**VISIT})
    once = visit_xml({"XML1": [VISIT], table: [lines]}) if table != "XML1" else SUMMARY
    twice = once.replace("</HOSO>", file_xml(table, encoded(table_xml(table, [lines]))) + "</HOSO>")

    assert (ProblemCode.TABLE_TWICE, table, None, None) in told(only_visit(envelope(twice)), Effect.REJECTS)


def test_two_summaries_in_one_file_are_not_guessed() -> None:
    two = table_xml("XML1", [VISIT, {**VISIT, "HO_TEN": "Khác"}])
    visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', two)}</HOSO>"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.TABLE_TWICE, "XML1", None, None)]


@pytest.mark.parametrize("table", ["XML16", "xml1", "", "XML01", "Tổng hợp"])
def test_an_unknown_table_is_passed_over_with_a_warning(table: str) -> None:
    visit = only_visit(envelope(SUMMARY.replace("</HOSO>", file_xml(table, "x") + "</HOSO>")))

    assert visit.arrival is not None
    assert told(visit, Effect.WARNS) == [(ProblemCode.TABLE_UNKNOWN, None, None, "LOAIHOSO")]


HELD_BACK = {"XML6", "XML15"}
KEPT = ["XML0", "XML6", "XML9", "XML10", "XML11", "XML12", "XML15"]


def test_other_tables_are_kept_and_told_without_a_level() -> None:
    files = "".join(file_xml(table, encoded(f"<X><MA_LK>{VISIT_ID}</MA_LK></X>")) for table in reversed(KEPT))
    visit = only_visit(envelope(SUMMARY.replace("</HOSO>", files + "</HOSO>")))

    assert visit.arrival is not None
    assert visit.tables_kept == tuple(KEPT)
    assert {table: code for code, table, *_ in told(visit, Effect.NOTES)} == {
        table: ProblemCode.TABLE_HELD_BACK if table in HELD_BACK else ProblemCode.TABLE_KEPT_NOT_SHOWN for table in KEPT
    }
    assert told(visit, Effect.WARNS) == told(visit, Effect.REJECTS) == []


@pytest.mark.parametrize("table", KEPT)
def test_a_kept_table_of_another_visit_rejects(table: str) -> None:
    other = file_xml(table, encoded("<X><Y><MA_LK>khác</MA_LK></Y></X>"))
    visit = only_visit(envelope(SUMMARY.replace("</HOSO>", other + "</HOSO>")))

    assert visit.arrival is None
    assert told(visit, Effect.REJECTS) == [(ProblemCode.VISIT_ID_DIFFERS, table, None, "MA_LK")]


@pytest.mark.parametrize("table", ["XML2", "XML4"])
def test_a_line_of_another_visit_rejects(table: str) -> None:
    line = {"XML2": DRUG, "XML4": RESULT}[table]
    visit = only_visit(message(XML1=[VISIT], **{table: [line, {**line, "STT": "2", "MA_LK": "khác"}]}))

    assert visit.arrival is None
    assert told(visit, Effect.REJECTS) == [(ProblemCode.VISIT_ID_DIFFERS, table, 2, "MA_LK")]


def test_a_visit_id_that_is_too_long_is_no_id() -> None:
    for length, arrives in ((100, True), (101, False)):
        visit = only_visit(envelope(summary("L" * length)))
        assert (visit.arrival is not None, visit.source_id is not None) == (arrives, arrives)


def test_without_a_summary_the_other_tables_are_still_judged() -> None:
    visit = only_visit(message(XML2=[{**DRUG, "SO_LUONG": "1,5"}], XML4=[{**RESULT, "NGAY_KQ": "x"}]))

    assert visit.source_id is None
    assert told(visit, Effect.REJECTS) == [
        (ProblemCode.TABLE_MISSING, "XML1", None, None),
        (ProblemCode.NUMBER_COMMA, "XML2", 1, "SO_LUONG"),
        (ProblemCode.MOMENT_MALFORMED, "XML4", 1, "NGAY_KQ"),
    ]


CHECK_IN = "<CHI_TIEU_TRANG_THAI_KCB><DSACH_TRANG_THAI_KCB>{}</DSACH_TRANG_THAI_KCB></CHI_TIEU_TRANG_THAI_KCB>"
CHECK_IN_LINE = "<TRANG_THAI_KCB><MA_LK>{}</MA_LK><MA_CSKCB>{}</MA_CSKCB></TRANG_THAI_KCB>"


def test_check_ins_travel_alone() -> None:
    body = CHECK_IN.format(CHECK_IN_LINE.format("A", "01901") + CHECK_IN_LINE.format("B", "01901"))
    read = read_message(body.encode())

    assert read.facility_code == "01901"
    assert [(visit.source_id, visit.arrival, visit.tables_kept) for visit in read.visits] == [
        ("A", None, ("XML0",)),
        ("B", None, ("XML0",)),
    ]
    assert [told(visit, Effect.REJECTS) for visit in read.visits] == [[], []]


@pytest.mark.parametrize(
    "lines",
    [
        "",
        CHECK_IN_LINE.format("A", ""),
        CHECK_IN_LINE.format("A", "01901") + CHECK_IN_LINE.format("B", "79001"),
    ],
)
def test_check_ins_without_one_facility_are_refused(lines: str) -> None:
    read = read_message(CHECK_IN.format(lines).encode())

    assert read.facility_code is None
    assert told(read, Effect.REJECTS) == [(ProblemCode.CODE_MALFORMED, "XML0", None, "MA_CSKCB")]


def test_a_check_in_may_travel_in_the_envelope() -> None:
    alone = f"<HOSO>{file_xml('XML0', encoded(CHECK_IN.format(CHECK_IN_LINE.format('A', '01901'))))}</HOSO>"
    read = read_message(envelope(alone, summary("A")))

    assert [(visit.source_id, visit.arrival is not None) for visit in read.visits] == [
        ("A", False),
        ("A", True),
    ]
    assert [told(visit, Effect.REJECTS) for visit in read.visits] == [[], []]
    foreign = read_message(envelope(alone, facility="79001"))
    assert told(foreign.visits[0], Effect.REJECTS) == [(ProblemCode.FACILITY_DIFFERS, "XML0", None, "MA_CSKCB")]


def test_b153_the_list_of_problems_of_a_message_is_bounded() -> None:
    """Two thousand empty visits have eighty thousand problems: all are counted, the first ones told."""
    empty = file_xml("XML1", "<TONG_HOP/>")
    found = read_message(envelope(*[f"<HOSO>{empty}</HOSO>"] * 2_000))
    assert sum(len(visit.problems) for visit in found.visits) < 20_000
    assert len(found.visits[0].problems) > 10
    last = found.visits[-1].problems
    assert {problem.code for problem in last} >= {ProblemCode.MORE_PROBLEMS, ProblemCode.FIELD_MISSING}
    assert all(visit.arrival is None for visit in found.visits)
