"""The demo's people are believable, always the same, and nobody's."""

import re
from datetime import date
from importlib import resources
from unicodedata import is_normalized

import pytest

from app.demo.people import FACILITIES, citizen, citizens, facility_of, practitioners
from app.records.arrivals import Sex

MANY = citizens(1500)


def test_the_same_number_is_the_same_person_however_many_there_are() -> None:
    assert citizens(20) == citizens(60)[:20]
    assert citizen(33) == citizens(60)[32]


def test_another_seed_makes_other_people() -> None:
    assert citizen(40, seed=1) != citizen(40, seed=2)


def test_no_personal_id_can_be_a_real_persons() -> None:
    numbers = [one.personal_id for one in MANY] + [one.personal_id for one in practitioners()]

    assert all(re.fullmatch(r"9[0-9]{11}", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_a_personal_id_tells_century_sex_and_year_as_the_decree_says() -> None:
    for one in MANY:
        century = {19: 0, 20: 2}[one.birth_on.year // 100]
        assert one.personal_id[3] == str(century + (one.sex is Sex.FEMALE))
        assert one.personal_id[4:6] == f"{one.birth_on.year % 100:02d}"


def test_phones_and_cards_are_out_of_the_assigned_ranges() -> None:
    assert all(re.fullmatch(r"04[0-9]{8}", one.phone) for one in MANY)
    cards = [one.insurance.number for one in MANY if one.insurance]
    assert all(re.fullmatch(r"([A-Z]{2}[1-4](01|79|48))?99[0-9]{8}", number) for number in cards)
    assert {len(number) for number in cards} == {10, 15}
    assert len({number[-10:] for number in cards}) == len(cards)


def test_certificates_are_out_of_the_assigned_range() -> None:
    assert all(re.fullmatch(r"9900[0-9]{2}/(HNO|HCM|DNA)-CCHN", one.certificate) for one in practitioners())


def test_names_are_whole_and_normal() -> None:
    for one in MANY:
        assert is_normalized("NFC", one.full_name + one.address)
        words = one.full_name.split(" ")
        assert 3 <= len(words) <= 4
        assert all(word[0].isupper() for word in words)


def test_all_ages_and_both_sexes_are_there() -> None:
    ages = [one.age_on(date(2026, 11, 22)) for one in MANY]

    assert min(ages) <= 2
    assert max(ages) >= 85
    assert 0.4 < sum(one.sex is Sex.FEMALE for one in MANY) / len(MANY) < 0.6
    assert 0.01 < sum(one.insurance is None for one in MANY) / len(MANY) < 0.12


def test_small_children_have_the_card_of_small_children() -> None:
    small = [one for one in MANY if one.birth_on.year >= 2021 and one.insurance]

    assert small
    assert all(one.insurance and one.insurance.number.startswith("TE1") for one in small)


@pytest.mark.parametrize("day", [date(2026, 11, 22), date(2029, 1, 1)])
def test_citizen_3_is_a_parent_of_the_child_citizen_4(day: date) -> None:
    parent, child = citizen(3), citizen(4)

    assert child.parent_number == parent.number
    assert child.address == parent.address
    assert parent.age_on(day) - child.age_on(day) > 16
    assert child.age_on(day) < 7
    assert citizen(1).parent_number is None
    assert citizen(2).parent_number is None


def test_a_birthday_counts_on_the_day_itself() -> None:
    one = citizen(1)
    birthday = one.birth_on.replace(year=2026)

    assert one.age_on(birthday) == 2026 - one.birth_on.year
    assert one.age_on(date.fromordinal(birthday.toordinal() - 1)) == 2025 - one.birth_on.year


def test_facilities_and_doctors_are_those_of_the_contract() -> None:
    assert [facility.code for facility in FACILITIES] == ["01901", "79001", "48195"]
    assert [facility.level for facility in FACILITIES] == ["CENTRAL", "PROVINCIAL", "PRIMARY"]
    doctors = {one.number: one.facility_code for one in practitioners()}
    assert (doctors[1], doctors[2], doctors[3]) == ("01901", "01901", "79001")
    assert facility_of("48195") is FACILITIES[2]


def test_every_facility_has_somebody_to_treat_and_somebody_to_read_results() -> None:
    for facility in FACILITIES:
        roles = {one.reads_results for one in practitioners() if one.facility_code == facility.code}
        assert roles == {True, False}


def test_the_origin_of_every_data_file_is_told() -> None:
    folder = resources.files("app.demo")
    origin = (folder / "ORIGIN.md").read_text(encoding="utf-8")
    files = [entry.name for entry in folder.iterdir() if entry.name.endswith((".csv", ".json"))]

    assert len(files) >= 9
    assert [name for name in files if f"`{name}`" not in origin] == []
    assert all(is_normalized("NFC", (folder / name).read_text(encoding="utf-8")) for name in files)
