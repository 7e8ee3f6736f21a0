"""One small year of the demo, made once for all tests that only read it."""

from datetime import date
from functools import cache

from app.demo.care import year_of_care
from app.demo.messages import DemoMessage, year_messages
from app.demo.people import citizens
from app.demo.visits import DemoVisit

TODAY = date(2026, 11, 22)
CITIZENS = 50


@cache
def visits() -> tuple[DemoVisit, ...]:
    """Return the visits of the default demo."""
    return tuple(visit for one in citizens(CITIZENS) for visit in year_of_care(one, today=TODAY))


@cache
def messages() -> tuple[DemoMessage, ...]:
    """Return the messages of the default demo."""
    return year_messages(citizens(CITIZENS), today=TODAY)
