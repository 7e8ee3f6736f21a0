"""What stands inside NOIDUNGFILE passes the same checks as the envelope: B146 to B155 again, wrapped."""

import socket
from collections.abc import Callable
from unicodedata import normalize

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import content, read_message
from app.ingestion.verdict import Effect
from tests.ingestion.bombs import archive_bombs, encoding_bombs, entity_bombs, size_bombs
from tests.ingestion.messages import (
    DRUG,
    LINES,
    RESULT,
    SERVICE,
    VISIT,
    declared,
    encoded,
    envelope,
    fields_xml,
    file_xml,
    message,
    table_xml,
    visit_xml,
)
from tests.ingestion.qd4750.readings import only_arrival, only_visit, told


def carrying(table: str, body: bytes) -> bytes:
    """Return a message whose visit carries these bytes in base64 as one more table."""
    files = "".join(
        file_xml(name, encoded(declared(table_xml(name, [fields])))) for name, fields in LINES.items() if name != table
    )
    return envelope(f"<HOSO>{files}{file_xml(table, encoded(body))}</HOSO>")


def test_b146_to_b152_inside_base64() -> None:
    with socket.create_server(("127.0.0.1", 0)) as canary:
        canary.settimeout(0)
        for name, (body, reason) in entity_bombs(canary.getsockname()[1]).items():
            for table in ("XML1", "XML4", "XML7"):
                visit = only_visit(carrying(table, body))
                assert visit.arrival is None, name
                assert (reason, table, None, None) in told(visit, Effect.REJECTS), name
        with pytest.raises(BlockingIOError):
            canary.accept()


READ_INSIDE = frozenset({"b154 utf-16 declared", "b154 utf-16", "b154 utf-16 declared with mark"})
INSIDE = {
    **{name: bomb for name, bomb in size_bombs().items() if name != "b153 text"},
    "b153 text": (
        b"<TONG_HOP><GHI_CHU>" + b"x" * 200_000 + b"</GHI_CHU></TONG_HOP>",
        ProblemCode.FIELD_TOO_LONG,
    ),
    **{name: bomb for name, bomb in encoding_bombs().items() if name not in READ_INSIDE},
    **archive_bombs(),
}


@pytest.mark.parametrize(("body", "reason"), INSIDE.values(), ids=INSIDE.keys())
def test_b153_to_b155_inside_base64(body: bytes, reason: ProblemCode) -> None:
    visit = only_visit(carrying("XML1", body))

    assert visit.arrival is None
    assert reason in {code for code, table, _, _ in told(visit, Effect.REJECTS) if table == "XML1"}


def test_b146_as_text_inside_the_envelope() -> None:
    for name, (body, reason) in entity_bombs(9).items():
        visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', f'<![CDATA[{body.decode()}]]>')}</HOSO>"))
        assert told(visit, Effect.REJECTS) == [(reason, "XML1", None, None)], name


def test_b149_the_envelope_itself_is_refused_without_visits() -> None:
    for body, reason in entity_bombs(9).values():
        read = read_message(body)

        assert read.visits == ()
        assert told(read, Effect.REJECTS) == [(reason, None, None, None)]


def test_b153_a_message_of_many_large_tables_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "MAX_INNER_TAGS", 2_000)
    small, large = (
        visit_xml({"XML1": [VISIT]}),
        visit_xml({"XML1": [{**VISIT, "MA_LK": "2"}], "XML3": [SERVICE] * 30}),
    )

    assert told(read_message(envelope(small)), Effect.REJECTS) == []
    read = read_message(envelope(small, large, visit_xml({"XML1": [{**VISIT, "MA_LK": "3"}]})))
    assert told(read, Effect.REJECTS) == [(ProblemCode.ENVELOPE_TOO_LARGE, None, None, None)]
    assert [visit.arrival for visit in read.visits] == [None, None, None]


def test_b153_a_table_has_a_longest() -> None:
    lines = [{"MA_LK": VISIT["MA_LK"], "TEN_CHI_SO": "x"}] * 10_001
    visit = only_visit(message(XML1=[VISIT], XML4=lines))

    assert (ProblemCode.TABLE_TOO_LONG, "XML4", None, None) in told(visit, Effect.REJECTS)
    assert only_arrival(message(XML1=[VISIT], XML4=lines[:-1])).reports


def test_b154_nfd_equals_nfc() -> None:
    body = message()

    assert read_message(normalize("NFD", body.decode()).encode()) == read_message(body)
    nfd = {
        name: [{field: normalize("NFD", text or "") for field, text in fields.items()}]
        for name, fields in LINES.items()
    }
    assert read_message(message(**nfd)) == read_message(body)


FORMS = {
    "base64": lambda xml: encoded(declared(xml)),
    "base64 without declaration": encoded,
    "base64 with mark": lambda xml: encoded(b"\xef\xbb\xbf" + declared(xml).encode()),
    "base64 in lines": lambda xml: "\r\n  ".join(encoded(xml)[at : at + 76] for at in range(0, len(encoded(xml)), 76)),
    "base64 in cdata": lambda xml: f"\n<![CDATA[{encoded(xml)}]]>\n",
    "inline": lambda xml: f"\n  {xml}\n",
    "escaped": lambda xml: xml.replace("&", "&amp;").replace("<", "&lt;"),
    "text in cdata": lambda xml: f"<![CDATA[{declared(xml)}]]>",
    "text in cdata, behind a byte order mark": lambda xml: f"<![CDATA[\ufeff{declared(xml)}]]>",
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("depth", [0, 1])
def test_a_table_may_travel_in_several_forms(form: object, depth: int) -> None:
    assert callable(form)
    files = "".join(
        file_xml(table, form(table_xml(table, [fields], depth=depth if table != "XML1" else 0)))
        for table, fields in LINES.items()
    )

    assert read_message(envelope(f"<HOSO>{files}</HOSO>")) == read_message(message())


UTF16 = '<?xml version="1.0" encoding="utf-16"?>\r\n{}'
FORMS_OF_DOTNET = {
    "base64": lambda xml: encoded(UTF16.format(xml)),
    "base64 with mark": lambda xml: encoded(b"\xef\xbb\xbf" + UTF16.format(xml).encode()),
    "text in cdata": lambda xml: f"<![CDATA[{UTF16.format(xml)}]]>",
}


@pytest.mark.parametrize("form", FORMS_OF_DOTNET.values(), ids=FORMS_OF_DOTNET.keys())
def test_utf8_that_declares_utf16_is_read_and_told(form: Callable[[str], str]) -> None:
    tables = [*LINES, "XML9"]
    contents = {table: table_xml(table, [fields]) for table, fields in LINES.items()} | {"XML9": "<DU_LIEU/>"}
    plain, dotnet = (
        envelope(f"<HOSO>{''.join(file_xml(table, way(contents[table])) for table in tables)}</HOSO>")
        for way in (encoded, form)
    )
    visit = only_visit(dotnet)

    assert visit.arrival == only_arrival(plain)
    assert told(visit, Effect.WARNS) == [(ProblemCode.XML_SAYS_UTF16, table, None, None) for table in tables]
    assert visit.problems[0].vi.startswith("XML1: khai báo <?xml …?> ghi UTF-16")
    assert visit.problems[0].en.startswith("XML1: the declaration <?xml …?> says UTF-16, but the content is UTF-8")


DECLARED_UTF16 = {
    "latin": (UTF16.format("<a>é</a>").encode("latin-1"), ProblemCode.XML_NOT_UTF8),
    "nul": (UTF16.format("<a>\0</a>").encode(), ProblemCode.XML_CONTROL_CHARACTER),
    "doctype": (UTF16.format("<!DOCTYPE a><a/>").encode(), ProblemCode.XML_DOCTYPE),
}


@pytest.mark.parametrize(("body", "reason"), DECLARED_UTF16.values(), ids=DECLARED_UTF16.keys())
def test_b154_what_declares_utf16_is_judged_as_any_other(body: bytes, reason: ProblemCode) -> None:
    assert told(only_visit(carrying("XML1", body)), Effect.REJECTS)[0] == (reason, "XML1", None, None)


REAL_UTF16 = {
    "windows": (UTF16, "utf-16"),
    "java": (UTF16, "utf-16-be"),
    "undeclared": ("{}", "utf-16-le"),
    "silent": ('<?xml version="1.0"?>{}', "utf-16-le"),
}


@pytest.mark.parametrize(("form", "encoding"), REAL_UTF16.values(), ids=REAL_UTF16.keys())
def test_utf16_with_its_mark_inside_base64_is_read_and_told(form: str, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    files = (
        file_xml(table, encoded((mark + form.format(table_xml(table, [fields]))).encode(encoding)))
        for table, fields in LINES.items()
    )
    visit = only_visit(envelope(f"<HOSO>{''.join(files)}</HOSO>"))

    assert visit.arrival == only_arrival(message())
    assert told(visit, Effect.WARNS) == [(ProblemCode.XML_IS_UTF16, table, None, None) for table in LINES]


NO_UTF16 = {
    "b154 no mark": UTF16.format("<TONG_HOP/>").encode("utf-16-le"),
    "b154 says utf-8": declared("<TONG_HOP/>").encode("utf-16"),
    "b154 lone surrogate": b"\xff\xfe" + "<TONG_HOP>".encode("utf-16-le") + b"\x00\xd8",
    "b154 cut": "<TONG_HOP/>".encode("utf-16") + b"<",
}


@pytest.mark.parametrize("body", NO_UTF16.values(), ids=NO_UTF16.keys())
def test_b154_what_is_no_clear_utf16_is_refused(body: bytes) -> None:
    assert told(only_visit(carrying("XML1", body)), Effect.REJECTS)[0] == (
        ProblemCode.XML_NOT_UTF8,
        "XML1",
        None,
        None,
    )


def test_bare_lines_may_stand_in_the_envelope() -> None:
    tables = {"XML1": [VISIT], "XML2": [DRUG, {**DRUG, "STT": "2"}], "XML3": [SERVICE], "XML4": [RESULT]}
    files = "".join(file_xml(table, table_xml(table, lines, depth=2)) for table, lines in tables.items())

    assert read_message(envelope(f"<HOSO>{files}</HOSO>")) == read_message(message(**tables))


@pytest.mark.parametrize("text", ["!!!!", "YWJj*GRl", "YWJ", "YWJjZA==YWJj", "Tổng hợp", "YWJjZA", "=", "🙂"])
def test_what_is_neither_xml_nor_base64(text: str) -> None:
    visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', text)}</HOSO>"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.TABLE_BASE64, "XML1", None, None)]


@pytest.mark.parametrize("table", ["XML2", "XML3", "XML4"])
@pytest.mark.parametrize("text", ["", " \n ", "<![CDATA[]]>", "<!-- x -->"])
def test_an_empty_file_counts_as_not_sent(table: str, text: str) -> None:
    files = file_xml("XML1", encoded(table_xml("XML1", [VISIT]))) + file_xml(table, text)
    visit = only_visit(envelope(f"<HOSO>{files}</HOSO>"))

    assert visit.arrival is not None
    assert (visit.arrival.prescriptions, visit.arrival.services, visit.arrival.reports) == (None, None, None)
    assert told(visit, Effect.WARNS) == [(ProblemCode.TABLE_EMPTY, table, None, None)]


def test_an_empty_summary_rejects() -> None:
    visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', '')}</HOSO>"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.TABLE_EMPTY, "XML1", None, None)]


@pytest.mark.parametrize(
    "content_of_table",
    [
        "<TONG_HOP/>",
        "<CHI_TIET_DVKT/>",
        "<tong_hop/>",
        "<CHITIEU_CHITIET_THUOC><DSACH_THUOC/></CHITIEU_CHITIET_THUOC>",
        "<CHITIEU_CHITIET_THUOC><CHI_TIET_THUOC/></CHITIEU_CHITIET_THUOC>",
        "<DSACH_CHI_TIET_THUOC><CHI_TIET_THUOC/><THUOC/></DSACH_CHI_TIET_THUOC>",
        '<CHITIEU_CHITIET_THUOC xmlns="urn:x"><DSACH_CHI_TIET_THUOC/></CHITIEU_CHITIET_THUOC>',
    ],
)
def test_another_root_rejects_and_names_the_right_one(content_of_table: str) -> None:
    files = file_xml("XML1", encoded(table_xml("XML1", [VISIT]))) + file_xml("XML2", encoded(content_of_table))
    visit = only_visit(envelope(f"<HOSO>{files}</HOSO>"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.TABLE_ROOT, "XML2", None, None)]
    assert "CHITIEU_CHITIET_THUOC / DSACH_CHI_TIET_THUOC / CHI_TIET_THUOC" in visit.problems[0].vi


def test_elements_in_a_field_are_not_lost_silently() -> None:
    for fields, effect in (("HO_TEN", Effect.REJECTS), ("MA_TTDV", Effect.WARNS)):
        xml = "<TONG_HOP>" + fields_xml(VISIT).replace(f"</{fields}>", f"<b>x</b></{fields}>") + "</TONG_HOP>"
        for form in (encoded(xml), xml):
            visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', form)}</HOSO>"))
            assert told(visit, effect) == [(ProblemCode.FIELD_NESTED, "XML1", 1, fields)]


def test_b158_a_field_that_stands_twice_is_not_guessed() -> None:
    for field, effect in (("HO_TEN", Effect.REJECTS), ("MA_TTDV", Effect.WARNS)):
        xml = f"<TONG_HOP>{fields_xml(VISIT)}<{field}>khác</{field}></TONG_HOP>"
        visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', encoded(xml))}</HOSO>"))
        assert told(visit, effect) == [(ProblemCode.FIELD_TWICE, "XML1", 1, field)]


def test_a_file_with_two_contents_is_not_guessed() -> None:
    both = "x</NOIDUNGFILE><NOIDUNGFILE>y"
    visit = only_visit(envelope(f"<HOSO>{file_xml('XML1', both)}</HOSO>"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.FIELD_TWICE, "XML1", None, "NOIDUNGFILE")]
