"""Turns a facility's plan into what care.publish_schedules takes: its schedules with their slots. Pure."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from app.appointments.expansion import VIET_NAM, public_holidays, slots_of
from app.appointments.schedules import Hours, Plan, Schedule, ScheduleProblem
from app.core.errors import Text

MOST_SLOTS: Final = 20_000
NewId = Callable[[], UUID]


def arrived_of(plan: Plan, *, now: datetime, new_id: NewId) -> tuple[list[dict[str, Any]], tuple[ScheduleProblem, ...]]:
    """Return what care.publish_schedules takes: each schedule with its slots from today on; or why it cannot."""
    if plan.problems:
        return [], plan.problems
    today = now.astimezone(VIET_NAM).date()
    arrived, count = [], 0
    for schedule in plan.schedules:
        holidays = public_holidays(schedule.valid_from, schedule.valid_until)
        slots = []
        for slot in slots_of(schedule, since=today, holidays=holidays):
            count += 1
            if count > MOST_SLOTS:
                words = Text(f"một lần gửi tối đa {MOST_SLOTS} khung giờ.", f"{MOST_SLOTS} slots at a time at most.")
                return [], (ScheduleProblem(place=schedule.code, text=words),)
            slots.append(
                {"id": str(new_id()), "starts_at": slot.starts_at.isoformat(), "ends_at": slot.ends_at.isoformat()}
            )
        arrived.append({**_columns(schedule), "id": str(new_id()), "slots": slots})
    return arrived, ()


def _columns(schedule: Schedule) -> dict[str, Any]:
    return {
        "code": schedule.code,
        "department_code": schedule.department_code,
        "room": schedule.room,
        "practitioner_certificate": schedule.practitioner_certificate,
        "practitioner_name": schedule.practitioner_name,
        "is_sensitive": schedule.is_sensitive,
        "capacity": schedule.capacity,
        "plan": {
            "capacity": schedule.capacity,
            "slot_minutes": schedule.slot_minutes,
            "valid_from": schedule.valid_from.isoformat(),
            "valid_until": schedule.valid_until.isoformat(),
            "works_on_holidays": schedule.works_on_holidays,
            "weekly": {str(day): _spans(hours) for day, hours in schedule.weekly.items()},
            "exceptions": {day.isoformat(): _spans(hours) for day, hours in schedule.exceptions.items()},
        },
    }


def _spans(hours: tuple[Hours, ...]) -> list[list[str]]:
    return [[f"{one.since:%H:%M}", f"{one.until:%H:%M}"] for one in hours]


def report_of(problems: tuple[ScheduleProblem, ...]) -> list[dict[str, str]]:
    """Return problems as they are told."""
    return [{"place": one.place, "vi": one.text.vi, "en": one.text.en} for one in problems]
