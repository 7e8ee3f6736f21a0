"""A standby answers in the server's place, as while one takes over from another: nobody meets a defect."""

import itertools
from collections.abc import Callable

import httpx

from app.core.settings import Settings
from tests.attacks.crowd import Member, message
from tests.conftest import Ground
from tests.people import Stand

ONE = Member(number=1)
BOOK = {"query": "{ healthBook { visits { nodes { id } } } }"}


def become(ground: Ground, settings: Settings, how: str) -> None:
    """Let the database take writes or not, and end every connection, as a change of servers does."""
    database = settings.database_url.rpartition("/")[2]
    ground.cluster.psql(
        f"ALTER DATABASE {database} SET default_transaction_read_only = {how}; "
        f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{database}'"
    )


def test_what_must_be_written_is_unavailable_and_goes_on_by_itself(
    ground: Ground, settings: Settings, http: httpx.Client, stand: Stand
) -> None:
    facility, others = stand.facility(), itertools.count(2)
    stand.file(message(ONE), token=facility)
    citizen = {"Authorization": f"Bearer {stand.citizen_token(stand.citizen_by(ONE.personal_id))}"}
    sender = {"Authorization": f"Bearer {facility}", "Content-Type": "application/xml"}
    ways: dict[str, Callable[[], httpx.Response]] = {
        "book": lambda: http.post("/graphql", json=BOOK, headers=citizen),
        "message": lambda: http.post("/ingest/qd4750", content=message(Member(number=next(others))), headers=sender),
    }
    before = {name: ask().status_code for name, ask in ways.items()}

    become(ground, settings, "on")
    for name, ask in ways.items():
        for _ in range(3):  # the first may meet a connection that is gone
            assert ask().status_code == 503, name

    become(ground, settings, "off")
    for name, ask in ways.items():
        assert before[name] in [ask().status_code for _ in range(6)], name
