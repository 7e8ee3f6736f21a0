"""`sokhoe audit`: an empty log, and what citizens question."""

import json
from uuid import UUID

import pytest

from app.core.ids import new_id
from app.core.settings import Settings
from tests.audit.commanding import sokhoe
from tests.audit.visitors import Visitors
from tests.people import Stand, now


def test_an_empty_log_is_said_to_be_empty_with_exit_code_1(settings: Settings) -> None:
    code, told = sokhoe(settings, "audit", "verify")
    assert (code, "empty" in told) == (1, True)

    code, told = sokhoe(settings, "audit", "verify", "--json")
    assert (code, json.loads(told)["status"]) == (1, "empty")


@pytest.fixture
def case(stand: Stand) -> UUID:
    visitors = Visitors(stand)
    citizen, question = visitors.citizen(), new_id(now=now())
    visitors.write(citizen, "GRANT_GIVEN", by=None)
    stand.as_owner(
        "INSERT INTO audit.question VALUES (:id, :citizen, 1, 'NO_VISIT', NULL, :citizen, now(), auth.today(), 'OPEN')",
        id=question,
        citizen=citizen,
    )
    return question


def test_questions_are_listed_and_answered_once(settings: Settings, case: UUID) -> None:
    code, told = sokhoe(settings, "audit", "questions", "--json")
    assert (code, [one["id"] for one in json.loads(told)]) == (0, [str(case)])

    answer = ("audit", "answer", str(case), "--outcome", "NOT_JUSTIFIED", "--by", "Phòng bảo vệ dữ liệu")
    assert sokhoe(settings, *answer)[0] == 0
    assert sokhoe(settings, *answer)[0] == 1
    assert sokhoe(settings, "audit", "questions", "--json") == (0, "[]\n")
