"""Collect the remarks of one reading, by entry; the same warning on many entries is told once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeVar, cast

from app.core.errors import Text
from app.ingestion.fhir.words import FhirCode, describe
from app.ingestion.verdict import Effect, Problem

Asked = TypeVar("Asked")
Found = TypeVar("Found")

MAX_LISTED: Final = 500
"""How many problems of one effect a message's list holds; the rest is only counted."""
_INDEX: Final = re.compile(r"\[\d+\]")
_MERGED: Final = frozenset({Effect.WARNS, Effect.NOTES})


@dataclass(slots=True, kw_only=True)
class _Remark:
    code: FhirCode
    effect: Effect
    entry: int | None
    path: str | None
    detail: Text | None
    limit: int | None
    more: int = 0

    def problem(self) -> Problem:
        words = describe(self.code, detail=self.detail, limit=self.limit)
        vi, en = (f"{self.path}: {why}" if self.path else why[:1].upper() + why[1:] for why in (words.vi, words.en))
        found = Problem(code=self.code, effect=self.effect, vi=vi, en=en, entry=self.entry, path=self.path)
        return and_more(found, self.more) if self.more else found


def and_more(told: Problem, more: int) -> Problem:
    """Return a remark that stands for several places."""
    vi, en = f"{told.vi} (Và {more} chỗ khác.)", f"{told.en} (And in {more} more places.)"
    return replace(told, vi=vi, en=en)


class Remarks:
    """The remarks about one message, in the order in which they were made."""

    def __init__(self) -> None:
        self._remarks: list[_Remark] = []
        self._merged: dict[tuple[FhirCode, str], _Remark] = {}
        self._listed = dict.fromkeys(Effect, 0)
        self._places: set[tuple[FhirCode, int | None, str | None]] = set()
        self.rejected: set[int | None] = set()
        self.quarantined: set[int | None] = set()
        self._made = 0
        self._found: dict[tuple[int, str], object] = {}

    def once(self, about: object, find: Callable[[Asked], Found], asked: Asked) -> Found:
        """Return what `find` finds, found once where nothing is remarked at it: a remark is made as often as before.

        `about` is a part of the document that is being read, and stays where it is meanwhile.
        """
        place = (id(about), find.__name__)
        if place in self._found:
            return cast("Found", self._found[place])
        made = self._made
        found = find(asked)
        if self._made == made:
            self._found[place] = found
        return found

    def add(
        self,
        code: FhirCode,
        effect: Effect,
        *,
        entry: int | None,
        path: str | None = None,
        detail: Text | None = None,
        limit: int | None = None,
    ) -> None:
        """Note a problem of one entry (its place in the Bundle, from 0), or of the Bundle itself."""
        self._made += 1
        if effect is Effect.REJECTS:
            self.rejected.add(entry)
        elif effect is Effect.QUARANTINES:
            self.quarantined.add(entry)
        place = (code, entry, path)
        if path is not None and effect not in _MERGED:  # what is read twice is wrong once
            if place in self._places:
                return
            self._places.add(place)
        key = (code, _INDEX.sub("", path or ""))
        if effect in _MERGED and (earlier := self._merged.get(key)):
            earlier.more += 1
            return
        self._listed[effect] += 1
        if self._listed[effect] > MAX_LISTED:
            return
        remark = _Remark(code=code, effect=effect, entry=entry, path=path, detail=detail, limit=limit)
        self._remarks.append(remark)
        if effect in _MERGED:
            self._merged[key] = remark

    def problems(self) -> tuple[Problem, ...]:
        """Return what was noted; what exceeds the list is counted at the end."""
        told = [remark.problem() for remark in self._remarks]
        for effect, listed in self._listed.items():
            if listed > MAX_LISTED:
                more = describe(FhirCode.MORE_PROBLEMS, limit=listed - MAX_LISTED)
                told.append(Problem(code=FhirCode.MORE_PROBLEMS, effect=effect, vi=more.vi, en=more.en))
        return tuple(told)
