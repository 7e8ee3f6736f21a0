"""Which number and which code a system's URI means. What is not known here is kept as it was sent.

A system is recognised by the last part of its URI, so that those of the VN Core guide, of a vendor and of the
receiver's own guide are one. Source: vietnam.md 3; FHIR R4 Identifier.type (v2-0203).
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import Final

from app.core.errors import Text
from app.ingestion.fhir.nodes import LONGEST_CODE, Node
from app.records.clinical import CodingArrival

_LAST: Final = re.compile(r"[^/#|:]+\Z")


class Number(StrEnum):
    """What an identifier is."""

    PERSONAL_ID = "PERSONAL_ID"
    OLD_ID = "OLD_ID"
    PASSPORT = "PASSPORT"
    INSURANCE = "INSURANCE"
    PATIENT = "PATIENT"  # MA_BN: the facility's own number of the person
    FACILITY = "FACILITY"  # MA_CSKCB
    CERTIFICATE = "CERTIFICATE"  # of a practitioner
    VISIT = "VISIT"  # MA_LK
    RECORD = "RECORD"  # MA_HSBA
    PRESCRIPTION = "PRESCRIPTION"  # code of the national prescription system
    ACCESSION = "ACCESSION"
    STUDY = "STUDY"  # DICOM Study Instance UID


_BY_NAME: Final[Mapping[str, Number]] = {
    "cccd": Number.PERSONAL_ID,
    "so-dinh-danh": Number.PERSONAL_ID,
    "sodinhdanh": Number.PERSONAL_ID,
    "ddcn": Number.PERSONAL_ID,
    "personal-id": Number.PERSONAL_ID,
    "cmnd": Number.OLD_ID,
    "passport": Number.PASSPORT,
    "ho-chieu": Number.PASSPORT,
    "bhyt": Number.INSURANCE,
    "the-bhyt": Number.INSURANCE,
    "bhxh": Number.INSURANCE,
    "ma-bn": Number.PATIENT,
    "cskcb": Number.FACILITY,
    "ma-cskcb": Number.FACILITY,
    "facility": Number.FACILITY,
    "cchn": Number.CERTIFICATE,
    "gphn": Number.CERTIFICATE,
    "practitioner-certificate": Number.CERTIFICATE,
    "ma-lk": Number.VISIT,
    "malk": Number.VISIT,
    "ma-hsba": Number.RECORD,
    "ma-don-thuoc": Number.PRESCRIPTION,
    "don-thuoc": Number.PRESCRIPTION,
    "dicom:uid": Number.STUDY,
}
_BY_TYPE: Final[Mapping[str, Number]] = {
    "NI": Number.PERSONAL_ID,
    "NNVNM": Number.PERSONAL_ID,
    "PPN": Number.PASSPORT,
    "MR": Number.PATIENT,
    "PI": Number.PATIENT,
    "PT": Number.PATIENT,
    "VN": Number.VISIT,
    "AN": Number.RECORD,
    "ACSN": Number.ACCESSION,
    "MD": Number.CERTIFICATE,
    "LN": Number.CERTIFICATE,
}
LONG_CARD: Final = re.compile(r"[A-Z]{2}[0-9]{13}")
FORMS: Final[Mapping[Number, tuple[re.Pattern[str], Text]]] = {
    Number.PERSONAL_ID: (re.compile(r"[0-9]{12}"), Text("12 chữ số", "12 digits")),
    Number.OLD_ID: (re.compile(r"[0-9]{9}"), Text("9 chữ số", "9 digits")),
    Number.PASSPORT: (re.compile(r"[0-9A-Z]{5,15}"), Text("5 đến 15 chữ cái, chữ số", "5 to 15 letters and digits")),
    Number.INSURANCE: (
        re.compile(r"[A-Z]{2}[0-9]{13}|[0-9]{10}"),
        Text("15 ký tự (2 chữ cái, 13 chữ số) hoặc 10 chữ số", "15 characters (2 letters, 13 digits) or 10 digits"),
    ),
    Number.FACILITY: (
        re.compile(r"[0-9A-Z]{5}"),
        Text("5 ký tự gồm chữ số và chữ cái in hoa", "5 characters, digits and capital letters"),
    ),
    Number.PRESCRIPTION: (
        re.compile(r"[0-9A-Za-z]{12}-[A-Za-z]"),
        Text("12 ký tự, dấu gạch và chữ loại đơn", "12 characters, a dash and the letter of the kind"),
    ),
}
_ICD_10: Final = re.compile(
    r"(?i)(?:/|:)(?:sid/)?icd-?10(?:-[a-z]+)?\Z|/codesystem/.*icd-?10|2\.16\.840\.1\.113883\.6\.(?:3|90)\Z"
)


@lru_cache(maxsize=1_000)
def last_part(system: str | None) -> str:
    """Return the last part of a URI, lower case."""
    if not system:
        return ""
    match = _LAST.search(system.rstrip("/"))
    return match[0].lower() if match else ""


def number_of(identifier: Node) -> Number | None:
    """Tell what an identifier is, by its system, else by its type; None where neither is known."""
    system = identifier.code("system") or ""
    if system.lower() == "urn:dicom:uid":
        return Number.STUDY
    known = _BY_NAME.get(last_part(system))
    if known is not None:
        return known
    kind = identifier.node("type")
    for coding in kind.nodes("coding") if kind else ():
        if (found := _BY_TYPE.get((coding.code("code") or "").upper())) is not None:
            return found
    return None


def value_of(identifier: Node) -> str | None:
    """Return an identifier's value; one that is said to be old is none."""
    return None if identifier.code("use") == "old" else identifier.text("value", longest=LONGEST_CODE)


def identifiers(resource: Node) -> list[tuple[Number | None, str, Node]]:
    """Return the identifiers of a resource that have a value."""
    return [
        (number_of(one), value, one) for one in resource.nodes("identifier") if (value := value_of(one)) is not None
    ]


def first_number(resource: Node | None, wanted: Number) -> str | None:
    """Return a resource's number of a kind."""
    if resource is None:
        return None
    return next((value for number, value, _ in identifiers(resource) if number is wanted), None)


def is_icd_10(system: str | None) -> bool:
    """Tell ICD-10 in the spellings of its URI: WHO's, the national one and clinical modifications."""
    return system is not None and _ICD_10.search(system) is not None


def code_in(coding: Iterable[CodingArrival], *names: str) -> str | None:
    """Return the code of a system that is known by the last part of its URI."""
    return next((one.code for one in coding if last_part(one.system) in names), None)


def best_code(coding: tuple[CodingArrival, ...], *names: str) -> str | None:
    """Return the code of a known system, else the first as it was sent."""
    return code_in(coding, *names) or next((one.code for one in coding), None)
