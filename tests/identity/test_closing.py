"""Accounts that the service door closes: nothing works at the next request, in any role. Case B128."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from app.core.db import Login, Session
from app.core.errors import Conflict, Invalid, NotFound
from app.core.ids import new_id
from app.identity import closing
from app.identity.closing import ClosureReason
from tests.identity.families import Families, today, years_ago
from tests.identity.signing_in import Scene
from tests.people import now

NUMBER = "979058000128"
ME = "{ me { id } }"


def ask(scene: Scene, query: str, bearer: str) -> Any:
    with scene.browser() as http:
        headers = {"Authorization": f"Bearer {bearer}"}
        return http.post(f"{scene.url}/graphql", json={"query": query}, headers=headers).json()


def close(scene: Scene, number: str, reason: ClosureReason = ClosureReason.DEATH) -> int:
    stand = scene.stand

    async def step(session: Session) -> int:
        citizen_id = await closing.citizen_of(session, personal_id=number, vault=stand.vault)
        return await closing.close(session, closure_id=new_id(now=now()), citizen_id=citizen_id, reason=reason)

    return stand.run(Login.MIGRATOR, step)


def reopen(scene: Scene, number: str) -> None:
    stand = scene.stand

    async def step(session: Session) -> None:
        citizen_id = await closing.citizen_of(session, personal_id=number, vault=stand.vault)
        await closing.reopen(session, citizen_id=citizen_id)

    stand.run(Login.MIGRATOR, step)


@pytest.fixture
def number(scene: Scene) -> Iterator[str]:
    """Return the personal id of citizen:1, whose account is open again afterwards."""
    found = str(scene.account("citizen:1").personal_id)
    yield found
    scene.stand.as_owner("UPDATE auth.closure SET reopened_at = now() WHERE reopened_at IS NULL")
    scene.stand.as_owner("UPDATE auth.citizen SET closed_at = NULL")


def lines(scene: Scene, citizen: UUID) -> list[Any]:
    query = "SELECT action, actor_kind, about FROM audit.line WHERE citizen_id = :id ORDER BY n"
    return scene.stand.as_owner(query, id=citizen)


def test_b128_every_session_and_renewal_of_a_closed_account_is_dead_at_the_next_request(
    scene: Scene, number: str
) -> None:
    first, second = scene.sign_in(), scene.sign_in()
    citizen = UUID(scene.ask(ME, first["access_token"])["data"]["me"]["id"])
    bearer = scene.stand.citizen_token(citizen)
    assert ask(scene, ME, bearer)["data"]["me"]["id"] == str(citizen)
    others = scene.sign_in("citizen:2")

    assert close(scene, number) == 3

    for tokens in (first, second):
        assert not scene.is_alive(tokens)
        assert scene.renew(tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert ask(scene, ME, bearer)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert scene.is_alive(others)
    line = lines(scene, citizen)[-1]
    assert (line.action, line.actor_kind, line.about["reason"]) == ("ACCOUNT_CLOSED", "SYSTEM", "DEATH")


def test_b128_nobody_signs_in_to_a_closed_account_and_a_reopened_one_begins_anew(scene: Scene, number: str) -> None:
    before = scene.sign_in()
    close(scene, number, ClosureReason.REQUEST)
    assert "Về ứng dụng" in scene.refused_page()

    reopen(scene, number)

    assert not scene.is_alive(before)
    assert scene.is_alive(scene.sign_in())


def test_b128_a_code_that_was_not_fetched_yet_is_dead_too(scene: Scene, number: str) -> None:
    phone, back = scene.come_back()
    close(scene, number)
    with scene.browser() as http, pytest.raises(Exception, match="invalid_grant"):
        phone.tokens(http, came_back_to=back)


def test_what_cannot_be_closed_or_opened_says_why(scene: Scene, number: str) -> None:
    scene.sign_in()
    close(scene, number)
    with pytest.raises(Conflict, match="citizen reopen"):
        close(scene, number)
    reopen(scene, number)
    with pytest.raises(Conflict, match="nothing to open"):
        reopen(scene, number)
    with pytest.raises(NotFound):
        close(scene, "979058999999")
    with pytest.raises(Invalid):
        close(scene, "12345")


def test_t21_of_two_parents_a_dead_one_represents_nobody_and_the_other_is_the_last(scene: Scene) -> None:
    families = Families(scene.stand)
    day = today(scene.stand)
    mother = families.citizen("Lê Thị Sống", born=years_ago(day, 30))
    father = families.citizen("Phạm Văn Mất", born=years_ago(day, 31), number=NUMBER)
    child = families.citizen("Phạm Thị Còn", born=years_ago(day, 3))
    families.represent(child, father)
    mothers = families.represent(child, mother)
    token = scene.stand.citizen_token(mother, stepped_up=True)

    close(scene, NUMBER)

    with pytest.raises(NotFound):
        families.rights(father, child)
    listed = "{ me { ... on Citizen { dependants { extent otherRepresentatives { id } } } } }"
    dependants = ask(scene, listed, token)["data"]["me"]["dependants"]
    assert dependants == [{"extent": "FULL", "otherRepresentatives": []}]
    leave = 'mutation { endRepresentation(input: {idempotencyKey: "k", representationId: "%s"}) { __typename } }'
    refused = ask(scene, leave % mothers, token)["errors"][0]
    assert refused["extensions"]["code"] == "CONFLICT"
    assert "askRepresentative" in refused["message"]


def test_a_closed_practitioner_is_no_practitioner(scene: Scene) -> None:
    families = Families(scene.stand)
    doctor = families.citizen("Bùi Văn Nghỉ", born=years_ago(today(scene.stand), 50), number="979058000129")
    scene.stand.facility("01901")
    practitioner = new_id(now=now())
    scene.stand.as_owner(
        "INSERT INTO auth.practitioner (id, certificate, full_name, name_key, citizen_id, valid_from, registered_at) "
        "VALUES (:id, '000128/BYT-CCHN', 'Bùi Văn Nghỉ', 'BUI VAN NGHI', :person, '2020-01-01', now())",
        id=practitioner,
        person=doctor,
    )
    scene.stand.as_owner("INSERT INTO auth.practitioner_place VALUES (:id, '01901', '2020-01-01')", id=practitioner)
    token = scene.stand.practitioner_token(practitioner)
    assert ask(scene, ME, token)["data"]["me"]["id"] == str(practitioner)

    assert close(scene, "979058000129", ClosureReason.MISUSE) == 1

    assert ask(scene, ME, token)["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
