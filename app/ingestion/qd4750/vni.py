"""Names that were typed in a VNI font: taken for Unicode, its marks are letters of Latin-1 that stand after the vowel.

`Nguyeãn Vaên A` is `Nguyễn Văn A`. Many peoples write such letters, so one sign proves nothing: a word counts when it
is no Vietnamese syllable as it stands and is one once it is read as VNI. Pure. Source: the code table of VNI-Windows.
"""

import re
from functools import lru_cache
from typing import Final
from unicodedata import normalize

_MARKED: Final = {"a": "aâă", "e": "eê", "o": "oô", "u": "u", "y": "y", "ô": "ơ", "ö": "ư"}
"""What a vowel and a mark stand for: the vowel itself, with its roof, with its bowl; `ô` is ơ, and `ö` is ư."""
_TONES: Final = dict(zip("ùøûõï", "\u0301\u0300\u0309\u0303\u0323", strict=True))
_ROOFS: Final = dict(zip("âáàåãä", ("", *_TONES.values()), strict=True))
_BOWLS: Final = dict(zip("êéèúüë", ("", *_TONES.values()), strict=True))
_ALONE: Final = {"ñ": "đ", "ô": "ơ", "ö": "ư", "î": "ỵ", "æ": "ỉ", "ó": "ĩ", "ò": "ị"}

_ONSET: Final = "(?:b|ch?|d|đ|gh?|gi|h|kh?|l|m|ngh?|nh?|ph?|qu(?!o)|q(?=u)|r|s|th?|tr|v|x)?"
_RIMES: Final = (
    "a(?:[ciopmntuy]|ch|ng|nh)? ă(?:[cmnpt]|ng) â(?:[cmnptuy]|ng) e(?:[cmnopt]|ng)? ê(?:[mnptu]|ch|nh)? "
    "i(?:[amnptu]|ch|nh)? iê(?:[cmnptu]|ng) o(?:[cimnpt]|ng)? oa(?:[cimnopty]|ch|ng|nh)? oă(?:[cmnt]|ng) "
    "oe(?:[mnot])? oo(?:c|ng) ô(?:[cimnpt]|ng)? ơ(?:[imnpt])? u(?:[acimnpt]|ng)? uâ(?:[nty]|ng) uê(?:ch|nh)? "
    "uô(?:[cimnt]|ng) uơ uy(?:[atu]|ch|nh)? uyê[nt] ư(?:[acimntu]|ng)? ươ(?:[cimnpt]|ng) y(?:nh)? yê(?:[mntu]|ng) "
)
_SYLLABLE: Final = re.compile(f"{_ONSET}(?:{'|'.join(_RIMES.split())})")
_TONE: Final = re.compile("(?<=[aeiouy\u0302\u0306\u031b])[\u0301\u0300\u0309\u0303\u0323]")
_WORD: Final = re.compile(r"[^\W\d_]+")
_CERTAIN: Final = re.compile("[aeouyôö][ùøûõ]|[aeo][åä]|[ôö]ï|eâ|a[áà]")
"""What stands so in no name of any people, when the word is a Vietnamese syllable once it is read."""
_SURNAMES: Final = (
    "bùi bồ cấn châu chế chử cù diệp doãn dư dương đàm đặng đào đậu đinh đỗ đoàn đồng đường giáp hà hồ hoàng hứa "
    "huỳnh khổng khuất kiều la lã lại lâm lê lò lộc lục lương lưu lý mạc mã mẫn mầu ngạc nghiêm ngô ngụy nguyễn "
    "nhữ nông ông phạm phó phù phùng phương quách quản sầm tạ tăng tiêu tô tôn tống trần triệu trịnh trương từ "
    "ứng văn vi viên võ vũ vương "
)
_OF_SURNAMES: Final = frozenset(_SURNAMES.split())
_LEAST_WORDS: Final = 2


@lru_cache(maxsize=8192)
def is_vni(name: str) -> bool:
    """Tell a name in letters of a VNI font: by one certain word, by its surname, or by two words where all fit."""
    if name.isascii():
        return False
    words = [word.lower() for word in _WORD.findall(normalize("NFC", name))]
    read = [read_as_vni(word) for word in words]
    telling = [
        word
        for word, was in zip(words, read, strict=True)
        if _is_syllable(was) and (word == "thò" or not _is_syllable(word))
    ]
    if not telling or telling == ["thò"]:
        return False
    if any(map(_CERTAIN.search, telling)) or (telling[0] == words[0] and read[0] in _OF_SURNAMES):
        return True
    return len(telling) >= _LEAST_WORDS and all(map(_is_syllable, read))


def read_as_vni(word: str) -> str:
    """Return what a word in small letters says in a VNI font."""
    out = ""
    place = 0
    while place < len(word):
        char, mark = word[place], word[place + 1 : place + 2]
        if (forms := _MARKED.get(char)) and mark and (pair := _pair(forms, mark)):
            out += pair
            place += 2
        else:
            out += _ALONE.get(char, char)
            place += 1
    return out


def _pair(forms: str, mark: str) -> str | None:
    for form, marks in zip(forms, (_TONES, _ROOFS, _BOWLS), strict=False):
        if mark in marks:
            return normalize("NFC", form + marks[mark])
    return None


def _is_syllable(word: str) -> bool:
    bare, tones = _TONE.subn("", normalize("NFD", word))
    return tones <= 1 and _SYLLABLE.fullmatch(normalize("NFC", bare)) is not None
