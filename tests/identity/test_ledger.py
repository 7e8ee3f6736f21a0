"""Consents, numbers that are joined and parted, records that are somebody else's: by wire and queue."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.identity.families import Families
from tests.ingestion import messages
from tests.ingestion.messages import VISIT
from tests.people import Stand

LEDGER = """{ me { ... on Citizen {
  consentTexts { purpose version text }
  consents { nodes { id purpose version text givenAt confirmedBy withdrawnAt aboutId } } } } }"""
NUMBERS = "{ me { ... on Citizen { identifiers { id kind masked validUntil joinId } } } }"
VISITS = "{ healthBook { version visits { nodes { facility { code } provenance { messageId } } } } }"
GIVE = "mutation($input: GiveConsentInput!) { done: giveConsent(input: $input) { consent { id purpose withdrawnAt } } }"
WITHDRAW = (
    "mutation($input: WithdrawConsentInput!) "
    "{ done: withdrawConsent(input: $input) { consent { id purpose withdrawnAt } } }"
)
JOIN = "mutation($input: JoinIdentifierInput!) { done: joinIdentifier(input: $input) { joinId identifiers { kind } } }"
UNDO = "mutation($input: UndoJoinInput!) { done: undoJoin(input: $input) { joinId } }"
DISOWN = "mutation($input: DisownRecordInput!) { done: disownRecord(input: $input) { visits } }"


class Person:
    """A person whom a hospital knows by a personal id, and by an old one too, as somebody of the same name."""

    def __init__(self, stand: Stand, http: httpx.Client, serial: int, facility: str) -> None:
        self.stand, self.http, self.facility = stand, http, facility
        self.name, self.born = f"Nguyễn Thị Sáu {serial}", "196503140000"
        self.number, self.old = f"9791650{serial:05d}", f"9{serial:08d}"
        self.keys = 0
        self.message = self.push(self.number, f"new-{serial}")
        self.id = stand.citizen_by(self.number)

    def push(self, number: str, visit: str, **changed: str) -> UUID:
        """File a visit and return its message."""
        told = {"SO_CCCD": number, "HO_TEN": self.name, "NGAY_SINH": self.born, "MA_THE_BHYT": "", "MA_LK": visit}
        body = messages.envelope(messages.visit_xml({"XML1": [{**VISIT, **told, **changed}]}))
        message = self.stand.keep(body, token=self.facility)
        assert self.stand.process(message) in {"filed", "quarantined"}
        return message

    def token(self, *actions: str) -> str:
        token = self.stand.citizen_token(self.id)
        for action in actions:
            self.stand.as_owner(
                "INSERT INTO auth.step_up SELECT id, :action, now() + interval '5 minutes' FROM auth.session "
                "WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
                token=token,
                action=action,
            )
        return token

    def post(self, query: str, *actions: str, **variables: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.token(*actions)}"}
        return self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers).json()

    def do(self, query: str, *actions: str, **given: Any) -> Any:
        """Do a mutation; its payload, or the code of the refusal."""
        self.keys += 1
        answer = self.post(query, *actions, input={"idempotencyKey": f"k{self.keys}", **given})
        return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["done"]

    def join(self, number: str, kind: str = "OLD_ID") -> Any:
        return self.do(JOIN, "IDENTIFIERS", kind=kind, number=number)

    def work(self) -> None:
        """Work off what waits, as the worker does, the most urgent first."""
        waiting = "SELECT id FROM intake.message WHERE status = 'received' ORDER BY (format = 'split') DESC, id"
        for row in self.stand.as_owner(waiting):
            self.stand.process(row.id)

    def messages(self) -> set[str]:
        """Return the messages that the visits of the book came by."""
        found = self.post(VISITS)["data"]["healthBook"]["visits"]["nodes"]
        return {one["provenance"]["messageId"] for one in found}

    def lines(self) -> list[str]:
        rows = self.stand.as_owner("SELECT action FROM audit.line WHERE citizen_id = :id ORDER BY n", id=self.id)
        return [row.action for row in rows]


@pytest.fixture(scope="module")
def facility(stand: Stand) -> str:
    return stand.facility("01901")


@pytest.fixture(scope="module")
def serials() -> Callable[[], int]:
    made = iter(range(1, 10_000))
    return lambda: next(made)


@pytest.fixture
def person(stand: Stand, http: httpx.Client, facility: str, serials: Callable[[], int]) -> Person:
    return Person(stand, http, serials(), facility)


# ---- consents


def test_nothing_is_agreed_before_somebody_says_so_and_each_purpose_by_itself(person: Person) -> None:
    me = person.post(LEDGER)["data"]["me"]

    assert me["consents"]["nodes"] == []
    assert [(one["purpose"], one["version"]) for one in me["consentTexts"]] == [
        ("NOTICES", 1),
        ("REPRESENTATION", 1),
        ("SHARING", 1),
        ("STATISTICS", 1),
    ]


def test_a_consent_says_what_when_and_how_and_goes_as_easily_as_it_came(person: Person) -> None:
    given = person.do(GIVE, purpose="NOTICES", version=1)["consent"]
    assert person.do(GIVE, purpose="NOTICES", version=1) == "CONFLICT"
    (entry,) = person.post(LEDGER)["data"]["me"]["consents"]["nodes"]
    assert (entry["id"], entry["purpose"], entry["confirmedBy"]) == (given["id"], "NOTICES", "SIGNED_IN")
    assert entry["text"].startswith("Tôi đồng ý để Sổ Khỏe gửi lời nhắc")
    assert (entry["withdrawnAt"], entry["aboutId"]) == (None, None)

    taken = person.do(WITHDRAW, consentId=given["id"])["consent"]

    assert taken["withdrawnAt"] is not None
    assert person.do(WITHDRAW, consentId=given["id"]) == "NOT_FOUND"
    assert person.do(GIVE, purpose="NOTICES", version=1)["consent"]["id"] != given["id"]
    assert len(person.post(LEDGER)["data"]["me"]["consents"]["nodes"]) == 2
    assert person.lines() == ["CONSENT_GIVEN", "CONSENT_WITHDRAWN", "CONSENT_GIVEN"]
    log = person.post("{ accessLog { nodes { action purpose } } }")
    # What a person agrees to is none of the purposes for which a book is read.
    assert [one["purpose"] for one in log["data"]["accessLog"]["nodes"]] == [None] * 3
    assert "errors" not in log


@pytest.mark.parametrize(
    ("purpose", "version"), [("NOTICES", 2), ("NOTICES", 0), ("REPRESENTATION", 1), ("SHARING", 1)]
)
def test_only_a_text_in_force_is_agreed_to(person: Person, purpose: str, version: int) -> None:
    assert person.do(GIVE, purpose=purpose, version=version) == "INVALID"


def test_no_consent_below_level_2_for_the_ledger_says_level_2(person: Person, stand: Stand, http: httpx.Client) -> None:
    token = person.token()
    stand.as_owner("UPDATE auth.session SET level = 1 WHERE token_hash = sha256(convert_to(:t, 'UTF8'))", t=token)
    asked = {"idempotencyKey": "low", "purpose": "NOTICES", "version": 1}

    answer = http.post(
        "/graphql", json={"query": GIVE, "variables": {"input": asked}}, headers={"Authorization": f"Bearer {token}"}
    )

    assert answer.json()["errors"][0]["extensions"]["code"] == "REFUSED"
    assert person.lines() == []


def test_b131_anothers_consent_is_not_found(person: Person, stand: Stand, http: httpx.Client, facility: str) -> None:
    other = Person(stand, http, 9_001, facility)
    given = other.do(GIVE, purpose="STATISTICS", version=1)["consent"]["id"]

    for wanted in (given, str(UUID(int=7)), "x"):
        assert person.do(WITHDRAW, consentId=wanted) == "NOT_FOUND"


def test_a_mandate_is_a_consent_and_ends_with_it(person: Person, stand: Stand) -> None:
    ask = (
        "mutation($input: AskRepresentativeInput!) { done: askRepresentative(input: $input) { representation { id } } }"
    )
    asked = person.do(ask, "GUARDIANS", personalId="979099999998", fullName="Ai Đó", kind="MANDATE", extent="FULL")[
        "representation"
    ]["id"]
    (entry,) = person.post(LEDGER)["data"]["me"]["consents"]["nodes"]
    assert (entry["aboutId"], entry["confirmedBy"], entry["purpose"]) == (asked, "SECOND_FACTOR", "REPRESENTATION")

    person.do(WITHDRAW, consentId=entry["id"])

    (row,) = stand.as_owner("SELECT ended_at FROM auth.representation WHERE id = :id", id=UUID(asked))
    assert row.ended_at is not None


# ---- numbers


def test_numbers_are_listed_masked_with_their_history(person: Person) -> None:
    (number,) = person.post(NUMBERS)["data"]["me"]["identifiers"]

    assert (number["kind"], number["masked"]) == ("PERSONAL_ID", "•" * 8 + person.number[-4:])
    assert (number["validUntil"], number["joinId"]) == (None, None)


def test_a_joined_number_brings_its_visits_and_parting_takes_them_away_again_and_again(
    person: Person, stand: Stand
) -> None:
    old = person.push(person.old, f"old-{person.old}")
    (other,) = stand.as_owner("SELECT citizen_id FROM auth.filing WHERE message_id = :id", id=old)
    assert other.citizen_id != person.id
    assert person.messages() == {str(person.message)}

    for _ in range(2):
        join = person.join(person.old)["joinId"]
        person.work()
        assert person.messages() == {str(person.message), str(old)}
        later = {one["kind"]: one["joinId"] for one in person.post(NUMBERS)["data"]["me"]["identifiers"]}
        assert later == {"PERSONAL_ID": None, "OLD_ID": join}

        assert person.do(UNDO, "IDENTIFIERS", joinId=join) == {"joinId": join}
        person.work()
        assert person.messages() == {str(person.message)}
        (home,) = stand.as_owner("SELECT citizen_id FROM auth.filing WHERE message_id = :id", id=old)
        assert home.citizen_id == other.citizen_id
        assert person.do(UNDO, "IDENTIFIERS", joinId=join) == "NOT_FOUND"
    assert person.lines() == ["IDENTIFIER_JOINED", "IDENTIFIER_JOIN_UNDONE"] * 2


def test_after_a_join_a_message_with_the_old_number_comes_into_the_book(person: Person) -> None:
    person.push(person.old, f"old-{person.old}")
    person.join(person.old)
    person.work()

    later = person.push(person.old, f"later-{person.old}")

    assert str(later) in person.messages()


def test_an_insurance_number_is_joined_by_its_card(person: Person, stand: Stand) -> None:
    card = f"DN4019{person.old}"
    filed = person.push(
        "", f"card-{person.old}", MA_THE_BHYT=card, GT_THE_TU="20260101", GT_THE_DEN="20261231", MA_DKBD="01901"
    )
    assert stand.receipt(filed, token=person.facility).status == "filed"

    printed = f"{card[:2]} {card[2]} {card[3:5]}\u00a0{card[5:]}".lower()
    assert person.join(printed, "INSURANCE_NUMBER")["joinId"]
    person.work()
    assert str(filed) in person.messages()


@pytest.mark.parametrize(
    "differs",
    [{"HO_TEN": "Trần Thị Khác"}, {"NGAY_SINH": "196503150000"}, {"NGAY_SINH": "196500000000"}, {"GIOI_TINH": "1"}],
)
def test_b161_t6_a_number_of_somebody_who_differs_is_not_joined_and_looks_like_none(
    person: Person, differs: dict[str, str]
) -> None:
    person.push(person.old, f"old-{person.old}", **differs)

    assert person.join(person.old) == "NOT_FOUND"
    assert person.join("900000000") == "NOT_FOUND"
    assert person.lines() == []


def test_a_number_of_somebody_with_a_personal_id_or_an_account_or_a_family_is_not_joined(
    person: Person, stand: Stand
) -> None:
    person.push(person.old, f"old-{person.old}")
    (other,) = stand.as_owner(
        "SELECT citizen_id AS id FROM auth.identifier WHERE lookup = :l",
        l=stand.vault.index.of(person.old, kind="OLD_ID"),
    )
    families = Families(stand)
    given = families.identifier(other.id, f"9891{person.old[-8:]}")
    assert person.join(person.old) == "NOT_FOUND"
    stand.as_owner("DELETE FROM auth.identifier WHERE id = :id", id=given)

    stand.as_owner(
        "INSERT INTO auth.account VALUES (:id, 'x', :subject, :citizen, now(), NULL)",
        id=given,
        subject=person.old,
        citizen=other.id,
    )
    assert person.join(person.old) == "NOT_FOUND"
    stand.as_owner("DELETE FROM auth.account WHERE id = :id", id=given)

    families.represent(other.id, person.id)
    assert person.join(person.old) == "NOT_FOUND"
    stand.as_owner("DELETE FROM auth.representation WHERE dependant_id = :id", id=other.id)
    assert "joinId" in person.join(person.old)
    assert person.join(person.old) == "CONFLICT"


@pytest.mark.parametrize(
    ("kind", "number"),
    [("OLD_ID", "12345678"), ("OLD_ID", "٩٩٩٩٩٩٩٩٩"), ("PASSPORT", "12345678"), ("PERSONAL_ID", "979165000001")],
)
def test_a_number_is_written_as_its_kind_is(person: Person, kind: str, number: str) -> None:
    assert person.join(number, kind) == "INVALID"


def test_b118_joining_parting_and_disowning_ask_for_a_fresh_factor(person: Person) -> None:
    person.push(person.old, f"old-{person.old}")
    assert person.do(JOIN, kind="OLD_ID", number=person.old) == "STEP_UP_REQUIRED"
    assert person.do(JOIN, "GUARDIANS", kind="OLD_ID", number=person.old) == "STEP_UP_REQUIRED"
    join = person.join(person.old)["joinId"]
    assert person.do(UNDO, joinId=join) == "STEP_UP_REQUIRED"
    assert person.do(DISOWN, messageId=str(person.message)) == "STEP_UP_REQUIRED"


# ---- "this record is not mine"


def test_a_disowned_visit_leaves_the_book_and_its_facility_is_told(person: Person, stand: Stand) -> None:
    wrong = person.push(person.number, f"other-{person.old}")
    assert str(wrong) in person.messages()

    assert person.do(DISOWN, "IDENTIFIERS", messageId=str(wrong)) == {"visits": 1}
    person.work()

    assert person.messages() == {str(person.message)}
    receipt = stand.receipt(wrong, token=person.facility)
    assert receipt.status == "quarantined"
    assert receipt.verdict is not None
    (visit,) = receipt.verdict["visits"]
    (problem,) = [one for one in visit["problems"] if one["code"] == "NOT_MINE"]
    assert (visit["status"], problem["effect"], problem["field"]) == ("quarantined", "QUARANTINES", "SO_CCCD")
    assert person.number not in str(problem)
    told = "SELECT about FROM notice.event WHERE citizen_id = :id AND kind = 'RECORD_DISOWNED'"
    assert [row.about["facility"] for row in stand.as_owner(told, id=person.id)] == ["01901"]
    assert person.lines() == ["RECORD_DISOWNED"]


def test_a_disowned_visit_is_not_filed_for_its_owner_again_but_for_the_right_person(
    person: Person, stand: Stand, http: httpx.Client, facility: str, serials: Callable[[], int]
) -> None:
    right = Person(stand, http, serials(), facility)
    visit = f"wrong-{person.number}"
    wrong = person.push(person.number, visit)
    person.do(DISOWN, "IDENTIFIERS", messageId=str(wrong))
    person.work()

    again = person.push(person.number, visit, CAN_NANG="61")
    assert stand.receipt(again, token=facility).status == "quarantined"
    assert str(again) not in person.messages()
    corrected = right.push(right.number, visit)

    assert str(corrected) in right.messages()


def test_b131_only_what_came_into_ones_own_book_is_disowned(
    person: Person, stand: Stand, http: httpx.Client, facility: str, serials: Callable[[], int]
) -> None:
    other = Person(stand, http, serials(), facility)

    for wanted in (str(other.message), str(UUID(int=7)), "x"):
        assert person.do(DISOWN, "IDENTIFIERS", messageId=wanted) == "NOT_FOUND"
    other.work()
    assert other.messages() == {str(other.message)}


def test_a_split_is_no_message_of_the_facility(person: Person, http: httpx.Client, facility: str) -> None:
    wrong = person.push(person.number, f"x-{person.number}")
    headers = {"Authorization": f"Bearer {facility}"}
    before = http.get("/ingest/messages", headers=headers).json()["messages"]
    person.do(DISOWN, "IDENTIFIERS", messageId=str(wrong))
    person.work()

    listed = http.get("/ingest/messages", headers=headers).json()["messages"]
    assert len(listed) == len(before)
    (split,) = person.stand.as_owner(
        "SELECT id FROM intake.message WHERE format = 'split' ORDER BY received_at DESC LIMIT 1"
    )
    assert http.get(f"/ingest/messages/{split.id}", headers=headers).status_code == 404


# ---- a record that is one's own after all

DISOWNED = "{ me { ... on Citizen { disownedVisits { id state undoneAt facility { code } } } } }"
TAKE_BACK = (
    "mutation($input: UndoDisownInput!) { done: undoDisown(input: $input) { disownedVisit { id state undoneAt } } }"
)


def disowned(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.post(DISOWNED)["data"]["me"]["disownedVisits"]
    return found


def test_a_disowned_visit_is_listed_and_comes_back_when_its_owner_says_so(person: Person) -> None:
    assert disowned(person) == []
    assert person.do(DISOWN, "IDENTIFIERS", messageId=str(person.message)) == {"visits": 1}
    (listed,) = disowned(person)
    assert (listed["state"], listed["undoneAt"], listed["facility"]["code"]) == ("TAKEN_OUT", None, "01901")
    assert person.do(TAKE_BACK, "IDENTIFIERS", disownedId=listed["id"]) == "CONFLICT"  # it is not out yet
    person.work()
    assert person.messages() == set()

    done = person.do(TAKE_BACK, "IDENTIFIERS", disownedId=listed["id"])["disownedVisit"]
    person.work()

    assert (done["id"], done["state"]) == (listed["id"], "TAKEN_BACK")
    assert done["undoneAt"] is not None
    assert person.messages() == {str(person.message)}
    assert [one["state"] for one in disowned(person)] == ["TAKEN_BACK"]
    assert person.lines()[-1] == "RECORD_TAKEN_BACK"
    assert person.do(TAKE_BACK, "IDENTIFIERS", disownedId=listed["id"]) == "NOT_FOUND"


def test_what_its_facility_sent_meanwhile_comes_back_too(person: Person) -> None:
    visit = f"new-{int(person.old[1:])}"
    person.do(DISOWN, "IDENTIFIERS", messageId=str(person.message))
    person.work()
    corrected = person.push(person.number, visit, CAN_NANG="61.5")
    assert person.messages() == set()

    person.do(TAKE_BACK, "IDENTIFIERS", disownedId=disowned(person)[0]["id"])
    person.work()

    assert person.messages() == {str(corrected)}


def test_a_visit_is_disowned_again_after_it_came_back(person: Person) -> None:
    for _ in range(2):
        assert person.do(DISOWN, "IDENTIFIERS", messageId=str(person.message)) == {"visits": 1}
        person.work()
        assert person.messages() == set()
        (listed,) = disowned(person)
        assert listed["state"] == "TAKEN_OUT"
        person.do(TAKE_BACK, "IDENTIFIERS", disownedId=listed["id"])
        person.work()
        assert person.messages() == {str(person.message)}


def test_a_visit_that_was_sent_for_another_is_settled(
    person: Person, stand: Stand, http: httpx.Client, facility: str, serials: Callable[[], int]
) -> None:
    other = Person(stand, http, serials(), facility)
    person.do(DISOWN, "IDENTIFIERS", messageId=str(person.message))
    person.work()
    other.push(other.number, f"new-{int(person.old[1:])}")

    (listed,) = disowned(person)
    assert listed["state"] == "SENT_FOR_ANOTHER"
    assert person.do(TAKE_BACK, "IDENTIFIERS", disownedId=listed["id"]) == "CONFLICT"
    assert len(other.messages()) == 2


def test_nobody_takes_back_what_another_disowned_or_without_a_factor(
    person: Person, stand: Stand, http: httpx.Client, facility: str, serials: Callable[[], int]
) -> None:
    person.do(DISOWN, "IDENTIFIERS", messageId=str(person.message))
    person.work()
    (listed,) = disowned(person)
    other = Person(stand, http, serials(), facility)
    assert disowned(other) == []
    assert other.do(TAKE_BACK, "IDENTIFIERS", disownedId=listed["id"]) == "NOT_FOUND"
    assert person.do(TAKE_BACK, disownedId=listed["id"]) == "STEP_UP_REQUIRED"
    assert person.messages() == set()
