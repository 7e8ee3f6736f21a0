"""A facility that publishes, citizens who book, and a look behind the policies."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx

from app.appointments import sql, waiting
from app.core.context import run_step
from app.core.db import Login, open_engine
from app.core.ids import new_id
from tests.people import Stand, now

DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
VIET_NAM = timedelta(hours=7)

BOOK = """mutation Book($input: BookAppointmentInput!) { bookAppointment(input: $input) {
  appointment { id state startsAt endsAt reason department facility { code } } } }"""
RESCHEDULE = """mutation Move($input: RescheduleAppointmentInput!) { rescheduleAppointment(input: $input) {
  appointment { id state startsAt } } }"""
CANCEL = """mutation Cancel($input: CancelAppointmentInput!) { cancelAppointment(input: $input) {
  appointment { id state cancelledBy } } }"""
JOIN = """mutation Join($input: JoinWaitlistInput!) { joinWaitlist(input: $input) {
  entry { id state offer { id heldUntil slot { id } } } } }"""
LEAVE = "mutation Leave($input: LeaveWaitlistInput!) { leaveWaitlist(input: $input) { entry { id state } } }"
ANSWER = """mutation Answer($input: AnswerWaitlistOfferInput!) { answerWaitlistOffer(input: $input) {
  entry { id state } appointment { id state } } }"""
FEED = "mutation Feed($input: CreateCalendarFeedInput!) { createCalendarFeed(input: $input) { url } }"
REVOKE = "mutation Revoke($input: RevokeCalendarFeedInput!) { revokeCalendarFeed(input: $input) { revoked } }"
SLOTS = """query Slots($code: String!, $from: Date!, $to: Date!, $department: String, $first: Int! = 50,
                $after: String) {
  appointmentSlots(facilityCode: $code, departmentCode: $department, from: $from, to: $to,
                   first: $first, after: $after) {
    nodes { id startsAt endsAt capacity remaining departmentCode department room }
    pageInfo { hasNextPage endCursor } } }"""
WAITLIST = "{ waitlist { nodes { id state offer { id heldUntil slot { id } } } } }"
MINE = """query Mine($upcoming: Boolean, $order: AppointmentOrder) { healthBook {
  appointments(upcoming: $upcoming, order: $order) { nodes {
    id origin state cancelledBy startsAt endsAt isWholeDay departmentCode reason facility { code } } } } }"""


_BEGAN = (now() + VIET_NAM).date()


def tomorrow(days: int = 1) -> date:
    """Return a day to come in Viet Nam: the same through a run, which may begin before midnight and end after it."""
    return _BEGAN + timedelta(days=days)


def schedule(code: str = "A", **changed: Any) -> dict[str, Any]:
    """Return a plan of one room: every morning of two weeks to come, one hour in quarters, holidays too."""
    return {
        "code": code,
        "departmentCode": "K03",
        "room": f"P{code}",
        "capacity": 1,
        "slotMinutes": 15,
        "validFrom": tomorrow().isoformat(),
        "validUntil": tomorrow(14).isoformat(),
        "worksOnHolidays": True,
        "weekly": [{"day": day, "from": "08:00", "to": "09:00"} for day in DAYS],
        **changed,
    }


@dataclass(frozen=True, slots=True)
class Person:
    """A citizen who is signed in."""

    id: UUID
    token: str


@dataclass(slots=True)
class Clinic:
    """One facility's door and its patients."""

    stand: Stand
    http: httpx.Client
    code: str
    token: str = ""
    people: list[Person] = field(default_factory=list)

    def open(self, name: str = "Bệnh viện Đa khoa Thử nghiệm") -> "Clinic":
        """Register the facility."""
        self.token = self.stand.facility(self.code, name=name)
        return self

    def publish(self, *schedules: Mapping[str, Any], terms: Mapping[str, int] | None = None) -> httpx.Response:
        """Publish schedules as JSON."""
        body: dict[str, Any] = {"schedules": list(schedules)}
        if terms is not None:
            body["terms"] = {"leadMinutes": 30, "cancelMinutes": 60, "mostLive": 10, "holdMinutes": 30, **terms}
        return self.http.post("/ingest/schedules", json=body, headers=bearer(self.token))

    def person(self) -> Person:
        """Register a citizen with an empty book."""
        found = new_citizen(self.stand)
        self.people.append(found)
        return found

    def ask(self, person: Person, query: str, **variables: Any) -> dict[str, Any]:
        """Ask, and return the whole answer."""
        answer = self.http.post("/graphql", json={"query": query, "variables": variables}, headers=bearer(person.token))
        body: dict[str, Any] = answer.json()
        return body

    def do(self, person: Person, query: str, **given: Any) -> dict[str, Any]:
        """Do a mutation that must succeed, and return its payload."""
        answer = self.ask(person, query, input={"idempotencyKey": key(), **given})
        assert "errors" not in answer, answer
        (payload,) = answer["data"].values()
        found: dict[str, Any] = payload
        return found

    def refusal(self, person: Person, query: str, **given: Any) -> tuple[str, str]:
        """Do a mutation that must be refused, and return code and message."""
        answer = self.ask(person, query, input={"idempotencyKey": key(), **given})
        assert answer["data"] is None, answer
        (error,) = answer["errors"]
        return error["extensions"]["code"], error["message"]

    def slots(self, person: Person, **given: Any) -> list[dict[str, Any]]:
        """Return the slots of two weeks."""
        asked = {"code": self.code, "from": tomorrow().isoformat(), "to": tomorrow(14).isoformat(), **given}
        answer = self.ask(person, SLOTS, **asked)
        assert "errors" not in answer, answer
        found: list[dict[str, Any]] = answer["data"]["appointmentSlots"]["nodes"]
        return found

    def book(self, person: Person, slot: Mapping[str, Any], **given: Any) -> dict[str, Any]:
        """Book a slot."""
        found: dict[str, Any] = self.do(person, BOOK, slotId=slot["id"], **given)["appointment"]
        return found

    def appointments(self, person: Person, **given: Any) -> list[dict[str, Any]]:
        """Return what the person's book shows."""
        answer = self.ask(person, MINE, **given)
        assert "errors" not in answer, answer
        found: list[dict[str, Any]] = answer["data"]["healthBook"]["appointments"]["nodes"]
        return found

    def events(self, person: Person) -> list[str]:
        """Return what the person is told of, in order."""
        rows = self.stand.as_owner(
            "SELECT kind FROM notice.event WHERE citizen_id = :citizen ORDER BY happened_at, id", citizen=person.id
        )
        return [row.kind for row in rows]


def new_citizen(stand: Stand) -> Person:
    """Register a citizen with an empty book, signed in."""
    citizen = new_id(now=now())
    stand.as_owner(
        "INSERT INTO auth.citizen (id, full_name, name_key, birth_on, birth_precision, sex, registered_at) "
        "VALUES (:id, 'Người Thử', 'NGUOI THU', '1990-01-01', 'DAY', 'FEMALE', now())",
        id=citizen,
    )
    stand.as_owner("INSERT INTO auth.book (citizen_id, changed_at) VALUES (:id, now())", id=citizen)
    return Person(id=citizen, token=stand.citizen_token(citizen))


def key() -> str:
    """Return a new idempotency key."""
    return str(new_id(now=datetime.now(UTC)))


def bearer(token: str) -> dict[str, str]:
    """Return the header of a bearer token."""
    return {"Authorization": f"Bearer {token}"}


def contradictions(stand: Stand) -> Sequence[Any]:
    """Return what must never be: places taken twice, over capacity, miscounted, or one citizen in two places (I2)."""
    return stand.as_owner("""
        SELECT 'place' AS what, a.slot_id::text AS at FROM care.appointment a
         WHERE a.state = 'LIVE' AND a.slot_id IS NOT NULL GROUP BY a.slot_id, a.place HAVING count(*) > 1
        UNION ALL
        SELECT 'count', s.id::text FROM care.slot s WHERE s.taken > s.capacity OR s.taken <>
          (SELECT count(*) FROM care.appointment a WHERE a.slot_id = s.id AND a.state = 'LIVE')
          + (SELECT count(*) FROM care.waitlist_offer o WHERE o.slot_id = s.id AND o.state = 'OPEN')
        UNION ALL
        SELECT 'citizen', a.id::text FROM care.appointment a JOIN care.appointment b
            ON b.citizen_id = a.citizen_id AND b.id > a.id AND b.starts_at < a.ends_at AND b.ends_at > a.starts_at
         WHERE a.state = 'LIVE' AND b.state = 'LIVE' AND a.slot_id IS NOT NULL AND b.slot_id IS NOT NULL
        UNION ALL
        SELECT 'doctor', s.id::text FROM care.slot s JOIN care.slot t ON t.practitioner_key = s.practitioner_key
           AND t.id > s.id AND t.starts_at < s.ends_at AND t.ends_at > s.starts_at
         WHERE s.withdrawn_at IS NULL AND t.withdrawn_at IS NULL""")


def settle(clinic: Clinic) -> int:
    """Do what a new plan leaves to the worker; return how many steps that were."""

    async def go() -> int:
        engine = open_engine(clinic.stand.settings, Login.WORKER, size=1)
        try:
            return await waiting.settle(partial(run_step, engine), terms=sql.terms(clinic.stand.settings))
        finally:
            await engine.dispose()

    return asyncio.run(go())
