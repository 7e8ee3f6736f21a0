"""Care to come in the demo: the first hospital offers times, and two citizens have booked one."""

import json
from datetime import date, timedelta
from typing import Any

import httpx

from app.connector import HospitalClient

BOOKERS = (1, 2)
"""Demo citizens who have an appointment."""
OFFERED_DAYS = 15
"""Today and the next 14 days."""
TERMS = {"leadMinutes": 15, "cancelMinutes": 15, "mostLive": 50, "holdMinutes": 30}
_WEEK = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MORNING, _AFTERNOON = {"from": "07:30", "to": "11:30"}, {"from": "13:30", "to": "16:30"}
_ROOMS = (("K01", "P101", 3), ("K03", "P203", 2), ("K04", "P204", 2), ("K18", "P118", 2), ("K15", "P315", 1))

_MINE = "{ healthBook { appointments(first: 50, upcoming: true) { nodes { origin state } } } }"
_SLOTS = """query($code: String!, $from: Date!, $to: Date!) {
  appointmentSlots(facilityCode: $code, departmentCode: "K03", from: $from, to: $to, first: 50) {
    nodes { id remaining } } }"""
_BOOK = "mutation($input: BookAppointmentInput!) { bookAppointment(input: $input) { appointment { id } } }"


def plan(*, today: date) -> dict[str, Any]:
    """Return what the first hospital publishes: five rooms, every day, holidays too."""
    return {
        "terms": TERMS,
        "schedules": [
            {
                "code": f"{department}-{room}",
                "departmentCode": department,
                "room": room,
                "capacity": capacity,
                "slotMinutes": 15,
                "validFrom": today.isoformat(),
                "validUntil": (today + timedelta(days=OFFERED_DAYS)).isoformat(),
                "worksOnHolidays": True,
                "weekly": [{"day": day, **hours} for day in _WEEK for hours in (_MORNING, _AFTERNOON)],
            }
            for department, room, capacity in _ROOMS
        ],
    }


async def offer(hospital: HospitalClient, *, today: date) -> None:
    """Publish the plan; a plan of an earlier day is followed by today's, and who is booked stays so.

    :raises ConnectorError: when the server refuses it
    """
    body = json.dumps(plan(today=today)).encode()
    await hospital.publish_schedules(body, media_type="application/json")


async def book_once(http: httpx.AsyncClient, *, token: str, facility_code: str, today: date) -> bool:
    """Book a time in two days for a citizen who has no booking to come; tells whether one was made."""
    book = (await _ask(http, token, _MINE))["healthBook"]
    if any(one["origin"] == "BOOKED" and one["state"] == "LIVE" for one in book["appointments"]["nodes"]):
        return False
    return await book_next(http, token=token, facility_code=facility_code, today=today, key="demo")


async def book_next(http: httpx.AsyncClient, *, token: str, facility_code: str, today: date, key: str) -> bool:
    """Book the first time that the server grants, from in two days on; tells whether there was one.

    With the same `key` a time that was booked once is not booked again.
    """
    for day in range(2, OFFERED_DAYS):
        on = (today + timedelta(days=day)).isoformat()
        found = await _ask(http, token, _SLOTS, code=facility_code, **{"from": on, "to": on})
        for one in found["appointmentSlots"]["nodes"]:
            wanted = {"idempotencyKey": f"{key} {one['id']}", "slotId": one["id"], "reason": "Khám lại theo hẹn"}
            if one["remaining"] > 0 and await _ask(http, token, _BOOK, input=wanted) is not None:
                return True
    return False


async def _ask(http: httpx.AsyncClient, token: str, query: str, **variables: object) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    answer = await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
    return answer.raise_for_status().json()["data"]
