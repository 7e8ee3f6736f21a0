"""The fields of each table: what the decision says of them, and what the health book does with them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.verdict import Effect
from app.sharing.scope import SensitiveClass

TABLES: Final = tuple(f"XML{number}" for number in range(16))
CHECK_IN: Final = "XML0"
SUMMARY: Final = "XML1"
BIRTHS: Final = "XML9"
LINED: Final = ("XML2", "XML3", "XML4")
PAPERS: Final = ("XML5", "XML7", "XML8", "XML13", "XML14")
SHOWN: Final = (SUMMARY, *LINED, *PAPERS)
"""Tables that become arrivals; the others are kept with the message."""
SENSITIVE: Final[Mapping[str, SensitiveClass]] = {"XML6": SensitiveClass.HIV, "XML15": SensitiveClass.TUBERCULOSIS}
"""Tables that are held back: they stay in the sealed message alone. Source: Law on HIV/AIDS 2006 (2020) Art. 30."""
ONE_EACH_CHILD: Final = frozenset({"XML7"})
"""Tables that may stand several times in one visit: twins have a paper each."""

UNLIMITED_LENGTH: Final = 32_000
"""What is accepted without remark where the annex gives no maximum ("n")."""
LONGEST_TEXT: Final = 100_000
"""A longer text is refused, whatever the annex says of the field."""
LONGEST_LIST: Final = 4_000
"""A longer list is refused."""


class Use(StrEnum):
    """What the health book does with a field."""

    NEEDED = "NEEDED"  # without it the visit cannot be understood
    ZERO = "ZERO"  # an amount, counted as 0 where it is missing
    READ = "READ"  # taken if it is there; what is there must be well-formed


BOOK: Final[Mapping[str, Mapping[str, Use]]] = {
    "XML1": {
        "MA_LK": Use.NEEDED,
        "MA_BN": Use.NEEDED,
        "HO_TEN": Use.NEEDED,
        "SO_CCCD": Use.READ,
        "NGAY_SINH": Use.NEEDED,
        "GIOI_TINH": Use.NEEDED,
        "NHOM_MAU": Use.READ,
        "MA_QUOCTICH": Use.READ,
        "MA_DANTOC": Use.READ,
        "MA_NGHE_NGHIEP": Use.READ,
        "DIA_CHI": Use.READ,
        "DIEN_THOAI": Use.READ,
        "MA_THE_BHYT": Use.READ,
        "MA_DKBD": Use.READ,
        "GT_THE_TU": Use.READ,
        "GT_THE_DEN": Use.READ,
        "LY_DO_VV": Use.READ,
        "LY_DO_VNT": Use.READ,
        "CHAN_DOAN_VAO": Use.READ,
        "CHAN_DOAN_RV": Use.READ,
        "MA_BENH_CHINH": Use.NEEDED,
        "MA_BENH_KT": Use.READ,
        "MA_BENH_YHCT": Use.READ,
        "MA_DOITUONG_KCB": Use.READ,
        "NGAY_VAO": Use.NEEDED,
        "NGAY_VAO_NOI_TRU": Use.READ,
        "NGAY_RA": Use.NEEDED,
        "MA_NOI_DI": Use.READ,
        "MA_NOI_DEN": Use.READ,
        "NGAY_MIEN_CCT": Use.READ,
        "NAM_NAM_LIEN_TUC": Use.READ,
        "NGAY_TAI_KHAM": Use.READ,
        "SO_NGAY_DTRI": Use.READ,
        "PP_DIEU_TRI": Use.READ,
        "KET_QUA_DTRI": Use.READ,
        "MA_LOAI_RV": Use.READ,
        "GHI_CHU": Use.READ,
        "NGAY_TTOAN": Use.READ,
        "T_THUOC": Use.ZERO,
        "T_VTYT": Use.ZERO,
        "T_TONGCHI_BV": Use.NEEDED,
        "T_TONGCHI_BH": Use.ZERO,
        "T_BNTT": Use.ZERO,
        "T_BNCCT": Use.ZERO,
        "T_BHTT": Use.ZERO,
        "T_NGUONKHAC": Use.ZERO,
        "MA_LOAI_KCB": Use.NEEDED,
        "MA_KHOA": Use.READ,
        "MA_CSKCB": Use.NEEDED,
        "CAN_NANG": Use.READ,
        "MA_HSBA": Use.READ,
    },
    "XML2": {
        "MA_LK": Use.NEEDED,
        "MA_THUOC": Use.NEEDED,
        "TEN_THUOC": Use.NEEDED,
        "DON_VI_TINH": Use.NEEDED,
        "HAM_LUONG": Use.READ,
        "DUONG_DUNG": Use.READ,
        "DANG_BAO_CHE": Use.READ,
        "LIEU_DUNG": Use.READ,
        "CACH_DUNG": Use.READ,
        "SO_DANG_KY": Use.READ,
        "SO_LUONG": Use.NEEDED,
        "THANH_TIEN_BV": Use.ZERO,
        "MUC_HUONG": Use.READ,
        "MA_BAC_SI": Use.READ,
        "NGAY_YL": Use.NEEDED,
    },
    "XML3": {
        "MA_LK": Use.NEEDED,
        "MA_DICH_VU": Use.READ,
        "MA_VAT_TU": Use.READ,
        "MA_NHOM": Use.NEEDED,
        "TEN_VAT_TU": Use.READ,  # one of the two names is needed
        "TEN_DICH_VU": Use.READ,
        "DON_VI_TINH": Use.NEEDED,
        "SO_LUONG": Use.NEEDED,
        "DON_GIA_BV": Use.ZERO,
        "THANH_TIEN_BV": Use.ZERO,
        "THANH_TIEN_BH": Use.ZERO,
        "MUC_HUONG": Use.READ,
        "NGAY_YL": Use.NEEDED,
        "NGAY_TH_YL": Use.READ,
    },
    "XML4": {
        "MA_LK": Use.NEEDED,
        "MA_DICH_VU": Use.READ,
        "MA_CHI_SO": Use.READ,
        "TEN_CHI_SO": Use.NEEDED,
        "GIA_TRI": Use.READ,
        "DON_VI_DO": Use.READ,
        "MO_TA": Use.READ,
        "KET_LUAN": Use.READ,
        "NGAY_KQ": Use.READ,  # needed where GIA_TRI has data
        "MA_BS_DOC_KQ": Use.READ,
    },
    "XML5": {
        "MA_LK": Use.NEEDED,
        "DIEN_BIEN_LS": Use.NEEDED,
        "GIAI_DOAN_BENH": Use.READ,
        "HOI_CHAN": Use.READ,
        "PHAU_THUAT": Use.READ,
        "THOI_DIEM_DBLS": Use.NEEDED,
        "NGUOI_THUC_HIEN": Use.READ,
    },
    "XML7": {
        "MA_LK": Use.NEEDED,
        "SO_LUU_TRU": Use.READ,
        "MA_KHOA_RV": Use.READ,
        "NGAY_VAO": Use.READ,
        "NGAY_RA": Use.READ,
        "CHAN_DOAN_RV": Use.READ,
        "PP_DIEUTRI": Use.READ,
        "GHI_CHU": Use.READ,
        "TEN_BS": Use.READ,
        "NGAY_CT": Use.READ,
        "HO_TEN_CHA": Use.READ,
        "HO_TEN_ME": Use.READ,
        "SO_NGAY_NGHI": Use.READ,
        "NGOAITRU_TUNGAY": Use.READ,
        "NGOAITRU_DENNGAY": Use.READ,
    },
    "XML8": {
        "MA_LK": Use.NEEDED,
        "HO_TEN_CHA": Use.READ,
        "HO_TEN_ME": Use.READ,
        "NGUOI_GIAM_HO": Use.READ,
        "NGAY_VAO": Use.READ,
        "NGAY_RA": Use.READ,
        "CHAN_DOAN_VAO": Use.READ,
        "CHAN_DOAN_RV": Use.READ,
        "QT_BENHLY": Use.READ,
        "TOMTAT_KQ": Use.READ,
        "PP_DIEUTRI": Use.READ,
        "KET_QUA_DTRI": Use.READ,
        "GHI_CHU": Use.READ,
        "NGAY_CT": Use.READ,
    },
    "XML13": {
        "MA_LK": Use.NEEDED,
        "SO_CHUYENTUYEN": Use.READ,
        "GIAY_CHUYEN_TUYEN": Use.READ,
        "MA_NOI_DI": Use.READ,
        "MA_NOI_DEN": Use.READ,
        "HO_TEN": Use.READ,
        "NGAY_SINH": Use.READ,
        "NGAY_VAO": Use.READ,
        "NGAY_RA": Use.READ,
        "DAU_HIEU_LS": Use.READ,
        "CHAN_DOAN_RV": Use.READ,
        "QT_BENHLY": Use.READ,
        "TOMTAT_KQ": Use.READ,
        "PP_DIEUTRI": Use.READ,
        "MA_BENH_CHINH": Use.READ,
        "TEN_DICH_VU": Use.READ,
        "TEN_THUOC": Use.READ,
        "PP_DIEU_TRI": Use.READ,
        "MA_LYDO_CT": Use.READ,
        "HUONG_DIEU_TRI": Use.READ,
        "PHUONGTIEN_VC": Use.READ,
        "HOTEN_NGUOI_HT": Use.READ,
        "MA_BAC_SI": Use.READ,
    },
    "XML14": {
        "MA_LK": Use.NEEDED,
        "SO_GIAYHEN_KL": Use.READ,
        "HO_TEN": Use.READ,
        "NGAY_SINH": Use.READ,
        "NGAY_VAO": Use.READ,
        "NGAY_RA": Use.READ,
        "NGAY_HEN_KL": Use.NEEDED,
        "CHAN_DOAN_RV": Use.READ,
        "MA_BENH_CHINH": Use.READ,
        "MA_BAC_SI": Use.READ,
        "NGAY_CT": Use.READ,
    },
}

_LISTS: Final = frozenset(
    {"MA_THE_BHYT", "MA_DKBD", "MA_BENH_KT", "MA_BENH_YHCT", "MA_KHOA", "GT_THE_TU", "GT_THE_DEN"}
)
_STRICT: Final = frozenset({"HO_TEN", "NHOM_MAU", "DUONG_DUNG", "SO_DANG_KY", "DIEN_THOAI"})
_LENIENT: Final = frozenset({"MA_NOI_DI", "MA_NOI_DEN"})


@dataclass(frozen=True, slots=True)
class Rule:
    """How one field of a line is judged while it is read."""

    name: str
    longest: int
    too_long: Effect
    utmost: int  # what is longer is refused
    misread: Effect  # of a value that cannot be told from the element
    check: Callable[[str], ProblemCode | None] | None  # of what the book does not read: WARNS


@dataclass(frozen=True, slots=True)
class Table:
    """One table: the elements around its lines, and the rules of its fields."""

    name: str
    path: tuple[str, ...]  # from the root down to one line
    rules: Mapping[str, Rule]
    needed: frozenset[str]
    zero: frozenset[str]
    required: frozenset[str]  # these, and what the gateway requires besides: missed with a warning only


def _longest(field: Mapping[str, Any], *, use: Use | None, utmost: int) -> int:
    """Tell the accepted length; what the book reads as a number or a time is judged as a whole instead."""
    if field["type"] == "N":
        return utmost if use else values.LONGEST_NUMBER
    if use and field["name"].startswith("NGAY_"):
        return utmost
    longest: int | None = field.get("gateway_max", field["max"])
    return min(longest or UNLIMITED_LENGTH, utmost)


def _too_long(field: Mapping[str, Any], *, table: str, use: Use | None) -> Effect:
    name = field["name"]
    code = name in _STRICT or (name.startswith("MA_") and name not in _LISTS | _LENIENT)
    return Effect.REJECTS if use is not None and code and table not in PAPERS else Effect.WARNS


def _check(field: Mapping[str, Any]) -> Callable[[str], ProblemCode | None] | None:
    if field["type"] == "N":
        return values.number_problem
    if field["name"].startswith(("NGAY_", "NAM_")):
        return {12: values.moment_problem, 8: values.day_problem}.get(field["max"])
    return None


def _rule(field: Mapping[str, Any], *, table: str, use: Use | None) -> Rule:
    utmost = LONGEST_LIST if field["name"] in _LISTS else LONGEST_TEXT
    return Rule(
        name=field["name"],
        longest=_longest(field, use=use, utmost=utmost),
        too_long=_too_long(field, table=table, use=use),
        utmost=utmost,
        misread=Effect.WARNS if use is None else Effect.REJECTS,
        check=_check(field) if use is None else None,
    )


def _table(name: str, facts: Mapping[str, Any]) -> Table:
    uses = BOOK.get(name, {})
    fields = facts["fields"]
    required = {field["name"] for field in fields if field["gateway_required"] == "yes"}
    needed = {field for field, use in uses.items() if use is Use.NEEDED}
    zero = {field for field, use in uses.items() if use is Use.ZERO}
    return Table(
        name=name,
        path=tuple(facts["path"]),
        rules={field["name"]: _rule(field, table=name, use=uses.get(field["name"])) for field in fields},
        needed=frozenset(needed),
        zero=frozenset(zero),
        required=frozenset(required | needed | zero),
    )


def _load() -> dict[str, Table]:
    facts = json.loads(Path(__file__).with_name("fields.json").read_text(encoding="utf-8"))
    return {name: _table(name, table) for name, table in facts["tables"].items()}


KNOWN: Final[Mapping[str, Table]] = _load()
"""Tables with public fields: XML0-XML5, XML7, XML8, XML13, XML14. Source: Decision 4750/QD-BYT."""
