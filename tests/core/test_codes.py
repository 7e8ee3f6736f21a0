"""Codes that people read and type: what is mistyped is found before anything is looked up."""

import ast
import unicodedata
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import codes
from app.core.codes import ALPHABET, LENGTH, MATERIAL_BYTES, BadCode, code_from, new_code, read_code, shown, spoken
from app.core.crypto import Derivation

MADE = st.binary(min_size=MATERIAL_BYTES, max_size=32).map(code_from)
MANY = 10_000
A_MILLION = 1_000_000
CHI_SQUARE_31 = 73.0  # the value that 31 degrees of freedom exceed once in 30,000 tries


def is_code(text: str) -> bool:
    try:
        read_code(text)
    except BadCode:
        return False
    return True


@given(code=MADE)
def test_b103_what_is_shown_is_read_in_any_case_with_any_spacing(code: str) -> None:
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)
    for typed in (code, shown(code), shown(code).lower(), f" {' '.join(code)} ", shown(code).replace("-", " - ")):
        assert read_code(typed) == code


@given(code=MADE)
def test_b103_o_is_zero_and_i_and_l_are_one(code: str) -> None:
    for one in "iIlL":
        assert read_code(code.replace("0", "O").replace("1", one)) == code
    assert read_code(code.replace("0", "o")) == code


@pytest.mark.parametrize(
    "other", ["Đ", "à", "Ａ", "７", "٣", "\u200b", "\u00a0", "\n", "\t", "U", "u", "_", ".", "\x00"]
)
@given(code=MADE, place=st.integers(min_value=0, max_value=LENGTH))
def test_b103_no_other_character_is_read(other: str, code: str, place: int) -> None:
    assert not is_code(code[:place] + other + code[place:])
    assert not is_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize("typed", ["", " ", "-", "0", "0" * 9, "0" * 11, "0" * 65, " " * 65 + "0" * 10])
def test_b103_no_other_length_is_read(typed: str) -> None:
    assert not is_code(typed)


def test_b104_every_wrong_symbol_and_every_swap_of_two_is_found() -> None:
    """Substitutions and swaps are linear: which codes are tried does not matter, but 10,000 are, as the case says."""
    for _ in range(MANY // 10):
        code = new_code()
        for place in range(LENGTH):
            for symbol in ALPHABET.replace(code[place], ""):
                assert not is_code(code[:place] + symbol + code[place + 1 :])
    for _ in range(MANY):
        code = new_code()
        for first, second in combinations(range(LENGTH), 2):
            swapped = list(code)
            swapped[first], swapped[second] = code[second], code[first]
            assert is_code("".join(swapped)) == (code[first] == code[second])


def test_b105_a_million_codes_differ_and_every_symbol_is_as_likely_in_every_place() -> None:
    key = Derivation({"k1": bytes(range(32))})
    made = [code_from(key.material("share-code", str(number), length=MATERIAL_BYTES)) for number in range(A_MILLION)]
    assert len(set(made)) == A_MILLION
    expected = A_MILLION / len(ALPHABET)
    for place in range(LENGTH):
        seen = Counter(code[place] for code in made)
        assert sum((seen[symbol] - expected) ** 2 / expected for symbol in ALPHABET) < CHI_SQUARE_31


@pytest.mark.parametrize("file", ["core/codes.py", "core/crypto.py", "core/ids.py"])
def test_b105_no_code_comes_from_a_generator_that_can_be_guessed(file: str) -> None:
    tree = ast.parse((Path(codes.__file__).parent.parent / file).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "random" not in imported
    assert "secrets" in imported or file == "core/ids.py"


def test_too_little_chance_makes_no_code() -> None:
    with pytest.raises(ValueError, match="45 bits"):
        code_from(bytes(MATERIAL_BYTES - 1))


def test_every_symbol_is_spoken_in_its_own_words() -> None:
    phrases = [spoken(symbol)[0] for symbol in ALPHABET]
    assert len(set(phrases)) == len(ALPHABET)
    assert all(phrase == unicodedata.normalize("NFC", phrase) for phrase in phrases)
    assert len(spoken(new_code())) == LENGTH
