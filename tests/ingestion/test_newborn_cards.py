"""Temporary cards of newborns that were written wrongly, or later: no child stands in another one's book."""

import itertools

import pytest

from tests.attacks.crowd import Member
from tests.ingestion.test_shapes import birth_of, certificate, child_of, concluded, newborn_visit
from tests.people import Stand

_NUMBERS = itertools.count(8_400)


@pytest.fixture(scope="module")
def sender(stand: Stand) -> str:
    return stand.facility("01901")


@pytest.fixture
def mothers() -> tuple[Member, Member]:
    return Member(number=next(_NUMBERS)), Member(number=next(_NUMBERS))


def card_of(mother: Member) -> str:
    return f"TE101{7_800_000_000 + mother.number}"


@pytest.mark.parametrize("minute", ["202611192314", "202611191002"])
def test_b161_a_card_of_another_newborn_of_that_day_joins_no_two_children(
    stand: Stand, sender: str, mothers: tuple[Member, Member], minute: str
) -> None:
    first, second = mothers
    card = card_of(first)
    stand.file(birth_of(first, certificate(MA_THE_TAM=card)), token=sender)
    stand.file(birth_of(second, certificate(MA_THE_TAM=card, NGAY_SINH_CON=minute)), token=sender)

    (one,), (other,) = child_of(stand, first), child_of(stand, second)
    assert one != other
    for mother, at in ((first, "202611192314"), (second, minute)):
        visit = newborn_visit(mother, f"con-{mother.number}", NGAY_SINH=at, NGAY_VAO="202611192330")
        assert stand.file(visit, token=sender) == "filed"
    homes = stand.as_owner(
        "SELECT source_id, citizen_id FROM auth.filing WHERE citizen_id IN (:one, :other)", one=one, other=other
    )
    assert {row.source_id: row.citizen_id for row in homes} == {
        f"con-{first.number}": one,
        f"con-{second.number}": other,
    }


def test_b161_a_mothers_own_card_on_the_certificate_is_not_her_childs(
    stand: Stand, sender: str, mothers: tuple[Member, Member]
) -> None:
    mother, _ = mothers
    stand.file(birth_of(mother, certificate(MA_THE_TAM=mother.card, GIOI_TINH_CON="2")), token=sender)

    (child,) = child_of(stand, mother)
    assert child != stand.citizen_by(mother.personal_id)
    assert stand.file(newborn_visit(mother, f"con-{mother.number}", GIOI_TINH="2"), token=sender) == "filed"


def test_a_card_that_comes_with_the_certificate_later_is_the_childs(
    stand: Stand, sender: str, mothers: tuple[Member, Member]
) -> None:
    mother, _ = mothers
    card = card_of(mother)
    stand.file(birth_of(mother, certificate()), token=sender)
    stand.file(birth_of(mother, certificate(MA_THE_TAM=card)), token=sender)
    line = {"MA_THE_BHYT": card, "HO_TEN": "Lê Thị Bé", "NGAY_SINH": "202611190000"}
    visit = newborn_visit(mother, f"sau-{mother.number}", **line, NGAY_VAO="202611210800", NGAY_RA="202611210900")
    assert concluded(stand, visit, sender)["status"] == "filed"

    (child,) = child_of(stand, mother)
    rows = stand.as_owner("SELECT citizen_id FROM auth.filing WHERE source_id = :visit", visit=f"sau-{mother.number}")
    assert [row.citizen_id for row in rows] == [child]
