"""The code lists that ship with the product, read from the package's own files.

Lists are data with validity dates: a code may appear several times with another meaning or name, once per
`valid_from`. What a list does not hold is not wrong: an unknown code is kept and shown as it was sent.
Origin and licence of every file stand in `codes/ORIGIN.md`.
"""

import csv
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path

from app.core.errors import Text

SYSTEMS: Mapping[str, str] = {
    "icd10": "MA_BENH_CHINH, MA_BENH_KT: diseases",
    "visit-kind": "MA_LOAI_KCB: form of care",
    "department": "MA_KHOA: department",
    "visit-outcome": "KET_QUA_DTRI: result of treatment",
    "discharge-kind": "MA_LOAI_RV: how a visit ended",
    "insurance-category": "MA_DOITUONG_KCB: entitlement of a visit",
    "route": "DUONG_DUNG: route of use of a drug",
    "cost-group": "MA_NHOM: cost group",
    "test-index": "MA_CHI_SO: laboratory index",
    "ethnic-group": "MA_DANTOC: ethnic group",
    "nationality": "MA_QUOCTICH: nationality",
    "occupation": "MA_NGHE_NGHIEP: occupation",
    "insurance-benefit": "MA_THE_BHYT, third character: level of benefit",
    "referral-reason": "MA_LYDO_CT: reason for a referral",
    "antigen": "what a vaccine protects against",
}
"""Every list: its name, which is its file's, and the fields of Decision 4750/QĐ-BYT that it explains."""


LONG_AGO = date(1900, 1, 1)
COLUMNS = {"code", "name_vi", "name_en", "valid_from", "valid_until"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """One code of one list, as it was named from `valid_from` on."""

    system: str  # a key of SYSTEMS
    code: str  # with its leading zeros
    name_vi: str
    name_en: str | None
    valid_from: date  # LONG_AGO where the first day is not known
    valid_until: date | None  # the first day on which it is no longer in force; None: still in use
    loinc: str | None = None  # test-index only, a reference
    unit: str | None = None  # test-index only, as laboratories write it, the unit that `loinc` goes with


class BadCodeFile(Exception):
    """A file of codes is wrong at one line, counted from 1 with its header."""

    def __init__(self, line: int, text: Text) -> None:
        self.line = line
        self.text = text
        super().__init__(f"line {line}: {text.en}")


def read_codes(system: str) -> tuple[CodeEntry, ...]:
    """Return a list that ships, in the order of its file.

    :raises KeyError: when `system` is none of SYSTEMS.
    """
    if system not in SYSTEMS:
        raise KeyError(system)
    source = resources.files(__package__) / "codes" / f"{system}.csv"
    lines = source.read_text(encoding="utf-8").splitlines()
    return tuple(_entry(system, row) for row in csv.DictReader(lines))


def read_file(path: Path, *, system: str) -> tuple[CodeEntry, ...]:
    """Return the codes of a file that somebody else wrote.

    :raises BadCodeFile: naming the first line that is wrong
    """
    entries: dict[tuple[str, date], CodeEntry] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.DictReader(lines)
            if missing := COLUMNS - set(rows.fieldnames or ()):
                raise BadCodeFile(1, _missing(missing))
            for number, row in enumerate(rows, start=2):
                entry = _checked(system, row, line=number)
                if entries.setdefault((entry.code, entry.valid_from), entry) is not entry:
                    raise BadCodeFile(
                        number, Text("mã bị lặp với cùng valid_from.", "the code repeats with its valid_from.")
                    )
    except UnicodeDecodeError as error:
        raise BadCodeFile(1, Text("tệp phải là UTF-8.", "the file must be UTF-8.")) from error
    return tuple(entries.values())


def _missing(columns: set[str]) -> Text:
    listed = ", ".join(sorted(columns))
    return Text(f"thiếu cột {listed}.", f"the columns {listed} are missing.")


def _checked(system: str, row: Mapping[str, str], *, line: int) -> CodeEntry:
    if not row["code"] or not row["name_vi"]:
        raise BadCodeFile(line, Text("code và name_vi không được rỗng.", "code and name_vi must not be empty."))
    try:
        return _entry(system, {key: unicodedata.normalize("NFC", value or "") for key, value in row.items() if key})
    except ValueError as error:
        raise BadCodeFile(line, Text("ngày phải có dạng YYYY-MM-DD.", "a day must look like YYYY-MM-DD.")) from error


def _entry(system: str, row: Mapping[str, str]) -> CodeEntry:
    return CodeEntry(
        system=system,
        code=row["code"],
        name_vi=row["name_vi"],
        name_en=row["name_en"] or None,
        valid_from=_day(row["valid_from"]) or LONG_AGO,
        valid_until=_day(row["valid_until"]),
        loinc=row.get("loinc") or None,
        unit=row.get("unit") or None,
    )


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
