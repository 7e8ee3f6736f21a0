"""A visit as a hospital's software writes it: the tables of Decision 4750/QĐ-BYT.

Every field of a table is written, in the order of the annex, empty where there is nothing to say. Times are
Viet Nam's; numbers have a decimal point.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from xml.sax.saxutils import escape

from app.demo import papers
from app.demo.catalogue import BED_GROUP, SUPPLY_GROUP
from app.demo.costs import Amounts, Bill, bill
from app.demo.files import rows
from app.demo.people import SOCIAL_INSURANCE_PREFIX
from app.demo.visits import DemoVisit, DrugLine, ServiceLine
from app.records.arrivals import Sex

TABLES = ("XML1", "XML2", "XML3", "XML4", "XML5", "XML7", "XML8", "XML13", "XML14")

_PATHS: Mapping[str, tuple[str, ...]] = {
    "XML1": ("TONG_HOP",),
    "XML2": ("CHITIEU_CHITIET_THUOC", "DSACH_CHI_TIET_THUOC", "CHI_TIET_THUOC"),
    "XML3": ("CHITIEU_CHITIET_DVKT_VTYT", "DSACH_CHI_TIET_DVKT", "CHI_TIET_DVKT"),
    "XML4": ("CHITIEU_CHITIET_DICHVUCANLAMSANG", "DSACH_CHI_TIET_CLS", "CHI_TIET_CLS"),
    "XML5": ("CHITIEU_CHITIET_DIENBIENLAMSANG", "DSACH_CHI_TIET_DIEN_BIEN_BENH", "CHI_TIET_DIEN_BIEN_BENH"),
    "XML7": ("CHI_TIEU_DU_LIEU_GIAY_RA_VIEN",),
    "XML8": ("CHI_TIEU_DU_LIEU_TOM_TAT_HO_SO_BENH_AN",),
    "XML13": ("CHI_TIEU_GIAYCHUYENTUYEN",),
    "XML14": ("CHI_TIEU_GIAYHEN_KHAMLAI",),
}
_KIND_UNTIL_LAST_MEDICINE = frozenset({"02", "05", "07"})
_KIND_OF_SERVICE_DAYS = "08"
_KINDS_IN_A_BED = frozenset({"03", "04", "06"})
_TENDER = "1207/QĐ-BV;G1;N4;2025"
_NOTHING_PAID_BY_OTHERS: Mapping[str, str] = dict.fromkeys(
    ("T_NGUONKHAC_NSNN", "T_NGUONKHAC_VTNN", "T_NGUONKHAC_VTTN", "T_NGUONKHAC_CL", "T_NGUONKHAC"), "0.00"
)


class FieldTooLong(ValueError):
    """A made-up value is longer than the annex allows; the message names the field only."""


def tables(visit: DemoVisit) -> Iterator[tuple[str, str]]:
    """Yield the tables that a visit has, as name and XML text. A table without lines is not sent."""
    costs = bill(visit)
    lines = {
        "XML1": [_summary(visit, costs)],
        "XML2": [_drug(visit, *pair) for pair in zip(visit.drugs, costs.drugs, strict=True)],
        "XML3": [_service(visit, *pair) for pair in zip(visit.services, costs.services, strict=True)],
        "XML4": list(_results(visit)),
        "XML5": list(papers.notes(visit)),
        "XML7": list(papers.discharge(visit)),
        "XML8": list(papers.summary(visit)),
        "XML13": list(papers.referral(visit)),
        "XML14": list(papers.reexamination(visit)),
    }
    for name in TABLES:
        if lines[name]:
            yield name, _document(name, lines[name], visit.id)


def ended_at(visit: DemoVisit) -> datetime:
    """Return NGAY_RA: the last day of medicine, 23:59, where the kind of care asks for it."""
    if visit.kind in _KIND_UNTIL_LAST_MEDICINE and visit.medicine_days:
        last = visit.closed_at + timedelta(days=visit.medicine_days - 1)
        return last.replace(hour=23, minute=59)
    return visit.closed_at


def _document(table: str, lines: list[Mapping[str, str]], visit_id: str) -> str:
    *outer, row = _PATHS[table]
    rows = "".join(
        f"<{row}>{_fields(table, {'MA_LK': visit_id, **_numbered(table, number), **line})}</{row}>"
        for number, line in enumerate(lines, start=1)
    )
    opening = "".join(f"<{name}>" for name in outer)
    closing = "".join(f"</{name}>" for name in reversed(outer))
    return f"{opening}{rows}{closing}"


def _numbered(table: str, number: int) -> Mapping[str, str]:
    return {"STT": str(number)} if "STT" in _annex(table) else {}


def _fields(table: str, values: Mapping[str, str]) -> str:
    limits = _annex(table)
    unknown = values.keys() - limits.keys()
    if unknown:
        raise KeyError(*sorted(unknown))
    written: list[str] = []
    for name, most in limits.items():
        value = values.get(name, "")
        if most is not None and len(value) > most:
            raise FieldTooLong(name)
        written.append(f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>")
    return "".join(written)


def _summary(visit: DemoVisit, costs: Bill) -> Mapping[str, str]:
    return {
        **_person(visit),
        **_course(visit),
        "T_THUOC": _money(costs.drugs_total),
        "T_VTYT": _money(costs.supplies_total),
        "T_TONGCHI_BV": _money(costs.total),
        "T_TONGCHI_BH": _money(costs.insured),
        "T_BNTT": _money(costs.by_patient),
        "T_BNCCT": _money(costs.copayment),
        "T_BHTT": _money(costs.by_fund),
        "T_NGUONKHAC": "0.00",
        "T_BHTT_GDV": "0.00",
        "NAM_QT": f"{visit.closed_at:%Y}",
        "THANG_QT": str(visit.closed_at.month),
        "MA_LOAI_KCB": visit.kind,
        "MA_KHOA": visit.department,
        "MA_CSKCB": visit.facility.code,
        "CAN_NANG": visit.weight_kg,
        "NGAY_TAI_KHAM": f"{visit.revisit_on:%Y%m%d}" if visit.revisit_on else "",
        "MA_HSBA": f"{'BA' if visit.admitted_at else 'NT'}{visit.arrived_at:%y}.{visit.citizen.number:06d}"
        f".{visit.number:03d}",
        "MA_TTDV": f"{SOCIAL_INSURANCE_PREFIX}000{visit.facility.code}",
    }


def _person(visit: DemoVisit) -> Mapping[str, str]:
    citizen = visit.citizen
    card = citizen.insurance if visit.benefit_percent else None
    year = visit.arrived_at.year
    return {
        "MA_BN": visit.patient_number,
        "HO_TEN": citizen.full_name,
        "SO_CCCD": citizen.personal_id,
        "NGAY_SINH": f"{citizen.birth_on:%Y%m%d}0000",
        "GIOI_TINH": "1" if citizen.sex is Sex.MALE else "2",
        "NHOM_MAU": citizen.blood_group,
        "MA_QUOCTICH": "000",
        "MA_DANTOC": "01",
        "MA_NGHE_NGHIEP": "00000",
        "DIA_CHI": citizen.address,
        "MATINH_CU_TRU": citizen.place.province_code,
        "MAHUYEN_CU_TRU": "000",
        "MAXA_CU_TRU": citizen.place.commune_code,
        "DIEN_THOAI": citizen.phone,
        "MA_THE_BHYT": card.number if card else "",
        "MA_DKBD": card.facility_code if card else "",
        "GT_THE_TU": f"{year}0101" if card else "",
        "GT_THE_DEN": f"{year}1231" if card else "",
    }


def _course(visit: DemoVisit) -> Mapping[str, str]:
    return {
        "LY_DO_VV": visit.reason,
        "LY_DO_VNT": visit.reason if visit.admitted_at else "",
        "CHAN_DOAN_VAO": visit.arrival_diagnosis,
        "CHAN_DOAN_RV": visit.discharge_diagnosis,
        "MA_BENH_CHINH": visit.main_code,
        "MA_BENH_KT": ";".join(visit.other_codes),
        "MA_DOITUONG_KCB": visit.category,
        "MA_NOI_DI": visit.referred_from or "",
        "MA_NOI_DEN": visit.referred_to or "",
        "NGAY_VAO": _moment(visit.arrived_at),
        "NGAY_VAO_NOI_TRU": _moment(visit.admitted_at),
        "NGAY_RA": _moment(ended_at(visit)),
        "GIAY_CHUYEN_TUYEN": f"{visit.referred_from}.{visit.arrived_at:%y}.{visit.citizen.number:05d}"
        if visit.referred_from
        else "",
        "SO_NGAY_DTRI": str(treatment_days(visit)),
        "PP_DIEU_TRI": visit.treatment,
        "KET_QUA_DTRI": str(visit.outcome),
        "MA_LOAI_RV": "2" if visit.referred_to else "1",
        "GHI_CHU": visit.advice,
        "NGAY_TTOAN": _moment(visit.closed_at),
    }


def treatment_days(visit: DemoVisit) -> int:
    """Return SO_NGAY_DTRI."""
    if visit.kind in _KINDS_IN_A_BED:
        return visit.nights + 1
    if visit.kind in _KIND_UNTIL_LAST_MEDICINE:
        return visit.medicine_days
    return 1 if visit.kind == _KIND_OF_SERVICE_DAYS else 0


def _drug(visit: DemoVisit, line: DrugLine, amounts: Amounts) -> Mapping[str, str]:
    drug = line.drug
    return {
        "MA_THUOC": drug.code,
        "MA_NHOM": "4" if drug.is_covered else "5",
        "TEN_THUOC": drug.name,
        "DON_VI_TINH": drug.unit,
        "HAM_LUONG": drug.strength,
        "DUONG_DUNG": drug.route,
        "DANG_BAO_CHE": drug.form,
        "LIEU_DUNG": line.dose,
        "CACH_DUNG": line.how,
        "SO_DANG_KY": drug.registration,
        "TT_THAU": _TENDER if drug.is_covered else "",
        "PHAM_VI": "1" if drug.is_covered else "2",
        "SO_LUONG": f"{line.quantity}.000",
        "DON_GIA": f"{drug.price}.000",
        **_amounts(amounts),
        "MA_KHOA": visit.department,
        "MA_BAC_SI": visit.doctor.certificate,
        "NGAY_YL": _moment(line.ordered_at),
        "NGAY_TH_YL": _moment(line.ordered_at + timedelta(minutes=10)),
        "MA_PTTT": "1",
        "NGUON_CTRA": "1" if amounts.benefit_percent else "4",
    }


def _service(visit: DemoVisit, line: ServiceLine, amounts: Amounts) -> Mapping[str, str]:
    service = line.service
    is_supply = service.group == SUPPLY_GROUP
    return {
        "MA_DICH_VU": "" if is_supply else service.code,
        "MA_VAT_TU": service.code if is_supply else "",
        "MA_NHOM": service.group,
        "TEN_VAT_TU": service.name if is_supply else "",
        "TEN_DICH_VU": "" if is_supply else service.name,
        "DON_VI_TINH": service.unit,
        "PHAM_VI": "1",
        "SO_LUONG": f"{line.quantity}.000",
        "DON_GIA_BV": f"{service.price}.000",
        "DON_GIA_BH": f"{service.price}.000",
        "TT_THAU": _TENDER if is_supply else "",
        "TYLE_TT_DV": "100",
        **_amounts(amounts),
        "MA_KHOA": visit.department,
        "MA_GIUONG": f"H{visit.citizen.number % 400 + 1:03d}" if service.group == BED_GROUP else "",
        "MA_BAC_SI": visit.doctor.certificate,
        "NGUOI_THUC_HIEN": (visit.reader if line.resulted_at else visit.doctor).certificate,
        "MA_BENH": visit.main_code,
        "NGAY_YL": _moment(line.ordered_at),
        "NGAY_TH_YL": _moment(line.performed_at),
        "NGAY_KQ": _moment(line.resulted_at),
        "MA_PTTT": "1",
        "MA_MAY": service.machine.format(facility=visit.facility.code),
    }


def _amounts(amounts: Amounts) -> Mapping[str, str]:
    return {
        "TYLE_TT_BH": str(amounts.ratio_percent),
        "THANH_TIEN_BV": _money(amounts.total),
        "THANH_TIEN_BH": _money(amounts.insured),
        "MUC_HUONG": str(amounts.benefit_percent),
        **_NOTHING_PAID_BY_OTHERS,
        "T_BNTT": _money(amounts.by_patient),
        "T_BNCCT": _money(amounts.copayment),
        "T_BHTT": _money(amounts.by_fund),
    }


def _results(visit: DemoVisit) -> Iterator[Mapping[str, str]]:
    for report in visit.reports():
        shared = {
            "MA_DICH_VU": report.service.code,
            "NGAY_KQ": _moment(report.resulted_at),
            "MA_BS_DOC_KQ": visit.reader.certificate,
        }
        if report.conclusion:
            yield {
                **shared,
                "TEN_CHI_SO": report.service.name,
                "MO_TA": report.description or "",
                "KET_LUAN": report.conclusion,
            }
        for measure in report.measures:
            yield {
                **shared,
                "MA_CHI_SO": measure.code,
                "TEN_CHI_SO": measure.index.name,
                "GIA_TRI": measure.value,
                "DON_VI_DO": measure.unit,
            }


def _money(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _moment(at: datetime | date | None) -> str:
    return f"{at:%Y%m%d%H%M}" if at else ""


@cache
def _annex(table: str) -> Mapping[str, int | None]:
    """Return the fields of a table in their order, with the greatest length where the annex gives one."""
    return {row["field"]: int(row["max"]) if row["max"] else None for row in rows("annex.csv") if row["table"] == table}
