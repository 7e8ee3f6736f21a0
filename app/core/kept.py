"""What a process keeps of what everybody may know."""

from datetime import datetime, timedelta


class Kept:
    """Texts by language and key, for at most `age`: dropped then, when the edition turns, and when there are many."""

    def __init__(self, *, age: timedelta, most: int) -> None:
        self._age, self._most = age, most
        self._texts: dict[str, dict[bytes, bytes]] = {}
        self._began: datetime | None = None
        self._edition = ""

    def texts(self, language: str, *, now: datetime, edition: str = "") -> dict[bytes, bytes]:
        """Return what is kept in one language, of this edition where one is known; what is put there is kept."""
        is_young = self._began is not None and timedelta() <= now - self._began < self._age
        if not is_young or edition not in ("", self._edition) or self._is_full():
            self._texts, self._began, self._edition = {}, now, edition
        return self._texts.setdefault(language, {})

    def _is_full(self) -> bool:
        return sum(map(len, self._texts.values())) > self._most
