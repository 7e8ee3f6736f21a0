"""Who may ask what about one person: every viewer x every root field x every id, against an oracle of its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, get_named_type

from tests.given import SCHEMA, value_of
from tests.identity.families import EVERYTHING, SUMMARY, Families, today, years_ago
from tests.identity.test_practitioners import DOCTOR, id_of, store
from tests.ingestion import messages
from tests.ingestion.messages import VISIT
from tests.people import Stand
from tests.sockets import PATIENCE

ROOTS = SCHEMA.query_type.fields if SCHEMA.query_type else {}
DEEDS = SCHEMA.mutation_type.fields if SCHEMA.mutation_type else {}
BITS = {"VISITS": 1, "PRESCRIPTIONS": 2, "VACCINATIONS": 4, "TEST_RESULTS": 8, "IMAGING": 16, "DOCUMENTS": 32}
BITS |= {"CONDITIONS": 64, "ALLERGIES": 128, "INSURANCE": 256, "APPOINTMENTS": 512}
SECTIONS = {
    "visits": "VISITS",
    "prescriptions": "PRESCRIPTIONS",
    "vaccinations": "VACCINATIONS",
    "testResults": "TEST_RESULTS",
    "imaging": "IMAGING",
    "documents": "DOCUMENTS",
    "conditions": "CONDITIONS",
    "allergies": "ALLERGIES",
    "insurance": "INSURANCE",
}
BOOK = f"""query ($id: ID) {{ healthBook(citizenId: $id) {{ scope {{ sections }} owner {{ id nationalId }}
  {" ".join(f"{name} {{ __typename }}" for name in SECTIONS)} }} }}"""
OLD = 40


@dataclass(frozen=True, slots=True)
class Rights:
    """What the oracle says of a viewer and the target: sections of the book, and whether they may share it."""

    sections: int = 0
    may_share: bool = False
    is_person: bool = True
    is_citizen: bool = True


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who asks: as what, and how old the target is then."""

    name: str
    rights: Rights
    age: int = OLD


NOBODYS = Rights()
VIEWERS = (
    Viewer("owner", Rights(EVERYTHING, may_share=True)),
    Viewer("parent", Rights(EVERYTHING, may_share=True), age=4),
    Viewer("parent", Rights(EVERYTHING, may_share=True), age=7),
    Viewer("parent", Rights(EVERYTHING, may_share=True), age=13),
    Viewer("parent", Rights(EVERYTHING), age=14),
    Viewer("parent", Rights(SUMMARY), age=15),
    Viewer("parent", Rights(SUMMARY), age=17),
    Viewer("parent", NOBODYS, age=18),
    Viewer("court", Rights(EVERYTHING, may_share=True)),
    Viewer("mandate", Rights(SUMMARY)),
    Viewer("mandate", NOBODYS, age=17),
    Viewer("former", NOBODYS, age=4),
    Viewer("asked", NOBODYS, age=4),
    Viewer("not begun", NOBODYS, age=4),
    Viewer("over", NOBODYS, age=4),
    Viewer("other's parent", NOBODYS, age=4),
    Viewer("stranger", NOBODYS),
    Viewer("practitioner", Rights(is_citizen=False)),
    Viewer("facility", Rights(is_person=False, is_citizen=False)),
    Viewer("nobody", Rights(is_person=False, is_citizen=False)),
)
ids = [f"{viewer.name} at {viewer.age}" for viewer in VIEWERS]


class World:
    """A person with a book, and everybody who might look into it."""

    def __init__(self, stand: Stand, http: httpx.Client) -> None:
        self.stand, self.http = stand, http
        self.families, self.day = Families(stand), today(stand)
        self.facility = stand.facility("01901")
        assert stand.file(messages.message(), token=self.facility) == "filed"
        self.target = stand.citizen_by(VISIT["SO_CCCD"] or "")
        adult = years_ago(self.day, OLD)
        names = ("parent", "court", "mandate", "former", "asked", "not begun", "over", "other's parent", "stranger")
        self.people = {
            name: self.families.citizen(f"Người {name}", born=adult, number=f"97904{at:07d}")
            for at, name in enumerate(names)
        }
        self.people["owner"] = self.target
        self._represent()
        self.tokens = {name: stand.citizen_token(person) for name, person in self.people.items()}
        store(stand, DOCTOR)
        self.tokens |= {"practitioner": stand.practitioner_token(id_of(stand)), "facility": self.facility}
        stand.as_owner(
            "INSERT INTO auth.step_up SELECT id, '*', now() + interval '1 hour' FROM auth.session "
            "WHERE facility_code IS NULL"
        )
        self.keys = 0

    def _represent(self) -> None:
        represent, people, day = self.families.represent, self.people, self.day
        represent(self.target, people["parent"])
        represent(self.target, people["court"], "COURT")
        represent(self.target, people["mandate"], "MANDATE", extent="SUMMARY")
        ended = represent(self.target, people["former"])
        self.stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE id = :id", id=ended)
        waiting = represent(self.target, people["asked"])
        self.stand.as_owner(
            "UPDATE auth.representation SET representative_lookup = '\\x00', representative_id = NULL, "
            "accepted_at = NULL WHERE id = :id",
            id=waiting,
        )
        represent(self.target, people["not begun"], since=day + timedelta(days=1))
        represent(self.target, people["over"], until=day - timedelta(days=1))
        other = self.families.citizen("Con người khác", born=years_ago(day, 4))
        represent(other, people["other's parent"])

    def at(self, viewer: Viewer) -> None:
        """Let the target have the age that the case is about."""
        self.families.born(self.target, years_ago(self.day, viewer.age))

    def ask(self, viewer: Viewer, query: str, **variables: Any) -> httpx.Response:
        token = self.tokens.get(viewer.name)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return self.http.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def lines(self) -> list[tuple[str, str]]:
        rows = self.stand.as_owner(
            "SELECT action, actor_kind FROM audit.line WHERE citizen_id = :id ORDER BY n", id=self.target
        )
        return [(row.action, row.actor_kind) for row in rows]


@pytest.fixture(scope="module")
def world(stand: Stand, server: Any) -> Iterator[World]:
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        yield World(stand, http)


def outcome(answer: httpx.Response, field: str) -> str:
    """Return what came of one root field: DATA, NULL, or the code of its refusal."""
    body = answer.json()
    if body.get("errors"):
        return str(body["errors"][0]["extensions"]["code"])
    return "DATA" if (body.get("data") or {}).get(field) is not None else "NULL"


def wanted(field: str, arguments: Mapping[str, Any], rights: Rights) -> str:
    """Return what the oracle says; what is named here differs from the rule for all that has such an argument."""
    if not rights.is_person:
        return "UNAUTHENTICATED"
    if field == "healthBook":
        return "DATA" if rights.sections else "NOT_FOUND"
    if field in {"previewShare", "accessLog"}:
        return "DATA" if rights.may_share else "NOT_FOUND"
    if "grantId" in arguments:  # the target's own id is no grant of anybody
        return "NOT_FOUND"
    if "citizenId" in arguments and not rights.sections:
        return "NOT_FOUND"
    return "DATA"


def question(field: str, target: UUID) -> tuple[str, dict[str, Any]]:
    """Return a root field with its ids and what it needs, and the variables."""
    given = {
        name: argument
        for name, argument in ROOTS[field].args.items()
        if get_named_type(argument.type).name == "ID" or isinstance(argument.type, GraphQLNonNull)
    }
    signature = ", ".join(f"${name}: {argument.type}" for name, argument in given.items())
    call = ", ".join(f"{name}: ${name}" for name in given)
    shown = f"{field}({call})" if given else field
    kind = get_named_type(ROOTS[field].type)
    asked = "nodes { __typename }" if "nodes" in getattr(kind, "fields", {}) else "__typename"
    return (f"query ({signature}) " if given else "") + f"{{ {shown} {{ {asked} }} }}", {
        name: value_of(argument.type, target) for name, argument in given.items()
    }


@pytest.mark.parametrize("viewer", VIEWERS, ids=ids)
def test_b131_b139_b140_b142_every_root_field_for_every_viewer(world: World, viewer: Viewer) -> None:
    world.at(viewer)
    found, oracle = {}, {}
    for field in ROOTS:
        query, variables = question(field, world.target)
        found[field] = outcome(world.ask(viewer, query, **variables), field)
        oracle[field] = wanted(field, variables, viewer.rights)
    if (
        not viewer.rights.is_citizen
    ):  # what is a citizen's alone, or needs a grant, is refused: either way shows nothing
        refusals = {"NOT_FOUND", "UNAUTHENTICATED", "NULL"}
        oracle |= {field: code for field, code in found.items() if code in refusals}
    assert found == oracle


@pytest.mark.parametrize("viewer", VIEWERS, ids=ids)
def test_t21_b133_the_book_shows_the_sections_of_the_age_and_null_for_all_others(world: World, viewer: Viewer) -> None:
    world.at(viewer)
    before = world.lines()

    answer = world.ask(viewer, BOOK, id=str(world.target)).json()

    added = world.lines()[len(before) :]
    if not viewer.rights.sections:
        assert (answer.get("data") or {}).get("healthBook") is None
        assert added == []
        return
    book = answer["data"]["healthBook"]
    assert book["scope"]["sections"] == [name for name, bit in BITS.items() if viewer.rights.sections & bit]
    assert {name for name in SECTIONS if book[name] is None} == {
        name for name, section in SECTIONS.items() if not viewer.rights.sections & BITS[section]
    }
    assert book["owner"] == {"id": str(world.target), "nationalId": VISIT["SO_CCCD"]}
    assert added == ([] if viewer.name == "owner" else [("BOOK_OPENED", "REPRESENTATIVE")])


STRANGERS = [viewer for viewer in VIEWERS if not viewer.rights.sections]
OF_ONES_OWN = {"markNoticesRead"}
"""They take ids and do nothing about those that are another's."""
ABOUT_OTHERS = sorted(
    name
    for name, deed in DEEDS.items()
    for argument in deed.args.values()
    if name not in OF_ONES_OWN
    and isinstance(kind := get_named_type(argument.type), GraphQLInputObjectType)
    and any(get_named_type(one.type).name == "ID" and key != "idempotencyKey" for key, one in kind.fields.items())
)


@pytest.mark.parametrize("viewer", STRANGERS, ids=[f"{one.name} at {one.age}" for one in STRANGERS])
def test_b107_b131_b140_b141_nobody_does_anything_by_another_persons_id(world: World, viewer: Viewer) -> None:
    world.at(viewer)
    before = world.stand.as_owner("SELECT count(*) AS n FROM audit.line WHERE citizen_id = :id", id=world.target)[0].n
    done = {}
    for name in ABOUT_OTHERS:
        kind = get_named_type(DEEDS[name].args["input"].type)
        assert isinstance(kind, GraphQLInputObjectType)
        world.keys += 1
        given = {**value_of(kind, world.target), "idempotencyKey": f"m{world.keys}"}
        query = f"mutation ($input: {kind.name}!) {{ {name}(input: $input) {{ __typename }} }}"
        done[name] = outcome(world.ask(viewer, query, input=given), name)

    assert {name for name, code in done.items() if code == "DATA"} == set()
    allowed = {"NOT_FOUND", "INVALID", "REFUSED", "CONFLICT"} if viewer.rights.is_person else {"UNAUTHENTICATED"}
    assert {name: code for name, code in done.items() if code not in {*allowed, "UNAUTHENTICATED"}} == {}
    after = world.stand.as_owner("SELECT count(*) AS n FROM audit.line WHERE citizen_id = :id", id=world.target)[0].n
    assert after == before


def test_t21_b126_a_representation_that_ends_is_over_at_the_next_request(world: World) -> None:
    viewer = Viewer("court", NOBODYS)
    world.at(viewer)
    query = {"id": str(world.target)}
    assert outcome(world.ask(viewer, BOOK, **query), "healthBook") == "DATA"

    world.stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE kind = 'COURT'")

    assert outcome(world.ask(viewer, BOOK, **query), "healthBook") == "NOT_FOUND"
    world.stand.as_owner("UPDATE auth.representation SET ended_at = NULL WHERE kind = 'COURT'")


def test_t23_absent_and_forbidden_look_alike(world: World) -> None:
    viewer = VIEWERS[ids.index(f"stranger at {OLD}")]
    answers = {
        world.ask(viewer, BOOK, id=wanted_id).content for wanted_id in (str(world.target), str(UUID(int=7)), "x", "")
    }

    assert len(answers) == 1
