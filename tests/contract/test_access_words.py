"""Every action that the product writes has words, in both languages."""

import re
import unicodedata
from pathlib import Path

import pytest

from app.audit import words
from app.core.errors import Text

APP = Path(words.__file__).parents[1]
WRITTEN = re.compile(r"audit\.write_line\(((?:[^;]|\n)*?);")
ACTION = re.compile(r"'([A-Z]{3,}(?:_[A-Z]+)+)'")
NAMES_OF_OTHER_THINGS = {"NOT_JUSTIFIED", "BIRTH_CERTIFICATE"}


def written() -> set[str]:
    """Return the actions that stand in our SQL."""
    found = set()
    for path in APP.glob("*/sql/*.sql"):
        for call in WRITTEN.findall(path.read_text(encoding="utf-8")):
            found |= set(ACTION.findall(call.partition("jsonb_build_object")[0]))
    return found - NAMES_OF_OTHER_THINGS


def test_every_action_that_is_written_has_words() -> None:
    assert len(written()) > 5
    assert written() - set(words.ACTIONS) == set()


ALL = [
    *words.ACTIONS.values(),
    *words.WHO.values(),
    *words.PURPOSES.values(),
    words.GIVEN,
    words.IN_PREVIEW,
    words.IN_EMERGENCY,
]


@pytest.mark.parametrize("text", ALL, ids=lambda text: text.en)
def test_words_are_there_in_both_languages(text: Text) -> None:
    assert text.vi
    assert text.en
    assert unicodedata.is_normalized("NFC", text.vi)
    known = {"{name}", "{purpose}", "{facility}"}
    assert set(re.findall(r"\{\w+\}", text.vi)) == set(re.findall(r"\{\w+\}", text.en)) <= known


def test_every_kind_of_actor_has_words() -> None:
    assert set(words.WHO) == set(words.ActorKind)
