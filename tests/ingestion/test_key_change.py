"""A hospital changes its system and its key: the old key ends, the new one works, what is on the way is filed."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Login, Session
from app.core.ids import new_id
from app.core.settings import Settings
from app.facilities import registry
from app.facilities.sql import ChangeEntry
from app.identity.clients import JWT_BEARER
from app.identity.jwt import public_part, sign
from tests.identity.forging import private_key
from tests.ingestion import messages
from tests.ingestion.fhir.bundles import PERSONAL_ID
from tests.people import Stand, now

HOSPITAL = "01901"
ENDED, BEGAN = 401, 200
VISITS = "{ healthBook { visits { nodes { provenance { version sources { sourceId } } } } } }"


class System:
    """One of a hospital's systems, with its own key."""

    def __init__(self, http: httpx.Client, settings: Settings, *, kid: str) -> None:
        self.http, self.settings = http, settings
        self.key = private_key(kid)
        self.token = ""

    def signs_in(self) -> int:
        """Ask for a token with the system's key; returns the status."""
        seconds = int(now().timestamp())
        audience = f"{self.settings.public_url}/auth/token"
        own = {"iss": HOSPITAL, "sub": HOSPITAL, "aud": audience, "exp": seconds + 200, "jti": str(uuid4())}
        assertion = sign(own, key=self.key)
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion,
        }
        answer = self.http.post("/auth/token", data=form)
        self.token = answer.json().get("access_token", self.token)
        return answer.status_code

    def sends(self, visit: str, *, made: str) -> httpx.Response:
        """Send one visit of 1 March under this system's id."""
        tables = {name: [{**line, "MA_LK": visit}] for name, line in messages.LINES.items()}
        tables["XML1"][0] |= {"NGAY_VAO": "202603010815", "NGAY_RA": "202603011030", "NGAY_TTOAN": "202603011030"}
        body = messages.envelope(messages.visit_xml(tables), facility=HOSPITAL, issued=made)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/xml"}
        return self.http.post("/ingest/qd4750", content=body, headers=headers)


@pytest.fixture
def system(http: httpx.Client, stand: Stand, settings: Settings) -> Callable[[str], System]:
    stand.facility(HOSPITAL)
    return partial(lambda kid: System(http, settings, kid=kid))


def rotates(stand: Stand, system: System, *, keeps_old: bool) -> int:
    """Register a system's key as `facility rotate-key` does; returns how many others were revoked."""

    async def step(session: Session) -> int:
        await registry.add_key(session, code=HOSPITAL, jwk=public_part(system.key), now=now())
        kid = system.key["kid"]
        return 0 if keeps_old else await registry.revoke_other_keys(session, code=HOSPITAL, kid=kid, now=now())

    return stand.run(Login.MIGRATOR, step)


def declares(stand: Stand) -> None:
    first = now().date()
    entry = ChangeEntry(
        id=new_id(now=now()),
        code=HOSPITAL,
        predecessor=HOSPITAL,
        kind="SYSTEM",
        resent_from=first - timedelta(days=730),
        begins_on=first,
        ends_on=None,
    )
    stand.run(Login.MIGRATOR, partial(registry.declare_change, entry=entry, now=now()))


def test_keys_rotate_with_a_change_of_system(system: Callable[[str], System], stand: Stand, http: httpx.Client) -> None:
    old, new = system("his-old"), system("his-new")
    rotates(stand, old, keeps_old=True)
    assert (old.signs_in(), new.signs_in()) == (BEGAN, ENDED)
    on_the_way = old.sends("old.1", made="20260301").json()["messageId"]

    declares(stand)
    assert rotates(stand, new, keeps_old=True) == 0  # both systems run
    assert (old.signs_in(), new.signs_in()) == (BEGAN, BEGAN)
    late = old.sends("old.1", made="20260302").json()["messageId"]

    assert rotates(stand, new, keeps_old=False) == 1
    assert old.sends("old.1", made="20260303").status_code == old.signs_in() == ENDED
    assert new.signs_in() == BEGAN
    again = new.sends("new.1", made="20261122").json()["messageId"]

    assert [stand.process(UUID(one)) for one in (on_the_way, late, again)] == ["filed"] * 3
    receipt = http.get(f"/ingest/messages/{late}", headers={"Authorization": f"Bearer {new.token}"}).json()
    assert receipt["status"] == "filed"  # the new system reads what the old one sent
    citizen = stand.citizen_by(PERSONAL_ID)
    headers = {"Authorization": f"Bearer {stand.citizen_token(citizen)}"}
    told = http.post("/graphql", json={"query": VISITS}, headers=headers).json()["data"]["healthBook"]
    (visit,) = told["visits"]["nodes"]
    assert [one["sourceId"] for one in visit["provenance"]["sources"]][-1] == "new.1"
    assert {one["sourceId"] for one in visit["provenance"]["sources"]} == {"old.1", "new.1"}
