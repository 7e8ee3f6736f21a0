"""What a representative learns of what somebody shared, and ids that are no ids of a share."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from app.core.settings import Settings
from tests.attacks import tries
from tests.conftest import Ground
from tests.identity.families import Families, today, years_ago
from tests.people import Stand
from tests.sharing.conftest import Patients
from tests.sharing.sharing import CANCEL, CODES, GRANTS, OWN, REFUSE, REQUESTS, REVOKE, Clinic, a_key


@pytest.mark.parametrize(("years", "is_shown"), [(13, True), (14, False), (16, False)])
def test_b140_what_a_child_of_fourteen_shares_is_not_told_to_a_parent(
    clinic: Clinic, patients: Patients, stand: Stand, *, years: int, is_shown: bool
) -> None:
    """A scope names records and classes: who may not see everything must not learn from it what there is."""
    families = Families(stand)
    parent = families.citizen("Người Lớn", born=years_ago(today(stand), 40))
    born = stand.as_owner("SELECT birth_on FROM auth.citizen WHERE id = :id", id=patients.other)[0].birth_on
    right = families.represent(patients.other, parent)
    families.born(patients.other, years_ago(today(stand), years) - timedelta(days=1))
    child, doctor, viewer = clinic.citizen(patients.other), clinic.doctor(), clinic.citizen(parent)
    grant = clinic.grant(child, doctor, scope={"sections": ["VISITS"], "sensitive": ["MENTAL_HEALTH"]})

    shown = [one["id"] for one in clinic.data(viewer, GRANTS)["nodes"]]
    codes = clinic.data(viewer, CODES)["nodes"]

    assert (grant in shown) is is_shown
    assert bool(codes) is is_shown
    assert clinic.data(viewer, REQUESTS)["nodes"] == []
    assert grant in [one["id"] for one in clinic.data(child, GRANTS)["nodes"]]
    families.born(patients.other, born)
    stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE id = :id", id=right)


@pytest.mark.parametrize(
    ("query", "name"),
    [(CANCEL, "shareCodeId"), (REVOKE, "grantId"), (REFUSE, "requestId")],
    ids=["code", "grant", "ask"],
)
def test_b131_ones_own_id_is_no_id_of_a_share(clinic: Clinic, patients: Patients, query: str, name: str) -> None:
    """What is absent is judged as nobody's, not as the id that was sent: one's own would be one's own book."""
    token = clinic.citizen(patients.owner)

    for sent in (patients.owner, patients.other):
        assert clinic.code_of(token, query, input={"idempotencyKey": a_key(), name: str(sent)}) == "NOT_FOUND"


@pytest.fixture
def parent(patients: Patients, stand: Stand) -> Iterator[UUID]:
    """Return the parent of a child of nine, who sees all but one class of it."""
    families = Families(stand)
    born = stand.as_owner("SELECT birth_on FROM auth.citizen WHERE id = :id", id=patients.other)[0].birth_on
    found = families.citizen("Người Lớn", born=years_ago(today(stand), 40))
    right = families.represent(patients.other, found)
    families.born(patients.other, years_ago(today(stand), 9) - timedelta(days=1))
    stand.as_owner(
        "UPDATE auth.share_code SET cancelled_at = now(), verifier = NULL "
        "WHERE citizen_id = :id AND redeemed_at IS NULL AND cancelled_at IS NULL",
        id=patients.other,
    )
    yield found
    families.born(patients.other, born)
    stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE id = :id", id=right)


@pytest.mark.parametrize("how", ["ended", "over", "fourteen"])
def test_t21_b140_a_code_of_a_representative_opens_nothing_once_their_right_is_over(
    clinic: Clinic, patients: Patients, stand: Stand, parent: UUID, how: str
) -> None:
    """A code may be redeemed a week later: by then another one may decide for the child, or the child itself."""
    mother, doctor = clinic.citizen(parent), clinic.doctor()
    code = clinic.share(mother, citizenId=str(patients.other))
    if how == "fourteen":
        Families(stand).born(patients.other, years_ago(today(stand), 14))
    else:
        over = "ended_at = now()" if how == "ended" else f"valid_until = DATE '{today(stand) - timedelta(days=1)}'"
        stand.as_owner(f"UPDATE auth.representation SET {over} WHERE representative_id = :parent", parent=parent)

    refused = clinic.redeem(doctor, code["code"]).json()
    owner = clinic.citizen(patients.other)
    (told,) = [one for one in clinic.data(owner, CODES)["nodes"] if one["id"] == code["shareCode"]["id"]]

    assert refused["errors"][0]["extensions"]["code"] == "REFUSED"
    assert [one["reason"] for one in told["refusals"]] == ["NOT_FOR_THIS_VIEWER"]


def test_b140_a_code_of_a_representative_opens_the_book_while_they_are_one(
    clinic: Clinic, patients: Patients, parent: UUID
) -> None:
    code = clinic.share(clinic.citizen(parent), citizenId=str(patients.other))

    assert "errors" not in clinic.redeem(clinic.doctor(), code["code"]).json()


def test_b140_a_representative_has_an_etag_of_what_they_see(
    clinic: Clinic, patients: Patients, stand: Stand, parent: UUID, ground: Ground, settings: Settings
) -> None:
    """It turns with what they see, not with what they do not; each asking is judged and written as a reading is."""
    viewer = clinic.citizen(parent)

    def ask(etag: str = "") -> httpx.Response:
        asked = {"query": OWN, "variables": {"citizen": str(patients.other)}}
        return clinic.http.post(
            "/graphql", json=asked, headers={"Authorization": f"Bearer {viewer}", "If-None-Match": etag}
        )

    def lines() -> int:
        written = "SELECT n FROM audit.line WHERE citizen_id = :id AND action = 'BOOK_OPENED' AND actor_id = :viewer"
        return len(stand.as_owner(written, id=patients.other, viewer=parent))

    def change(visit: str) -> None:
        async def go() -> None:
            async with tries.as_superuser(ground, settings) as superuser:
                await superuser.execute(f"UPDATE book.visit SET {visit} WHERE citizen_id = $1", patients.other)

        tries.run(go)
        stand.as_owner("UPDATE auth.book SET version = version + 1 WHERE citizen_id = :id", id=patients.other)

    first, before = ask(), lines()
    etag = first.headers["etag"]
    again = ask(etag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert lines() == before + 1
    change("filed_at = filed_at")  # nothing that they see
    assert ask(etag).status_code == 304
    change("reason = 'Khám lại'")
    changed = ask(etag)
    assert changed.status_code == 200
    assert changed.headers["etag"] != etag
    change("sensitive = 32")  # a class that is closed to representatives
    without = ask(changed.headers["etag"])
    assert without.json()["data"]["healthBook"]["visits"]["nodes"] == []
    etag = without.headers["etag"]
    change("reason = 'Kín'")
    assert ask(etag).status_code == 304, "it would tell that there is something"
    change("sensitive = 0")
    stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE representative_id = :id", id=parent)
    ended = ask(ask(etag).headers.get("etag", etag))
    assert (ended.status_code, "etag" in ended.headers) == (200, False)
    assert ended.json()["errors"][0]["extensions"]["code"] == "NOT_FOUND"
