"""How names are compared: hospitals, old systems and the identity provider write one name in several ways."""

import unicodedata


def name_key(full_name: str) -> str:
    """Return a name as it is compared: upper case, without diacritics, one space between words.

    Hospitals type `Hòa` and `Hoà`, and old systems drop diacritics.
    """
    bare = unicodedata.normalize("NFD", full_name.replace("đ", "d").replace("Đ", "D"))
    letters = "".join(c for c in bare if not unicodedata.combining(c))
    return " ".join(letters.upper().split())
