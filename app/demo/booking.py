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
    headers = {"Authorization": f"Bearer {token}"}

    async def ask(query: str, **variables: object) -> Any:
        answer = await http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)
        return answer.raise_for_status().json()["data"]

    book = (await ask(_MINE))["healthBook"]
    if any(one["origin"] == "BOOKED" and one["state"] == "LIVE" for one in book["appointments"]["nodes"]):
        return False
    days = {"from": (today + timedelta(days=2)).isoformat(), "to": (today + timedelta(days=9)).isoformat()}
    slots = (await ask(_SLOTS, code=facility_code, **days))["appointmentSlots"]["nodes"]
    free = next(one["id"] for one in slots if one["remaining"] > 0)
    wanted = {"idempotencyKey": f"demo {free}", "slotId": free, "reason": "Khám lại theo hẹn"}
    await ask(_BOOK, input=wanted)
    return True
