"""XML5, XML7, XML8, XML13 and XML14: what a citizen is handed becomes papers of the visit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.core.errors import Text
from app.identity.names import name_key
from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.lines import NO_MOMENT, Line
from app.ingestion.qd4750.vital_signs import vital_signs
from app.ingestion.verdict import Effect
from app.records.papers import (
    DischargeArrival,
    DocumentArrival,
    DocumentKind,
    PapersArrival,
    ProgressArrival,
    ProgressNoteArrival,
    RecordSummaryArrival,
    ReexaminationArrival,
    ReferralArrival,
)
from app.terminology.referrals import last_day

Lines = tuple[Line, ...]

_REASONS: Final = Text("1 đến 3", "1 to 3")
_DAYS_DIGITS: Final = 3
_BIRTH_DAY: Final = slice(0, 8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """The times of the visit that a paper belongs to."""

    started_at: datetime
    ended_at: datetime | None  # NGAY_RA, which may be the last day of medicine
    concluded_at: datetime  # when the patient left


def papers(summary: Line, *, tables: Mapping[str, Lines | None], stay: Stay) -> tuple[PapersArrival, ...]:
    """Read the papers that were sent; a kind that was not sent has no entry.

    Source: Decision 4750/QD-BYT, tables 5, 7, 8, 13 and 14.
    """
    found = []
    for table, (kind, read) in _READ.items():
        lines = tables.get(table)
        if lines is None:
            continue
        if table in _NAMED:
            _check_person(lines, summary=summary)
        found.append(PapersArrival(kind=kind, documents=tuple(read(lines, stay))))
    return tuple(found)


def _check_person(lines: Lines, *, summary: Line) -> None:
    """Ask for a quarantine where a paper names another person than the visit does."""
    name, born = name_key(summary.needed("HO_TEN")), summary.needed("NGAY_SINH")[_BIRTH_DAY]
    for line in lines:
        said_name, said_birth = line.text("HO_TEN"), line.text("NGAY_SINH")
        if said_name and name_key(said_name) != name:
            line.remark(ProblemCode.PAPER_OF_ANOTHER, Effect.QUARANTINES, "HO_TEN")
        if said_birth and said_birth[_BIRTH_DAY] != born:
            line.remark(ProblemCode.PAPER_OF_ANOTHER, Effect.QUARANTINES, "NGAY_SINH")


def _discharges(lines: Lines, stay: Stay) -> list[DocumentArrival]:
    return [_discharge(line, key=f"discharge:{number}", stay=stay) for number, line in enumerate(lines, start=1)]


def _discharge(line: Line, *, key: str, stay: Stay) -> DischargeArrival:
    started_at, ended_at = _stay(line, stay)
    rest = line.estimate("SO_NGAY_NGHI", whole_digits=_DAYS_DIGITS, decimals=0)
    return DischargeArrival(
        key=key,
        dated_at=stay.concluded_at,
        issued_on=line.day("NGAY_CT"),
        number=line.text("SO_LUU_TRU"),
        department_code=line.text("MA_KHOA_RV"),
        started_at=started_at,
        ended_at=ended_at,
        diagnosis=line.text("CHAN_DOAN_RV"),
        treatment=line.text("PP_DIEUTRI"),
        note=line.text("GHI_CHU"),
        signer_name=line.text("TEN_BS"),
        father_name=line.text("HO_TEN_CHA"),
        mother_name=line.text("HO_TEN_ME"),
        rest_days=None if rest is None else int(rest),
        rest_from=line.day("NGOAITRU_TUNGAY"),
        rest_until=line.day("NGOAITRU_DENNGAY"),
    )


def _summaries(lines: Lines, stay: Stay) -> list[DocumentArrival]:
    return [_summary(line, key=f"summary:{number}", stay=stay) for number, line in enumerate(lines, start=1)]


def _summary(line: Line, *, key: str, stay: Stay) -> RecordSummaryArrival:
    started_at, ended_at = _stay(line, stay)
    return RecordSummaryArrival(
        key=key,
        dated_at=stay.concluded_at,
        issued_on=line.day("NGAY_CT"),
        started_at=started_at,
        ended_at=ended_at,
        arrival_diagnosis=line.text("CHAN_DOAN_VAO"),
        diagnosis=line.text("CHAN_DOAN_RV"),
        course=line.text("QT_BENHLY"),
        findings=line.text("TOMTAT_KQ"),
        treatment=line.text("PP_DIEUTRI"),
        outcome_code=line.text("KET_QUA_DTRI"),
        note=line.text("GHI_CHU"),
        father_name=line.text("HO_TEN_CHA"),
        mother_name=line.text("HO_TEN_ME"),
        guardian_name=line.text("NGUOI_GIAM_HO"),
    )


def _referrals(lines: Lines, stay: Stay) -> list[DocumentArrival]:
    return [_referral(line, key=f"referral:{number}", stay=stay) for number, line in enumerate(lines, start=1)]


def _referral(line: Line, *, key: str, stay: Stay) -> ReferralArrival:
    """Read a referral. XML13 has no day of issue: the days count from the one on which the patient left."""
    started_at, ended_at = _stay(line, stay)
    reason = line.text("MA_LYDO_CT")
    if reason and reason not in ("1", "2", "3"):
        line.remark(ProblemCode.CODE_UNKNOWN, Effect.WARNS, "MA_LYDO_CT", detail=_REASONS)
    signed_on = values.local_day(stay.concluded_at)
    main_code = line.text("MA_BENH_CHINH")
    return ReferralArrival(
        key=key,
        dated_at=stay.concluded_at,
        issued_on=None,
        number=line.text("GIAY_CHUYEN_TUYEN"),
        register_number=line.text("SO_CHUYENTUYEN"),
        referred_from_code=line.text("MA_NOI_DI"),
        referred_to_code=line.text("MA_NOI_DEN"),
        started_at=started_at,
        ended_at=ended_at,
        signs=line.text("DAU_HIEU_LS"),
        diagnosis=line.text("CHAN_DOAN_RV"),
        main_code=main_code,
        course=line.text("QT_BENHLY"),
        findings=line.text("TOMTAT_KQ"),
        treatment=_told(line, "PP_DIEU_TRI", "PP_DIEUTRI"),
        services_used=line.text("TEN_DICH_VU"),
        drugs_used=line.text("TEN_THUOC"),
        reason_code=reason,
        plan=line.text("HUONG_DIEU_TRI"),
        transport=line.text("PHUONGTIEN_VC"),
        escort_name=line.text("HOTEN_NGUOI_HT"),
        doctor_certificate=line.text("MA_BAC_SI"),
        valid_from=signed_on,
        valid_until=last_day(signed_on=signed_on, disease_code=main_code),
    )


def _told(line: Line, *fields: str) -> str | None:
    """Join what is told by fields that mean the same: the annex has both of them."""
    return "\n".join(dict.fromkeys(text for field in fields if (text := line.text(field)))) or None


def _reexaminations(lines: Lines, stay: Stay) -> list[DocumentArrival]:
    return [
        _reexamination(line, key=f"reexamination:{number}", stay=stay) for number, line in enumerate(lines, start=1)
    ]


def _reexamination(line: Line, *, key: str, stay: Stay) -> ReexaminationArrival:
    started_at, ended_at = _stay(line, stay)
    return ReexaminationArrival(
        key=key,
        dated_at=stay.concluded_at,
        issued_on=line.day("NGAY_CT"),
        number=line.text("SO_GIAYHEN_KL"),
        appointment_at=_appointment(line),
        started_at=started_at,
        ended_at=ended_at,
        diagnosis=line.text("CHAN_DOAN_RV"),
        main_code=line.text("MA_BENH_CHINH"),
        doctor_certificate=line.text("MA_BAC_SI"),
    )


def _appointment(line: Line) -> datetime:
    """Read the appointment; one without a time stands at midnight of its day."""
    text = line.needed("NGAY_HEN_KL")
    return values.midnight(text) or (line.needed_moment("NGAY_HEN_KL") if text else NO_MOMENT)


def _progress(lines: Lines, stay: Stay) -> list[DocumentArrival]:
    notes = tuple(sorted((_note(line) for line in lines), key=lambda note: (note.noted_at, note.line)))
    if not notes:
        return []
    return [
        ProgressArrival(
            key="progress",
            dated_at=notes[0].noted_at,
            issued_on=None,
            started_at=stay.started_at,
            ended_at=stay.ended_at,
            notes=notes,
        )
    ]


def _note(line: Line) -> ProgressNoteArrival:
    note = line.needed("DIEN_BIEN_LS")
    return ProgressNoteArrival(
        line=line.number,
        noted_at=line.needed_moment("THOI_DIEM_DBLS"),
        note=note,
        stage=line.text("GIAI_DOAN_BENH"),
        consultation=line.text("HOI_CHAN"),
        procedure=line.text("PHAU_THUAT"),
        author_certificate=line.text("NGUOI_THUC_HIEN"),
        vital_signs=vital_signs(note),
    )


def _stay(line: Line, stay: Stay) -> tuple[datetime, datetime | None]:
    return line.time("NGAY_VAO", otherwise=stay.started_at) or stay.started_at, line.time(
        "NGAY_RA", otherwise=stay.ended_at
    )


_Read = Callable[[Lines, Stay], list[DocumentArrival]]
_READ: Final[Mapping[str, tuple[DocumentKind, _Read]]] = {
    "XML5": (DocumentKind.PROGRESS, _progress),
    "XML7": (DocumentKind.DISCHARGE, _discharges),
    "XML8": (DocumentKind.RECORD_SUMMARY, _summaries),
    "XML13": (DocumentKind.REFERRAL, _referrals),
    "XML14": (DocumentKind.REEXAMINATION, _reexaminations),
}
_NAMED: Final = frozenset({"XML13", "XML14"})
