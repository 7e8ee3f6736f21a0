"""The papers of a visit as a hospital's software writes them: XML5, XML7, XML8, XML13 and XML14.

Inpatients have notes of every day, a discharge paper and a summary; who is to come again has an appointment; who is
sent on to a hospital has a referral.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

from app.demo.drawing import Draws, draw
from app.demo.people import DEFAULT_SEED, FACILITIES, SOCIAL_INSURANCE_PREFIX
from app.demo.visits import VIETNAM, DemoVisit

Line = Mapping[str, str]

_KINDS_IN_A_BED = frozenset({"03", "04", "06"})
_MORNING, _AFTERNOON = time(8, 0), time(15, 30)
_FEVERISH = ("sốt", "viêm", "nhiễm")
_APPOINTMENT_AT = time(8, 0)


def notes(visit: DemoVisit) -> Iterator[Line]:
    """Yield XML5: two notes a day of a stay, one at its end."""
    if visit.kind not in _KINDS_IN_A_BED or visit.admitted_at is None:
        return
    rng = draw(DEFAULT_SEED, visit.citizen.number, f"notes/{visit.number}")
    is_feverish = any(word in visit.arrival_diagnosis.lower() for word in _FEVERISH)
    for turn, at in enumerate(_moments(visit)):
        left = max(0.0, 1 - turn / max(1, 2 * visit.nights))
        yield {
            "DIEN_BIEN_LS": f"{_said(visit, turn)} {_signs(rng, visit, fever=1.8 * left if is_feverish else 0.0)}",
            "HOI_CHAN": "",
            "THOI_DIEM_DBLS": _moment(at),
            "NGUOI_THUC_HIEN": visit.doctor.certificate,
        }


def _moments(visit: DemoVisit) -> Iterator[datetime]:
    admitted_at = visit.admitted_at or visit.arrived_at
    yield admitted_at + timedelta(minutes=20)
    for night in range(visit.nights + 1):
        day = admitted_at.date() + timedelta(days=night)
        for clock in (_MORNING, _AFTERNOON):
            at = datetime.combine(day, clock, tzinfo=VIETNAM)
            if admitted_at + timedelta(hours=1) < at < visit.closed_at - timedelta(minutes=30):
                yield at


def _said(visit: DemoVisit, turn: int) -> str:
    if turn == 0:
        return f"Vào viện vì {visit.reason.lower()}. Tỉnh, tiếp xúc tốt."
    return ("Tỉnh, ăn uống được, triệu chứng giảm.", "Tỉnh táo, đỡ mệt, ngủ được.", "Ổn định, không sốt thêm.")[
        turn % 3
    ]


def _signs(rng: Draws, visit: DemoVisit, *, fever: float) -> str:
    age = visit.arrived_at.year - visit.citizen.birth_on.year
    pulse = round(rng.gauss(78 if age >= 12 else 104, 5) + 8 * fever)  # noqa: PLR2004 — grown up enough
    breaths = round(rng.gauss(18 if age >= 12 else 26, 1.5) + fever)  # noqa: PLR2004
    temperature = 36.7 + fever + rng.uniform(-0.2, 0.3)
    said = f"M: {pulse} l/p; T: {temperature:.1f}°C; "
    if age >= 12:  # noqa: PLR2004
        high = 10 * round(rng.gauss(13.5 if "huyết áp" in visit.arrival_diagnosis.lower() else 12, 0.8))
        said += f"HA: {high}/{10 * round(high / 16)} mmHg; "
    return f"{said}NT: {breaths} l/p; SP: {rng.randint(96, 99)}%"


def discharge(visit: DemoVisit) -> Iterator[Line]:
    """Yield XML7 of a stay."""
    if visit.kind not in _KINDS_IN_A_BED:
        return
    rest = 5 if visit.nights > 3 else 3  # noqa: PLR2004 — a longer stay, a longer rest
    left_on = visit.closed_at.date()
    yield {
        "SO_LUU_TRU": f"{visit.closed_at:%y}/{visit.citizen.number:06d}.{visit.number:03d}",
        "MA_YTE": visit.patient_number,
        "MA_KHOA_RV": visit.department,
        **_stay(visit),
        "MA_DINH_CHI_THAI": "0",
        "CHAN_DOAN_RV": visit.discharge_diagnosis,
        "PP_DIEUTRI": visit.treatment,
        "GHI_CHU": visit.advice,
        "MA_TTDV": _head(visit),
        "MA_BS": f"{SOCIAL_INSURANCE_PREFIX}001{visit.facility.code}",
        "TEN_BS": visit.doctor.full_name,
        "NGAY_CT": f"{left_on:%Y%m%d}",
        "SO_NGAY_NGHI": str(rest),
        "NGOAITRU_TUNGAY": f"{left_on + timedelta(days=1):%Y%m%d}",
        "NGOAITRU_DENNGAY": f"{left_on + timedelta(days=rest):%Y%m%d}",
    }


def summary(visit: DemoVisit) -> Iterator[Line]:
    """Yield XML8 of a stay."""
    if visit.kind not in _KINDS_IN_A_BED:
        return
    yield {
        "MA_LOAI_KCB": visit.kind,
        **_stay(visit),
        "CHAN_DOAN_VAO": visit.arrival_diagnosis,
        "CHAN_DOAN_RV": visit.discharge_diagnosis,
        "QT_BENHLY": f"{visit.reason}. Chẩn đoán khi vào viện: {visit.arrival_diagnosis}.",
        "TOMTAT_KQ": _findings(visit),
        "PP_DIEUTRI": visit.treatment,
        "KET_QUA_DTRI": str(visit.outcome),
        "MA_TTDV": _head(visit),
        "NGAY_CT": f"{visit.closed_at:%Y%m%d}",
    }


def _findings(visit: DemoVisit) -> str:
    found = [line.conclusion for line in visit.reports() if line.conclusion]
    measured = [f"{one.index.name} {one.value} {one.unit}".strip() for line in visit.reports() for one in line.measures]
    return "; ".join([*found, *measured[:6]]) or "Không có kết quả bất thường."


def referral(visit: DemoVisit) -> Iterator[Line]:
    """Yield XML13 where a visit ended with a referral."""
    if not visit.referred_to:
        return
    yield {
        "SO_HOSO": f"{visit.closed_at:%y}.{visit.citizen.number:05d}",
        "SO_CHUYENTUYEN": f"{visit.number:04d}",
        "GIAY_CHUYEN_TUYEN": f"{visit.facility.code}.{visit.closed_at:%y}.{visit.citizen.number:05d}",
        "MA_CSKCB": visit.facility.code,
        "MA_NOI_DEN": visit.referred_to,
        **_named(visit),
        **_stay(visit),
        "DAU_HIEU_LS": visit.reason,
        "CHAN_DOAN_RV": visit.discharge_diagnosis,
        "QT_BENHLY": f"{visit.reason}.",
        "TOMTAT_KQ": _findings(visit),
        "MA_BENH_CHINH": visit.main_code,
        "MA_BENH_KT": ";".join(visit.other_codes),
        "TEN_DICH_VU": "; ".join(dict.fromkeys(line.service.name for line in visit.services))[:1024],
        "TEN_THUOC": "; ".join(dict.fromkeys(line.drug.name for line in visit.drugs))[:1024],
        "PP_DIEU_TRI": visit.treatment,
        "MA_LOAI_RV": "2",
        "MA_LYDO_CT": "1",
        "HUONG_DIEU_TRI": "Khám và điều trị chuyên khoa ở cơ sở tiếp nhận",
        "PHUONGTIEN_VC": "Tự túc",
        "MA_BAC_SI": visit.doctor.certificate,
        "MA_TTDV": _head(visit),
    }


def reexamination(visit: DemoVisit) -> Iterator[Line]:
    """Yield XML14 where the patient is to come again."""
    if visit.revisit_on is None:
        return
    appointment = datetime.combine(visit.revisit_on, _APPOINTMENT_AT, tzinfo=VIETNAM)
    yield {
        "SO_GIAYHEN_KL": f"HK{visit.closed_at:%y}.{visit.citizen.number:05d}.{visit.number:03d}",
        "MA_CSKCB": visit.facility.code,
        **_named(visit),
        "NGAY_VAO": _moment(visit.arrived_at),
        "NGAY_RA": _moment(visit.closed_at),
        "NGAY_HEN_KL": _moment(appointment),
        "CHAN_DOAN_RV": visit.discharge_diagnosis,
        "MA_BENH_CHINH": visit.main_code,
        "MA_BENH_KT": ";".join(visit.other_codes),
        "MA_DOITUONG_KCB": visit.category,
        "MA_BAC_SI": visit.doctor.certificate,
        "MA_TTDV": _head(visit),
        "NGAY_CT": f"{visit.closed_at:%Y%m%d}",
    }


def referral_facility(facility_code: str) -> str:
    """Return the hospital to which a facility refers."""
    return next(one.code for one in FACILITIES if one.code != facility_code and one.level != "PRIMARY")


def _named(visit: DemoVisit) -> Line:
    citizen = visit.citizen
    return {
        "HO_TEN": citizen.full_name,
        "NGAY_SINH": f"{citizen.birth_on:%Y%m%d}0000",
        "GIOI_TINH": "1" if citizen.sex == "MALE" else "2",
        "DIA_CHI": citizen.address,
        "MA_THE_BHYT": citizen.insurance.number if citizen.insurance and visit.benefit_percent else "",
        "GT_THE_DEN": f"{visit.arrived_at.year}1231" if citizen.insurance and visit.benefit_percent else "",
    }


def _stay(visit: DemoVisit) -> Line:
    return {"NGAY_VAO": _moment(visit.arrived_at), "NGAY_RA": _moment(visit.closed_at)}


def _head(visit: DemoVisit) -> str:
    return f"{SOCIAL_INSURANCE_PREFIX}000{visit.facility.code}"


def _moment(at: datetime) -> str:
    return f"{at:%Y%m%d%H%M}"
