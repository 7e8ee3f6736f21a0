"""Somebody is given another personal id: they come to their book again, by papers that were seen."""

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from app.core.db import Login
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.demo.phone import SignInFailed, browse
from app.identity import reissuing
from app.identity.reissuing import Reissue
from tests.identity.families import Families
from tests.identity.signing_in import Scene
from tests.ingestion import messages
from tests.people import now

SERIALS = count(1)
BOOK = """{ me { ... on Citizen { nationalId birthDate identifiers { masked joinId } } }
  healthBook { visits { nodes { id } } } }"""
JOIN = "mutation($input: JoinIdentifierInput!) { done: joinIdentifier(input: $input) { joinId } }"
UNDO = "mutation($input: UndoJoinInput!) { done: undoJoin(input: $input) { joinId } }"


@pytest.fixture(scope="module")
def desk(scene: Scene) -> str:
    return scene.stand.facility("01901")


@dataclass(frozen=True)
class Patient:
    """A person with an old number and a new one, whose sex was corrected."""

    scene: Scene
    desk: str
    serial: int
    name: str = "Nguyễn Thị Bảy"
    born: str = "1966-05-01"

    @property
    def old(self) -> str:
        return f"974066{self.serial:06}"  # says MALE

    @property
    def new(self) -> str:
        return f"974166{self.serial:06}"  # says FEMALE

    @property
    def card(self) -> str:
        return f"DN4019{self.serial:09}"

    def visit(self, number: str, **changed: str) -> str | None:
        """Send a visit; the state of its message."""
        told = {
            "SO_CCCD": number,
            "MA_LK": f"R{next(SERIALS)}",
            "HO_TEN": self.name,
            "NGAY_SINH": self.born.replace("-", "") + "0000",
            "GIOI_TINH": "1" if number == self.old else "2",
            "MA_THE_BHYT": "",
        }
        body = messages.envelope(messages.visit_xml({"XML1": [{**messages.VISIT, **told, **changed}]}))
        return self.scene.stand.file(body, token=self.desk)

    def sign_in(self, number: str, *, subject: str = "one", born: str = "") -> dict[str, Any]:
        said = {
            "sub": f"{subject}-{self.serial}",
            "preferred_username": number,
            "name": self.name,
            "birthdate": born or self.born,
        }
        phone = self.scene.phone()
        with self.scene.misbehaving(**said), self.scene.browser() as http:
            back = browse(phone.url, account="citizen:1", http=http)
            return phone.tokens(http, came_back_to=back)

    def paper(self, **changed: Any) -> Reissue:
        """Return the paper of the police."""
        paper = Reissue(
            old=self.old,
            new=self.new,
            full_name=self.name,
            birth_on=date.fromisoformat(self.born),
            identifier_id=new_id(now=now()),
            join_id=new_id(now=now()),
        )
        return replace(paper, **changed)

    def reissue(self, **changed: Any) -> UUID:
        step = partial(reissuing.reissue, paper=self.paper(**changed), vault=self.scene.stand.vault)
        return self.scene.stand.run(Login.MIGRATOR, step)

    def book(self, tokens: dict[str, Any]) -> Any:
        answer = self.scene.ask(BOOK, tokens["access_token"])
        assert "errors" not in answer, answer
        return answer["data"]

    def visits(self, tokens: dict[str, Any]) -> int:
        return len(self.book(tokens)["healthBook"]["visits"]["nodes"])

    def do(self, query: str, **given: str) -> Any:
        """Do a mutation as whom the old number names, with a fresh factor."""
        stand = self.scene.stand
        token = stand.citizen_token(stand.citizen_by(self.old), stepped_up=True)
        asked = {"query": query, "variables": {"input": {"idempotencyKey": f"r{next(SERIALS)}", **given}}}
        with self.scene.browser() as http:
            return http.post(
                f"{self.scene.url}/graphql", json=asked, headers={"Authorization": f"Bearer {token}"}
            ).json()

    def work(self) -> None:
        waiting = "SELECT id FROM intake.message WHERE status = 'received' ORDER BY (format = 'split') DESC, id"
        for row in self.scene.stand.as_owner(waiting):
            self.scene.stand.process(row.id)


@pytest.fixture
def patient(scene: Scene, desk: str) -> Patient:
    return Patient(scene, desk, next(SERIALS))


def test_who_was_given_another_number_is_told_the_way_and_comes_to_the_old_book(patient: Patient) -> None:
    assert patient.visit(patient.old) == "filed"
    before = patient.sign_in(patient.old)
    with pytest.raises(SignInFailed) as failed:
        patient.sign_in(patient.new)
    assert "được cấp lại số định danh" in failed.value.page
    assert "given another number" in failed.value.page

    citizen = patient.reissue()

    assert not patient.scene.is_alive(before)
    (row,) = patient.scene.stand.as_owner("SELECT sex FROM auth.citizen WHERE id = :id", id=citizen)
    assert row.sex == "FEMALE"
    tokens = patient.sign_in(patient.new)
    found = patient.book(tokens)
    assert found["me"]["nationalId"] == patient.new
    assert {one["masked"][-4:] for one in found["me"]["identifiers"]} == {patient.old[-4:], patient.new[-4:]}
    assert [patient.visit(number) for number in (patient.new, patient.old)] == ["filed"] * 2
    assert patient.visits(tokens) == 3
    lines = patient.scene.stand.as_owner("SELECT action FROM audit.line WHERE citizen_id = :id", id=citizen)
    assert "PERSONAL_ID_REISSUED" in {line.action for line in lines}


def test_a_corrected_birth_date_comes_with_the_number(patient: Patient) -> None:
    """The sex stays, as the new number says; what hospitals still tell with the wrong date waits."""
    same_sex = f"974076{patient.serial:06}"
    assert patient.visit(patient.old) == "filed"
    patient.sign_in(patient.old)

    patient.reissue(new=same_sex, birth_on=date(1976, 5, 1))

    tokens = patient.sign_in(same_sex, subject="another", born="1976-05-01")
    assert patient.book(tokens)["me"]["birthDate"] == "1976-05-01"
    assert patient.visit(same_sex, NGAY_SINH="197605010000", GIOI_TINH="1") == "filed"
    assert patient.visit(patient.old) == "quarantined"
    assert patient.visits(tokens) == 2


def test_what_came_under_the_new_number_is_joined_and_its_person_may_part_it(patient: Patient) -> None:
    card = {"MA_THE_BHYT": patient.card, "GT_THE_TU": "20260101", "GT_THE_DEN": "20261231", "MA_DKBD": "01901"}
    assert patient.visit(patient.old, **card) == "filed"
    old = patient.sign_in(patient.old)
    assert patient.visit(patient.new) == "filed"
    assert patient.visit(patient.new, **card) == "quarantined"  # the card is of the old book
    new = patient.sign_in(patient.new, subject="another")
    assert [patient.visits(one) for one in (old, new)] == [1, 1]

    patient.reissue()
    patient.work()

    assert [patient.scene.is_alive(one) for one in (old, new)] == [False, False]
    tokens = patient.sign_in(patient.new, subject="another")
    assert patient.visits(tokens) == 3
    (join,) = {one["joinId"] for one in patient.book(tokens)["me"]["identifiers"]} - {None}
    assert patient.do(UNDO, joinId=join)["data"]["done"] == {"joinId": join}
    patient.work()
    stand = patient.scene.stand
    assert stand.citizen_by(patient.new) != stand.citizen_by(patient.old)
    patient.reissue()
    patient.work()
    assert patient.visits(patient.sign_in(patient.new, subject="another")) == 3


def test_t6_a_paper_that_may_be_of_somebody_else_joins_nothing(patient: Patient) -> None:
    with pytest.raises(NotFound, match="No open book"):
        patient.reissue()
    assert patient.visit(patient.old) == "filed"
    tokens = patient.sign_in(patient.old)
    for wrong in (
        {"full_name": "Trần Thị Khác"},
        {"birth_on": date(1976, 5, 1)},  # and the sex, by the new number
    ):
        with pytest.raises(Conflict, match="one person"):
            patient.reissue(**wrong)
    for none in (patient.old, "12345"):
        with pytest.raises(Invalid):
            patient.reissue(new=none)
    assert patient.scene.is_alive(tokens)

    other = Families(patient.scene.stand).citizen("Trần Thị Khác", born=date(1966, 5, 1), number=patient.new)
    with pytest.raises(Conflict):
        patient.reissue()
    assert patient.scene.stand.citizen_by(patient.new) == other


def test_a_book_with_a_family_is_not_joined_before_that_ends_and_nothing_is_done_twice(patient: Patient) -> None:
    assert [patient.visit(number) for number in (patient.old, patient.new)] == ["filed"] * 2
    stand = patient.scene.stand
    other = stand.citizen_by(patient.new)
    Families(stand).represent(other, stand.citizen_by(patient.old))
    with pytest.raises(Conflict, match="representation"):
        patient.reissue()
    stand.as_owner("DELETE FROM auth.representation WHERE dependant_id = :id", id=other)

    assert patient.reissue() == stand.citizen_by(patient.new)
    with pytest.raises(Conflict):
        patient.reissue()


def test_b161_nobody_joins_a_personal_id_by_knowing_it_and_is_told_the_way(patient: Patient) -> None:
    assert [patient.visit(number) for number in (patient.old, patient.new)] == ["filed"] * 2
    (error,) = patient.do(JOIN, kind="PERSONAL_ID", number=patient.new)["errors"]
    assert error["extensions"]["code"] == "INVALID"
    assert "giấy xác nhận" in error["message"]
