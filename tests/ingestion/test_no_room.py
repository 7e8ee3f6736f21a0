"""PostgreSQL's disk is full: nothing is half kept, nobody is told of a defect, and it goes on by itself."""

from collections.abc import Iterator

import httpx
import pytest

from tests.ingestion import messages
from tests.people import Stand

XML = {"Content-Type": "application/xml"}


@pytest.fixture
def full_disk(stand: Stand) -> Iterator[None]:
    """Let PostgreSQL find no room for another message, in its own words."""
    stand.as_owner(
        "CREATE OR REPLACE FUNCTION intake.no_room() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$"
    )
    stand.as_owner("CREATE TRIGGER no_room BEFORE INSERT ON intake.message EXECUTE FUNCTION intake.no_room()")
    yield
    stand.as_owner("DROP FUNCTION IF EXISTS intake.no_room CASCADE")


@pytest.mark.usefixtures("full_disk")
def test_a_message_for_which_there_is_no_room_is_to_be_sent_again(http: httpx.Client, stand: Stand) -> None:
    headers = {"Authorization": f"Bearer {stand.facility('01901')}", **XML}
    full = http.post("/ingest/qd4750", content=messages.message(), headers=headers)
    assert (full.status_code, full.json()["code"], full.headers["retry-after"]) == (503, "UNAVAILABLE", "5")
    assert stand.as_owner("SELECT count(*) FROM intake.message")[0].count == 0

    stand.as_owner("DROP FUNCTION intake.no_room CASCADE")

    again = http.post("/ingest/qd4750", content=messages.message(), headers=headers)
    assert again.status_code == 202
