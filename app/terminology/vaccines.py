"""What a vaccine protects against, from the codes that a facility sent. Data: `vaccine-antigens.csv`.

A code that is not listed tells nothing. Of names in words only the brands that are listed tell something.
"""

import csv
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib import resources

_NAME = "name"


def antigens_of(codings: Iterable[tuple[str | None, str]], *, name: str) -> tuple[str, ...]:
    """Return the antigens (codes of the list `antigen`), sorted; none where no code and no name is known.

    `codings` are systems and codes of the vaccine and of its target diseases, as sent.
    """
    listed = _listed()
    found: set[str] = set()
    for system, code in codings:
        found.update(listed.get((system or "", _folded(code)), ()))
    if not found:
        found.update(listed.get((_NAME, _folded(name)), ()))
    return tuple(sorted(found))


@cache
def _listed() -> dict[tuple[str, str], tuple[str, ...]]:
    source = resources.files(__package__) / "vaccine-antigens.csv"
    rows = csv.DictReader(source.read_text(encoding="utf-8").splitlines())
    return {(row["system"], _folded(row["code"])): tuple(row["antigens"].split(";")) for row in rows}


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip()
