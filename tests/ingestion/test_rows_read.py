"""What a facility has sent does not make its next message dearer: rows and index entries are counted, not time.

A plan that begins at the wrong end reads the facility's whole past: fast in every test, and slower with each message.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from itertools import count
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from app.core.crypto import Place
from app.core.db import Login, Session
from app.core.ids import new_id
from app.ingestion import processing, sql
from tests import steps
from tests.ingestion import messages
from tests.ingestion.fhir import door
from tests.ingestion.fhir.bundles import Json
from tests.people import Stand, now

SOON, LATER = 15, 150
SEVERAL = 10
"""How many rows or entries more are chance, on the way through an index; of a facility's past they are hundreds."""
KNOWN = {("taken_back", "message_facility_received_idx")}
"""What is still read of the past: which waiting messages tell a visit that is taken back (decision 0042)."""
Result = TypeVar("Result")
SERIALS = count(1)
READ = text(
    "SELECT c.relname AS name, pg_stat_get_xact_tuples_returned(c.oid) AS read FROM pg_class c "
    "WHERE c.relkind IN ('r', 'i') AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'pg_toast')"
)
"""Rows that scans of tables have read in this transaction, and entries that scans of indexes have."""


class Sender:
    """A facility that sends by both doors, each message about a person of its own."""

    def __init__(self, stand: Stand, code: str) -> None:
        self.stand = stand
        self.facility = stand.facility(code)

    def send(self, body: bytes, *, format_name: str, expected: str = "filed", visit: str | None = None) -> Counter[str]:
        """Keep a message as the door does and process it as the worker does; what was read for it.

        With `visit` it is the withdrawal of one.
        """
        message_id = new_id(now=now())
        place = Place(table="intake.message", column="body", row_id=message_id)
        kept: dict[str, Any] = {
            "token": self.facility,
            "message_id": message_id,
            "digest": hashlib.sha256(body).digest(),
            "size_bytes": len(body),
            "idempotency_key": f"key-{message_id}",
            "sealed": self.stand.vault.sealer.seal(body, place=place),
        }
        if visit is None:
            keep = partial(sql.keep_message, format_name=format_name, **kept)
        else:
            keep = partial(sql.keep_withdrawal, target=sql.Target(visit=visit, kind="VISIT", key=visit), **kept)
        process = partial(processing.process_message, message_id=message_id, vault=self.stand.vault, now=now())
        _, for_door = self.measured(Login.INGEST, keep)
        status, for_worker = self.measured(Login.WORKER, process)
        assert status == expected
        return for_door + for_worker

    def measured(self, login: Login, step: Callable[[Session], Awaitable[Result]]) -> tuple[Result, Counter[str]]:
        async def counted(session: Session) -> tuple[Result, Counter[str]]:
            before = {row.name: row.read for row in await session.execute(READ)}
            result = await step(session)
            return result, Counter({row.name: row.read - before[row.name] for row in await session.execute(READ)})

        return self.stand.run(login, counted)

    def visit(self, serial: int, **changed: str) -> bytes:
        person = {"SO_CCCD": f"9750660{serial:05}", "HO_TEN": f"Nguyễn Thị {serial}", "MA_LK": f"X{serial}"}
        card = {"MA_THE_BHYT": f"DN4019{serial:09}", "GT_THE_TU": "20260101", "GT_THE_DEN": "20261231"}
        told = {**messages.VISIT, **person, **card, "MA_DKBD": "01901", **changed}
        return messages.envelope(messages.visit_xml({"XML1": [told]}))

    def xml(self) -> Counter[str]:
        return self.send(self.visit(next(SERIALS)), format_name="qd4750")

    def again(self) -> Counter[str]:
        """Send a visit, and then corrected."""
        serial = next(SERIALS)
        self.send(self.visit(serial), format_name="qd4750")
        return self.send(self.visit(serial, LY_DO_VV="Đau đầu"), format_name="qd4750")

    def taken_back(self) -> Counter[str]:
        """Send a visit, and take it back."""
        serial = next(SERIALS)
        self.send(self.visit(serial), format_name="qd4750")
        body = json.dumps({"visit": f"X{serial}", "reason": "Nhầm"}).encode()
        return self.send(body, format_name="withdrawal", visit=f"X{serial}")

    def held(self) -> Counter[str]:
        """Send a visit, and another one under its number and another name, which waits."""
        serial = next(SERIALS)
        self.send(self.visit(serial), format_name="qd4750")
        other = self.visit(serial, HO_TEN="Trần Văn Khác", MA_LK=f"Y{serial}")
        return self.send(other, format_name="qd4750", expected="quarantined")

    def fhir(self) -> Counter[str]:
        body = door.of(f"{next(SERIALS):05}", "patient", "visit", "main", "drug", "glucose", "report")
        return self.send(body, format_name="fhir")

    def late(self) -> Counter[str]:
        """Send a Patient and an Encounter, and then a Condition that refers to them."""
        number = f"{next(SERIALS):05}"

        def of_before(all_: dict[str, Json]) -> None:
            told = {"subject": f"Patient/patient-{number}", "encounter": f"Encounter/visit-{number}"}
            all_["main"] |= {name: {"reference": reference} for name, reference in told.items()}

        def with_ids(all_: dict[str, Json]) -> None:
            for name in ("patient", "visit"):
                all_[name]["id"] = f"{name}-{number}"

        self.send(door.of(number, "patient", "visit", change=with_ids), format_name="fhir")
        return self.send(door.of(number, "main", change=of_before), format_name="fhir")

    def early(self) -> Counter[str]:
        """Send what comes before its Patient and Encounter, and waits for them."""
        serial = next(SERIALS)

        def of_others(all_: dict[str, Json]) -> None:
            told = {"subject": f"Patient/early-{serial}", "encounter": f"Encounter/early-{serial}"}
            all_["main"] |= {name: {"reference": reference} for name, reference in told.items()}

        return self.send(door.of(f"{serial:05}", "main", change=of_others), format_name="fhir", expected="quarantined")


WAYS = (Sender.xml, Sender.again, Sender.taken_back, Sender.held, Sender.fhir, Sender.late, Sender.early)


@pytest.fixture(scope="module")
def sender(stand: Stand) -> Sender:
    return Sender(stand, "01901")


def test_a_message_reads_no_more_after_ten_times_as_many(sender: Sender) -> None:
    """With the plans of when little was there, which a backend keeps, and with those that a new one makes."""
    found: dict[int, dict[str, Counter[str]]] = {}
    for sent, before in ((SOON, 0), (LATER, SOON)):
        for way in WAYS:
            for _ in range(before, sent):
                way(sender)
        found[sent] = {way.__name__: way(sender) for way in WAYS}
    steps.close(sender.stand.settings)
    anew = {way.__name__: way(sender) for way in WAYS}

    grown = {
        (name, relation): (found[SOON][name][relation], read)
        for later in (found[LATER], anew)
        for name, now_read in later.items()
        for relation, read in now_read.items()
        if read - found[SOON][name][relation] > SEVERAL
    }
    assert grown.keys() - KNOWN == set(), grown
