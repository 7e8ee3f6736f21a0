"""The accounts of the local identity provider: people of the demo, and those whom a sign-in must refuse."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Final

from app.demo.people import Citizen, Practitioner, citizen, practitioners

ADULTS: Final = (1, 2, 3, 5, 6, 7, 8)
LEVEL_1: Final = 7
NEWCOMER: Final = 900_001
DOCTORS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account; `subject` never changes and tells nothing."""

    name: str  # how tests and pages call it
    personal_id: str
    full_name: str
    birth_on: date
    level: int
    is_organisation: bool = False
    note: str = ""

    @property
    def subject(self) -> str:
        """Return the `sub` of this account."""
        return hashlib.sha256(f"local provider {self.name}".encode()).hexdigest()[:32]


@cache
def accounts() -> Mapping[str, Account]:
    """Return every account by its name: `citizen:1` …, `newcomer`, `organisation`."""
    people = [_person(f"citizen:{number}", citizen(number), level=1 if number == LEVEL_1 else 2) for number in ADULTS]
    people += [_doctor(one) for one in practitioners()[:DOCTORS]]
    newcomer = _person("newcomer", citizen(NEWCOMER), level=2, note="chưa có sổ · has no book yet")
    organisation = Account(
        name="organisation",
        personal_id="",
        full_name="Công ty TNHH Thử Nghiệm",
        birth_on=date(2020, 1, 1),
        level=2,
        is_organisation=True,
        note="tổ chức · organisation",
    )
    return {account.name: account for account in (*people, newcomer, organisation)}


def claims_of(account: Account, *, preset: str) -> dict[str, object]:
    """Return what the provider says of an account, in the words of a preset; `sub` stands in both."""
    if preset == "vnconnect":
        return {
            "sub": account.subject,
            "SoDinhDanh": account.personal_id,
            "HoVaTen": account.full_name,
            "NgayThangNamSinh": account.birth_on.strftime("%Y%m%d"),
            "LoaiTaiKhoan": "2" if account.is_organisation else "1",
            "loginIdp": "BCA",
        }
    family, _, given = account.full_name.rpartition(" ")
    return {
        "sub": account.subject,
        "preferred_username": account.personal_id,
        "name": account.full_name,
        "given_name": given,
        "family_name": family,
        "birthdate": account.birth_on.isoformat(),
    }


def level_of(account: Account, *, preset: str) -> str:
    """Return the level as a preset writes it."""
    return f"LoA{account.level}" if preset == "vnconnect" else str(account.level)


def _doctor(person: Practitioner) -> Account:
    return Account(
        name=f"doctor:{person.number}",
        personal_id=person.personal_id,
        full_name=person.full_name,
        birth_on=person.birth_on,
        level=2,
        note=f"{person.certificate}, {person.facility_code}",
    )


def _person(name: str, person: Citizen, *, level: int, note: str = "") -> Account:
    return Account(
        name=name,
        personal_id=person.personal_id,
        full_name=person.full_name,
        birth_on=person.birth_on,
        level=level,
        note=note or ("mức độ 1: chưa mở được sổ · level 1: opens no book" if level == 1 else ""),
    )
