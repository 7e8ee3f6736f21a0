"""B131: every id that the schema takes, with a real id of another person's thing, from everybody else with a session.

The ids are of the right kind and exist; what they belong to is compared row by row before and after.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from graphql import GraphQLInputObjectType, GraphQLNonNull, Undefined, get_named_type, print_type

from app.core.ids import new_id
from app.core.settings import Settings
from tests.appointments.clinic import BOOK as BOOK_A_SLOT
from tests.appointments.clinic import JOIN, schedule, tomorrow
from tests.appointments.clinic import Clinic as Facility
from tests.attacks import tries
from tests.attacks.crowd import Member, message
from tests.clinics import DOSE
from tests.clinics import Clinic as Teller
from tests.conftest import Ground
from tests.given import SCHEMA, value_of
from tests.identity.families import Families
from tests.people import Stand, now
from tests.sharing.opening import request
from tests.sharing.sharing import ASK, WHOLE, Clinic, a_key
from tests.sockets import PATIENCE

VICTIM, STRANGER = Member(number=331), Member(number=332)
PLACES = {
    "appointmentId",
    "citizenId",
    "claimId",
    "consentId",
    "deviceId",
    "disownedId",
    "entryId",
    "entryIds",
    "grantId",
    "ids",
    "joinId",
    "messageId",
    "offerId",
    "pairingId",
    "recordId",
    "recordIds",
    "representationId",
    "requestId",
    "sessionId",
    "shareCodeId",
    "slotId",
    "vaccinationId",
}
OPEN_TO_ALL = {("bookAppointment", "slotId"), ("markNoticesRead", "ids"), ("previewShare", "recordIds")}
"""A slot is anybody's to book; notices are marked, and records previewed, that are one's own, and no other."""
SAID = {"personalId": "001099999999", "fullName": "Nguyễn Văn Ai", "classes": ["TUBERCULOSIS"]}
"""What must make sense before an id is looked at."""
ROOTS = {"query": SCHEMA.query_type, "mutation": SCHEMA.mutation_type}


@dataclass(frozen=True, slots=True)
class World:
    """What belongs to the victim, by the name of the argument that takes it, and who else has a session."""

    ids: Mapping[str, str]
    waits: str
    victim: UUID
    tokens: Mapping[str, str | None]
    clinic: Clinic

    def of(self, field: str, name: str) -> str:
        return self.waits if (field, name) == ("leaveWaitlist", "entryId") else self.ids[name]


@pytest.fixture(scope="module")
def world(stand: Stand, server: Any) -> Iterator[World]:
    sender = stand.facility()
    kept = stand.keep(message(VICTIM), token=sender)
    assert stand.process(kept) == stand.file(message(STRANGER), token=sender) == "filed"
    victim, stranger = (stand.citizen_by(one.personal_id) for one in (VICTIM, STRANGER))
    Teller(stand, victim, kept, "01901").tells(DOSE)
    with httpx.Client(base_url=server.url, timeout=PATIENCE) as http:
        clinic = Clinic(stand, http)
        yield _world(stand, clinic, victim, stranger, str(kept))


def _by_hand(stand: Stand, citizen: UUID, child: UUID, doctor: UUID) -> dict[str, UUID]:
    """Put rows that no short way makes, and return their ids."""
    row = {name: new_id(now=now()) for name in ("consent", "join", "pairing", "device")}
    stand.as_owner(
        "INSERT INTO auth.consent VALUES (:id, :citizen, 'NOTICES', 1, 'vi', NULL, now(), :citizen, 'SIGNED_IN', NULL, "
        "NULL)",
        id=row["consent"],
        citizen=citizen,
    )
    stand.as_owner(
        "INSERT INTO auth.identifier_join VALUES (:id, :citizen, :other, '{}', '{}', now(), NULL)",
        id=row["join"],
        citizen=citizen,
        other=child,
    )
    stand.as_owner(
        "INSERT INTO auth.pairing VALUES (:id, :doctor, '01901', now())",
        id=row["pairing"],
        doctor=doctor,
    )
    return row


def _world(stand: Stand, clinic: Clinic, victim: UUID, stranger: UUID, message_id: str) -> World:
    token, doctor, asker = clinic.citizen(victim), clinic.doctor(), clinic.doctor()
    facility = Facility(stand, clinic.http, code="61901").open()
    facility.publish(schedule("A"), schedule("B", departmentCode="K01"))
    slots = clinic.ask(
        token,
        "query ($c: String!, $f: Date!, $t: Date!) { appointmentSlots(facilityCode: $c, from: $f, to: $t) "
        "{ nodes { id departmentCode } } }",
        c=facility.code,
        f=tomorrow().isoformat(),
        t=tomorrow(3).isoformat(),
    ).json()["data"]["appointmentSlots"]["nodes"]
    booked = clinic.data(token, BOOK_A_SLOT, input={"idempotencyKey": a_key(), "slotId": slots[-1]["id"]})
    wish = {"facilityCode": facility.code, "from": tomorrow().isoformat(), "to": tomorrow(9).isoformat()}
    waits = clinic.data(token, JOIN, input={"idempotencyKey": a_key(), "departmentCode": "K01", **wish})["entry"]
    grant = clinic.grant(token, doctor)
    code = clinic.share(token)["shareCode"]["id"]
    asked = clinic.data(asker, ASK, input=request(VICTIM.personal_id))["request"]["id"]
    families = Families(stand)
    child = families.citizen("Con Của Họ", born=tomorrow().replace(year=tomorrow().year - 5))
    row = _by_hand(stand, victim, child, clinic.doctors[doctor])
    former = _former(stand, families, victim)
    session = stand.as_owner(
        "SELECT id FROM auth.session WHERE token_hash = sha256(convert_to(:token, 'UTF8'))", token=token
    )[0].id
    notice = stand.as_owner("SELECT id FROM notice.event WHERE citizen_id = :id LIMIT 1", id=victim)[0].id
    ids = {
        "citizenId": victim,
        "grantId": grant,
        "recordIds": first(clinic, token, "visits"),
        "recordId": first(clinic, token, "visits"),
        "claimId": victim,  # none is made here: tests/identity try real ones
        "disownedId": message_id,
        "sessionId": session,
        "representationId": families.represent(child, victim),
        "consentId": row["consent"],
        "joinId": row["join"],
        "messageId": message_id,
        "pairingId": row["pairing"],
        "vaccinationId": first(clinic, token, "vaccinations"),
        "entryId": f"{victim}.1",
        "entryIds": f"{victim}.1",
        "slotId": slots[-2]["id"],
        "appointmentId": booked["appointment"]["id"],
        "offerId": waits["offer"]["id"],
        "shareCodeId": code,
        "requestId": asked,
        "deviceId": row["device"],
        "ids": notice,
    }
    tokens = _people(clinic, victim, {"stranger": stranger, "former guardian": former})
    tokens |= {"the doctor with the grant": doctor, "a facility's system": facility.token, "nobody": None}
    return World({name: str(one) for name, one in ids.items()}, waits["id"], victim, tokens, clinic)


def _people(clinic: Clinic, victim: UUID, citizens: Mapping[str, UUID]) -> dict[str, str | None]:
    """Return tokens of others who are somebody: citizens, and doctors whose grant is none now."""
    return {
        **{name: clinic.citizen(one) for name, one in citizens.items()},
        "another doctor": clinic.doctor(facility="01901"),
        "a doctor with a revoked grant": _ended(clinic, victim, "revoked_at = now()"),
        "a doctor before the grant": _ended(clinic, victim, "starts_at = now() + interval '1 hour'"),
        "a doctor after the grant": _ended(clinic, victim, "ends_at = clock_timestamp()"),
    }


def _former(stand: Stand, families: Families, victim: UUID) -> UUID:
    """Return somebody who represented the victim until just now."""
    former = families.citizen("Người Giám Hộ Cũ", born=tomorrow().replace(year=tomorrow().year - 60))
    row = families.represent(victim, former, kind="COURT")
    stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE id = :id", id=row)
    return former


def _ended(clinic: Clinic, victim: UUID, change: str) -> str:
    """Return a doctor whose grant opens nothing now."""
    doctor = clinic.doctor()
    clinic.grant(clinic.citizen(victim), doctor)
    clinic.stand.as_owner(
        f"UPDATE auth.book_grant SET {change} WHERE practitioner_id = :id",
        id=clinic.doctors[doctor],
    )
    return doctor


def first(clinic: Clinic, token: str, section: str) -> str:
    found: str = clinic.data(token, f"{{ healthBook {{ {section} {{ nodes {{ id }} }} }} }}")[section]["nodes"][0]["id"]
    return found


def cases() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Yield every argument that takes an id: the kind of root, its field, the id's name, and what else is needed."""
    for operation, root in ROOTS.items():
        for field, definition in (root.fields if root else {}).items():
            for name, argument in definition.args.items():
                kind = get_named_type(argument.type)
                if kind.name == "ID":
                    yield operation, field, name, {}
                elif isinstance(kind, GraphQLInputObjectType):
                    yield from ((operation, field, inner, {"in": name}) for inner in _ids_in(kind))


def _ids_in(kind: GraphQLInputObjectType) -> Iterator[str]:
    for name, one in kind.fields.items():
        inner = get_named_type(one.type)
        if inner.name == "ID" and name != "idempotencyKey":
            yield name
        elif isinstance(inner, GraphQLInputObjectType):
            yield from _ids_in(inner)


CASES = list(cases())


def test_every_name_of_an_id_is_known() -> None:
    assert {name for _, _, name, _ in CASES} | {"entryIds"} == PLACES
    assert len(CASES) >= 35


def filled(kind: GraphQLInputObjectType, field: str, wanted: str, world: World) -> dict[str, Any]:
    """Return an input with the victim's id for `wanted`, and what it must have besides."""
    found: dict[str, Any] = {}
    for name, one in kind.fields.items():
        inner = get_named_type(one.type)
        needed = isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined
        listed = str(one.type).startswith("[")
        if name == "idempotencyKey":
            found[name] = a_key()
        elif inner.name == "ID" and (needed or name == wanted):
            found[name] = [world.of(field, name)] if listed else world.of(field, name)
        elif isinstance(inner, GraphQLInputObjectType) and (needed or wanted in _ids_in(inner)):
            found[name] = filled(inner, field, wanted, world)
        elif needed or (name == "classes" and wanted == "citizenId"):
            found[name] = SAID.get(name, value_of(one.type, UUID(int=5)))
    return found


def asked(world: World, case: tuple[str, str, str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Return the document and variables of a case."""
    operation, field, name, _ = case
    root = ROOTS[operation]
    assert root is not None
    variables: dict[str, Any] = {}
    for argument, one in root.fields[field].args.items():
        kind = get_named_type(one.type)
        if isinstance(kind, GraphQLInputObjectType):
            variables[argument] = filled(kind, field, name, world)
        elif argument == name:
            variables[argument] = world.of(field, name)
        elif isinstance(one.type, GraphQLNonNull) and one.default_value is Undefined:
            variables[argument] = value_of(one.type, UUID(int=5))
    declared = ", ".join(f"${one}: {root.fields[field].args[one].type}" for one in variables)
    given = ", ".join(f"{one}: ${one}" for one in variables)
    kind = get_named_type(root.fields[field].type)
    shown = "nodes { __typename }" if "nodes:" in print_type(kind) else "__typename"
    return f"{operation} ({declared}) {{ {field}({given}) {{ {shown} }} }}", variables


async def belongings(ground: Ground, settings: Settings, victim: UUID) -> dict[str, str]:
    """Return a digest of the victim's rows of every table, behind every policy."""
    async with tries.as_superuser(ground, settings) as superuser:
        tables = await superuser.fetch(
            "SELECT a.attrelid::regclass::text AS name FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
            "WHERE a.attname = 'citizen_id' AND c.relkind = 'r' AND c.relnamespace <> 'pg_catalog'::regnamespace "
            "AND c.relname <> 'reading_window'"
        )
        query = "SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {} t WHERE citizen_id = $1"
        return {one["name"]: await superuser.fetchval(query.format(one["name"]), victim) for one in tables}


OTHERS: Mapping[str, set[str]] = {
    "stranger": set(),
    "former guardian": set(),
    "another doctor": set(),
    "a doctor with a revoked grant": set(),
    "a doctor before the grant": set(),
    "a doctor after the grant": set(),
    "the doctor with the grant": {"sharedHealthBook.grantId", "unpairFacility.pairingId"},
    "a facility's system": set(),
    "nobody": set(),
}
"""Everybody but the victim, and which of the victim's ids are theirs to use."""


@pytest.mark.parametrize("who", OTHERS)
def test_b131_b133_another_persons_ids_open_and_change_nothing(
    ground: Ground, settings: Settings, world: World, who: str
) -> None:
    before = tries.run(belongings, ground, settings, world.victim)
    told: dict[str, str] = {}
    for case in CASES:
        query, variables = asked(world, case)
        answer = world.clinic.ask(world.tokens[who], query, **variables)
        assert answer.status_code < 500, (case, answer.text)
        body = answer.json()
        code = body["errors"][0]["extensions"]["code"] if body.get("errors") else "DATA"
        told[f"{case[1]}.{case[2]}"] = code

    shown = {name for name, code in told.items() if code == "DATA"}
    assert shown - OTHERS[who] <= {".".join(one) for one in OPEN_TO_ALL}, shown
    assert shown >= OTHERS[who]
    allowed = (
        {"UNAUTHENTICATED"} if who in {"a facility's system", "nobody"} else {"NOT_FOUND", "UNAUTHENTICATED", "INVALID"}
    )
    told.pop("bookAppointment.slotId")  # booked already by the first who asked: CONFLICT
    assert {name: code for name, code in told.items() if code not in {*allowed, "DATA"}} == {}
    invalid = {name for name, code in told.items() if code == "INVALID"}
    assert invalid <= {"requestShare.recordIds"}, invalid
    after = tries.run(belongings, ground, settings, world.victim)
    changed = {name for name in before if after[name] != before[name]}
    assert changed == (
        {"audit.line", "audit.leaf", "audit.head"} if OTHERS[who] else set()
    )  # who opened a book is told


def test_b131_the_receipts_of_anothers_lines_are_none(world: World) -> None:
    query = "query ($ids: [ID!]!) { healthBook { accessReceipts(entryIds: $ids) { entryId } } }"
    assert world.clinic.data(world.tokens["stranger"] or "", query, ids=[world.ids["entryIds"]]) == {
        "accessReceipts": []
    }


def test_the_same_ids_are_good_for_whom_they_belong_to(world: World) -> None:
    """The cases can fail: the victim's own session is answered for what the others are refused."""
    token = world.clinic.citizen(world.victim)
    told = {}
    for case in CASES:
        if case[1] in {"healthBook", "previewShare", "maskRecords", "createShareCode", "accessLog", "questionAccess"}:
            query, variables = asked(world, case)
            body = world.clinic.ask(token, query, **variables).json()
            told[f"{case[1]}.{case[2]}"] = body.get("errors")
    assert told
    assert {name: errors for name, errors in told.items() if errors} == {}
    assert WHOLE["sections"]
