"""What PostgreSQL refuses as CONFLICT, INVALID or for one's role is told with place or way out, in both languages."""

import re
from pathlib import Path

import pytest

from app.core.errors import Conflict, Text
from app.core.refusals import WORDS

APP = Path(__file__).parents[2] / "app"
RAISED = re.compile(r"RAISE EXCEPTION '((?:[^']|'')+)' USING ERRCODE = '(SK\d+)'")
VIETNAMESE = re.compile(r"[ăâđêôơưàáảãạèéẻẽẹìíỉĩịòóỏõọùúủũụỳýỷỹỵắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữự]", re.IGNORECASE)


def raised(*codes: str) -> set[str]:
    """Return the messages that are raised with these codes, or with any."""
    texts = (path.read_text(encoding="utf-8") for path in sorted(APP.glob("*/sql/*.sql")))
    found = (refusal for text in texts for refusal in RAISED.findall(text))
    return {message.replace("''", "'") for message, code in found if not codes or code in codes}


def test_every_such_refusal_has_words_and_no_words_are_left_over() -> None:
    assert len(raised("SK405", "SK409", "SK422")) > 25
    assert raised("SK405", "SK409", "SK422") <= set(WORDS)
    assert set(WORDS) <= raised()


@pytest.mark.parametrize("text", [*WORDS.values(), Conflict.default_text], ids=lambda text: text.en[:40])
def test_each_is_said_in_both_languages(text: Text) -> None:
    assert VIETNAMESE.search(text.vi)
    assert not VIETNAMESE.search(text.en)
