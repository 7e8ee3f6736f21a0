"""What is logged about what goes wrong again and again."""

import json

import pytest

from app.core.defects import report_rarely


def test_an_outage_is_told_once_a_minute_for_each_kind_and_part(capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(100):
        for error in (ConnectionRefusedError(), TimeoutError()):
            report_rarely(error, request_id="a part of this test")
    report_rarely(TimeoutError(), request_id="another part of it")

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [(one["kind"], one["request_id"]) for one in told] == [
        ("ConnectionRefusedError", "a part of this test"),
        ("TimeoutError", "a part of this test"),
        ("TimeoutError", "another part of it"),
    ]
