"""Single values: what is read, and what is not guessed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from time import thread_time

import pytest

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.records.arrivals import BirthPrecision, IdentifierKind


def test_a_moment_of_viet_nam_is_utc() -> None:
    assert values.moment("202611200815") == datetime(2026, 11, 20, 1, 15, tzinfo=UTC)
    assert values.moment("202601010600") == datetime(2025, 12, 31, 23, 0, tzinfo=UTC)
    assert values.moment("202611202359") == datetime(2026, 11, 20, 16, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "20261120", "202611202400", "202611200860", "202602290000", "202613010000", "000011200815",
     "099911200815", "２０２６１１２００８１５", "2026-11-2008", " 2026112008 ", "20261120081500",
     "²02611200815"],
)  # fmt: skip
def test_what_is_no_moment(text: str) -> None:
    assert values.moment(text) is None


def test_days() -> None:
    assert values.day("20240229") == date(2024, 2, 29)
    for text in ("20230229", "2024022", "00000101", "20241301", "2024-2-9", "202402290000", ""):
        assert values.day(text) is None


@pytest.mark.parametrize(
    ("text", "on", "precision", "day_lost"),
    [
        ("198503120730", date(1985, 3, 12), BirthPrecision.MINUTE, False),
        ("198503120000", date(1985, 3, 12), BirthPrecision.DAY, False),
        ("19850312", date(1985, 3, 12), BirthPrecision.DAY, False),
        ("195800000000", date(1958, 1, 1), BirthPrecision.YEAR, False),
        ("19580000", date(1958, 1, 1), BirthPrecision.YEAR, False),
        ("195805000000", date(1958, 1, 1), BirthPrecision.YEAR, True),
        ("200002290000", date(2000, 2, 29), BirthPrecision.DAY, False),
        ("190001010000", date(1900, 1, 1), BirthPrecision.DAY, False),
    ],
)
def test_b164_births(text: str, on: date, precision: BirthPrecision, *, day_lost: bool) -> None:
    birth = values.birth(text)

    assert birth is not None
    assert (birth.on, birth.precision, birth.day_lost) == (on, precision, day_lost)
    assert (birth.at is not None) == (precision is BirthPrecision.MINUTE)


@pytest.mark.parametrize(
    "text",
    ["", "1985", "190002290000", "19850231", "000001010000", "198513000000", "198503122400", "198503120060",
     "1985031207", "１９８５０３１２", "12/03/1985"],
)  # fmt: skip
def test_b164_what_is_no_birth(text: str) -> None:
    assert values.birth(text) is None


@pytest.mark.parametrize(
    ("text", "value", "rounded"),
    [
        ("0", "0", False),
        ("000", "0", False),
        ("15.000", "15", False),
        ("0010.50", "10.5", False),
        ("0.125", "0.125", False),
        ("0.1250000000", "0.125", False),
        ("2.0005", "2.001", True),
        ("2.00049999", "2", True),
        ("9999999999.999", "9999999999.999", False),
    ],
)
def test_numbers(text: str, value: str, *, rounded: bool) -> None:
    read = values.number(text, whole_digits=10, decimals=3)

    assert isinstance(read, values.Number)
    assert (read.value, read.rounded) == (Decimal(value), rounded)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1,5", ProblemCode.NUMBER_COMMA),
        ("1.250.000,5", ProblemCode.NUMBER_COMMA),
        ("1.", ProblemCode.NUMBER_MALFORMED),
        (".5", ProblemCode.NUMBER_MALFORMED),
        ("+1", ProblemCode.NUMBER_MALFORMED),
        ("1_000", ProblemCode.NUMBER_MALFORMED),
        ("٣", ProblemCode.NUMBER_MALFORMED),
        ("1" * 11, ProblemCode.NUMBER_TOO_LARGE),
        ("0." + "1" * 60, ProblemCode.NUMBER_MALFORMED),
        ("9999999999.9996", ProblemCode.NUMBER_TOO_LARGE),
    ],
)
def test_what_is_no_number(text: str, problem: ProblemCode) -> None:
    assert values.number(text, whole_digits=10, decimals=3) is problem


def test_results_are_numbers_only_where_they_are_plain() -> None:
    assert values.result_number("5.60") == Decimal("5.60")
    assert str(values.result_number("-0.10")) == "-0.10"
    for text in ("5,6", "<5", "5.6 mmol/L", "1e5", "Âm tính", "1:80", "", "9" * 16, "+++"):
        assert values.result_number(text) is None
    assert values.has_decimal_comma("5,6")
    assert not values.has_decimal_comma("1,2,3")


def test_lists() -> None:
    assert values.several(" I10; E11.9;;I10 ; ") == ("I10", "E11.9")
    assert values.several(None) == ()
    assert values.parallel("A; ;B;") == ["A", "", "B"]
    assert values.parallel(None) == []


@pytest.mark.parametrize(
    ("text", "number", "kind"),
    [
        ("001185012345", "001185012345", IdentifierKind.PERSONAL_ID),
        (" 001 185 012 345 ", "001185012345", IdentifierKind.PERSONAL_ID),
        ("001-185-012345", "001185012345", IdentifierKind.PERSONAL_ID),
        ("001.185.012345", "001185012345", IdentifierKind.PERSONAL_ID),
        ("001.185.012.345", "001185012345", IdentifierKind.PERSONAL_ID),
        ("79085012345.0", "79085012345.0", IdentifierKind.OTHER),
        ("012345678", "012345678", IdentifierKind.OLD_ID),
        ("C1234567", "C1234567", IdentifierKind.PASSPORT),
        ("c1234567", "c1234567", IdentifierKind.OTHER),
        ("AB1234567", "AB1234567", IdentifierKind.OTHER),
        ("0011850123456", "0011850123456", IdentifierKind.OTHER),
    ],
)
def test_identifiers_are_told_apart(text: str, number: str, kind: IdentifierKind) -> None:
    assert values.identifier(text) == (number, kind)


@pytest.mark.parametrize("text", ["０７９０５８００４３２１", "1" * 16, "001;002", "Không có", "", "a\u200bb1"])
def test_what_is_no_identifier(text: str) -> None:
    assert values.identifier(text) is None


@pytest.mark.parametrize("text", ["000000000000", "999999999", "0", "123456789", "KHONG", "-", "N/A.", "0.0"])
def test_fillers_are_no_identity(text: str) -> None:
    read = values.identifier(text)

    assert read is not None
    assert values.is_filler(read[0])


def test_real_numbers_are_no_fillers() -> None:
    for text in ("001185012345", "C1234567", "012345678", "001100001111"):
        assert not values.is_filler(text)


def test_cards() -> None:
    assert values.is_card("GD4010112345678")
    assert values.is_card("0112345678")
    for text in (
        "GD401011234567",
        "gd4010112345678",
        "011234567",
        "GD40101123456789",
        "０１１２３４５６７８",
    ):
        assert not values.is_card(text)


def test_texts_are_composed() -> None:
    assert values.composed("Nguye\u0302\u0303n Thi\u0323 A\u0301nh") == "Nguyễn Thị Ánh"
    assert values.composed("plain") == "plain"


def test_b153_a_run_of_marks_costs_no_more_than_its_length() -> None:
    """In the usual way 200,000 marks would be sorted in 200,000² steps: minutes."""
    marks = "\u0323\u0300" * 100_000
    start = thread_time()
    text = values.composed("a" + marks)
    assert thread_time() - start < 2
    assert text.startswith("ạ")
    assert len(text) > len(marks) * 0.9


def test_a_run_of_thirty_marks_is_left_alone() -> None:
    assert "\u034f" not in values.composed("a" + "\u0301" * 29 + "b" + "\u0301" * 29)
