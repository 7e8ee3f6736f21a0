"""Where the results rest that reports refer to and do not hold.

Source: infra/decisions/0041-a-report-takes-in-what-it-refers-to.md
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from app.core.crypto import Vault
from app.ingestion.fhir import EntryReading, Referred
from app.ingestion.fhir.results import is_key_of_report
from app.ingestion.parts import lasting
from app.ingestion.resources import Line, line_lookup
from app.records.joins import Rests, TakenIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a resource of a visit became before."""

    key: str
    parts: int  # of how many the record was made; 0: a report waits for it
    lines: Sequence[bytes] | None  # of a result, as line_lookup returns them; of those filed before 0041 not known

    @property
    def what(self) -> tuple[str, tuple[bytes, ...] | None]:
        """What the names of one resource have in common."""
        return self.key, None if self.lines is None else tuple(self.lines)


@dataclass(slots=True, kw_only=True)
class Referring:
    """What the reports of a message refer to, so far."""

    vault: Vault
    told: Callable[[Sequence[str]], Told | None]  # what a result of this visit became, by its names
    is_elsewhere: Callable[[Sequence[str]], bool]  # tells a result that rests in another visit or book
    rests: Mapping[str, Sequence[Line]]  # lines of the records that rest
    referred: dict[str, list[Rests]] = field(default_factory=dict)
    taken_in: list[TakenIn] = field(default_factory=list)
    lookups: Mapping[tuple[str, tuple[bytes, ...] | None], Sequence[bytes]]  # every name of a result, by Told.what
    found: dict[tuple[int, Referred], Sequence[bytes]] = field(default_factory=dict)
    awaited: set[tuple[int, Referred]] = field(default_factory=set)
    _used: set[tuple[str, int]] = field(default_factory=set)

    def take_in(self, entry: EntryReading, *, report: str) -> None:
        """Find what one report refers to, which stands under that key."""
        for one in entry.referred:
            names = lasting(one.names)
            told = self.told(names)
            at = self._lines_of(told, report=report) if told else []
            if told and at:
                self.found[entry.index, one] = self.lookups[told.what]
                self.referred.setdefault(report, []).append(Rests(key=told.key, after=one.after, lines=at))
                if told.key != report:
                    its = [self.rests[told.key][place] for place in at]
                    self.taken_in.append(TakenIn(report=report, apart=told.key, lines=its, is_referred=True))
            elif self._may_come(names, told, report=report):
                self.awaited.add((entry.index, one))

    def _lines_of(self, told: Told, *, report: str) -> list[int]:
        """Return the places of a result's lines in the record where it rests, each given once."""
        lines = self.rests.get(told.key, ())
        if told.key != report and is_key_of_report(told.key):
            return []
        free = [place for place in range(len(lines)) if (told.key, place) not in self._used]
        if told.lines is None:
            at = free if told.parts == 1 and told.key != report else []
        elif told.key == report:
            at = self._one_each(told.lines, lines, free=free)
        else:  # book.take_in takes all that are called so
            at = [place for place in free if line_lookup(lines[place], vault=self.vault) in told.lines]
        self._used.update((told.key, place) for place in at)
        return at

    def _one_each(self, wanted: Sequence[bytes], lines: Sequence[Line], *, free: list[int]) -> list[int]:
        by_lookup: dict[bytes, list[int]] = {}
        for place in free:
            by_lookup.setdefault(line_lookup(lines[place], vault=self.vault), []).append(place)
        return sorted(places.pop(0) for one in wanted if (places := by_lookup.get(one)))

    def _may_come(self, names: Sequence[str], told: Told | None, *, report: str) -> bool:
        if not names or self.is_elsewhere(names):
            return False
        return told is None or told.key == report or told.key not in self.rests
