"""Whatever people ask, with whatever they were told and in whichever order, nobody meets INTERNAL."""

import random
from collections import Counter
from uuid import UUID

import httpx
import pytest

from tests.appointments.clinic import Clinic as Booking
from tests.appointments.clinic import schedule
from tests.attacks.crowd import Member, message
from tests.gateway.anybody import Lot
from tests.identity.families import Families, today, years_ago
from tests.people import Stand
from tests.sharing.sharing import Clinic

QUESTIONS = 800
AGES = (40, 38, 9, 16)


class Town:
    """Hospitals with plans, a family with books, and doctors, all signed in."""

    def __init__(self, clinic: Clinic, lot: Lot) -> None:
        self.clinic, self.lot = clinic, lot
        self.people: dict[str, UUID | None] = {}
        self.codes: Counter[str] = Counter()
        booking, members = (
            Booking(clinic.stand, clinic.http, "01901").open(),
            [Member(number=910 + n) for n in range(4)],
        )
        clinic.stand.facility("01902", name="Bệnh viện khác")
        assert booking.publish(schedule()).is_success
        assert clinic.stand.file(message(*members), token=booking.token) == "filed"
        citizens = [clinic.stand.citizen_by(member.personal_id) for member in members]
        self._introduce(citizens)
        lot.seen["personalId"] = [member.personal_id for member in members]
        lot.seen["fullName"] = [member.name for member in members]
        lot.seen["citizenId"] = [str(citizen) for citizen in citizens]
        lot.seen["facilityCode"] = ["01901", "01902", "79001"]
        lot.seen["departmentCode"] = ["K03", "K99"]

    def ask(self) -> None:
        """Let somebody ask something."""
        kind, document, variables = self.lot.question()
        token = self.lot.drawn.choice(list(self.people))
        answer = self.clinic.ask(token, document, **variables)
        body = answer.json()
        codes = {error["extensions"]["code"] for error in body.get("errors", [])}
        assert answer.status_code < 500, (document, variables, body)
        assert "INTERNAL" not in codes, (document, variables, body)
        if "UNAUTHENTICATED" in codes:  # they had ended their session
            citizen = self.people.pop(token)
            self.people[self.clinic.citizen(citizen) if citizen else self.clinic.doctor()] = citizen
        self.codes.update(codes or {"-"})
        self.lot.learn(body.get("data") or {}, kind)

    def _introduce(self, citizens: list[UUID]) -> None:
        families, day = Families(self.clinic.stand), today(self.clinic.stand)
        for citizen, age in zip(citizens, AGES, strict=True):
            families.born(citizen, years_ago(day, age))
            self.people[self.clinic.citizen(citizen)] = citizen
        parent, partner, *children = citizens
        families.represent(partner, parent, "MANDATE", extent="SUMMARY")
        for child in children:
            families.represent(child, parent)
        self.people |= {self.clinic.doctor(name): None for name in ("Trần Văn Đức", "Lê Thị Thu Hà")}


@pytest.mark.long
def test_whatever_is_asked_nobody_meets_internal(stand: Stand, http: httpx.Client) -> None:
    town = Town(Clinic(stand, http), Lot(random.Random(11)))
    for _ in range(QUESTIONS):
        town.ask()

    assert town.codes["-"] > QUESTIONS // 10  # enough was right to be answered
