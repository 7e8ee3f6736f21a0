"""What PostgreSQL refuses with CONFLICT, or for one's role, is told with the way out, in both languages."""

import re
from pathlib import Path

import pytest

from app.core.errors import Conflict, Text
from app.core.refusals import WORDS

APP = Path(__file__).parents[2] / "app"
RAISED = re.compile(r"RAISE EXCEPTION '((?:[^']|'')+)' USING ERRCODE = 'SK(?:405|409)'")
VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữự]", re.IGNORECASE)


def raised() -> set[str]:
    files = sorted(APP.glob("*/sql/*.sql"))
    return {m.replace("''", "'") for path in files for m in RAISED.findall(path.read_text(encoding="utf-8"))}


def test_every_such_refusal_has_words_and_no_words_are_left_over() -> None:
    assert len(raised()) > 15
    assert raised() == set(WORDS)


@pytest.mark.parametrize("text", [*WORDS.values(), Conflict.default_text], ids=lambda text: text.en[:40])
def test_each_is_said_in_both_languages(text: Text) -> None:
    assert VIETNAMESE.search(text.vi)
    assert not VIETNAMESE.search(text.en)
