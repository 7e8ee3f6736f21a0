"""Whatever is done to a child's book, at whichever age, who represents them sees and may do what the model says."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from tests.conftest import Ground
from tests.identity.families import Families, today, years_ago
from tests.people import Stand
from tests.sharing.sharing import MASK, a_key
from tests.sharing.walking import ALL, CHANGES, PARTS, VISITS, Place, Walk, ids_of

WALKS, STEPS = 6, 40
BOOK = f"query ($citizen: ID!) {{ healthBook(citizenId: $citizen) {PARTS} }}"
FOLLOW = CHANGES.replace(
    "query ($since: String) { bookChanges(", "query ($citizen: ID!) { bookChanges(citizenId: $citizen, "
)
FOLLOW = FOLLOW.replace(", since: $since", "")
SUMMARY = ["VISITS", "PRESCRIPTIONS", "APPOINTMENTS"]
AGES = (3, 7, 13, 14, 15, 17, 18, 40)
KINDS = ("PARENT", "PARENT", "GUARDIAN", "COURT", "MANDATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What somebody who represents another one sees and may do."""

    sections: list[str]
    acts_in_everything: bool
    """Sees what is hidden, hides, and follows the book."""


class FamilyWalk(Walk):
    """A book whose owner grows up and down again, and one other person who represents them or does not."""

    def __init__(self, place: Place, drawn: random.Random) -> None:
        super().__init__(place, drawn)
        assert self.citizen is not None
        self.families = Families(place.stand)
        self.relative = self.families.citizen("Người Thân", born=years_ago(today(place.stand), 60))
        self.relative_token = self.clinic.citizen(self.relative)
        self.age, self.kind, self.extent = 40, "", "FULL"
        self.birthday()
        self.stand_for()

    def kinds(self) -> dict[Callable[[], None], int]:
        """Return what may be done; not what files older messages again, which tell another birth date."""
        kinds = {**super().kinds(), self.birthday: 3, self.stand_for: 2, self.leave: 1, self.relative_hides: 3}
        return {kind: often for kind, often in kinds.items() if kind not in {self.disown, self.take_back}}

    def birthday(self) -> None:
        """The owner is of another age; hospitals write the birth date that they are told."""
        self.age = self.drawn.choice(AGES)
        born = years_ago(today(self.place.stand), self.age, days=self.drawn.choice([0, 1, 200]))
        self.families.born(self._owner, born)
        self.who = replace(self.who, fields={"NGAY_SINH": f"{born:%Y%m%d}0000"})

    def stand_for(self) -> None:
        """Somebody represents the owner, in place of what they were to them before."""
        self._change("ended_at = now()")
        self.kind, self.extent = self.drawn.choice(KINDS), self.drawn.choice(["FULL", "SUMMARY"])
        self.families.represent(self._owner, self.relative, self.kind, extent=self.extent)

    def leave(self) -> None:
        """They represent them no more: it was ended, or its time is over, or has not come."""
        day = today(self.place.stand)
        before, after = day - timedelta(days=1), day + timedelta(days=1)
        ways = ["ended_at = now()", f"valid_until = '{before}'", f"valid_from = '{after}', valid_until = NULL"]
        self._change(self.drawn.choice(ways))
        self.kind = ""

    def _change(self, what: str) -> None:
        live = "WHERE dependant_id = :owner AND ended_at IS NULL"
        self.place.stand.as_owner(f"UPDATE auth.representation SET {what} {live}", owner=self._owner)

    def relative_hides(self) -> None:
        """Who represents them hides a record for them, if they may."""
        resting = self.resting()
        keys = sorted(key for key in resting if key[1] != "withdrawal")
        if not keys:
            return
        key = self.drawn.choice(keys)
        asked = {"idempotencyKey": a_key(), "citizenId": str(self.citizen), "recordIds": [resting[key]]}
        answer = self.clinic.ask(self.relative_token, MASK, input=asked).json()
        rights = self.rights()
        if rights is None or not rights.acts_in_everything:
            assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND", self
            return
        assert "errors" not in answer, (answer, self)
        self.model.hidden.add(key)
        for one in resting:
            if key[1] == "visit" and one[0] == key[0] and one[1] in {"appointment", "withdrawal"}:
                self.model.appears(one)

    def rights(self) -> Rights | None:
        """Return what the law gives today, written down apart from the product's data."""
        whole = self.extent == "FULL"
        match self.kind:
            case "PARENT" | "GUARDIAN" if self.age < 18:
                return Rights(sections=ALL if self.age < 15 else SUMMARY, acts_in_everything=self.age < 14)
            case "COURT":
                return Rights(sections=ALL if whole else SUMMARY, acts_in_everything=True)
            case "MANDATE" if self.age >= 18:
                return Rights(sections=ALL if whole else SUMMARY, acts_in_everything=False)
        return None

    def look(self) -> None:
        super().look()
        rights = self.rights()
        if rights is None:
            for query in (BOOK, FOLLOW):
                assert self.clinic.code_of(self.relative_token, query, citizen=str(self.citizen)) == "NOT_FOUND", self
            return
        classes = ["MENTAL_HEALTH"] if self.age >= 15 else ["MENTAL_HEALTH", "HIV"]
        scope, unmasked = {"sections": rights.sections, "sensitive": classes}, rights.acts_in_everything
        resting = self.resting()
        seen = ids_of(self.clinic.data(self.relative_token, BOOK, citizen=str(self.citizen)))
        shown = {key for key in resting if self.model.shows(key, scope, unmasked=unmasked)}
        wrong = [key for key, id_ in resting.items() if (key in shown) != (id_ in seen)]
        assert not wrong, (wrong, self.age, self.kind, self.extent, self)
        page = self.clinic.data(self.relative_token, FOLLOW, citizen=str(self.citizen))
        listed = {resting[key] for key in shown if key[1] != "withdrawal"}
        assert page["isReset"]
        assert {one["id"] for one in page["records"]} == listed, self

    @property
    def _owner(self) -> UUID:
        assert self.citizen is not None
        return self.citizen


@pytest.mark.long
def test_t21_b140_at_whichever_age_a_representative_sees_and_does_what_the_model_says(
    stand: Stand, ground: Ground, settings: Settings, http: httpx.Client
) -> None:
    senders = {facility: stand.facility(facility, name=f"Bệnh viện {facility}") for facility in VISITS}
    place = Place(stand=stand, ground=ground, settings=settings, http=http, senders=senders)
    for seed in range(WALKS):
        walk = FamilyWalk(place, random.Random(seed))
        for _ in range(STEPS):
            walk.look()
            walk.step()
        walk.look()
