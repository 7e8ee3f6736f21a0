"""Whatever facilities plan and people do, in whichever order: places, offers and what is told are as the rules say."""

import random
from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.appointments import sql
from app.core.db import Login
from tests.appointments.clinic import (
    ANSWER,
    BOOK,
    CANCEL,
    JOIN,
    LEAVE,
    RESCHEDULE,
    WAITLIST,
    Clinic,
    Person,
    contradictions,
    schedule,
    settle,
    tomorrow,
)

WALKS, STEPS, PEOPLE, MOST = 8, 60, 5, 2
HOURS = [{"from": "08:00", "to": "08:45"}]
LEFT_OVER = """
    SELECT e.id FROM care.waitlist_entry e
      JOIN care.slot s ON (s.facility_code, s.department_code) = (e.facility_code, e.department_code)
     WHERE e.state = 'WAITING' AND s.facility_code = :facility AND s.withdrawn_at IS NULL AND s.taken < s.capacity
       AND s.starts_at > now() + interval '31 minutes'
       AND (s.starts_at AT TIME ZONE 'Asia/Ho_Chi_Minh')::date BETWEEN e.from_on AND e.until_on
       AND NOT EXISTS (SELECT FROM care.waitlist_offer o WHERE o.entry_id = e.id AND o.slot_id = s.id)
       AND NOT EXISTS (SELECT FROM care.appointment a WHERE a.citizen_id = e.citizen_id AND a.state = 'LIVE'
                          AND a.slot_id IS NOT NULL AND a.starts_at < s.ends_at AND a.ends_at > s.starts_at)
       AND (SELECT count(*) FROM care.appointment a WHERE a.citizen_id = e.citizen_id AND a.state = 'LIVE'
               AND a.slot_id IS NOT NULL AND a.facility_code = e.facility_code) < :most"""
OVERFULL = """
    SELECT s.id FROM care.slot s JOIN care.schedule c ON c.id = s.schedule_id
     WHERE s.facility_code = :facility AND s.withdrawn_at IS NULL
       AND s.capacity <> greatest((c.plan->>'capacity')::int, s.taken)"""
HELD_AFTER_ALL = """
    SELECT o.id FROM care.waitlist_offer o
      JOIN care.waitlist_entry e ON e.id = o.entry_id JOIN care.slot s ON s.id = o.slot_id
     WHERE s.facility_code = :facility AND o.state = 'OPEN' AND (e.state <> 'OFFERED' OR s.withdrawn_at IS NOT NULL)"""


class Walk:
    """A clinic, its patients, and what was done so far."""

    def __init__(self, clinic: Clinic, lot: random.Random) -> None:
        self.clinic, self.lot, self.done = clinic, lot, Counter[str]()
        self.people = [clinic.person() for _ in range(PEOPLE)]
        self.plan(capacity=2)

    def step(self) -> None:
        """Do one thing, drawn by lot."""
        seldom = (self.plan, self.move, self.cancel, self.leave, self.let_lapse)
        often = (self.book, self.join, self.answer)
        self.lot.choice((*seldom, *often, *often))()

    def plan(self, capacity: int | None = None) -> None:
        """Publish a plan: of one or two days, with one or two places."""
        days = self.lot.sample((2, 3), self.lot.choice((1, 2, 2)))
        self.clinic.publish(
            schedule(
                capacity=capacity or self.lot.choice((1, 1, 2)),
                room=self.lot.choice(("P1", "P2")),
                weekly=[],
                exceptions=[{"on": tomorrow(day).isoformat(), "hours": HOURS} for day in days],
            ),
            terms={"mostLive": MOST},
        )

    def book(self) -> None:
        """Book any slot, whether it has a place or not; nobody is refused the place that is held for them."""
        person, slot = self.anybody(), self.any_slot()
        if slot is None:
            return
        held = self.entry(person, "OFFERED")
        code = self.tried(person, BOOK, slotId=slot["id"])
        if held is not None and held["offer"]["slot"]["id"] == slot["id"]:
            assert code == "" or len(self.live(person)) == MOST, "their own place is held for them"

    def move(self) -> None:
        """Move an appointment of one's own to any slot."""
        person, slot = self.anybody(), self.any_slot()
        live = self.live(person)
        if live and slot is not None:
            self.tried(person, RESCHEDULE, appointmentId=self.lot.choice(live)["id"], slotId=slot["id"])

    def cancel(self) -> None:
        """Cancel an appointment of one's own."""
        person = self.anybody()
        for one in self.live(person)[:1]:
            assert self.tried(person, CANCEL, appointmentId=one["id"]) == ""

    def join(self) -> None:
        """Begin to wait for a place."""
        days = {"from": tomorrow(2).isoformat(), "to": tomorrow(self.lot.choice((2, 3))).isoformat()}
        self.tried(self.anybody(), JOIN, facilityCode=self.clinic.code, departmentCode="K03", **days)

    def answer(self) -> None:
        """Take what is held, or leave it to the next."""
        for person in self.people:
            entry = self.entry(person, "OFFERED")
            if entry is not None:
                self.tried(person, ANSWER, offerId=entry["offer"]["id"], accept=self.lot.random() < 0.5)
                return

    def leave(self) -> None:
        """Wait no more."""
        person = self.anybody()
        entry = self.entry(person, "OFFERED") or self.entry(person, "WAITING")
        if entry is not None:
            assert self.tried(person, LEAVE, entryId=entry["id"]) == ""

    def let_lapse(self) -> None:
        """Let half an hour go by without an answer, and let the queue look at it."""
        held = self.clinic.stand.as_owner(
            "UPDATE care.waitlist_offer o SET held_until = now() - interval '1 second' FROM care.slot s "
            "WHERE o.state = 'OPEN' AND s.id = o.slot_id AND s.facility_code = :facility RETURNING o.slot_id",
            facility=self.clinic.code,
        )
        terms = sql.terms(self.clinic.stand.settings)
        for slot in {row.slot_id for row in held}:
            self.clinic.stand.run(Login.WORKER, partial(sql.move_waitlist, slot=slot, terms=terms))

    def look(self) -> None:
        """Let the worker do what is asked of it, and compare what is there with what must be."""
        if self.clinic.stand.as_owner("DELETE FROM jobs.pgqueuer WHERE entrypoint = 'settle_slots' RETURNING id"):
            settle(self.clinic)
        assert not contradictions(self.clinic.stand)
        assert not self.clinic.stand.as_owner(LEFT_OVER, facility=self.clinic.code, most=MOST), "somebody waits in vain"
        assert not self.clinic.stand.as_owner(OVERFULL, facility=self.clinic.code), "more places than planned"
        assert not self.clinic.stand.as_owner(HELD_AFTER_ALL, facility=self.clinic.code), "held for nobody"
        for person in self.people:
            self.compare_told(person)

    def compare_told(self, person: Person) -> None:
        """Who has an appointment was told of it as it is now; who has lost one was told so, once."""
        told = self.clinic.stand.as_owner(
            "SELECT about->>'appointmentId' AS id, kind FROM notice.event WHERE citizen_id = :id "
            "AND kind LIKE 'APPOINTMENT_%' ORDER BY happened_at, id",
            id=person.id,
        )
        last, ends = (
            {row.id: row.kind for row in told},
            Counter(row.id for row in told if row.kind.endswith("CANCELLED")),
        )
        for one in self.clinic.appointments(person):
            is_over = one["state"] == "CANCELLED"
            assert (last[one["id"]] == "APPOINTMENT_CANCELLED") is is_over, one
            assert ends[one["id"]] == int(is_over), one

    def anybody(self) -> Person:
        return self.lot.choice(self.people)

    def any_slot(self) -> dict[str, Any] | None:
        slots = self.clinic.slots(self.people[0])
        return self.lot.choice(slots) if slots else None

    def live(self, person: Person) -> list[dict[str, Any]]:
        found = [one for one in self.clinic.appointments(person) if one["state"] == "LIVE"]
        self.lot.shuffle(found)
        return found

    def entry(self, person: Person, state: str) -> dict[str, Any] | None:
        nodes = self.clinic.ask(person, WAITLIST)["data"]["waitlist"]["nodes"]
        return next((one for one in nodes if one["state"] == state), None)

    def tried(self, person: Person, deed: str, **given: Any) -> str:
        """Try something; return the code of its refusal, or nothing."""
        name = deed.partition("(")[0].removeprefix("mutation ")
        answer = self.clinic.ask(
            person, deed, input={"idempotencyKey": str(UUID(int=self.lot.getrandbits(128))), **given}
        )
        code: str = answer["errors"][0]["extensions"]["code"] if "errors" in answer else ""
        assert code in {"", "CONFLICT", "REFUSED"}, answer
        self.done[f"{name} {code}".strip()] += 1
        return code


@pytest.mark.long
@pytest.mark.parametrize("seed", range(WALKS))
def test_i2_in_whichever_order_people_book_wait_and_leave_every_place_is_somebodys_or_free(
    clinic: Clinic, seed: int
) -> None:
    walk = Walk(clinic, random.Random(seed))
    for _ in range(STEPS):
        walk.step()
        walk.look()
    assert {"Book", "Join", "Answer"} <= set(walk.done), walk.done
