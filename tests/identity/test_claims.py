"""Parents and guardians of children who have a book already: registered by papers, or claimed and approved."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.core.crypto import Place
from app.core.db import Login, Session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.identity import families as rules
from app.identity import family_sql
from app.identity.families import RepresentationKind, SeenPapers
from tests.identity.families import years_ago
from tests.identity.test_family_mutations import CHILD, FAMILY, FATHER, MOTHER, STRANGER, Home
from tests.people import Stand, now

CLAIM = (
    "mutation($input: ClaimRepresentationInput!) { done: claimRepresentation(input: $input) "
    "{ claim { id kind state decidedAt } } }"
)
WITHDRAW = (
    "mutation($input: WithdrawClaimInput!) { done: withdrawClaim(input: $input) { claim { id state decidedAt } } }"
)
CLAIMS = "{ me { ... on Citizen { representationClaims { id kind state decidedAt } dependants { evidence } } } }"
PAPER = "Giấy khai sinh 123/2022, UBND phường Bến Nghé"


@pytest.fixture(scope="module")
def serials() -> Callable[[], int]:
    made = iter(range(50_000, 60_000))
    return lambda: next(made)


@pytest.fixture
def home(stand: Stand, http: httpx.Client, serials: Callable[[], int]) -> Home:
    return Home(stand, http, serials())


def do(home: Home, name: str, query: str, *, stepped_up: bool = True, **given: Any) -> Any:
    """Do a mutation and return its claim, or the code of the refusal."""
    home.keys += 1
    token = home.token(name, stepped_up=stepped_up)
    answer = home.post(token, query, input={"idempotencyKey": f"c{home.keys}", **given})
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["done"]["claim"]


def claim(home: Home, name: str, child: str = CHILD, **changed: Any) -> Any:
    born = years_ago(home.day, 4).isoformat()
    asked = {"personalId": home.numbers[child], "fullName": child, "birthDate": born, "kind": "PARENT"}
    return do(home, name, CLAIM, **{**asked, **changed})


def seen(home: Home, dependant: str, representative: str, kind: str = "PARENT", **more: Any) -> SeenPapers:
    return SeenPapers(
        id=new_id(now=now()),
        dependant=home.numbers[dependant],
        representative=home.numbers[representative],
        kind=RepresentationKind(kind),
        valid_from=home.day,
        paper=PAPER,
        **more,
    )


def approve(home: Home, claim_id: str, papers: SeenPapers) -> UUID:
    async def step(session: Session) -> UUID:
        return await rules.approve_claim(session, claim_id=UUID(claim_id), papers=papers, vault=home.stand.vault)

    return home.stand.run(Login.MIGRATOR, step)


def register(home: Home, papers: SeenPapers) -> bool:
    async def step(session: Session) -> bool:
        return await rules.register(session, papers=papers, vault=home.stand.vault)

    return home.stand.run(Login.MIGRATOR, step)


def me(home: Home, name: str) -> Any:
    return home.post(home.token(name, stepped_up=False), CLAIMS)["data"]["me"]


def opens(home: Home, name: str, whom: str) -> bool:
    query = "query($id: ID) { healthBook(citizenId: $id) { version } }"
    return "errors" not in home.post(home.token(name), query, id=str(home.people[whom]))


def test_a_claim_opens_nothing_until_the_papers_were_seen(home: Home) -> None:
    made = claim(home, MOTHER)
    assert (made["kind"], made["state"], made["decidedAt"]) == ("PARENT", "OPEN", None)
    assert not opens(home, MOTHER, CHILD)
    assert home.lines(CHILD) == []

    approve(home, made["id"], seen(home, CHILD, MOTHER))

    assert opens(home, MOTHER, CHILD)
    (listed,) = me(home, MOTHER)["representationClaims"]
    assert (listed["id"], listed["state"]) == (made["id"], "APPROVED")
    assert listed["decidedAt"] is not None
    assert me(home, MOTHER)["dependants"] == [{"evidence": "PAPER"}]
    assert home.lines(CHILD)[0] == "GUARDIAN_ADDED"
    assert home.told(CHILD) == ["GUARDIAN_ADDED"]
    assert home.told(MOTHER) == ["GUARDIAN_ADDED"]
    assert home.lines(MOTHER) == ["GUARDIAN_CLAIMED"]


def test_whether_there_is_such_a_child_is_not_told_to_the_claimant(home: Home) -> None:
    real = claim(home, STRANGER)
    madeup = claim(home, STRANGER, personalId="979099999999", fullName="Không Có Ai")
    assert (real.pop("id") != madeup.pop("id"), real) == (True, madeup)


@pytest.mark.parametrize("changed", [{"fullName": "Phạm Gia Khác"}, {"birthDate": "2001-02-03"}])
def test_a_claim_that_does_not_fit_the_childs_book_is_not_approved(home: Home, changed: dict[str, str]) -> None:
    made = claim(home, MOTHER, **changed)
    with pytest.raises(NotFound, match="no book of a child"):
        approve(home, made["id"], seen(home, CHILD, MOTHER))
    assert not opens(home, MOTHER, CHILD)
    assert me(home, MOTHER)["representationClaims"][0]["state"] == "OPEN"


@pytest.mark.parametrize(("dependant", "representative"), [(CHILD, FATHER), (STRANGER, MOTHER), (MOTHER, CHILD)])
def test_papers_that_name_others_approve_nothing(home: Home, dependant: str, representative: str) -> None:
    made = claim(home, MOTHER)
    with pytest.raises(Invalid, match="papers do not agree"):
        approve(home, made["id"], seen(home, dependant, representative))
    assert not opens(home, MOTHER, CHILD)


def test_a_claim_is_decided_once(home: Home) -> None:
    made = claim(home, MOTHER)
    approve(home, made["id"], seen(home, CHILD, MOTHER))
    with pytest.raises(NotFound):
        approve(home, made["id"], seen(home, CHILD, MOTHER))
    again = claim(home, MOTHER)
    with pytest.raises(Conflict, match="represents the child already"):
        approve(home, again["id"], seen(home, CHILD, MOTHER))


def test_a_claim_is_refused_or_taken_back_and_then_nobody_approves_it(home: Home) -> None:
    refused, withdrawn = claim(home, MOTHER), claim(home, FATHER)

    async def step(session: Session) -> bool:
        return await family_sql.refuse_claim(session, claim_id=UUID(refused["id"]))

    assert home.stand.run(Login.MIGRATOR, step)
    assert not home.stand.run(Login.MIGRATOR, step)
    assert do(home, FATHER, WITHDRAW, stepped_up=False, claimId=withdrawn["id"])["state"] == "WITHDRAWN"
    for made, name in ((refused, MOTHER), (withdrawn, FATHER)):
        with pytest.raises(NotFound):
            approve(home, made["id"], seen(home, CHILD, name))
        assert not opens(home, name, CHILD)


def test_nobody_takes_back_anothers_claim(home: Home) -> None:
    made = claim(home, MOTHER)
    assert do(home, FATHER, WITHDRAW, claimId=made["id"]) == "NOT_FOUND"
    assert do(home, MOTHER, WITHDRAW, claimId="x") == "NOT_FOUND"
    assert me(home, MOTHER)["representationClaims"][0]["state"] == "OPEN"


def test_the_same_is_claimed_once_and_five_wait_at_most(home: Home) -> None:
    claim(home, MOTHER)
    assert claim(home, MOTHER) == "CONFLICT"
    for at in range(4):
        assert claim(home, MOTHER, personalId=f"97909000000{at}")["state"] == "OPEN"
    assert claim(home, MOTHER, personalId="979090000009") == "CONFLICT"


def test_a_claim_wants_a_fresh_factor_and_a_kind_that_is_claimed(home: Home) -> None:
    born = years_ago(home.day, 4).isoformat()
    asked = {"personalId": home.numbers[CHILD], "fullName": CHILD, "birthDate": born, "kind": "PARENT"}
    assert do(home, MOTHER, CLAIM, stepped_up=False, **asked) == "STEP_UP_REQUIRED"
    assert claim(home, MOTHER, kind="COURT") == "INVALID"
    assert claim(home, MOTHER, kind="MANDATE") == "INVALID"
    assert claim(home, MOTHER, personalId="123") == "INVALID"


def test_a_representation_is_registered_by_papers_that_stay_sealed(home: Home) -> None:
    papers = seen(home, CHILD, FATHER)
    assert register(home, papers)
    assert not register(home, seen(home, CHILD, FATHER))

    assert opens(home, FATHER, CHILD)
    rows = home.stand.as_owner("SELECT paper_sealed AS it FROM auth.representation WHERE id = :id", id=papers.id)
    place = Place(table="auth.representation", column="paper_sealed", row_id=papers.id)
    assert home.stand.vault.sealer.open(rows[0].it, place=place).decode() == PAPER
    assert PAPER.encode() not in bytes(rows[0].it)
    assert home.post(home.token(FATHER), FAMILY)["data"]["me"]["dependants"][0]["evidence"] == "PAPER"


def test_what_cannot_be_registered_says_why(home: Home) -> None:
    with pytest.raises(Invalid, match="askRepresentative"):
        register(home, seen(home, CHILD, FATHER, "MANDATE"))
    with pytest.raises(Invalid, match="one person"):
        register(home, seen(home, CHILD, CHILD))
    home.numbers[STRANGER] = "979099999998"
    with pytest.raises(NotFound):
        register(home, seen(home, CHILD, STRANGER))
