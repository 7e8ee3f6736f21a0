"""The code lists that ship: readable, unambiguous, in both languages, and with their licences told."""

import csv
from datetime import date
from importlib import resources
from unicodedata import is_normalized

import pytest

from app.terminology.codes import LONG_AGO, SYSTEMS, read_codes

FOLDER = resources.files("app.terminology") / "codes"


def raw(system: str) -> str:
    return (FOLDER / f"{system}.csv").read_text(encoding="utf-8")


def test_every_list_has_a_system_and_every_system_a_list() -> None:
    files = {entry.name.removesuffix(".csv") for entry in FOLDER.iterdir() if entry.name.endswith(".csv")}

    assert files == set(SYSTEMS)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_list_is_plain_text_without_gaps(system: str) -> None:
    text = raw(system)
    table = list(csv.reader(text.splitlines()))

    assert is_normalized("NFC", text)
    assert "\r" not in text
    assert "\ufeff" not in text
    assert table[0][:5] == ["code", "name_vi", "name_en", "valid_from", "valid_until"]
    assert {len(row) for row in table} == {len(table[0])}
    assert all(cell == cell.strip() for row in table for cell in row)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_code_has_one_meaning_at_a_time(system: str) -> None:
    entries = read_codes(system)

    assert entries
    assert len({(entry.code, entry.valid_from) for entry in entries}) == len(entries)
    assert all(entry.valid_until is None or entry.valid_from < entry.valid_until for entry in entries)


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_code_is_named_in_both_languages(system: str) -> None:
    nameless = [entry.code for entry in read_codes(system) if not entry.name_vi or not entry.name_en]

    assert nameless == []


def test_codes_keep_their_leading_zeros() -> None:
    kinds = {entry.code: entry for entry in read_codes("visit-kind")}

    assert kinds["01"].name_vi == "Khám bệnh"
    assert "1" not in kinds


def test_a_code_that_came_later_is_dated() -> None:
    kinds = {entry.code: entry for entry in read_codes("visit-kind")}

    assert kinds["15"].valid_from == date(2026, 8, 1)
    assert kinds["03"].valid_from == LONG_AGO


def test_a_list_that_is_none_of_ours_is_refused() -> None:
    with pytest.raises(KeyError):
        read_codes("../ORIGIN")


def test_the_commonest_diagnoses_are_there() -> None:
    codes = {entry.code for entry in read_codes("icd10")}

    assert len(codes) >= 160
    assert {"I10", "E11.9", "J06.9", "J20.9", "J18.9", "K29.7", "A97.0", "M54.5", "O80", "Z00.0"} <= codes


def loinc_check_digit(number: str) -> int:
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value // 10 + value % 10
    return -total % 10


def test_every_loinc_code_has_a_right_check_digit() -> None:
    references = [entry.loinc for entry in read_codes("test-index") if entry.loinc]

    assert len(references) > 100
    wrong = [code for code in references if loinc_check_digit(code.split("-")[0]) != int(code.split("-")[1])]
    assert wrong == []


def test_a_national_index_means_what_its_local_name_means() -> None:
    indices = {entry.code: entry for entry in read_codes("test-index")}

    assert indices["1000001"].loinc == indices["PT"].loinc
    assert indices["1000001"].name_vi == indices["PT"].name_vi


def test_the_origin_of_every_list_is_told() -> None:
    origin = (FOLDER / "ORIGIN.md").read_text(encoding="utf-8")

    assert [system for system in SYSTEMS if f"`{system}.csv`" not in origin] == []
    assert "LOINC is copyright © Regenstrief Institute, Inc." in " ".join(origin.split())
