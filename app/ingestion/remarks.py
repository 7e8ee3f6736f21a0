"""Collect the remarks of one reading; the same warning on many lines is told once."""

import re
from dataclasses import dataclass

from app.core.errors import Text
from app.ingestion.catalogue import ProblemCode, describe
from app.ingestion.verdict import Effect, Problem

MAX_LISTED = 500
"""How many problems of one effect a visit's list holds; the rest is only counted."""

_SINGLE_LINE = frozenset({"XML1"})
_FIELD_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,39}")


@dataclass(slots=True, kw_only=True)
class _Remark:
    code: ProblemCode
    effect: Effect
    table: str | None
    line: int | None
    field: str | None
    detail: Text | None
    limit: int | None
    more_lines: int = 0
    last_line: int | None = None

    def order(self) -> tuple[int, str, int]:
        """Sort the envelope first, then XML1 … XML15, then by line."""
        table = self.table or ""
        return len(table), table, self.line or 0

    def repeat(self, *, line: int | None) -> None:
        """Count another line with the same remark."""
        if line not in (None, self.line, self.last_line):
            self.more_lines += 1
            self.last_line = line

    def place(self, *, position: int | None) -> Text:
        """Name visit (where it has no id), table, line and field, in the words of an engineer."""
        vi = [f"hồ sơ thứ {position}"] if position else []
        en = [f"visit no. {position}"] if position else []
        if self.table:
            vi.append(self.table)
            en.append(self.table)
        if self.line and self.table not in _SINGLE_LINE:
            vi.append(f"dòng {self.line}")
            en.append(f"line {self.line}")
        if self.field:
            vi.append(self.field)
            en.append(self.field)
        return Text(", ".join(vi), ", ".join(en))

    def words(self, *, position: int | None) -> Text:
        """Return the whole sentence: place, reason, and how often."""
        place = self.place(position=position)
        reason = describe(self.code, detail=self.detail, limit=self.limit)
        vi, en = (
            f"{where}: {why}" if where else why[:1].upper() + why[1:]
            for where, why in ((place.vi, reason.vi), (place.en, reason.en))
        )
        if not self.more_lines:
            return Text(vi, en)
        return Text(f"{vi} (Và {self.more_lines} dòng khác.)", f"{en} (And on {self.more_lines} more.)")


class Remarks:
    """The remarks about one visit, or (without a position) about the envelope."""

    def __init__(self, *, position: int | None = None, most_listed: int = MAX_LISTED) -> None:
        self._most_listed = most_listed
        self.visit: str | None = None
        self._position = position
        self.rejects = False
        self._remarks: list[_Remark] = []
        self._merged: dict[tuple[ProblemCode, str | None, str | None], _Remark] = {}
        self._listed = dict.fromkeys(Effect, 0)

    def add(
        self,
        code: ProblemCode,
        effect: Effect,
        *,
        table: str | None = None,
        line: int | None = None,
        field: str | None = None,
        detail: Text | None = None,
        limit: int | None = None,
    ) -> None:
        """Note a problem; warnings and notes of one table and field are merged under the first line."""
        if field is not None and not _FIELD_NAME.fullmatch(field):
            field = None
        if effect is Effect.REJECTS:
            self.rejects = True
        mergeable = effect in (Effect.WARNS, Effect.NOTES)
        key = (code, table, field)
        if mergeable and (earlier := self._merged.get(key)):
            earlier.repeat(line=line)
            return
        self._listed[effect] += 1
        if self._listed[effect] > self._most_listed:
            return
        remark = _Remark(code=code, effect=effect, table=table, line=line, field=field, detail=detail, limit=limit)
        self._remarks.append(remark)
        if mergeable:
            self._merged[key] = remark

    def problems(self) -> tuple[Problem, ...]:
        """Return what was noted, by table and line; what exceeds the list is counted at the end."""
        remarks = sorted(self._remarks, key=_Remark.order)
        for effect, listed in self._listed.items():
            if listed > self._most_listed:
                remarks.append(_more(effect=effect, count=listed - self._most_listed))
        return tuple(self._problem(remark) for remark in remarks)

    def _problem(self, remark: _Remark) -> Problem:
        nameless = self._position if self.visit is None else None
        words = remark.words(position=nameless)
        return Problem(
            code=remark.code,
            effect=remark.effect,
            vi=words.vi,
            en=words.en,
            visit=self.visit,
            table=remark.table,
            line=remark.line if remark.table else nameless,
            field=remark.field,
        )


def _more(*, effect: Effect, count: int) -> _Remark:
    return _Remark(
        code=ProblemCode.MORE_PROBLEMS,
        effect=effect,
        table=None,
        line=None,
        field=None,
        detail=None,
        limit=count,
    )
