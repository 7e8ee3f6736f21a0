"""Make messages of a made-up hospital: complete by the field tables, and then changed where a test asks."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from xml.sax.saxutils import escape

Fields = Mapping[str, str | None]  # None leaves the element out

FACILITY = "01901"
VISIT_ID = "01901.2026.11.000123"

VISIT: Fields = {
    "MA_LK": VISIT_ID,
    "STT": "1",
    "MA_BN": "BN0004521",
    "HO_TEN": "Nguyễn Thị Hồng Ánh",
    "SO_CCCD": "001185012345",
    "NGAY_SINH": "198503120000",
    "GIOI_TINH": "2",
    "NHOM_MAU": "O+",
    "MA_QUOCTICH": "000",
    "MA_DANTOC": "01",
    "MA_NGHE_NGHIEP": "00000",
    "DIA_CHI": "Số 12 phố Quán Sứ, phường Hoàn Kiếm, thành phố Hà Nội",
    "MATINH_CU_TRU": "01",
    "MAHUYEN_CU_TRU": "002",
    "MAXA_CU_TRU": "00070",
    "DIEN_THOAI": "0912345678",
    "MA_THE_BHYT": "GD4010112345678",
    "MA_DKBD": "01901",
    "GT_THE_TU": "20260101",
    "GT_THE_DEN": "20261231",
    "NGAY_MIEN_CCT": "",
    "LY_DO_VV": "Ho, sốt, đau họng 3 ngày",
    "LY_DO_VNT": "",
    "MA_LY_DO_VNT": "",
    "CHAN_DOAN_VAO": "Viêm họng cấp",
    "CHAN_DOAN_RV": "Viêm họng cấp, không đặc hiệu; Tăng huyết áp",
    "MA_BENH_CHINH": "J02.9",
    "MA_BENH_KT": "I10",
    "MA_BENH_YHCT": "",
    "MA_PTTT_QT": "",
    "MA_DOITUONG_KCB": "1.1",
    "MA_NOI_DI": "",
    "MA_NOI_DEN": "",
    "MA_TAI_NAN": "",
    "NGAY_VAO": "202611200815",
    "NGAY_VAO_NOI_TRU": "",
    "NGAY_RA": "202611201030",
    "GIAY_CHUYEN_TUYEN": "",
    "SO_NGAY_DTRI": "0",
    "PP_DIEU_TRI": "Điều trị ngoại trú bằng thuốc",
    "KET_QUA_DTRI": "2",
    "MA_LOAI_RV": "1",
    "GHI_CHU": "Uống nhiều nước, tái khám khi sốt trên 39 °C",
    "NGAY_TTOAN": "202611201035",
    "T_THUOC": "58000.00",
    "T_VTYT": "0",
    "T_TONGCHI_BV": "150700.50",
    "T_TONGCHI_BH": "150700.50",
    "T_BNTT": "0",
    "T_BNCCT": "30140.10",
    "T_BHTT": "120560.40",
    "T_NGUONKHAC": "0",
    "T_BHTT_GDV": "120560.40",
    "NAM_QT": "2026",
    "THANG_QT": "11",
    "MA_LOAI_KCB": "01",
    "MA_KHOA": "K01",
    "MA_CSKCB": FACILITY,
    "MA_KHUVUC": "",
    "CAN_NANG": "52.50",
    "CAN_NANG_CON": "",
    "NAM_NAM_LIEN_TUC": "20290101",
    "NGAY_TAI_KHAM": "20261204",
    "MA_HSBA": "NT26.045218",
    "MA_TTDV": "0100000001",
    "DU_PHONG": "",
}

DRUG: Fields = {
    "MA_LK": VISIT_ID,
    "STT": "1",
    "MA_THUOC": "40.48",
    "MA_PP_CHEBIEN": "",
    "MA_CSKCB_THUOC": "",
    "MA_NHOM": "4",
    "TEN_THUOC": "Paracetamol 500mg",
    "DON_VI_TINH": "Viên",
    "HAM_LUONG": "500mg",
    "DUONG_DUNG": "1.01",
    "DANG_BAO_CHE": "Viên nén",
    "LIEU_DUNG": "1 viên/lần * 3 lần/ngày * 5 ngày [3 viên/ngày]",
    "CACH_DUNG": "Uống sau ăn, cách nhau ít nhất 6 giờ",
    "SO_DANG_KY": "VD-18271-13",
    "TT_THAU": "1234/QĐ-BV;G1;N4;2026",
    "PHAM_VI": "1",
    "TYLE_TT_BH": "100",
    "SO_LUONG": "15.000",
    "DON_GIA": "800.000",
    "THANH_TIEN_BV": "12000.00",
    "THANH_TIEN_BH": "12000.00",
    "T_NGUONKHAC_NSNN": "0",
    "T_NGUONKHAC_VTNN": "0",
    "T_NGUONKHAC_VTTN": "0",
    "T_NGUONKHAC_CL": "0",
    "T_NGUONKHAC": "0",
    "MUC_HUONG": "80",
    "T_BNTT": "0",
    "T_BNCCT": "2400.00",
    "T_BHTT": "9600.00",
    "MA_KHOA": "K01",
    "MA_BAC_SI": "001234/BYT-CCHN",
    "MA_DICH_VU": "",
    "NGAY_YL": "202611200900",
    "NGAY_TH_YL": "202611201030",
    "MA_PTTT": "1",
    "NGUON_CTRA": "1",
    "VET_THUONG_TP": "",
    "DU_PHONG": "",
}

SERVICE: Fields = {
    "MA_LK": VISIT_ID,
    "STT": "1",
    "MA_DICH_VU": "22.0120.1370",
    "MA_PTTT_QT": "",
    "MA_VAT_TU": "",
    "MA_NHOM": "1",
    "GOI_VTYT": "",
    "TEN_VAT_TU": "",
    "TEN_DICH_VU": "Tổng phân tích tế bào máu ngoại vi bằng máy đếm laser",
    "MA_XANG_DAU": "",
    "DON_VI_TINH": "Lần",
    "PHAM_VI": "1",
    "SO_LUONG": "1.000",
    "DON_GIA_BV": "48200.000",
    "DON_GIA_BH": "48200.000",
    "TT_THAU": "",
    "TYLE_TT_DV": "100",
    "TYLE_TT_BH": "100",
    "THANH_TIEN_BV": "48200.00",
    "THANH_TIEN_BH": "48200.00",
    "T_TRANTT": "",
    "MUC_HUONG": "80",
    "T_NGUONKHAC_NSNN": "0",
    "T_NGUONKHAC_VTNN": "0",
    "T_NGUONKHAC_VTTN": "0",
    "T_NGUONKHAC_CL": "0",
    "T_NGUONKHAC": "0",
    "T_BNTT": "0",
    "T_BNCCT": "9640.00",
    "T_BHTT": "38560.00",
    "MA_KHOA": "K01",
    "MA_GIUONG": "",
    "MA_BAC_SI": "001234/BYT-CCHN",
    "NGUOI_THUC_HIEN": "004567/HNO-CCHN",
    "MA_BENH": "J02.9",
    "MA_BENH_YHCT": "",
    "NGAY_YL": "202611200840",
    "NGAY_TH_YL": "202611200850",
    "NGAY_KQ": "202611200925",
    "MA_PTTT": "1",
    "VET_THUONG_TP": "",
    "PP_VO_CAM": "",
    "VI_TRI_TH_DVKT": "",
    "MA_MAY": "HH.1.01901.XN1000",
    "MA_HIEU_SP": "",
    "TAI_SU_DUNG": "",
    "DU_PHONG": "",
}

RESULT: Fields = {
    "MA_LK": VISIT_ID,
    "STT": "1",
    "MA_DICH_VU": "22.0120.1370",
    "MA_CHI_SO": "1000201",
    "TEN_CHI_SO": "Số lượng bạch cầu (WBC)",
    "GIA_TRI": "11.8",
    "DON_VI_DO": "G/L",
    "MO_TA": "",
    "KET_LUAN": "",
    "NGAY_KQ": "202611200925",
    "MA_BS_DOC_KQ": "004567/HNO-CCHN",
    "DU_PHONG": "",
}

NOTE: Fields = {
    "MA_LK": VISIT_ID,
    "STT": "1",
    "DIEN_BIEN_LS": "Tỉnh, tiếp xúc tốt, họng đỏ. M: 88 l/p; T: 38,5°C; HA: 120/80 mmHg; NT: 20 l/p; SP: 98%",
    "GIAI_DOAN_BENH": "",
    "HOI_CHAN": "",
    "PHAU_THUAT": "",
    "THOI_DIEM_DBLS": "202611200830",
    "NGUOI_THUC_HIEN": "001234/BYT-CCHN",
    "DU_PHONG": "",
}

DISCHARGE: Fields = {
    "MA_LK": VISIT_ID,
    "SO_LUU_TRU": "26/045218",
    "MA_YTE": "BN0004521",
    "MA_KHOA_RV": "K01",
    "NGAY_VAO": "202611200815",
    "NGAY_RA": "202611201030",
    "MA_DINH_CHI_THAI": "0",
    "NGUYENNHAN_DINHCHI": "",
    "THOIGIAN_DINHCHI": "",
    "TUOI_THAI": "",
    "CHAN_DOAN_RV": "Viêm họng cấp",
    "PP_DIEUTRI": "Kháng sinh, hạ sốt",
    "GHI_CHU": "Nghỉ ngơi tại nhà",
    "MA_TTDV": "0100000001",
    "MA_BS": "0100000002",
    "TEN_BS": "Trần Văn Khoa",
    "NGAY_CT": "20261120",
    "MA_CHA": "",
    "MA_ME": "",
    "MA_THE_TAM": "",
    "HO_TEN_CHA": "",
    "HO_TEN_ME": "",
    "SO_NGAY_NGHI": "3",
    "NGOAITRU_TUNGAY": "20261121",
    "NGOAITRU_DENNGAY": "20261123",
    "DU_PHONG": "",
}

RECORD: Fields = {
    "MA_LK": VISIT_ID,
    "MA_LOAI_KCB": "01",
    "HO_TEN_CHA": "",
    "HO_TEN_ME": "",
    "NGUOI_GIAM_HO": "",
    "DON_VI": "",
    "NGAY_VAO": "202611200815",
    "NGAY_RA": "202611201030",
    "CHAN_DOAN_VAO": "Viêm họng cấp",
    "CHAN_DOAN_RV": "Viêm họng cấp, không đặc hiệu",
    "QT_BENHLY": "Ho, sốt, đau họng 3 ngày, dùng thuốc hạ sốt không đỡ",
    "TOMTAT_KQ": "Bạch cầu 11.8 G/L",
    "PP_DIEUTRI": "Kháng sinh, hạ sốt",
    "NGAY_SINHCON": "",
    "NGAY_CONCHET": "",
    "SO_CONCHET": "",
    "KET_QUA_DTRI": "2",
    "GHI_CHU": "",
    "MA_TTDV": "0100000001",
    "NGAY_CT": "20261120",
    "MA_THE_TAM": "",
    "DU_PHONG": "",
}

REFERRAL: Fields = {
    "MA_LK": VISIT_ID,
    "SO_HOSO": "HS26.0452",
    "SO_CHUYENTUYEN": "0123",
    "GIAY_CHUYEN_TUYEN": "01901.26.00123",
    "MA_CSKCB": FACILITY,
    "MA_NOI_DI": "",
    "MA_NOI_DEN": "01012",
    "HO_TEN": "Nguyễn Thị Hồng Ánh",
    "NGAY_SINH": "198503120000",
    "GIOI_TINH": "2",
    "MA_QUOCTICH": "000",
    "MA_DANTOC": "01",
    "MA_NGHE_NGHIEP": "00000",
    "DIA_CHI": "Số 12 phố Quán Sứ, phường Hoàn Kiếm, thành phố Hà Nội",
    "MA_THE_BHYT": "GD4010112345678",
    "GT_THE_DEN": "20261231",
    "NGAY_VAO": "202611200815",
    "NGAY_VAO_NOI_TRU": "",
    "NGAY_RA": "202611201030",
    "DAU_HIEU_LS": "Họng đỏ, amidan sưng to",
    "CHAN_DOAN_RV": "Viêm họng cấp",
    "QT_BENHLY": "Sốt 3 ngày",
    "TOMTAT_KQ": "Bạch cầu 11.8 G/L",
    "PP_DIEUTRI": "",
    "MA_BENH_CHINH": "J02.9",
    "MA_BENH_KT": "I10",
    "MA_BENH_YHCT": "",
    "TEN_DICH_VU": "Tổng phân tích tế bào máu",
    "TEN_THUOC": "Paracetamol 500mg",
    "PP_DIEU_TRI": "Kháng sinh, hạ sốt",
    "MA_LOAI_RV": "1",
    "MA_LYDO_CT": "1",
    "HUONG_DIEU_TRI": "Khám chuyên khoa tai mũi họng",
    "PHUONGTIEN_VC": "Tự túc",
    "HOTEN_NGUOI_HT": "",
    "CHUCDANH_NGUOI_HT": "",
    "MA_BAC_SI": "001234/BYT-CCHN",
    "MA_TTDV": "0100000001",
    "DU_PHONG": "",
}

REEXAMINATION: Fields = {
    "MA_LK": VISIT_ID,
    "SO_GIAYHEN_KL": "HK26.0452",
    "MA_CSKCB": FACILITY,
    "HO_TEN": "Nguyễn Thị Hồng Ánh",
    "NGAY_SINH": "198503120000",
    "GIOI_TINH": "2",
    "DIA_CHI": "Số 12 phố Quán Sứ, phường Hoàn Kiếm, thành phố Hà Nội",
    "MA_THE_BHYT": "GD4010112345678",
    "GT_THE_DEN": "20261231",
    "NGAY_VAO": "202611200815",
    "NGAY_VAO_NOI_TRU": "",
    "NGAY_RA": "202611201030",
    "NGAY_HEN_KL": "202612040800",
    "CHAN_DOAN_RV": "Viêm họng cấp",
    "MA_BENH_CHINH": "J02.9",
    "MA_BENH_KT": "I10",
    "MA_BENH_YHCT": "",
    "MA_DOITUONG_KCB": "1.1",
    "MA_BAC_SI": "001234/BYT-CCHN",
    "MA_TTDV": "0100000001",
    "NGAY_CT": "20261120",
    "DU_PHONG": "",
}

LINES: Mapping[str, Fields] = {"XML1": VISIT, "XML2": DRUG, "XML3": SERVICE, "XML4": RESULT}
"""The tables of a usual visit."""
PAPERS: Mapping[str, Fields] = {
    "XML5": NOTE,
    "XML7": DISCHARGE,
    "XML8": RECORD,
    "XML13": REFERRAL,
    "XML14": REEXAMINATION,
}
"""The papers of a visit."""
EVERY: Mapping[str, Fields] = {**LINES, **PAPERS}

_PATHS = {
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


def fields_xml(fields: Fields) -> str:
    """Return the elements of one line."""
    return "".join(
        f"<{name}>{escape(value)}</{name}>" if value else f"<{name}/>"
        for name, value in fields.items()
        if value is not None
    )


def table_xml(table: str, lines: Iterable[Fields], *, depth: int = 0) -> str:
    """Return a table from its root (depth 0), its list (1) or as bare lines (2)."""
    *around, line = _PATHS[table]
    xml = "".join(f"<{line}>{fields_xml(fields)}</{line}>" for fields in lines)
    for name in reversed(around[depth:]):
        xml = f"<{name}>{xml}</{name}>"
    return xml


def encoded(xml: str | bytes) -> str:
    """Return a table as it usually travels."""
    document = xml.encode() if isinstance(xml, str) else xml
    return b64encode(document).decode()


def declared(xml: str) -> str:
    """Return a document with its declaration."""
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml}'


def file_xml(table: str, content: str) -> str:
    """Return one FILEHOSO around what stands in NOIDUNGFILE."""
    return f"<FILEHOSO><LOAIHOSO>{table}</LOAIHOSO><NOIDUNGFILE>{content}</NOIDUNGFILE></FILEHOSO>"


def visit_xml(tables: Mapping[str, Sequence[Fields]]) -> str:
    """Return one HOSO with its tables in base64."""
    files = (file_xml(name, encoded(declared(table_xml(name, lines)))) for name, lines in tables.items())
    return f"<HOSO>{''.join(files)}</HOSO>"


def envelope(
    *visits: str,
    facility: str = FACILITY,
    count: str | None = None,
    signature: str = "",
    issued: str = "20261120",
) -> bytes:
    """Return a message around its HOSO elements."""
    return declared(
        f"<GIAMDINHHS><THONGTINDONVI><MACSKCB>{facility}</MACSKCB></THONGTINDONVI>"
        f"<THONGTINHOSO><NGAYLAP>{issued}</NGAYLAP><SOLUONGHOSO>{count or len(visits)}</SOLUONGHOSO>"
        f"<DANHSACHHOSO>{''.join(visits)}</DANHSACHHOSO></THONGTINHOSO>"
        f"<CHUKYDONVI>{signature}</CHUKYDONVI></GIAMDINHHS>"
    ).encode()


def message(**tables: Sequence[Fields]) -> bytes:
    """Return a message of one visit: the full tables, or those that are given instead."""
    return envelope(visit_xml(tables or {name: [fields] for name, fields in LINES.items()}))


def changed(table: str, **changes: str | None) -> bytes:
    """Return a full message of one visit with some fields of one table changed (None leaves one out)."""
    tables: dict[str, Sequence[Fields]] = {name: [fields] for name, fields in LINES.items()}
    tables[table] = [{**EVERY[table], **changes}]
    return envelope(visit_xml(tables))


def many_visits(*, most_bytes: int, lines: int = 20, facility: str = FACILITY) -> bytes:
    """Return one message of as many visits as fit, each with so many drugs, services and results."""

    def visit(number: int) -> str:
        renamed = {name: {**line, "MA_LK": f"{facility}.{number:06}"} for name, line in LINES.items()}
        renamed["XML1"]["MA_CSKCB"] = facility
        return visit_xml({name: [line] * (1 if name == "XML1" else lines) for name, line in renamed.items()})

    visits = (visit(number) for number in range((most_bytes - 1_000) // len(visit(0))))
    return envelope(*visits, facility=facility)
