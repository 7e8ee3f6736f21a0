"""What a message does to a book: filed once, corrected in place, withdrawn, and every version kept."""

import itertools
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from app.core.db import Login
from app.core.settings import Settings
from tests.attacks import tries
from tests.attacks.crowd import ROWS, Member, message
from tests.attacks.tries import run
from tests.conftest import Ground
from tests.ingestion import messages
from tests.ingestion.messages import Fields
from tests.people import Stand


class Book:
    """One member's book, filled by messages and looked at behind the policies."""

    def __init__(self, ground: Ground, settings: Settings, stand: Stand, *, member: Member) -> None:
        self.stand, self.member, self.sender = stand, member, stand.facility()
        self._look = (ground, settings)

    def file(self, *, tables: dict[str, Sequence[Fields]] | None = None, issued: str = "20261120") -> UUID:
        """File a message of the member's visit, some tables changed; an empty one is sent without lines."""
        own: dict[str, Sequence[Fields]] = {**self.member.tables(), **(tables or {})}
        sent = {name: [{**line, "MA_LK": self.member.visit_id} for line in lines] for name, lines in own.items()}
        kept = self.stand.keep(
            messages.envelope(messages.visit_xml(sent), facility=self.member.facility, issued=issued), token=self.sender
        )
        assert self.stand.process(kept) == "filed"
        return kept

    def without(self, *names: str, issued: str = "20261120") -> UUID:
        """File a message that leaves tables out."""
        kept = self.stand.keep(message(self.member, without=names, issued=issued), token=self.sender)
        assert self.stand.process(kept) == "filed"
        return kept

    def changes(self, kept: UUID) -> dict[str, list[str]]:
        """Return, by kind, what a receipt says became of the records."""
        verdict = self.stand.receipt(kept, token=self.sender).verdict
        assert verdict is not None
        found: dict[str, list[str]] = {}
        for record in verdict["visits"][0]["records"]:
            found.setdefault(record["kind"], []).append(record["change"])
        return found

    @property
    def citizen(self) -> UUID:
        """Return whose book it is."""
        return self.stand.citizen_by(self.member.personal_id)

    @property
    def version(self) -> int:
        """Return the book's version."""
        found: int = self.rows("auth.book")[0]["version"]
        return found

    def rows(self, table: str, order: str = "1, 2, 3") -> list[dict[str, Any]]:
        """Return the member's rows of a table."""
        return self.look({table: order})[table]

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        """Return the member's rows of every table of the book, but for when the newest message arrived."""
        found = self.look({f"book.{table}": "1, 2, 3" for table in ROWS})
        return {
            table: [{name: value for name, value in row.items() if not name.endswith("arrived_at")} for row in rows]
            for table, rows in found.items()
        }

    def look(self, tables: dict[str, str]) -> dict[str, list[dict[str, Any]]]:
        """Return the member's rows of tables, each in its order."""
        citizen = self.citizen

        async def look() -> dict[str, list[dict[str, Any]]]:
            async with tries.as_superuser(*self._look) as superuser:
                found = {}
                for table, order in tables.items():
                    query = f"SELECT * FROM {table} WHERE citizen_id = $1 ORDER BY {order}"
                    found[table] = [dict(row) for row in await superuser.fetch(query, citizen)]
                return found

        return run(look)

    def counted(self) -> dict[str, int]:
        """Return how many rows stand in each table of the book."""
        return {table.removeprefix("book."): len(rows) for table, rows in self.everything().items()}

    def mask(self, *tables: str) -> None:
        """Mask the member's rows of tables, as their owner will be able to."""
        citizen = self.citizen

        async def change() -> None:
            async with tries.as_superuser(*self._look) as superuser:
                for table in tables:
                    await superuser.execute(f"UPDATE book.{table} SET masked = true WHERE citizen_id = $1", citizen)

        run(change)

    def forget_order(self) -> None:
        """Let the order of the visit's versions be forgotten, as when a visit is split off or a change undone."""
        citizen = self.citizen

        async def change() -> None:
            async with tries.as_superuser(*self._look) as superuser:
                forget = "SELECT book.forget_order($1, $2, $3)"
                await superuser.execute(forget, citizen, self.member.facility, self.member.visit_id)

        run(change)

    def versions(self) -> list[tuple[str, int, str]]:
        """Return kind, number and change of every version, in the order of filing."""
        return [
            (row["kind"], row["version"], row["change"])
            for row in self.rows("book.record_version", "filed_at, kind, version")
        ]


_NUMBERS = itertools.count(400)


@pytest.fixture
def book(ground: Ground, settings: Settings, stand: Stand) -> Book:
    return Book(ground, settings, stand, member=Member(number=next(_NUMBERS)))


def changed(member: Member, table: str, **fields: str | None) -> dict[str, Sequence[Fields]]:
    """Return one table of the member's visit with some fields changed."""
    return {table: [{**member.tables()[table][0], **fields}]}


ALL = {"VISIT", "PRESCRIPTION", "TEST_REPORT"}


def test_a_first_message_adds_every_record_and_says_where_it_came_from(book: Book) -> None:
    kept = book.file()
    assert book.changes(kept) == {kind: ["added"] for kind in ALL}
    assert book.counted() == ROWS
    assert book.version == 1
    assert book.versions() == [(kind, 1, "ADDED") for kind in sorted(ALL)]
    for table in ("visit", "prescription", "test_report", "record_version"):
        (row, *_) = book.rows(f"book.{table}")
        assert row["facility_code"] == book.member.facility
        assert row["message_id"] == kept
        assert (row["source_version"], row["standard_version"]) == ("2026-11-20", "4750/QD-BYT")
        assert row["filed_at"] is not None


def test_b162_the_same_bytes_again_change_nothing(book: Book) -> None:
    kept = book.file()
    assert book.stand.keep(message(book.member), token=book.sender) == kept
    assert book.stand.process(kept) is None
    assert (book.version, book.counted()) == (1, ROWS)


def test_b162_the_same_content_in_other_bytes_changes_nothing(book: Book) -> None:
    first = book.file()
    before = book.everything()
    again = book.file(issued="20261121")
    assert again != first
    assert book.changes(again) == {kind: ["unchanged"] for kind in ALL}
    assert book.version == 1
    assert book.everything() == before


def test_a_corrected_visit_takes_the_place_of_the_old_whose_version_stays(book: Book) -> None:
    book.file()
    old, versions = book.rows("book.visit")[0], book.rows("book.record_version")
    fields = {
        "LY_DO_VV": "Ho ra máu",
        "MA_BENH_KT": "",
        "MA_THE_BHYT": "",
        "GT_THE_TU": "",
        "GT_THE_DEN": "",
        "MA_DKBD": "",
    }
    kept = book.file(tables=changed(book.member, "XML1", **fields), issued="20261121")
    new = book.rows("book.visit")[0]
    assert book.changes(kept) == {"VISIT": ["replaced"], "PRESCRIPTION": ["unchanged"], "TEST_REPORT": ["unchanged"]}
    assert (new["id"], new["version"], new["reason"]) == (old["id"], 2, "Ho ra máu")
    assert (new["message_id"], new["source_version"]) == (kept, "2026-11-21")
    assert book.counted() == {**ROWS, "visit_diagnosis": 1, "visit_insurance": 0, "record_version": 4}
    assert [row for row in book.rows("book.record_version") if row in versions] == versions
    assert book.version == 2


@pytest.mark.parametrize(
    ("table", "kind", "rows", "fields"),
    [
        ("XML2", "PRESCRIPTION", "prescription_item", {"LIEU_DUNG": "2 viên/lần", "SO_LUONG": "20.000"}),
        ("XML4", "TEST_REPORT", "test_result", {"GIA_TRI": "7.5"}),
    ],
)
def test_a_corrected_record_takes_the_place_of_the_old(
    book: Book, table: str, kind: str, rows: str, fields: dict[str, str]
) -> None:
    book.file()
    before = book.rows(f"book.{rows}")
    kept = book.file(tables=changed(book.member, table, **fields), issued="20261121")
    assert book.changes(kept) == {one: ["replaced" if one == kind else "unchanged"] for one in ALL}
    assert book.counted() == {**ROWS, "record_version": 4}
    assert book.rows(f"book.{rows}") != before
    assert (kind, 2, "REPLACED") in book.versions()
    assert book.version == 2


def test_a_table_that_was_not_sent_leaves_what_was_filed_alone(book: Book) -> None:
    book.file()
    before = book.everything()
    for number, absent in enumerate((("XML2",), ("XML2", "XML4"), ("XML2", "XML3", "XML4"))):
        kept = book.without(*absent, issued=f"2026112{number + 1}")
        assert set(book.changes(kept)["VISIT"]) == {"unchanged"}
        assert book.everything() == before
    assert book.version == 1


def test_a_table_without_lines_withdraws_what_was_filed(book: Book) -> None:
    book.file()
    kept = book.file(tables={"XML2": [], "XML4": []}, issued="20261121")
    assert book.changes(kept) == {"VISIT": ["unchanged"], "PRESCRIPTION": ["withdrawn"], "TEST_REPORT": ["withdrawn"]}
    gone = dict.fromkeys(("prescription", "prescription_item", "test_report", "test_result"), 0)
    assert book.counted() == {**ROWS, **gone, "record_version": 5}
    assert {("PRESCRIPTION", 2, "WITHDRAWN"), ("TEST_REPORT", 2, "WITHDRAWN")} <= set(book.versions())
    withdrawn = [row for row in book.rows("book.record_version") if row["change"] == "WITHDRAWN"]
    assert [(row["content"], row["message_id"]) for row in withdrawn] == [(None, kept)] * 2
    assert book.version == 2
    again = book.file(tables={"XML2": [], "XML4": []}, issued="20261122")
    assert book.changes(again) == {"VISIT": ["unchanged"]}
    assert (book.version, len(book.versions())) == (2, 5)


def test_services_without_lines_are_removed_and_come_back(book: Book) -> None:
    book.file()
    book.file(tables={"XML3": [], "XML4": []}, issued="20261121")
    assert book.counted()["visit_service"] == 0
    assert book.version == 2
    book.file(issued="20261122")
    assert book.counted()["visit_service"] == 1
    assert book.version == 3


def test_what_was_withdrawn_may_come_again(book: Book) -> None:
    book.file()
    book.file(tables={"XML2": []}, issued="20261121")
    kept = book.file(issued="20261122")
    assert book.changes(kept)["PRESCRIPTION"] == ["added"]
    assert book.counted() == {**ROWS, "record_version": 5}
    assert book.version == 3


def test_versions_only_ever_grow(book: Book) -> None:
    kept_so_far: list[dict[str, Any]] = []
    steps: tuple[dict[str, Sequence[Fields]], ...] = (
        {},
        changed(book.member, "XML1", LY_DO_VV="Một"),
        {"XML2": []},
        {},
        changed(book.member, "XML4", KET_LUAN="Hai"),
        {"XML3": [], "XML4": []},
    )
    for number, tables in enumerate(steps):
        book.file(tables=tables, issued=f"202611{10 + number}")
        found = book.rows("book.record_version")
        assert [row for row in found if row in kept_so_far] == kept_so_far
        assert len(found) > len(kept_so_far)
        kept_so_far = found
    keys = [(row["record_id"], row["version"]) for row in kept_so_far]
    assert len(keys) == len(set(keys))


def test_what_is_masked_stays_masked_when_it_is_corrected(book: Book) -> None:
    book.file()
    tables = [table for table in ROWS if table != "record_version"]
    book.mask(*tables)
    for table, fields in (("XML1", {"LY_DO_VV": "Khác"}), ("XML2", {"LIEU_DUNG": "Khác"}), ("XML4", {"GIA_TRI": "9"})):
        book.file(tables=changed(book.member, table, **fields), issued="20261121")
    found = book.everything()
    for table in tables:
        assert [row["masked"] for row in found[f"book.{table}"]] == [True] * ROWS[table], table


def test_what_comes_later_into_a_masked_visit_is_masked(book: Book) -> None:
    book.without("XML2", "XML4")
    book.mask("visit", "visit_diagnosis", "visit_insurance", "visit_service")
    book.file(issued="20261121")
    found = book.everything()
    for table in ("prescription", "prescription_item", "test_report", "test_result"):
        assert [row["masked"] for row in found[f"book.{table}"]] == [True], table


def test_what_went_while_it_was_masked_is_masked_when_it_comes_back(book: Book) -> None:
    book.file(issued="20261118")
    book.mask("prescription", "prescription_item", "test_report", "test_result")
    book.file(tables={"XML2": [], "XML4": []}, issued="20261119")
    assert (book.counted()["prescription"], book.counted()["test_report"]) == (0, 0)
    book.file(issued="20261120")
    found = book.everything()
    for table in ("prescription", "prescription_item", "test_report", "test_result"):
        assert [row["masked"] for row in found[f"book.{table}"]] == [True] * ROWS[table], table
    assert [row["masked"] for row in found["book.visit"]] == [False]
    assert [row["hidden"] for row in book.rows("book.arrival_order")] == [[]]


def test_what_went_while_it_was_masked_is_masked_though_the_order_was_forgotten(book: Book) -> None:
    book.file(issued="20261118")
    book.mask("prescription", "prescription_item")
    book.file(tables={"XML2": []}, issued="20261119")
    book.forget_order()
    book.file(issued="20261120")
    assert [row["masked"] for row in book.rows("book.prescription")] == [True] * ROWS["prescription"]
    book.forget_order()
    assert book.rows("book.arrival_order") == []


@pytest.mark.parametrize("table", ["record_version", "visit"])
def test_what_was_filed_cannot_be_filed_for_another_book(stand: Stand, book: Book, table: str) -> None:
    """The functions run as their caller: with no book open, they write nothing."""
    book.file()
    citizen = book.citizen

    async def tried() -> str:
        async with tries.as_login(stand, Login.WORKER) as worker:
            call = "SELECT book.file_visit($1, '{}', '{}')"
            if table == "record_version":
                call = "SELECT book.note_version($1, $1, 'VISIT', NULL, NULL, '{}', '', '{}')"
            return await tries.sqlstate_of(worker, call, citizen)

    assert run(tried) == tries.NO_BOOK


def refused(book: Book, body: bytes, *, token: str) -> list[str]:
    """Process a message that must not be filed and return what is wrong with it."""
    kept = book.stand.keep(body, token=token)
    assert book.stand.process(kept) == "rejected"
    verdict = book.stand.receipt(kept, token=token).verdict
    assert verdict is not None
    problems = [*verdict["problems"], *(one for visit in verdict["visits"] for one in visit["problems"])]
    assert not any(visit["records"] for visit in verdict["visits"])
    return [problem["code"] for problem in problems if problem["effect"] == "REJECTS"]


def test_b163_a_visit_of_another_facility_is_refused(book: Book) -> None:
    book.file()
    before = book.everything()
    stranger = book.stand.facility("01905", name="Bệnh viện khác")
    corrected = message(Member(number=book.member.number, fields={"LY_DO_VV": "Của người khác"}))
    assert refused(book, corrected, token=stranger) == ["FACILITY_NOT_YOURS"]
    smuggled = messages.envelope(messages.visit_xml(book.member.tables()), facility="01905")
    assert refused(book, smuggled, token=stranger) == ["FACILITY_DIFFERS"]
    for envelope in ("", "0190", "01901;01905"):
        body = messages.envelope(messages.visit_xml(book.member.tables()), facility=envelope)
        assert refused(book, body, token=stranger)
    assert book.everything() == before
    assert book.version == 1


def test_b163_another_facilitys_visit_of_the_same_number_is_another_visit(book: Book) -> None:
    book.file()
    before = book.rows("book.visit")
    stranger = book.stand.facility("01906", name="Bệnh viện thứ sáu")
    member = book.member
    fields = {"MA_CSKCB": "01906", "LY_DO_VV": "Khám ở nơi khác", "SO_CCCD": member.personal_id}
    tables = {name: [{**line} for line in lines] for name, lines in member.tables().items()}
    tables["XML1"] = [{**tables["XML1"][0], **fields}]
    body = messages.envelope(messages.visit_xml(tables), facility="01906")
    assert book.stand.file(body, token=stranger) == "filed"
    visits = book.rows("book.visit")
    assert [row for row in visits if row["facility_code"] == member.facility] == before
    assert {row["facility_code"] for row in visits} == {member.facility, "01906"}
    assert book.version == 2


def test_b170_a_message_that_arrived_earlier_does_not_replace_a_later_one(book: Book) -> None:
    """Workers, a retry and a replay may take messages in another order than they came."""
    kept = [book.stand.keep(advised(book.member, f"Lần {number}"), token=book.sender) for number in (1, 2)]

    assert [book.stand.process(one) for one in reversed(kept)] == ["filed", "filed"]

    assert set(book.changes(kept[0])["VISIT"]) == {"outdated"}
    assert set(book.changes(kept[0])["PRESCRIPTION"]) == {"outdated"}
    assert [row["advice"] for row in book.everything()["book.visit"]] == ["Lần 2"]
    assert book.version == 1


def advised(member: Member, advice: str) -> bytes:
    """Return a message of the member's visit with this advice of the doctor."""
    own: dict[str, Sequence[Fields]] = dict(member.tables())
    own["XML1"] = [{**own["XML1"][0], "GHI_CHU": advice}]
    sent = {name: [{**line, "MA_LK": member.visit_id} for line in lines] for name, lines in own.items()}
    return messages.envelope(messages.visit_xml(sent), facility=member.facility)


@pytest.mark.parametrize(
    ("table", "fields", "of_class"),
    [
        ("XML1", {"MA_BENH_CHINH": "F20"}, set(ROWS) - {"record_version"}),
        ("XML2", {"TEN_THUOC": "Methadon 10 mg/ml"}, {"prescription", "prescription_item"}),
        ("XML3", {"TEN_DICH_VU": "Khám Tâm thần"}, {"visit_service", "test_report", "test_result"}),
        ("XML4", {"TEN_CHI_SO": "HIV Ag/Ab"}, {"test_report", "test_result"}),
    ],
)
def test_classes_are_the_same_by_what_arrived_and_by_what_rests(
    book: Book, table: str, fields: Fields, of_class: set[str]
) -> None:
    """A visit that is new is judged by its message, a corrected one by the rows that it left."""
    book.file(tables=changed(book.member, table, **fields))

    def classes() -> dict[str, list[int]]:
        everything = {name.removeprefix("book."): rows for name, rows in book.everything().items()}
        return {name: [row["sensitive"] for row in everything[name]] for name in ROWS if name != "record_version"}

    first = classes()
    assert {name for name, found in first.items() if any(found)} == of_class
    corrected = {
        **changed(book.member, table, **fields),
        "XML1": [{**book.member.tables()["XML1"][0], "LY_DO_VV": "Khác"}],
    }
    if table == "XML1":
        corrected["XML1"] = [{**corrected["XML1"][0], **fields}]
    book.file(tables=corrected, issued="20261121")
    assert book.version == 2
    assert classes() == first


def test_a_card_tells_the_highest_share_of_its_visit(book: Book) -> None:
    book.file(tables={**changed(book.member, "XML2", MUC_HUONG="95"), **changed(book.member, "XML3", MUC_HUONG="80")})
    assert [row["benefit_percent"] for row in book.rows("book.visit_insurance")] == [95]
    book.file(tables=changed(book.member, "XML2", MUC_HUONG="40"), issued="20261121")
    (share,) = (row["benefit_percent"] for row in book.rows("book.visit_insurance"))
    assert share == max(
        row["benefit_percent"] for table in ("visit_service", "prescription_item") for row in book.rows(f"book.{table}")
    )
