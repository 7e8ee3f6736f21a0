"""Numbers written for the wrong person: what its hospital corrects comes into the right book, in any order."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.identity.test_ledger import Person
from tests.ingestion import messages
from tests.ingestion.messages import VISIT
from tests.ingestion.test_withdrawals import ask
from tests.people import Stand

NAMES = ("Nguyễn Thị Hòa", "Trần Văn Nam", "Lê Minh Châu")
STEPS = 40
ROUNDS = 3


@dataclass
class Town:
    """Three people, two hospitals, and what was sent."""

    stand: Stand
    http: httpx.Client
    serial: int
    tokens: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0

    def __post_init__(self) -> None:
        self.tokens = {code: self.stand.facility(code) for code in ("01901", "79001")}

    def number(self, who: int) -> str:
        return f"0{who}1085{self.serial:03d}{who:03d}"

    def card(self, who: int) -> str:
        return f"GD40101{self.serial:05d}{who:03d}"

    def send(self, visit: str, who: int, *, number: int | None = None, card: int | None = None, **changed: str) -> UUID:
        """Send a visit of somebody, with the numbers of others where told; returns its message."""
        return self.send_together((visit, who, number, card, changed))

    def send_together(self, *visits: tuple[str, int, int | None, int | None, Mapping[str, str]]) -> UUID:
        """Send visits in one message."""
        self.sent += 1
        facility = visits[0][0][:5]
        body = messages.envelope(
            *(messages.visit_xml({"XML1": [{**VISIT, **self._told(*one)}]}) for one in visits),
            facility=facility,
            issued="20261122",
            signature=str(self.sent),
        )
        message = self.stand.keep(body, token=self.tokens[facility])
        self.stand.process(message)
        return message

    def _told(
        self, visit: str, who: int, number: int | None, card: int | None, changed: Mapping[str, str]
    ) -> dict[str, str]:
        return {
            "MA_LK": visit,
            "MA_CSKCB": visit[:5],
            "HO_TEN": NAMES[who],
            "NGAY_SINH": f"19{70 + who}03120000",
            "SO_CCCD": self.number(who if number is None else number),
            "MA_THE_BHYT": self.card(who if card is None else card),
            **changed,
        }

    def withdraw(self, visit: str) -> bool:
        answer = ask(self.http, self.tokens[visit[:5]], {"visit": visit, "reason": f"Nhầm {self.sent}"})
        if answer.status_code != 202:
            return False
        self.stand.process(answer.json()["messageId"])
        return True

    def work_off(self) -> None:
        while rows := self.stand.as_owner(
            "SELECT id FROM intake.message WHERE status = 'received' ORDER BY received_at, id"
        ):
            for row in rows:
                self.stand.process(row.id)

    def status(self, message: UUID) -> str:
        return str(self.stand.as_owner("SELECT status FROM intake.message WHERE id = :id", id=message)[0].status)

    def standing(self) -> dict[str, tuple[UUID, str]]:
        """Return in whose book each visit stands, with the name on it; each visit in one alone."""
        rows = self.stand.as_owner(
            "SELECT DISTINCT f.source_id, f.citizen_id, c.full_name "
            "FROM auth.filing f JOIN auth.citizen c ON c.id = f.citizen_id "
            "WHERE f.withdrawn_at IS NULL AND f.source_id LIKE :mine",
            mine=f"%.{self.serial}.%",
        )
        assert len(rows) == len({row.source_id for row in rows})
        return {row.source_id: (row.citizen_id, row.full_name) for row in rows}

    def owner(self, who: int) -> Any:
        rows = self.stand.as_owner(
            "SELECT citizen_id FROM auth.identifier WHERE lookup = :lookup AND valid_until IS NULL",
            lookup=self.stand.vault.index.of(self.number(who), kind="PERSONAL_ID"),
        )
        return rows[0].citizen_id if rows else None


_SERIALS = iter(range(100, 999))


@pytest.fixture
def town(stand: Stand, http: httpx.Client) -> Town:
    return Town(stand=stand, http=http, serial=next(_SERIALS))


def visit(town: Town, place: int, facility: str = "01901") -> str:
    return f"{facility}.{town.serial}.{place}"


@pytest.mark.parametrize("at", ["01901", "79001"])
def test_b161_a_number_of_a_visit_that_was_taken_back_is_its_owners_again(town: Town, at: str) -> None:
    """A clerk writes Nam's number for Hòa, who is new; Nam comes, to this hospital or another one."""
    town.send(visit(town, 1), 0, number=1)
    waits = town.send(visit(town, 2, at), 1)
    assert town.status(waits) == "quarantined"

    assert town.withdraw(visit(town, 1))
    town.work_off()
    corrected = town.send(visit(town, 1), 0)

    assert (town.status(waits), town.status(corrected)) == ("filed", "filed")
    standing = town.standing()
    assert [standing[visit(town, 2, at)], standing[visit(town, 1)]] == [
        (town.owner(1), NAMES[1]),
        (town.owner(0), NAMES[0]),
    ]
    assert town.owner(0) != town.owner(1)


def test_a_misspelled_name_is_corrected_by_taking_its_visit_back(town: Town) -> None:
    town.send(visit(town, 1), 0, HO_TEN="Nguyễn Thị Hoàn")
    assert town.status(town.send(visit(town, 1), 0)) == "quarantined"
    town.withdraw(visit(town, 1))
    assert town.status(town.send(visit(town, 1), 0)) == "filed"
    assert town.standing()[visit(town, 1)] == (town.owner(0), NAMES[0])


def test_b162_what_told_a_visit_before_it_was_taken_back_is_not_taken_up_again(town: Town) -> None:
    town.send(visit(town, 1), 0, HO_TEN="Nguyễn Thị Hoàn")
    waits = town.send(visit(town, 1), 0)
    town.withdraw(visit(town, 1))
    town.work_off()
    assert (town.status(waits), town.standing()) == ("quarantined", {})


def test_b162_an_older_mistake_about_a_visit_is_taken_back_with_it_too(town: Town) -> None:
    """It waits for a number of somebody else, and that number becomes free."""
    town.send(visit(town, 2), 1)
    waits = town.send(visit(town, 1), 0, number=1, card=1)
    town.send(visit(town, 1), 0)
    town.withdraw(visit(town, 1))
    town.withdraw(visit(town, 2))
    town.work_off()
    assert (town.status(waits), town.standing()) == ("quarantined", {})


def test_b162_a_visit_that_was_taken_back_stays_so_when_its_message_is_taken_up_again(town: Town) -> None:
    """Else the number that a clerk wrote for the wrong person would name that person once more."""
    nobody: Mapping[str, str] = {}
    town.send(visit(town, 9), 2)
    both = town.send_together(
        (visit(town, 1), 0, 1, None, nobody), (visit(town, 2), 2, None, None, {"HO_TEN": "Phạm Thị Sen"})
    )
    assert town.status(both) == "partly"
    town.withdraw(visit(town, 1))

    assert town.stand.as_owner("SELECT intake.replay_message(:id) AS done", id=both)[0].done
    town.work_off()

    assert set(town.standing()) == {visit(town, 9)}
    assert town.status(both) == "partly"
    assert town.status(town.send(visit(town, 3), 1)) == "filed"
    assert town.standing()[visit(town, 3)] == (town.owner(1), NAMES[1])


def test_b161_a_number_stays_while_anything_of_its_person_stands(town: Town) -> None:
    town.send(visit(town, 1), 0, number=1)
    town.send(visit(town, 2, "79001"), 0, number=1)
    town.withdraw(visit(town, 1))
    assert town.status(town.send(visit(town, 3), 1)) == "quarantined"


def test_who_is_sent_again_as_the_same_person_keeps_book_and_history(town: Town) -> None:
    town.send(visit(town, 1), 0)
    before = town.owner(0)
    town.withdraw(visit(town, 1))
    town.send(visit(town, 1), 0)
    assert town.standing()[visit(town, 1)] == (before, NAMES[0])


def test_two_halves_of_a_person_are_joined_and_what_waited_for_that_comes_into_the_book(
    stand: Stand, http: httpx.Client
) -> None:
    """Known by an old id and by a new one: a message with the new id and a card of the old one's book waits."""
    person = Person(stand, http, 7_001, stand.facility("01901"))
    card = "GD4010170010001"
    person.push(person.old, "old-7001", MA_THE_BHYT=card)
    whole = person.push(person.number, "whole-7001", MA_THE_BHYT=card)
    assert str(whole) not in person.messages()

    person.join(person.old)
    person.work()

    assert str(whole) in person.messages()


@pytest.mark.parametrize("seed", range(6))
def test_b161_b170_whatever_is_mistaken_and_corrected_in_whichever_order(town: Town, seed: int) -> None:
    """No book ever holds two people's visits; once all is corrected, each person has one book with all of theirs."""
    chance = random.Random(seed)
    whose: dict[str, int] = {}
    for _ in range(STEPS):
        one = visit(town, chance.randrange(8), chance.choice(("01901", "79001")))
        who = whose.setdefault(one, chance.randrange(3))
        match chance.randrange(4):
            case 0 | 1:
                town.send(one, who)
            case 2:
                wrong = chance.choice([other for other in range(3) if other != who])
                town.send(one, who, number=wrong, card=chance.choice((who, wrong)))
            case _:
                town.withdraw(one)
        if chance.randrange(3) == 0:
            town.work_off()
        books: dict[UUID, set[str]] = {}
        for place, (book, _) in town.standing().items():
            books.setdefault(book, set()).add(NAMES[whose[place]])
        assert all(len(names) == 1 for names in books.values()), books

    town.work_off()
    right = {}
    for _ in range(ROUNDS):  # a mistake that waited may come into a book when another one leaves it
        for one, (book, name) in town.standing().items():
            if (book, name) != (town.owner(whose[one]), NAMES[whose[one]]):
                assert town.withdraw(one)
        town.work_off()
        for one, who in whose.items():
            town.send(one, who)
        town.work_off()
        right = {one: (town.owner(who), NAMES[who]) for one, who in whose.items()}
    assert town.standing() == right
