"""A walk through what can be done to a book: by two hospitals, by its owner; and a model of what doctors then see.

The model knows only what was done. Of the database it is told which records rest, and under which ids.
"""

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import httpx

from app.core.ids import new_id
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.crowd import Member
from tests.conftest import Ground
from tests.differential.shown import VIETNAM
from tests.identity.test_ledger import DISOWN, DISOWNED, TAKE_BACK
from tests.ingestion import messages
from tests.people import Stand, now
from tests.sharing.sharing import FREEZE, MASK, REVOKE, UNMASK, Clinic, a_key
from tests.sharing.test_differential import GRANT

PARTS = """{ visits { nodes { id } } prescriptions { nodes { id } } testResults { nodes { id } }
  documents { nodes { id } }
  appointments { nodes { id } } withdrawals { id } }"""
SHARED = f"query ($grant: ID!) {{ sharedHealthBook(grantId: $grant) {PARTS} }}"
OWN = f"{{ healthBook {PARTS} }}"
CHANGES = """query ($since: String) { bookChanges(since: $since) {
  cursor isReset hasMore records { id } tombstones { id } } }"""
VISITS = {"01901": 1, "01902": 2}
"""The day in November of each facility's one visit."""
CLASSES = {"J02.9": None, "F32.0": "MENTAL_HEALTH", "B20": "HIV"}
ALL = ["VISITS", "PRESCRIPTIONS", "TEST_RESULTS", "DOCUMENTS", "APPOINTMENTS"]
SCOPES: Sequence[Mapping[str, Any]] = (
    {"sections": ALL, "sensitive": ["HIV", "MENTAL_HEALTH"]},
    {"sections": ALL},
    {"sections": ["PRESCRIPTIONS", "DOCUMENTS"], "sensitive": ["MENTAL_HEALTH"]},
    {"sections": ["VISITS", "TEST_RESULTS"], "facilityCodes": ["01901"]},
)
PAGES = {
    "visit": ("visits", "VISITS"),
    "prescription": ("prescriptions", "PRESCRIPTIONS"),
    "test_report": ("testResults", "TEST_RESULTS"),
    "document": ("documents", "DOCUMENTS"),
    "appointment": ("appointments", "APPOINTMENTS"),
}
RECORDS = ("prescription", "test_report", "document")
"""What goes and comes with its visit; appointments and withdrawals stay when the visit goes."""
RESTING = """
SELECT id, facility_code, 'visit' AS name, '' AS key FROM book.visit WHERE citizen_id = $1
UNION ALL SELECT id, facility_code, 'prescription', source_id FROM book.prescription WHERE citizen_id = $1
UNION ALL SELECT id, facility_code, 'test_report', source_id FROM book.test_report WHERE citizen_id = $1
UNION ALL SELECT id, facility_code, 'document', source_id FROM book.document WHERE citizen_id = $1
UNION ALL SELECT id, facility_code, 'appointment', id::text FROM care.appointment WHERE citizen_id = $1
UNION ALL SELECT id, facility_code, 'withdrawal', id::text FROM book.withdrawal WHERE citizen_id = $1"""
_NUMBERS = count(1)
Key = tuple[str, str, str]
"""Facility, table, and key within the visit: what a record is, whatever its id. Each facility has one visit."""
Scope = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where walks are walked: one database and its server."""

    stand: Stand
    ground: Ground
    settings: Settings
    http: httpx.Client
    senders: Mapping[str, str]

    def resting(self, citizen: UUID) -> dict[Key, str]:
        """Return what rests of somebody behind every policy: the record's id by what it is."""

        async def look() -> dict[Key, str]:
            async with tries.as_superuser(self.ground, self.settings) as superuser:
                rows = await superuser.fetch(RESTING, citizen)
                return {(row["facility_code"], row["name"], row["key"]): str(row["id"]) for row in rows}

        return tries.run(look)


@dataclass(slots=True)
class Grant:
    """What a doctor was given."""

    doctor: str
    scope: Scope
    is_live: bool = True


@dataclass(slots=True)
class Model:
    """What was done, and what follows from it."""

    diagnoses: dict[str, str] = field(default_factory=dict)
    hidden: set[Key] = field(default_factory=set)
    closed: set[str] = field(default_factory=set)
    withdrawn: dict[Key, str] = field(default_factory=dict)

    def hides(self, key: Key) -> bool:
        """Tell whether the owner hid a record or its visit, which hides what comes to it later too."""
        return key in self.hidden or (key[1] in RECORDS and (key[0], "visit", "") in self.hidden)

    def appears(self, key: Key) -> None:
        """Let an appointment or a withdrawal be as hidden as its visit is now."""
        if (key[0], "visit", "") in self.hidden:
            self.hidden.add(key)

    def shows(self, key: Key, scope: Scope, *, unmasked: bool = False) -> bool:
        """Tell whether a scope shows a record. What was taken back stays of the class that it was of.

        `unmasked` is somebody from whom the owner hides nothing.
        """
        facility, table, _name = key
        name = CLASSES[self.withdrawn.get(key, self.diagnoses[facility])]
        return (
            PAGES.get(table, PAGES["visit"])[1] in scope["sections"]
            and (unmasked or not self.hides(key))
            and (name is None or (name in scope.get("sensitive", ()) and (unmasked or name not in self.closed)))
            and facility in scope.get("facilityCodes", VISITS)
        )


class Walk:
    """One citizen with a visit at each of two hospitals, and doctors. Each step is drawn by lot."""

    def __init__(self, place: Place, drawn: random.Random) -> None:
        self.place, self.drawn, self.model, self.steps = place, drawn, Model(), ["begin"]
        self.who = Member(number=next(_NUMBERS) + 5_000)
        self.clinic = Clinic(place.stand, place.http)
        self.messages: dict[str, UUID] = {}
        self.disowned: set[str] = set()
        self.told: dict[str, str] = {}
        self.grants: dict[str, Grant] = {}
        self.copy: set[str] = set()
        self.cursor: str | None = None
        self.citizen: UUID | None = None
        self._tell("01901", diagnosis="J02.9")
        self.citizen = place.stand.citizen_by(self.who.personal_id)
        self.token = self.clinic.citizen(self.citizen)
        self._share(SCOPES[0])

    def step(self) -> None:
        """Do something."""
        kinds = self.kinds()
        kind = self.drawn.choices(list(kinds), list(kinds.values()))[0]
        self.steps.append(kind.__name__)
        hidden = {key for key in self.resting() if self.model.hides(key)}
        kind()
        self.model.hidden |= hidden - set(self.resting())  # what goes while it is hidden comes back hidden

    def kinds(self) -> dict[Callable[[], None], int]:
        """Return what may be done, and how often each in comparison."""
        return {
            self.tell: 4, self.hide: 4, self.show: 2, self.withdraw: 3, self.withdraw_and_send_again: 2, self.disown: 1,
            self.take_back: 1, self.close_class: 1, self.share: 2, self.end: 1,
        }  # fmt: skip

    # ---- the hospitals

    def tell(self) -> None:
        """A hospital sends its visit, or a newer version of it."""
        self._tell(self.drawn.choice(list(VISITS)), diagnosis=self.drawn.choice(list(CLASSES)))

    def _tell(self, facility: str, *, diagnosis: str) -> None:
        day, named = f"2026110{VISITS[facility]}", {"MA_LK": f"{self.who.visit_id}.{facility}"}
        summary = {**self.who.tables()["XML1"][0], **named, "MA_CSKCB": facility, "MA_BENH_CHINH": diagnosis}
        summary |= {"NGAY_VAO": f"{day}0800", "NGAY_RA": f"{day}1000", "NGAY_TTOAN": f"{day}1005", "MA_BENH_KT": ""}
        summary |= {"NGAY_TAI_KHAM": f"2099010{VISITS[facility]}", "GHI_CHU": f"Lần gửi {next(_NUMBERS)}"}
        drug = {**messages.DRUG, **named, "NGAY_YL": f"{day}0900"}
        drugs = [
            {**drug, "STT": str(n), "MA_BAC_SI": f"00123{n}/BYT-CCHN"} for n in self.drawn.choice([[1], [2], [1, 2]])
        ]
        tables: dict[str, Any] = {"XML1": [summary], "XML2": drugs}
        if self.drawn.random() < 0.5:
            tables["XML3"] = [{**messages.SERVICE, **named, "NGAY_YL": f"{day}0900", "NGAY_KQ": f"{day}0930"}]
            tables["XML4"] = [{**messages.RESULT, **named, "NGAY_KQ": f"{day}0930"}]
        if self.drawn.random() < 0.5:
            tables["XML7"] = [{**messages.DISCHARGE, **named, "NGAY_CT": day}]
        made = f"{now().astimezone(VIETNAM):%Y%m%d}"
        body = messages.envelope(messages.visit_xml(tables), facility=facility, issued=made)
        before = self.resting()
        self.messages[facility] = self.place.stand.keep(body, token=self.place.senders[facility])
        status = self.place.stand.process(self.messages[facility])
        assert status == ("quarantined" if facility in self.disowned else "filed"), status
        (self.told if facility in self.disowned else self.model.diagnoses)[facility] = diagnosis
        for key in set(self.resting()) - set(before):
            if key[1] == "appointment":
                self.model.appears(key)

    def withdraw(self) -> None:
        """A hospital takes its visit back, or one record of it."""
        if key := self._one(*PAGES, but="appointment"):
            self._withdraw(key)

    def withdraw_and_send_again(self) -> None:
        """A hospital takes its visit back and then sends it again."""
        if key := self._one("visit"):
            self._withdraw(key)
            self._tell(key[0], diagnosis=self.model.diagnoses[key[0]])

    def _withdraw(self, key: Key) -> None:
        facility, table, name = key
        asked: dict[str, Any] = {"visit": f"{self.who.visit_id}.{facility}", "reason": "Gửi nhầm"}
        if table != "visit":
            asked["record"] = {"kind": table.upper(), "key": name}
        headers = {"Authorization": f"Bearer {self.place.senders[facility]}", "Content-Type": "application/json"}
        before = self.resting()
        answer = self.place.http.post("/ingest/withdrawals", content=json.dumps(asked), headers=headers)
        assert answer.status_code == 202, answer.text
        self.place.stand.process(UUID(answer.json()["messageId"]))
        self._taken_out(before, facility)

    # ---- the owner

    def hide(self) -> None:
        """The owner hides a visit or a record."""
        if key := self._one(*self.drawn.choice([["visit"], ["prescription"], [*PAGES, "withdrawal"]])):
            resting = self.resting()
            assert "errors" not in self._ask(MASK, recordIds=[resting[key]])
            self.model.hidden.add(key)
            for one in resting:
                if key[1] == "visit" and one[0] == key[0] and one[1] not in RECORDS:
                    self.model.appears(one)

    def show(self) -> None:
        """The owner shows one again: not while its visit is hidden."""
        key = self._one(*PAGES, "withdrawal")
        if key is None:
            return
        answer = self._ask(UNMASK, recordIds=[self.resting()[key]])
        rests = (key[0], "visit", "") in self.resting()
        if key[1] != "visit" and rests and (key[0], "visit", "") in self.model.hidden:
            assert answer["errors"][0]["extensions"]["code"] == "CONFLICT"
        else:
            assert "errors" not in answer, answer
            whole = key[1] == "visit"
            self.model.hidden -= {one for one in self.model.hidden if one == key or (whole and one[0] == key[0])}

    def close_class(self) -> None:
        """The owner hides a whole class, or shows it again."""
        name, closes = self.drawn.choice(["HIV", "MENTAL_HEALTH"]), self.drawn.random() < 0.5
        assert "errors" not in self._ask(MASK if closes else UNMASK, classes=[name])
        (self.model.closed.add if closes else self.model.closed.discard)(name)

    def disown(self) -> None:
        """The owner says that a visit is somebody else's."""
        if key := self._one("visit"):
            before = self.resting()
            assert "errors" not in self._ask(DISOWN, messageId=str(self.messages[key[0]]))
            self._work()
            self._taken_out(before, key[0])
            self.disowned.add(key[0])

    def take_back(self) -> None:
        """The owner says that what was disowned is theirs after all."""
        for one in self.clinic.data(self.token, DISOWNED)["disownedVisits"]:
            if one["state"] == "TAKEN_OUT":
                assert "errors" not in self._ask(TAKE_BACK, disownedId=one["id"])
        self._work()
        self.disowned.clear()
        self.model.diagnoses |= self.told
        self.told.clear()

    def share(self) -> None:
        """The owner lets one more doctor have a grant."""
        self._share(self.drawn.choice(SCOPES))

    def _share(self, scope: Scope) -> None:
        if sum(one.is_live for one in self.grants.values()) < 2:
            doctor, grant = self.clinic.doctor(), new_id(now=now())
            self.place.stand.as_owner(
                GRANT, id=grant, citizen=self.citizen, doctor=self.clinic.doctors[doctor], scope=json.dumps(scope)
            )
            self.grants[str(grant)] = Grant(doctor, scope)

    def end(self) -> None:
        """The owner ends a grant, or all of them, or lets sharing begin again."""
        ended = [grant for grant, one in self.grants.items() if one.is_live]
        how = self.drawn.choice(["revoke", "freeze", "thaw"])
        if how == "revoke":
            ended = ended[:1]
            assert all("errors" not in self._ask(REVOKE, grantId=grant) for grant in ended)
        else:
            assert "errors" not in self._ask(FREEZE, frozen=how == "freeze")
        for grant in [] if how == "thaw" else ended:
            self.grants[grant].is_live = False

    # ---- what is seen

    def look(self) -> None:
        """Compare what the owner sees, what their phone keeps, and what each doctor sees with the model."""
        resting = self.resting()
        assert not {facility for facility, table, _name in resting if table == "visit"} & self.disowned
        assert ids_of(self.clinic.data(self.token, OWN)) == set(resting.values()), self
        self._follow()
        assert self.copy == {id_ for key, id_ in resting.items() if key[1] != "withdrawal"}, self
        for grant, one in self.grants.items():
            if one.is_live:
                seen = ids_of(self.clinic.data(one.doctor, SHARED, grant=grant))
                wrong = [key for key, id_ in resting.items() if self.model.shows(key, one.scope) != (id_ in seen)]
                assert not wrong, (wrong, self)
            else:
                assert self.clinic.code_of(one.doctor, SHARED, grant=grant) == "NOT_FOUND", self

    def resting(self) -> dict[Key, str]:
        """Return the ids of what rests."""
        return self.place.resting(self.citizen) if self.citizen else {}

    def __repr__(self) -> str:
        """Return the way to here."""
        return f"{self.steps} {self.model} {self.grants} {self.resting()}"

    def _follow(self) -> None:
        """Bring the copy on the owner's phone up to date."""
        page = self.clinic.data(self.token, CHANGES, since=self.cursor)
        assert not page["hasMore"]
        self.cursor, told = page["cursor"], {one["id"] for one in page["records"]}
        self.copy = (told if page["isReset"] else self.copy | told) - {one["id"] for one in page["tombstones"]}

    def _one(self, *tables: str, but: str = "") -> Key | None:
        keys = sorted(key for key in self.resting() if key[1] in tables and key[1] != but)
        return self.drawn.choice(keys) if keys else None

    def _ask(self, query: str, **what: Any) -> Any:
        return self.clinic.ask(self.token, query, input={"idempotencyKey": a_key(), **what}).json()

    def _taken_out(self, before: Mapping[Key, str], facility: str) -> None:
        after = self.resting()
        (new,) = set(after) - set(before)
        gone = set(before) - set(after)
        assert {key[0] for key in gone} == {facility}
        self.model.withdrawn[new] = self.model.diagnoses[facility]
        self.model.appears(new)
        if (facility, "visit", "") not in gone and gone & self.model.hidden:
            self.model.hidden.add(new)

    def _work(self) -> None:
        waiting = "SELECT id FROM intake.message WHERE status = 'received' ORDER BY (format = 'split') DESC, id"
        for row in self.place.stand.as_owner(waiting):
            self.place.stand.process(row.id)


def ids_of(book: Any) -> set[str]:
    pages = [(book[page] or {"nodes": []})["nodes"] for page, _section in PAGES.values()]
    return {node["id"] for nodes in [*pages, book["withdrawals"] or []] for node in nodes}
