"""From claims to a person: both presets, every way of writing a birth date, and what names nobody."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.core.providers import AppClient, Provider
from app.identity.names import name_key
from app.identity.persons import PersonUnclear, Unclear, read_person

VNEID = {"preferred_username": "001193000123", "name": "Trần Thị Mai Anh", "birthdate": "1993-08-27", "acr": "2"}
VNCONNECT = {
    "SoDinhDanh": "001193000123",
    "HoVaTen": "Trần Thị Mai Anh",
    "NgayThangNamSinh": "19930827",
    "LoaiTaiKhoan": "1",
    "acr": "LoA2",
}


def provider(preset: str = "vneid", **changed: object) -> Provider:
    return Provider.model_validate({"preset": preset, "issuer": "https://op.example", "client_id": "sokhoe", **changed})


@pytest.mark.parametrize(("preset", "claims"), [("vneid", VNEID), ("vnconnect", VNCONNECT)])
def test_both_presets_name_the_same_person(preset: str, claims: dict[str, object]) -> None:
    person = read_person(claims, provider(preset).claims)

    assert (person.personal_id, person.full_name) == ("001193000123", "Trần Thị Mai Anh")
    assert (person.birth_on, person.birth_precision, person.sex, person.level) == (
        date(1993, 8, 27),
        "DAY",
        "FEMALE",
        2,
    )
    assert "Mai Anh" not in repr(person)


@pytest.mark.parametrize(
    ("said", "born", "precision"),
    [
        ("1993-08-27", date(1993, 8, 27), "DAY"),
        ("19930827", date(1993, 8, 27), "DAY"),
        ("27/08/1993", date(1993, 8, 27), "DAY"),
        ("1993", date(1993, 1, 1), "YEAR"),
        ("19930000", date(1993, 1, 1), "YEAR"),
        ("1993-00-00", date(1993, 1, 1), "YEAR"),
        (None, date(1993, 1, 1), "YEAR"),
        (19930827, date(1993, 8, 27), "DAY"),
    ],
)
def test_birth_dates(said: object, born: date, precision: str) -> None:
    person = read_person({**VNEID, "birthdate": said}, provider().claims)

    assert (person.birth_on, person.birth_precision) == (born, precision)


@pytest.mark.parametrize("said", ["1993-13-01", "30/02/1993", "0000", "93", "1993-8-27", "yesterday", "１９９３"])
def test_birth_dates_that_are_none(said: str) -> None:
    with pytest.raises(PersonUnclear) as unclear:
        read_person({**VNEID, "birthdate": said}, provider().claims)

    assert unclear.value.why is Unclear.BAD_BIRTH


@pytest.mark.parametrize(
    ("number", "sex", "year"),
    [("001066000001", "MALE", 1966), ("001190000001", "FEMALE", 1990), ("001222000001", "MALE", 2022)],
)
def test_the_number_tells_sex_and_year(number: str, sex: str, year: int) -> None:
    person = read_person({**VNEID, "preferred_username": number, "birthdate": None}, provider().claims)

    assert (person.sex, person.birth_on.year) == (sex, year)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"LoaiTaiKhoan": "2"}, Unclear.ORGANISATION),
        ({"LoaiTaiKhoan": None}, Unclear.ORGANISATION),
        ({"SoDinhDanh": ""}, Unclear.NO_PERSONAL_ID),
        ({"SoDinhDanh": "1" * 13}, Unclear.NO_PERSONAL_ID),
        ({"SoDinhDanh": 1193000123}, Unclear.NO_PERSONAL_ID),
        ({"HoVaTen": " "}, Unclear.NO_NAME),
        ({"HoVaTen": "A" * 256}, Unclear.NO_NAME),
        ({"HoVaTen": "A\x1b[31m"}, Unclear.NO_NAME),
    ],
)
def test_nobody(changed: dict[str, object], why: Unclear) -> None:
    with pytest.raises(PersonUnclear) as unclear:
        read_person({**VNCONNECT, **changed}, provider("vnconnect").claims)

    assert unclear.value.why is why


def test_a_claim_map_of_ones_own() -> None:
    own = provider(claims={"personal_id": "cccd", "level": "loa", "levels": {"cao": 2}})

    assert read_person({**VNEID, "cccd": "001193000123", "loa": "cao"}, own.claims).level == 2
    assert read_person({**VNEID, "cccd": "001193000123", "loa": "2"}, own.claims).level == 1
    assert own.claims.full_name == "name"


anything = st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.lists(st.text(), max_size=2)


@hypothesis_settings(max_examples=200, deadline=None, database=None)
@given(claims=st.dictionaries(st.sampled_from([*VNEID, "sub"]), anything))
def test_whatever_is_claimed_names_somebody_or_is_unclear(claims: dict[str, object]) -> None:
    try:
        person = read_person(claims, provider().claims)
    except PersonUnclear:
        return
    assert len(person.personal_id) == 12
    assert person.full_name


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "http://op.example"},
        {"issuer": "https://op.example?x=1"},
        {"issuer": "https://user@op.example"},
        {"issuer": "ftp://op.example"},
        {"algorithms": ["HS256"]},
        {"algorithms": []},
        {"preset": "another"},
        {"unknown": 1},
        {"claims": {"personal": "x"}},
    ],
)
def test_settings_that_are_refused(changed: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        provider(**{"preset": "vneid", **changed})  # type: ignore[arg-type]  # wrong on purpose


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uris": ["http://app.example/x"]},
        {"redirect_uris": ["sokhoe://x"]},
        {"redirect_uris": ["https://app.example/x#y"]},
        {"redirect_uris": []},
        {"client_id": "has space"},
    ],
)
def test_apps_that_are_refused(changed: dict[str, object]) -> None:
    good = {"client_id": "phone", "redirect_uris": ["https://app.example/x"]}
    assert AppClient.model_validate(good).client_id == "phone"
    with pytest.raises(ValidationError):
        AppClient.model_validate({**good, **changed})


def test_names_are_compared_without_diacritics() -> None:
    assert name_key("  Nguyễn Văn Hòa ") == name_key("NGUYEN  VAN HOÀ") == "NGUYEN VAN HOA"
    assert name_key("Đặng Ưởng") == "DANG UONG"
    assert name_key("\u00d0ặng V\u0103n \u0189\u1ee9c") == name_key("\u00f0ặng văn \u0256ức") == "DANG VAN DUC"
    assert name_key("H\u2019Hen Niê") == name_key("h\u02bchen nie") == name_key("H'HEN\u00a0NIÊ\u200b") == "H'HEN NIE"
    assert name_key("Ｎｇｕｙễｎ Ａｎ\u202e") == "NGUYEN AN"
