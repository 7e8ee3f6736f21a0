"""Whole messages of made-up hospitals, and all that is read from them."""

import json
from pathlib import Path

import pytest
from lxml import etree

from app.ingestion.qd4750 import read_message
from app.ingestion.xml import Element, check_outside, read_document
from tests.ingestion.messages import encoded, envelope, file_xml
from tests.ingestion.plain import plain

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "qd4750"
MESSAGES = sorted(GOLDEN.glob("*.xml"))
INLINE = [path for path in MESSAGES if path.stem not in ("check-in", "outpatient")]


def test_golden_messages_are_there() -> None:
    assert len(MESSAGES) == 6


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_golden(path: Path) -> None:
    body = path.read_bytes()

    check_outside(body)
    assert plain(read_message(body)) == json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", INLINE, ids=lambda path: path.stem)
def test_golden_reads_the_same_in_base64_and_as_text(path: Path) -> None:
    body = path.read_bytes()
    root = read_document(body)
    visits = root.findall("THONGTINHOSO/DANHSACHHOSO/HOSO")
    forms = {"base64": [""] * len(visits), "cdata": [""] * len(visits)}
    for number, visit in enumerate(visits):
        for file in visit:
            table = file.findtext("LOAIHOSO", "")
            content = _inner(file.find("NOIDUNGFILE"))
            forms["base64"][number] += file_xml(table, encoded(content))
            forms["cdata"][number] += file_xml(table, f"<![CDATA[{content.decode()}]]>")

    count = root.findtext("THONGTINHOSO/SOLUONGHOSO")
    expected = read_message(body)
    for files in forms.values():
        again = read_message(
            envelope(
                *(f"<HOSO>{content}</HOSO>" for content in files),
                facility=expected.facility_code or "",
                count=count,
                issued=root.findtext("THONGTINHOSO/NGAYLAP", ""),
            )
        )
        assert again == expected


def _inner(holder: object) -> bytes:
    assert isinstance(holder, Element)
    (child,) = holder
    child.tail = None
    return etree.tostring(child, encoding="utf-8")


def test_no_golden_text_repeats_a_value() -> None:
    for path in MESSAGES:
        message = read_message(path.read_bytes())
        problems = [*message.problems, *(problem for visit in message.visits for problem in visit.problems)]
        texts = " ".join(f"{problem.vi} {problem.en}" for problem in problems)
        for private in ("Nguyễn", "Trần", "Phạm", "Oanh", "000000000000", "C1234567", "GD40101"):
            assert private not in texts
