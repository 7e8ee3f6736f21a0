"""Quiet hours: when a push may be sent. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from app.core.clock import VIETNAM_TIME


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From when to when, in Viet Nam's time; they may run over midnight. Equal ends: none."""

    start: time = time(22)
    end: time = time(6)

    def next_moment(self, at: datetime) -> datetime:
        """Return `at`, or the end of the quiet hours that it lies in."""
        local = at.astimezone(VIETNAM_TIME)
        if not self._holds(local.timetz().replace(tzinfo=None)):
            return at
        end = datetime.combine(local.date(), self.end, tzinfo=VIETNAM_TIME)
        return (end if end > local else end + timedelta(days=1)).astimezone(UTC)

    def _holds(self, moment: time) -> bool:
        if self.start <= self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end
