"""The papers of a visit: what a citizen is handed."""

from datetime import UTC, date, datetime

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.verdict import Effect
from app.records.arrivals import Sex, VisitArrival
from app.records.papers import (
    DischargeArrival,
    DocumentArrival,
    DocumentKind,
    ProgressArrival,
    ReexaminationArrival,
    ReferralArrival,
)
from tests.ingestion.messages import (
    DISCHARGE,
    NOTE,
    PAPERS,
    VISIT,
    changed,
    encoded,
    envelope,
    file_xml,
    message,
    table_xml,
)
from tests.ingestion.qd4750.readings import only_arrival, only_visit, told


def papers_of(arrival: VisitArrival, kind: DocumentKind) -> tuple[DocumentArrival, ...]:
    return next(paper.documents for paper in arrival.papers if paper.kind is kind)


def only_paper(body: bytes, kind: DocumentKind) -> DocumentArrival:
    (document,) = papers_of(only_arrival(body), kind)
    return document


def test_every_paper_arrives_without_a_remark() -> None:
    visit = only_visit(message(XML1=[VISIT], **{name: [line] for name, line in PAPERS.items()}))

    assert visit.problems == ()
    assert visit.tables_kept == ()
    assert visit.arrival is not None
    assert {paper.kind for paper in visit.arrival.papers} == {*DocumentKind} - {DocumentKind.ATTACHMENT}  # FHIR's alone
    assert all(len(paper.documents) == 1 for paper in visit.arrival.papers)


def test_a_kind_that_is_not_sent_is_not_an_empty_one() -> None:
    assert only_arrival(message(XML1=[VISIT])).papers == ()
    (sent,) = only_arrival(message(XML1=[VISIT], XML5=[])).papers
    assert (sent.kind, sent.documents) == (DocumentKind.PROGRESS, ())


def test_twins_have_a_discharge_paper_each() -> None:
    first, second = ({**DISCHARGE, "MA_THE_TAM": card} for card in ("TE1010000000001", "TE1010000000002"))
    files = "".join(file_xml("XML7", encoded(table_xml("XML7", [line]))) for line in (first, second))
    body = envelope(f"<HOSO>{file_xml('XML1', encoded(table_xml('XML1', [VISIT])))}{files}</HOSO>")

    found = papers_of(only_arrival(body), DocumentKind.DISCHARGE)

    assert [paper.key for paper in found] == ["discharge:1", "discharge:2"]


def test_a_discharge_paper() -> None:
    paper = only_paper(changed("XML7", HO_TEN_ME="Trần Thị Mẹ"), DocumentKind.DISCHARGE)

    assert isinstance(paper, DischargeArrival)
    assert (paper.number, paper.issued_on, paper.mother_name) == ("26/045218", date(2026, 11, 20), "Trần Thị Mẹ")
    assert (paper.rest_days, paper.rest_from, paper.rest_until) == (3, date(2026, 11, 21), date(2026, 11, 23))
    assert paper.dated_at == datetime(2026, 11, 20, 3, 30, tzinfo=UTC)


def test_nothing_of_a_terminated_pregnancy_is_taken() -> None:
    told_fields = {"MA_DINH_CHI_THAI": "1", "NGUYENNHAN_DINHCHI": "Lý do kín", "TUOI_THAI": "9"}
    arrival = only_arrival(changed("XML7", **told_fields, THOIGIAN_DINHCHI="202611200900"))

    assert "Lý do kín" not in repr(arrival)


@pytest.mark.parametrize(
    ("left", "until"),
    [
        ("202611201030", date(2026, 12, 4)),  # a Friday
        ("202611161030", date(2026, 11, 30)),  # a Monday
        ("202611221030", date(2026, 12, 4)),  # a Sunday
    ],
)
def test_a_referral_is_good_for_ten_working_days(left: str, until: date) -> None:
    tables = {"XML1": [{**VISIT, "NGAY_RA": left}], "XML13": [{**PAPERS["XML13"], "NGAY_RA": ""}]}
    paper = only_paper(message(**tables), DocumentKind.REFERRAL)

    assert isinstance(paper, ReferralArrival)
    assert paper.valid_until == until
    assert paper.referred_to_code == "01012"


@pytest.mark.parametrize(
    ("first", "second", "treatment"),
    [("A", "", "A"), ("", "B", "B"), ("A", "A", "A"), ("A", "B", "A\nB"), ("", "", None)],
)
def test_both_fields_of_a_treatment_are_told(first: str, second: str, treatment: str | None) -> None:
    paper = only_paper(changed("XML13", PP_DIEU_TRI=first, PP_DIEUTRI=second), DocumentKind.REFERRAL)

    assert isinstance(paper, ReferralArrival)
    assert paper.treatment == treatment


def test_a_referral_counts_from_the_day_on_which_the_patient_left_not_from_the_last_medicine() -> None:
    visit = {**VISIT, "MA_LOAI_KCB": "05", "NGAY_RA": "202612172359"}
    paper = only_paper(message(XML1=[visit], XML13=[PAPERS["XML13"]]), DocumentKind.REFERRAL)

    assert isinstance(paper, ReferralArrival)
    assert (paper.valid_from, paper.valid_until) == (date(2026, 11, 20), date(2026, 12, 4))


@pytest.mark.parametrize("table", ["XML13", "XML14"])
@pytest.mark.parametrize("field", [{"HO_TEN": "Trần Văn Khác"}, {"NGAY_SINH": "199001010000"}])
def test_b161_a_paper_of_another_person_waits(table: str, field: dict[str, str]) -> None:
    visit = only_visit(changed(table, **field))

    (name,) = field
    assert told(visit, Effect.QUARANTINES) == [(ProblemCode.PAPER_OF_ANOTHER, table, 1, name)]


@pytest.mark.parametrize("name", ["NGUYEN THI HONG ANH", "nguyễn thị  hồng ánh", "Nguyễn Thị Hồng Ánh"])
def test_the_same_name_written_otherwise_is_the_same_person(name: str) -> None:
    assert only_visit(changed("XML14", HO_TEN=name, NGAY_SINH="19850312")).problems == ()


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("202612040800", datetime(2026, 12, 4, 1, tzinfo=UTC)),
        ("20261204", datetime(2026, 12, 3, 17, tzinfo=UTC)),
        ("202612040000", datetime(2026, 12, 3, 17, tzinfo=UTC)),
    ],
)
def test_an_appointment_may_lack_its_time(text: str, at: datetime) -> None:
    paper = only_paper(changed("XML14", NGAY_HEN_KL=text), DocumentKind.REEXAMINATION)

    assert isinstance(paper, ReexaminationArrival)
    assert paper.appointment_at == at


def test_an_appointment_that_is_none_rejects() -> None:
    visit = only_visit(changed("XML14", NGAY_HEN_KL="20261304"))

    assert told(visit, Effect.REJECTS) == [(ProblemCode.MOMENT_MALFORMED, "XML14", 1, "NGAY_HEN_KL")]


def test_notes_stand_in_the_order_of_time() -> None:
    lines = [{**NOTE, "STT": str(n), "THOI_DIEM_DBLS": f"2026112{d}0800"} for n, d in ((1, 2), (2, 0), (3, 1))]
    paper = only_paper(message(XML1=[VISIT], XML5=lines), DocumentKind.PROGRESS)

    assert isinstance(paper, ProgressArrival)
    assert [note.line for note in paper.notes] == [2, 3, 1]
    assert paper.dated_at == paper.notes[0].noted_at
    assert paper.notes[0].vital_signs is not None


def test_a_malformed_day_of_a_paper_only_warns() -> None:
    visit = only_visit(changed("XML7", NGAY_CT="2026-11-20", NGAY_RA="x", SO_NGAY_NGHI="ba"))

    assert visit.arrival is not None
    assert {field for _, _, _, field in told(visit, Effect.WARNS)} == {"NGAY_CT", "NGAY_RA", "SO_NGAY_NGHI"}


BIRTH = (
    "<CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH><DSACH_GIAYCHUNGSINH><DU_LIEU_GIAY_CHUNG_SINH>{}"
    "</DU_LIEU_GIAY_CHUNG_SINH></DSACH_GIAYCHUNGSINH></CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH>"
)


def with_birth(**fields: str) -> bytes:
    told_fields = {"MA_LK": VISIT["MA_LK"] or "", "NGAY_SINH_CON": "202611200859", "GIOI_TINH_CON": "2", **fields}
    inner = "".join(f"<{name}>{value}</{name}>" for name, value in told_fields.items())
    files = file_xml("XML1", encoded(table_xml("XML1", [VISIT]))) + file_xml("XML9", encoded(BIRTH.format(inner)))
    return envelope(f"<HOSO>{files}</HOSO>")


def test_a_birth_certificate_is_kept_and_links_the_newborn() -> None:
    visit = only_visit(with_birth(SO="12", QUYEN_SO="3", MA_THE_TAM="TE1010000000001", SO_CCCD_NND="001185012345"))

    assert visit.arrival is not None
    (birth,) = visit.arrival.births
    assert (birth.certificate, birth.sex, birth.temporary_card) == ("3|12", Sex.FEMALE, "TE1010000000001")
    assert birth.born_at == datetime(2026, 11, 20, 1, 59, tzinfo=UTC)
    assert birth.mother_identifier == "001185012345"
    assert visit.tables_kept == ("XML9",)
    assert [code for code, *_ in told(visit, Effect.NOTES)] == [ProblemCode.TABLE_KEPT_NOT_SHOWN]


@pytest.mark.parametrize("born", ["20261120", "202611200000", "", "x"])
def test_a_birth_without_its_minute_links_nobody(born: str) -> None:
    assert only_arrival(with_birth(NGAY_SINH_CON=born)).births == ()
