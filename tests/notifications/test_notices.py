"""From an event to the phone: told once, pushed without health data, deferred, retried, never to a stranger."""

import base64
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest

from app.core.db import Login
from app.demo.push_service import PushFault
from app.notifications import sql
from app.notifications.kinds import RULES
from tests.ingestion import messages
from tests.notifications.happening import appointment, graphql, happen, push, register, remind, soon, tell
from tests.notifications.pushing import Service
from tests.people import Stand

NUMBER = messages.VISIT["SO_CCCD"] or ""
NOTICES = """query N($first: Int, $after: String, $unread: Boolean) {
  notices(first: $first, after: $after, unread: $unread) { totalCount pageInfo { hasNextPage endCursor }
    nodes { id kind class title text subjectId readAt about { id } } } }"""


@pytest.fixture(scope="module")
def stranger(stand: Stand, owner: UUID) -> UUID:
    assert owner
    other = {"HO_TEN": "Trần Thị Bé", "SO_CCCD": "001185012399", "MA_THE_BHYT": "", "MA_LK": "other"}
    body = messages.envelope(messages.visit_xml({"XML1": [{**messages.VISIT, **other}]}))
    assert stand.file(body, token=stand.facility("01901")) == "filed"
    return stand.citizen_by("001185012399")


@pytest.mark.usefixtures("calm")
def test_an_event_is_told_once_in_the_app_and_on_the_phone(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    token = stand.citizen_token(owner)
    register(http, token, installationId="phone-1")
    event = happen(stand, owner, "CODE_REDEEMED", grant="11", facility="01901")

    assert (tell(stand, event), tell(stand, event)) == (1, 0)
    soon(stand)
    assert push(stand, service) == 0
    assert push(stand, service) == 0

    (notice,) = graphql(http, token, NOTICES)["data"]["notices"]["nodes"]
    assert (notice["kind"], notice["class"], notice["subjectId"]) == ("CODE_REDEEMED", "SHARING", "11")
    assert "Bệnh viện Thử nghiệm" in notice["text"]
    assert notice["about"]["id"] == str(owner)
    (sent,) = service.state.taken
    assert sent["fid"] == "phone-1"
    assert sent["data"] == {"noticeId": notice["id"]}
    assert sent["notification"] == {"title": "Sổ Khỏe", "body": "Có thông báo mới về việc chia sẻ sổ."}
    assert sent["android"]["collapse_key"] == sent["apns"]["headers"]["apns-collapse-id"] == "SHARING:11"


@pytest.mark.usefixtures("calm")
def test_b202_nothing_of_a_person_is_in_a_push(http: httpx.Client, stand: Stand, service: Service, owner: UUID) -> None:
    register(http, stand.citizen_token(owner), installationId="phone-old")
    canaries = ["Bệnh viện Thử nghiệm", "HIV", "Z21", NUMBER, "Nguyễn", "01901", "khoa Nhiễm"]
    for kind in RULES:
        event = happen(stand, owner, kind, facility="01901", name="Nguyễn", diagnosis="HIV Z21", number=NUMBER)
        tell(stand, event)
    soon(stand)
    push(stand, service)

    gone = {"APPOINTMENT_DUE", "WAITLIST_OFFERED", "GRANT_ENDING"}  # what they are about must still stand
    assert len(service.state.taken) == len(set(RULES) - gone)
    everything = json.dumps(service.state.taken, ensure_ascii=False)
    for canary in canaries:
        forms = [canary, quote(canary), base64.b64encode(canary.encode()).decode(), json.dumps(canary)[1:-1]]
        assert not [form for form in forms if form in everything]


@pytest.mark.usefixtures("calm")
def test_b204_a_phone_belongs_to_whoever_registered_it_last(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID, stranger: UUID
) -> None:
    register(http, stand.citizen_token(stranger), installationId="shared-phone")
    register(http, stand.citizen_token(owner), installationId="shared-phone")
    for person in (owner, stranger):
        tell(stand, happen(stand, person))
    soon(stand)

    push(stand, service)

    mine = stand.as_owner("SELECT id::text FROM notice.notice WHERE citizen_id = :id", id=owner)[0].id
    assert [one["data"]["noticeId"] for one in service.state.taken] == [mine]


@pytest.mark.usefixtures("calm")
def test_b205_after_signing_out_or_uninstalling_nothing_is_sent(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    gone, lost, kept = (stand.citizen_token(owner) for _ in range(3))
    for token, name in ((gone, "gone"), (lost, "lost"), (kept, "kept")):
        register(http, token, installationId=name)
    stand.as_owner(
        "UPDATE auth.session SET ended_at = clock_timestamp() WHERE token_hash = sha256(convert_to(:token, 'UTF8'))",
        token=gone,
    )
    service.state.faults["lost"] = [PushFault.UNREGISTERED]
    tell(stand, happen(stand, owner, session="1"))
    soon(stand)

    assert push(stand, service) == 0

    assert service.state.addresses() == ["kept"]
    assert stand.as_owner("SELECT count(*) AS n FROM notice.push_target")[0].n == 1


@pytest.mark.usefixtures("calm")
def test_b206_a_person_has_ten_phones(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    for number in range(13):
        register(http, stand.citizen_token(owner), installationId=f"phone-{number}")

    rows = stand.as_owner("SELECT count(*) AS n FROM notice.push_target WHERE citizen_id = :id", id=owner)
    assert rows[0].n == 10


@pytest.mark.usefixtures("calm")
def test_b207_anothers_notice_and_phone_are_not_there(
    http: httpx.Client, stand: Stand, owner: UUID, stranger: UUID
) -> None:
    tell(stand, happen(stand, owner))
    token = stand.citizen_token(stranger)
    device = register(http, stand.citizen_token(owner), installationId="mine")

    assert graphql(http, token, NOTICES)["data"]["notices"]["nodes"] == []
    remove = "mutation R($input: RemoveDeviceInput!) { removeDevice(input: $input) { deviceId } }"
    refused = graphql(http, token, remove, input={"idempotencyKey": "x", "deviceId": device})
    assert refused["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    notice = stand.as_owner("SELECT id::text FROM notice.notice")[0].id
    mark = "mutation M($input: MarkNoticesReadInput!) { markNoticesRead(input: $input) { marked } }"
    asked = {"idempotencyKey": "y", "ids": [notice, "x"]}
    assert graphql(http, token, mark, input=asked)["data"] == {"markNoticesRead": {"marked": 0}}


@pytest.mark.usefixtures("calm")
@pytest.mark.parametrize("fault", [PushFault.QUOTA, PushFault.UNAVAILABLE, PushFault.RESET, PushFault.INTERNAL])
def test_what_fails_for_now_is_tried_again_with_the_same_id(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID, fault: PushFault
) -> None:
    register(http, stand.citizen_token(owner), installationId="phone")
    tell(stand, happen(stand, owner))
    soon(stand)
    service.state.faults["phone"] = [fault] * 2

    assert push(stand, service) == 1
    (again,) = stand.as_owner("SELECT try_at - clock_timestamp() AS wait FROM notice.notice")
    assert timedelta(0) < again.wait <= timedelta(seconds=13)
    service.state.faults.clear()

    assert push(stand, service) == 0
    assert len({one["data"]["noticeId"] for one in service.state.taken}) == 1
    assert push(stand, service) == 0
    assert len(service.state.taken) == 1


@pytest.mark.usefixtures("calm")
def test_a_lost_answer_is_a_second_message_with_the_same_id(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    register(http, stand.citizen_token(owner), installationId="phone")
    tell(stand, happen(stand, owner))
    soon(stand)
    service.state.faults["phone"] = [PushFault.LOST]

    push(stand, service)
    push(stand, service)

    assert len({(one["data"]["noticeId"], one["android"]["collapse_key"]) for one in service.state.taken}) == 1


@pytest.mark.usefixtures("calm")
def test_what_is_refused_for_good_has_failed_and_is_visible(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    register(http, stand.citizen_token(owner), installationId="phone")
    tell(stand, happen(stand, owner))
    soon(stand)
    service.state.faults["phone"] = [PushFault.INVALID]

    assert push(stand, service) == 0

    (row,) = stand.as_owner("SELECT state, reason FROM notice.push")
    assert (row.state, row.reason) == ("FAILED", "InvalidArgumentError")
    (counted,) = stand.run(Login.WORKER, sql.failed_pushes)
    assert (counted.reason, counted.failed) == ("InvalidArgumentError", 1)


@pytest.mark.usefixtures("calm")
def test_what_was_never_reached_in_its_time_has_failed(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    register(http, stand.citizen_token(owner), installationId="phone")
    tell(stand, happen(stand, owner))
    soon(stand)
    service.state.faults["phone"] = [PushFault.UNAVAILABLE] * 6
    assert push(stand, service) == 1
    stand.as_owner("UPDATE notice.notice SET push_until = clock_timestamp() - interval '1 second'")

    push(stand, service)

    assert [row.state for row in stand.as_owner("SELECT state FROM notice.push")] == ["FAILED"]
    assert service.state.taken == []


@pytest.mark.usefixtures("calm")
def test_two_notices_of_one_thing_become_one_push(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    token = stand.citizen_token(owner)
    register(http, token, installationId="phone")
    visit = appointment(stand, owner, starts_at=datetime(2036, 12, 2, 2, 30, tzinfo=UTC))
    tell(stand, happen(stand, owner, "APPOINTMENT_BOOKED", appointmentId=str(visit)))
    tell(stand, happen(stand, owner, "APPOINTMENT_CHANGED", appointmentId=str(visit)))
    soon(stand)

    push(stand, service)

    assert len(service.state.taken) == 1
    newest, older = graphql(http, token, NOTICES)["data"]["notices"]["nodes"]
    assert (newest["kind"], older["kind"]) == ("APPOINTMENT_CHANGED", "APPOINTMENT_BOOKED")
    assert "tại Bệnh viện Thử nghiệm đã được đổi sang 09:30 ngày 02/12/2036" in newest["text"]
    assert service.state.taken[0]["data"]["noticeId"] == newest["id"]


@pytest.mark.usefixtures("calm")
def test_b203_a_sensitive_appointment_tells_no_facility(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    visit = appointment(stand, owner, starts_at=datetime(2036, 12, 2, 2, 30, tzinfo=UTC), sensitive=True)
    tell(stand, happen(stand, owner, "APPOINTMENT_BOOKED", appointmentId=str(visit)))

    (notice,) = graphql(http, stand.citizen_token(owner), NOTICES)["data"]["notices"]["nodes"]

    assert notice["text"] == "Bạn có lịch hẹn vào 09:30 ngày 02/12/2036."


@pytest.mark.usefixtures("calm")
def test_reminders_are_derived_from_the_appointments_as_they_are(
    http: httpx.Client, stand: Stand, service: Service, owner: UUID
) -> None:
    register(http, stand.citizen_token(owner), installationId="phone")
    now = datetime.now(UTC)
    soon_due = appointment(stand, owner, starts_at=now + timedelta(hours=23, minutes=50))
    appointment(stand, owner, starts_at=now + timedelta(hours=25))  # not yet
    appointment(stand, owner, starts_at=now + timedelta(hours=5))  # a day before is long over
    appointment(stand, owner, starts_at=now + timedelta(hours=1, minutes=55), booked_at=now)  # booked in between

    assert (remind(stand), remind(stand)) == (1, 0)
    rows = stand.as_owner(
        "SELECT id, about->>'appointmentId' AS visit FROM notice.event WHERE kind = 'APPOINTMENT_DUE'"
    )
    assert [row.visit for row in rows] == [str(soon_due)]
    tell(stand, rows[0].id)
    soon(stand)
    stand.as_owner(
        "UPDATE care.appointment SET state = 'CANCELLED', cancelled_by = 'CITIZEN' WHERE id = :id", id=soon_due
    )

    push(stand, service)

    assert service.state.taken == []  # it was cancelled before its push went out
    stand.as_owner(
        "UPDATE care.appointment SET state = 'LIVE', cancelled_by = NULL, starts_at = starts_at - interval '1 minute' "
        "WHERE id = :id",
        id=soon_due,
    )
    assert remind(stand) == 1  # moved: the reminder of its new time is another one


@pytest.mark.usefixtures("calm")
def test_quiet_hours_defer_and_emergencies_break_through(stand: Stand, owner: UUID) -> None:
    night = datetime(2026, 11, 23, 16, 30, tzinfo=UTC)  # 23:30 in Viet Nam
    tell(stand, happen(stand, owner), now=night)
    tell(stand, happen(stand, owner, "EMERGENCY_OPENED", grant="1"), now=night)

    rows = {row.kind: row.try_at for row in stand.as_owner("SELECT kind, try_at FROM notice.notice")}

    assert rows["DEVICE_ADDED"] == datetime(2026, 11, 23, 23, tzinfo=UTC)  # 06:00
    assert rows["EMERGENCY_OPENED"] == night


@pytest.mark.usefixtures("calm")
def test_wishes_are_kept_and_emergencies_cannot_be_muted(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    token = stand.citizen_token(owner)
    update = """mutation U($input: UpdateNotificationPreferencesInput!) { updateNotificationPreferences(input: $input)
        { preferences { muted quietHours quietFrom quietUntil } } }"""
    read = "{ notificationPreferences { muted quietHours quietFrom quietUntil } }"
    defaults = {"muted": [], "quietHours": True, "quietFrom": "22:00", "quietUntil": "06:00"}
    assert graphql(http, token, read)["data"]["notificationPreferences"] == defaults
    wanted = {"muted": ["SECURITY", "RECORDS"], "quietHours": False, "quietFrom": "21:15", "quietUntil": "05:00"}

    told = graphql(http, token, update, input={"idempotencyKey": "w", **wanted})

    expected = {**wanted, "muted": ["RECORDS", "SECURITY"]}
    assert told["data"]["updateNotificationPreferences"]["preferences"] == expected
    assert graphql(http, token, read)["data"]["notificationPreferences"] == expected
    tell(stand, happen(stand, owner))
    tell(stand, happen(stand, owner, "EMERGENCY_OPENED"))
    rows = {row.kind: row.push_at for row in stand.as_owner("SELECT kind, push_at FROM notice.notice")}
    assert rows["DEVICE_ADDED"] is None
    assert rows["EMERGENCY_OPENED"] is not None
    for bad in ({"muted": ["EMERGENCY"]}, {"quietFrom": "24:00"}, {"quietUntil": "6:00"}, {"quietFrom": "２２:00"}):
        refused = graphql(http, token, update, input={"idempotencyKey": str(uuid4()), **bad})
        assert refused["errors"][0]["extensions"]["code"] == "INVALID", bad


@pytest.mark.usefixtures("calm")
def test_notices_are_pages_and_are_read(http: httpx.Client, stand: Stand, owner: UUID) -> None:
    token = stand.citizen_token(owner)
    for number in range(5):
        tell(stand, happen(stand, owner, "CODE_REFUSED", code=str(number)))
    mark = "mutation M($input: MarkNoticesReadInput!) { markNoticesRead(input: $input) { marked } }"

    first = graphql(http, token, NOTICES, first=2)["data"]["notices"]
    rest = graphql(http, token, NOTICES, first=50, after=first["pageInfo"]["endCursor"])["data"]["notices"]
    ids = [one["id"] for one in (*first["nodes"], *rest["nodes"])]
    assert (first["totalCount"], len(set(ids)), rest["pageInfo"]["hasNextPage"]) == (5, 5, False)
    asked = {"idempotencyKey": "m", "ids": ids[:2]}
    assert graphql(http, token, mark, input=asked)["data"]["markNoticesRead"]["marked"] == 2
    assert graphql(http, token, NOTICES, unread=True)["data"]["notices"]["totalCount"] == 3
    assert graphql(http, token, NOTICES, unread=False)["data"]["notices"]["totalCount"] == 2
    assert graphql(http, token, mark, input={"idempotencyKey": "n"})["data"]["markNoticesRead"]["marked"] == 3


@pytest.mark.usefixtures("calm")
def test_new_results_are_told_once_and_old_ones_are_not(stand: Stand, owner: UUID) -> None:
    facility = stand.facility("01901")
    today = f"{datetime.now(UTC) - timedelta(hours=20):%Y%m%d%H%M}"
    query = "SELECT about FROM notice.event WHERE kind = 'RESULT_READY' AND citizen_id = :id ORDER BY id DESC"
    before = len(stand.as_owner(query, id=owner))
    for visit, moment in (("new", today), ("old", "202601051000")):
        report = {**messages.RESULT, "MA_LK": visit, "NGAY_KQ": moment}
        times = {"NGAY_VAO": moment, "NGAY_RA": moment, "NGAY_TTOAN": moment}
        tables = {"XML1": [{**messages.VISIT, "MA_LK": visit, **times}], "XML4": [report]}
        assert stand.file(messages.envelope(messages.visit_xml(tables)), token=facility) == "filed"
        rows = stand.as_owner(query, id=owner)
        assert len(rows) == before + 1
    assert set(rows[0].about) == {"visit"}


def test_i4_a_rolled_back_event_is_told_to_nobody(stand: Stand, owner: UUID) -> None:
    waiting = "SELECT count(*) AS n FROM notice.event WHERE is_waiting"
    before = stand.as_owner(waiting)[0].n
    with pytest.raises(Exception, match="division by zero"):
        stand.as_owner("SELECT notice.happened(:id, 'DEVICE_ADDED', '{}'), 1 / (SELECT 0)", id=owner)

    assert stand.as_owner(waiting)[0].n == before
