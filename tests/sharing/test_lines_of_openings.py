"""The line of an opening is written as a text: what was hashed is what anybody makes of the row that is kept."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from app.audit.lines import leaf_of
from app.core.db import Login
from tests.attacks import tries
from tests.identity.families import Families, today, years_ago
from tests.people import Stand
from tests.sharing.conftest import Patients
from tests.sharing.opening import SCOPES
from tests.sharing.sharing import OWN, WHOLE, Clinic

ODD = 'a "b" \\ \n \x7f Đặng 🏥 {"c": [1.5]}'


def kept(stand: Stand, citizen: UUID) -> list[dict[str, Any]]:
    rows = stand.as_owner(
        "SELECT l.*, l.about::text AS about_text, f.hash, audit.body_of(l) AS body FROM audit.line l "
        "JOIN audit.leaf f USING (citizen_id, n) WHERE l.citizen_id = :id AND l.action = 'BOOK_OPENED' ORDER BY l.n",
        id=citizen,
    )
    return [{**row._mapping, "about": row.about_text, "told": row.about} for row in rows]


def test_t17_a_practitioners_line_is_hashed_as_it_is_kept_whatever_the_grant_opens(
    clinic: Clinic, citizen: str, patients: Patients, stand: Stand
) -> None:
    doctor = clinic.doctor()
    book = clinic.data(citizen, OWN)
    records = [book[section]["nodes"][0]["id"] for section in ("visits", "prescriptions")]
    scopes = [
        *SCOPES[6:],
        {**WHOLE, "recordIds": records},
        {**WHOLE, "from": "2020-01-01", "facilityCodes": ["01901"]},
        WHOLE,
    ]
    before = len(kept(stand, patients.owner))

    async def announce(grant: UUID, *more: object) -> int:
        async with tries.as_login(stand, Login.API) as api:
            line: int = await api.fetchval("SELECT op.announce($1, NULL, $2, $3, $4, $5)", doctor, grant, *more)
            return line

    for scope in scopes:
        grant = UUID(clinic.grant(citizen, doctor, scope=scope))
        for more in (("probe", b"\x01\xff", "r"), (ODD, None, None), ("probe", b"", ODD)):
            assert tries.run(announce, grant, *more) > 0
    stand.as_owner("UPDATE auth.book_grant SET purpose = :purpose WHERE id = :id", purpose=ODD, id=grant)
    assert tries.run(announce, grant, "probe", b"", "r") > 0

    lines = kept(stand, patients.owner)[before:]
    assert len(lines) == 4 * len(scopes) + 1  # redeeming opens it too
    assert [line["hash"] for line in lines] == [leaf_of(line) for line in lines]
    told = [line["told"] for line in lines]
    assert {"probe", ODD} < {one["operation"] for one in told}
    assert told[-1]["purpose"] == ODD
    assert {tuple(one["records"]) for one in told if "records" in one} == {tuple(sorted(records))}
    assert {"facilities", "since", "until", "facility", "purpose", "version"} <= {key for one in told for key in one}
    assert None not in [value for one in told for value in one.values()]


def test_t17_a_representatives_line_is_hashed_as_it_is_kept(clinic: Clinic, patients: Patients, stand: Stand) -> None:
    families = Families(stand)
    parent = families.citizen('Người "Lớn"', born=years_ago(today(stand), 40))
    born = stand.as_owner("SELECT birth_on FROM auth.citizen WHERE id = :id", id=patients.other)[0].birth_on
    right = families.represent(patients.other, parent)
    for years, classes in ((9, 31), (14, 31)):
        families.born(patients.other, years_ago(today(stand), years) - timedelta(days=1))
        before = len(kept(stand, patients.other))
        clinic.data(clinic.citizen(parent), OWN, citizen=str(patients.other))

        (line,) = kept(stand, patients.other)[before:]
        assert line["hash"] == leaf_of(line)
        assert line["told"]["scope"] == {"sections": 1023, "sensitive": classes}
        assert (line["told"]["kind"], line["actor_kind"], line["actor_id"]) == ("PARENT", "REPRESENTATIVE", parent)
        assert (line["actor_name"], line["facility_code"], line["category"]) == ('Người "Lớn"', None, "VIEW")
    families.born(patients.other, born)
    stand.as_owner("UPDATE auth.representation SET ended_at = now() WHERE id = :id", id=right)
