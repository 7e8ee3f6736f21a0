"""Every message is well-formed, keeps the annex's lengths, adds up, and is understood without a remark."""

import base64
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from unicodedata import is_normalized

import pytest
from lxml import etree

from app.demo.messages import DemoMessage, visit_message, year_messages
from app.demo.people import citizen, citizens
from app.demo.writing import TABLES
from app.ingestion.qd4750 import plausibility, read_message
from app.ingestion.qd4750.fields import KNOWN
from app.records.papers import ProgressArrival
from app.terminology.codes import read_codes
from tests.demo.year import CITIZENS, TODAY, messages, visits

SINGLE = {"XML1", "XML7", "XML8", "XML13", "XML14"}
Record = dict[str, "etree._Element"]
MORNING = datetime(2026, 11, 22, 1, tzinfo=UTC)


def records(message: DemoMessage | bytes) -> list[Record]:
    """Return the tables of each visit, base64 or not."""
    body = message if isinstance(message, bytes) else message.body
    found: list[Record] = []
    for record in etree.fromstring(body).iter("HOSO"):
        tables: Record = {}
        for file in record.iter("FILEHOSO"):
            holder = file.find("NOIDUNGFILE")
            assert holder is not None
            name = file.findtext("LOAIHOSO") or ""
            tables[name] = holder[0] if len(holder) else etree.fromstring(base64.b64decode(holder.text or ""))
        found.append(tables)
    return found


def lines(record: Record, table: str) -> list[dict[str, str]]:
    if table not in record:
        return []
    root = record[table]
    rows = [root] if table in SINGLE else list(root[0])
    return [{field.tag: field.text or "" for field in row} for row in rows]


ALL = [record for message in messages() for record in records(message)]


def total(rows: list[dict[str, str]], field: str) -> Decimal:
    return sum((Decimal(row[field]) for row in rows), Decimal(0))


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert year_messages(citizens(6), today=TODAY) == year_messages(citizens(6), today=TODAY)
    assert year_messages(citizens(6), today=TODAY) != year_messages(citizens(6), today=TODAY, seed=1)


def test_every_visit_is_in_one_message_of_its_facility() -> None:
    sent = [(message.facility_code, visit_id) for message in messages() for visit_id in message.visit_ids]

    assert sorted(sent) == sorted((visit.facility.code, visit.id) for visit in visits())
    assert 400 <= len(messages()) <= 600


def test_most_messages_hold_one_visit_and_some_several() -> None:
    sizes = [len(message.visit_ids) for message in messages()]

    assert sizes.count(1) > 0.9 * len(sizes)
    assert {1, 2, 3} == set(sizes)


def test_most_tables_are_base64_and_some_inline() -> None:
    inline = [message for message in messages() if b"<TONG_HOP>" in message.body]

    assert {message.facility_code for message in inline} == {"48195"}
    assert 0 < len(inline) < len(messages()) / 4


@pytest.mark.parametrize("table", TABLES)
def test_fields_stand_in_the_order_of_the_annex_and_keep_its_lengths(table: str) -> None:
    rules = KNOWN[table].rules
    seen = 0
    for record in ALL:
        for row in lines(record, table):
            seen += 1
            assert list(row) == list(rules)
            assert [name for name, text in row.items() if len(text) > rules[name].longest] == []
    assert seen >= (CITIZENS if table in {"XML1", "XML2", "XML3", "XML4"} else 5)


def test_every_table_belongs_to_its_visit_and_counts_its_lines() -> None:
    for record in ALL:
        (summary,) = lines(record, "XML1")
        for table in TABLES[1:]:
            rows = lines(record, table)
            assert {row["MA_LK"] for row in rows} <= {summary["MA_LK"]}
            if table not in SINGLE:
                assert [row["STT"] for row in rows] == [str(number) for number in range(1, len(rows) + 1)]


def test_costs_add_up_to_the_summary() -> None:
    for record in ALL:
        (summary,) = lines(record, "XML1")
        drugs, services = lines(record, "XML2"), lines(record, "XML3")
        both = drugs + services
        supplies = [row for row in services if row["MA_NHOM"] == "10"]
        assert Decimal(summary["T_THUOC"]) == total(drugs, "THANH_TIEN_BV")
        assert Decimal(summary["T_VTYT"]) == total(supplies, "THANH_TIEN_BV")
        assert Decimal(summary["T_TONGCHI_BV"]) == total(both, "THANH_TIEN_BV")
        assert Decimal(summary["T_TONGCHI_BH"]) == total(both, "THANH_TIEN_BH")
        for field in ("T_BNTT", "T_BNCCT", "T_BHTT", "T_NGUONKHAC"):
            assert Decimal(summary[field]) == total(both, field)
        assert Decimal(summary["T_BHTT"]) == Decimal(summary["T_TONGCHI_BH"]) - Decimal(summary["T_BNCCT"])


def test_each_line_is_quantity_times_price() -> None:
    for record in ALL:
        for row in lines(record, "XML2"):
            amount = Decimal(row["SO_LUONG"]) * Decimal(row["DON_GIA"])
            assert Decimal(row["THANH_TIEN_BV"]) == amount
            assert Decimal(row["THANH_TIEN_BH"]) == amount * Decimal(row["TYLE_TT_BH"]) / 100
        for row in lines(record, "XML3"):
            assert Decimal(row["THANH_TIEN_BV"]) == Decimal(row["SO_LUONG"]) * Decimal(row["DON_GIA_BV"])


def test_codes_are_in_our_lists() -> None:
    known = {
        field: {entry.code for entry in read_codes(system)}
        for field, system in {
            "MA_LOAI_KCB": "visit-kind",
            "MA_KHOA": "department",
            "MA_DOITUONG_KCB": "insurance-category",
            "KET_QUA_DTRI": "visit-outcome",
            "MA_LOAI_RV": "discharge-kind",
            "MA_BENH_CHINH": "icd10",
            "MA_NHOM": "cost-group",
            "DUONG_DUNG": "route",
            "MA_CHI_SO": "test-index",
        }.items()
    }
    met: set[str] = set()
    for record in ALL:
        for table in record:
            for row in lines(record, table):
                for field in known.keys() & row.keys():
                    assert not row[field] or row[field] in known[field], (field, row[field])
                    met.add(field)
    assert met == set(known)


def test_results_belong_to_a_service_of_the_visit_and_come_after_it() -> None:
    for record in ALL:
        performed = {row["MA_DICH_VU"]: row for row in lines(record, "XML3")}
        (summary,) = lines(record, "XML1")
        for row in lines(record, "XML4"):
            assert row["MA_DICH_VU"] in performed
            assert row["GIA_TRI"] or row["KET_LUAN"]
            assert summary["NGAY_VAO"] < row["NGAY_KQ"]
            assert row["NGAY_KQ"] <= summary["NGAY_TTOAN"]


def test_times_of_a_visit_stand_in_order() -> None:
    for record in ALL:
        (summary,) = lines(record, "XML1")
        assert summary["NGAY_VAO"] < summary["NGAY_TTOAN"] <= summary["NGAY_RA"]
        assert summary["NGAY_VAO"] <= (summary["NGAY_VAO_NOI_TRU"] or summary["NGAY_VAO"])
        for row in lines(record, "XML3"):
            assert summary["NGAY_VAO"] < row["NGAY_YL"] <= row["NGAY_TH_YL"] <= summary["NGAY_TTOAN"]
        for row in lines(record, "XML2"):
            assert summary["NGAY_VAO"] < row["NGAY_YL"] <= summary["NGAY_TTOAN"]


def test_chronic_care_ends_with_the_last_day_of_medicine() -> None:
    chronic = [row for record in ALL for row in lines(record, "XML1") if row["MA_LOAI_KCB"] == "05"]

    assert chronic
    for row in chronic:
        arrived = date.fromisoformat(row["NGAY_VAO"][:8])
        assert row["NGAY_RA"] == f"{arrived + timedelta(days=27):%Y%m%d}2359"
        assert row["SO_NGAY_DTRI"] == "28"


def test_no_message_names_a_person_out_of_the_reserved_range() -> None:
    made_up = {one.personal_id for one in citizens(CITIZENS)}

    for record in ALL:
        (summary,) = lines(record, "XML1")
        assert summary["SO_CCCD"] in made_up
        assert summary["SO_CCCD"].startswith("9")
        assert summary["DIEN_THOAI"].startswith("04")
        assert summary["MA_THE_BHYT"][-10:-8] in {"", "99"}


def test_every_text_is_normal() -> None:
    for message in messages():
        assert is_normalized("NFC", message.body.decode())
        for record in records(message):
            texts = [str(text) for root in record.values() for text in root.itertext()]
            assert all(is_normalized("NFC", text) for text in texts)


def test_the_reader_understands_every_message_without_a_remark() -> None:
    understood = 0
    for message in messages():
        reading = read_message(message.body)
        assert reading.problems == ()
        assert reading.facility_code == message.facility_code
        assert tuple(visit.source_id for visit in reading.visits) == message.visit_ids
        for visit in reading.visits:
            assert visit.problems == ()
            assert visit.arrival is not None
            assert plausibility(visit.arrival, MORNING) == ()
            understood += 1
    assert understood == len(visits())


def test_a_sized_message_has_exactly_so_many_lines() -> None:
    (record,) = records(visit_message(9, on=TODAY))

    assert [len(lines(record, table)) for table in ("XML1", "XML2", "XML3", "XML4")] == [1, 10, 10, 15]


@pytest.mark.parametrize(
    ("drug_count", "service_count", "result_count"), [(1, 1, 0), (0, 4, 3), (200, 30, 40), (0, 0, 0)]
)
def test_a_sized_message_may_have_any_size(drug_count: int, service_count: int, result_count: int) -> None:
    body = visit_message(
        9,
        on=TODAY,
        drug_count=drug_count,
        service_count=service_count,
        result_count=result_count,
        facility_code="79001",
    )

    (record,) = records(body)
    assert [len(lines(record, table)) for table in ("XML2", "XML3", "XML4")] == [
        drug_count,
        service_count,
        result_count,
    ]
    (visit,) = read_message(body).visits
    assert visit.problems == ()
    assert plausibility(visit.arrival, MORNING) == () if visit.arrival else False


def test_more_results_than_the_services_can_give_are_refused() -> None:
    with pytest.raises(ValueError, match="12 results need more than 2 services"):
        visit_message(9, on=TODAY, service_count=2, result_count=12)


def test_sized_messages_differ_by_turn_and_person_and_repeat_none_of_the_year() -> None:
    bodies = {visit_message(number, on=TODAY, turn=turn) for number in (1, 2) for turn in (1, 2, 3)}
    ids = {lines(record, "XML1")[0]["MA_LK"] for body in bodies for record in records(body)}

    assert len(bodies) == len(ids) == 6
    assert not ids & {visit.id for visit in visits()}
    assert visit_message(1, on=TODAY) == visit_message(1, on=TODAY)


def test_a_sized_message_is_about_the_citizen() -> None:
    (visit,) = read_message(visit_message(12_345, on=TODAY)).visits

    assert visit.arrival is not None
    assert visit.arrival.person.identifier == citizen(12_345).personal_id
    assert visit.arrival.person.full_name == citizen(12_345).full_name


def test_the_first_two_citizens_have_every_kind_of_paper() -> None:
    for number in (1, 2):
        sent = {
            name
            for message in year_messages([citizen(number)], today=TODAY)
            for one in records(message)
            for name in one
        }
        assert sent == set(TABLES)


def test_a_stay_is_told_with_vital_signs() -> None:
    stays = [visit for message in messages() for visit in read_message(message.body).visits if visit.arrival]
    found = [
        note.vital_signs
        for visit in stays
        if visit.arrival
        for paper in visit.arrival.papers
        for document in paper.documents
        if isinstance(document, ProgressArrival)
        for note in document.notes
    ]

    assert len(found) > 50
    assert all(signs is not None and signs.pulse_per_minute and signs.temperature_celsius for signs in found)
