"""The directory is found by name without diacritics, or by code."""

import httpx
import pytest

from tests.ingestion import messages
from tests.people import Stand

QUERY = """query F($search: String, $first: Int, $after: String) {
  facilities(search: $search, first: $first, after: $after) { pageInfo { endCursor } nodes { code name level } } }"""


@pytest.fixture(scope="module")
def token(stand: Stand) -> str:
    for code, name in (
        ("79001", "Trạm y tế Bến Nghé"),
        ("48195", "Bệnh viện Đà Nẵng"),
        ("01901", "Bệnh viện Bạch Mai"),
    ):
        facility = stand.facility(code, name=name)
    assert stand.file(messages.message(), token=facility) == "filed"
    return stand.citizen_token(stand.citizen_by(messages.VISIT["SO_CCCD"] or ""))


def found(http: httpx.Client, token: str, **variables: object) -> list[str]:
    answer = http.post(
        "/graphql", json={"query": QUERY, "variables": variables}, headers={"Authorization": f"Bearer {token}"}
    )
    return [one["code"] for one in answer.json()["data"]["facilities"]["nodes"]]


@pytest.mark.parametrize(
    ("search", "codes"),
    [
        ("da nang", ["48195"]),
        ("ĐÀ NẴNG", ["48195"]),
        ("Đà Nẵng", ["48195"]),
        ("benh vien", ["01901", "48195"]),
        ("79001", ["79001"]),
        (" 79001\u200b", ["79001"]),
        ("\ufeffda\u200b  nang\u00a0", ["48195"]),
        ("BEN NGHE", ["79001"]),
        ("%", []),
        ("_", []),
        ("", ["01901", "48195", "79001"]),
        ("không có", []),
    ],
)
def test_b143_a_facility_is_found_as_people_type_it(
    http: httpx.Client, token: str, search: str, codes: list[str]
) -> None:
    assert found(http, token, search=search) == codes


def test_pages_and_suspended_ones(http: httpx.Client, stand: Stand, token: str) -> None:
    assert found(http, token, first=2) == ["01901", "48195"]
    stand.as_owner("UPDATE directory.facility SET suspended_at = now() WHERE code = '48195'")
    assert found(http, token) == ["01901", "79001"]
