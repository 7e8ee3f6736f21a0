"""XML2: the drugs of a visit become prescriptions, one for each clinician and day."""

from collections.abc import Iterable
from typing import Final

from app.ingestion.qd4750.lines import Line
from app.records.arrivals import PrescriptionArrival, PrescriptionItemArrival

_DAY: Final = slice(0, 8)


def prescriptions(lines: Iterable[Line]) -> tuple[PrescriptionArrival, ...]:
    """Group the lines by the day of NGAY_YL in Viet Nam and MA_BAC_SI, in order of time.

    The key depends on these two alone, so that a resend in another order meets the same records.
    Source: Decision 4750/QD-BYT, table 2.
    """
    groups: dict[str, list[Line]] = {}
    for line in lines:
        clinician = line.text("MA_BAC_SI") or "-"
        groups.setdefault(f"rx:{line.needed('NGAY_YL')[_DAY]}:{clinician}", []).append(line)
    found = [_prescription(group, key=key) for key, group in groups.items()]
    return tuple(sorted(found, key=lambda prescription: (prescription.ordered_at, prescription.key)))


def _prescription(lines: list[Line], *, key: str) -> PrescriptionArrival:
    return PrescriptionArrival(
        key=key,
        ordered_at=min(line.needed_moment("NGAY_YL") for line in lines),
        prescriber_certificate=lines[0].text("MA_BAC_SI"),
        items=tuple(_item(line) for line in lines),
    )


def _item(line: Line) -> PrescriptionItemArrival:
    return PrescriptionItemArrival(
        line=line.number,
        drug_code=line.needed("MA_THUOC"),
        drug_name=line.needed("TEN_THUOC"),
        strength=line.text("HAM_LUONG"),
        form=line.text("DANG_BAO_CHE"),
        route_code=line.text("DUONG_DUNG"),
        quantity=line.quantity("SO_LUONG"),
        unit=line.needed("DON_VI_TINH"),
        dose=line.text("LIEU_DUNG"),
        instruction=line.text("CACH_DUNG"),
        registration_number=line.text("SO_DANG_KY"),
        amount=line.money("THANH_TIEN_BV"),
        benefit_percent=line.percent("MUC_HUONG"),
    )
