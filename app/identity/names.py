"""How names are compared: hospitals, old systems and the identity provider write one name in several ways."""

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans(
    dict.fromkeys("\u2018\u2019\u02bc\u02b9\u2032\u00b4`", "'")  # in names such as H'Hen
    | dict.fromkeys("Đ\u00d0\u0189", "D")  # Eth and the African D look like it: old fonts were converted to them
    | dict.fromkeys("đ\u00f0\u0256", "d")
)


@lru_cache(maxsize=64)  # a message asks several times for the one name that it is about
def name_key(full_name: str) -> str:
    """Return a name as it is compared: upper case, without diacritics, one space between words.

    Hospitals type `Hòa` and `Hoà`, old systems drop diacritics, keyboards have several apostrophes and leave
    characters that nobody sees.
    """
    plain = unicodedata.normalize("NFKD", full_name.translate(_LETTERS))
    letters = "".join(c for c in plain if not unicodedata.combining(c) and unicodedata.category(c) != "Cf")
    return " ".join(letters.upper().split())
