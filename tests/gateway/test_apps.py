"""Old apps are told to update, in words that a person understands."""

import httpx
import pytest

from app.core.errors import Invalid, UpgradeRequired
from app.gateway.apps import check_app
from tests.conftest import RunningServer
from tests.people import Stand


@pytest.mark.parametrize(
    ("header", "is_served"),
    [
        (None, True),
        ("android/1.4.0", True),
        ("ios/1.10.0", True),
        ("ios/2.0.0", True),
        ("android/1.4", True),
        ("ios/2", True),
        ("ios/1.4.0.1", True),
        ("android/1.4.0-beta.2+45", True),
        ("android/1.4.0+2026112201", True),
        ("android/1.3.9", False),
        ("ios/0.99.99", False),
        ("ios/1", False),
        ("android/1.3.9-rc1", False),
    ],
)
def test_an_older_app_must_be_updated(header: str | None, *, is_served: bool) -> None:
    try:
        check_app(header, oldest="1.4.0")
    except UpgradeRequired:
        assert not is_served
    else:
        assert is_served


@pytest.mark.parametrize(
    "header",
    [
        "",
        "android",
        "android/",
        "android/x",
        "android/1.",
        "android/1.4.0 x",
        "1.4.0",
        "ios/9999999999.0.0",
        "ios/1.0.0.0.0",
        "ios/1-",
        "ios/1.²",
    ],
)
def test_a_malformed_header_is_told(header: str) -> None:
    with pytest.raises(Invalid):
        check_app(header, oldest="1.4.0")


def test_the_endpoint_asks_for_an_update(stand: Stand) -> None:
    running = RunningServer(stand.settings.model_copy(update={"oldest_app_version": "2.0.0"}))
    running.start()
    try:
        answer = httpx.post(
            f"{running.url}/graphql", json={"query": "{ me { id } }"}, headers={"Sokhoe-App": "android/1.9.9"}
        )
    finally:
        running.stop()

    assert answer.status_code == 426
    assert answer.json()["errors"][0]["extensions"] == {"code": "UPGRADE_REQUIRED"}
    assert answer.json()["errors"][0]["message"] == "Vui lòng cập nhật ứng dụng."
