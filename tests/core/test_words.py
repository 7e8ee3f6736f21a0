"""B198, B208: what people write is kept as another person reads it."""

import unicodedata

import pytest

from app.core.errors import Invalid
from app.core.words import read_words, words


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("Sai thuốc.\r\nLiều cũng sai.", "Sai thuốc.\nLiều cũng sai."),
        ("Một\rHai\u2028Ba\u2029Bốn\x0bNăm\x85Sáu", "Một\nHai\nBa\nBốn\nNăm\nSáu"),
        ("Một\n\n\n\n\nHai \n", "Một\n\nHai"),
        ("  Sai\tliều\u00a0 thuốc ", "Sai liều thuốc"),
        (unicodedata.normalize("NFD", "Đau đầu"), "Đau đầu"),
        ("e\u200b\u0301", "é"),
        ("\ufeffSai\u200b th\u00aduốc\u2060", "Sai thuốc"),
        ("\u202eSai\u202c \u2066thuốc\u2069\u061c", "Sai thuốc"),
        ("Sai\x1b[31m thuốc\x07", "Sai[31m thuốc"),
        ("Nhà tôi 👨\u200d👩\u200d👧 🇻🇳 ☀\ufe0f", "Nhà tôi 👨\u200d👩\u200d👧 🇻🇳 ☀\ufe0f"),
        ("Run \U0001fae8", "Run \U0001fae8"),  # newer than Unicode 14
        ("a\ufdd0b\uffffc\U0010ffff\ue000", "abc"),
        ('=HYPERLINK("x") <b>', '=HYPERLINK("x") <b>'),
    ],
)
def test_what_is_written_is_kept_as_it_is_read(said: str, kept: str) -> None:
    assert words(said) == kept
    assert words(kept) == kept


@pytest.mark.parametrize(
    "said",
    ["", " \r\n\t", "\u3164\u3164", "\u2800", "\u200b\u200d\u202e", "\u0301\ufe0f", "\U000e0041\U000e0080", "\x07"],
)
def test_what_shows_nothing_is_nothing(said: str) -> None:
    assert words(said) == ""
    with pytest.raises(Invalid):
        read_words(said, name="note", longest=5)


def test_what_is_too_long_is_invalid() -> None:
    assert read_words("\u200b" * 10 + "ngắn", name="note", longest=4) == "ngắn"
    with pytest.raises(Invalid):
        read_words("dài quá", name="note", longest=4)
