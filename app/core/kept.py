"""What a process keeps of what everybody may know."""

from datetime import datetime, timedelta


class Kept:
    """Texts by language and key, for at most `age`: all are dropped at once, then, and when there are too many."""

    def __init__(self, *, age: timedelta, most: int) -> None:
        self._age, self._most = age, most
        self._texts: dict[str, dict[bytes, bytes]] = {}
        self._began: datetime | None = None

    def texts(self, language: str, *, now: datetime) -> dict[bytes, bytes]:
        """Return what is kept in one language; what is put there is kept."""
        if self._began is None or not timedelta() <= now - self._began < self._age or self._is_full():
            self._texts, self._began = {}, now
        return self._texts.setdefault(language, {})

    def _is_full(self) -> bool:
        return sum(map(len, self._texts.values())) > self._most
