"""Families over the wire: asked, accepted, ended, listed, by whom it may be and by nobody else."""

import asyncio
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import httpx
import pytest

from app.core.db import Login
from app.core.ids import new_id
from tests.identity.families import Families, today, years_ago
from tests.people import Stand, now
from tests.sockets import PATIENCE

FAMILY = """{ me { ... on Citizen {
  dependants { id kind extent evidence isAccepted narrowsOn dependant { id fullName }
               otherRepresentatives { fullName } }
  representatives { id kind extent isAccepted validUntil representative { fullName } }
  askedToRepresent { id kind dependant { fullName } representative { fullName } } } } }"""
ASK = (
    "mutation($input: AskRepresentativeInput!) { done: askRepresentative(input: $input) "
    "{ representation { id kind } } }"
)
ACCEPT = (
    "mutation($input: AcceptRepresentationInput!) { done: acceptRepresentation(input: $input) "
    "{ representation { id } } }"
)
END = (
    "mutation($input: EndRepresentationInput!) { done: endRepresentation(input: $input) "
    "{ representation { id isEnded extent } } }"
)
VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
MOTHER, FATHER, CHILD, STRANGER = "Lê Thị Thu Hà", "Phạm Văn Bảo", "Phạm Gia Bảo", "Trần Thị Lạ"


class Home:
    """A mother, a father, a child of 4 and a stranger, each with a personal id, and how they ask."""

    def __init__(self, stand: Stand, http: httpx.Client, serial: int) -> None:
        self.stand, self.http = stand, http
        self.families = Families(stand)
        self.day = today(stand)
        self.numbers = {name: f"9790{at}{serial:07d}" for at, name in enumerate((MOTHER, FATHER, CHILD, STRANGER))}
        ages = {MOTHER: 36, FATHER: 40, CHILD: 4, STRANGER: 30}
        self.people = {
            name: self.families.citizen(name, born=years_ago(self.day, ages[name]), number=number)
            for name, number in self.numbers.items()
        }
        self.keys = 0

    def token(self, name: str, *, stepped_up: bool = True) -> str:
        token = self.stand.citizen_token(self.people[name])
        if stepped_up:
            self.stand.as_owner(
                "INSERT INTO auth.step_up SELECT id, 'GUARDIANS', now() + interval '5 minutes' FROM auth.session "
                "WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
                token=token,
            )
        return token

    def post(self, token: str, query: str, **variables: Any) -> Any:
        asked = {"query": query, "variables": variables}
        return self.http.post("/graphql", json=asked, headers={"Authorization": f"Bearer {token}"}).json()

    def do(self, name: str, query: str, *, stepped_up: bool = True, **given: Any) -> Any:
        """Do a mutation and return its representation, or the code of the refusal."""
        self.keys += 1
        answer = self.post(
            self.token(name, stepped_up=stepped_up), query, input={"idempotencyKey": f"k{self.keys}", **given}
        )
        if "errors" in answer:
            return answer["errors"][0]["extensions"]["code"]
        return answer["data"]["done"]["representation"]

    def ask(self, name: str, whom: str, **given: Any) -> Any:
        return self.do(name, ASK, **{"personalId": self.numbers[whom], "fullName": whom, **given})

    def me(self, name: str) -> Any:
        return self.post(self.token(name, stepped_up=False), FAMILY)["data"]["me"]

    def lines(self, name: str) -> list[str]:
        rows = self.stand.as_owner(
            "SELECT action FROM audit.line WHERE citizen_id = :id ORDER BY n", id=self.people[name]
        )
        return [row.action for row in rows]

    def told(self, name: str) -> list[str]:
        rows = self.stand.as_owner(
            "SELECT kind FROM notice.event WHERE citizen_id = :id ORDER BY id", id=self.people[name]
        )
        return [row.kind for row in rows]


@pytest.fixture(scope="module")
def serials() -> Callable[[], int]:
    made = iter(range(1, 10_000))
    return lambda: next(made)


@pytest.fixture
def home(stand: Stand, http: httpx.Client, serials: Callable[[], int]) -> Home:
    return Home(stand, http, serials())


def test_an_adult_gives_a_mandate_that_the_other_accepts_and_takes_it_back(home: Home) -> None:
    asked = home.ask(MOTHER, FATHER, kind="MANDATE", extent="SUMMARY")
    assert asked["kind"] == "MANDATE"
    assert home.me(FATHER)["dependants"] == []
    assert home.me(FATHER)["askedToRepresent"] == [
        {"id": asked["id"], "kind": "MANDATE", "dependant": {"fullName": MOTHER}, "representative": None}
    ]
    (waiting,) = home.me(MOTHER)["representatives"]
    assert (waiting["isAccepted"], waiting["extent"], waiting["representative"]) == (False, "NONE", None)
    assert waiting["validUntil"] == str(years_ago(home.day, -1, days=1))

    assert home.do(FATHER, ACCEPT, representationId=asked["id"]) == {"id": asked["id"]}
    (mandate,) = home.me(FATHER)["dependants"]
    assert (mandate["extent"], mandate["dependant"]["fullName"], mandate["narrowsOn"]) == ("SUMMARY", MOTHER, None)
    assert home.me(FATHER)["askedToRepresent"] == []

    ended = home.do(MOTHER, END, representationId=asked["id"])
    assert ended == {"id": asked["id"], "isEnded": True, "extent": "NONE"}
    assert home.me(FATHER)["dependants"] == home.me(MOTHER)["representatives"] == []
    assert home.lines(MOTHER) == ["GUARDIAN_ASKED", "GUARDIAN_ADDED", "GUARDIAN_ENDED"]
    assert home.told(MOTHER) == ["GUARDIAN_ADDED", "GUARDIAN_ENDED"]
    assert home.told(FATHER) == ["GUARDIAN_ADDED"]


def test_a_mandate_that_was_over_by_its_date_is_given_again(home: Home) -> None:
    first = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL")
    home.do(FATHER, ACCEPT, representationId=first["id"])
    over = "UPDATE auth.representation SET valid_until = :day WHERE id = :id"
    home.stand.as_owner(over, day=home.day - timedelta(days=1), id=UUID(first["id"]))

    again = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL")

    assert home.do(FATHER, ACCEPT, representationId=again["id"]) == {"id": again["id"]}
    assert [one["id"] for one in home.me(FATHER)["dependants"]] == [again["id"]]
    ended = home.stand.as_owner("SELECT ended_at FROM auth.representation WHERE id = :id", id=UUID(first["id"]))[0]
    assert ended.ended_at == datetime.combine(home.day, time(), VIET_NAM)


def test_who_represents_somebody_already_is_told_so(home: Home) -> None:
    asked = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL")
    home.families.represent(home.people[MOTHER], home.people[FATHER], "MANDATE")

    assert home.do(FATHER, ACCEPT, representationId=asked["id"]) == "CONFLICT"
    assert home.do(FATHER, END, representationId=asked["id"])["isEnded"]


def test_a_parent_lets_the_other_parent_represent_their_child_beside_them(home: Home) -> None:
    home.families.represent(home.people[CHILD], home.people[MOTHER])
    asked = home.ask(MOTHER, FATHER, citizenId=str(home.people[CHILD]), kind="PARENT")
    home.do(FATHER, ACCEPT, representationId=asked["id"])

    for parent, other in ((MOTHER, FATHER), (FATHER, MOTHER)):
        (own,) = home.me(parent)["dependants"]
        assert (own["dependant"]["id"], own["extent"]) == (str(home.people[CHILD]), "FULL")
        assert own["otherRepresentatives"] == [{"fullName": other}]
        assert own["narrowsOn"] == str(years_ago(home.day, 4 - 14))
    assert {one["representative"]["fullName"] for one in home.me(CHILD)["representatives"]} == {MOTHER, FATHER}
    assert home.told(CHILD) == home.told(MOTHER) == home.told(FATHER) == ["GUARDIAN_ADDED"]


def test_b140_two_guardians_cannot_lock_each_other_out(home: Home) -> None:
    mine = home.families.represent(home.people[CHILD], home.people[MOTHER])
    other = home.families.represent(home.people[CHILD], home.people[FATHER])

    assert home.do(MOTHER, END, representationId=str(other)) == "NOT_FOUND"
    assert home.do(CHILD, END, representationId=str(mine)) == "NOT_FOUND"
    assert home.do(STRANGER, END, representationId=str(mine)) == "NOT_FOUND"
    assert home.do(FATHER, END, representationId=str(other))["isEnded"]
    assert home.do(MOTHER, END, representationId=str(mine)) == "CONFLICT"
    assert home.me(FATHER)["dependants"] == []
    assert len(home.me(MOTHER)["dependants"]) == 1


@pytest.mark.parametrize("age", [0, 13, 14, 17])
def test_the_last_guardian_stays_while_the_account_runs_through_them(home: Home, age: int) -> None:
    home.families.born(home.people[CHILD], years_ago(home.day, age))
    row = home.families.represent(home.people[CHILD], home.people[MOTHER])

    ended = home.do(MOTHER, END, representationId=str(row))

    assert (ended == "CONFLICT") == (age < 14)


def test_i8_of_two_last_guardians_who_withdraw_at_once_one_stays(home: Home) -> None:
    for _ in range(5):
        rows = {name: home.families.represent(home.people[CHILD], home.people[name]) for name in (MOTHER, FATHER)}
        asyncio.run(_withdraw_at_once(home, {home.token(name): row for name, row in rows.items()}))
        left = home.stand.as_owner(
            "SELECT id FROM auth.representation WHERE dependant_id = :id AND ended_at IS NULL", id=home.people[CHILD]
        )
        assert len(left) == 1
        home.stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE id = :id", id=left[0].id)


async def _withdraw_at_once(home: Home, rows: dict[str, UUID]) -> None:
    """Let the bearer of each token lay down a representation, all at once."""
    async with httpx.AsyncClient(base_url=home.http.base_url, timeout=PATIENCE) as client:
        await asyncio.gather(
            *(
                client.post(
                    "/graphql",
                    json={
                        "query": END,
                        "variables": {"input": {"idempotencyKey": str(row), "representationId": str(row)}},
                    },
                    headers={"Authorization": f"Bearer {token}"},
                )
                for token, row in rows.items()
            )
        )


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"kind": "PARENT"}, "INVALID"),
        ({"kind": "COURT", "extent": "FULL"}, "INVALID"),
        ({"kind": "MANDATE"}, "INVALID"),
        ({"kind": "MANDATE", "extent": "NONE"}, "INVALID"),
        ({"kind": "MANDATE", "extent": "FULL", "until": "2020-01-01"}, "INVALID"),
        ({"kind": "MANDATE", "extent": "FULL", "personalId": "123"}, "INVALID"),
        ({"kind": "MANDATE", "extent": "FULL", "personalId": "٩٩٠٠٠٠٠٠٠٠٠٠"}, "INVALID"),
        ({"kind": "PARENT", "citizenId": "7"}, "NOT_FOUND"),
        ({"kind": "PARENT", "citizenId": str(UUID(int=7))}, "NOT_FOUND"),
    ],
)
def test_what_may_not_be_asked(home: Home, changed: dict[str, Any], code: str) -> None:
    assert home.ask(MOTHER, FATHER, **changed) == code
    assert home.lines(MOTHER) == []


def test_b107_who_may_not_share_a_childs_book_asks_nobody_for_it(home: Home) -> None:
    child = str(home.people[CHILD])
    home.families.represent(home.people[CHILD], home.people[MOTHER])
    assert home.ask(STRANGER, FATHER, citizenId=child, kind="PARENT") == "NOT_FOUND"

    home.families.born(home.people[CHILD], years_ago(home.day, 14))
    assert home.ask(MOTHER, FATHER, citizenId=child, kind="PARENT") == "NOT_FOUND"
    home.families.born(home.people[CHILD], years_ago(home.day, 14, days=-1))
    assert home.ask(MOTHER, FATHER, citizenId=child, kind="PARENT")["kind"] == "PARENT"


def test_a_child_gives_no_mandate(home: Home) -> None:
    home.families.born(home.people[CHILD], years_ago(home.day, 17))

    assert home.ask(CHILD, FATHER, kind="MANDATE", extent="FULL") == "INVALID"


def test_t23_whether_somebody_exists_is_not_told_and_another_name_accepts_nothing(home: Home) -> None:
    nobody = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL", personalId="979099999999")
    wrong = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL", fullName="Phạm Văn Báo Khác")

    assert set(nobody) == set(wrong) == {"id", "kind"}
    assert home.me(FATHER)["askedToRepresent"] == []
    assert home.do(FATHER, ACCEPT, representationId=wrong["id"]) == "NOT_FOUND"
    assert home.do(STRANGER, ACCEPT, representationId=nobody["id"]) == "NOT_FOUND"


def test_nobody_asks_twice_and_an_answer_comes_within_14_days(home: Home) -> None:
    asked = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL")
    assert home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL") == "CONFLICT"
    home.stand.as_owner(
        "UPDATE auth.representation SET added_at = added_at - interval '14 days' WHERE id = :id", id=UUID(asked["id"])
    )

    assert home.me(FATHER)["askedToRepresent"] == []
    assert home.do(FATHER, ACCEPT, representationId=asked["id"]) == "NOT_FOUND"


def test_who_is_asked_may_decline_and_who_asked_may_withdraw(home: Home) -> None:
    for who in (FATHER, MOTHER):
        asked = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL")
        assert home.do(STRANGER, END, representationId=asked["id"]) == "NOT_FOUND"
        ended = home.do(who, END, representationId=asked["id"])
        assert ended == (None if who == FATHER else {"id": asked["id"], "isEnded": True, "extent": "NONE"})
        assert home.me(FATHER)["askedToRepresent"] == []
        assert home.do(FATHER, ACCEPT, representationId=asked["id"]) == "NOT_FOUND"


def test_what_a_former_guardian_asked_falls_with_their_own_right(home: Home) -> None:
    home.families.represent(home.people[CHILD], home.people[FATHER])
    row = home.families.represent(home.people[CHILD], home.people[MOTHER])
    asked = home.ask(MOTHER, STRANGER, citizenId=str(home.people[CHILD]), kind="GUARDIAN")
    home.do(MOTHER, END, representationId=str(row))

    assert home.do(STRANGER, ACCEPT, representationId=asked["id"]) == "NOT_FOUND"


@pytest.mark.parametrize("how", ["over", "fourteen"])
def test_t21_what_a_guardian_asked_falls_when_their_right_is_over_by_itself(home: Home, how: str) -> None:
    child = home.people[CHILD]
    row = home.families.represent(child, home.people[MOTHER], "GUARDIAN")
    asked = home.ask(MOTHER, STRANGER, citizenId=str(child), kind="GUARDIAN")
    assert [one["id"] for one in home.me(STRANGER)["askedToRepresent"]] == [asked["id"]]
    if how == "fourteen":
        home.families.born(child, years_ago(home.day, 14))
    else:
        ended = home.day - timedelta(days=1)
        home.stand.as_owner("UPDATE auth.representation SET valid_until = :day WHERE id = :id", day=ended, id=row)

    assert home.me(STRANGER)["askedToRepresent"] == []
    assert home.do(STRANGER, ACCEPT, representationId=asked["id"]) == "NOT_FOUND"


@pytest.mark.parametrize("verb", ["ask", "accept", "end"])
def test_b118_every_change_asks_for_a_fresh_factor(home: Home, verb: str) -> None:
    asked = home.ask(MOTHER, FATHER, kind="MANDATE", extent="FULL")
    does = {
        "ask": lambda: home.ask(FATHER, MOTHER, kind="MANDATE", extent="FULL", stepped_up=False),
        "accept": lambda: home.do(FATHER, ACCEPT, stepped_up=False, representationId=asked["id"]),
        "end": lambda: home.do(MOTHER, END, stepped_up=False, representationId=asked["id"]),
    }

    assert does[verb]() == "STEP_UP_REQUIRED"


def test_b136_nothing_but_what_is_asked_can_be_set(home: Home) -> None:
    given = {"kind": "MANDATE", "extent": "FULL"}
    for name in ("evidence", "acceptedAt", "representativeId"):
        assert home.ask(MOTHER, FATHER, **{**given, name: "PAPER"}) == "INVALID"


def test_a_birth_certificate_makes_the_mother_a_representative(home: Home) -> None:
    born_at = now()
    child = home.families.citizen("Con bà Hà", born=today(home.stand))
    adult = home.people[STRANGER]
    for who, certificate in ((child, "GCS1"), (adult, "GCS2")):
        home.stand.as_owner(
            "SELECT auth.represent_newborn(:mother, :child, :born, :message)",
            mother=home.people[MOTHER],
            child=who,
            born=born_at,
            message=new_id(now=now()),
        )
        assert certificate

    (only,) = home.me(MOTHER)["dependants"]
    assert (only["dependant"]["id"], only["evidence"], only["kind"]) == (str(child), "BIRTH_CERTIFICATE", "PARENT")
    assert home.told(MOTHER) == ["GUARDIAN_ADDED"]


def test_of_a_books_owner_the_family_is_not_told(home: Home) -> None:
    home.families.represent(home.people[CHILD], home.people[MOTHER])
    query = "{ healthBook { owner { fullName dependants { id } representatives { id } askedToRepresent { id } } } }"

    owner = home.post(home.token(MOTHER, stepped_up=False), query)["data"]["healthBook"]["owner"]

    assert owner == {"fullName": MOTHER, "dependants": None, "representatives": None, "askedToRepresent": None}


def test_the_desk_reads_no_other_familys_rows(home: Home) -> None:
    home.families.represent(home.people[CHILD], home.people[MOTHER])
    token = home.token(STRANGER)

    async def rows() -> tuple[int, int]:
        connection = await home.stand.connect(Login.DESK)
        try:
            async with connection.transaction():
                await connection.fetchrow("SELECT * FROM auth.sign_in($1, NULL)", token)
                counted = "SELECT (SELECT count(*) FROM auth.representation), (SELECT count(*) FROM auth.citizen)"
                return tuple(await connection.fetchrow(counted))
        finally:
            await connection.close()

    assert asyncio.run(rows()) == (0, 1)
