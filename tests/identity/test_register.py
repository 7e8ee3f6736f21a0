"""The register of practitioners: what a file says, and every fault with its line and field."""

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.register import (
    CERTIFICATE,
    COLUMNS,
    TEXTS,
    PlaceEntry,
    PractitionerEntry,
    Register,
    RegisterFault,
    read_register,
)

HEADER = ",".join(COLUMNS)
KNOWN = {"01901", "79001"}
GOOD = {
    "certificate": "001234/BYT-CCHN",
    "full_name": "Trần Minh Khôi",
    "personal_id": "001085000123",
    "valid_from": "2016-05-04",
    "valid_until": "",
    "facility_code": "01901",
    "place_from": "2020-01-01",
    "place_until": "",
    "suspended_on": "",
}


def file(*lines: dict[str, str]) -> bytes:
    return "\n".join([HEADER, *(",".join({**GOOD, **line}.values()) for line in lines)]).encode()


def read(body: bytes) -> Register:
    return read_register(body, facilities=KNOWN)


def faults(body: bytes) -> list[tuple[int, str, RegisterFault]]:
    return [(one.line, one.field, one.fault) for one in read(body).problems]


def test_a_certificate_with_two_places_and_both_ways_to_write_a_day() -> None:
    found = read(
        file(
            {"certificate": " 001234/byt-cchn ", "place_until": "31/12/2025"},
            {"facility_code": "79001", "place_from": "01/01/2026"},
        )
    )

    assert found.problems == ()
    assert found.lines == 2
    assert found.entries == (
        PractitionerEntry(
            certificate="001234/BYT-CCHN",
            full_name="Trần Minh Khôi",
            personal_id="001085000123",
            valid_from=date(2016, 5, 4),
            places=(
                PlaceEntry(facility_code="01901", valid_from=date(2020, 1, 1), valid_until=date(2025, 12, 31)),
                PlaceEntry(facility_code="79001", valid_from=date(2026, 1, 1)),
            ),
        ),
    )
    assert "Khôi" not in repr(found.entries)
    assert "001085" not in repr(found.entries)


@pytest.mark.parametrize(
    "good",
    ["001234/BYT-CCHN", "0012345/BYT-CCHN", "001234/HCM-CCHN", "001234/ĐNA-CCHN", "000001/KH-CCHN"],
)
def test_forms_of_a_certificate(good: str) -> None:
    assert read(file({"certificate": good})).entries[0].certificate == good
    licence = good.replace("CCHN", "GPHN")
    assert read(file({"certificate": licence, "valid_until": "2030-01-01"})).entries[0].certificate == licence


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"certificate": "1234/BYT-CCHN"}, ("certificate", RegisterFault.CERTIFICATE_FORM)),
        ({"certificate": "001234/BYT-ABC"}, ("certificate", RegisterFault.CERTIFICATE_FORM)),
        ({"certificate": "001234-BYT-CCHN"}, ("certificate", RegisterFault.CERTIFICATE_FORM)),
        ({"certificate": "٠٠١٢٣٤/BYT-CCHN"}, ("certificate", RegisterFault.CERTIFICATE_FORM)),
        ({"certificate": ""}, ("certificate", RegisterFault.MISSING)),
        ({"full_name": ""}, ("full_name", RegisterFault.MISSING)),
        ({"full_name": "x" * 256}, ("full_name", RegisterFault.NAME_FORM)),
        ({"full_name": "Trần\x00Khôi"}, ("full_name", RegisterFault.NAME_FORM)),
        ({"personal_id": "012345678"}, ("personal_id", RegisterFault.PERSONAL_ID_FORM)),
        ({"personal_id": "٠٠١٠٨٥٠٠٠١٢٣"}, ("personal_id", RegisterFault.PERSONAL_ID_FORM)),
        ({"valid_from": "2016-02-30"}, ("valid_from", RegisterFault.DATE_FORM)),
        ({"valid_from": "4/5/2016"}, ("valid_from", RegisterFault.DATE_FORM)),
        ({"valid_until": "2016-05-03"}, ("valid_until", RegisterFault.ENDS_BEFORE_IT_BEGINS)),
        ({"place_until": "2019-12-31"}, ("place_until", RegisterFault.ENDS_BEFORE_IT_BEGINS)),
        ({"place_from": "2016-05-03"}, ("place_from", RegisterFault.OUTSIDE_CERTIFICATE)),
        ({"facility_code": "0190"}, ("facility_code", RegisterFault.FACILITY_FORM)),
        ({"facility_code": "99999"}, ("facility_code", RegisterFault.FACILITY_UNKNOWN)),
        ({"suspended_on": "soon"}, ("suspended_on", RegisterFault.DATE_FORM)),
        ({"certificate": "001234/HCM-GPHN"}, ("valid_until", RegisterFault.LICENCE_WITHOUT_END)),
    ],
)
def test_a_fault_names_line_and_field_and_nothing_is_stored(
    changed: dict[str, str], wanted: tuple[str, RegisterFault]
) -> None:
    body = file({}, {"certificate": "001235/BYT-CCHN", **changed})

    assert (3, *wanted) in faults(body)
    assert read(body).entries == ()


def test_every_fault_of_a_file_is_told_in_order() -> None:
    body = file({"valid_from": "x", "full_name": ""}, {"facility_code": "99999", "valid_from": "x", "full_name": ""})

    assert faults(body) == [
        (2, "full_name", RegisterFault.MISSING),
        (2, "valid_from", RegisterFault.DATE_FORM),
        (3, "full_name", RegisterFault.MISSING),
        (3, "valid_from", RegisterFault.DATE_FORM),
        (3, "facility_code", RegisterFault.FACILITY_UNKNOWN),
    ]


def test_lines_of_one_certificate_agree_and_say_a_place_once() -> None:
    other = {"full_name": "Trần Văn Khôi", "personal_id": "001085000124", "facility_code": "79001"}

    assert faults(file({}, other)) == [
        (3, "full_name", RegisterFault.DIFFERS_FROM_LINE_BEFORE),
        (3, "personal_id", RegisterFault.DIFFERS_FROM_LINE_BEFORE),
    ]
    assert faults(file({}, {})) == [(3, "facility_code", RegisterFault.PLACE_TWICE)]


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", [(1, name, RegisterFault.COLUMN_MISSING) for name in COLUMNS]),
        (HEADER.encode() + b",salary\n", [(1, "salary", RegisterFault.COLUMN_UNKNOWN)]),
        (HEADER.replace("valid_from", "valid_until").encode(), [
            (1, "valid_from", RegisterFault.COLUMN_MISSING),
            (1, "valid_until", RegisterFault.COLUMN_MISSING),
        ]),
        (file({}) + b",too,many", [(2, "", RegisterFault.FIELDS_TOO_MANY)]),
        (file({}) + b'\n"open', [(3, "", RegisterFault.NOT_CSV)]),
        (file({}) + "\nTrần".encode("cp1258", errors="replace") + b"\xff", [(3, "", RegisterFault.NOT_UTF8)]),
    ],
)  # fmt: skip
def test_a_file_that_is_no_register(body: bytes, wanted: list[tuple[int, str, RegisterFault]]) -> None:
    assert faults(body) == wanted


def test_a_file_as_spreadsheets_write_it_is_read() -> None:
    body = b"\xef\xbb\xbf" + file({"full_name": unicodedata.normalize("NFD", '"Trần Minh  Khôi"')}).replace(
        b"\n", b"\r\n"
    )

    assert read(body + b"\r\n\r\n,,,,,,,,\r\n").entries[0].full_name == "Trần Minh Khôi"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_a_file_holds_it_is_read_or_its_faults_are_told(tail: bytes) -> None:
    found = read(HEADER.encode() + b"\n" + tail)

    assert found.entries == () or not found.problems
    assert all(CERTIFICATE.fullmatch(entry.certificate) for entry in found.entries)


def test_every_fault_is_told_in_both_languages() -> None:
    assert set(TEXTS) == set(RegisterFault)
    assert all(text.vi != text.en and unicodedata.is_normalized("NFC", text.vi) for text in TEXTS.values())
