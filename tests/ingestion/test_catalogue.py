"""The words of every remark: both languages, complete, and never a value."""

from string import Formatter
from unicodedata import is_normalized

import pytest

from app.core.errors import Text
from app.ingestion.catalogue import TEXTS, ProblemCode, describe


@pytest.mark.parametrize("code", ProblemCode)
def test_every_code_has_words_in_both_languages(code: ProblemCode) -> None:
    text = TEXTS[code]

    assert text.vi != text.en
    for sentence in (text.vi, text.en):
        assert sentence.endswith(".")
        assert is_normalized("NFC", sentence)
        assert {name for _, name, _, _ in Formatter().parse(sentence) if name} <= {"detail", "limit"}


@pytest.mark.parametrize("code", ProblemCode)
def test_both_languages_name_the_same_things(code: ProblemCode) -> None:
    text = TEXTS[code]
    placeholders = [{name for _, name, _, _ in Formatter().parse(sentence) if name} for sentence in (text.vi, text.en)]

    assert placeholders[0] == placeholders[1]


def test_a_text_is_filled_in() -> None:
    words = describe(ProblemCode.CODE_MALFORMED, detail=Text("hai chữ số", "two digits"))

    assert words == Text("sai định dạng: phải là hai chữ số.", "malformed: must be two digits.")
    assert "12 characters" in describe(ProblemCode.FIELD_TOO_LONG, limit=12).en
