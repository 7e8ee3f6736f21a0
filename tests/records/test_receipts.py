"""Receipts: what one view can have shown at most, by the versions that there were."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.audit.visitors import Visitors
from tests.ingestion import messages
from tests.ingestion.messages import VISIT
from tests.people import Stand
from tests.sharing.test_access_log import ask

VISITS, PRESCRIPTIONS, TEST_RESULTS = 1, 2, 8


@pytest.fixture(scope="module")
def visitors(stand: Stand) -> Visitors:
    return Visitors(stand)


@pytest.fixture(scope="module")
def hospital(stand: Stand) -> str:
    return stand.facility("01901")


@pytest.fixture(scope="module")
def doctor(hospital: str, visitors: Visitors) -> str:
    assert hospital
    return visitors.practitioner()


@pytest.fixture(scope="module")
def citizen(stand: Stand, hospital: str) -> UUID:
    assert stand.file(messages.message(), token=hospital) == "filed"
    return stand.citizen_by(VISIT["SO_CCCD"] or "")


@pytest.fixture
def token(stand: Stand, citizen: UUID) -> str:
    return stand.citizen_token(citizen)


def receipts(http: httpx.Client, token: str, *lines: str) -> Any:
    body = ask(http, token, "AccessReceipts", {"entryIds": list(lines)})
    assert "errors" not in body, body
    return body["data"]["healthBook"]["accessReceipts"]


def kinds(receipt: dict[str, Any]) -> set[str]:
    return {record["kind"] for record in receipt["records"]}


def test_a_receipt_has_the_records_of_the_sections_that_were_open(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    scopes: list[dict[str, Any]] = [
        {"sections": VISITS},
        {"scope": {"sections": PRESCRIPTIONS | TEST_RESULTS}},
        {"sections": 512},
        {},
    ]
    lines = [visitors.view(citizen, by=doctor, about=about) for about in scopes]

    shown = receipts(http, token, *(f"{citizen}.{n}" for n in lines))
    assert [receipt["entryId"] for receipt in shown] == [f"{citizen}.{n}" for n in lines]
    visits, others, appointments, everything = (kinds(receipt) for receipt in shown)
    assert visits <= {"VISIT", "DOCUMENT"}
    assert "VISIT" in visits
    assert others == {"PRESCRIPTION", "TEST_REPORT"}
    assert appointments == set()
    assert everything >= visits | others


def test_a_receipt_has_the_facilities_that_were_open(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str
) -> None:
    here = visitors.view(citizen, by=doctor, about={"sections": 1023, "facilities": ["01901"]})
    elsewhere = visitors.view(citizen, by=doctor, about={"scope": {"sections": 1023, "facilities": ["79001"]}})

    mine, theirs = receipts(http, token, f"{citizen}.{here}", f"{citizen}.{elsewhere}")
    assert mine["records"]
    assert theirs["records"] == []


def test_a_receipt_has_the_versions_of_that_time(
    http: httpx.Client, visitors: Visitors, stand: Stand, citizen: UUID, token: str, doctor: str, hospital: str
) -> None:
    before = visitors.view(citizen, by=doctor, about={"sections": PRESCRIPTIONS})
    changed = messages.changed("XML2", LIEU_DUNG="Uống 3 lần một ngày")
    assert stand.file(changed, token=hospital) == "filed"
    after = visitors.view(citizen, by=doctor, about={"sections": PRESCRIPTIONS})

    then, now_ = receipts(http, token, f"{citizen}.{before}", f"{citizen}.{after}")
    versions = [{record["recordId"]: record["version"] for record in receipt["records"]} for receipt in (then, now_)]
    assert versions[0]
    assert versions[0] != versions[1]
    assert all(version == 1 for version in versions[0].values())


@pytest.mark.parametrize("line", ["{other}.1", "{mine}.999", "{mine}.x", "", "{mine}.{change}"])
def test_what_is_no_view_of_this_book_is_left_out(
    http: httpx.Client, visitors: Visitors, citizen: UUID, token: str, doctor: str, line: str
) -> None:
    other = visitors.citizen()
    visitors.view(other, by=doctor)
    change = visitors.write(citizen, "GRANT_GIVEN", by=doctor)

    assert receipts(http, token, line.format(other=other, mine=citizen, change=change)) == []
