"""What people write of themselves, as another person reads it: nothing in it works on the screen or hides there."""

import re
import unicodedata
from typing import Final

from app.core.errors import Invalid, Text

_ENDS_OF_LINES: Final = re.compile("\r\n?|[\n\v\f\x1c-\x1e\x85\u2028\u2029]")
_JOINERS: Final = frozenset("\u200c\u200d")
"""They hold the parts of an emoji, or of a letter of other scripts, together."""
_BLANKS: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs by their category that show nothing. Source: Unicode 17, Default_Ignorable_Code_Point; Braille."""
_WORKS_OR_HIDES: Final = frozenset({"Cc", "Cf", "Co", "Cs"})
_SHOWS_BY_ANOTHER: Final = frozenset({"Cc", "Cf", "Me", "Mn", "Zs"})
_MOST_EMPTY_LINES: Final = re.compile("\n{3,}")
_PLANE_ENDS, _PLANE_OF_TAGS = 0xFFFE, "\U000e0000"


def read_words(said: str, *, name: str, longest: int) -> str:
    """Return what a person wrote into a field of an input, as `words` has it.

    :raises Invalid: when nothing of it shows, or it is too long
    """
    text = words(said)
    if not 0 < len(text) <= longest:
        raise Invalid(
            Text(
                f"`{name}` phải có từ 1 đến {longest} ký tự nhìn thấy được.",
                f"`{name}` must have 1 to {longest} visible characters.",
            )
        )
    return text


def words(said: str) -> str:
    """Return a text of several lines: composed, its lines ended by a line feed, one space between words.

    Characters that turn the direction of writing around, command a terminal or show nothing are left out; a sign that
    is newer than this Python's Unicode stays. Nothing is left of a text that shows nothing.
    """
    lines = _ENDS_OF_LINES.sub("\n", said).split("\n")
    text = _MOST_EMPTY_LINES.sub("\n\n", "\n".join(" ".join(_seen(line).split()) for line in lines)).strip()
    return text if any(unicodedata.category(one) not in _SHOWS_BY_ANOTHER for one in text) else ""


def _seen(line: str) -> str:
    seen = (one for one in line if one.isspace() or one in _JOINERS or _shows(one))
    return unicodedata.normalize("NFC", "".join(seen))


def _shows(one: str) -> bool:
    category = unicodedata.category(one)
    if category == "Cn":  # not assigned yet, or a code point that no text has
        return one < _PLANE_OF_TAGS and ord(one) & _PLANE_ENDS != _PLANE_ENDS and not "\ufdd0" <= one <= "\ufdef"
    return category not in _WORKS_OR_HIDES and one not in _BLANKS
