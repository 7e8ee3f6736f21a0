"""XML4: paraclinical results become reports, one for each service and moment of result."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from app.ingestion.catalogue import ProblemCode
from app.ingestion.qd4750 import values
from app.ingestion.qd4750.lines import Line
from app.ingestion.qd4750.performed import Performed
from app.ingestion.verdict import Effect
from app.records.arrivals import TestCategory, TestReportArrival, TestResultArrival


def reports(
    lines: Iterable[Line], *, performed: Mapping[str, Performed], otherwise_at: datetime
) -> tuple[TestReportArrival, ...]:
    """Group the lines by MA_DICH_VU and NGAY_KQ, in order of time.

    Lines without NGAY_KQ stand at `otherwise_at`, a time of the visit. Kind and name of the service
    are those of its line in XML3; without one, a report with values is a laboratory's.
    Source: Decision 4750/QD-BYT, table 4.
    """
    groups: dict[str, list[Line]] = {}
    for line in lines:
        _check_time(line)
        key = f"test:{line.text('MA_DICH_VU') or '-'}:{line.text('NGAY_KQ') or '-'}"
        groups.setdefault(key, []).append(line)
    found = [_report(group, key=key, performed=performed, otherwise_at=otherwise_at) for key, group in groups.items()]
    return tuple(sorted(found, key=lambda report: (report.resulted_at, report.key)))


def _check_time(line: Line) -> None:
    if line.text("GIA_TRI") and not line.text("NGAY_KQ"):
        line.remark(ProblemCode.RESULT_TIME_MISSING, Effect.REJECTS, "NGAY_KQ")


def _report(
    lines: list[Line], *, key: str, performed: Mapping[str, Performed], otherwise_at: datetime
) -> TestReportArrival:
    code = lines[0].text("MA_DICH_VU")
    service = performed.get(code) if code else None
    times = [line.moment("NGAY_KQ") for line in lines]  # one and the same, but each bad line is told
    return TestReportArrival(
        key=key,
        category=service.category if service else _category(lines),
        service_code=code,
        service_name=(service.name or None) if service else None,
        resulted_at=times[0] or otherwise_at,
        reader_certificate=_joined((line.text("MA_BS_DOC_KQ") for line in lines), separator=";"),
        description=_told(lines, field="MO_TA"),
        conclusion=_told(lines, field="KET_LUAN"),
        results=tuple(_result(line) for line in lines),
    )


def _category(lines: Iterable[Line]) -> TestCategory:
    return TestCategory.LABORATORY if any(line.text("GIA_TRI") for line in lines) else TestCategory.OTHER


def _result(line: Line) -> TestResultArrival:
    value_text = line.text("GIA_TRI")
    if value_text and values.has_decimal_comma(value_text):
        line.remark(ProblemCode.RESULT_COMMA, Effect.WARNS, "GIA_TRI")
    return TestResultArrival(
        line=line.number,
        code=line.text("MA_CHI_SO"),
        name=line.needed("TEN_CHI_SO"),
        value_text=value_text,
        value=values.result_number(value_text) if value_text else None,
        unit=line.text("DON_VI_DO"),
    )


def _told(lines: list[Line], *, field: str) -> str | None:
    """Join what the lines say; where they say different things, each is led by the name of its index."""
    texts = {text for line in lines if (text := line.text(field))}
    if len(texts) <= 1:
        return next(iter(texts), None)
    said = (f"{line.needed('TEN_CHI_SO')}: {text}" for line in lines if (text := line.text(field)))
    return _joined(said, separator="\n")


def _joined(texts: Iterable[str | None], *, separator: str) -> str | None:
    return separator.join(dict.fromkeys(text for text in texts if text)) or None
