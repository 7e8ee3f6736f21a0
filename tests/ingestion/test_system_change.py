"""A hospital changes its system and sends two years again, by either door: nothing is doubled, all can be undone."""

import itertools
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from app.commands.facility_change import split_body
from app.core.clock import VIETNAM_TIME
from app.core.crypto import Place
from app.core.db import Login, Session
from app.core.errors import Invalid, NotFound
from app.core.ids import new_id
from app.facilities import registry, sql
from app.facilities.sql import ChangeEntry
from tests.ingestion import messages
from tests.ingestion.fhir import bundles
from tests.people import Stand, now

PEOPLE = itertools.count(1)
OLD, NEW, BRANCH = "01901", "01901", "79001"
BOOK = """{ healthBook { version
  visits { nodes { id startedAt facility { code } diagnoses { code } services { code }
    provenance { version messageId sources { facility { code } sourceId messageId } } } }
  prescriptions { nodes { id items { drugName } } } testResults { nodes { id results { name valueText } } }
  documents { nodes { id } } vaccinations { nodes { id sources { facility { code } } } }
  imaging { id studyUid } allergies { id substance } conditions { code } } }"""


class Hospital:
    """One person's book, and a hospital that writes into it by two doors."""

    def __init__(self, stand: Stand, http: httpx.Client) -> None:
        self.stand, self.http = stand, http
        self.number = f"0011850{next(PEOPLE):05d}"
        self.token = stand.facility(OLD)
        stand.facility(BRANCH)
        stand.as_owner("UPDATE directory.facility_change SET undone_at = now() WHERE undone_at IS NULL")

    def xml(
        self,
        visit: str,
        *,
        at: str,
        made: str,
        facility: str = OLD,
        status: str = "filed",
        tables: Mapping[str, Mapping[str, str]] | None = None,
    ) -> UUID:
        """Send one visit with all its tables; returns the message's id."""
        sent = {
            name: [self._moved({**line, "MA_LK": visit, **(tables or {}).get(name, {})}, at=at)]
            for name, line in messages.LINES.items()
        }
        sent["XML1"][0] |= {"MA_CSKCB": facility}
        body = messages.envelope(messages.visit_xml(sent), facility=facility, issued=made)
        return self.sends(body, facility=facility, status=status)

    def _moved(self, line: Mapping[str, str | None], *, at: str) -> dict[str, str | None]:
        person = {"SO_CCCD": self.number, "MA_THE_BHYT": ""} if "SO_CCCD" in line else {}
        moved = {
            name: at + value[8:] if value and name.startswith("NGAY_") and value.startswith("20261120") else value
            for name, value in line.items()
        }
        return {**moved, **person}

    def fhir(
        self,
        visit: str,
        *,
        status: str = "filed",
        facility: str = OLD,
        change: Callable[[dict[str, Any]], None] | None = None,
        made: str = "2026-11-20T11:00:00+07:00",
    ) -> UUID:
        """Send one visit with everything as a Bundle whose every id ends as the visit's does."""
        resources = bundles.everything()
        resources["patient"]["identifier"] = [{"system": f"{bundles.SID}/cccd", "value": self.number}]
        resources["visit"]["identifier"] = [{"system": f"{bundles.SID}/ma-lk", "value": visit}]
        resources["hospital"]["identifier"] = [{"system": f"{bundles.SID}/cskcb", "value": facility}]
        for name in ("long", "allergy", "shot", "paper", "revisit"):
            resources[name]["id"] = f"{name}-{visit}"
        if change is not None:
            change(resources)
        body = bundles.encoded(bundles.bundle(resources, made=made))
        return self.sends(body, facility=facility, status=status)

    def sends(self, body: bytes, *, facility: str, status: str) -> UUID:
        token = self.stand.facility(facility)
        kept = self.stand.keep(body, token=token)
        assert self.stand.process(kept) == status, self.stand.receipt(kept, token=token).verdict
        return kept

    def verdict(self, message: UUID, *, facility: str = OLD) -> dict[str, Any]:
        found = self.stand.receipt(message, token=self.stand.facility(facility)).verdict
        assert found is not None
        return found

    def changes(
        self, *, code: str = NEW, predecessor: str = OLD, kind: str = "SYSTEM", begins: date | None = None
    ) -> UUID:
        """Declare a change that began today, and that two years are sent again."""
        first = begins or today()
        entry = ChangeEntry(
            id=new_id(now=now()),
            code=code,
            predecessor=predecessor,
            kind=kind,
            resent_from=first - timedelta(days=730),
            begins_on=first,
            ends_on=None,
        )
        self.stand.run(Login.MIGRATOR, partial(registry.declare_change, entry=entry, now=now()))
        return entry.id

    def undoes(self, change: UUID) -> int:
        """Undo it as the command does, and let the worker do what is to be done."""
        kept: list[UUID] = []

        async def step(session: Session) -> None:
            for one in await registry.undo_change(session, change_id=change):
                split = new_id(now=now())
                place = Place(table="intake.message", column="body", row_id=split)
                sealed = self.stand.vault.sealer.seal(split_body(one), place=place)
                await sql.keep_split(session, split_id=split, facility_code=one.facility, sealed=sealed)
                kept.append(split)

        self.stand.run(Login.MIGRATOR, step)
        for split in kept:
            assert self.stand.process(split) == "filed"
        for row in self.stand.as_owner("SELECT id FROM intake.message WHERE status = 'received' ORDER BY received_at"):
            self.stand.process(row.id)
        return len(kept)

    def book(self) -> dict[str, Any]:
        token = self.stand.citizen_token(self.stand.citizen_by(self.number))
        answer = self.http.post("/graphql", json={"query": BOOK}, headers={"Authorization": f"Bearer {token}"}).json()
        assert "errors" not in answer, answer
        found: dict[str, Any] = answer["data"]["healthBook"]
        return found

    def counts(self) -> dict[str, int]:
        return {
            name: len(told["nodes"] if isinstance(told, dict) else told)
            for name, told in self.book().items()
            if name != "version"
        }


def today() -> date:
    return now().astimezone(VIETNAM_TIME).date()


def ids(book: Mapping[str, Any], name: str = "visits") -> list[str]:
    return [one["id"] for one in book[name]["nodes"]]


@pytest.fixture
def hospital(stand: Stand, http: httpx.Client) -> Hospital:
    return Hospital(stand, http)


@pytest.mark.parametrize("door", ["xml", "fhir"])
def test_two_years_that_are_sent_again_under_new_ids_are_not_doubled(hospital: Hospital, door: str) -> None:
    days = [f"{today() - timedelta(days=days):%Y%m%d}" for days in (367, 266, 99)]
    for number, at in enumerate(days):
        hospital.xml(f"{hospital.number}.old.{number}", at=at, made=at)
    before = hospital.book()
    hospital.changes()
    for number, at in enumerate(days):
        visit = f"{hospital.number}.new.{number}"
        if door == "xml":
            sent = hospital.xml(visit, at=at, made=f"{today():%Y%m%d}", tables={"XML1": {"LY_DO_VV": "Ho (gửi lại)"}})
        else:
            day = f"{at[:4]}-{at[4:6]}-{at[6:]}"
            sent = hospital.fhir(visit, made=now().isoformat(), change=partial(on_day, day=day))
        (told,) = hospital.verdict(sent)["visits"]
        assert [one["code"] for one in told["problems"] if one["code"] == "SAME_VISIT"] == ["SAME_VISIT"]
    after = hospital.book()
    assert ids(after) == ids(before)
    assert len(ids(after, "testResults")) == len(ids(before, "testResults")) + (3 * 1 if door == "fhir" else 0)
    assert [one["provenance"]["version"] for one in after["visits"]["nodes"]] == [2, 2, 2]
    for one in after["visits"]["nodes"]:
        first, again = one["provenance"]["sources"]
        assert (".old." in first["sourceId"], ".new." in again["sourceId"]) == (True, True)
        assert first["messageId"] != again["messageId"] == one["provenance"]["messageId"]


def on_day(resources: dict[str, Any], *, day: str, without: tuple[str, ...] = ()) -> None:
    """Move everything of the sample visit to another day, without what XML does not tell."""
    for name in ("shot", "long", "allergy", "revisit", "study", "picture", "paper", "binary", *without):
        resources.pop(name)
    text = json.dumps(resources).replace("2026-11-20", day)
    resources.clear()
    resources.update(json.loads(text))


def test_everything_that_fhir_tells_stands_once_after_it_is_sent_again(hospital: Hospital) -> None:
    def earlier(resources: dict[str, Any]) -> None:
        text = json.dumps(resources).replace("2026-11-20", "2026-06-20")
        resources.clear()
        resources.update(json.loads(text))

    hospital.fhir(f"{hospital.number}.old", change=earlier)
    before, counted = hospital.book(), hospital.counts()
    hospital.changes()
    for minute in (1, 2):
        hospital.fhir(f"{hospital.number}.new", change=earlier, made=f"2026-11-22T09:0{minute}:00+07:00")
        after = hospital.book()
        assert hospital.counts() == counted
        for name in ("visits", "prescriptions", "testResults", "documents"):
            assert ids(after, name) == ids(before, name), name
        for name in ("imaging", "allergies"):
            assert [one["id"] for one in after[name]] == [one["id"] for one in before[name]], name
    assert min(counted[name] for name in ("visits", "documents", "imaging", "allergies", "vaccinations")) == 1
    entries = hospital.verdict(
        hospital.fhir(f"{hospital.number}.new", change=earlier, made="2026-11-22T09:05:00+07:00")
    )
    assert {one["outcome"] for one in entries["entries"]} <= {"replaced", "unchanged", "used", "ignored"}


def test_what_may_be_the_same_waits_and_what_is_new_is_filed(hospital: Hospital) -> None:
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    hospital.changes()
    other = {"NGAY_VAO": "202603010915", "NGAY_RA": "202603011130"}
    unclear = hospital.xml(
        f"{hospital.number}.a", at="20260301", made="20261122", status="quarantined", tables={"XML1": other}
    )
    (told,) = hospital.verdict(unclear)["visits"]
    assert [one["code"] for one in told["problems"] if one["effect"] == "QUARANTINES"] == ["VISIT_UNCLEAR"]
    assert len(ids(hospital.book())) == 1
    hospital.xml(f"{hospital.number}.b", at="20260401", made="20261122")
    assert len(ids(hospital.book())) == 2
    hospital.xml(f"{hospital.number}.c", at="20260301", made="20261122")  # the one that it is
    hospital.xml(f"{hospital.number}.a", at="20260301", made="20261122", tables={"XML1": {**other, "LY_DO_VV": "Khác"}})
    assert len(ids(hospital.book())) == 3


def test_two_ids_for_one_visit_are_not_both_it(hospital: Hospital) -> None:
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    hospital.changes()
    hospital.xml(f"{hospital.number}.new", at="20260301", made="20261122")
    hospital.xml(f"{hospital.number}.twin", at="20260301", made="20261122", status="quarantined")
    assert len(ids(hospital.book())) == 1


def test_visits_of_the_new_system_are_its_own(hospital: Hospital) -> None:
    hospital.xml(f"{hospital.number}.old", at="20261120", made="20261120")
    hospital.changes(begins=date(2026, 11, 20))
    hospital.xml(f"{hospital.number}.new", at="20261120", made="20261121")
    assert len(ids(hospital.book())) == 2


def test_a_withdrawal_by_the_new_id_takes_the_visit_back(hospital: Hospital) -> None:
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    hospital.changes()
    hospital.xml(f"{hospital.number}.new", at="20260301", made="20260302")
    headers = {"Authorization": f"Bearer {hospital.token}"}
    asked = {"visit": f"{hospital.number}.new", "reason": "nhầm người"}
    answer = hospital.http.post("/ingest/withdrawals", json=asked, headers=headers)
    assert answer.status_code == 202
    assert hospital.stand.process(UUID(answer.json()["messageId"])) == "filed"
    assert hospital.counts()["visits"] == 0


def test_an_undone_change_leaves_the_book_as_it_was(hospital: Hospital) -> None:
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    before = hospital.book()
    masked = ids(before)[0]
    citizen = hospital.stand.citizen_by(hospital.number)
    token = hospital.stand.citizen_token(citizen, stepped_up=True)
    mask = "mutation($i: MaskRecordsInput!) { maskRecords(input: $i) { changed } }"
    given = {"i": {"idempotencyKey": hospital.number, "recordIds": [masked]}}
    hidden = hospital.http.post(
        "/graphql", json={"query": mask, "variables": given}, headers={"Authorization": f"Bearer {token}"}
    )
    assert hidden.json()["data"]["maskRecords"]["changed"] == 1
    change = hospital.changes()
    renamed = {
        "XML1": {"MA_BENH_CHINH": "K29.7", "MA_BENH_KT": ""},
        "XML2": {"TEN_THUOC": "Thuốc khác", "MA_BAC_SI": "9/CCHN"},
    }
    sent = hospital.xml(f"{hospital.number}.new", at="20260301", made="20261122", tables=renamed)
    assert [one["code"] for one in hospital.book()["visits"]["nodes"][0]["diagnoses"]] == ["K29.7"]
    assert hospital.undoes(change) == 1
    after = hospital.book()
    assert ids(after) == ids(before)
    for name in ("visits", "prescriptions", "testResults"):
        assert [plain(one) for one in after[name]["nodes"]] == [plain(one) for one in before[name]["nodes"]], name
    assert hospital.stand.receipt(sent, token=hospital.token).status == "quarantined"
    (told,) = hospital.verdict(sent)["visits"]
    assert "CHANGE_UNDONE" in [one["code"] for one in told["problems"]]
    rows = hospital.stand.as_owner("SELECT undone_at FROM auth.resent WHERE citizen_id = :id", id=citizen)
    assert [row.undone_at is not None for row in rows] == [True]
    hospital.xml(
        f"{hospital.number}.new",
        at="20260301",
        made="20261122",
        status="quarantined",
        tables={"XML1": {"LY_DO_VV": "x"}},
    )
    with pytest.raises(NotFound):
        hospital.stand.run(Login.MIGRATOR, partial(registry.undo_change, change_id=change))


def plain(record: dict[str, Any]) -> dict[str, Any]:
    """Return what a record says, without its versions; ids of what was taken out and filed again may differ."""
    return {key: value for key, value in record.items() if key not in {"id", "provenance"}}


@pytest.mark.parametrize("door", ["xml", "fhir"])
@pytest.mark.parametrize("kind", ["MERGER", "BRANCH"])
def test_whoever_sends_for_another_facility_doubles_nothing_and_it_can_be_undone(
    hospital: Hospital, kind: str, door: str
) -> None:
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    before = hospital.book()
    change = hospital.changes(code=BRANCH, predecessor=OLD, kind=kind)
    if door == "xml":
        sent = hospital.xml(f"{hospital.number}.new", at="20260301", made="20261122", facility=BRANCH)
    else:
        on = partial(on_day, day="2026-03-01", without=("drug", "dispense"))
        made = "2026-11-22T09:00:00+07:00"
        sent = hospital.fhir(f"{hospital.number}.new", made=made, facility=BRANCH, change=on)
    after = hospital.book()
    for name in ("visits", "prescriptions"):
        assert ids(after, name) == ids(before, name), name
    (visit,) = after["visits"]["nodes"]
    assert visit["facility"]["code"] == OLD  # where the patient was
    sources = visit["provenance"]["sources"]
    assert [(one["facility"]["code"], one["sourceId"].rpartition(".")[2]) for one in sources] == [
        (OLD, "old"),
        (BRANCH, "new"),
    ]
    (told,) = hospital.verdict(sent, facility=BRANCH)["visits"]
    assert "SAME_VISIT" in [one["code"] for one in told["problems"]]

    assert hospital.undoes(change) == 1
    undone = hospital.book()
    assert [plain(one) for one in undone["visits"]["nodes"]] == [plain(one) for one in before["visits"]["nodes"]]
    assert (ids(undone), hospital.counts()["prescriptions"]) == (ids(before), len(ids(before, "prescriptions")))
    assert hospital.stand.receipt(sent, token=hospital.stand.facility(BRANCH)).status == "quarantined"


@pytest.mark.parametrize("kind", ["MERGER", "BRANCH"])
def test_a_successor_sends_its_own_patients_as_before(hospital: Hospital, kind: str) -> None:
    """A visit of its own days, and one that the other facility never had, are its own: nothing is joined to them."""
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    hospital.changes(code=BRANCH, predecessor=OLD, kind=kind)
    hospital.xml(f"{hospital.number}.own", at="20260415", made="20261122", facility=BRANCH)
    codes = [one["facility"]["code"] for one in hospital.book()["visits"]["nodes"]]
    assert codes == [BRANCH, OLD]


def test_without_a_declared_change_a_new_id_is_a_new_visit(hospital: Hospital) -> None:
    hospital.xml(f"{hospital.number}.old", at="20260301", made="20260301")
    hospital.xml(f"{hospital.number}.new", at="20260301", made="20261122")
    assert len(ids(hospital.book())) == 2


def test_a_change_names_days_in_order_and_known_facilities(hospital: Hospital) -> None:
    with pytest.raises(NotFound):
        hospital.changes(code="99999", predecessor="99999")
    with pytest.raises(Invalid):
        hospital.changes(code=BRANCH, predecessor=OLD, kind="SYSTEM")
