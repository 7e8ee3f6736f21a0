"""What a representative learns of what somebody shared, and ids that are no ids of a share."""

from datetime import timedelta

import pytest

from tests.identity.families import Families, today, years_ago
from tests.people import Stand
from tests.sharing.conftest import Patients
from tests.sharing.sharing import CANCEL, CODES, GRANTS, REFUSE, REQUESTS, REVOKE, Clinic, a_key


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
