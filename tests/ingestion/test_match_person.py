"""From what a hospital wrote of a person to the person: every outcome, at once and in any order."""

import asyncio
import itertools
import unicodedata
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from app.core.context import run_step
from app.core.db import Login, Session, open_engine, transaction
from app.core.ids import new_id
from app.core.settings import Settings
from app.ingestion import matching
from app.ingestion.matching import Match
from app.ingestion.qd4750.envelope import MAX_VISITS
from app.records.arrivals import (
    BirthPrecision,
    IdentifierKind,
    InsuranceCardArrival,
    PersonArrival,
    Sex,
)
from tests.attacks import tries
from tests.attacks.tries import run
from tests.conftest import Ground
from tests.ingestion import messages
from tests.people import Stand
from tests.sockets import PATIENCE

_NUMBERS = itertools.count(1)


def personal_id() -> str:
    """Return a number that no other test has."""
    return f"{(messages.VISIT['SO_CCCD'] or '')[:-6]}{550_000 + next(_NUMBERS)}"


def card(number: str | None = None) -> InsuranceCardArrival:
    number = number or f"GD40101{99_000_000 + next(_NUMBERS)}"
    return InsuranceCardArrival(number=number, registered_facility_code=None, valid_from=None, valid_until=None)


def person(**changed: Any) -> PersonArrival:
    """Return a person with a personal id of their own and no card."""
    known = PersonArrival(
        full_name="Nguyễn Thị Hòa",
        birth_on=date(1985, 3, 12),
        birth_precision=BirthPrecision.DAY,
        sex=Sex.FEMALE,
        identifier=personal_id(),
        identifier_kind=IdentifierKind.PERSONAL_ID,
        patient_number="BN1",
        insurance_cards=(),
        phone=None,
        address=None,
        ethnic_code=None,
        nationality_code=None,
        occupation_code=None,
        blood_group=None,
    )
    return replace(known, **changed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """A visit that a message brings."""

    person: PersonArrival
    visit: str
    facility: str = "01901"
    message: UUID
    position: int = 0


def brought(who: PersonArrival, *, visit: str | None = None, **changed: Any) -> Brought:
    at = datetime.now(UTC)
    one = Brought(person=who, visit=visit or f"V{next(_NUMBERS)}", message=new_id(now=at))
    return replace(one, **changed)


async def matched(session: Session, one: Brought, *, stand: Stand) -> Match:
    return await matching.match_person(
        session,
        message_id=one.message,
        position=one.position,
        facility_code=one.facility,
        visit_source_id=one.visit,
        person=one.person,
        vault=stand.vault,
        new_id=lambda: new_id(now=datetime.now(UTC)),
    )


@pytest.fixture(scope="module")
def match(stand: Stand) -> Iterator[Callable[..., Match]]:
    """Match one person in a transaction of the worker, all on one connection."""
    with asyncio.Runner() as runner:
        engine = open_engine(stand.settings, Login.WORKER, size=1)

        def go(who: PersonArrival, **changed: Any) -> Match:
            step = partial(matched, one=brought(who, **changed), stand=stand)
            return runner.run(run_step(engine, step))

        yield go
        runner.run(engine.dispose())


def rows(stand: Stand, table: str, citizen: UUID | None) -> list[Any]:
    column = "id" if table == "citizen" else "citizen_id"
    return stand.as_owner(f"SELECT * FROM auth.{table} WHERE {column} = :citizen", citizen=citizen)


def outcome_of(found: Match) -> str:
    assert (found.citizen_id is None) is (found.outcome not in {"MATCHED", "CREATED"})
    return found.outcome


def test_a_new_number_registers_a_person_and_a_book(stand: Stand, match: Callable[..., Match]) -> None:
    shown = card()
    found = match(person(insurance_cards=(shown,)))
    assert outcome_of(found) == "CREATED"
    (citizen,) = rows(stand, "citizen", found.citizen_id)
    assert (citizen.full_name, citizen.name_key, citizen.closed_at) == ("Nguyễn Thị Hòa", "NGUYEN THI HOA", None)
    assert {row.kind for row in rows(stand, "identifier", found.citizen_id)} == {"PERSONAL_ID", "INSURANCE_NUMBER"}
    assert [row.version for row in rows(stand, "book", found.citizen_id)] == [0]
    assert len(rows(stand, "filing", found.citizen_id)) == 1


def test_the_same_number_finds_the_same_person(stand: Stand, match: Callable[..., Match]) -> None:
    who = person(insurance_cards=(card(),))
    first = match(who)
    for again in (who, replace(who, insurance_cards=()), replace(who, identifier=None, identifier_kind=None)):
        assert match(again) == Match(citizen_id=first.citizen_id, outcome="MATCHED")
    assert len(rows(stand, "identifier", first.citizen_id)) == 2


def test_without_a_number_nobody_is_found(match: Callable[..., Match]) -> None:
    match(person())
    nobody = person(identifier=None, identifier_kind=None)
    assert [outcome_of(match(nobody)), outcome_of(match(nobody))] == ["NO_IDENTIFIER", "NO_IDENTIFIER"]


def test_t6_name_and_birth_date_alone_join_nobody(match: Callable[..., Match]) -> None:
    first, second = match(person()), match(person())
    assert [outcome_of(first), outcome_of(second)] == ["CREATED", "CREATED"]
    assert first.citizen_id != second.citizen_id


@pytest.mark.parametrize(
    ("sent", "outcome"),
    [
        ({"full_name": "Trần Thị Hòa"}, "NAME_DIFFERS"),
        ({"full_name": "Nguyễn Thị Hoa Mai"}, "NAME_DIFFERS"),
        ({"birth_on": date(1985, 3, 13)}, "BIRTH_DIFFERS"),
        ({"birth_on": date(1984, 3, 12)}, "BIRTH_DIFFERS"),
        ({"birth_on": date(1984, 1, 1), "birth_precision": BirthPrecision.YEAR}, "BIRTH_DIFFERS"),
        ({"full_name": "Trần Văn Nam", "birth_on": date(1950, 1, 1)}, "NAME_DIFFERS"),
        ({"full_name": "NGUYEN  THI HOA"}, "MATCHED"),
        ({"full_name": "Nguyễn Thị Hoà"}, "MATCHED"),  # the other place of the tone mark
        ({"full_name": unicodedata.normalize("NFD", "Nguyễn Thị Hòa")}, "MATCHED"),
        ({"birth_precision": BirthPrecision.MINUTE}, "MATCHED"),
        ({"birth_on": date(1985, 1, 1), "birth_precision": BirthPrecision.YEAR}, "MATCHED"),
        ({"sex": Sex.UNDETERMINED}, "MATCHED"),
    ],
)
@pytest.mark.parametrize("by", ["personal id", "card"])
def test_b161_a_number_with_another_name_or_birth_date_waits(
    stand: Stand, match: Callable[..., Match], sent: dict[str, Any], outcome: str, by: str
) -> None:
    who = person(insurance_cards=(card(),))
    known = match(who)
    again = (
        replace(who, insurance_cards=()) if by == "personal id" else replace(who, identifier=None, identifier_kind=None)
    )
    found = match(replace(again, **sent))
    assert outcome_of(found) == outcome
    assert found.citizen_id in {None, known.citizen_id}
    assert len(rows(stand, "filing", known.citizen_id)) == (2 if outcome == "MATCHED" else 1)


@pytest.mark.parametrize("sent", ["H NHAN", "HNhan", "H\u2019 Nhan", "H-Nhan", "h'nhan."])
def test_b161_what_stands_between_the_letters_of_a_name_tells_nobody_apart(
    match: Callable[..., Match], sent: str
) -> None:
    who = person(full_name="H'Nhan")
    known = match(who)

    assert match(replace(who, full_name=sent)) == replace(known, outcome="MATCHED")
    assert outcome_of(match(replace(who, full_name="H'Nhanh"))) == "NAME_DIFFERS"


def test_b161_numbers_of_two_people_wait(match: Callable[..., Match]) -> None:
    one, two = person(), person(insurance_cards=(card(),))
    match(one)
    match(two)
    swapped = replace(one, insurance_cards=two.insurance_cards)
    assert outcome_of(match(swapped)) == "IDENTIFIERS_DISAGREE"
    twins = replace(two, identifier=one.identifier)
    assert outcome_of(match(twins)) == "IDENTIFIERS_DISAGREE"


def test_b161_a_card_of_someone_with_another_personal_id_waits(stand: Stand, match: Callable[..., Match]) -> None:
    who = person(insurance_cards=(card(),))
    known = match(who)
    assert outcome_of(match(replace(who, identifier=personal_id()))) == "IDENTIFIERS_DISAGREE"
    assert len(rows(stand, "identifier", known.citizen_id)) == 2


def test_a_person_known_by_a_card_gets_the_personal_id_that_comes_later(
    stand: Stand, match: Callable[..., Match]
) -> None:
    who = person(insurance_cards=(card(),))
    by_card = match(replace(who, identifier=None, identifier_kind=None))
    before = rows(stand, "book", by_card.citizen_id)[0].version
    assert match(who) == Match(citizen_id=by_card.citizen_id, outcome="MATCHED")
    assert match(replace(who, insurance_cards=())).citizen_id == by_card.citizen_id
    assert rows(stand, "book", by_card.citizen_id)[0].version == before + 1  # the book tells its owner's number


def test_a_card_of_another_form_is_the_same_insurance_number(match: Callable[..., Match]) -> None:
    long = card()
    who = person(insurance_cards=(long,))
    short = replace(who, identifier=None, identifier_kind=None, insurance_cards=(card(long.number[-10:]),))
    assert match(short).citizen_id == match(who).citizen_id


def test_two_kinds_of_number_with_the_same_digits_are_two_people(match: Callable[..., Match]) -> None:
    digits = f"{700_000_000 + next(_NUMBERS)}"
    old = person(identifier=digits, identifier_kind=IdentifierKind.OLD_ID)
    other = person(identifier=digits, identifier_kind=IdentifierKind.OTHER)
    assert [outcome_of(match(old)), outcome_of(match(other))] == ["CREATED", "CREATED"]


def test_a_number_that_is_no_longer_valid_names_nobody(stand: Stand, match: Callable[..., Match]) -> None:
    who = person()
    first = match(who)
    stand.as_owner("UPDATE auth.identifier SET valid_until = now() WHERE citizen_id = :id", id=first.citizen_id)
    assert outcome_of(match(who)) == "CREATED"


def test_an_exact_birth_date_replaces_a_year_and_never_the_other_way(stand: Stand, match: Callable[..., Match]) -> None:
    who = person(birth_on=date(1985, 1, 1), birth_precision=BirthPrecision.YEAR)
    exact = replace(who, birth_on=date(1985, 3, 12), birth_precision=BirthPrecision.DAY)
    known = match(who)

    def birth() -> tuple[date, str, int]:
        (row,) = rows(stand, "citizen", known.citizen_id)
        return row.birth_on, row.birth_precision, rows(stand, "book", known.citizen_id)[0].version

    assert birth() == (date(1985, 1, 1), "YEAR", 0)
    assert outcome_of(match(exact)) == "MATCHED"
    assert birth() == (date(1985, 3, 12), "DAY", 1)  # a reader sees it: the book has changed
    assert outcome_of(match(who)) == "MATCHED"
    assert birth() == (date(1985, 3, 12), "DAY", 1)
    assert outcome_of(match(replace(exact, birth_on=date(1985, 3, 13)))) == "BIRTH_DIFFERS"


def test_a_visit_does_not_move_to_another_person(match: Callable[..., Match]) -> None:
    who = person()
    known = match(who, visit="MOVED")
    assert outcome_of(match(person(), visit="MOVED")) == "VISIT_OF_ANOTHER_PERSON"
    other = person()
    match(other)
    assert outcome_of(match(other, visit="MOVED")) == "VISIT_OF_ANOTHER_PERSON"
    assert match(who, visit="MOVED") == Match(citizen_id=known.citizen_id, outcome="MATCHED")
    assert outcome_of(match(person(), visit="MOVED", facility="01902")) == "CREATED"  # another hospital's number


@asynccontextmanager
async def two_workers(settings: Settings) -> AsyncIterator[Callable[[], Any]]:
    engine = open_engine(settings, Login.WORKER, size=2)
    try:
        yield partial(transaction, engine)
    finally:
        await engine.dispose()


async def waits_for_another(superuser: tries.Connection) -> None:
    """Return when a backend of the worker waits for an advisory lock."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'worker' "
        "AND wait_event_type = 'Lock' AND wait_event = 'advisory'"
    )
    while await superuser.fetchval(query) == 0:  # noqa: ASYNC110 - another process's wait has no event here
        await asyncio.sleep(0.005)


@dataclass(frozen=True, slots=True)
class Race:
    """Two messages at the same time: the first is held open until the second waits for it."""

    ground: Ground
    settings: Settings
    stand: Stand

    async def run(self, first: Brought, second: Brought) -> list[Match]:
        """Return what each found."""
        async with (
            asyncio.timeout(PATIENCE),
            two_workers(self.settings) as begin,
            tries.as_superuser(self.ground, self.settings) as superuser,
        ):

            async def later() -> Match:
                async with begin() as session:
                    return await matched(session, second, stand=self.stand)

            async with begin() as session:
                found = await matched(session, first, stand=self.stand)
                task = asyncio.create_task(later())
                waiting: Coroutine[Any, Any, None] = waits_for_another(superuser)
                waiter = asyncio.create_task(waiting)
                await asyncio.wait({task, waiter}, return_when=asyncio.FIRST_COMPLETED)
            result = [found, await task]
            waiter.cancel()
            return result


@pytest.fixture
def race(ground: Ground, settings: Settings, stand: Stand) -> Race:
    return Race(ground, settings, stand)


@pytest.mark.parametrize("by", ["personal id", "card", "both"])
def test_two_messages_about_a_new_person_at_once_make_one(race: Race, by: str) -> None:
    whole = person(insurance_cards=(card(),))
    without_card = replace(whole, insurance_cards=())
    without_id = replace(whole, identifier=None, identifier_kind=None)
    one, two = {"personal id": (whole, without_card), "card": (whole, without_id), "both": (whole, whole)}[by]
    first, second = run(race.run, brought(one), brought(two))
    assert (first.outcome, second.outcome) == ("CREATED", "MATCHED")
    assert first.citizen_id == second.citizen_id


def test_two_messages_about_a_new_visit_at_once_leave_it_in_one_book(race: Race) -> None:
    first, second = run(race.run, brought(person(), visit="RACED"), brought(person(), visit="RACED"))
    assert (first.outcome, second.outcome) == ("CREATED", "VISIT_OF_ANOTHER_PERSON")


def test_two_messages_about_different_people_and_visits_do_not_wait(race: Race) -> None:
    first, second = run(race.run, brought(person()), brought(person()))
    assert (first.outcome, second.outcome) == ("CREATED", "CREATED")


def test_the_largest_messages_at_once_find_room_for_their_locks(ground: Ground, settings: Settings) -> None:
    """A new person with two numbers and a new visit takes three locks, kept until the message is concluded."""
    room = ground.cluster.psql(
        "SELECT current_setting('max_locks_per_transaction')::int * current_setting('max_connections')::int"
    )
    assert int(room) >= 3 * MAX_VISITS * settings.worker_concurrency


def test_many_messages_about_one_person_at_once_make_one(stand: Stand, settings: Settings) -> None:
    who = person(insurance_cards=(card(),))

    async def together() -> list[Match]:
        engine = open_engine(settings, Login.WORKER, size=6)

        async def one() -> Match:
            async with transaction(engine) as session:
                return await matched(session, brought(who), stand=stand)

        try:
            return await asyncio.gather(*(one() for _ in range(12)))
        finally:
            await engine.dispose()

    found = run(together)
    assert sorted(one.outcome for one in found) == ["CREATED"] + ["MATCHED"] * 11
    assert len({one.citizen_id for one in found}) == 1


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_b170_messages_that_share_numbers_come_to_one_person_in_any_order_that_begins_with_both(
    match: Callable[..., Match], order: tuple[int, ...]
) -> None:
    whole = person(insurance_cards=(card(),))
    sent = (whole, replace(whole, full_name="NGUYEN THI HOA"), replace(whole, birth_precision=BirthPrecision.MINUTE))
    found = [match(sent[number]) for number in order]
    assert [one.outcome for one in found] == ["CREATED", "MATCHED", "MATCHED"]
    assert len({one.citizen_id for one in found}) == 1


def test_b161_two_halves_of_a_person_are_not_joined_by_a_guess(match: Callable[..., Match]) -> None:
    whole = person(insurance_cards=(card(),))
    by_card = match(replace(whole, identifier=None, identifier_kind=None))
    by_id = match(replace(whole, insurance_cards=()))
    assert [by_card.outcome, by_id.outcome] == ["CREATED", "CREATED"]
    assert outcome_of(match(whole)) == "IDENTIFIERS_DISAGREE"
