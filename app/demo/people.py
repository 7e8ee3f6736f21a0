"""Three hospitals, their clinicians and the citizens of the demo. All of them are made up.

Nothing here can be a real person's or institution's:
- a personal id begins with 9: its first three digits are a province, 001 to 096, or a country of a list that
  is far from 900 entries long (Decree 137/2015 Art. 13; Circular 07/2016/TT-BCA Art. 7);
- a phone number begins with 04, Hà Nội's area code until 2017 and not assigned since;
- a social-insurance number begins with 99, which is no province;
- a practising certificate has a number from 990001 on.
Facility codes are those of the contract; the names beside them are invented.
Birth dates do not depend on the day of loading, for a person must stay the same person.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

from app.demo.drawing import Draws, draw
from app.demo.files import rows
from app.identity.register import PlaceEntry, PractitionerEntry
from app.records.arrivals import Sex

DEFAULT_SEED = 20261122
PERSONAL_ID_FIRST_DIGIT = "9"
PHONE_PREFIX = "04"
SOCIAL_INSURANCE_PREFIX = "99"
FIRST_CERTIFICATE_NUMBER = 990_001
FACTOR_SECRET = b"sokhoe demo factor 1"
"""What citizen:1's authenticator holds: everybody may know it, as everybody may have a token of the demo."""

_REFERENCE_DAY = date(2026, 1, 1)
_SERIALS = 1_000_000
_BLOOD_GROUPS = ("O+", "B+", "A+", "AB+")
_BLOOD_WEIGHTS = (44, 29, 21, 6)
_UNINSURED_PERCENT = 6
_LONG_CARDS_SHARE = 0.5
_SCHOOL_AGE, _WORKING_AGE, _RETIRING_AGE = 6, 22, 61


@dataclass(frozen=True, slots=True, kw_only=True)
class Facility:
    """One of the demo's hospitals, and how its software writes."""

    code: str
    name: str
    level: str  # CENTRAL, PROVINCIAL or PRIMARY
    province_code: str
    mass_units: bool  # glucose, creatinine and lipids in mg/dL
    inline_tables: bool  # NOIDUNGFILE holds the table itself instead of base64


@dataclass(frozen=True, slots=True, kw_only=True)
class Practitioner:
    """A clinician; `doctor:1` is number 1."""

    number: int
    full_name: str
    personal_id: str
    birth_on: date
    certificate: str
    facility_code: str
    department_code: str
    reads_results: bool  # signs laboratory and imaging reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A commune, ward or special zone after 01/07/2025."""

    commune_code: str
    commune: str
    province_code: str
    province: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuranceCard:
    """A health-insurance card; it is valid for the calendar year of the visit."""

    number: str  # 15 characters, or the 10 digits of a new card
    facility_code: str  # of first registration
    benefit_percent: int  # what the fund pays of costs within its list: 80, 95 or 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Citizen:
    """A made-up person; `citizen:1` is number 1."""

    number: int
    full_name: str
    sex: Sex
    birth_on: date
    personal_id: str
    phone: str
    address: str
    place: Place
    home_facility_code: str
    insurance: InsuranceCard | None
    blood_group: str
    parent_number: int | None  # the citizen who represents this child

    def age_on(self, day: date) -> int:
        """Return the completed years of life."""
        return day.year - self.birth_on.year - ((day.month, day.day) < (self.birth_on.month, self.birth_on.day))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fixed:
    """What the contract or the stories ask of the first citizens."""

    full_name: str
    sex: Sex
    birth_on: date
    province_code: str
    parent_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Home:
    place: Place
    address: str
    phone: str


FACILITIES: tuple[Facility, ...] = (
    Facility(
        code="01901", name="Bệnh viện Đa khoa Trung ương Đại La", level="CENTRAL", province_code="01",
        mass_units=False, inline_tables=False,
    ),
    Facility(
        code="79001", name="Bệnh viện Đa khoa Thành phố Bến Sen", level="PROVINCIAL", province_code="79",
        mass_units=True, inline_tables=False,
    ),
    Facility(
        code="48195", name="Trạm Y tế phường Cồn Nhạn", level="PRIMARY", province_code="48",
        mass_units=False, inline_tables=True,
    ),
)  # fmt: skip

_PRACTITIONERS: tuple[tuple[str, Sex, str, str, bool], ...] = (
    ("Trần Minh Khôi", Sex.MALE, "01901", "K03", False),
    ("Lê Thị Ngọc Diệp", Sex.FEMALE, "01901", "K18", False),
    ("Huỳnh Quốc Thịnh", Sex.MALE, "79001", "K03", False),
    ("Phan Thị Thu Hằng", Sex.FEMALE, "48195", "K01", False),
    ("Nguyễn Thị Thanh Trúc", Sex.FEMALE, "01901", "K27", False),
    ("Đỗ Trọng Nghĩa", Sex.MALE, "01901", "K47", True),
    ("Võ Thành Luân", Sex.MALE, "79001", "K24", False),
    ("Bùi Thị Kim Oanh", Sex.FEMALE, "79001", "K47", True),
    ("Đặng Thùy Dung", Sex.FEMALE, "79001", "K27", False),
    ("Hồ Văn Phước", Sex.MALE, "48195", "K01", True),
)
_PRACTITIONERS_PROVINCE = "99"
_ISSUERS = {"01901": "HNO", "79001": "HCM", "48195": "DNA"}

_FIXED: dict[int, _Fixed] = {
    1: _Fixed(full_name="Nguyễn Văn Hòa", sex=Sex.MALE, birth_on=date(1966, 3, 14), province_code="48"),
    2: _Fixed(full_name="Trần Thị Mai Anh", sex=Sex.FEMALE, birth_on=date(1993, 8, 27), province_code="01"),
    3: _Fixed(full_name="Lê Thị Thu Hà", sex=Sex.FEMALE, birth_on=date(1990, 5, 6), province_code="79"),
    4: _Fixed(
        full_name="Phạm Gia Bảo",
        sex=Sex.MALE,
        birth_on=date(2022, 1, 19),
        province_code="79",
        parent_number=3,
    ),
}


def citizens(count: int, *, seed: int = DEFAULT_SEED) -> tuple[Citizen, ...]:
    """Return citizens 1 to `count`, always the same ones for a seed."""
    return tuple(citizen(number, seed=seed) for number in range(1, count + 1))


def citizen(number: int, *, seed: int = DEFAULT_SEED) -> Citizen:
    """Return the citizen of a number, below 1,000,000."""
    rng = draw(seed, number, "person")
    fixed = _FIXED.get(number)
    sex = fixed.sex if fixed else rng.choice((Sex.MALE, Sex.FEMALE))
    birth_on = fixed.birth_on if fixed else _birth_on(rng)
    home = _home(rng, number, fixed.province_code if fixed else rng.choices(("01", "79", "48"), (4, 4, 3))[0])
    parent = citizen(fixed.parent_number, seed=seed) if fixed and fixed.parent_number else None
    facility = next(facility for facility in FACILITIES if facility.province_code == home.place.province_code)
    serial = _serial(number)
    return Citizen(
        number=number,
        full_name=fixed.full_name if fixed else _full_name(rng, sex),
        sex=sex,
        birth_on=birth_on,
        personal_id=_personal_id(home.place.province_code, sex, birth_on, serial),
        phone=parent.phone if parent else home.phone,
        address=parent.address if parent else home.address,
        place=parent.place if parent else home.place,
        home_facility_code=facility.code,
        insurance=_insurance(rng, birth_on, facility, serial, may_lack=fixed is None),
        blood_group=rng.choices(_BLOOD_GROUPS, _BLOOD_WEIGHTS)[0],
        parent_number=parent.number if parent else None,
    )


@cache
def practitioners() -> tuple[Practitioner, ...]:
    """Return the demo's clinicians; `doctor:1` and `doctor:2` work at 01901, `doctor:3` at 79001."""
    return tuple(
        Practitioner(
            number=number,
            full_name=full_name,
            personal_id=_personal_id(_PRACTITIONERS_PROVINCE, sex, date(1970 + number, 1, 1), 700_000 + number),
            birth_on=date(1970 + number, 1, 1),
            certificate=f"{FIRST_CERTIFICATE_NUMBER + number - 1}/{_ISSUERS[facility_code]}-CCHN",
            facility_code=facility_code,
            department_code=department_code,
            reads_results=reads_results,
        )
        for number, (full_name, sex, facility_code, department_code, reads_results) in enumerate(_PRACTITIONERS, 1)
    )


def families(*, seed: int = DEFAULT_SEED) -> tuple[tuple[Citizen, Citizen], ...]:
    """Return every child that has a parent in the demo, with the parent."""
    children = [citizen(number, seed=seed) for number, fixed in _FIXED.items() if fixed.parent_number]
    return tuple((child, citizen(child.parent_number, seed=seed)) for child in children if child.parent_number)


def register() -> tuple[PractitionerEntry, ...]:
    """Return the demo's register of practitioners: all have been at their place since the first day of 2020."""
    since = date(2020, 1, 1)
    return tuple(
        PractitionerEntry(
            certificate=one.certificate,
            full_name=one.full_name,
            personal_id=one.personal_id,
            valid_from=since,
            places=(PlaceEntry(facility_code=one.facility_code, valid_from=since),),
        )
        for one in practitioners()
    )


def facility_of(code: str) -> Facility:
    """Return the facility of a code.

    :raises StopIteration: when it is none of the demo's.
    """
    return next(facility for facility in FACILITIES if facility.code == code)


def _serial(number: int) -> int:
    return (number * 7919 + 104_729) % _SERIALS


def _home(rng: Draws, number: int, province_code: str) -> _Home:
    place = rng.choice([place for place in _places() if place.province_code == province_code])
    street = rng.choice(_names("street", None)[0])
    return _Home(
        place=place,
        address=f"Số {rng.randint(2, 298)} đường {street}, {place.commune}, {place.province}",
        phone=f"{PHONE_PREFIX}{_serial(number) + 10_000_000:08d}",
    )


def _birth_on(rng: Draws) -> date:
    youngest, oldest = rng.choices(((0, 14), (15, 39), (40, 64), (65, 90)), (18, 30, 32, 20))[0]
    return _REFERENCE_DAY - timedelta(days=rng.randint(youngest * 366 + 60, oldest * 365))


def _personal_id(province_code: str, sex: Sex, birth_on: date, serial: int) -> str:
    century = 2 * ((birth_on.year - 1900) // 100) + (sex is Sex.FEMALE)
    return f"{PERSONAL_ID_FIRST_DIGIT}{province_code}{century}{birth_on.year % 100:02d}{serial:06d}"


def _full_name(rng: Draws, sex: Sex) -> str:
    while True:
        parts = [
            rng.choices(*_names(kind, only))[0] for kind, only in (("family", None), ("middle", sex), ("given", sex))
        ]
        if len(set(parts)) == len(parts):
            return " ".join(parts)


def _insurance(rng: Draws, birth_on: date, facility: Facility, serial: int, *, may_lack: bool) -> InsuranceCard | None:
    group, percent = _insured_group(rng, _REFERENCE_DAY.year - birth_on.year)
    benefit_digit = "1" if group == "TE" else {100: "2", 95: "3", 80: "4"}[percent]
    social_number = f"{SOCIAL_INSURANCE_PREFIX}{serial + 20_000_000:08d}"
    is_long = rng.random() < _LONG_CARDS_SHARE or group == "TE"
    if rng.randrange(100) < _UNINSURED_PERCENT and may_lack:
        return None
    return InsuranceCard(
        number=f"{group}{benefit_digit}{facility.province_code}{social_number}" if is_long else social_number,
        facility_code=facility.code,
        benefit_percent=percent,
    )


def _insured_group(rng: Draws, age: int) -> tuple[str, int]:
    if age < _SCHOOL_AGE:
        return "TE", 100
    if age < _WORKING_AGE:
        return "HS", 80
    if age >= _RETIRING_AGE:
        return "HT", 95
    return rng.choices((("DN", 80), ("GD", 80), ("HC", 80), ("HN", 100)), (6, 4, 2, 1))[0]


@cache
def _places() -> tuple[Place, ...]:
    return tuple(Place(**row) for row in rows("places.csv"))


@cache
def _names(kind: str, sex: Sex | None) -> tuple[tuple[str, ...], tuple[int, ...]]:
    found = [row for row in rows("names.csv") if row["kind"] == kind and (sex is None or row["sex"] == sex)]
    return tuple(row["name"] for row in found), tuple(int(row["weight"]) for row in found)
