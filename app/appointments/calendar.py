"""An iCalendar file of appointments. Pure.

A calendar is shared, synchronised and shown on locked screens, so it tells when, and never what for: one title for
all, and the facility's name where neither it nor the department gives it away.

Source: RFC 5545; RFC 7986 (REFRESH-INTERVAL); security.md T14, B203.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from icalendar import Calendar, Event, Timezone

from app.appointments.expansion import VIET_NAM
from app.appointments.sql import CalendarEntry
from app.core.errors import Text

TITLE: Final = Text("Lịch hẹn khám", "Medical appointment")
REFRESH: Final = timedelta(hours=1)
SENSITIVE_DEPARTMENTS: Final = frozenset(
    {
        "K11",  # infectious diseases
        "K12",  # tuberculosis
        "K13",  # skin and venereal diseases
        "K15",  # psychiatry
        "K27",  # obstetrics and gynaecology
        "K32",  # nuclear medicine
        "K33",  # oncology
        "K49",  # poison control
        "K53",  # andrology
        "K56",  # assisted reproduction
        "K60",  # clinical genetics
        "K99",  # group A infectious diseases
    }
)
SENSITIVE_NAMES: Final = (
    "AIDS",
    "BENH VIEN K",
    "CAI NGHIEN",
    "DA LIEU",
    "HIV",
    "HO TRO SINH SAN",
    "LAO",
    "MA TUY",
    "METHADONE",
    "NAM HOC",
    "NHIET DOI",
    "PHOI",
    "BENH VIEN PHONG",
    "PHU SAN",
    "SUC KHOE TAM THAN",
    "TAM THAN",
    "TRUYEN NHIEM",
    "TU DU",
    "UNG BUOU",
    "UNG THU",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Whose calendar it is, for ids that are the same for ever."""

    host: str
    language: str  # vi or en


def calendar_file(entries: Sequence[CalendarEntry], *, publisher: Publisher) -> bytes:
    """Return the file: one event for each appointment, cancelled ones too, so that calendars take them away."""
    found = Calendar()
    found.add("prodid", "-//So Khoe//Appointments//VI")
    found.add("version", "2.0")
    found.add("calscale", "GREGORIAN")
    found.add("method", "PUBLISH")
    found.add("x-wr-calname", TITLE.in_language(publisher.language))
    found.add("refresh-interval", REFRESH, parameters={"VALUE": "DURATION"})
    # A calendar without a component is none: RFC 5545 section 3.6.
    found.add_component(Timezone.from_tzid(VIET_NAM.key))
    for entry in entries:
        found.add_component(_event(entry, publisher=publisher))
    return bytes(found.to_ical())


def _event(entry: CalendarEntry, *, publisher: Publisher) -> Event:
    event = Event()
    event.add("uid", f"{entry.id}@{publisher.host}")
    event.add("sequence", entry.sequence)
    event.add("dtstamp", entry.changed_at)
    event.add("last-modified", entry.changed_at)
    starts_at = entry.starts_at.astimezone(VIET_NAM)
    if entry.is_whole_day:
        event.add("dtstart", starts_at.date())
        event.add("transp", "TRANSPARENT")
    else:
        event.add("dtstart", starts_at)
        if entry.ends_at is not None and entry.ends_at > entry.starts_at:  # RFC 5545 section 3.8.2.2
            event.add("dtend", entry.ends_at.astimezone(VIET_NAM))
    event.add("summary", TITLE.in_language(publisher.language))
    event.add("status", "CANCELLED" if entry.state == "CANCELLED" else "CONFIRMED")
    event.add("class", "PRIVATE")
    if not gives_away(entry):
        event.add("location", entry.facility_name)
    return event


def gives_away(entry: CalendarEntry) -> bool:
    """Tell whether the place would say what the appointment is for; a department that is not known might."""
    department = (entry.department_code or "").partition(".")[0]
    name = f" {_plain(entry.facility_name)} "
    return (
        entry.is_sensitive
        or not department
        or department in SENSITIVE_DEPARTMENTS
        or any(f" {word} " in name for word in SENSITIVE_NAMES)
    )


def _plain(name: str) -> str:
    """Return a name in upper case without diacritics and punctuation."""
    bare = unicodedata.normalize("NFD", name.upper().replace("Đ", "D"))
    return " ".join(
        "".join(char if char.isalnum() else " " for char in bare if not unicodedata.combining(char)).split()
    )
