"""The private calendar: read by somebody else's parser, revocable, and telling nothing (T14, B203)."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app.appointments.calendar import Publisher, calendar_file, gives_away
from app.appointments.sql import CalendarEntry
from devkit.node import ready_node, ready_packages
from tests.appointments.clinic import CANCEL, FEED, RESCHEDULE, REVOKE, Clinic, Person, bearer, key, schedule

FOLDER = Path(__file__).parent / "reader"
AT = datetime(2026, 12, 1, 1, 0, tzinfo=UTC)
PUBLISHER = Publisher(host="example.org", language="vi")
SECRETS = ("Tâm thần", "Lao", "K15", "Đau đầu", "Người Thử", "P15", "Bác sĩ Kín")


def entry(**changed: Any) -> CalendarEntry:
    known = {
        "id": UUID(int=7),
        "sequence": 0,
        "state": "LIVE",
        "starts_at": AT,
        "ends_at": AT + timedelta(minutes=15),
        "is_whole_day": False,
        "department_code": "K03",
        "is_sensitive": False,
        "changed_at": AT - timedelta(days=3),
        "facility_name": "Bệnh viện Đa khoa Thử nghiệm",
    }
    return CalendarEntry(**{**known, **changed})


def read(file: bytes, folder: Path) -> dict[str, Any]:
    """Read a file with ical.js."""
    environment = Path(sys.prefix)
    home = ready_packages(FOLDER, environment=environment)
    path = folder / "calendar.ics"
    path.write_bytes(file)
    done = subprocess.run(
        [ready_node(environment).program, home / "read.mjs", path],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def feed_of(clinic: Clinic, person: Person, **given: Any) -> str:
    url: str = clinic.do(person, FEED, **given)["url"]
    return url.removeprefix("http://127.0.0.1:8000")


def test_another_parser_reads_the_file(tmp_path: Path) -> None:
    file = calendar_file([entry(), entry(id=UUID(int=8), state="CANCELLED", sequence=2)], publisher=PUBLISHER)

    found = read(file, tmp_path)

    first, second = found["events"]
    assert found["zones"] == ["Asia/Ho_Chi_Minh"]
    assert (first["zone"], first["startsAt"], first["endsAt"]) == (
        "Asia/Ho_Chi_Minh",
        "2026-12-01T01:00:00.000Z",
        "2026-12-01T01:15:00.000Z",
    )
    assert (first["uid"], first["sequence"], first["status"]) == (f"{UUID(int=7)}@example.org", 0, "CONFIRMED")
    assert (second["uid"], second["sequence"], second["status"]) == (f"{UUID(int=8)}@example.org", 2, "CANCELLED")
    assert first["summary"] == second["summary"] == found["name"] == "Lịch hẹn khám"


def test_a_calendar_of_nothing_is_a_calendar(tmp_path: Path) -> None:
    """It has a component, as RFC 5545 section 3.6 wants: readers refuse one without."""
    found = read(calendar_file([], publisher=PUBLISHER), tmp_path)
    assert (found["events"], found["zones"]) == ([], ["Asia/Ho_Chi_Minh"])


def test_a_day_without_a_time_is_a_day(tmp_path: Path) -> None:
    midnight = datetime(2026, 12, 1, 17, 0, tzinfo=UTC)
    file = calendar_file([entry(is_whole_day=True, starts_at=midnight, ends_at=None)], publisher=PUBLISHER)

    (found,) = read(file, tmp_path)["events"]

    assert found["isDate"]
    assert b"DTSTART;VALUE=DATE:20261202" in file


@pytest.mark.parametrize("ends_at", [AT, None])
def test_an_end_that_is_not_after_the_start_is_left_out(ends_at: datetime | None, tmp_path: Path) -> None:
    """A hospital may tell an Appointment whose end is its start; strict readers refuse such a DTEND."""
    file = calendar_file([entry(ends_at=ends_at)], publisher=PUBLISHER)

    (found,) = read(file, tmp_path)["events"]

    assert "dtend" not in found["names"]
    assert found["startsAt"] == "2026-12-01T01:00:00.000Z"


def test_texts_are_escaped_and_folded_between_characters(tmp_path: Path) -> None:
    name = 'Trạm; "y tế", xã\\Đông 🙂 ' + "ệ" * 80
    file = calendar_file([entry(facility_name=name)], publisher=PUBLISHER)

    assert b'\r\nLOCATION:Tr\xe1\xba\xa1m\\; "y t\xe1\xba\xbf"\\, x\xc3\xa3\\\\' in file
    assert [line.decode() for line in file.split(b"\r\n")]  # no character is cut in two
    assert max(map(len, file.split(b"\r\n"))) <= 75
    assert read(file, tmp_path)["events"][0]["location"] == name


def test_lines_are_folded_and_end_as_rfc_5545_wants() -> None:
    file = calendar_file([entry(facility_name="Bệnh viện " + "rất dài " * 30)], publisher=PUBLISHER)
    assert file.count(b"\n") == file.count(b"\r\n") > 20
    assert max(len(line) for line in file.split(b"\r\n")) <= 75


@pytest.mark.parametrize(
    ("changed", "is_told"),
    [
        ({}, True),
        ({"department_code": "K11"}, False),
        ({"department_code": "K15"}, False),
        ({"department_code": "K56"}, False),
        ({"department_code": "K22.1"}, True),
        ({"department_code": "K99"}, False),
        ({"department_code": None}, False),
        ({"is_sensitive": True}, False),
        ({"facility_name": "Bệnh viện Tâm thần Trung ương 1"}, False),
        ({"facility_name": "Bệnh viện Phổi Trung ương"}, False),
        ({"facility_name": "BỆNH VIỆN DA LIỄU"}, False),
        ({"facility_name": "Trung tâm HIV/AIDS"}, False),
        ({"facility_name": "Bệnh viện K"}, False),
        ({"facility_name": "Bệnh viện Kiến An"}, True),
    ],
)
def test_b203_a_place_that_gives_it_away_is_left_out(changed: dict[str, Any], *, is_told: bool) -> None:
    one = entry(**changed)
    file = calendar_file([one], publisher=PUBLISHER)
    assert gives_away(one) is not is_told
    assert (b"LOCATION" in file) is is_told


def test_b203_t14_a_feed_tells_times_and_nothing_else(clinic: Clinic, tmp_path: Path) -> None:
    plan = schedule(departmentCode="K15", room="P15", practitionerName="Bác sĩ Kín", practitionerCertificate="1/HNO")
    clinic.publish(plan)
    person = clinic.person()
    clinic.book(person, clinic.slots(person)[0], reason="Đau đầu")

    answer = clinic.http.get(feed_of(clinic, person))

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert "no-store" in answer.headers["cache-control"]
    assert not [secret for secret in SECRETS if secret in answer.text]
    (event,) = read(answer.content, tmp_path)["events"]
    assert (event["summary"], event["location"], event["description"]) == ("Lịch hẹn khám", None, None)
    allowed = {"uid", "sequence", "dtstamp", "last-modified", "dtstart", "dtend", "summary", "status", "class"}
    assert set(event["names"]) == allowed


def test_a_change_and_a_cancellation_keep_the_uid_and_count_on(clinic: Clinic, tmp_path: Path) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    slots = clinic.slots(person)
    made = clinic.book(person, slots[0])["id"]
    url = feed_of(clinic, person)

    def event() -> dict[str, Any]:
        (found,) = read(clinic.http.get(url).content, tmp_path)["events"]
        assert isinstance(found, dict)
        return found

    first = event()
    clinic.do(person, RESCHEDULE, appointmentId=made, slotId=slots[5]["id"])
    second = event()
    clinic.do(person, CANCEL, appointmentId=made)
    third = event()

    assert first["uid"] == second["uid"] == third["uid"]
    assert [one["sequence"] for one in (first, second, third)] == [0, 1, 2]
    assert [one["status"] for one in (first, second, third)] == ["CONFIRMED", "CONFIRMED", "CANCELLED"]
    assert second["startsAt"][:19] == slots[5]["startsAt"][:19]


def test_a_feed_that_the_reader_has_is_not_sent_again(clinic: Clinic) -> None:
    clinic.publish(schedule())
    person = clinic.person()
    slots = clinic.slots(person)
    url = feed_of(clinic, person)
    empty = clinic.http.get(url)
    made = clinic.book(person, slots[0])["id"]
    first = clinic.http.get(url)
    assert first.headers["etag"] != empty.headers["etag"]
    by_tag = {"If-None-Match": first.headers["etag"]}
    by_others = {"If-None-Match": f'"x", W/{first.headers["etag"]}'}
    by_date = {"If-Modified-Since": format_datetime(datetime.now(UTC), usegmt=True)}

    for known in (by_tag, by_others, {**by_tag, **by_date}, {"If-None-Match": "*"}):
        again = clinic.http.get(url, headers=known)
        assert (again.status_code, again.content) == (304, b""), known
        assert again.headers["etag"] == first.headers["etag"]
    for unknown in ({"If-None-Match": '"x"'}, {"If-None-Match": '"x"', **by_date}, by_date):
        assert clinic.http.get(url, headers=unknown).content == first.content

    clinic.do(person, CANCEL, appointmentId=made)
    for known in (by_tag, by_date):
        assert b"STATUS:CANCELLED" in clinic.http.get(url, headers=known).content
    clinic.do(person, REVOKE)
    assert clinic.http.get(url, headers={"If-None-Match": "*"}).status_code == 404


def test_a_feed_is_made_anew_and_revoked(clinic: Clinic) -> None:
    person = clinic.person()
    first = feed_of(clinic, person)
    assert clinic.http.get(first).status_code == 200
    second = feed_of(clinic, person)

    assert clinic.http.get(first).status_code == 404
    assert clinic.http.get(second).status_code == 200
    assert clinic.do(person, REVOKE)["revoked"] == 1
    assert clinic.http.get(second).status_code == 404
    assert clinic.do(person, REVOKE)["revoked"] == 0


def test_whatever_is_wrong_with_an_address_looks_alike(clinic: Clinic) -> None:
    person = clinic.person()
    revoked = feed_of(clinic, person)
    clinic.do(person, REVOKE)
    names = ("x" * 43, "A" * 22, "not-a-secret", "x", "y" * 101, "%C3%A9" * 30, "%00" * 30)
    wrong = [revoked, *(f"/calendar/{name}.ics" for name in names)]
    answers = [clinic.http.get(url).json() for url in wrong]
    for answer in answers:
        answer.pop("requestId")
    assert [answer for answer in answers if answer != answers[0]] == []
    assert (answers[0]["code"], answers[0]["status"]) == ("NOT_FOUND", 404)


def test_the_secret_is_stored_nowhere_and_told_again_to_its_maker(clinic: Clinic) -> None:
    person = clinic.person()
    same = {"idempotencyKey": key()}
    one, two = (clinic.ask(person, FEED, input=same)["data"]["createCalendarFeed"]["url"] for _ in range(2))
    secret = one.rpartition("/")[2].removesuffix(".ics")

    rows = clinic.stand.as_owner(
        "SELECT f::text AS row FROM care.calendar_feed f UNION ALL SELECT d::text FROM auth.deed d"
    )

    assert one == two
    assert rows
    assert not [row for row in rows if secret in row.row]


def test_a_single_event_wants_a_token_or_a_proof_of_its_key(clinic: Clinic) -> None:
    url = "/calendar/appointments/x.ics"
    assert clinic.http.get(url).status_code == 401
    unproved = clinic.http.get(url, headers={"Authorization": f"DPoP {'x' * 43}"})
    assert (unproved.status_code, unproved.headers["dpop-nonce"] != "") == (401, True)
    assert unproved.headers["www-authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_a_single_event_is_its_owners(clinic: Clinic, tmp_path: Path) -> None:
    clinic.publish(schedule())
    person, stranger = clinic.person(), clinic.person()
    made = clinic.book(person, clinic.slots(person)[0])["id"]
    url = f"/calendar/appointments/{made}.ics"

    answer = clinic.http.get(url, headers=bearer(person.token))

    (event,) = read(answer.content, tmp_path)["events"]
    assert event["uid"].startswith(made)
    assert event["location"] == "Bệnh viện Đa khoa Thử nghiệm"
    assert clinic.http.get(url, headers=bearer(stranger.token)).status_code == 404
    assert clinic.http.get(url).status_code == 401
    assert clinic.http.get("/calendar/appointments/x.ics", headers=bearer(person.token)).status_code == 404
    assert clinic.http.get(url, headers=bearer(clinic.token)).status_code == 401
