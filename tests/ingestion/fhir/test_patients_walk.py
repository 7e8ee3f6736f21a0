"""Patients told rightly and wrongly, deleted and told again, with visits that only refer to them, in any order."""

import itertools
import random
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.ingestion.fhir import bundles
from tests.ingestion.fhir.bundles import Json
from tests.ingestion.fhir.test_one_by_one import Sender
from tests.ingestion.fhir.test_patients import work_off
from tests.ingestion.test_withdrawals import ask
from tests.people import Stand

NAMES = ("Nguyễn Thị Hòa", "Trần Văn Nam", "Lê Minh Châu")
STEPS = 45
_MADE = itertools.count(1)


class Ward:
    """Three patients of one hospital, each with five visits."""

    def __init__(self, http: httpx.Client, stand: Stand) -> None:
        self.http, self.stand = http, stand
        self.people = [Sender(http, stand) for _ in NAMES]
        self.door = self.people[0].door

    def told(self, who: int, *, number_of: int | None = None, name_of: int | None = None) -> Json:
        """Return a Patient, with the number or the name of somebody else where told."""
        told = dict(self.people[who].patient)
        named = who if name_of is None else name_of
        told["name"] = [{"text": NAMES[named]}]
        told["birthDate"] = self.people[named].patient["birthDate"]
        told["identifier"] = self.people[who if number_of is None else number_of].patient["identifier"][:1]
        return told

    def send(self, who: int, resource: Json) -> None:
        self.people[who].send(resource | {"language": f"x-{next(_MADE)}"})

    def visit(self, who: int, place: int) -> str:
        return f"V{place}-{self.people[who].mark}"

    def encounter(self, who: int, place: int) -> Json:
        sid = f"{bundles.SID}/ma-lk"
        visit = self.visit(who, place)
        return self.people[who].encounter | {"id": f"e{visit}", "identifier": [{"system": sid, "value": visit}]}

    def delete(self, who: int) -> None:
        gone = {"method": "DELETE", "url": f"Patient/{self.people[who].patient['id']}"}
        told = {"resourceType": "Bundle", "id": f"d{next(_MADE)}", "type": "batch", "entry": [{"request": gone}]}
        self.door.concluded(bundles.encoded(told))

    def withdraw(self, visit: str) -> None:
        answer = ask(self.http, self.door.token, {"visit": visit, "reason": f"Nhầm {next(_MADE)}"})
        assert answer.status_code == 202, answer.text
        self.stand.process(answer.json()["messageId"])

    def standing(self) -> dict[str, UUID]:
        """Return in whose book each visit stands; each in one alone."""
        rows = self.stand.as_owner("SELECT DISTINCT source_id, citizen_id FROM auth.filing WHERE withdrawn_at IS NULL")
        mine = {self.visit(who, place) for who in range(3) for place in range(5)}
        found = [(row.source_id, row.citizen_id) for row in rows if row.source_id in mine]
        assert len(found) == len(dict(found))
        return dict(found)

    def owner(self, who: int) -> Any:
        return self.stand.citizen_by(self.people[who].personal_id)


def walk(ward: Ward, *, seed: int, mistake: str) -> None:
    """Tell and delete Patients, some with one sort of mistake, and send visits; no book holds those of two."""
    chance = random.Random(seed)
    for _ in range(STEPS):
        who = chance.randrange(3)
        match chance.randrange(8):
            case 0 | 1:
                ward.send(who, ward.told(who))
            case 2 | 3:
                wrong = chance.choice([one for one in range(3) if one != who])
                ward.send(who, ward.told(who, **{mistake: wrong}))
            case 4:
                ward.delete(who)
            case _:
                ward.send(who, ward.encounter(who, chance.randrange(5)))
        work_off(ward.stand)
        books: dict[UUID, set[str]] = {}
        for visit, book in ward.standing().items():
            books.setdefault(book, set()).add(visit.partition("-")[2])
        assert all(len(whose) == 1 for whose in books.values()), books


@pytest.mark.parametrize("mistake", ["number_of", "name_of"])
@pytest.mark.parametrize("seed", range(3))
def test_b161_b170_no_book_ever_holds_the_visits_of_two_patients(
    http: httpx.Client, stand: Stand, seed: int, mistake: str
) -> None:
    ward = Ward(http, stand)
    walk(ward, seed=seed, mistake=mistake)

    for who in range(3):  # what is wrong is taken back, and everything told rightly
        ward.delete(who)
    for visit in ward.standing():
        ward.withdraw(visit)
    for _ in range(2):
        for who in range(3):
            ward.send(who, ward.told(who))
        work_off(stand)
    for who in range(3):
        ward.send(who, ward.encounter(who, 0) | {"meta": {"lastUpdated": "2099-01-01T00:00:00Z"}})
    work_off(stand)
    assert {ward.visit(who, 0): ward.owner(who) for who in range(3)}.items() <= ward.standing().items()
